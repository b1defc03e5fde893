"""Which epochs to review first, and what agreement is to be expected for it.

An epoch is worth as much as κ is expected to rise when it is reviewed. How likely each stage is, is weighed from what
there is (:class:`Evidence`): the model's calibrated probabilities, a second engine's, an expert's hypnogram, and the
epochs beside it. What is *expected* (:func:`expected_agreement`) comes from the model's calibrated probabilities alone:
only they were held against labels of nights that the model never saw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntFlag, StrEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.order import Epochs
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import N_STAGES, Proba, Stage, StageArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CONTEXT_WEIGHT: Final = 1.0
"""By how much (in nats) the odds of a stage rise for a neighbour that surely has it."""

SECOND_WEIGHT: Final = 0.5
"""Share of a second engine's log-odds that counts: it sees the same signal, and may not be calibrated."""

EXPERT_RELIABILITY: Final = 0.826
"""How often one scorer gives an epoch the stage that most give it (Rosenberg & Van Hout 2013, 10.5664/jcsm.2350)."""

_LEAST_P, _LEAST_SECOND_P = 1e-4, 1e-2
_RUN_SHARE: Final = 0.5
_RUN_REACH: Final = 3
"""Neighbours come along that are worth half as much at least, up to so many on each side."""
_RUNS_AMONG: Final = 500
"""Neighbours are looked for among so many of the best: what comes after them is planned again long before its turn."""


class Reason(IntFlag):
    """Why an epoch is in doubt, beside the model's own probabilities."""

    NONE = 0
    EXPERT = 1
    """An expert's hypnogram says another stage."""
    SECOND = 2
    """A second engine says another stage."""
    STRAY = 4
    """Both neighbours have one stage, and it has another."""
    TRANSITION = 8
    """One neighbour has another stage."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a night before any of it is reviewed.

    ``proba`` is the model's ``float32 [n, 5]``, calibrated if the expectation is to be; rows of NaN are epochs that it
    did not score. ``second`` is another engine's ``[n, 5]``, ``truth`` an expert's ``int8 [n]``; either may be absent.
    Raises AlignmentError where their lengths differ.
    """

    proba: Proba
    second: Proba | None = None
    truth: StageArray | None = None

    def __post_init__(self) -> None:
        """Check that all are of one night."""
        lengths = {len(part) for part in (self.proba, self.second, self.truth) if part is not None}
        if len(lengths) > 1:
            raise AlignmentError("Probabilities and hypnogram have different numbers of epochs; align them first.")

    @cached_property
    def scored(self) -> Flags:
        """Which epochs the model scored, ``bool [n]``."""
        return np.asarray(np.isfinite(self.proba).all(axis=1))

    @cached_property
    def own(self) -> Floats:
        """The model's probabilities, ``float64 [n, 5]``, of sum 1; 0 where it scored nothing."""
        rows = np.where(self.scored[:, None], np.asarray(self.proba, dtype=np.float64), 0.0)
        return rows / np.where(self.scored, rows.sum(axis=1), 1.0)[:, None]

    @cached_property
    def log_weights(self) -> Floats:
        """Natural logarithms of the stages' weights without the neighbours, ``float64 [n, 5]``; a constant is free.

        Independent pieces of evidence multiply: ln p(model) + SECOND_WEIGHT · ln p(second) + ln p(expert's label |
        stage), where an expert gives the right stage with EXPERT_RELIABILITY and each of the four others alike.
        """
        weights = np.log(np.maximum(self.own, _LEAST_P))
        if self.second is not None:
            second = np.asarray(self.second, dtype=np.float64)
            there = np.isfinite(second).all(axis=1)
            weights[there] += SECOND_WEIGHT * np.log(np.maximum(second[there], _LEAST_SECOND_P))
        if self.truth is not None:
            said = np.flatnonzero(np.asarray(self.truth) >= 0)
            weights[said, np.asarray(self.truth)[said]] += math.log(
                EXPERT_RELIABILITY * (N_STAGES - 1) / (1 - EXPERT_RELIABILITY)
            )
        return weights


