"""How much of the night a page shows, and where its lines and times are."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from helpers.edf_files import START, write_edf
from sleepviewer.display.timebase import (
    TIMEBASES,
    USUAL,
    axis_times,
    epoch_borders,
    grid_lines,
    page_span,
    shows_context,
    stepped,
    text_of,
)
from sleepviewer.recording import open_recording
from sleepviewer.recording.base import Recording

HOURS = 3


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    path = tmp_path_factory.mktemp("timebase") / "night.edf"
    return open_recording(write_edf(path, [("EEG C4", 10, "uV", np.zeros(HOURS * 36_000))], record_s=30))


@pytest.mark.parametrize("timebase", [t for t in TIMEBASES if t is not None])
@pytest.mark.parametrize("epoch", [0, 7, 359])
def test_a_page_has_its_length_and_the_epochs_middle_in_its_own(timebase: float, epoch: int) -> None:
    start, stop = page_span(timebase, epoch, 0.0, HOURS * 3600)
    assert stop - start == timebase
    assert (start + stop) / 2 == epoch * 30 + 15


def test_the_usual_page_is_the_epoch_and_half_an_epoch_beside_it() -> None:
    assert page_span(USUAL, 2, 0.0, 1e4) == (45.0, 105.0)


def test_the_whole_night_is_the_same_page_for_every_epoch() -> None:
    assert {page_span(None, epoch, 0.0, 10_000.5) for epoch in (0, 5, 300)} == {(0.0, 10_000.5)}


def test_scrolling_moves_the_page() -> None:
    assert page_span(10.0, 2, 5.0, 1e4) == (75.0, 85.0)


def test_steps_go_through_all_lengths_and_end() -> None:
    walked, timebase = [TIMEBASES[0]], TIMEBASES[0]
    for _ in range(len(TIMEBASES) + 2):
        timebase = stepped(timebase, 1)
        walked.append(timebase)
    assert tuple(walked[: len(TIMEBASES)]) == TIMEBASES
    assert timebase is None
    assert stepped(None, -1) == 3600
    assert stepped(5.0, -1) == 5.0


def test_lengths_are_said_as_a_person_says_them() -> None:
    assert [text_of(t) for t in TIMEBASES] == (
        ["5 s", "10 s", "15 s", "20 s", "30 s", "60 s", "2 min", "5 min", "10 min", "30 min", "1 h", "whole night"]
    )


@pytest.mark.parametrize(
    ("timebase", "minor", "strong"), [(5, 0.2, 1), (10, 1, 5), (30, 1, 5), (60, 1, 5), (120, 5, 30)]
)
def test_the_grid_of_short_pages_is_that_of_the_epoch(
    night: Recording, timebase: float, minor: float, strong: float
) -> None:
    start, stop = page_span(timebase, 3, 0.0, night.duration_s)
    lines = grid_lines(night, start, stop, 12)
    all_times = [time for time, _ in lines]
    np.testing.assert_allclose(np.diff(all_times), minor)
    assert all_times[0] - start < minor
    assert stop - all_times[-1] < minor
    for time, is_strong in lines:
        assert is_strong == (abs(time / strong - round(time / strong)) < 1e-6)


@pytest.mark.parametrize("timebase", [t for t in TIMEBASES if t is None or t > 180])
def test_the_grid_of_long_pages_is_that_of_the_clock(night: Recording, timebase: float | None) -> None:
    start, stop = page_span(timebase, 100, 0.0, night.duration_s)
    strong = [time for time, is_strong in grid_lines(night, start, stop, 12) if is_strong]
    assert 2 <= len(strong) <= 12
    for time in strong:
        clock = START + timedelta(seconds=time)
        assert (clock.second, clock.microsecond) == (0, 0)
    fine = [time for time, is_strong in grid_lines(night, start, stop, 12) if not is_strong]
    assert all(time % 30 == 0 for time in fine)
    assert bool(fine) == (timebase is not None and timebase <= 600)


@pytest.mark.parametrize("timebase", TIMEBASES)
@pytest.mark.parametrize("most", [3, 6, 12, 20])
def test_times_are_those_of_the_clock_and_have_room(night: Recording, timebase: float | None, most: int) -> None:
    start, stop = page_span(timebase, 100, 0.0, night.duration_s)
    times = axis_times(night, start, stop, most)
    assert 1 <= len(times) <= most + 1
    for time, text in times:
        assert start <= time <= stop
        clock = START + timedelta(seconds=time)
        assert text in (f"{clock:%H:%M:%S}", f"{clock:%H:%M}")
        if text == f"{clock:%H:%M}":
            assert clock.second == 0


@pytest.mark.parametrize("most", [4, 6, 12])
def test_the_epochs_borders_are_always_told_on_the_usual_page(night: Recording, most: int) -> None:
    times = [time for time, _ in axis_times(night, 285.0, 345.0, most)]
    assert {300.0, 330.0} <= set(times)


def test_epochs_meet_at_every_30_s_of_pages_up_to_ten_minutes() -> None:
    assert epoch_borders(45.0, 105.0) == [60.0, 90.0]
    assert epoch_borders(60.0, 90.0) == [60.0, 90.0]
    assert len(epoch_borders(15.0, 615.0)) == 20
    assert epoch_borders(0.0, 1800.0) == []


def test_the_context_is_faint_only_where_the_epoch_takes_a_good_part() -> None:
    assert [shows_context(0, t) for t in (5, 60, 120, 300)] == [True, True, True, False]
