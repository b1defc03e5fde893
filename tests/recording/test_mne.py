"""Formats beyond EDF come through MNE with the same contract."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sleepviewer.errors import ChannelError, RecordingError
from sleepviewer.recording import Gap, Role, open_recording
from sleepviewer.recording.brainvision import Segment, lay_out

RATE = 100.0
START = datetime(2021, 3, 4, 22, 30, 15, tzinfo=UTC)
NAMES = ["C4-M1", "E1-M2", "Chin", "Body temperature"]
KINDS = ["eeg", "eog", "emg", "misc"]


def microvolts() -> np.ndarray:
    """Values of the four channels in the unit that they must come out in, ``[4, 1000]``."""
    return np.random.default_rng(3).uniform(-90, 90, (4, 1000))


def write_fif(path: Path, annotations: list[tuple[float, float, str]] | None = None, cut_s: float = 0.0) -> Path:
    import mne

    data = microvolts() * np.array([[1e-6], [1e-6], [1e-6], [1.0]])
    raw = mne.io.RawArray(data, mne.create_info(NAMES, RATE, KINDS), verbose="ERROR")
    raw.set_meas_date(START)
    if annotations:
        onsets, durations, texts = zip(*annotations, strict=True)
        raw.set_annotations(mne.Annotations(onsets, durations, texts, orig_time=START))
    raw.crop(tmin=cut_s).save(path, verbose="ERROR")
    return path


def write_brainvision(folder: Path, *segments: tuple[int, str]) -> Path:
    """A BrainVision triple in float32: an EEG channel in µV, one in mV, a belt in a unit that MNE does not know.

    ``segments`` are those after the first: the number of its first sample, from 1, and its date as it stands there.
    """
    x = np.random.default_rng(4).uniform(-90, 90, (3, 500)).astype("<f4")
    (folder / "a.eeg").write_bytes(x.T.tobytes())
    (folder / "a.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\n"
        "[Marker Infos]\nMk1=New Segment,,1,1,0,20210304223015000000\n"
        + "".join(f"Mk{i}=New Segment,,{first},1,0{date}\n" for i, (first, date) in enumerate(segments, start=2)),
        encoding="utf-8",
    )
    header = folder / "a.vhdr"
    header.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\n"
        "MarkerFile=a.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=3\n"
        "SamplingInterval=5000\n[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n[Channel Infos]\n"
        "Ch1=Fpz-Cz,,1,µV\nCh2=Chin1,,1,mV\nCh3=Thorax,,1,ARU\n",
        encoding="utf-8",
    )
    return header


def test_fif_comes_out_in_microvolts(tmp_path: Path) -> None:
    night = open_recording(write_fif(tmp_path / "night_raw.fif"))
    assert night.format_name == "FIF"
    assert night.start == START.replace(tzinfo=None)
    assert night.duration_s == 10.0
    assert [c.label for c in night.channels] == NAMES
    assert [c.role for c in night.channels] == [Role.EEG, Role.EOG, Role.EMG, Role.OTHER]
    assert [c.is_voltage for c in night.channels] == [True, True, True, False]
    for label, expected in zip(NAMES, microvolts(), strict=True):
        np.testing.assert_allclose(night.read(label, 0, 10), expected, rtol=1e-5)
    assert any("UTC" in note for note in night.notes)


def test_a_window_beyond_the_end_is_nan(tmp_path: Path) -> None:
    with open_recording(write_fif(tmp_path / "night_raw.fif")) as night:
        window = night.read("C4-M1", -1, 11)
        assert len(window) == 1200
        assert np.isnan(window).nonzero()[0].tolist() == [*range(100), *range(1100, 1200)]
        assert np.isnan(night.read("C4-M1", 100, 101)).all()
        with pytest.raises(ChannelError, match="no channel"):
            night.read("C3", 0, 1)


def test_stretches_that_the_recorder_skipped_are_gaps(tmp_path: Path) -> None:
    marks = [(2.0, 1.5, "BAD_ACQ_SKIP"), (6.0, 1.0, "BAD_muscle"), (8.0, 0.0, "EDGE boundary")]
    night = open_recording(write_fif(tmp_path / "night_raw.fif", marks))
    assert night.gaps == (Gap(2.0, 3.5),)
    got = night.read("C4-M1", 1, 10)
    assert np.isnan(got).nonzero()[0].tolist() == [*range(100, 250)]
    assert any("1 gap, 1.5 s" in note for note in night.notes)
    assert any("was cut at 1 place" in note for note in night.notes)


def test_a_recording_cut_at_its_beginning_keeps_its_clock(tmp_path: Path) -> None:
    night = open_recording(write_fif(tmp_path / "night_raw.fif", [(2.0, 1.5, "BAD_ACQ_SKIP")], cut_s=1.0))
    assert night.start == START.replace(tzinfo=None, second=16)
    assert night.duration_s == 9.0
    assert night.gaps == (Gap(1.0, 2.5),)
    np.testing.assert_allclose(night.read("C4-M1", 0, 1), microvolts()[0, 100:200], rtol=1e-5)


def test_brainvision_voltages_come_out_in_microvolts_and_others_as_they_are(tmp_path: Path) -> None:
    header = write_brainvision(tmp_path)
    night = open_recording(header)
    assert night.format_name == "BrainVision"
    assert night.start == datetime(2021, 3, 4, 22, 30, 15)
    assert [(c.label, c.rate_hz, c.unit, c.role) for c in night.channels] == [
        ("Fpz-Cz", 200.0, "µV", Role.EEG),
        ("Chin1", 200.0, "µV", Role.EMG),
        ("Thorax", 200.0, "", Role.RESPIRATION),
    ]
    x = np.random.default_rng(4).uniform(-90, 90, (3, 500)).astype("<f4")
    for label, expected in zip(("Fpz-Cz", "Chin1", "Thorax"), x * np.array([[1], [1e3], [1]]), strict=True):
        np.testing.assert_allclose(night.read(label, 0, 2.5), expected, rtol=1e-5)


def test_a_brainvision_recording_that_was_paused_has_a_gap(tmp_path: Path) -> None:
    # 200 samples in a second, a pause until an hour after the start, 200 more, and ten seconds after these the rest.
    header = write_brainvision(tmp_path, (201, ",20210304233015000000"), (401, ",20210304233026000000"))
    night = open_recording(header)
    assert night.gaps == (Gap(1.0, 3600.0), Gap(3601.0, 3611.0))
    assert night.duration_s == 3611.5
    assert night.start == datetime(2021, 3, 4, 22, 30, 15)
    assert any("2 gaps" in note for note in night.notes)
    x = np.random.default_rng(4).uniform(-90, 90, (3, 500)).astype("<f4")[0]
    whole = night.read("Fpz-Cz", 0, night.duration_s)
    there = np.flatnonzero(np.isfinite(whole))
    assert there.tolist() == [*range(200), *range(720_000, 720_200), *range(722_200, 722_300)]
    np.testing.assert_allclose(whole[there], x, rtol=1e-5)
    np.testing.assert_allclose(night.read("Fpz-Cz", 3600.5, 3602)[:100], x[300:400], rtol=1e-5)
    assert np.isnan(night.read("Fpz-Cz", 3602, 3603)).all()
    assert np.isnan(night.read("Fpz-Cz", 3612, 3613)).all()


def test_a_brainvision_segment_without_a_pause_makes_no_gap(tmp_path: Path) -> None:
    header = write_brainvision(tmp_path, (201, ",20210304223016000400"), (401, ",20210304223016900000"))
    night = open_recording(header)
    assert night.gaps == ()
    assert night.duration_s == 2.5
    assert not any("paused" in note or "clock" in note for note in night.notes)


@pytest.mark.parametrize("date", ["", ",", ",00000000000000000000", ",20990304233015000000"])
def test_a_pause_of_unknown_length_is_told(tmp_path: Path, date: str) -> None:
    night = open_recording(write_brainvision(tmp_path, (201, date)))
    assert night.gaps == ()
    assert any("was paused once" in note and "shown too early" in note for note in night.notes)


def test_a_clock_that_was_set_back_is_told(tmp_path: Path) -> None:
    night = open_recording(write_brainvision(tmp_path, (201, ",20210304220000000000")))
    assert night.gaps == ()
    assert night.duration_s == 2.5
    assert any("the clock goes back at 1 place" in note for note in night.notes)


def test_after_a_clock_was_set_back_later_pauses_are_kept() -> None:
    first = datetime(2021, 3, 4, 22, 30)
    back = first - timedelta(hours=1)
    segments = [Segment(0, first), Segment(200, back), Segment(400, back + timedelta(seconds=12))]
    laid = lay_out(segments, 500, 100.0)
    assert (laid.set_back, laid.undated, laid.lead_s) == (1, 0, 0.0)
    assert laid.timeline.starts_s.tolist() == [0.0, 14.0]


def test_the_clock_is_that_of_the_first_segment_that_has_one(tmp_path: Path) -> None:
    header = write_brainvision(tmp_path, (201, ",20210304233015000000"))
    markers = header.with_suffix(".vmrk")
    markers.write_text(markers.read_text().replace(",20210304223015000000", ""))
    night = open_recording(header)
    assert night.start == datetime(2021, 3, 4, 23, 30, 14)
    assert night.gaps == ()


@pytest.mark.parametrize("name", ["a.vhdr", "a.fif", "a_raw.fif.gz", "a.set", "a.gdf", "a.cnt", "a.lay", "a.eeg"])
def test_a_file_that_mne_cannot_read_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"Dear colleague, here is the night.\n" * 40)
    with pytest.raises(RecordingError, match="can't be read as") as caught:
        open_recording(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_brainvision_header_without_its_data_is_refused(tmp_path: Path) -> None:
    header = write_brainvision(tmp_path)
    (tmp_path / "a.eeg").unlink()
    with pytest.raises(RecordingError, match=r"a\.vhdr can't be read as BrainVision"):
        open_recording(header)


def test_data_that_are_replaced_are_an_error(tmp_path: Path) -> None:
    night = open_recording(write_brainvision(tmp_path))
    data = tmp_path / "a.eeg"
    data.write_bytes(data.read_bytes()[::-1])
    os.utime(data, ns=(0, 0))
    for read in (night.check_unchanged, lambda: night.read("Fpz-Cz", 0, 1)):
        with pytest.raises(RecordingError, match=r"a\.eeg has changed since it was opened; open it again"):
            read()


def test_data_that_go_away_are_an_error_and_no_crash(tmp_path: Path) -> None:
    night = open_recording(write_brainvision(tmp_path))
    (tmp_path / "a.eeg").unlink()
    with pytest.raises(RecordingError, match="can't be read any more"):
        night.read("Fpz-Cz", 0, 1)
