"""Sleep cycles, and the table of statistics beside each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sleepviewer.analysis.cycles import cycle_numbers, sleep_cycles
from sleepviewer.analysis.statistics import STATISTIC_TITLES, night_statistics, side_by_side

W, N1, N2, N3, R, U = 0, 1, 2, 3, 4, -1


def night(*bouts: tuple[int, int]) -> np.ndarray:
    return np.concatenate([np.full(epochs, stage, np.int8) for stage, epochs in bouts])


def test_two_cycles_and_an_unfinished_one() -> None:
    stages = night((W, 10), (N2, 100), (R, 6), (N2, 60), (W, 4), (N3, 40), (R, 30), (N2, 50), (W, 10))
    found = sleep_cycles(stages)
    assert [(c.start, c.stop, c.complete) for c in found] == [(10, 116, True), (116, 250, True), (250, 300, False)]
    numbers = cycle_numbers(stages)
    assert (numbers[:10] == 0).all()
    assert (numbers[120:250] == 2).all()
    assert night_statistics(stages).cycles == 3


def test_rem_broken_by_short_sleep_is_one_period() -> None:
    assert len(sleep_cycles(night((N2, 60), (R, 20), (N2, 29), (R, 20)))) == 1
    assert len(sleep_cycles(night((N2, 60), (R, 20), (N2, 30), (R, 20)))) == 2


def test_the_first_rem_period_may_be_short_and_a_later_one_may_not() -> None:
    assert [c.complete for c in sleep_cycles(night((N2, 60), (R, 1), (N2, 60), (R, 2)))] == [True, False]


def test_a_night_begun_in_rem_and_one_without_sleep() -> None:
    assert [(c.start, c.complete) for c in sleep_cycles(night((R, 20), (N2, 60), (R, 20)))] == [(20, True)]
    assert sleep_cycles(night((W, 50))) == ()
    assert sleep_cycles(np.empty(0, np.int8)) == ()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(1, 50)), max_size=12))
def test_cycles_follow_each_other(bouts: list[tuple[int, int]]) -> None:
    stages = night(*bouts) if bouts else np.empty(0, np.int8)
    found = sleep_cycles(stages)
    assert all(a.stop <= b.start for a, b in pairwise(found))
    assert all(cycle.complete for cycle in found[:-1])


def test_scorers_stand_side_by_side_and_what_is_absent_is_none() -> None:
    stages = {"expert": night((W, 10), (N2, 20)), "model": night((W, 30)), "nobody": night((U, 30))}
    found = side_by_side(stages)
    assert all(tuple(values) == tuple(STATISTIC_TITLES) for values in found.values())
    assert found["expert"]["N2_min"] == 10
    assert found["expert"]["rem_latency_min"] is None
    assert found["model"]["N2_percent"] is None
    assert found["nobody"]["unscored_min"] == 15


def test_arousals_count_between_the_lights() -> None:
    stages = night((W, 20), (N2, 120), (W, 20))
    stats = night_statistics(stages, lights_off=10, lights_on=150, arousals_s=[100.0, 1000.0, 2000.0, 4700.0])
    assert stats.arousals == 2
    assert stats.arousal_index == pytest.approx(2.0)
    assert night_statistics(stages).arousals is None
    assert night_statistics(night((W, 20)), arousals_s=[5.0]).arousal_index is None
