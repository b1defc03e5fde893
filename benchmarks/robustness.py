"""Measure how automatic scoring holds up against disturbances of a recording.

    python benchmarks/robustness.py NIGHT HYPNOGRAM [--seeds N] [--engines ID ...] [--only NAME ...] [--json FILE]

Disturbs the scored EEG channel of a night in memory, scores it with the default engine and, as an independent peer,
with the YASA library, and compares both with the expert's hypnogram inside and outside of the epochs that were touched.
Prints a table; the last line is one JSON object. See README.md.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from common import machine, report
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import confusion_of, figures_of
from sleepviewer.errors import EngineError, SleepViewerError
from sleepviewer.hypnogram import align, read_track
from sleepviewer.recording import Recording, open_recording, propose_scoring_channel
from sleepviewer.scoring.base import ChannelChoice, Engine
from sleepviewer.scoring.registry import DEFAULT_ENGINE, EngineSpec, make_engine
from sleepviewer.scoring.signals import fill_gaps
from sleepviewer.simulation.disturbances import (
    DISTURBANCES,
    Disturbance,
    Disturbed,
    DisturbedRecording,
    Kind,
    Signal,
    find_disturbances,
    untouched,
)
from sleepviewer.stages import EPOCH_S, Stage, StageArray, most_likely

MAX_DROP: Final = {Kind.ARTIFACT: 0.05, Kind.AMPLIFIER: 0.05, Kind.RATE: 0.05, Kind.LENGTH: 0.10}
"""Largest acceptable drop of κ outside the touched epochs, by kind; noise is compared with the peer instead."""

MAX_BELOW_PEER: Final = 0.02
"""How far κ may be below the peer's on a night with noise."""

MIN_OFF_UNSCORED: Final = 0.95
"""Share of the epochs without any EEG that must be left unscored."""

NO_LIMIT: Final = ("nap-10min",)
"""Disturbances that are measured only: ten minutes are too short for any night's statistics."""

MAX_PIECES: Final = 8
"""Naps that are scored: those nearest the middle of the night that hold at least two stages."""

WIDTH: Final = 100
"""Columns of the printed table."""

_YASA_COLUMNS: Final = ("WAKE", "N1", "N2", "N3", "REM")
_VOLTS_PER_MICROVOLT: Final = 1e-6

Peer = Callable[[Signal, float], StageArray | None]
"""An independent scorer: stages ``int8 [n_epochs]`` of samples in µV at a sampling rate; None where it refuses."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Night:
    """The undisturbed night: its recording, the scored channel, its samples in µV, and the expert's stages."""

    recording: Recording
    label: str
    rate_hz: float
    samples: Signal
    truth: StageArray

    @property
    def whole(self) -> Disturbed:
        """The channel as recorded."""
        return Disturbed(self.samples, self.rate_hz, untouched(self.samples, self.rate_hz))


@dataclass(frozen=True, eq=False)
class Scoring:
    """Stages ``int8 [n_epochs]`` and confidence ``float32 [n_epochs]`` of an engine; ``error`` where it failed."""

    stages: StageArray
    confidence: Floats
    error: str | None = None


@dataclass(frozen=True, eq=False)
class Measure:
    """Figures of one engine under one disturbance and seed; None where a figure is not defined."""

    epochs: int
    touched: int
    clean_kappa: float | None
    kappa: float | None
    all_kappa: float | None
    peer_kappa: float | None
    peer_clean_kappa: float | None
    touched_unscored: float | None
    off_unscored: float | None
    rest_unscored: float | None
    clean_confidence: float | None
    confidence: float | None
    error: str | None = None

    @property
    def drop(self) -> float | None:
        """How much κ fell."""
        return _less(self.clean_kappa, self.kappa)

    @property
    def difference(self) -> float | None:
        """How far κ is above the peer's."""
        return _less(self.kappa, self.peer_kappa)