class BudgetKind(StrEnum):
    """What a budget is counted in."""

    MINUTES = "minutes"
    PERCENT = "percent"
    KAPPA = "kappa"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is to be reviewed: so many minutes, so many per cent of the night, or until so much κ is expected."""

    kind: BudgetKind
    amount: float

    @property
    def text(self) -> str:
        """``20 minutes``, ``10 %``, ``until κ ≥ 0.90 expected``."""
        if self.kind is BudgetKind.KAPPA:
            return f"until κ ≥ {self.amount:.2f} expected"
        return f"{self.amount:g} %" if self.kind is BudgetKind.PERCENT else f"{self.amount:g} minutes"


@dataclass(frozen=True, slots=True)
class Work:
    """How the work goes: ``pace`` in epochs a minute, and the minutes of the budget that are ``spent``."""

    pace: float
    spent: float = 0.0


@dataclass(frozen=True, eq=False)
class ReviewPlan:
    """What to review next, and what is to be expected of it.

    Attributes
    ----------
    order: the scored epochs that are not reviewed, ``intp [k]``, the one to begin with first.
    expected_kappa, expected_accuracy: ``float64 [k + 1]``, before anything more is reviewed and after each step; κ is
        NaN where it is not defined.
    stop: how many of ``order`` the budget allows for.
    reviewed, total: reviewed epochs, and all that the model scored or she did.
    doubt: per epoch of the night, how likely its label is wrong by all that is known, ``float64 [n]``; 0 where it is
        reviewed or not scored.
    gain: by how much κ is expected to rise with it, ``float64 [n]``.
    other: the likeliest other stage, ``int8 [n]``.
    reasons: :class:`Reason` flags, ``int8 [n]``.
    """

    order: Epochs
    expected_kappa: Floats
    expected_accuracy: Floats
    stop: int
    reviewed: int
    total: int
    doubt: Floats
    gain: Floats
    other: StageArray
    reasons: NDArray[np.int8]

    def for_budget(self, budget: Budget, work: Work) -> ReviewPlan:
        """Return the plan with another stop."""
        return replace(self, stop=self._stop(budget, work))

    def _stop(self, budget: Budget, work: Work) -> int:
        left = len(self.order)
        match budget.kind:
            case BudgetKind.MINUTES:
                wanted = math.floor(max(budget.amount - work.spent, 0.0) * work.pace + 1e-9)
            case BudgetKind.PERCENT:
                wanted = math.ceil(budget.amount / 100 * self.total - 1e-9) - self.reviewed
            case BudgetKind.KAPPA:
                reached = np.flatnonzero(self.expected_kappa >= budget.amount)
                wanted = int(reached[0]) if reached.size else left
        return min(max(wanted, 0), left)


def plan_review(
    evidence: Evidence,
    labels: StageArray,
    reviewed: Flags,
    budget: Budget,
    work: Work,
    *,
    together: bool = False,
) -> ReviewPlan:
    """Put the epochs that are not reviewed in the order of their expected gain.

    Parameters
    ----------
    evidence: what is known of the night.
    labels: ``int8 [n]``, hers where she has reviewed, the model's elsewhere; UNKNOWN where there is none.
    reviewed: ``bool [n]``, where she has; these labels count as right, for their neighbours, too.
    budget, work: where to stop, and how the work goes.
    together: keep neighbours of an epoch that are in doubt beside it, in the order of the night.

    A night of 3,000 epochs takes some milliseconds, so that it can be done anew after every edit.
    """
    labels, reviewed = np.asarray(labels), np.asarray(reviewed, dtype=bool)
    open_: Flags = evidence.scored & ~reviewed & (labels >= 0)
    counted = open_ | (reviewed & (labels >= 0))
    weighed = stage_weights(evidence, labels, reviewed)
    mine = np.where(labels >= 0, labels, 0).astype(np.intp)[:, None]
    doubt = np.where(open_, 1 - np.take_along_axis(weighed, mine, axis=1)[:, 0], 0.0)
    gain = np.where(open_, expected_gains(weighed, labels, counted), 0.0)
    order = np.flatnonzero(open_)
    order = order[np.argsort(-gain[order], kind="stable")]
    if together:
        order = _together(order, gain, open_)
    accuracy, kappa = expected_agreement(evidence.own, labels, reviewed, order)
    rest = weighed.copy()
    np.put_along_axis(rest, mine, -1.0, axis=1)
    plan = ReviewPlan(
        order=order,
        expected_kappa=kappa,
        expected_accuracy=accuracy,
        stop=0,
        reviewed=int((counted & reviewed).sum()),
        total=int(counted.sum()),
        doubt=doubt,
        gain=gain,
        other=rest.argmax(axis=1).astype(np.int8),
        reasons=_reasons(evidence, labels),
    )
    return plan.for_budget(budget, work)


def stage_weights(evidence: Evidence, labels: StageArray, reviewed: Flags) -> Floats:
    """Return how likely each stage is by all that is known, ``float64 [n, 5]``; reviewed epochs are sure.

    One mean-field step of a Potts chain: each epoch's ln weights get CONTEXT_WEIGHT · p of both neighbours added (Wu
    1982, 10.1103/RevModPhys.54.235, for the model), so that a stray epoch between two that agree is in doubt even
    where the model is rather sure, and so that a correction makes its neighbours doubtful.
    """
    alone = _softmax(evidence.log_weights)
    alone[~evidence.scored] = 0.0
    sure = np.flatnonzero(reviewed & (labels >= 0))
    certain = np.zeros((len(sure), N_STAGES))
    certain[np.arange(len(sure)), labels[sure]] = 1.0
    alone[sure] = certain
    beside = evidence.log_weights.copy()
    beside[1:] += CONTEXT_WEIGHT * alone[:-1]
    beside[:-1] += CONTEXT_WEIGHT * alone[1:]
    weights = _softmax(beside)
    weights[sure] = certain
    return weights


def expected_gains(weights: Floats, labels: StageArray, counted: Flags) -> Floats:
    """Return by how much κ is expected to rise where one epoch alone is reviewed, ``float64 [n]``; 0 if not counted.

    ``weights`` ``[n, 5]`` says how likely each stage is. Reviewing an epoch of label l takes 1 - w(l) of an epoch from
    its column of the expected confusion matrix (see :func:`expected_agreement`) to the diagonal: the observed agreement
    rises by (1 - w(l)) / n and the agreement by chance by (Σ w(s)·a(s) - a(l)) / n², with a(s) the expected number of
    epochs of stage s. An error that hides a rare stage under a frequent one is therefore worth more than the reverse.
    """
    gains = np.zeros(len(labels))
    n = int(counted.sum())
    if not n:
        return gains
    rows, own = weights[counted], np.asarray(labels)[counted].astype(np.intp)
    doubt = 1 - rows[np.arange(n), own]
    actual, given = rows.sum(axis=0), np.bincount(own, minlength=N_STAGES)
    observed, chance = 1 - doubt.mean(), float(actual @ given) / n**2
    after = _kappa(observed + doubt / n, chance + (rows @ actual - actual[own]) / n**2)
    risen = after - _kappa(np.asarray(observed), np.asarray(chance))
    gains[counted] = np.where(np.isfinite(risen), risen, doubt / n)
    return gains


def expected_agreement(proba: Floats, labels: StageArray, reviewed: Flags, order: Epochs) -> tuple[Floats, Floats]:
    """Return the expected accuracy and κ before and after each step of ``order``, ``float64 [k + 1]`` each.

    ``proba`` are the model's probabilities ``[n, 5]``, ``labels`` ``int8 [n]`` what counts now. Epochs without a label,
    and those without probabilities that nobody reviewed, are left out. Reviewed epochs count as right.

    If the probabilities are calibrated, an epoch of label l adds p(s) to the cell (s, l) of the expected confusion
    matrix, and, once it is reviewed, p(s) to the cell (s, s). Accuracy and κ are those of that matrix: confidence-based
    performance estimation (Białek, Kuberski, Perrakis & Bifet 2024, arXiv 2401.08348) with Cohen's κ = (p_o - p_e) /
    (1 - p_e) (1960, 10.1177/001316446002000104). The accuracy is the exact expectation; κ is that of the expected
    matrix, which differs from the expected κ by a term of order 1 / n. Where κ ≥ 0, it never falls from step to step.
    """
    labels = np.asarray(labels)
    there = np.asarray((labels >= 0) & (reviewed | (proba.sum(axis=1) > 0)))
    n = int(there.sum())
    steps = len(order)
    if not n:
        return np.full(steps + 1, np.nan), np.full(steps + 1, np.nan)
    own = labels[there].astype(np.intp)
    rows = proba[there]
    sure = np.asarray(reviewed, dtype=bool)[there]
    rows[sure] = 0.0
    rows[sure, own[sure]] = 1.0
    actual, given = rows.sum(axis=0), np.bincount(own, minlength=N_STAGES)
    moved = proba[order].copy()
    label = labels[order].astype(np.intp)
    doubt = 1 - moved[np.arange(steps), label]
    moved[np.arange(steps), label] -= 1.0
    hits = rows[np.arange(n), own].sum() + np.concatenate([[0.0], np.cumsum(doubt)])
    columns = given + np.concatenate([np.zeros((1, N_STAGES)), np.cumsum(moved, axis=0)])
    accuracy = np.minimum(hits / n, 1.0)
    return accuracy, _kappa(accuracy, columns @ actual / n**2)


def _kappa(observed: NDArray[Any], chance: NDArray[Any]) -> Floats:
    """κ, NaN where agreement by chance is certain."""
    room = 1 - np.asarray(chance, dtype=np.float64)
    kappa = np.full(room.shape, np.nan)
    np.divide(1 - np.asarray(observed), room, out=kappa, where=room > 1e-9)
    return 1 - kappa


def _softmax(logs: Floats) -> Floats:
    powers = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _reasons(evidence: Evidence, labels: StageArray) -> NDArray[np.int8]:
    n = len(labels)
    reasons = np.zeros(n, dtype=np.int8)
    if evidence.truth is not None:
        truth = np.asarray(evidence.truth)
        reasons |= np.where((truth >= 0) & (truth != labels), int(Reason.EXPERT), 0).astype(np.int8)
    if evidence.second is not None:
        there: Flags = np.asarray(np.isfinite(evidence.second).all(axis=1))
        second = np.where(there[:, None], evidence.second, 0).argmax(axis=1)
        reasons |= np.where(there & (second != labels), int(Reason.SECOND), 0).astype(np.int8)
    before = np.concatenate([[Stage.UNKNOWN], labels[:-1]])
    after = np.concatenate([labels[1:], [Stage.UNKNOWN]])
    unlike_before, unlike_after = (before >= 0) & (before != labels), (after >= 0) & (after != labels)
    stray = unlike_before & unlike_after & (before == after)
    reasons |= np.where(stray, int(Reason.STRAY), 0).astype(np.int8)
    changes = (unlike_before | unlike_after) & ~stray
    reasons |= np.where(changes, int(Reason.TRANSITION), 0).astype(np.int8)
    return reasons


def _together(order: Epochs, gain: Floats, open_: Flags) -> Epochs:
    """Bring along with each epoch the neighbours that are worth nearly as much, in the order of the night."""
    worth, free = gain.tolist(), open_.tolist()
    result: list[int] = []
    for epoch in order[:_RUNS_AMONG].tolist():
        if not free[epoch]:
            continue
        least = _RUN_SHARE * worth[epoch]
        first, last = epoch, epoch
        while first > 0 and epoch - first < _RUN_REACH and free[first - 1] and worth[first - 1] >= least:
            first -= 1
        while last + 1 < len(free) and last - epoch < _RUN_REACH and free[last + 1] and worth[last + 1] >= least:
            last += 1
        for member in range(first, last + 1):
            free[member] = False
            result.append(member)
    rest = order[_RUNS_AMONG:]
    return np.concatenate([np.array(result, dtype=np.intp), rest[np.array(free, dtype=bool)[rest]]])
