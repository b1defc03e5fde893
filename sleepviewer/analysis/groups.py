"""What errors have in common: counts of epochs and errors by what the epochs are like, and errors that flock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.errors import BOUNDARY_EPOCHS, Comparison, pair_text
from sleepviewer.analysis.shifts import KINDS, Kind
from sleepviewer.stages import N_STAGES, SCORED_STAGES, Stage

CRITERIA: Final[Mapping[str, str]] = {
    "pair": "Pair of stages",
    "kind": "Kind of error",
    "place": "Place in the bout",
    "hour": "Hour of the night",
    "cycle": "Sleep cycle",
    "bout": "Length of the bout, epochs",
    "signal": "Signal",
    "doubt": "The model's doubt",
    "night": "Night",
    "subject": "Subject",
}
"""By what errors are counted, and the titles of the tables."""

_BOUTS: Final = (1, 2, 4, 10, 30)
_BOUT_NAMES: Final = ("1", "2 to 3", "4 to 9", "10 to 29", "30 and more")
_DOUBTS: Final = (0.0, 0.05, 0.1, 0.2, 0.4)
_DOUBT_NAMES: Final = ("below 0.05", "0.05 to 0.1", "0.1 to 0.2", "0.2 to 0.4", "0.4 and more")


@dataclass(slots=True)
class Tally:
    """Epochs that both score, errors among them, and how many of these are shifts of boundaries."""

    epochs: int = 0
    errors: int = 0
    shifts: int = 0

    @property
    def rate(self) -> float | None:
        """Share of errors, or None where there is no epoch."""
        return self.errors / self.epochs if self.epochs else None

    @property
    def confusions(self) -> int:
        """Errors that are no shifts."""
        return self.errors - self.shifts


@dataclass(slots=True)
class Groups:
    """Tallies by criterion and group; grows night by night and never with the number of epochs."""

    tallies: dict[str, dict[str, Tally]] = field(default_factory=lambda: {name: {} for name in CRITERIA})

    def add(self, comparison: Comparison) -> None:
        """Count a night in."""
        both = np.flatnonzero(comparison.both)
        if not both.size:
            return
        wrong = comparison.wrong[both]
        shifted = wrong & (comparison.kind[both] == KINDS.index(Kind.SHIFT))
        for criterion, names in _labels(comparison, both).items():
            self._count(criterion, names, wrong, shifted)
        everything = Tally(len(both), int(wrong.sum()), int(shifted.sum()))
        for criterion, name in (("night", comparison.night), ("subject", comparison.subject)):
            self._one(criterion, name, everything)
        self._add_pairs(comparison, both, shifted)
        self._add_kinds(comparison, both)

    def rows(self, criterion: str) -> list[tuple[str, Tally]]:
        """Return the groups of a criterion in their natural order, pairs and kinds by number of errors."""
        items = list(self.tallies[criterion].items())
        if criterion in ("pair", "kind"):
            return sorted(items, key=lambda item: (-item[1].errors, item[0]))
        order: Sequence[str] = {"bout": _BOUT_NAMES, "doubt": _DOUBT_NAMES}.get(criterion, ())
        return sorted(items, key=lambda item: (order.index(item[0]) if item[0] in order else 0, _natural(item[0])))

    def _count(self, criterion: str, names: NDArray[Any], wrong: NDArray[np.bool_], shifted: NDArray[np.bool_]) -> None:
        groups, place = np.unique(names, return_inverse=True)
        epochs = np.bincount(place, minlength=len(groups))
        errors = np.bincount(place[wrong], minlength=len(groups))
        shifts = np.bincount(place[shifted], minlength=len(groups))
        for group, *counts in zip(groups.tolist(), epochs.tolist(), errors.tolist(), shifts.tolist(), strict=True):
            self._one(criterion, str(group), Tally(*counts))

    def _one(self, criterion: str, group: str, tally: Tally) -> None:
        sum_ = self.tallies[criterion].setdefault(group, Tally())
        sum_.epochs += tally.epochs
        sum_.errors += tally.errors
        sum_.shifts += tally.shifts

    def _add_pairs(self, comparison: Comparison, both: NDArray[np.intp], shifted: NDArray[np.bool_]) -> None:
        """A pair's epochs are all those of the truth's stage."""
        confusion = comparison.confusion
        pairs = comparison.truth[both].astype(int) * N_STAGES + comparison.predicted[both]
        shifts = np.bincount(pairs[shifted], minlength=N_STAGES**2).reshape(N_STAGES, N_STAGES)
        for truth in SCORED_STAGES:
            for predicted in SCORED_STAGES:
                if truth != predicted and confusion[truth, predicted]:
                    tally = Tally(
                        int(confusion[truth].sum()), int(confusion[truth, predicted]), int(shifts[truth, predicted])
                    )
                    self._one("pair", pair_text(truth, predicted), tally)

    def _add_kinds(self, comparison: Comparison, both: NDArray[np.intp]) -> None:
        counts = np.bincount(comparison.kind[comparison.epochs], minlength=len(KINDS))
        for kind, count in zip(KINDS, counts.tolist(), strict=True):
            shifts = count if kind is Kind.SHIFT else 0
            self._one("kind", str(kind), Tally(len(both), count, shifts))


def _labels(comparison: Comparison, epochs: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """Return of the epochs which group they are in, by criterion; text ``[k]``."""
    bouts = np.searchsorted(_BOUTS, comparison.bout_epochs[epochs], side="right") - 1
    doubts = comparison.doubt[epochs]
    names = np.array([*_DOUBT_NAMES, "unknown"])
    cycles, hours = comparison.cycle[epochs], comparison.hour[epochs]
    return {
        "place": np.where(comparison.distance[epochs] < BOUNDARY_EPOCHS, "at a boundary", "in the middle"),
        "hour": np.where(hours < 0, "before lights off", np.char.add("hour ", (hours + 1).astype(str))),
        "cycle": np.where(cycles > 0, np.char.add("cycle ", cycles.astype(str)), "outside"),
        "bout": np.array(_BOUT_NAMES)[bouts],
        "signal": np.array(comparison.signal)[epochs],
        "doubt": names[np.where(doubts < 0, -1, np.searchsorted(_DOUBTS, doubts, side="right") - 1)],
    }


def _natural(text: str) -> tuple[Any, ...]:
    """Order ``hour 2`` before ``hour 10``."""
    head, _, tail = text.rpartition(" ")
    return (head, int(tail), "") if tail.lstrip("-").isdigit() else (text, 0, "")


# -- errors that flock

CLUSTER_GAP: Final = 4
"""So many right epochs in a row end a cluster."""

CLUSTER_ERRORS: Final = 8
CLUSTER_SHARE: Final = 0.5
"""A cluster has at least so many errors, and at least this share of its epochs is wrong."""

EXPLAINS: Final = 0.5
LIFT: Final = 3.0
"""Signal explains a cluster where it is poor in at least half of its errors, and there at least three times as often
as in the rest of the night."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A stretch of a night, epochs ``start`` ≤ e < ``stop``, in which errors flock.

    ``pair`` is the commonest pair of stages; ``poor`` the share of its errors with a poor signal, ``poor_elsewhere``
    that of the night's other epochs, ``sign`` the commonest sign; NaN and empty where no signal was measured.
    """

    night: str
    start: int
    stop: int
    errors: int
    pair: tuple[Stage, Stage]
    poor: float
    poor_elsewhere: float
    sign: str

    @property
    def by_signal(self) -> bool:
        """Whether poor signal explains the cluster."""
        return bool(self.poor >= EXPLAINS and self.poor >= LIFT * self.poor_elsewhere)

    @property
    def text(self) -> str:
        """The cluster in words."""
        pair = pair_text(*self.pair)
        told = f"epochs {self.start + 1} to {self.stop}: {self.errors} errors, mostly {pair}"
        if not self.by_signal:
            return told
        elsewhere = f"elsewhere poor in {self.poor_elsewhere:.0%}"
        return f"{told}; explained by the signal (poor in {self.poor:.0%} of them, mostly {self.sign}; {elsewhere})"


def clusters(comparison: Comparison) -> tuple[Cluster, ...]:
    """Return the stretches in which errors flock, in order of the night."""
    errors = comparison.epochs
    if not errors.size:
        return ()
    parts = np.split(errors, np.flatnonzero(np.diff(errors) > CLUSTER_GAP) + 1)
    poor, measured = comparison.signs.poor, comparison.signs.measured
    found = []
    for part in parts:
        start, stop = int(part[0]), int(part[-1]) + 1
        if len(part) < CLUSTER_ERRORS or len(part) < CLUSTER_SHARE * (stop - start):
            continue
        pairs = comparison.truth[part].astype(int) * N_STAGES + comparison.predicted[part]
        truth, predicted = divmod(int(np.bincount(pairs).argmax()), N_STAGES)
        outside = measured.copy()
        outside[start:stop] = False
        seen = part[measured[part]]
        found.append(
            Cluster(
                comparison.night,
                start,
                stop,
                len(part),
                (Stage(truth), Stage(predicted)),
                float(poor[seen].mean()) if seen.size else float("nan"),
                float(poor[outside].mean()) if outside.any() else 0.0,
                _commonest(comparison.signal[epoch] for epoch in seen),
            )
        )
    return tuple(found)


def _commonest(words: Iterable[str]) -> str:
    signs: dict[str, int] = {}
    for word in words:
        for sign in word.split("+"):
            if sign not in ("good", "unknown"):
                signs[sign] = signs.get(sign, 0) + 1
    return max(signs, key=lambda sign: signs[sign], default="")
