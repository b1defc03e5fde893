"""Intervals: subjects are drawn, draws repeat, pairs share their draws, and unlike sets are not compared."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score, recall_score

from sleepviewer.analysis.agreement import agreement, figures_of
from sleepviewer.analysis.intervals import (
    METRICS,
    ScoredNight,
    bootstrap,
    paired_differences,
    subject_confusions,
)
from sleepviewer.errors import AlignmentError


def night(name: str, subject: str, accuracy: float, n: int = 200, seed: int = 0) -> ScoredNight:
    rng = np.random.default_rng([seed, *name.encode()])
    truth = rng.integers(0, 5, n)
    wrong = (truth + rng.integers(1, 5, n)) % 5
    predicted = np.where(rng.random(n) < accuracy, truth, wrong)
    return ScoredNight(name, subject, np.arange(n, dtype=np.int32), truth.astype(np.int8), predicted.astype(np.int8))


def cohort(subjects: int, mean: float = 0.8, spread: float = 0.1, seed: int = 0) -> list[ScoredNight]:
    rates = np.clip(np.random.default_rng(seed).normal(mean, spread, subjects), 0, 1)
    return [
        night(f"{subject:02}{which}", f"{subject:02}", rates[subject], seed=seed)
        for subject in range(subjects)
        for which in "ab"
    ]


def pooled(nights: list[ScoredNight]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([n.truth for n in nights]), np.concatenate([n.predicted for n in nights])


def test_values_equal_scikit_learn_on_pooled_epochs() -> None:
    nights = cohort(6)
    truth, predicted = pooled(nights)
    result = bootstrap(subject_confusions(nights)[1], draws=50)
    assert set(result) == set(METRICS)
    assert result["accuracy"].value == pytest.approx((truth == predicted).mean())
    assert result["macro_f1"].value == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert result["kappa"].value == pytest.approx(cohen_kappa_score(truth, predicted))
    assert result["f1_N1"].value == pytest.approx(f1_score(truth, predicted, average=None)[1])
    sensitivity = recall_score(truth, predicted, average=None)
    specificity = [recall_score(truth != stage, predicted != stage) for stage in range(5)]
    assert result["mgm"].value == pytest.approx(np.sqrt(sensitivity * specificity).mean())
    assert agreement(truth.astype(np.int8), predicted.astype(np.int8)).mgm == result["mgm"].value


def test_mgm_counted_by_hand_leaves_out_stages_that_the_truth_lacks() -> None:
    confusion = np.zeros((5, 5), np.int64)
    confusion[0, 0], confusion[0, 2], confusion[2, 2], confusion[2, 3] = 8, 2, 9, 1
    # W: sensitivity 8/10, specificity 10/10; N2: sensitivity 9/10, specificity 8/10
    assert figures_of(confusion).mgm == pytest.approx((math.sqrt(0.8) + math.sqrt(0.9 * 0.8)) / 2)


def test_both_nights_of_a_subject_are_drawn_together() -> None:
    subjects, confusions = subject_confusions(cohort(6))
    assert subjects == ("00", "01", "02", "03", "04", "05")
    assert confusions.sum(axis=(1, 2)).tolist() == [400] * 6


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    confusions = subject_confusions(cohort(8))[1]
    assert bootstrap(confusions, draws=200, seed=1) == bootstrap(confusions, draws=200, seed=1)
    assert bootstrap(confusions, draws=200, seed=1) != bootstrap(confusions, draws=200, seed=2)


def test_the_interval_has_the_width_that_the_spread_of_subjects_gives() -> None:
    confusions = subject_confusions(cohort(60, spread=0.12))[1]
    rates = np.trace(confusions, axis1=1, axis2=2) / confusions.sum(axis=(1, 2))
    result = bootstrap(confusions)["accuracy"]
    half = 1.96 * rates.std() / math.sqrt(60)  # all subjects have as many epochs, so pooled = mean of rates
    assert result.low == pytest.approx(rates.mean() - half, abs=0.005)
    assert result.high == pytest.approx(rates.mean() + half, abs=0.005)


def test_intervals_cover_the_known_value_about_as_often_as_they_say() -> None:
    covered = []
    for seed in range(60):
        confusions = subject_confusions(cohort(25, mean=0.7, spread=0.08, seed=seed))[1]
        interval = bootstrap(confusions, draws=300, seed=seed)["accuracy"]
        covered.append(interval.low <= 0.7 <= interval.high)
    assert 0.85 <= np.mean(covered) <= 1.0


def test_one_subject_and_absent_stages_have_no_interval() -> None:
    one = bootstrap(subject_confusions([night("a", "a", 0.9)])[1], draws=50)
    assert 0 < one["accuracy"].value < 1
    assert math.isnan(one["accuracy"].low)
    without_n3 = [
        replace(n, truth=np.where(n.truth == 3, 2, n.truth), predicted=np.where(n.predicted == 3, 2, n.predicted))
        for n in cohort(4)
    ]
    result = bootstrap(subject_confusions(without_n3)[1], draws=50)
    assert math.isnan(result["f1_N3"].value)
    assert result["macro_f1"].low < result["macro_f1"].value < result["macro_f1"].high


def test_no_subject_has_no_figures() -> None:
    assert all(math.isnan(interval.value) for interval in bootstrap(np.zeros((0, 5, 5), np.int64), draws=5).values())


def test_a_paired_difference_is_surer_than_two_intervals_apart() -> None:
    first = cohort(20, spread=0.15)
    second = [
        replace(n, predicted=np.where(np.arange(len(n.truth)) % 20 == 0, n.truth, n.predicted).astype(np.int8))
        for n in first
    ]
    difference = paired_differences(first, second)["accuracy"]
    alone = bootstrap(subject_confusions(first)[1])["accuracy"]
    assert difference.value == pytest.approx(
        np.mean(
            [
                (b.truth == b.predicted).mean() - (a.truth == a.predicted).mean()
                for a, b in zip(first, second, strict=True)
            ]
        )
    )
    assert 0 < difference.low < difference.value < difference.high
    assert difference.high - difference.low < (alone.high - alone.low) / 4


def test_nothing_differs_from_itself() -> None:
    nights = cohort(5)
    for interval in paired_differences(nights, nights[::-1], draws=100).values():
        assert (interval.value, interval.low, interval.high) == (0, 0, 0)


def test_unlike_sets_are_not_compared() -> None:
    nights = cohort(3)
    with pytest.raises(AlignmentError, match="only one of them holds 02b"):
        paired_differences(nights, nights[:-1])
    shorter = replace(nights[0], **{key: getattr(nights[0], key)[1:] for key in ("epochs", "truth", "predicted")})
    with pytest.raises(AlignmentError, match=r"of 00a they hold different epochs \(200 and 199\)"):
        paired_differences(nights, [shorter, *nights[1:]])
    with pytest.raises(AlignmentError, match="different truths"):
        paired_differences(nights, [replace(nights[0], truth=(nights[0].truth + 1) % 5), *nights[1:]])
    with pytest.raises(AlignmentError, match="00a is of subject 00 in one and 99"):
        paired_differences(nights, [replace(nights[0], subject="99"), *nights[1:]])
