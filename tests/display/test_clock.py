"""Times as they are shown."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.scoring_fakes import FakeChannel, FakeRecording
from sleepviewer.display.clock import clock_text, hour_ticks


def recording_from(start: datetime | None) -> FakeRecording:
    recording = FakeRecording({"EEG": FakeChannel(np.zeros(100, dtype=np.float32))})
    recording.start = start
    return recording


LATE = recording_from(datetime(2021, 12, 31, 22, 59, 30))
NO_CLOCK = recording_from(None)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "22:59:30"), (30, "23:00:00"), (3630, "00:00:00"), (12_360, "02:25:30")]
)
def test_clock_times_go_over_midnight(seconds: float, text: str) -> None:
    assert clock_text(LATE, seconds) == text


def test_without_a_clock_the_elapsed_time_is_shown() -> None:
    assert clock_text(NO_CLOCK, 0) == "+0:00:00"
    assert clock_text(NO_CLOCK, 12_360) == "+3:26:00"


def test_ticks_stand_on_round_clock_times() -> None:
    ticks = hour_ticks(LATE, 0, 3 * 3600, 4)
    assert ticks == [(30, "23:00"), (3630, "00:00"), (7230, "01:00")]


def test_ticks_without_a_clock_count_from_the_start() -> None:
    assert hour_ticks(NO_CLOCK, 0, 7200, 4) == [(0, "+0:00"), (3600, "+1:00"), (7200, "+2:00")]
    assert [text for _, text in hour_ticks(NO_CLOCK, 0, 3600, 5)] == ["+0:00", "+0:15", "+0:30", "+0:45", "+1:00"]
    before = [text for _, text in hour_ticks(NO_CLOCK, -1785, 1815, 9)]
    assert before == ["-0:20", "-0:10", "+0:00", "+0:10", "+0:20", "+0:30"]


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2080, 1, 1)) | st.none(),
    st.floats(0, 80_000),
    st.floats(600, 36_000),
    st.integers(2, 30),
)
def test_ticks_lie_inside_at_equal_steps(start: datetime | None, first: float, length: float, most: int) -> None:
    recording = recording_from(start)
    ticks = hour_ticks(recording, first, first + length, most)
    times = [time for time, _ in ticks]
    assert len(ticks) <= most
    assert all(first - 1e-6 <= time <= first + length for time in times)
    assert len(set(np.round(np.diff(times), 3))) <= 1
    for time, text in ticks:
        if start is not None:
            shown = start + timedelta(seconds=time + 1e-3)
            assert text == f"{shown:%H:%M}"
            assert shown.second == 0
