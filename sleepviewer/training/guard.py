"""The guard: whether a fine-tuned model may be offered in place of the one that it came from.

It asks two things of epochs that the tuning never saw. On reviewed epochs of the corrected nights, held out in blocks,
the new model must agree better with the expert than the old one, and with a κ of at least 0.4. On nights of other
subjects it must not have lost more than 0.01 κ. Both must be measured on enough epochs to say anything. Everything here
is numpy alone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import Confusion, agreement_of, confusion_of
from sleepviewer.stages import N_STAGES, SCORED_STAGES, StageArray

MOST_LOST: Final = 0.01
"""The κ that the other subjects may lose at most."""

HELD_OUT_SHARE: Final = 0.25
"""Share of the reviewed epochs that is held out."""

BLOCK_EPOCHS: Final = 20
"""Length of a block of the night, ten minutes: neighbours resemble each other, so they stay together."""

LEAST_HELD_OUT: Final = 40
"""Fewer held-out epochs than these, twenty minutes, say nothing."""

LEAST_OTHERS: Final = 200
"""So many labelled epochs of other subjects are needed to see a loss of 0.01 κ at all."""

LEAST_KAPPA: Final = 0.4
"""The κ that the tuned model must reach on the held-out epochs: below it labels are random, or of another night."""

LEAST_AGREEING: Final = 0.1
"""Share of the held-out epochs on which the base must be right: were only its errors reviewed, any change would look
better than none."""

_EDGE_EPOCHS: Final = 1
"""Epochs at each side of a held-out block that are not trained on either: half of them is the block's last page."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """How a model agreed with the labels over some epochs.

    ``kappa`` and the F1 of a stage in ``f1`` (by label) are NaN where they are undefined.
    """

    kappa: float
    accuracy: float
    f1: Mapping[str, float]
    epochs: int

    @classmethod
    def of(cls, confusion: Confusion) -> Table:
        """Return the figures of a confusion matrix, ``int64 [5, 5]``, rows = truth; all NaN where it is empty."""
        if not confusion.any():
            return cls(math.nan, math.nan, {stage.label: math.nan for stage in SCORED_STAGES}, 0)
        found = agreement_of(confusion)
        return cls(found.kappa, found.accuracy, found.f1, found.epochs)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Table:
        """Rebuild from :meth:`as_dict`."""
        f1 = {str(stage): _from_json(value) for stage, value in values["f1"].items()}
        return cls(_from_json(values["kappa"]), _from_json(values["accuracy"]), f1, int(values["epochs"]))

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, None for NaN, to four places."""
        return {
            "kappa": _to_json(self.kappa),
            "accuracy": _to_json(self.accuracy),
            "f1": {stage: _to_json(value) for stage, value in self.f1.items()},
            "epochs": self.epochs,
        }