@dataclass(eq=False)
class Table:
    """An engine's measurements: the undisturbed night, the finished rows, and what the night was too short for."""

    engine: Engine
    clean: Scoring
    peer_clean: StageArray | None
    truth: StageArray
    rows: list[dict[str, Any]] = field(default_factory=list)
    too_short: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """Return the engine's part of the JSON object."""
        drops = [
            row["drop_worst"] for row in self.rows if row["kind"] == Kind.ARTIFACT and row["drop_worst"] is not None
        ]
        return {
            "engine": self.engine.id,
            "worst_drop": max(drops, default=None),
            "failing": [row["name"] for row in self.rows if row["missed"]],
            "clean": {
                "kappa": _rounded(_kappa(self.truth, self.clean.stages)),
                "unscored": _rounded(_share_of(self.clean.stages == Stage.UNKNOWN)),
                "confidence": _rounded(_mean_of(self.clean.confidence)),
                "yasa_kappa": None if self.peer_clean is None else _rounded(_kappa(self.truth, self.peer_clean)),
            },
            "rows": self.rows,
            "night_too_short_for": self.too_short,
        }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the table and the figures."""
    args = _arguments(argv)
    started = time.perf_counter()
    try:
        night = read_night(args.night, args.hypnogram)
        engines = [make_engine(EngineSpec(engine)) for engine in args.engines]
        tables = measure(night, engines, find_disturbances(tuple(args.only)), args.seeds)
    except SleepViewerError as error:
        sys.exit(f"error: {error}")
    result, *others = [table.result() for table in tables]
    result = {
        "benchmark": "robustness",
        "machine": machine("scipy", "torch", "mne", "yasa", "lightgbm"),
        "night": args.night.name,
        "seeds": args.seeds,
        **result,
        "other_engines": others,
        "limits": {
            "drop": {kind.value: limit for kind, limit in MAX_DROP.items()},
            "below_yasa": MAX_BELOW_PEER,
            "off_unscored": MIN_OFF_UNSCORED,
            "none_for": list(NO_LIMIT),
        },
        "seconds": round(time.perf_counter() - started, 1),
    }
    report(result, args.json)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    listed = "\n".join(f"  {row.name:18s} {row.description}" for row in DISTURBANCES)
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"disturbances:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("night", type=Path, help="recording of a whole night")
    parser.add_argument("hypnogram", type=Path, help="the expert's hypnogram of that night")
    parser.add_argument("--seeds", type=_positive, default=3, help="measure each random disturbance so many times")
    parser.add_argument("--engines", nargs="+", default=[DEFAULT_ENGINE], help="the first gives the JSON's figures")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure these disturbances only")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    args = parser.parse_args(argv)
    try:
        find_disturbances(tuple(args.only))
    except ValueError as error:
        parser.error(str(error))
    return args


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def read_night(path: Path, hypnogram: Path) -> Night:
    """Read the channel that the program would score, and the expert's stages. Raises SleepViewerError."""
    recording = open_recording(path)
    label = propose_scoring_channel(recording)
    if label is None:
        raise SleepViewerError(f"{path} has no EEG channel to score.")
    truth = align(read_track(hypnogram), start=recording.start, n_epochs=recording.n_epochs, name=recording.name)
    samples = recording.read(label, 0.0, recording.n_epochs * EPOCH_S)
    return Night(recording, label, recording.channel(label).rate_hz, samples, truth.stages)


def measure(
    night: Night,
    engines: Sequence[Engine],
    disturbances: Iterable[Disturbance],
    seeds: int,
    peer: Peer | None = None,
) -> list[Table]:
    """Measure every engine under every disturbance, and print the first one's rows as they are finished.

    Parameters
    ----------
    night: the undisturbed night.
    engines: the engines to measure; each gets the same disturbed samples.
    disturbances: rows of the table of disturbances.
    seeds: how many times a random disturbance is measured.
    peer: the scorer to compare with; None takes the YASA library.

    Raises EngineError where an engine does not score the undisturbed night.
    """
    peer = peer or yasa_stages
    peer_clean = peer(night.samples, night.rate_hz)
    tables = [Table(engine, score(engine, night, night.whole), peer_clean, night.truth) for engine in engines]
    for table in tables:
        if table.clean.error is not None:
            raise EngineError(f"{table.engine.id} does not score {night.recording.name}: {table.clean.error}")
    print(_head(tables[0], night), flush=True)
    for disturbance in disturbances:
        if not _pieces(disturbance, night, 0):
            for table in tables:
                table.too_short.append(disturbance.name)
            print(f"{disturbance.name:18s} {disturbance.kind:9s} not measured: the night is too short", flush=True)
            continue
        by_table: list[list[Measure]] = [[] for _ in tables]
        for seed in range(seeds if disturbance.random else 1):
            pieces = _pieces(disturbance, night, seed)
            peers = [peer(piece.samples, piece.rate_hz) for piece in pieces]
            for table, measures in zip(tables, by_table, strict=True):
                scorings = [score(table.engine, night, piece) for piece in pieces]
                measures.append(_measured(table, pieces, scorings, peers, electrode_off=disturbance.electrode_off))
        for table, measures in zip(tables, by_table, strict=True):
            table.rows.append(_row(disturbance, measures))
        print(_line(tables[0].rows[-1]), flush=True)
    for table in tables[1:]:
        print("", _head(table, night), *map(_line, table.rows), sep="\n")
    return tables


