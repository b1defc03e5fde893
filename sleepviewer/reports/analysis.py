"""Analyse any number of nights in one pass: what is kept in memory does not grow with their epochs.

Kept are sums: tallies, a confusion matrix and a row of figures a night, and the longest lists that a page shows. What a
second look is needed for (the suspects, whose thresholds depend on all nights) waits in a temporary file.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import Agreement, agreement_of
from sleepviewer.analysis.bias import BiasSums
from sleepviewer.analysis.errors import Disagreement, pair_text
from sleepviewer.analysis.groups import CRITERIA, Cluster, Groups, clusters
from sleepviewer.analysis.intervals import ALL_METRICS, DRAWS, Interval, bootstrap
from sleepviewer.analysis.provenance import Seen
from sleepviewer.analysis.statistics import side_by_side
from sleepviewer.analysis.suspects import Suspect, Thresholds, confident_joint, doubted, ranked, suspect_counts
from sleepviewer.errors import AnalysisError, OutputError
from sleepviewer.reports.nights import AnalysedNight, Sources, find_sources
from sleepviewer.reports.tables import Table, tables
from sleepviewer.stages import N_STAGES, SCORED_STAGES, Proba, StageArray
from sleepviewer.training.runs import Protocol

T = TypeVar("T")

Unit = Literal["subjects", "nights"]
"""What a bootstrap draws."""

SHOWN_ERRORS: Final = 300
SHOWN_SUSPECTS: Final = 300
SHOWN_CLUSTERS: Final = 200
MOST_SUSPECTS: Final = 10_000
"""So many suspects are ranked and written at most."""

TABLES: Final = (
    "disagreements",
    "nights",
    "statistics",
    "groups",
    "shifts",
    "clusters",
    "suspects",
    "confusion",
    "figures",
    "bias",
)
"""The CSV files that an analysis writes."""


@dataclass(frozen=True, slots=True)
class ShownError:
    """A disagreement and the command that opens it."""

    row: Disagreement
    command: str


@dataclass(frozen=True, slots=True)
class ShownSuspect:
    """A suspect label, where it is, and the command that opens it."""

    suspect: Suspect
    night: str
    command: str


@dataclass(frozen=True, slots=True)
class NightRow:
    """A night's figures; ``agreement`` is None where the two have no epoch in common."""

    name: str
    subject: str
    agreement: Agreement | None
    errors: int
    shifts: int
    explained: int
    command: str


class Top(Generic[T]):
    """The items of the largest keys, of equal ones those that came first; never more than ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int, T]] = []
        self._added = 0

    def wants(self, key: float) -> bool:
        """Whether an item of this key would be kept."""
        return len(self._heap) < self._most or (bool(self._heap) and key > self._heap[0][0])

    def add(self, key: float, item: T) -> None:
        """Keep an item, in the place of the least one where there is no room."""
        self._added += 1
        if not self._most:
            return
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, (key, -self._added, item))
        elif key > self._heap[0][0]:
            heapq.heapreplace(self._heap, (key, -self._added, item))

    @property
    def items(self) -> list[T]:
        """The items, largest key first."""
        return [item for _, _, item in sorted(self._heap, key=lambda kept: (-kept[0], -kept[1]))]


@dataclass(slots=True)
class ModelPart:
    """What came of one model's nights; see the properties for what is made of the sums."""

    model: str
    groups: Groups = field(default_factory=Groups)
    bias: BiasSums = field(default_factory=BiasSums)
    subjects: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    nights: list[NightRow] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    cluster_count: int = 0
    explained: int = 0
    thresholds: Thresholds = field(default_factory=Thresholds.empty)
    errors: Top[ShownError] = field(default_factory=lambda: Top(SHOWN_ERRORS))
    suspects: tuple[ShownSuspect, ...] = ()
    suspect_count: int = 0
    seen: dict[Seen, int] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    edited: int = 0

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts over all nights, ``int64 [5, 5]``, rows = truth."""
        return np.asarray(np.sum([*self.subjects.values(), np.zeros((N_STAGES, N_STAGES), np.int64)], axis=0))

    @property
    def agreement(self) -> Agreement | None:
        """The figures over all nights' epochs, or None where there is no epoch in common."""
        return agreement_of(self.confusion) if self.confusion.any() else None

    def intervals(self, draws: int = DRAWS, over: Unit = "subjects") -> dict[str, Interval]:
        """Return the figures with 95 % intervals over subjects or nights."""
        units = list(self.subjects.values())
        if over == "nights":
            units = [night.agreement.confusion for night in self.nights if night.agreement is not None]
        return bootstrap(np.stack(units or [self.confusion]), draws=draws, metrics=ALL_METRICS)

    @property
    def surest_errors(self) -> list[ShownError]:
        """The disagreements that the model is surest of, surest first."""
        return self.errors.items


@dataclass(slots=True)
class Analysis:
    """What came of all nights, by model; ``left_out`` says of each file that is not in it, why."""

    parts: dict[str, ModelPart] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    nights: int = 0
    epochs: int = 0


