"""Several scorers: pairs, Fleiss' κ against published tables, and the consensus."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from sleepviewer.analysis.raters import consensus, fleiss_kappa, fleiss_kappa_of, pairwise
from sleepviewer.errors import AlignmentError

# Ten subjects, fourteen raters, five categories: the worked example that is in most textbooks; κ = 0.210.
WORKED = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)

# Fleiss 1971, table 1: 30 patients, six psychiatrists, five diagnoses; κ = 0.430.
PSYCHIATRISTS = np.array(
    [
        [0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0],
        [2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6],
        [1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1],
        [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0], [0, 2, 0, 4, 0], [1, 0, 2, 0, 3],
        [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0], [1, 0, 0, 4, 1],
        [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6],
    ]
)  # fmt: skip


def stages(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int8)


def test_fleiss_kappa_equals_the_published_examples() -> None:
    assert fleiss_kappa_of(WORKED) == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa_of(PSYCHIATRISTS) == pytest.approx(0.430, abs=5e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=2, max_size=60))
def test_fleiss_kappa_of_two_scorers_is_cohens_of_both_orders_pooled(pairs: list[tuple[int, int]]) -> None:
    """Scott's π of two is Cohen's κ where both scorers have the same shares, which pooling both orders gives them."""
    both = np.array(pairs, dtype=np.int8)
    found = fleiss_kappa({"a": both[:, 0], "b": both[:, 1]})
    if len(np.unique(both)) < 2:
        assert math.isnan(found)
        return
    a, b = np.concatenate((both[:, 0], both[:, 1])), np.concatenate((both[:, 1], both[:, 0]))
    assert found == pytest.approx(cohen_kappa_score(a, b))


def test_pairs_are_compared_where_both_score() -> None:
    scorers = {"a": stages(0, 1, 2, -1), "b": stages(0, 1, 1, 3), "c": stages(-1, -1, -1, 3)}
    found = pairwise(scorers)
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found["a", "b"].epochs == 3
    assert found["a", "c"] is None
    assert found["b", "c"].accuracy == 1


def test_lengths_and_too_few_are_told() -> None:
    with pytest.raises(AlignmentError, match="a 2, b 1"):
        pairwise({"a": stages(0, 1), "b": stages(0)})
    with pytest.raises(AlignmentError, match="two scorers or more"):
        fleiss_kappa({"a": stages(0, 1)})


def test_consensus_is_the_majority_and_leaves_a_tie_open() -> None:
    found = consensus({"a": stages(0, 1, 2, -1), "b": stages(0, 2, 2, -1), "c": stages(0, 3, 1, -1)})
    assert found.stages.tolist() == [0, -1, 2, -1]
    assert found.tied.tolist() == [False, True, False, False]
    np.testing.assert_allclose(found.share, [1, np.nan, 2 / 3, np.nan])


def test_a_tie_goes_to_the_leader_or_to_the_more_certain() -> None:
    scorers = {"a": stages(0, 1, 1), "b": stages(2, 2, 2)}
    assert consensus(scorers, leader="b").stages.tolist() == [2, 2, 2]
    certainty = {"a": np.array([0.9, 0.4, 0.5]), "b": np.array([0.6, 0.7, 0.5])}
    assert consensus(scorers, certainty=certainty).stages.tolist() == [0, 2, -1]


def test_a_leader_without_a_vote_in_the_tie_leaves_it_to_certainty() -> None:
    scorers = {"a": stages(0), "b": stages(2), "c": stages(-1)}
    certainty = {"a": np.array([0.4]), "b": np.array([0.8])}
    assert consensus(scorers, leader="c").stages.tolist() == [-1]
    assert consensus(scorers, leader="c", certainty=certainty).stages.tolist() == [2]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(-1, 4), min_size=4, max_size=4), min_size=1, max_size=20))
def test_consensus_is_never_outvoted(rows: list[list[int]]) -> None:
    votes = np.array(rows, dtype=np.int8)
    found = consensus({str(i): votes[:, i] for i in range(4)})
    for row, stage in zip(votes, found.stages, strict=True):
        if stage >= 0:
            assert all((row == stage).sum() > (row == other).sum() for other in set(row) - {stage, -1})
