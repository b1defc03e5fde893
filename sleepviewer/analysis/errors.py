"""Where two hypnograms of a night differ, and what surrounds each difference.

A :class:`Comparison` holds what is known of every epoch, in columns; :meth:`Comparison.row` makes of one epoch a
:class:`Disagreement` with all that a table, a file or a person wants to see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import Agreement, agreement_of, confusion_of
from sleepviewer.analysis.cycles import cycle_numbers
from sleepviewer.analysis.order import doubt, transitions
from sleepviewer.analysis.shifts import (
    KINDS,
    MAX_SHIFT,
    BoutShift,
    ErrorRun,
    Kind,
    bout_shifts,
    error_runs,
    kinds_by_epoch,
)
from sleepviewer.analysis.signs import EMG, SIGNS, EpochSigns, nothing_measured
from sleepviewer.errors import AlignmentError
from sleepviewer.recording.spectra import BANDS_HZ
from sleepviewer.stages import EPOCH_S, N_STAGES, SCORED_STAGES, Proba, Stage, StageArray

CONTEXT: Final = 3
"""Epochs of context on each side of a disagreement."""

BOUNDARY_EPOCHS: Final = 2
"""An epoch less than so many epochs from a boundary of the truth is at it: the two on each side."""

FAR: Final = 32767
"""The distance to the nearest transition in a night that has none."""

_SIGN_COLUMNS: Final = ("flat", "clipped", EMG, "extreme amplitude", "line noise", "gap")

_LETTERS: Final = "W123R?"  # by stage, UNKNOWN last: index -1


def letters(stages: StageArray) -> str:
    """Return a letter for each stage: ``W123R``, and ``?`` for UNKNOWN."""
    return "".join(_LETTERS[int(stage)] for stage in stages)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One epoch in which truth and prediction differ, and its surroundings.

    Attributes
    ----------
    night, subject: their names, empty where there is one night only.
    epoch: place in the recording, from 0.
    clock: when it begins, or None where the recording has no clock.
    truth, predicted: the two stages.
    proba: the model's five probabilities, or None where it gives none; ``doubt`` is one minus the largest.
    p_truth, p_predicted: probabilities of the two stages.
    distance: epochs to the nearest transition in the truth; 0 where the epoch touches one.
    run_epochs: length of the run of disagreements that it lies in.
    kind, shift: see :class:`~sleepviewer.analysis.shifts.ErrorRun`.
    hour: whole hours since the recording's start, or lights off where they are marked, from 0.
    cycle: sleep cycle of the truth, from 1; 0 outside all.
    bout_epochs: length of the truth's bout.
    truth_context, predicted_context: letters of the epochs around it, CONTEXT on each side, ``·`` beyond the night.
    power: shares of the power between 0.5 and 30 Hz by band; None without a signal.
    signs: by how much the epoch shows each of the SIGNS of poor signal (see
        :class:`~sleepviewer.analysis.signs.EpochSigns`); None where that is not known.
    signal: the signs in words.
    edited: whether the expert corrected the epoch by hand.
    """

    night: str
    subject: str
    epoch: int
    clock: datetime | None
    truth: Stage
    predicted: Stage
    proba: tuple[float, ...] | None
    doubt: float | None
    p_truth: float | None
    p_predicted: float | None
    distance: int
    run_epochs: int
    kind: Kind
    shift: int
    hour: int
    cycle: int
    bout_epochs: int
    truth_context: str
    predicted_context: str
    power: tuple[float, ...] | None
    signs: Mapping[str, float | None]
    signal: str
    edited: bool

    @property
    def pair(self) -> str:
        """The two stages as shown: ``N2 → N1``."""
        return pair_text(self.truth, self.predicted)

    @property
    def at_boundary(self) -> bool:
        """Whether the epoch lies at a boundary of the truth, not in the middle of a bout."""
        return self.distance < BOUNDARY_EPOCHS

    def as_dict(self) -> dict[str, Any]:
        """Return the row as flat JSON-ready values, None for what is not known."""
        probabilities = self.proba or (None,) * N_STAGES
        powers = self.power or (None,) * len(BANDS_HZ)
        return {
            "night": self.night,
            "subject": self.subject,
            "epoch": self.epoch + 1,
            "clock": None if self.clock is None else self.clock.isoformat(timespec="seconds"),
            "truth": self.truth.label,
            "predicted": self.predicted.label,
            **{f"p_{stage.label}": p for stage, p in zip(SCORED_STAGES, probabilities, strict=True)},
            "doubt": self.doubt,
            "kind": str(self.kind),
            "shift": self.shift,
            "distance": None if self.distance == FAR else self.distance,
            "run_epochs": self.run_epochs,
            "hour": self.hour,
            "cycle": self.cycle,
            "bout_epochs": self.bout_epochs,
            "truth_context": self.truth_context,
            "predicted_context": self.predicted_context,
            **{f"power_{band}": power for band, power in zip(BANDS_HZ, powers, strict=True)},
            **{word.replace(" ", "_"): self.signs[word] for word in _SIGN_COLUMNS},
            "signal": self.signal,
            "edited": self.edited,
        }


