"""Discontinuous recordings keep their gaps: nothing is closed up."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.edf_files import START, patch, ramp, write_edf, write_edf_plus_d
from sleepviewer.errors import RecordingError
from sleepviewer.recording import Gap, open_recording
from sleepviewer.recording.timeline import from_onsets


def on_the_clock(x: np.ndarray, onsets: list[float], rate: float, record_s: float, duration_s: float) -> np.ndarray:
    """What a whole read must give: every record laid down by hand at its own onset."""
    per_record = round(rate * record_s)
    out = np.full(round(duration_s * rate), np.nan)
    for record, onset in enumerate(onsets):
        at = round((onset - onsets[0]) * rate)
        out[at : at + per_record] = x[record * per_record : (record + 1) * per_record][: len(out) - at]
    return out


@pytest.mark.parametrize("bdf", [False, True])
def test_a_gap_is_nan_and_what_follows_stays_in_its_place(tmp_path: Path, bdf: bool) -> None:
    onsets = [0.0, 1.0, 5.0, 6.0, 10.5]
    x, slow = ramp(500), ramp(5)
    path = write_edf(
        tmp_path / "a.edf",
        [("EEG C4", 100, "uV", x), ("Temp", 1, "DegC", slow)],
        onsets=onsets,
        kind="BDF+D" if bdf else "EDF+D",
        bdf=bdf,
    )
    night = open_recording(path)
    assert night.format_name == ("BDF+D" if bdf else "EDF+D")
    assert night.gaps == (Gap(2.0, 5.0), Gap(7.0, 10.5))
    assert night.duration_s == 11.5
    assert night.channel("EEG C4").n_samples == 500
    got = night.read("EEG C4", 0, 11.5)
    np.testing.assert_allclose(got, on_the_clock(x, onsets, 100, 1, 11.5), atol=2e-4)
    assert np.isnan(night.read("EEG C4", 2.5, 4.5)).all()
    np.testing.assert_allclose(night.read("EEG C4", 10.5, 10.6), x[400:410], atol=2e-4)
    assert np.isfinite(night.read("Temp", 0, 2)).all()
    assert np.isnan(night.read("Temp", 2, 5)).all()
    (note,) = night.notes
    assert "2 gaps, 6.5 s in all" in note


def test_the_clock_begins_with_the_first_record(tmp_path: Path) -> None:
    path = write_edf_plus_d(tmp_path / "a.edf", [3600.125, 3602.125], [("EEG C4", 100, "uV", ramp(200))])
    night = open_recording(path)
    assert night.start == START + timedelta(seconds=3600.125)
    assert night.gaps == (Gap(1.0, 2.0),)
    np.testing.assert_allclose(night.read("EEG C4", 0, 1), ramp(100), atol=2e-4)


def test_an_epoch_with_a_gap_holds_nan(tmp_path: Path) -> None:
    onsets = [*map(float, range(30)), *map(float, range(40, 70)), *map(float, range(70, 90))]
    path = write_edf_plus_d(tmp_path / "a.edf", onsets, [("EEG C4", 100, "uV", ramp(8000))])
    epochs = open_recording(path).read_epochs("EEG C4")
    assert np.isnan(epochs).sum(axis=1).tolist() == [0, 1000, 0]


def test_records_without_a_gap_make_none(tmp_path: Path) -> None:
    # Onsets rounded to milliseconds, as some recorders write them.
    onsets = [round(k * 0.78125, 3) for k in range(400)]
    x = ramp(400 * 200)
    path = write_edf_plus_d(tmp_path / "a.edf", onsets, [("EEG C4", 256, "uV", x)], record_s=0.78125)
    night = open_recording(path)
    assert night.gaps == ()
    assert night.notes == ()
    np.testing.assert_allclose(night.read("EEG C4", 0, night.duration_s), x, atol=2e-4)


def test_a_slow_clock_does_not_drift_away(tmp_path: Path) -> None:
    # Every record begins 0.2 ms late on the one before: far too little for a gap, 0.2 s after a thousand.
    onsets = [k * 1.0002 for k in range(1000)]
    path = write_edf_plus_d(tmp_path / "a.edf", onsets, [("EEG C4", 100, "uV", ramp(100_000))])
    night = open_recording(path)
    assert night.duration_s == pytest.approx(1000.2, abs=0.006)
    for record in (10, 500, 999):
        at = round(onsets[record] * 100)
        window = night.read("EEG C4", (at - 1) / 100, (at + 2) / 100)
        assert np.nanmin(np.abs(window - ramp(1, record * 100)[0])) < 2e-4


def test_records_that_overlap_show_the_later_one_and_are_told(tmp_path: Path) -> None:
    path = write_edf_plus_d(tmp_path / "a.edf", [0.0, 0.5, 2.0], [("EEG C4", 100, "uV", ramp(300))])
    night = open_recording(path)
    got = night.read("EEG C4", 0, 3)
    np.testing.assert_allclose(got[:50], ramp(50), atol=2e-4)
    np.testing.assert_allclose(got[50:150], ramp(100, 100), atol=2e-4)
    assert night.gaps == (Gap(1.5, 2.0),)
    assert any("overlap in time at 1 place" in note for note in night.notes)


def test_records_out_of_order_are_refused(tmp_path: Path) -> None:
    path = write_edf_plus_d(tmp_path / "a.edf", [0.0, 5.0, 3.0], [("EEG C4", 100, "uV", ramp(300))])
    with pytest.raises(RecordingError, match="record 3 does not begin after record 2"):
        open_recording(path)


def test_a_record_whose_time_is_unreadable_is_refused(tmp_path: Path) -> None:
    path = write_edf_plus_d(tmp_path / "a.edf", [0.0, 1.0, 2.0], [("EEG C4", 100, "uV", ramp(300))])
    size = (path.stat().st_size - 768) // 3
    patch(path, 768 + 2 * size + 200, b"garbage")
    with pytest.raises(RecordingError, match="the time of its record 3 can't be read"):
        open_recording(path)


def test_a_time_that_is_absurd_is_refused(tmp_path: Path) -> None:
    path = write_edf_plus_d(tmp_path / "a.edf", [0.0, 1e9], [("EEG C4", 100, "uV", ramp(200))])
    with pytest.raises(RecordingError, match="spans 11,574 days"):
        open_recording(path)


def test_gaps_without_a_timekeeping_channel_are_refused(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(300))], kind="EDF+D")
    with pytest.raises(RecordingError, match="says that it has gaps"):
        open_recording(path)


@pytest.mark.parametrize("bdf", [False, True])
def test_a_file_that_calls_itself_continuous_shows_the_gaps_of_its_own_times(tmp_path: Path, bdf: bool) -> None:
    onsets = [*map(float, range(300)), *(3600.0 + k for k in range(300, 400))]
    x = ramp(4000)
    kind = "BDF+C" if bdf else "EDF+C"
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 10, "uV", x)], onsets=onsets, kind=kind, bdf=bdf)
    night = open_recording(path)
    assert night.format_name == kind
    assert night.gaps == (Gap(300.0, 3900.0),)
    assert night.duration_s == 4000.0
    np.testing.assert_allclose(night.read("EEG C4", 3900, 4000), x[3000:], atol=2e-4)
    assert np.isnan(night.read("EEG C4", 300, 3900)).all()
    assert "calls it continuous, but the times of its records show gaps" in night.notes[0]
    assert "1 gap, 1 h 0 min 0 s in all" in night.notes[1]


@pytest.mark.parametrize(
    "onsets",
    [
        [round(k * 1.0002, 4) for k in range(3000)],  # a drift without a jump
        [float(int(k * 1.0001)) + 0.3 * (k % 2) for k in range(3000)],  # times that go back and forth
        [float(k) for k in range(3000)],
        [7.5 + k for k in range(3000)],
    ],
)
def test_a_continuous_file_whose_clock_is_only_coarse_keeps_its_samples_together(
    tmp_path: Path, onsets: list[float]
) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 10, "uV", ramp(30_000))], onsets=onsets, kind="EDF+C")
    night = open_recording(path)
    assert night.gaps == ()
    assert night.notes == ()
    assert night.duration_s == 3000.0


def test_a_continuous_file_whose_times_make_no_sense_is_told(tmp_path: Path) -> None:
    onsets = [0.0, 1.0, 2.0, 1.0, 200.0]
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 10, "uV", ramp(50))], onsets=onsets, kind="EDF+C")
    night = open_recording(path)
    assert night.gaps == ()
    assert night.duration_s == 5.0
    (note,) = night.notes
    assert "begins 3 min 16 s later" in note
    assert "clock times may be wrong" in note


def test_the_odd_discontinuous_file_keeps_its_five_gaps(shared: Path) -> None:
    night = open_recording(shared / "data" / "odd" / "edf_plus_d.edf")
    assert night.start == datetime(2009, 12, 10, 12, 44, 2)
    assert night.gaps == (Gap(1, 2), Gap(3, 4), Gap(10, 12), Gap(13, 15), Gap(16, 19))
    assert night.duration_s == 20.0
    for label in ("squarewave", "sine 8 Hz"):
        samples = night.read(label, 0, 20).reshape(20, 200)
        there = np.isfinite(samples).all(axis=1)
        assert np.flatnonzero(there).tolist() == [0, 2, 4, 5, 6, 7, 8, 9, 12, 15, 19]
        assert np.isnan(samples[~there]).all()
    assert "5 gaps, 9 s in all" in night.notes[0]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.sampled_from([0, 0, 0, 1, 7, 100]), min_size=1, max_size=30),
    start=st.floats(-3, 40),
    length=st.floats(0, 60),
)
def test_any_window_of_any_gaps_is_the_clock_cut_out(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], start: float, length: float
) -> None:
    # Gaps in whole samples of 20 Hz, records of half a second.
    onsets = [0.5 * k + sum(steps[: k + 1]) / 20 for k in range(len(steps))]
    x = ramp(10 * len(steps))
    path = write_edf_plus_d(tmp_path_factory.getbasetemp() / "any.edf", onsets, [("EEG C4", 20, "uV", x)], record_s=0.5)
    night = open_recording(path)
    whole = on_the_clock(x, onsets, 20, 0.5, night.duration_s)
    first, last = round(start * 20), round((start + length) * 20)
    expected = np.array([whole[i] if 0 <= i < len(whole) else np.nan for i in range(first, last)])
    np.testing.assert_allclose(night.read("EEG C4", start, start + length), expected, atol=2e-4)
    lost = night.duration_s - len(steps) * 0.5
    assert sum(gap.duration_s for gap in night.gaps) == pytest.approx(lost)


def test_a_file_of_many_gaps_opens_and_reads_whole(tmp_path: Path) -> None:
    n = 20_000
    onsets = (np.arange(n) + np.arange(n) // 2).astype(float)
    path = write_edf_plus_d(tmp_path / "a.edf", onsets.tolist(), [("EEG C4", 10, "uV", ramp(10 * n))])
    night = open_recording(path)
    assert len(night.gaps) == n // 2 - 1
    got = night.read("EEG C4", 0, night.duration_s)
    np.testing.assert_allclose(got[np.isfinite(got)], ramp(10 * n), atol=2e-4)


def test_a_run_is_cut_only_beyond_the_tolerance() -> None:
    timeline = from_onsets(np.array([0.0, 1.0009, 2.0, 3.0011]), 1.0, tolerance_s=1e-3)
    assert timeline.first_records.tolist() == [0, 3, 4]
    assert timeline.gaps() == (Gap(3.0, 3.0011),)
