"""What the Python interface gives: frozen values around the program's own, which notebooks show and draw.

The values inside (``Recording``, ``Hypnogram``, ``Prediction``, ``Comparison``, ``ScoringArchive``) are those of the
program itself; these add tables of HTML, figures and data frames, and nothing else.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import Agreement
from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.statistics import NightStatistics, flat_statistics, night_statistics
from sleepviewer.archive import ScoringArchive
from sleepviewer.archive.archive import NOT_CORRECTED
from sleepviewer.errors import AlignmentError
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.recording import Channel, Recording
from sleepviewer.recording.base import Samples
from sleepviewer.reports.analysis import figures_of_agreement
from sleepviewer.reports.html import Cell, Grid, number, text
from sleepviewer.reports.parts import confusion_grids, figures_grid, stages_grid, statistics_grid
from sleepviewer.review.saving import scoring_of
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import EPOCH_S, SCORED_STAGES, Proba, Stage, StageArray, stage_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

_MOST_NOTES: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """One scorer's stages of a night, an expert's or a model's.

    ``hypnogram`` has the stages and their clock; ``prediction`` the probabilities and where they come from, or None
    where a person scored.
    """

    hypnogram: Hypnogram
    prediction: Prediction | None = None

    def __len__(self) -> int:
        return len(self.hypnogram)

    @property
    def name(self) -> str:
        """Who scored: the model with its version, else the scorer that the file names, else the file."""
        if self.prediction is not None:
            return f"{self.prediction.engine} {self.prediction.engine_version}".strip()
        return self.hypnogram.scorer or self.hypnogram.source

    @property
    def stages(self) -> StageArray:
        """The stages, ``int8 [n_epochs]``: 0 W, 1 N1, 2 N2, 3 N3, 4 REM, -1 unscored; read-only."""
        return self.hypnogram.stages

    @property
    def labels(self) -> list[str]:
        """The stages as words, ``?`` where unscored."""
        return stage_labels(self.stages)

    @property
    def proba(self) -> Proba | None:
        """The model's probabilities, ``float32 [n_epochs, 5]`` in the order W N1 N2 N3 REM; None of a person."""
        return None if self.prediction is None else self.prediction.proba

    @property
    def confidence(self) -> NDArray[np.float32] | None:
        """The probability of the likeliest stage, ``float32 [n_epochs]``; None of a person."""
        return None if self.prediction is None else self.prediction.confidence

    @property
    def start(self) -> datetime | None:
        """Clock time of epoch 0, or None."""
        return self.hypnogram.start

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that a user should know: what was shifted, assumed, or could not be scored."""
        return (*self.hypnogram.notes, *(() if self.prediction is None else self.prediction.notes))

    @property
    def statistics(self) -> NightStatistics:
        """The night's figures (TST, SE, WASO …) from the first epoch to the last."""
        return night_statistics(self.stages)

    def frame(self) -> DataFrame:
        """Return a pandas table, a row an epoch: ``epoch`` (from 1), ``clock``, ``stage``, and a model's ``p_…``."""
        import pandas as pd

        n, start = len(self), self.start
        columns: dict[str, Any] = {
            "epoch": np.arange(1, n + 1),
            "clock": [None if start is None else start + timedelta(seconds=EPOCH_S * i) for i in range(n)],
            "stage": self.labels,
        }
        if self.prediction is not None:
            columns |= {f"p_{stage.label}": self.prediction.proba[:, stage] for stage in SCORED_STAGES}
            columns["confidence"] = self.prediction.confidence
        return pd.DataFrame(columns)

    def plot(self) -> Figure:
        """Draw the hypnogram, and a model's probabilities below it."""
        from sleepviewer.api.figures import layers_figure

        return layers_figure({self.name: self.stages}, self.proba, self.start)

    def __repr__(self) -> str:
        when = "" if self.start is None else f", from {self.start:%Y-%m-%d %H:%M:%S}"
        return f"<Scoring by {self.name}: {len(self)} epochs of {self.hypnogram.source}{when}>"

    def _repr_html_(self) -> str:
        minutes = {s.label: float(np.count_nonzero(self.stages == s)) * EPOCH_S / 60 for s in SCORED_STAGES}
        unscored = float(np.count_nonzero(self.stages == Stage.UNKNOWN)) * EPOCH_S / 60
        heads = [*minutes, "unscored"]
        return _box(
            repr(self), [Grid(heads, [[number(v, 1) for v in (*minutes.values(), unscored)]], "Minutes", 0)], self.notes
        )


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """A recording that is open, and the expert's hypnogram of it.

    ``channel`` is the EEG channel that is scored where none is named, None where none was recognised. ``truth_path`` is
    the file that the expert's hypnogram came from. Use it as a context manager, or call :meth:`close` when done.
    """

    recording: Recording
    truth: Scoring | None = None
    channel: str | None = None
    notes: tuple[str, ...] = ()
    truth_path: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the recording's file."""
        self.recording.close()

    @property
    def name(self) -> str:
        """The recording's file name."""
        return self.recording.name

    @property
    def start(self) -> datetime | None:
        """Clock time of the first sample, or None."""
        return self.recording.start

    @property
    def n_epochs(self) -> int:
        """Number of whole 30-s epochs."""
        return self.recording.n_epochs

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels in the file's order, each with its label, role, rate and unit."""
        return self.recording.channels

    def read(self, channel: str, start_s: float = 0.0, stop_s: float | None = None) -> Samples:
        """Read a stretch of a channel in its unit (voltages in µV), ``float32 [n_samples]``, NaN in gaps.

        Raises ChannelError for an unknown channel, RecordingError where the file can't be read any more.
        """
        return self.recording.read(channel, start_s, self.recording.duration_s if stop_s is None else stop_s)

    def plot(self, *scorings: Scoring, channel: str | None = None) -> Figure:
        """Draw the expert's hypnogram, those of ``scorings``, the last one's probabilities, and a spectrogram.

        Raises AlignmentError for a scoring of another number of epochs, ChannelError for an unknown channel.
        """
        from sleepviewer.api.figures import night_figure

        shown = [*([] if self.truth is None else [self.truth]), *scorings]
        for scoring in shown:
            if len(scoring) != self.n_epochs:
                raise AlignmentError(
                    f"{scoring.name} has {len(scoring)} epochs, {self.name} {self.n_epochs}; read it with "
                    "read_hypnogram(path, night) to lay it on the recording."
                )
        named = named_apart(shown)
        proba = next((s.proba for s in reversed(scorings) if s.proba is not None), None)
        return night_figure(
            self.recording, channel or self.channel, {name: s.stages for name, s in named.items()}, proba
        )

    def __repr__(self) -> str:
        when = "no start time" if self.start is None else f"{self.start:%Y-%m-%d %H:%M:%S}"
        whose = "no hypnogram" if self.truth is None else f"hypnogram of {self.truth.name}"
        return f"<Night {self.name}: {when}, {self.n_epochs} epochs, {len(self.channels)} channels, {whose}>"

    def _repr_html_(self) -> str:
        rows = [[text(c.label), text(c.role), number(c.rate_hz, 0), text(c.unit or "–")] for c in self.channels]
        return _box(repr(self), [Grid(["channel", "role", "Hz", "unit"], rows, left=2)], self.notes)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Two scorings of a night, laid on the same epochs: the first is taken as the truth.

    ``notes`` tell what had to be shifted, left out or assumed for it. ``details`` has every disagreement with what
    surrounds it (:class:`~sleepviewer.analysis.errors.Comparison`).
    """

    first: Scoring
    second: Scoring
    agreement: Agreement
    details: Comparison
    notes: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float:
        """Share of the epochs on which both agree."""
        return self.agreement.accuracy

    @property
    def kappa(self) -> float:
        """Cohen's κ, NaN where both know one stage only."""
        return self.agreement.kappa

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the stages that occur in either."""
        return self.agreement.macro_f1

    def as_dict(self) -> dict[str, Any]:
        """Return every figure as JSON-ready values, None for NaN."""
        return {**self.agreement.as_full_dict(), "notes": list(self.notes)}

    def frame(self) -> DataFrame:
        """Return a pandas table of the disagreements, a row an epoch (``epoch`` counts from 1)."""
        import pandas as pd

        return pd.DataFrame([self.details.row(int(epoch)).as_dict() for epoch in self.details.epochs])

    def plot(self) -> Figure:
        """Draw the confusion matrix, both hypnograms, and where they differ by kinds of error."""
        from sleepviewer.api.figures import comparison_figure

        return comparison_figure(self.details, self.agreement, self._names())

    def _names(self) -> tuple[str, str]:
        first, second = named_apart((self.first, self.second))
        return first, second

    def __repr__(self) -> str:
        found = self.agreement
        return (
            f"<{' and '.join(self._names())} on {found.epochs} epochs: accuracy {found.accuracy:.3f}, "
            f"κ {found.kappa:.3f}, macro-F1 {found.macro_f1:.3f}>"
        )

    def _repr_html_(self) -> str:
        matrix = next(confusion_grids(self.agreement))
        heads = [" \\ ".join(self._names()), *matrix.heads[1:]]
        grids = [
            figures_grid(figures_of_agreement(self.agreement)),
            stages_grid(self.agreement),
            Grid(heads, matrix.rows, matrix.caption),
        ]
        return _box(repr(self), grids, self.notes)


@dataclass(frozen=True, slots=True, eq=False)
class StatisticsTable:
    """The figures of nights or scorers side by side, by name; ``table["expert"].tst_min`` is one of them."""

    columns: Mapping[str, NightStatistics]

    def __getitem__(self, name: str) -> NightStatistics:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns)

    def frame(self) -> DataFrame:
        """Return a pandas table, a row a figure and a column a scorer."""
        import pandas as pd

        return pd.DataFrame({name: flat_statistics(figures) for name, figures in self.columns.items()}, dtype=float)

    def __repr__(self) -> str:
        told = (f"{name} TST {figures.tst_min:g} min" for name, figures in self.columns.items())
        return f"<Statistics: {', '.join(told)}>"

    def _repr_html_(self) -> str:
        grid = statistics_grid({name: flat_statistics(figures) for name, figures in self.columns.items()})
        return _box("", [grid], ())


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """A saved review or any other scoring archive (npz), with the layers that it holds."""

    archive: ScoringArchive
    path: Path

    @property
    def labels(self) -> Scoring:
        """The labels that count: corrected ones, and elsewhere those of the base."""
        return self._scoring(self.archive.night_labels, str(self.archive.meta.get("scorer") or "labels"))

    @property
    def expert(self) -> Scoring | None:
        """The expert's hypnogram that the review began with, or None."""
        stages = self.archive.night_expert
        return self._scoring(stages, "expert") if (stages != Stage.UNKNOWN).any() else None

    @property
    def model(self) -> Scoring | None:
        """The model's scoring with its probabilities, or None."""
        prediction = scoring_of(self.archive)
        if prediction is None:
            return None
        return Scoring(Hypnogram(prediction.stages, self.archive.start, self.path.name), prediction)

    @property
    def corrected(self) -> NDArray[np.bool_]:
        """Which epochs somebody has set or accepted by hand, ``bool [n_epochs]``."""
        return np.asarray(self.archive.night_corrected != NOT_CORRECTED)

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which epochs were marked as uncertain, ``bool [n_epochs]``."""
        return self.archive.night_flagged

    @property
    def meta(self) -> Mapping[str, Any]:
        """Where everything comes from, and every edit."""
        return self.archive.meta

    @property
    def notes(self) -> tuple[str, ...]:
        """What the file lacks."""
        return self.archive.notes

    def plot(self) -> Figure:
        """Draw every layer's hypnogram, and the model's probabilities."""
        from sleepviewer.api.figures import layers_figure

        model = self.model
        layers = named_apart([s for s in (self.expert, model, self.labels) if s is not None])
        proba = None if model is None else model.proba
        return layers_figure({name: s.stages for name, s in layers.items()}, proba, self.archive.start)

    def _scoring(self, stages: StageArray, who: str) -> Scoring:
        return Scoring(Hypnogram(stages, self.archive.start, self.path.name, who))

    def __repr__(self) -> str:
        return (
            f"<Review {self.path.name}: {self.archive.n_epochs} epochs, {int(self.corrected.sum())} corrected, "
            f"{int(self.flagged.sum())} flagged>"
        )

    def _repr_html_(self) -> str:
        layers = [("expert", self.expert), ("model", self.model), ("labels that count", self.labels)]
        rows = [[text(name), text(s.name), *_counts(s.stages)] for name, s in layers if s is not None]
        heads = ["layer", "by", *(stage.label for stage in SCORED_STAGES)]
        return _box(repr(self), [Grid(heads, rows, "Epochs", 2)], self.notes)


def named_apart(scorings: Iterable[Scoring]) -> dict[str, Scoring]:
    """Return scorings by their names, a number after a name that was there already."""
    named: dict[str, Scoring] = {}
    for scoring in scorings:
        name, count = scoring.name, 1
        while name in named:
            count += 1
            name = f"{scoring.name} ({count})"
        named[name] = scoring
    return named


def _counts(stages: StageArray) -> list[Cell]:
    return [number(int(np.count_nonzero(stages == stage))) for stage in SCORED_STAGES]


def _box(heading: str, grids: Sequence[Grid], notes: Sequence[str]) -> str:
    """Return what a notebook shows; every word that came from a file is escaped."""
    title = f"<p><b>{html.escape(heading.strip('<>'))}</b></p>" if heading else ""
    side = "".join(f"<div>{grid.html()}</div>" for grid in grids)
    told = "".join(f"<li>{html.escape(note)}</li>" for note in notes[:_MOST_NOTES])
    more = f"<li>and {len(notes) - _MOST_NOTES} more</li>" if len(notes) > _MOST_NOTES else ""
    listed = f"<ul>{told}{more}</ul>" if notes else ""
    return (
        f'<div style="--cell: 63,134,201; --line: 128,128,128">{title}'
        f'<div style="display: flex; flex-wrap: wrap; gap: 1.5em">{side}</div>{listed}</div>'
    )
