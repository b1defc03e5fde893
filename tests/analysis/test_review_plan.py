"""The order of review by expected gain, and the agreement that is to be expected of it."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.review_values import proba_of
from sleepviewer.analysis.agreement import confusion_of, figures_of
from sleepviewer.analysis.review_plan import (
    EXPERT_RELIABILITY,
    Budget,
    BudgetKind,
    Evidence,
    Reason,
    ReviewPlan,
    Work,
    expected_agreement,
    expected_gains,
    plan_review,
    stage_weights,
)
from sleepviewer.errors import AlignmentError

N_STAGES = 5
ALL = Budget(BudgetKind.PERCENT, 100)
WORK = Work(pace=6)


def random_night(n: int, seed: int, sharpness: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet([sharpness] * N_STAGES, n).astype(np.float32)


def plan_of(
    proba: np.ndarray,
    *,
    reviewed: dict[int, int] | None = None,
    budget: Budget = ALL,
    **more: object,
) -> ReviewPlan:
    """The plan of a night in which some epochs were given a stage."""
    together = bool(more.pop("together", False))
    evidence = Evidence(proba, **more)  # type: ignore[arg-type]
    labels = np.where(np.isfinite(proba).all(axis=1), np.nan_to_num(proba).argmax(axis=1), -1).astype(np.int8)
    mask = np.zeros(len(proba), dtype=bool)
    for epoch, stage in (reviewed or {}).items():
        labels[epoch], mask[epoch] = stage, True
    return plan_review(evidence, labels, mask, budget, WORK, together=together)


nights = arrays(np.float64, st.tuples(st.integers(1, 5), st.just(N_STAGES)), elements=st.floats(0.01, 1)).map(
    lambda rows: rows / rows.sum(axis=1, keepdims=True)
)


@given(nights, st.data())
@settings(deadline=None, max_examples=40)
def test_the_expected_confusion_is_that_of_all_truths_weighed_by_their_probability(
    proba: np.ndarray, data: st.DataObject
) -> None:
    """Every truth of a small night is gone through: the accuracy is exact, κ that of the mean confusion."""
    n = len(proba)
    labels = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), dtype=np.int8)
    order = np.array(data.draw(st.permutations(range(n))), dtype=np.intp)
    steps = data.draw(st.integers(0, n))
    mean = np.zeros((N_STAGES, N_STAGES))
    for truth in itertools.product(range(N_STAGES), repeat=n):
        known = np.array(truth, dtype=np.int8)
        final = labels.copy()
        final[order[:steps]] = known[order[:steps]]
        weight = float(np.prod([proba[epoch, stage] for epoch, stage in enumerate(truth)]))
        mean += weight * confusion_of(known, final)
    accuracy, kappa = expected_agreement(proba, labels, np.zeros(n, dtype=bool), order)
    observed = np.trace(mean) / n
    chance = float(mean.sum(axis=0) @ mean.sum(axis=1)) / n**2
    assert accuracy[steps] == pytest.approx(observed, abs=1e-9)
    if chance < 1 - 1e-6:
        assert kappa[steps] == pytest.approx((observed - chance) / (1 - chance), abs=1e-6)


@pytest.mark.parametrize("reviewed", [0, 40, 120])
def test_on_a_night_the_expected_kappa_is_the_mean_over_drawn_truths(reviewed: int) -> None:
    n, rng = 300, np.random.default_rng(3)
    proba = random_night(n, 1).astype(np.float64)
    proba /= proba.sum(axis=1, keepdims=True)
    labels = proba.argmax(axis=1).astype(np.int8)
    order = np.argsort(proba.max(axis=1))
    kappas, accuracies = [], []
    for _ in range(400):
        truth = (rng.random((n, 1)) > proba.cumsum(axis=1)).sum(axis=1).clip(0, 4).astype(np.int8)
        final = labels.copy()
        final[order[:reviewed]] = truth[order[:reviewed]]
        figures = figures_of(confusion_of(truth, final))
        kappas.append(float(figures.kappa))
        accuracies.append(float(figures.accuracy))
    accuracy, kappa = expected_agreement(proba, labels, np.zeros(n, dtype=bool), order)
    assert accuracy[reviewed] == pytest.approx(np.mean(accuracies), abs=4 * np.std(accuracies) / 20)
    # κ of the expected confusion is not the expected κ, but off by a term of order 1 / n.
    assert kappa[reviewed] == pytest.approx(np.mean(kappas), abs=4 * np.std(kappas) / 20 + 1 / n)


@given(st.integers(0, 10_000), st.integers(1, 60), st.booleans())
@settings(deadline=None, max_examples=60)
def test_expectation_never_falls_and_ends_in_full_agreement(seed: int, n: int, together: bool) -> None:
    plan = plan_of(random_night(n, seed), together=together)
    assert sorted(plan.order.tolist()) == list(range(n))
    assert (np.diff(plan.expected_accuracy) >= -1e-9).all()
    if plan.expected_kappa[0] >= 0:
        assert (np.diff(plan.expected_kappa) >= -1e-9).all()
    assert plan.expected_accuracy[-1] == pytest.approx(1)
    assert plan.expected_kappa[-1] == pytest.approx(1) or np.isnan(plan.expected_kappa[-1])


@given(st.integers(0, 10_000), st.sampled_from(list(BudgetKind)), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=80)
def test_a_larger_budget_never_stops_earlier(seed: int, kind: BudgetKind, a: float, b: float) -> None:
    scale = {BudgetKind.KAPPA: 1.0, BudgetKind.PERCENT: 100.0, BudgetKind.MINUTES: 30.0}[kind]
    plan = plan_of(random_night(80, seed), reviewed={3: 1, 40: 2})
    less, more = (plan.for_budget(Budget(kind, scale * amount), WORK).stop for amount in sorted((a, b)))
    assert 0 <= less <= more <= len(plan.order)


def test_budgets_count_minutes_epochs_and_expected_agreement() -> None:
    plan = plan_of(random_night(100, 5), reviewed={0: 1, 1: 2, 2: 0})
    assert plan.for_budget(Budget(BudgetKind.MINUTES, 5), Work(pace=6)).stop == 30
    assert plan.for_budget(Budget(BudgetKind.MINUTES, 5), Work(pace=6, spent=2)).stop == 18
    assert plan.for_budget(Budget(BudgetKind.MINUTES, 5), Work(pace=6, spent=9)).stop == 0
    assert plan.for_budget(Budget(BudgetKind.PERCENT, 10), WORK).stop == 7, "three of ten are reviewed"
    stop = plan.for_budget(Budget(BudgetKind.KAPPA, 0.8), WORK).stop
    assert plan.expected_kappa[stop] >= 0.8 > plan.expected_kappa[stop - 1]
    assert Budget(BudgetKind.KAPPA, 0.9).text == "until κ ≥ 0.90 expected"
    assert Budget(BudgetKind.MINUTES, 20).text == "20 minutes"


def test_the_first_epoch_is_the_one_that_lifts_kappa_most_in_truth() -> None:
    """Weighed against one by one: the gain is what the expected κ rises by."""
    proba = random_night(60, 8).astype(np.float64)
    proba /= proba.sum(axis=1, keepdims=True)
    labels, none = proba.argmax(axis=1).astype(np.int8), np.zeros(60, dtype=bool)
    gains = expected_gains(proba, labels, ~none)
    for epoch in range(60):
        _, kappa = expected_agreement(proba, labels, none, np.array([epoch], dtype=np.intp))
        assert gains[epoch] == pytest.approx(kappa[1] - kappa[0], abs=1e-12)


def test_an_error_that_hides_a_rare_stage_is_worth_more() -> None:
    stages = [2] * 40 + [4] * 4 + [2, 4]
    proba = proba_of(stages, [0.99] * 44 + [0.6, 0.6])
    proba[44] = [0, 0, 0.6, 0, 0.4]  # perhaps REM, called N2
    proba[45] = [0, 0, 0.4, 0, 0.6]  # perhaps N2, called REM
    gains = expected_gains(proba.astype(np.float64), np.array(stages, np.int8), np.ones(46, dtype=bool))
    assert gains[44] > gains[45]


def test_a_stray_epoch_goes_before_one_as_doubtful_among_its_like() -> None:
    proba = proba_of([2, 2, 2, 2, 4, 2, 2, 2, 2, 2], [0.9] * 4 + [0.8] + [0.9] * 2 + [0.8] + [0.9] * 2)
    plan = plan_of(proba)
    assert plan.order[0] == 4
    assert plan.reasons[4] == Reason.STRAY
    assert plan.other[4] == 2
    assert plan.doubt[4] > 0.2 > plan.doubt[7]
    assert plan.reasons[3] == plan.reasons[5] == Reason.TRANSITION


def test_a_correction_makes_its_neighbours_doubtful_and_drops_out() -> None:
    proba = proba_of([2] * 9, [0.7] * 9)
    before = plan_of(proba)
    after = plan_of(proba, reviewed={4: 4})
    assert 4 not in after.order
    assert set(after.order[:2].tolist()) == {3, 5}
    assert after.doubt[3] > before.doubt[3]
    assert after.doubt[4] == after.gain[4] == 0
    assert (after.reviewed, after.total) == (1, 9)


def test_reviewed_epochs_count_as_right() -> None:
    proba = random_night(50, 2)
    plan, done = plan_of(proba), plan_of(proba, reviewed={e: int(proba[e].argmax()) for e in range(50)})
    assert done.expected_accuracy.tolist() == [1]
    assert len(done.order) == done.stop == 0
    first = int(plan.order[0])
    one = plan_of(proba, reviewed={first: int(proba[first].argmax())})
    assert one.expected_accuracy[0] == pytest.approx(plan.expected_accuracy[1])


def test_an_expert_who_disagrees_raises_the_doubt_and_one_who_agrees_lowers_it() -> None:
    proba = proba_of([2] * 8, [0.8] * 8)
    alone = plan_of(proba)
    plan = plan_of(proba, truth=np.array([2, 2, 3, 2, 2, 2, -1, -1], np.int8))
    assert plan.order[0] == 2
    assert plan.other[2] == 3
    assert plan.reasons[2] == Reason.EXPERT
    assert plan.doubt[2] > alone.doubt[2]
    assert plan.doubt[1] < alone.doubt[1]
    assert plan.doubt[7] == pytest.approx(alone.doubt[7]), "where the expert says nothing, of it or its neighbour"
    assert plan.expected_kappa[0] == alone.expected_kappa[0] or np.isnan(plan.expected_kappa[0])


def test_an_experts_word_weighs_as_much_as_experts_are_right() -> None:
    """With probabilities that say nothing, the expert's stage is as likely as scorers are reliable."""
    proba = np.full((1, N_STAGES), 0.2, dtype=np.float32)
    weights = stage_weights(Evidence(proba, truth=np.array([3], np.int8)), np.array([0], np.int8), np.zeros(1, bool))
    assert weights[0, 3] == pytest.approx(EXPERT_RELIABILITY)


