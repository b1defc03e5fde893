"""In which order epochs are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from sleepviewer.analysis.order import UNSCORED_DOUBT, disagreements, doubt, review_order, transitions

SURE = [0.0, 0.0, 1.0, 0.0, 0.0]
TORN = [0.0, 0.5, 0.5, 0.0, 0.0]
LOST = [0.2, 0.2, 0.2, 0.2, 0.2]
NONE = [np.nan] * 5


def test_doubt_is_one_minus_the_likeliest_stages_probability() -> None:
    result = doubt(np.array([SURE, TORN, LOST, NONE], np.float32))
    assert result.dtype == np.float32
    assert result == pytest.approx([0, 0.5, 0.8, UNSCORED_DOUBT])


def test_review_begins_with_the_most_doubtful_epoch_and_leaves_unscored_ones_out() -> None:
    proba = np.array([SURE, NONE, TORN, LOST, TORN], np.float32)
    assert review_order(proba).tolist() == [3, 2, 4, 0]


def test_no_epochs_have_no_order() -> None:
    assert review_order(np.empty((0, 5), np.float32)).tolist() == []
    assert transitions(np.empty(0, np.int8)).tolist() == []


def test_disagreement_needs_two_scored_labels() -> None:
    a = np.array([0, 1, -1, 2, 3], np.int8)
    b = np.array([0, 2, 2, -1, 4], np.int8)
    assert disagreements(a, b).tolist() == [1, 4]


def test_a_transition_is_the_first_epoch_of_another_stage() -> None:
    assert transitions(np.array([0, 0, 1, 2, 2, -1, 2, 0], np.int8)).tolist() == [2, 3, 7]