def _pieces(disturbance: Disturbance, night: Night, seed: int) -> list[Disturbed]:
    """Return what to score: the disturbed night, or some naps in which the expert found at least two stages."""

    def stages_in(piece: Disturbed) -> int:
        stages = night.truth[piece.first_epoch : piece.first_epoch + piece.n_epochs]
        return len(np.unique(stages[stages != Stage.UNKNOWN]))

    pieces = disturbance.apply(night.samples, night.rate_hz, seed)
    if disturbance.piece_min is None:
        return list(pieces)
    return [piece for piece in pieces if stages_in(piece) > 1][:MAX_PIECES]


def score(engine: Engine, night: Night, disturbed: Disturbed) -> Scoring:
    """Score disturbed samples; an engine that refuses them, or fails, leaves every epoch unscored."""
    recording = DisturbedRecording(night.recording, night.label, disturbed)
    try:
        prediction = engine.score(recording, ChannelChoice(night.label))
    except Exception as error:  # a failure is a finding: it becomes a row that misses its limit
        nothing = np.full(disturbed.n_epochs, np.nan, dtype=np.float32)
        stages = np.full(disturbed.n_epochs, int(Stage.UNKNOWN), dtype=np.int8)
        return Scoring(stages, nothing, f"{type(error).__name__}: {error}")
    return Scoring(prediction.stages, prediction.confidence)


def yasa_stages(samples: Signal, rate_hz: float) -> StageArray | None:
    """Score with the YASA library itself: one EEG channel, its default classifier; None where it refuses.

    Gaps are filled from their neighborhood, because YASA takes no missing samples; it then scores them, too.
    """
    n_epochs = len(untouched(samples, rate_hz))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies, about the versions that stored its classifiers
        import mne
        import yasa

        volts = fill_gaps(np.asarray(samples, dtype=np.float32)).astype(np.float64) * _VOLTS_PER_MICROVOLT
        raw = mne.io.RawArray(volts[None], mne.create_info(["EEG"], rate_hz, "eeg"), verbose="ERROR")
        try:
            with mne.utils.use_log_level("ERROR"):
                table = yasa.SleepStaging(raw, eeg_name="EEG").predict().proba
        except (AssertionError, ValueError):
            return None
    proba = np.full((n_epochs, len(_YASA_COLUMNS)), np.nan, dtype=np.float32)
    rows = table[list(_YASA_COLUMNS)].to_numpy(dtype=np.float32)[:n_epochs]
    proba[: len(rows)] = rows
    return most_likely(proba)


def _measured(
    table: Table,
    pieces: Sequence[Disturbed],
    scorings: Sequence[Scoring],
    peers: Sequence[StageArray | None],
    *,
    electrode_off: bool,
) -> Measure:
    """Return the figures of one scoring, pooled over the pieces.

    All κ but ``all_kappa`` are over the same epochs: not touched, and scored by the expert and by the engine in both
    the undisturbed and the disturbed recording. The peer is measured on these as well.
    """
    span = np.concatenate([np.arange(piece.first_epoch, piece.first_epoch + piece.n_epochs) for piece in pieces])
    truth, clean = table.truth[span], table.clean.stages[span]
    clean_confidence = table.clean.confidence[span]
    touched = np.concatenate([piece.touched for piece in pieces])
    stages = np.concatenate([scoring.stages for scoring in scorings])
    confidence = np.concatenate([scoring.confidence for scoring in scorings])
    unscored = stages == Stage.UNKNOWN
    off = np.concatenate([piece.wholly_touched for piece in pieces]) & electrode_off
    # Epochs that the engine leaves unscored in the clean night, too, say nothing about the disturbance.
    rest = ~touched & (truth != Stage.UNKNOWN) & (clean != Stage.UNKNOWN)
    both = rest & ~unscored
    peer = None if any(one is None for one in peers) else np.concatenate([one for one in peers if one is not None])
    peer_clean = None if table.peer_clean is None else table.peer_clean[span]
    return Measure(
        epochs=int(both.sum()),
        touched=int(touched.sum()),
        clean_kappa=_kappa(truth[both], clean[both]),
        kappa=_kappa(truth[both], stages[both]),
        all_kappa=_kappa(truth, stages),
        peer_kappa=None if peer is None else _kappa(truth[both], peer[both]),
        peer_clean_kappa=None if peer_clean is None else _kappa(truth[both], peer_clean[both]),
        touched_unscored=_share_of(unscored[touched]),
        off_unscored=_share_of(unscored[off]),
        rest_unscored=_share_of(unscored[rest]),
        clean_confidence=_mean_of(clean_confidence[both]),
        confidence=_mean_of(confidence[both]),
        error=next((scoring.error for scoring in scorings if scoring.error), None),
    )


