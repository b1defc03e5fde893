"""Two models on the same night: where one is right and the other wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sleepviewer.analysis.order import Epochs
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import StageArray


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
        from scipy.stats import binomtest

        first, apart = len(self.only_first), len(self.only_first) + len(self.only_second)
        return float(binomtest(first, apart).pvalue) if apart else 1.0


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
