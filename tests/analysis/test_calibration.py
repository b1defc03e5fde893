"""Calibration: formulas counted by hand, known temperatures found again, ties without an order of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sleepviewer.analysis.calibration import (
    COOLEST,
    HOTTEST,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    risk_coverage,
    softmax,
)

EMPTY = np.empty((0, 5)), np.empty(0, np.int64)


def calibrated(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from their own probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2, size=(n, 5))
    labels = (softmax(logits).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return logits, labels


def two_classes(confidences: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Epochs whose likeliest class is 0 with the given confidence."""
    c = np.array(confidences)
    return np.stack([c, 1 - c], axis=1), np.where(right, 0, 1)


def test_ece_of_epochs_counted_by_hand() -> None:
    proba, labels = two_classes([0.95, 0.95, 0.95, 0.65], [True, True, False, True])
    # ten bins: three epochs at .95, of which 2/3 are right, and one at .65 that is
    expected = 3 / 4 * abs(2 / 3 - 0.95) + 1 / 4 * abs(1 - 0.65)
    assert expected_calibration_error(proba, labels, bins=10) == pytest.approx(expected)


def test_a_bin_holds_its_upper_edge_and_empty_bins_have_no_figures() -> None:
    table = reliability(*two_classes([0.6, 0.6, 1.0], [True, False, True]), bins=5)
    assert table.upper == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert table.counts.tolist() == [0, 0, 2, 0, 1]
    assert table.accuracy[[2, 4]] == pytest.approx([0.5, 1.0])
    assert np.isnan(table.accuracy[[0, 1, 3]]).all()


def test_labels_drawn_from_the_probabilities_are_calibrated() -> None:
    logits, labels = calibrated(40_000)
    assert expected_calibration_error(softmax(logits), labels) < 0.01
    assert expected_calibration_error(softmax(3 * logits), labels) > 0.1


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7, 3.0])
def test_a_known_temperature_is_found_again(factor: float) -> None:
    logits, labels = calibrated(40_000)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor, rel=0.03)


def test_the_fitted_temperature_is_the_likeliest() -> None:
    logits, labels = calibrated(300, seed=3)
    best = fit_temperature(2.2 * logits, labels)
    least = negative_log_likelihood(2.2 * logits, labels, best)
    for temperature in np.geomspace(COOLEST, HOTTEST, 200):
        assert least <= negative_log_likelihood(2.2 * logits, labels, temperature) + 1e-9


def test_temperature_of_tiny_sets_stays_within_its_bounds() -> None:
    assert fit_temperature(*EMPTY) == 1.0
    assert fit_temperature(np.zeros((3, 5)), np.array([0, 1, 2])) == 1.0
    sure = np.array([[5.0, 0, 0, 0, 0]])
    assert fit_temperature(sure, np.array([0])) == pytest.approx(COOLEST, rel=1e-3)
    assert fit_temperature(sure, np.array([1])) == pytest.approx(HOTTEST, rel=1e-3)
    assert fit_temperature(np.array([[1e4, 0, 0, 0, -1e4]]), np.array([4])) == pytest.approx(HOTTEST, rel=1e-3)


def test_negative_log_likelihood_equals_scikit_learn() -> None:
    logits, labels = calibrated(500)
    expected = log_loss(labels, softmax(logits, 1.5), labels=range(5))
    assert negative_log_likelihood(logits, labels, 1.5) == pytest.approx(expected)


def test_brier_score_is_the_sum_over_stages() -> None:
    proba = np.array([[0.7, 0.2, 0.1, 0, 0], [0, 0, 0, 0, 1.0]])
    expected = ((0.3**2 + 0.2**2 + 0.1**2) + 2) / 2
    assert brier_score(proba, np.array([0, 1])) == pytest.approx(expected)


def test_risk_and_coverage_counted_by_hand() -> None:
    result = risk_coverage(*two_classes([0.6, 0.9, 0.8, 0.7], [True, True, False, False]))
    assert result.coverage == pytest.approx([0.25, 0.5, 0.75, 1])
    assert result.error == pytest.approx([0, 1 / 2, 2 / 3, 1 / 2])
    assert result.area == pytest.approx((0 + 1 / 2 + 2 / 3 + 1 / 2) / 4)
    assert result.error_at(0.5) == pytest.approx(1 / 2)
    assert result.error_at(0) == 0
    assert result.error_at(1) == pytest.approx(1 / 2)


def test_equally_sure_epochs_count_alike_whatever_their_order() -> None:
    flags = [True, False, False, True]
    for order in ([0, 1, 2, 3], [1, 2, 3, 0]):
        result = risk_coverage(*two_classes([0.8] * 4, [flags[i] for i in order]))
        assert result.error == pytest.approx([0.5] * 4)


def test_nothing_to_measure_is_no_number() -> None:
    assert math.isnan(expected_calibration_error(*EMPTY))
    assert math.isnan(brier_score(*EMPTY))
    assert math.isnan(negative_log_likelihood(*EMPTY))
    assert math.isnan(risk_coverage(*EMPTY).area)
    assert math.isnan(risk_coverage(*EMPTY).error_at(1))


def test_unscored_epochs_are_refused() -> None:
    with pytest.raises(ValueError, match="unscored"):
        brier_score(np.full((1, 5), np.nan), np.array([0]))
    with pytest.raises(ValueError, match="unscored"):
        brier_score(np.full((1, 5), 0.2), np.array([-1]))
    with pytest.raises(ValueError, match="shape"):
        brier_score(np.full((2, 5), 0.2), np.array([1]))