def test_a_second_engine_that_disagrees_raises_the_doubt() -> None:
    proba = proba_of([2] * 8, [0.8] * 8)
    alone = plan_of(proba)
    plan = plan_of(proba, second=proba_of([2, 2, 2, 3, 2, 2, -1, -1], [0.9] * 8))
    assert plan.other[3] == 3
    assert plan.doubt[3] > alone.doubt[3] > plan.doubt[1]
    assert plan.order.tolist().index(3) < plan.order.tolist().index(2)
    assert plan.doubt[7] == pytest.approx(alone.doubt[7]), "where the second engine says nothing"
    assert plan.reasons.tolist() == [0, 0, 0, Reason.SECOND, 0, 0, 0, 0]


def test_neighbours_in_doubt_are_kept_together_in_the_order_of_the_night() -> None:
    certain = [0.99] * 30
    for epoch, p in {5: 0.42, 6: 0.35, 7: 0.4, 20: 0.3}.items():
        certain[epoch] = p
    proba = proba_of([2] * 30, certain)
    apart, plan = plan_of(proba), plan_of(proba, together=True)
    assert apart.order[:4].tolist() == [6, 7, 5, 20]
    assert plan.order[:4].tolist() == [5, 6, 7, 20]
    assert sorted(plan.order.tolist()) == sorted(apart.order.tolist()) == list(range(30))


