"""Going from one epoch to the next that is worth a look."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from helpers.review_values import document_of
from sleepviewer.review.document import Base
from sleepviewer.review.navigation import (
    EpochWalk,
    disagreeing_epochs,
    next_in,
    transition_epochs,
    unscored_epochs,
)
from sleepviewer.stages import Stage


@given(st.sets(st.integers(0, 30)), st.integers(0, 30))
def test_the_nearest_epoch_after_and_before(epochs: set[int], current: int) -> None:
    places = np.array(sorted(epochs), dtype=np.intp)
    assert next_in(places, current, 1) == min((e for e in epochs if e > current), default=None)
    assert next_in(places, current, -1) == max((e for e in epochs if e < current), default=None)


def test_disagreements_are_where_both_score_and_differ() -> None:
    document = document_of(5, truth=[0, 1, -1, 3, 4], model=[0, 2, 2, -1, 0])
    assert disagreeing_epochs(document).tolist() == [1, 4]


def test_without_an_expert_the_corrected_labels_are_compared() -> None:
    document = document_of(5, model=[0, 1, 2, 3, 4])
    assert disagreeing_epochs(document).tolist() == []
    document.set_stage([1, 3], Stage.N1)
    assert disagreeing_epochs(document).tolist() == [3]


def test_without_a_scoring_nobody_disagrees() -> None:
    document = document_of(3, truth=[0, 1, 2])
    document.set_stage([0], Stage.N3)
    assert disagreeing_epochs(document).tolist() == []


def test_unscored_are_epochs_that_would_be_exported_without_a_stage() -> None:
    document = document_of(4, truth=[0, -1, -1, 2])
    assert unscored_epochs(document).tolist() == [1, 2]
    document.set_stage([1], Stage.W)
    assert unscored_epochs(document).tolist() == [2]
    document.set_base(Base.NONE)
    assert unscored_epochs(document).tolist() == [0, 2, 3]


def test_transitions_follow_the_labels_that_count() -> None:
    document = document_of(6, truth=[0, 0, 2, -1, 2, 4])
    assert transition_epochs(document).tolist() == [2, 5]
    document.set_stage([3], Stage.N3)
    assert transition_epochs(document).tolist() == [2, 3, 4, 5]


def test_a_list_is_stepped_through_in_its_own_order() -> None:
    walk = EpochWalk("N2 taken for N3", np.array([7, 2, 9]))
    assert walk.step(0, 1) == 7
    assert walk.step(7, 1) == 2
    assert walk.step(3, 1) == 9, "looking at a neighbour does not lose the place"
    assert walk.step(9, 1) is None
    assert walk.step(9, -1) == 2
    assert walk.step(2, -1) == 7
    assert walk.step(7, -1) is None


def test_going_back_into_a_list_begins_at_its_end() -> None:
    assert EpochWalk("list", np.array([7, 2, 9])).step(0, -1) == 9
    assert EpochWalk("empty", np.array([], dtype=np.intp)).step(0, 1) is None
    assert EpochWalk("empty", np.array([], dtype=np.intp)).step(0, -1) is None


def test_a_list_that_changes_under_the_walk_keeps_its_place() -> None:
    walk = EpochWalk("not edited", np.array([7, 2, 9, 4]))
    assert [walk.step(0, 1), walk.step(7, 1)] == [7, 2]
    without = walk.renewed("not edited", np.array([7, 9, 4]), 2)
    assert without.step(2, 1) == 9
    without = walk.renewed("not edited", np.array([7, 9, 4]), 2)
    assert without.step(2, -1) == 7
    again = without.renewed("not edited", np.array([9, 4]), 7)
    assert again.step(7, -1) is None
    assert again.step(7, 1) == 9
    assert walk.renewed("not edited", np.array([7, 2, 9, 4]), 9).step(0, 1) == 4, "picked by hand, then left"
    assert EpochWalk("fresh", np.array([1, 2])).renewed("fresh", np.array([2]), 5).step(5, 1) == 2


def test_an_epochs_place_in_a_list_is_told() -> None:
    walk = EpochWalk("list", np.array([7, 2, 9]))
    assert (walk.place(2), walk.place(3)) == (1, None)
