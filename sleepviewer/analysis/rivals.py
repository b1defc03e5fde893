"""Two models on the same night: where one is right and the other wrong, and where they differ.

Which two does not matter: two engines, one with two files of weights, a model before and after it was retrained, or two
people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sleepviewer.analysis.agreement import Agreement, agreement
from sleepviewer.analysis.order import Epochs
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import Proba, Stage, StageArray


@dataclass(frozen=True, slots=True, eq=False)
class HeadToHead:
    """The epochs that the truth and both models score, by who is right; each in the order of the night."""

    both_right: Epochs
    only_first: Epochs
    only_second: Epochs
    both_wrong: Epochs

    @property
    def p_value(self) -> float:
        """The exact two-sided p of McNemar's test that both err as often; 1 where they never part.

        Under that hypothesis each epoch in which one alone is right is a toss of a coin (McNemar 1947, doi
        10.1007/BF02295996). The epochs of a night resemble each other, so that the p of one night is too small.
        """
        fewer, apart = min(len(self.only_first), len(self.only_second)), self.apart
        # Counted in whole numbers: a binomial of so few is done before scipy would be imported.
        tail = sum(math.comb(apart, k) for k in range(fewer + 1))
        return float(min(2 * tail / 2**apart, 1.0))

    @property
    def apart(self) -> int:
        """How many epochs one alone has right."""
        return len(self.only_first) + len(self.only_second)


def head_to_head(truth: StageArray, first: StageArray, second: StageArray) -> HeadToHead:
    """Lay two models' stages beside the truth, ``int8 [n_epochs]`` all three.

    Raises AlignmentError where they have different lengths.
    """
    truth, first, second = (np.asarray(stages) for stages in (truth, first, second))
    if not truth.shape == first.shape == second.shape:
        raise AlignmentError(
            f"The hypnograms have {len(truth)}, {len(first)} and {len(second)} epochs; lay them on the recording first."
        )
    scored = (truth >= 0) & (first >= 0) & (second >= 0)
    a, b = first == truth, second == truth
    return HeadToHead(
        *(np.flatnonzero(scored & which) for which in (a & b, a & ~b, ~a & b, ~a & ~b)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A scoring that is laid beside another one, under the name that it is shown by.

    ``stages`` is ``int8 [n_epochs]``, UNKNOWN where it scores nothing; ``proba`` ``float32 [n_epochs, 5]``, or None
    where it has stages alone. ``origin`` says in a phrase where it comes from, ``notes`` what a user should know.
    """

    name: str
    stages: StageArray
    proba: Proba | None = None
    origin: str = ""
    notes: tuple[str, ...] = ()

    def says(self, epoch: int) -> str:
        """Return what it thinks of an epoch: ``N2 0.61, else N3 0.30``; without probabilities the stage alone."""
        stage = Stage(int(self.stages[epoch]))
        if self.proba is None or stage is Stage.UNKNOWN or not np.isfinite(self.proba[epoch]).all():
            return stage.label
        order = np.argsort(-self.proba[epoch], kind="stable")
        likeliest, next_one = Stage(int(order[0])), Stage(int(order[1]))
        p = self.proba[epoch]
        return f"{likeliest.label} {p[likeliest]:.2f}, else {next_one.label} {p[next_one]:.2f}"


class Group(StrEnum):
    """Epochs by who is right; ``DIFFER`` asks no expert: there the two models say different stages."""

    BOTH_RIGHT = "both right"
    ONLY_FIRST = "only first"
    ONLY_SECOND = "only second"
    BOTH_WRONG = "both wrong"
    DIFFER = "differ"


@dataclass(frozen=True, slots=True, eq=False)
class Duel:
    """Two contenders on one night, and what a reference (``int8 [n_epochs]``, or None) says of them.

    ``agreements`` are the first's and the second's with the reference, each over the epochs that it and the reference
    score, None where there is none; ``tally`` counts the epochs that all three score.
    """

    first: Contender
    second: Contender
    reference: StageArray | None
    agreements: tuple[Agreement | None, Agreement | None]
    tally: HeadToHead | None
    differ: Epochs
    both: int
    """How many epochs both contenders score."""

    def epochs(self, group: Group) -> Epochs:
        """Return a group's epochs in the order of the night; none where there is no reference to tell them by."""
        if group is Group.DIFFER:
            return self.differ
        if self.tally is None:
            return np.empty(0, dtype=np.intp)
        return {
            Group.BOTH_RIGHT: self.tally.both_right,
            Group.ONLY_FIRST: self.tally.only_first,
            Group.ONLY_SECOND: self.tally.only_second,
            Group.BOTH_WRONG: self.tally.both_wrong,
        }[group]

    def title(self, group: Group) -> str:
        """Return what a group is called: ``Only YASA right``."""
        return {
            Group.BOTH_RIGHT: "Both right",
            Group.ONLY_FIRST: f"Only {self.first.name} right",
            Group.ONLY_SECOND: f"Only {self.second.name} right",
            Group.BOTH_WRONG: "Both wrong",
            Group.DIFFER: "The two differ",
        }[group]


def side_by_side(first: Contender, second: Contender, reference: StageArray | None = None) -> Duel:
    """Lay two scorings of a night beside each other, and beside a reference where there is one.

    Raises AlignmentError where they have different lengths.
    """
    if len(first.stages) != len(second.stages):
        raise AlignmentError(
            f"{first.name} has {len(first.stages)} epochs and {second.name} {len(second.stages)}; lay both on the "
            "recording first."
        )
    both = (first.stages >= 0) & (second.stages >= 0)
    tally = None if reference is None else head_to_head(reference, first.stages, second.stages)
    return Duel(
        first,
        second,
        reference,
        (_agreement(reference, first), _agreement(reference, second)),
        tally,
        np.flatnonzero(both & (first.stages != second.stages)),
        int(both.sum()),
    )


def _agreement(reference: StageArray | None, contender: Contender) -> Agreement | None:
    if reference is None or not ((reference >= 0) & (contender.stages >= 0)).any():
        return None
    return agreement(reference, contender.stages)
