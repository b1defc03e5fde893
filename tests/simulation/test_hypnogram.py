"""Simulated hypnograms look like real ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sleepviewer.simulation import simulate_hypnogram
from sleepviewer.simulation.statistics import sleep_edf_statistics
from sleepviewer.stages import Stage, StageArray

SEEDS = range(12)


@pytest.fixture(scope="module")
def nights() -> list[StageArray]:
    return [simulate_hypnogram(960, seed) for seed in SEEDS]


def share(stages: StageArray, stage: Stage) -> float:
    return float((stages == stage).mean())


def test_the_same_seed_gives_the_same_stages_and_another_seed_others() -> None:
    np.testing.assert_array_equal(simulate_hypnogram(960, 3), simulate_hypnogram(960, 3))
    assert (simulate_hypnogram(960, 3) != simulate_hypnogram(960, 4)).any()


@settings(max_examples=40, deadline=None)
@given(n_epochs=st.integers(1, 1500), seed=st.integers(0, 10_000))
def test_any_length_has_exactly_its_epochs_and_begins_awake(n_epochs: int, seed: int) -> None:
    stages = simulate_hypnogram(n_epochs, seed)
    assert stages.dtype == np.int8
    assert stages.shape == (n_epochs,)
    assert stages[0] == Stage.W
    assert set(np.unique(stages)) <= {0, 1, 2, 3, 4}


def test_a_night_without_epochs_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one epoch"):
        simulate_hypnogram(0)


def test_every_night_has_stage_shares_that_real_nights_have(nights: list[StageArray]) -> None:
    # 1st and 99th percentile of the shares of sleep over the 153 real nights.
    usual = {Stage.N1: (0.02, 0.45), Stage.N2: (0.27, 0.74), Stage.N3: (0.0, 0.37), Stage.REM: (0.06, 0.40)}
    for stages in nights:
        assert share(stages, Stage.W) < 0.3
        asleep = stages[stages != Stage.W]
        for stage, (low, high) in usual.items():
            assert low < share(asleep, stage) < high


def test_mean_shares_are_those_of_the_real_nights(nights: list[StageArray]) -> None:
    real = sleep_edf_statistics()["hypnograms"]["share_of_sleep_median"]
    for stage in (Stage.N1, Stage.N2, Stage.N3, Stage.REM):
        simulated = np.mean([share(s[s != Stage.W], stage) for s in nights])
        assert simulated == pytest.approx(real[stage.label], abs=0.06)


def test_deep_sleep_comes_early_and_rem_sleep_late(nights: list[StageArray]) -> None:
    first, _, last = (np.concatenate(part) for part in zip(*(np.array_split(s, 3) for s in nights), strict=True))
    assert share(first, Stage.N3) > 2 * share(last, Stage.N3)
    assert share(last, Stage.REM) > 1.5 * share(first, Stage.REM)


def test_rem_periods_come_about_every_ninety_minutes(nights: list[StageArray]) -> None:
    between = []
    for stages in nights:
        rem = np.flatnonzero(stages == Stage.REM)
        starts = rem[np.r_[0, np.flatnonzero(np.diff(rem) > 30) + 1]]
        assert 3 <= len(starts) <= 7
        between += np.diff(starts).tolist()
    assert 75 <= np.mean(between) / 2 <= 120


def test_sleep_is_broken_by_brief_awakenings(nights: list[StageArray]) -> None:
    for stages in nights:
        asleep = np.flatnonzero(stages != Stage.W)
        within = stages[asleep[0] : asleep[-1] + 1]
        awakenings = np.flatnonzero((within[1:] == Stage.W) & (within[:-1] != Stage.W))
        assert len(awakenings) >= 3
        assert asleep[0] >= 8
