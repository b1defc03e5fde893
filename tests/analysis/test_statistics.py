"""The night in figures, by the AASM's definitions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sleepviewer.analysis.statistics import night_statistics
from sleepviewer.hypnogram import read_track, to_hypnogram

W, N1, N2, N3, R, U = 0, 1, 2, 3, 4, -1


def night(*bouts: tuple[int, int]) -> np.ndarray:
    return np.concatenate([np.full(epochs, stage, np.int8) for stage, epochs in bouts])


def test_a_night_counted_by_hand() -> None:
    stats = night_statistics(night((W, 20), (N1, 2), (N2, 30), (W, 4), (N2, 10), (R, 18), (U, 2), (N3, 10), (W, 24)))
    assert stats.trt_min == 60
    assert stats.tst_min == 35
    assert stats.spt_min == 38
    assert stats.se_percent == pytest.approx(100 * 35 / 60)
    assert stats.sol_min == 10
    assert stats.rem_latency_min == 23
    assert stats.waso_min == 14
    assert stats.wake_in_spt_min == 2
    assert stats.stage_min == {"W": 24, "N1": 1, "N2": 20, "N3": 5, "REM": 9}
    assert stats.stage_percent["N2"] == pytest.approx(100 * 20 / 35)
    assert stats.unscored_min == 1
    assert stats.awakenings == 1
    assert stats.stage_shifts == 4


def test_the_night_is_from_lights_off_to_lights_on() -> None:
    stages = night((W, 20), (N2, 30), (W, 4), (N2, 10), (R, 18), (W, 24))
    stats = night_statistics(stages, lights_off=8, lights_on=90)
    assert stats.trt_min == 41
    assert stats.sol_min == 6
    assert stats.tst_min == 29
    assert stats.waso_min == 2 + 4
    assert stats.se_percent == pytest.approx(100 * 29 / 41)
    assert night_statistics(stages, lights_off=8).trt_min == 49
    assert night_statistics(stages, lights_on=90).sol_min == 10
    assert night_statistics(stages[8:90]) == stats


def test_sleep_outside_the_lights_does_not_count() -> None:
    stats = night_statistics(night((N1, 10), (W, 20), (N2, 20), (W, 10), (N1, 5)), lights_off=10, lights_on=60)
    assert stats.tst_min == 10
    assert stats.sol_min == 10
    assert stats.waso_min == 5
    assert night_statistics(night((N2, 10), (W, 10)), lights_off=12).sol_min is None


def test_the_aasm_identity_of_waso_holds_without_unscored_epochs() -> None:
    stats = night_statistics(night((W, 20), (N2, 30), (W, 4), (R, 18), (W, 24)))
    assert stats.waso_min == stats.trt_min - stats.sol_min - stats.tst_min


@pytest.mark.parametrize("stages", [night((W, 10)), night((U, 10)), np.empty(0, np.int8)])
def test_a_night_without_sleep_has_no_latencies_and_no_shares(stages: np.ndarray) -> None:
    stats = night_statistics(stages)
    assert stats.tst_min == 0
    assert stats.sol_min is stats.rem_latency_min is stats.waso_min is stats.spt_min is None
    assert set(stats.stage_percent.values()) == {None}
    assert stats.se_percent == (0 if len(stages) else None)
    assert json.dumps(stats.as_dict(), allow_nan=False)


def test_a_night_without_rem_has_no_rem_latency() -> None:
    stats = night_statistics(night((W, 10), (N2, 10)))
    assert stats.rem_latency_min is None
    assert stats.stage_percent["REM"] == 0


def assert_equals_yasa(stages: np.ndarray) -> None:
    import yasa

    words = np.array(["UNS", "WAKE", "N1", "N2", "N3", "REM"])[stages.astype(int) + 1]
    theirs = yasa.Hypnogram(words, freq="30s", n_stages=5).sleep_statistics()
    ours = night_statistics(stages)
    assert ours.trt_min == pytest.approx(theirs["TIB"])
    assert ours.tst_min == pytest.approx(theirs["TST"])
    assert ours.spt_min == pytest.approx(theirs["SPT"])
    assert ours.se_percent == pytest.approx(theirs["SE"], abs=1e-4)
    assert ours.sol_min == pytest.approx(theirs["SOL"])
    assert ours.wake_in_spt_min == pytest.approx(theirs["WASO"])
    if ours.rem_latency_min is None:
        assert np.isnan(theirs["Lat_REM"])
    else:  # YASA counts from the recording's start, the AASM from sleep onset
        assert ours.rem_latency_min == pytest.approx(theirs["Lat_REM"] - theirs["SOL"])
    for stage in ("N1", "N2", "N3", "REM"):
        assert ours.stage_min[stage] == pytest.approx(theirs[stage])
        assert ours.stage_percent[stage] == pytest.approx(theirs[f"%{stage}"], abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=40).filter(lambda stages: any(stages)))
def test_figures_equal_yasa_where_the_definitions_coincide(stages: list[int]) -> None:
    assert_equals_yasa(np.array(stages, np.int8))


def test_figures_of_a_real_night_equal_yasa(real_truth: Path) -> None:
    assert_equals_yasa(to_hypnogram(read_track(real_truth)).stages)
