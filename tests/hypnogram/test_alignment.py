"""Hypnograms are laid on a recording by clock time, and what does not fit is told."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sleepviewer.errors import AlignmentError
from sleepviewer.hypnogram import Bout, Hypnogram, StageTrack, align, bouts_of, read_track, to_hypnogram

START = datetime(2002, 1, 1, 23, 0)


def track(stages: list[int], *, later_s: float = 0.0, start: datetime | None = START) -> StageTrack:
    moved = None if start is None else start + timedelta(seconds=later_s)
    return StageTrack(bouts_of(np.array(stages, np.int8)), moved, "truth.edf", "Jane")


def laid(the_track: StageTrack, n_epochs: int, start: datetime | None = START) -> Hypnogram:
    return align(the_track, start=start, n_epochs=n_epochs, name="night.edf")


def test_a_hypnogram_that_fits_needs_no_note() -> None:
    result = laid(track([0, 1, 2, 3, 4, -1]), 6)
    assert result.stages.tolist() == [0, 1, 2, 3, 4, -1]
    assert result.notes == ()
    assert result.start == START
    assert result.scorer == "Jane"


def test_a_later_start_leaves_the_beginning_unlabelled_and_is_told() -> None:
    result = laid(track([1, 2], later_s=60), 4)
    assert result.stages.tolist() == [-1, -1, 1, 2]
    assert result.notes == ("truth.edf starts 1 min later than night.edf; 2 epochs there without a label.",)


def test_an_earlier_start_leaves_scored_epochs_out_and_is_told() -> None:
    result = laid(track([0, 0, 1, 2], later_s=-60), 2)
    assert result.stages.tolist() == [1, 2]
    assert result.notes == (
        "truth.edf starts 1 min earlier than night.edf; 2 scored epochs before the recording left out.",
    )


def test_a_shorter_hypnogram_is_told() -> None:
    result = laid(track([0, 1]), 5)
    assert result.stages.tolist() == [0, 1, -1, -1, -1]
    assert result.notes == (
        "truth.edf is shorter than night.edf: it ends 1 min 30 s earlier; 3 epochs there without a label.",
    )


def test_a_longer_hypnogram_is_told() -> None:
    result = laid(track([0, 1, 2]), 2)
    assert result.stages.tolist() == [0, 1]
    assert result.notes == (
        "truth.edf is longer than night.edf: it ends 30 s later; 1 scored epoch after the recording's last whole epoch "
        "left out.",
    )


def test_unknown_epochs_outside_the_recording_go_without_a_word() -> None:
    assert laid(track([-1, 0, 1, -1, -1], later_s=-30), 2).notes == ()


def test_a_hole_in_the_hypnogram_is_told() -> None:
    holey = StageTrack((Bout(0, 30, 0), Bout(90, 30, 2)), START, "truth.edf")
    result = laid(holey, 4)
    assert result.stages.tolist() == [0, -1, -1, 2]
    assert result.notes == ("truth.edf has no label for 2 epochs in between.",)


@pytest.mark.parametrize(
    ("later_s", "expected"), [(10, [0, 1, 2]), (-10, [0, 1, 2]), (15, [0, 0, 1]), (20, [-1, 0, 1])]
)
def test_off_the_grid_each_epoch_has_the_stage_that_covers_most_of_it(later_s: float, expected: list[int]) -> None:
    result = laid(track([0, 1, 2], later_s=later_s), 3)
    assert result.stages.tolist() == expected
    distance = min(abs(later_s), 30 - abs(later_s))
    assert any(f"up to {distance:g} s off the 30-second grid" in note for note in result.notes)


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([4, 4, 0, 0, 4, 4], [4, 4, 4, 0, 0, 4, 4]),
        ([4, 0, 4, 0, 4, 0], [4, 4, 0, 4, 0, 4, 0]),
        ([3, 2, 1, 0], [3, 3, 2, 1, 0]),
    ],
)
def test_where_two_stages_cover_half_an_epoch_each_the_earlier_counts(stages: list[int], expected: list[int]) -> None:
    assert laid(track(stages, later_s=15), len(expected)).stages.tolist() == expected


def second_by_second(bouts: list[Bout], offset_s: int, n_epochs: int) -> list[int]:
    """Stages of epochs, counted in seconds: the most frequent label, of several the one met first."""
    labels = [-1] * (n_epochs * 30)
    for bout in bouts:
        for second in range(round(bout.onset_s) + offset_s, round(bout.onset_s + bout.duration_s) + offset_s):
            if 0 <= second < len(labels):
                labels[second] = bout.stage
    expected = []
    for epoch in range(n_epochs):
        scored = [label for label in labels[epoch * 30 : epoch * 30 + 30] if label >= 0]
        expected.append(max(dict.fromkeys(scored), key=scored.count) if len(scored) >= 15 else -1)
    return expected


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(-1, 4), st.sampled_from([3, 5, 10, 15, 20, 30, 45, 90])), min_size=1),
    offset_s=st.integers(-90, 90) | st.sampled_from([-45, -15, 15, 45]),
    n=st.integers(1, 12),
)
@example(parts=[(4, 60), (0, 60), (4, 60)], offset_s=15, n=7)
@example(parts=[(0, 5), (4, 10), (3, 10), (0, 5)], offset_s=0, n=1)
@example(parts=[(3, 6), (2, 12), (1, 12)], offset_s=0, n=1)
def test_every_epoch_is_what_counting_its_seconds_gives(parts: list[tuple[int, int]], offset_s: int, n: int) -> None:
    bouts, onset = [], 0
    for stage, seconds in parts:
        bouts.append(Bout(onset, seconds, stage))
        onset += seconds
    the_track = StageTrack(tuple(bouts), START + timedelta(seconds=offset_s), "truth.edf")
    expected = second_by_second(bouts, offset_s, n)
    if max(expected) < 0:
        with suppress(AlignmentError):
            assert laid(the_track, n).stages.tolist() == expected
        return
    assert laid(the_track, n).stages.tolist() == expected


def test_epochs_less_than_half_covered_are_unknown() -> None:
    short = StageTrack((Bout(0, 30, 0), Bout(30, 14, 2), Bout(60, 9, 2), Bout(69, 7, 3)), START, "truth.edf")
    assert laid(short, 3).stages.tolist() == [0, -1, 2]


def test_a_sub_second_difference_is_told() -> None:
    result = laid(track([0, 1], later_s=0.394), 2)
    assert result.stages.tolist() == [0, 1]
    assert any("0.394 s" in note for note in result.notes)


def test_another_days_hypnogram_is_refused_with_both_times() -> None:
    with pytest.raises(AlignmentError, match=r"2002-01-02 23:00:00 and night\.edf at 2002-01-01 23:00:00"):
        laid(track([0, 1], later_s=86400), 100)
    with pytest.raises(AlignmentError, match="no epoch in common"):
        laid(track([0, 1], later_s=-86400), 100)


def test_touching_is_no_overlap() -> None:
    with pytest.raises(AlignmentError):
        laid(track([0, 1], later_s=-60), 4)
    with pytest.raises(AlignmentError):
        laid(track([0, 1], later_s=120), 4)


def test_nothing_cannot_be_aligned() -> None:
    with pytest.raises(AlignmentError, match=r"truth\.edf is empty"):
        laid(track([]), 4)
    with pytest.raises(AlignmentError, match=r"night\.edf is empty"):
        laid(track([0]), 0)


def test_a_hypnogram_of_nothing_but_unknown_is_aligned() -> None:
    assert laid(track([-1, -1]), 2).stages.tolist() == [-1, -1]


@pytest.mark.parametrize(("of_track", "of_recording", "clockless"), [(None, START, "truth"), (START, None, "night")])
def test_without_a_clock_both_start_together_and_that_is_told(
    of_track: datetime | None, of_recording: datetime | None, clockless: str
) -> None:
    result = laid(track([0, 1], start=of_track), 2, of_recording)
    assert result.stages.tolist() == [0, 1]
    assert result.start == of_recording
    assert result.notes == (f"{clockless}.edf gives no start time; truth.edf was taken to start with night.edf.",)


@pytest.mark.parametrize(
    ("of_track", "of_recording", "n_epochs", "first", "place"),
    [
        (time(22, 30), datetime(2002, 1, 1, 22), 1000, 60, "30 min after its start"),
        (time(0, 10), datetime(2002, 1, 1, 22), 1000, 260, "2 h 10 min after its start"),
        (time(22), datetime(2002, 1, 1, 22), 1000, 0, "at its start"),
        (time(23, 59), datetime(2002, 1, 2, 0, 0), 1000, -2, "1 min before its start"),
        (time(22), datetime(2002, 1, 1, 8), 2880, 1680, "14 h after its start"),  # the nearest is before the recording
        (time(22), datetime(2002, 1, 1, 21), 3 * 2880, 120, "1 h after its start"),  # there are three such nights
    ],
)
def test_a_time_of_day_without_a_date_is_laid_on_the_day_that_fits(
    of_track: time, of_recording: datetime, n_epochs: int, first: int, place: str
) -> None:
    dateless = StageTrack((Bout(0, 90, 1), Bout(90, 90, 2)), None, "truth.edf", start_time=of_track)
    result = laid(dateless, n_epochs, of_recording)
    assert [(e, s) for e, s in enumerate(result.stages.tolist()) if s >= 0] == [
        (first + e, s) for e, s in enumerate([1, 1, 1, 2, 2, 2]) if first + e >= 0
    ]
    assert result.start == of_recording
    assert result.notes[0] == (
        f"truth.edf gives no date; it was laid on night.edf by its time of day, {of_track:%H:%M:%S}, {place}."
    )


def test_a_time_of_day_outside_the_recording_is_refused() -> None:
    dateless = StageTrack((Bout(0, 90, 1),), None, "truth.edf", start_time=time(12))
    with pytest.raises(AlignmentError, match=r"truth\.edf starts at 12:00:00 of an unknown day and night\.edf at 2002"):
        laid(dateless, 100)


def test_without_a_clock_of_the_recording_a_time_of_day_is_of_no_use() -> None:
    dateless = StageTrack((Bout(0, 60, 1),), None, "truth.edf", start_time=time(12))
    result = laid(dateless, 2, None)
    assert result.stages.tolist() == [1, 1]
    assert result.notes == ("night.edf gives no start time; truth.edf was taken to start with night.edf.",)


def test_notes_of_the_reader_are_kept() -> None:
    noted = StageTrack((Bout(0, 30, 0),), START, "truth.edf", notes=("Numbers were read.",))
    assert laid(noted, 1).notes == ("Numbers were read.",)


def test_a_tracks_own_grid_begins_at_its_second_0() -> None:
    result = to_hypnogram(StageTrack((Bout(-30, 60, 0), Bout(60, 40, 2)), START, "truth.edf"))
    assert result.stages.tolist() == [0, -1, 2]
    assert any("1 scored epoch before its own start" in note for note in result.notes)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(-45, 45), st.integers(1, 40))
def test_whole_epochs_of_shift_move_stages_and_lose_none_in_silence(stages: list[int], shift: int, n: int) -> None:
    moved = track(stages, later_s=30.0 * shift)
    expected = [stages[e - shift] if 0 <= e - shift < len(stages) else -1 for e in range(n)]
    if max(expected) < 0:
        with pytest.raises(AlignmentError):
            laid(moved, n)
        return
    result = laid(moved, n)
    assert result.stages.tolist() == expected
    lost = len(stages) - sum(stage >= 0 for stage in expected)
    unlabelled = expected.count(-1)
    assert bool(result.notes) == bool(lost or unlabelled)


def test_every_real_hypnogram_fits_its_own_recording_time(shared: Path) -> None:
    for path in sorted((shared / "data" / "hypnograms").glob("*-Hypnogram.edf")):
        the_track = read_track(path)
        result = align(the_track, start=the_track.start, n_epochs=2880, name="night.edf")
        assert all("shorter" in note for note in result.notes), path.name
        assert (result.stages >= 0).sum() * 30 == sum(b.duration_s for b in the_track.bouts if b.stage >= 0)
