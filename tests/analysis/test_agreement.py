"""Agreement equals scikit-learn's, and says where it is not defined."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from helpers.stage_pairs import columns, pairs_from
from sleepviewer.analysis.agreement import agreement
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import SCORED_STAGES, Stage

PAIRS = pairs_from(-1)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_figures_equal_scikit_learn_over_epochs_that_both_score(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = columns(pairs)
    both = (truth >= 0) & (predicted >= 0)
    assume(both.any())
    t, p = truth[both], predicted[both]
    present = sorted(set(t) | set(p))
    result = agreement(truth, predicted)
    assert result.epochs == both.sum()
    assert result.accuracy == pytest.approx(accuracy_score(t, p))
    assert result.macro_f1 == pytest.approx(f1_score(t, p, labels=present, average="macro", zero_division=0))
    assert (result.confusion == confusion_matrix(t, p, labels=range(5))).all()
    if len(present) > 1:
        assert result.kappa == pytest.approx(cohen_kappa_score(t, p, labels=range(5)))
    else:
        assert math.isnan(result.kappa)
    precision, recall, f1, _ = precision_recall_fscore_support(t, p, labels=range(5), zero_division=np.nan)
    labels = [stage.label for stage in SCORED_STAGES]
    np.testing.assert_allclose([result.precision[label] for label in labels], precision)
    np.testing.assert_allclose([result.recall[label] for label in labels], recall)
    np.testing.assert_allclose([result.f1[label] for label in labels], f1)


def test_rows_of_the_confusion_matrix_are_the_truth() -> None:
    result = agreement(np.array([2, 2, 2], np.int8), np.array([2, 2, 1], np.int8))
    assert result.confusion[Stage.N2, Stage.N1] == 1
    assert result.confusion[Stage.N1, Stage.N2] == 0


def test_what_is_not_defined_is_null_in_json() -> None:
    wake = np.zeros(4, np.int8)
    values = json.loads(json.dumps(agreement(wake, wake).as_dict(), allow_nan=False))
    assert list(values) == ["accuracy", "macro_f1", "kappa", "f1", "confusion", "epochs"]
    assert values["kappa"] is None
    assert values["f1"] == {"W": 1.0, "N1": None, "N2": None, "N3": None, "REM": None}
    assert values["macro_f1"] == 1.0
    assert values["confusion"][0] == [4, 0, 0, 0, 0]


def test_nothing_in_common_is_told() -> None:
    with pytest.raises(AlignmentError, match="no epoch that both"):
        agreement(np.array([0, -1], np.int8), np.array([-1, 2], np.int8))


def test_different_lengths_are_told() -> None:
    with pytest.raises(AlignmentError, match="3 and 2 epochs"):
        agreement(np.zeros(3, np.int8), np.zeros(2, np.int8))
