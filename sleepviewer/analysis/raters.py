"""Several scorers of one night: κ of each pair, Fleiss' κ of all, and the stage that most of them give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import Agreement, agreement_of, confusion_of
from sleepviewer.analysis.order import UNSCORED_DOUBT
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import N_STAGES, SCORED_STAGES, Stage, StageArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """What most scorers say of each epoch.

    ``stages`` ``int8 [n]``, UNKNOWN where nobody scored or a tie was not broken; ``share`` ``float64 [n]`` of those
    who scored the epoch that gave its stage, NaN where it is UNKNOWN; ``tied`` ``bool [n]``, where several stages had
    as many votes.
    """

    stages: StageArray
    share: Floats
    tied: NDArray[np.bool_]


def pairwise(scorers: Mapping[str, StageArray]) -> dict[tuple[str, str], Agreement | None]:
    """Return the agreement of every two scorers, the first of them as truth; None where they share no epoch.

    Raises AlignmentError where they have different lengths.
    """
    _stack(scorers)
    found: dict[tuple[str, str], Agreement | None] = {}
    for a, b in combinations(scorers, 2):
        confusion = confusion_of(scorers[a], scorers[b])
        found[a, b] = agreement_of(confusion) if confusion.any() else None
    return found


def fleiss_kappa(scorers: Mapping[str, StageArray]) -> float:
    """Return Fleiss' κ over the epochs that all of them score; NaN where there is none or chance explains all.

    κ = (P̄ - P̄_e) / (1 - P̄_e), with P̄ the mean share of agreeing pairs of scorers and P̄_e the sum of the stages'
    squared shares (Fleiss 1971, doi 10.1037/h0031619). For two scorers it is Scott's π, not Cohen's κ.

    Raises AlignmentError where they have different lengths or there are fewer than two.
    """
    stages = _stack(scorers)
    if len(stages) < 2:
        raise AlignmentError("Fleiss' κ compares two scorers or more; choose a second one.")
    return fleiss_kappa_of(_votes(stages[:, (stages != Stage.UNKNOWN).all(axis=0)]))


def fleiss_kappa_of(votes: NDArray[np.int64]) -> float:
    """Return Fleiss' κ of votes ``int64 [n, categories]``, every row of the same sum, two or more."""
    if not len(votes):
        return math.nan
    raters = int(votes[0].sum())
    observed = float(((votes * (votes - 1)).sum(axis=1) / (raters * (raters - 1))).mean())
    totals = votes.sum(axis=0)
    if (totals == totals.sum()).any():
        return math.nan
    chance = float(((totals / totals.sum()) ** 2).sum())
    return (observed - chance) / (1 - chance)


def consensus(
    scorers: Mapping[str, StageArray],
    *,
    certainty: Mapping[str, NDArray[np.floating]] | None = None,
    leader: str | None = None,
) -> Consensus:
    """Return the stage that most scorers give each epoch.

    A tie goes to the tied stage that ``leader`` gives; else, with ``certainty`` (each scorer's own, 0 to 1 per epoch,
    a scorer without counts as 1), to the tied stage whose scorers' mean is highest; else it stays UNKNOWN.

    Raises AlignmentError where they have different lengths.
    """
    stages = _stack(scorers)
    votes = _votes(stages)
    most = votes.max(axis=1, initial=0)
    best = (votes == most[:, None]) & (most > 0)[:, None]
    tied = best.sum(axis=1) > 1
    result = np.where(best.any(axis=1) & ~tied, best.argmax(axis=1), int(Stage.UNKNOWN)).astype(np.int8)
    open_ones = tied.copy()
    if leader is not None:
        led = np.asarray(scorers[leader])
        settled = open_ones & (led != Stage.UNKNOWN)
        settled[settled] &= best[np.flatnonzero(settled), led[settled]]
        result[settled] = led[settled]
        open_ones &= ~settled
    if certainty is not None and open_ones.any():
        result[open_ones] = _most_certain(stages, best, certainty, tuple(scorers), open_ones)
    share = np.full(len(result), np.nan)
    scored = np.flatnonzero(result != Stage.UNKNOWN)
    share[scored] = votes[scored, result[scored]] / votes[scored].sum(axis=1)
    return Consensus(result, share, tied)


def _most_certain(
    stages: NDArray[np.int8],
    best: NDArray[np.bool_],
    certainty: Mapping[str, NDArray[np.floating]],
    names: Sequence[str],
    epochs: NDArray[np.bool_],
) -> StageArray:
    """Return the tied stage whose scorers are surest on the mean; UNKNOWN where two are as sure."""
    ones = np.ones(stages.shape[1])
    sure = np.stack([np.nan_to_num(np.asarray(certainty.get(name, ones), dtype=np.float64)) for name in names])
    means = np.full((stages.shape[1], N_STAGES), UNSCORED_DOUBT)
    for stage in SCORED_STAGES:
        voters = stages == stage
        np.divide((sure * voters).sum(axis=0), voters.sum(axis=0), out=means[:, stage], where=voters.any(axis=0))
    means[~best] = UNSCORED_DOUBT
    means = means[epochs]
    winners = np.isclose(means, means.max(axis=1, keepdims=True))
    return np.where(winners.sum(axis=1) == 1, winners.argmax(axis=1), int(Stage.UNKNOWN)).astype(np.int8)


def _stack(scorers: Mapping[str, StageArray]) -> NDArray[np.int8]:
    """Return ``int8 [scorers, n]``."""
    lengths = {name: len(stages) for name, stages in scorers.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise AlignmentError(f"The hypnograms have different numbers of epochs ({told}); lay them on the recording.")
    if not scorers:
        return np.empty((0, 0), dtype=np.int8)
    return np.stack([np.asarray(stages, dtype=np.int8) for stages in scorers.values()])


def _votes(stages: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return how many scorers give each epoch each stage, ``int64 [n, 5]``."""
    return np.stack([(stages == stage).sum(axis=0) for stage in SCORED_STAGES], axis=1).astype(np.int64)