def test_epochs_that_the_model_did_not_score_are_in_no_plan_and_count_once_they_are_reviewed() -> None:
    proba = proba_of([2, -1, 2, 4], [0.9, 0, 0.8, 0.6])
    plan = plan_of(proba)
    assert sorted(plan.order.tolist()) == [0, 2, 3]
    assert plan.total == 3
    plan = plan_of(proba, reviewed={1: 3})
    assert (plan.reviewed, plan.total) == (1, 4)
    assert plan.doubt[1] == 0


def test_a_night_without_anything_has_an_empty_plan() -> None:
    for proba in (np.empty((0, N_STAGES), np.float32), proba_of([-1, -1])):
        plan = plan_of(proba, together=True)
        assert plan.order.tolist() == []
        assert plan.stop == 0
        assert np.isnan(plan.expected_kappa).all()


def test_kappa_that_is_not_defined_is_no_number_and_no_budget_is_reached() -> None:
    proba = np.zeros((4, N_STAGES), np.float32)
    proba[:, 2] = 1
    plan = plan_of(proba, budget=Budget(BudgetKind.KAPPA, 0.9))
    assert np.isnan(plan.expected_kappa).all()
    assert plan.expected_accuracy == pytest.approx(1)
    assert plan.stop == 4


def test_evidence_must_be_of_one_night() -> None:
    with pytest.raises(AlignmentError, match="different numbers of epochs"):
        Evidence(proba_of([1, 2]), truth=np.array([1], np.int8))


def test_a_plan_of_3000_epochs_takes_milliseconds() -> None:
    proba = random_night(3000, 4)
    evidence = Evidence(proba, proba, proba.argmax(axis=1).astype(np.int8))
    labels, reviewed = proba.argmax(axis=1).astype(np.int8), np.arange(3000) % 7 == 0
    times = []
    for _ in range(15):
        started = time.perf_counter()
        plan_review(evidence, labels, reviewed, Budget(BudgetKind.KAPPA, 0.9), WORK, together=True)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.005
