"""Further figures of agreement equal scikit-learn's, and the published tables fit their own supports."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, confusion_matrix, matthews_corrcoef

from helpers.stage_pairs import columns, pairs_from
from sleepviewer.analysis.agreement import (
    DEPTH_ORDER,
    agreement,
    agreement_of,
    confusion_of,
    figures_of,
    kappa_without,
    weighted_kappa,
)
from sleepviewer.analysis.intervals import ALL_METRICS, STAGE_F1, bootstrap
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import N_STAGES, Stage
from sleepviewer.training.published import PUBLISHED

STAGES = st.integers(0, 4)
PAIRS = pairs_from(0)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_balanced_accuracy_and_mcc_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = columns(pairs)
    result = agreement(truth, predicted)
    if set(predicted) <= set(truth) and len(set(truth)) > 1:  # else scikit-learn warns
        assert result.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, predicted))
    if len(set(truth)) > 1 and len(set(predicted)) > 1:
        assert result.mcc == pytest.approx(matthews_corrcoef(truth, predicted))
    else:
        assert math.isnan(result.mcc)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from([("linear", 1), ("quadratic", 2)]))
def test_weighted_kappa_equals_scikit_learn(pairs: list[tuple[int, int]], weights: tuple[str, int]) -> None:
    truth, predicted = columns(pairs)
    ours = weighted_kappa(confusion_of(truth, predicted), power=weights[1])
    if len(set(truth) | set(predicted)) > 1:
        theirs = cohen_kappa_score(truth, predicted, labels=[int(s) for s in DEPTH_ORDER], weights=weights[0])
        assert ours == pytest.approx(theirs)
    else:
        assert math.isnan(ours)


@settings(max_examples=60, deadline=None)
@given(PAIRS, STAGES)
def test_kappa_without_a_stage_is_that_of_the_epochs_without_it(pairs: list[tuple[int, int]], stage: int) -> None:
    truth, predicted = columns(pairs)
    left = (truth != stage) & (predicted != stage)
    ours = kappa_without(confusion_of(truth, predicted), Stage(stage))
    if len(set(truth[left]) | set(predicted[left])) > 1:
        assert ours == pytest.approx(cohen_kappa_score(truth[left], predicted[left], labels=range(5)))
    else:
        assert math.isnan(ours)


@settings(max_examples=40, deadline=None)
@given(PAIRS)
def test_shares_by_row_and_column_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = columns(pairs)
    result = agreement(truth, predicted)
    by_truth = confusion_matrix(truth, predicted, labels=range(5), normalize="true")
    by_other = confusion_matrix(truth, predicted, labels=range(5), normalize="pred")
    np.testing.assert_allclose(np.nan_to_num(result.by_truth), by_truth)
    np.testing.assert_allclose(np.nan_to_num(result.by_prediction), by_other)


def test_every_figure_is_json_also_where_it_is_not_defined() -> None:
    wake = np.zeros(3, np.int8)
    values = json.loads(json.dumps(agreement(wake, wake).as_full_dict(), allow_nan=False))
    assert values["mcc"] is None
    assert values["kappa_quadratic"] is None
    assert values["balanced_accuracy"] == 1
    assert values["kappa_without"]["N1"] is None


def test_a_large_matrix_does_not_overflow() -> None:
    confusion = np.full((5, 5), 1_000_000, dtype=np.int64) + np.diag([9_000_000] * 5)
    assert 0 < agreement_of(confusion).mcc < 1


def test_a_single_epoch_and_an_absent_stage_have_figures() -> None:
    one = agreement(np.array([2], np.int8), np.array([2], np.int8))
    assert one.accuracy == one.balanced_accuracy == 1
    assert math.isnan(one.kappa)
    assert math.isnan(one.recall["REM"])


def test_confusion_of_different_lengths_is_a_sentence_and_of_nothing_in_common_is_empty() -> None:
    with pytest.raises(AlignmentError, match="3 and 2 epochs"):
        confusion_of(np.zeros(3, np.int8), np.zeros(2, np.int8))
    assert not confusion_of(np.array([0, -1], np.int8), np.array([-1, 0], np.int8)).any()


def test_further_figures_have_intervals_when_asked_for() -> None:
    confusions = np.random.default_rng(0).integers(1, 50, (8, 5, 5)) + 100 * np.eye(5, dtype=np.int64)
    found = bootstrap(confusions, draws=200, metrics=ALL_METRICS)
    assert tuple(found) == ALL_METRICS
    assert found["mcc"].low < found["mcc"].value < found["mcc"].high
    assert found["mcc"].value == pytest.approx(float(figures_of(confusions.sum(axis=0)).mcc))


@pytest.mark.parametrize("dataset", PUBLISHED, ids=lambda dataset: dataset.name)
def test_published_rows_are_figures_of_some_confusion_matrix_of_their_supports(dataset: object) -> None:
    """Accuracy lies where F1 by stage and the supports let it: Σ n_k·recall_k / n, with recall ≥ F1 / (2 - F1)."""
    support = np.array(list(dataset.stages.values()), dtype=float)  # type: ignore[attr-defined]
    for row in dataset.rows:  # type: ignore[attr-defined]
        f1 = [row.value(name) for name in STAGE_F1]
        if None in f1 or row.value("accuracy") is None:
            continue
        f1 = np.array(f1)
        lowest = float((support * (f1 - 0.005) / (2 - (f1 - 0.005))).sum() / support.sum())
        assert lowest <= row.value("accuracy") + 0.005
        assert row.value("accuracy") == pytest.approx(float((support * f1).sum() / support.sum()), abs=0.03)
        assert row.value("macro_f1") == pytest.approx(float(f1.mean()), abs=0.0105)


def test_macro_f1_of_a_matrix_with_the_published_recalls_is_consistent() -> None:
    support = np.array([8285, 2804, 17799, 5703, 7717])
    confusion = np.diag((support * np.array([0.897, 0.426, 0.888, 0.902, 0.79])).round().astype(np.int64))
    rest = support - confusion.sum(axis=1)
    for stage in range(N_STAGES):
        confusion[stage, (stage + 1) % N_STAGES] = rest[stage]
    result = agreement_of(confusion)
    assert result.epochs == 42308
    assert result.balanced_accuracy == pytest.approx(np.mean([0.897, 0.426, 0.888, 0.902, 0.79]), abs=1e-3)