def _row(disturbance: Disturbance, measures: Sequence[Measure]) -> dict[str, Any]:
    """Return the figures of one disturbance over all seeds, and which limits it misses."""

    def mean(name: str) -> float | None:
        return _mean_or_none([getattr(one, name) for one in measures])

    def extreme(name: str, choose: Callable[[list[float]], float]) -> float | None:
        values = [value for one in measures if (value := getattr(one, name)) is not None]
        return choose(values) if values else None

    errors = sorted({one.error for one in measures if one.error})
    return {
        "name": disturbance.name,
        "kind": disturbance.kind.value,
        "description": disturbance.description,
        "seeds": len(measures),
        "clean_kappa": _rounded(mean("clean_kappa")),
        "kappa": _rounded(mean("kappa")),
        "kappa_worst": _rounded(extreme("kappa", min)),
        "drop": _rounded(mean("drop")),
        "drop_worst": _rounded(extreme("drop", max)),
        "all_kappa": _rounded(mean("all_kappa")),
        "yasa_kappa": _rounded(mean("peer_kappa")),
        "yasa_drop": _rounded(_less(mean("peer_clean_kappa"), mean("peer_kappa"))),
        "difference": _rounded(mean("difference")),
        "difference_worst": _rounded(extreme("difference", min)),
        "touched_epochs": _rounded(mean("touched")),
        "touched_unscored": _rounded(mean("touched_unscored")),
        "off_unscored": _rounded(extreme("off_unscored", min)),
        "rest_unscored": _rounded(mean("rest_unscored")),
        "clean_confidence": _rounded(mean("clean_confidence")),
        "confidence": _rounded(mean("confidence")),
        "epochs": _rounded(mean("epochs")),
        "errors": errors,
        "missed": _missed(disturbance, measures),
    }


def _missed(disturbance: Disturbance, measures: Sequence[Measure]) -> list[str]:
    """Return what a disturbance misses: ``drop``, ``below YASA``, ``off`` (scored), ``unscored`` (all) or ``failed``.

    Drops and unscored epochs are judged by the worst seed, the difference to the peer by the mean of the seeds. A κ
    that is not defined (one stage alone) misses none.
    """
    if disturbance.name in NO_LIMIT:
        return []
    if any(one.error for one in measures):
        return ["failed"]
    if any(one.epochs == 0 for one in measures):
        return ["unscored"]
    missed = []
    if disturbance.kind is Kind.NOISE:
        difference = _mean_or_none([one.difference for one in measures])
        if difference is not None and difference < -MAX_BELOW_PEER:
            missed.append("below YASA")
    elif any(one.drop is not None and one.drop > MAX_DROP[disturbance.kind] for one in measures):
        missed.append("drop")
    if any(one.off_unscored is not None and one.off_unscored < MIN_OFF_UNSCORED for one in measures):
        missed.append("off")
    return missed


def _head(table: Table, night: Night) -> str:
    """Return an engine's figures on the undisturbed night, and the head of its table."""
    clean = table.result()["clean"]
    return "\n".join(
        (
            f"{table.engine.id} on {night.recording.name}, {night.label}: κ {_number(clean['kappa']).strip()}; "
            f"YASA {_number(clean['yasa_kappa']).strip()}",
            f"{'':28s} {'κ':>6s} {'κ':>6s} {'κ':>6s} {'':6s} {'κ':>6s} {'':6s} {'unscored':>14s}",
            f"{'disturbance':18s} {'kind':9s} {'clean':>6s} {'mean':>6s} {'worst':>6s} {'drop':>6s} {'YASA':>6s} "
            f"{'diff':>6s} {'touched':>8s} {'rest':>5s}  missed",
        )
    )


def _line(row: dict[str, Any]) -> str:
    """Return a row of the table as text."""
    figures = " ".join(
        _number(row[name]) for name in ("clean_kappa", "kappa", "kappa_worst", "drop_worst", "yasa_kappa", "difference")
    )
    lines = (
        f"{row['name']:18s} {row['kind']:9s} {figures} {_percent(row['touched_unscored'], 8)} "
        f"{_percent(row['rest_unscored'], 5)}  {', '.join(row['missed'])}",
        *(f"    {error}"[:WIDTH] for error in row["errors"]),
    )
    return "\n".join(line.rstrip() for line in lines)


def _number(value: float | None) -> str:
    return f"{'–':>6s}" if value is None else f"{value:6.3f}"


def _percent(value: float | None, width: int) -> str:
    return f"{'–':>{width}s}" if value is None else f"{100 * value:{width - 2}.0f} %"


def _kappa(truth: StageArray, stages: StageArray) -> float | None:
    """Return Cohen's κ over the epochs that both score; None where it is not defined."""
    kappa = float(figures_of(confusion_of(truth, stages)).kappa)
    return kappa if np.isfinite(kappa) else None


def _share_of(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _mean_of(values: Floats) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None


def _mean_or_none(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


if __name__ == "__main__":
    main()
