"""Filters and sorting of disagreements, and two models against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.review_values import proba_of
from sleepviewer.analysis.errors import Comparison, compare
from sleepviewer.analysis.rivals import head_to_head
from sleepviewer.analysis.selection import ErrorFilter, SortBy, in_order
from sleepviewer.analysis.shifts import Kind
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import Stage


def night(seed: int = 0, n: int = 400) -> Comparison:
    random = np.random.default_rng(seed)
    truth = np.repeat(random.integers(0, 5, n), random.integers(1, 12, n))[:n].astype(np.int8)
    predicted = np.where(random.random(n) < 0.3, random.integers(0, 5, n), truth).astype(np.int8)
    return compare(
        truth,
        predicted,
        proba=proba_of(predicted.tolist(), (0.4 + 0.6 * random.random(n)).tolist()),
        edited=random.random(n) < 0.2,
    )


FILTERS = [
    (ErrorFilter(), lambda row: True),
    (ErrorFilter(truth=Stage.N2, predicted=Stage.N1), lambda row: row.pair == "N2 → N1"),
    (ErrorFilter(kinds=frozenset({Kind.SHIFT})), lambda row: row.kind is Kind.SHIFT),
    (ErrorFilter(confidence=(0.8, 1.0)), lambda row: row.p_predicted >= 0.8),
    (ErrorFilter(distance=(0, 1)), lambda row: row.at_boundary),
    (ErrorFilter(hour=(1, 2)), lambda row: row.hour in (1, 2)),
    (ErrorFilter(run=(2, 99)), lambda row: row.run_epochs >= 2),
    (ErrorFilter(cycle=1), lambda row: row.cycle == 1),
    (ErrorFilter(edited=True), lambda row: row.edited),
    (ErrorFilter(signal="unknown"), lambda row: True),
    (ErrorFilter(signal="flat"), lambda row: False),
]


@pytest.mark.parametrize(("wanted", "passes"), FILTERS)
def test_a_filter_keeps_exactly_what_it_says(wanted: ErrorFilter, passes: object) -> None:
    found = night()
    expected = [row.epoch for row in found.rows() if passes(row)]  # type: ignore[operator]
    assert wanted.epochs(found).tolist() == expected


def test_the_same_stage_twice_asks_for_the_epochs_that_agree_on_it() -> None:
    found = night()
    wanted = ErrorFilter(truth=Stage.N2, predicted=Stage.N2).epochs(found)
    assert wanted.tolist() == np.flatnonzero((found.truth == Stage.N2) & (found.predicted == Stage.N2)).tolist()


@pytest.mark.parametrize("by", SortBy)
def test_sorting_orders_rows_and_keeps_equal_ones_in_place(by: SortBy) -> None:
    found = night()
    keys = {
        SortBy.EPOCH: lambda row: row.epoch,
        SortBy.PAIR: lambda row: (row.truth, row.predicted),
        SortBy.TRUTH: lambda row: row.truth,
        SortBy.PREDICTED: lambda row: row.predicted,
        SortBy.CONFIDENCE: lambda row: row.p_predicted,
        SortBy.DISTANCE: lambda row: row.distance,
        SortBy.RUN: lambda row: row.run_epochs,
        SortBy.KIND: lambda row: list(Kind).index(row.kind),
        SortBy.BOUT: lambda row: row.bout_epochs,
        SortBy.SIGNAL: lambda row: row.signal,
        SortBy.EDITED: lambda row: row.edited,
    }
    rising = [found.row(epoch) for epoch in in_order(found, found.epochs, by)]
    assert [row.epoch for row in rising] == [row.epoch for row in sorted(found.rows(), key=keys[by])]
    falling = [keys[by](found.row(epoch)) for epoch in in_order(found, found.epochs, by, descending=True)]
    assert falling == sorted(falling, reverse=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-1, 4)] * 3), max_size=40))
def test_every_scored_epoch_is_in_one_of_four(rows: list[tuple[int, int, int]]) -> None:
    stages = np.array(rows, dtype=np.int8).reshape(-1, 3)
    found = head_to_head(*stages.T)
    parts = (found.both_right, found.only_first, found.only_second, found.both_wrong)
    assert sorted(np.concatenate(parts).tolist()) == np.flatnonzero((stages >= 0).all(axis=1)).tolist()
    b, c = len(found.only_first), len(found.only_second)
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert found.p_value == pytest.approx(min(2 * tail, 1.0))


def test_lengths_that_do_not_fit_are_told() -> None:
    with pytest.raises(AlignmentError, match="2, 2 and 3 epochs"):
        head_to_head(np.zeros(2, np.int8), np.zeros(2, np.int8), np.zeros(3, np.int8))