@dataclass(frozen=True, slots=True, eq=False)
class BeforeAfter:
    """The base's table and the tuned model's, over the same epochs."""

    before: Table
    after: Table

    @property
    def gain(self) -> float:
        """The change of κ, NaN where either is undefined."""
        return self.after.kappa - self.before.kappa

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {"before": self.before.as_dict(), "after": self.after.as_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BeforeAfter:
        """Rebuild from :meth:`as_dict`."""
        return cls(Table.from_dict(values["before"]), Table.from_dict(values["after"]))


@dataclass(frozen=True, slots=True, eq=False)
class GuardVerdict:
    """What the guard found: ``offered``, both comparisons, and a sentence (why refused, or what was gained)."""

    offered: bool
    reason: str
    corrected: BeforeAfter
    others: BeforeAfter

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, as a version's card keeps them."""
        return {
            "offered": self.offered,
            "reason": self.reason,
            "corrected": self.corrected.as_dict(),
            "others": self.others.as_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GuardVerdict:
        """Rebuild from :meth:`as_dict`. Raises KeyError, TypeError or ValueError where it is none."""
        return cls(
            bool(values["offered"]),
            str(values["reason"]),
            BeforeAfter.from_dict(values["corrected"]),
            BeforeAfter.from_dict(values["others"]),
        )


def judge(corrected: BeforeAfter, others: BeforeAfter) -> GuardVerdict:
    """Decide by the two comparisons; a figure that is undefined refuses."""
    trouble = _trouble(corrected, others)
    if trouble is not None:
        return GuardVerdict(False, trouble, corrected, others)
    reason = (
        f"On {corrected.after.epochs} held-out epochs of the corrected nights κ rose from"
        f" {corrected.before.kappa:.3f} to {corrected.after.kappa:.3f}; on other subjects it went from"
        f" {others.before.kappa:.3f} to {others.after.kappa:.3f}."
    )
    return GuardVerdict(True, reason, corrected, others)


def _trouble(corrected: BeforeAfter, others: BeforeAfter) -> str | None:
    """Return the sentence that says why the model is not offered, or None."""
    held, rest = corrected.after.epochs, others.after.epochs
    if held < LEAST_HELD_OUT:
        return (
            f"Only {held} reviewed epochs could be kept out of the tuning, fewer than the {LEAST_HELD_OUT} that it"
            " takes to tell whether the model got better; review more of the night."
        )
    if rest < LEAST_OTHERS:
        return (
            f"Only {rest} labelled epochs of other subjects are there, fewer than the {LEAST_OTHERS} that it takes to"
            " tell whether the model forgot anything; name more nights."
        )
    if corrected.before.accuracy < LEAST_AGREEING:
        return (
            "Nearly all reviewed epochs are ones that the model got wrong, and by those alone any change looks better;"
            " accept the model's stage where it is right, or say that the whole night was gone through."
        )
    if not math.isfinite(corrected.gain):
        return "The held-out epochs know one stage only, so no κ can be had of them; review more of the night."
    if not math.isfinite(others.gain):
        return "The other subjects' epochs know one stage only, so no κ can be had of them; name other nights."
    if corrected.gain <= 0:
        return (
            f"On {held} held-out epochs of the corrected nights κ did not rise ({corrected.before.kappa:.3f} before,"
            f" {corrected.after.kappa:.3f} after): what was learned holds for its own epochs alone."
        )
    if corrected.after.kappa < LEAST_KAPPA:
        return (
            f"On {held} held-out epochs of the corrected nights the tuned model reaches a κ of"
            f" {corrected.after.kappa:.3f} only, less than {LEAST_KAPPA:g}: look whether these labels belong to this"
            " signal."
        )
    if others.gain < -MOST_LOST:
        return (
            f"On other subjects κ fell from {others.before.kappa:.3f} to {others.after.kappa:.3f}, by more than"
            f" {MOST_LOST:g}: the model forgot too much."
        )
    return None


# -- which epochs are held out


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """How a night's epochs are parted: ``train`` and ``test``, ``bool [n]`` each; some are in neither."""

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]


def hold_out(y: StageArray, place: NDArray[np.int32], seed: int, share: float = HELD_OUT_SHARE) -> HeldOut:
    """Part a night's reviewed epochs into training and held-out blocks of ten minutes.

    Parameters
    ----------
    y: the reviewed stages, ``int8 [n]``, -1 where none counts.
    place: each epoch's place in the recording, ``int32 [n]``.
    seed: of the choice among equally good blocks.
    share: of the reviewed epochs to hold out.

    Blocks are drawn so that the held-out stages have the night's shares as nearly as that goes: one after the other,
    the block that brings the counts nearest to their share. The epoch on each side of a held-out block is in neither
    part. Nothing of an epoch that was not reviewed is in either.
    """
    reviewed = y >= 0
    block = place // BLOCK_EPOCHS
    counts = {int(b): np.bincount(y[reviewed & (block == b)], minlength=N_STAGES) for b in np.unique(block[reviewed])}
    wanted = share * np.bincount(y[reviewed], minlength=N_STAGES)
    held = _choose_blocks(counts, wanted, np.random.default_rng(seed))
    test = reviewed & np.isin(block, held)
    near = np.zeros(len(y), dtype=bool)
    for distance in range(1, _EDGE_EPOCHS + 1):
        near |= np.isin((place + distance) // BLOCK_EPOCHS, held) | np.isin((place - distance) // BLOCK_EPOCHS, held)
    return HeldOut(train=np.asarray(reviewed & ~near & ~np.isin(block, held)), test=np.asarray(test))


def seed_of(night: str) -> int:
    """Return the same number for the same night in every tuning, so that the same blocks are held out of all of them.

    ``night`` is the recording's SHA-256, or the archive's name where that is not known. Else a version of a version
    would be judged by epochs that its parent learned from.
    """
    return int(hashlib.sha256(night.encode()).hexdigest()[:8], 16)


def _choose_blocks(
    counts: Mapping[int, NDArray[np.int64]], wanted: NDArray[Any], rng: np.random.Generator
) -> list[int]:
    """Return blocks whose stages sum to what is wanted as nearly as adding one after the other comes."""
    left = rng.permutation(sorted(counts)).tolist()
    total = np.zeros(N_STAGES)
    chosen: list[int] = []
    while left and len(chosen) < len(counts) - 1:
        distances = [float(np.abs(total + counts[b] - wanted).sum()) for b in left]
        best = int(np.argmin(distances))
        if chosen and distances[best] >= float(np.abs(total - wanted).sum()):
            break
        chosen.append(left.pop(best))
        total = total + counts[chosen[-1]]
    return chosen


def confusion_over(truths: Sequence[StageArray], founds: Sequence[StageArray]) -> Confusion:
    """Return the summed confusion matrix of several nights, each ``int8 [n]`` with -1 where nothing counts."""
    total = np.zeros((N_STAGES, N_STAGES), dtype=np.int64)
    for truth, found in zip(truths, founds, strict=True):
        total += confusion_of(truth, found)
    return total


def _to_json(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None


def _from_json(value: float | None) -> float:
    return math.nan if value is None else float(value)