def pair_text(truth: int, predicted: int) -> str:
    """Return a pair of stages as shown: ``N2 → N1``."""
    return f"{Stage(truth).label} → {Stage(predicted).label}"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two hypnograms of one night, epoch by epoch; all arrays ``[n_epochs]``. Made by :func:`compare`."""

    truth: StageArray
    predicted: StageArray
    proba: Proba | None
    signs: EpochSigns
    edited: NDArray[np.bool_]
    night: str = ""
    subject: str = ""
    start: datetime | None = None
    lights_off: int | None = None
    max_shift: int = MAX_SHIFT

    def __len__(self) -> int:
        return len(self.truth)

    def with_edited(self, edited: NDArray[np.bool_]) -> Comparison:
        """Return the same comparison, with all that was worked out of it, after other epochs were corrected by hand.

        ``edited`` is ``bool [n_epochs]``.
        """
        other = replace(self, edited=edited)
        given = {field.name for field in fields(self)}
        other.__dict__.update({name: value for name, value in self.__dict__.items() if name not in given})
        return other

    @cached_property
    def both(self) -> NDArray[np.bool_]:
        """Epochs that both score."""
        return np.asarray((self.truth != Stage.UNKNOWN) & (self.predicted != Stage.UNKNOWN))

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Epochs in which they differ."""
        return np.asarray(self.both & (self.truth != self.predicted))

    @cached_property
    def epochs(self) -> NDArray[np.intp]:
        """The places of the disagreements, in order."""
        return np.flatnonzero(self.wrong)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts of pairs of stages, ``int64 [5, 5]``, rows = truth."""
        return confusion_of(self.truth, self.predicted)

    @property
    def agreement(self) -> Agreement | None:
        """The figures of agreement, or None where the two have no scored epoch in common."""
        return agreement_of(self.confusion) if self.both.any() else None

    @cached_property
    def runs(self) -> tuple[ErrorRun, ...]:
        """Runs of one pair of stages, each with its kind."""
        return error_runs(self.truth, self.predicted, max_shift=self.max_shift)

    @cached_property
    def _by_epoch(self) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int32]]:
        return kinds_by_epoch(self.runs, len(self))

    @property
    def kind(self) -> NDArray[np.int8]:
        """Each epoch's kind of error as its place in KINDS, -1 where there is none."""
        return self._by_epoch[0]

    @property
    def shift(self) -> NDArray[np.int8]:
        """By how many epochs the boundary is shifted that an epoch's disagreement belongs to."""
        return self._by_epoch[1]

    @cached_property
    def shifts(self) -> tuple[BoutShift, ...]:
        """The truth's bouts whose beginning or end is shifted."""
        return bout_shifts(self.truth, self.runs)

    @cached_property
    def distance(self) -> NDArray[np.int16]:
        """Epochs to the nearest transition of the truth, 0 where the epoch touches one, FAR where there is none."""
        distance = np.full(len(self), FAR, dtype=np.int64)
        begins = transitions(self.truth)
        if begins.size:
            epochs = np.arange(len(self))
            after = np.searchsorted(begins, epochs, side="right")
            since = np.where(after > 0, epochs - begins[np.maximum(after - 1, 0)], FAR)
            until = np.where(after < len(begins), begins[np.minimum(after, len(begins) - 1)] - 1 - epochs, FAR)
            distance = np.minimum(since, until)
        return distance.astype(np.int16)

    @cached_property
    def doubt(self) -> NDArray[np.float32]:
        """One minus the largest probability; -1 where there is none."""
        return np.full(len(self), -1.0, np.float32) if self.proba is None else doubt(self.proba)

    @cached_property
    def hour(self) -> NDArray[np.int16]:
        """Whole hours since lights off, or the recording's start where they are not marked; -1 before."""
        return ((np.arange(len(self)) - (self.lights_off or 0)) * EPOCH_S // 3600).astype(np.int16)

    @cached_property
    def cycle(self) -> NDArray[np.int16]:
        """Sleep cycle of the truth, from 1; 0 outside all."""
        return cycle_numbers(self.truth)

    @cached_property
    def bout_epochs(self) -> NDArray[np.int32]:
        """Length of the truth's bout that an epoch lies in."""
        return _run_lengths(self.truth)

    @cached_property
    def run_epochs(self) -> NDArray[np.int32]:
        """Length of the run of disagreements (of any pairs) that an epoch lies in; 0 where there is none."""
        return np.where(self.wrong, _run_lengths(self.wrong.astype(np.int8)), 0).astype(np.int32)

    @cached_property
    def signal(self) -> list[str]:
        """Each epoch's signal in a word."""
        return self.signs.words()

    def clock(self, epoch: int) -> datetime | None:
        """Return when an epoch begins, or None without a clock."""
        return None if self.start is None else self.start + timedelta(seconds=epoch * EPOCH_S)

    def row(self, epoch: int) -> Disagreement:
        """Return all that is known of an epoch; meant for disagreements (elsewhere its kind is OTHER)."""
        truth, predicted = Stage(int(self.truth[epoch])), Stage(int(self.predicted[epoch]))
        row = None if self.proba is None or not np.isfinite(self.proba[epoch]).all() else self.proba[epoch].tolist()
        power = self.signs.power[epoch]
        shares = {word: float(self.signs.share(word)[epoch]) for word in SIGNS}
        return Disagreement(
            night=self.night,
            subject=self.subject,
            epoch=int(epoch),
            clock=self.clock(int(epoch)),
            truth=truth,
            predicted=predicted,
            proba=None if row is None else tuple(row),
            doubt=None if row is None else float(self.doubt[epoch]),
            p_truth=None if row is None or truth < 0 else row[truth],
            p_predicted=None if row is None or predicted < 0 else row[predicted],
            distance=int(self.distance[epoch]),
            run_epochs=int(self.run_epochs[epoch]),
            kind=KINDS[self.kind[epoch]],
            shift=int(self.shift[epoch]),
            hour=int(self.hour[epoch]),
            cycle=int(self.cycle[epoch]),
            bout_epochs=int(self.bout_epochs[epoch]),
            truth_context=_around(self.truth, epoch),
            predicted_context=_around(self.predicted, epoch),
            power=tuple(power.tolist()) if np.isfinite(power).all() else None,
            signs={word: share if np.isfinite(share) else None for word, share in shares.items()},
            signal=self.signal[epoch],
            edited=bool(self.edited[epoch]),
        )

    def rows(self) -> Iterator[Disagreement]:
        """Return every disagreement, in the order of the night."""
        return (self.row(int(epoch)) for epoch in self.epochs)


def compare(
    truth: StageArray,
    predicted: StageArray,
    *,
    proba: Proba | None = None,
    signs: EpochSigns | None = None,
    edited: NDArray[np.bool_] | None = None,
    night: str = "",
    subject: str = "",
    start: datetime | None = None,
    lights_off: int | None = None,
    max_shift: int = MAX_SHIFT,
) -> Comparison:
    """Lay two hypnograms of one night beside each other, ``int8 [n_epochs]`` both.

    ``proba`` are the model's probabilities ``float32 [n_epochs, 5]``, ``signs`` those of poor signal, ``edited``
    ``bool [n_epochs]`` what was corrected by hand, ``start`` the clock time of epoch 0.

    Raises AlignmentError where any of them has another number of epochs.
    """
    truth, predicted = np.asarray(truth, dtype=np.int8), np.asarray(predicted, dtype=np.int8)
    n = len(truth)
    others = {"prediction": predicted, "probabilities": proba, "signal": signs, "edits": edited}
    for name, other in others.items():
        if other is not None and len(other) != n:
            raise AlignmentError(f"The truth has {n} epochs, but the {name} {len(other)}; lay both on the recording.")
    return Comparison(
        truth,
        predicted,
        proba,
        nothing_measured(n) if signs is None else signs,
        np.zeros(n, dtype=bool) if edited is None else np.asarray(edited, dtype=bool),
        night,
        subject,
        start,
        lights_off,
        max_shift,
    )


def _run_lengths(values: NDArray[np.int8]) -> NDArray[np.int32]:
    """Return how long the run of equal values is that each one lies in."""
    if not len(values):
        return np.zeros(0, np.int32)
    edges = np.concatenate(([0], np.flatnonzero(np.diff(values)) + 1, [len(values)]))
    lengths = np.diff(edges)
    return np.repeat(lengths, lengths).astype(np.int32)


def _around(stages: StageArray, epoch: int) -> str:
    first, stop = epoch - CONTEXT, epoch + CONTEXT + 1
    inside = letters(stages[max(first, 0) : stop])
    return "·" * max(-first, 0) + inside + "·" * max(stop - len(stages), 0)