def analyse(
    sources: Sources,
    out: Path,
    *,
    draws: int = DRAWS,
    over: Unit = "subjects",
    tell: Callable[[int, str], None] = lambda *_: None,
) -> Analysis:
    """Analyse nights one after the other and write TABLES into ``out``, which is made.

    ``over`` is what the intervals draw; ``tell`` is told how many files are done and the night's name. Raises
    AnalysisError where no night could be compared, OutputError where the folder can't be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {out} can't be made: {error.strerror or error}. Choose another.") from error
    analysis = Analysis()
    with tempfile.TemporaryFile() as spool, tables(out, *TABLES) as files:
        waiting: list[_Waiting] = []
        for night in sources.nights():
            part = analysis.parts.setdefault(night.model, ModelPart(night.model))
            _count_in(analysis, part, night, files)
            waiting.append(_keep(spool, night))
            analysis.nights += 1
            tell(analysis.nights, night.name)
        analysis.left_out = sources.left_out
        if not analysis.nights:
            reasons = " ".join(sources.left_out[:3])
            raise AnalysisError(f"No night could be compared. {reasons}".strip())
        _find_suspects(analysis, spool, waiting, files["suspects"])
        for part in analysis.parts.values():
            _write_sums(part, files, draws, over)
    return analysis


def find_and_analyse(
    paths: Sequence[Path],
    out: Path,
    *,
    trainings: Sequence[Path] = (),
    recordings: Path | None = None,
    protocol: str = Protocol.HONEST,
    draws: int = DRAWS,
    over: Unit = "subjects",
    tell: Callable[[int, str], None] = lambda *_: None,
) -> Analysis:
    """Analyse what :func:`~sleepviewer.reports.nights.find_sources` finds; see there and :func:`analyse`."""
    sources = find_sources(paths, trainings=trainings, recordings=recordings, protocol=Protocol(protocol))
    return analyse(sources, out, draws=draws, over=over, tell=tell)


def _count_in(analysis: Analysis, part: ModelPart, night: AnalysedNight, files: dict[str, Table]) -> None:
    found = night.comparison
    part.groups.add(found)
    part.subjects.setdefault(night.subject, np.zeros((N_STAGES, N_STAGES), np.int64))
    part.subjects[night.subject] += found.confusion
    part.edited += int(found.edited.sum())
    analysis.epochs += int(found.both.sum())
    for row in found.rows():
        files["disagreements"].add({"model": night.model} | row.as_dict() | {"command": night.command(row.epoch)})
        if part.errors.wants(sure := row.p_predicted or 0.0):
            part.errors.add(sure, ShownError(row, night.command(row.epoch)))
    for shift in found.shifts:
        files["shifts"].add(
            {
                "model": night.model,
                "night": night.name,
                "stage": shift.stage.label,
                "first_epoch": shift.start + 1,
                "last_epoch": shift.stop,
                "onset_shift": shift.onset,
                "offset_shift": shift.offset,
            }
        )
    flocks = clusters(found)
    for flock in flocks:
        files["clusters"].add(_cluster_row(night.model, flock))
    part.cluster_count += len(flocks)
    part.explained += sum(flock.by_signal for flock in flocks)
    part.clusters = sorted([*part.clusters, *flocks], key=lambda flock: -flock.errors)[:SHOWN_CLUSTERS]
    shifts = int((found.shift != 0).sum())
    explained = sum(flock.errors for flock in flocks if flock.by_signal)
    night_row = NightRow(
        night.name, night.subject, found.agreement, len(found.epochs), shifts, explained, night.command(None)
    )
    part.nights.append(night_row)
    files["nights"].add(_night_row(night, night_row))
    marks = side_by_side(
        night.scorers, lights_off=night.lights.off, lights_on=night.lights.on, arousals_s=night.arousals_s
    )
    for scorer, values in marks.items():
        files["statistics"].add(
            {"model": night.model, "night": night.name, "subject": night.subject, "scorer": scorer} | values
        )
    part.bias.add(marks["expert"], marks["model"])
    seen = night.provenance.seen
    part.seen[seen] = part.seen.get(seen, 0) + 1
    if seen is Seen.TRAINED:
        part.refusals.append(f"{night.name}: {night.provenance.reason}")
    elif found.proba is not None:
        part.thresholds.add(found.truth, found.proba)


def _cluster_row(model: str, flock: Cluster) -> dict[str, Any]:
    return {
        "model": model,
        "night": flock.night,
        "first_epoch": flock.start + 1,
        "last_epoch": flock.stop,
        "errors": flock.errors,
        "pair": pair_text(*flock.pair),
        "poor_signal": flock.poor,
        "poor_signal_elsewhere": flock.poor_elsewhere,
        "sign": flock.sign,
        "explained_by_signal": flock.by_signal,
    }


def _night_row(night: AnalysedNight, row: NightRow) -> dict[str, Any]:
    found = row.agreement
    figures = {} if found is None else figures_of_agreement(found)
    names = ("epochs", *ALL_METRICS)
    return {
        "model": night.model,
        "night": night.name,
        "subject": night.subject,
        **{name: figures.get(name) for name in names},
        "errors": row.errors,
        "boundary_shifts": row.shifts,
        "explained_by_signal": row.explained,
        "labels_seen": str(night.provenance.seen),
        "labels_seen_because": night.provenance.reason,
        "command": row.command,
    }


def figures_of_agreement(found: Agreement) -> dict[str, float]:
    """Return an agreement's figures by the names of ALL_METRICS, and its epochs."""
    return {
        "epochs": found.epochs,
        **{f"f1_{stage.label}": found.f1[stage.label] for stage in SCORED_STAGES},
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        "kappa": found.kappa,
        "mgm": found.mgm,
        "balanced_accuracy": found.balanced_accuracy,
        "mcc": found.mcc,
    }


