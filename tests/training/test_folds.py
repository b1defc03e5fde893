"""Folds are cut by subjects, as published; the classes are weighed as published."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from sleepviewer.errors import TrainingError
from sleepviewer.packaged import resource
from sleepviewer.training.folds import make_folds, split_subjects
from sleepviewer.training.loss import class_weights

SEVEN = [f"{subject:02d}" for subject in range(7)]


@pytest.mark.parametrize("n_folds", [2, 3, 7])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
def test_no_subject_is_in_two_parts_of_a_fold_and_every_subject_is_tested_once(n_folds: int, share: float) -> None:
    folds = make_folds(SEVEN * 2, n_folds, validation_share=share, seed=1)
    assert [fold.index for fold in folds] == list(range(n_folds))
    for fold in folds:
        assert sorted(fold.train + fold.validation + fold.test) == SEVEN
        assert fold.train
        assert fold.validation
        assert fold.test
    assert Counter(subject for fold in folds for subject in fold.test) == Counter(SEVEN)


@pytest.mark.parametrize(
    ("name", "file", "subjects", "n_folds"),
    [
        ("sleep-edf-20", "20", [f"{subject:02d}" for subject in range(20)], 20),
        ("sleep-edf-78", "78", [f"{s:02d}" for s in range(83) if s not in {39, 68, 69, 78, 79}], 10),
        ("shhs", "shhs", [f"shhs1-{200001 + 3 * subject}" for subject in range(329)], 20),
    ],
)
def test_published_orders_are_cut_as_numpy_splits_the_permuted_sorted_subjects(
    name: str, file: str, subjects: list[str], n_folds: int
) -> None:
    order = np.load(resource("folds", f"r_permute_{file}.npy"))
    assert sorted(order.tolist()) == list(range(len(subjects)))
    expected = [part.tolist() for part in np.array_split(np.array(subjects)[order], n_folds)]
    shuffled = np.random.default_rng(0).permutation(subjects).tolist()
    for asked in (name, "auto"):
        assert [list(fold.test) for fold in make_folds(shuffled, n_folds, order=asked)] == expected


def test_subjects_of_another_number_are_cut_in_sorted_order() -> None:
    for order in ("auto", "sorted"):
        tests = [fold.test for fold in make_folds(SEVEN[::-1], 3, order=order)]
        assert tests == [("00", "01", "02"), ("03", "04"), ("05", "06")]


def test_who_validates_is_drawn_by_the_seed() -> None:
    first, same, other = (make_folds(SEVEN, 3, seed=seed, validation_share=0.5) for seed in (1, 1, 2))
    assert first == same
    assert [fold.validation for fold in first] != [fold.validation for fold in other]
    assert [fold.test for fold in first] == [fold.test for fold in other]


@pytest.mark.parametrize(
    ("subjects", "n_folds", "order", "sentence"),
    [
        (SEVEN, 8, "auto", r"^7 subjects can't be cut into 8 folds; choose from 2 to that many\.$"),
        (SEVEN, 1, "auto", r"^7 subjects can't be cut into 1 folds"),
        (SEVEN[:2], 2, "auto", r"^A fold needs at least one subject to train on and one for validation"),
        (SEVEN, 2, "shhs", r"^The order “shhs” is for 329 subjects, but there are 7\.$"),
        (SEVEN, 2, "random", r"^There is no order of subjects called “random”; there are: .*sorted\.$"),
    ],
)
def test_what_cannot_be_cut_is_told(subjects: list[str], n_folds: int, order: str, sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        make_folds(subjects, n_folds, order=order)


def test_a_model_for_use_is_trained_on_all_but_those_that_validate() -> None:
    fold = split_subjects(SEVEN * 2, validation_share=0.3, seed=4)
    assert sorted(fold.train + fold.validation) == SEVEN
    assert (len(fold.validation), fold.test) == (2, ())
    with pytest.raises(TrainingError, match=r"but there is 1\.$"):
        split_subjects(["00", "00"])


def test_class_weights_are_the_published_ones() -> None:
    assert class_weights(np.array([8285, 2804, 17799, 5703, 7717])).tolist() == [0.3, 0.72, 0.3, 0.2, 0.3]


def test_a_stage_that_does_not_occur_has_a_finite_weight() -> None:
    weights = class_weights(np.array([100, 0, 100, 1, 0]))
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
    assert weights[1] == 0.4
    assert weights[3] == round(0.2 * np.log(0.2 * 201), 2)
    assert np.isfinite(class_weights(np.zeros(5, dtype=np.int64))).all()