# -- the second look, at labels and probabilities alone


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A night whose labels and probabilities lie in the temporary file; None where it is not to be ranked."""

    model: str
    name: str
    command: str
    epochs: int | None


def _keep(spool: BinaryIO, night: AnalysedNight) -> _Waiting:
    found = night.comparison
    usable = found.proba is not None and night.provenance.seen is not Seen.TRAINED
    if usable and found.proba is not None:
        spool.write(found.truth.astype(np.int8).tobytes())
        spool.write(found.proba.astype(np.float32).tobytes())
    return _Waiting(night.model, night.name, night.command(None), len(found) if usable else None)


def _read_back(spool: BinaryIO, waiting: list[_Waiting]) -> Iterator[tuple[_Waiting, StageArray, Proba]]:
    spool.seek(0)
    for night in waiting:
        if night.epochs is not None:
            labels = np.frombuffer(spool.read(night.epochs), dtype=np.int8)
            proba = np.frombuffer(spool.read(4 * N_STAGES * night.epochs), dtype=np.float32)
            yield night, labels, proba.reshape(-1, N_STAGES)


def _find_suspects(analysis: Analysis, spool: BinaryIO, waiting: list[_Waiting], file: Table) -> None:
    """Look twice more: for the joint of each model, which tells how many there are, and for those themselves."""
    thresholds = {model: part.thresholds.values for model, part in analysis.parts.items()}
    joints = {model: np.zeros((N_STAGES, N_STAGES), np.int64) for model in analysis.parts}
    for night, labels, proba in _read_back(spool, waiting):
        joints[night.model] += confident_joint(labels, proba, thresholds[night.model])
    counts = {
        model: suspect_counts(joints[model], part.thresholds.counts).tolist() for model, part in analysis.parts.items()
    }
    by_label: dict[str, list[Top[tuple[Suspect, _Waiting]]]] = {
        model: [Top(min(count, MOST_SUSPECTS)) for count in numbers] for model, numbers in counts.items()
    }
    for night, labels, proba in _read_back(spool, waiting):
        for suspect in ranked(labels, proba, np.flatnonzero(doubted(labels, proba))):
            by_label[night.model][suspect.label].add(-suspect.p_label, (suspect, night))
    tops = {model: Top[tuple[Suspect, _Waiting]](MOST_SUSPECTS) for model in analysis.parts}
    for model, labels_ in by_label.items():
        analysis.parts[model].suspect_count = sum(len(top.items) for top in labels_)
        for top in labels_:
            for suspect, night in top.items:
                tops[model].add(-suspect.p_label, (suspect, night))
    for model, top in tops.items():
        shown: list[ShownSuspect] = []
        for rank, (suspect, night) in enumerate(top.items, 1):
            command = f"{night.command} --epoch {suspect.epoch + 1}" if night.command else ""
            values = {
                "model": model,
                "rank": rank,
                "night": night.name,
                "epoch": suspect.epoch + 1,
                "label": suspect.label.label,
                "suggested": suspect.suggested.label,
                "p_label": suspect.p_label,
                "p_suggested": suspect.p_suggested,
                "margin": suspect.margin,
                "command": command,
            }
            file.add(values)
            if rank <= SHOWN_SUSPECTS:
                shown.append(ShownSuspect(suspect, night.name, command))
        analysis.parts[model].suspects = tuple(shown)


def _write_sums(part: ModelPart, files: dict[str, Table], draws: int, over: Unit) -> None:
    for criterion in CRITERIA:
        for name, tally in part.groups.rows(criterion):
            files["groups"].add(
                {
                    "model": part.model,
                    "criterion": criterion,
                    "group": name,
                    "epochs": tally.epochs,
                    "errors": tally.errors,
                    "rate": tally.rate,
                    "boundary_shifts": tally.shifts,
                }
            )
    for name, bias in part.bias.rows().items():
        files["bias"].add(
            {
                "model": part.model,
                "statistic": name,
                "nights": bias.nights,
                "expert_mean": bias.first,
                "model_mean": bias.second,
                "difference": bias.difference,
                "low": bias.low,
                "high": bias.high,
            }
        )
    for stage, counts in zip(SCORED_STAGES, part.confusion.tolist(), strict=True):
        columns = {other.label: count for other, count in zip(SCORED_STAGES, counts, strict=True)}
        files["confusion"].add({"model": part.model, "truth": stage.label} | columns)
    for name, interval in part.intervals(draws, over).items():
        files["figures"].add(
            {"model": part.model, "figure": name, "value": interval.value, "low": interval.low, "high": interval.high}
        )
