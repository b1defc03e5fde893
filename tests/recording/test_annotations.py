"""Annotations of a file stand where they belong on the recording clock, whatever else is in the file."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.edf_files import START, Signal, patch, ramp, truncate, write_edf
from sleepviewer.errors import RecordingError
from sleepviewer.recording import open_recording
from sleepviewer.recording.annotations import Annotation, parse_lists


def with_edfio(path: Path, annotations: list[edfio.EdfAnnotation], *, bdf: bool = False) -> Path:
    """A recording of a minute with annotations, written by edfio."""
    signal = np.sin(np.arange(6000) / 50)
    if bdf:
        edfio.Bdf(
            [edfio.BdfSignal(signal, 100, label="EEG C4", physical_dimension="uV")], annotations=annotations
        ).write(path)
    else:
        edfio.Edf(
            [edfio.EdfSignal(signal, 100, label="EEG C4", physical_dimension="uV")], annotations=annotations
        ).write(path)
    return path


@pytest.mark.parametrize("bdf", [False, True])
def test_annotations_are_read_in_order_with_onset_duration_text_and_channel(tmp_path: Path, bdf: bool) -> None:
    written = [
        edfio.EdfAnnotation(30.25, 3.5, "Arousal"),
        edfio.EdfAnnotation(2, None, "Lights off"),
        edfio.EdfAnnotation(45, 0.5, "Spindel µ, groß@@EEG C4"),
    ]
    path = with_edfio(tmp_path / ("a.bdf" if bdf else "a.edf"), written, bdf=bdf)
    found = open_recording(path).annotations()
    assert found.entries == (
        Annotation(2.0, 0.0, "Lights off"),
        Annotation(30.25, 3.5, "Arousal"),
        Annotation(45.0, 0.5, "Spindel µ, groß", "EEG C4"),
    )
    assert found.notes == ()
    assert len(found) == 3


def test_a_file_without_annotations_has_none(tmp_path: Path) -> None:
    assert len(open_recording(write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(1000))])).annotations()) == 0


def tal_file(path: Path, lists: dict[int, bytes], onsets: list[float], *, kind: str = "EDF+D") -> Path:
    """A file whose records begin at ``onsets`` and hold these annotation lists beside their own times."""
    width = max(map(len, lists.values())) + 30
    write_edf(
        path,
        [Signal("EEG C4", 100, "uV", ramp(100 * len(onsets)))],
        onsets=onsets,
        kind=kind,
    )
    raw = path.read_bytes()
    header = bytearray(raw[: 256 * 3])
    size = int((len(raw) - 768) / len(onsets)) - 200
    records = [raw[768 + k * (200 + size) :][: 200 + size] for k in range(len(onsets))]
    width += width % 2
    at = 256 + 2 * (16 + 80 + 8 * 5 + 80) + 8
    header[at : at + 8] = str(width // 2).encode().ljust(8)
    body = b""
    for number, record in enumerate(records):
        own = record[200:].rstrip(b"\x00") + b"\x00"
        body += record[:200] + (own + lists.get(number, b"")).ljust(width, b"\x00")
    path.write_bytes(bytes(header) + body)
    return path


def test_onsets_count_from_the_first_sample_and_gaps_count(tmp_path: Path) -> None:
    onsets = [100.0, 101.0, 160.0, 161.0]
    path = tal_file(
        tmp_path / "a.edf", {0: b"+100.5\x14first\x14\x00", 2: b"+160.5\x152\x14after the gap\x14\x00"}, onsets
    )
    recording = open_recording(path)
    first, after = recording.annotations()
    assert (first.onset_s, first.text) == (0.5, "first")
    assert (after.onset_s, after.stop_s) == (60.5, 62.5)
    assert recording.clock(after.onset_s) == START + timedelta(seconds=160.5)
    assert np.isfinite(recording.read("EEG C4", after.onset_s, after.onset_s + 0.1)).all()


def test_damaged_ones_are_left_out_and_told(tmp_path: Path) -> None:
    lists = {
        0: b"+0.5\x14good\x14\x00soon\x14no time\x14\x00",
        1: b"+1\x15x\x14no duration\x14\x00+1e9\x14no number\x14\x00+99999999\x14in three years\x14\x00",
        2: b"+2.5\x14latin \xb5\x14second text\x14\x00+3\x14cut",
    }
    found = open_recording(tal_file(tmp_path / "a.edf", lists, [0.0, 1.0, 2.0])).annotations()
    assert [entry.text for entry in found] == ["good", "latin µ", "second text"]
    (note,) = found.notes
    assert "5 annotations" in note


def test_a_file_that_is_gone_or_changed_is_a_sentence(tmp_path: Path) -> None:
    path = with_edfio(tmp_path / "a.edf", [edfio.EdfAnnotation(1, None, "x")])
    recording = open_recording(path)
    truncate(path, 5000)
    with pytest.raises(RecordingError, match="has changed"):
        recording.annotations()
    path.unlink()
    with pytest.raises(RecordingError, match=r"a\.edf"):
        recording.annotations()
    with pytest.raises(RecordingError):
        open_recording(patch(with_edfio(path, []), 0, b"x"))


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=200) | st.text("+-0123456789.\x14\x15\x00ab", max_size=60).map(str.encode))
def test_no_bytes_are_too_wild(raw: bytes) -> None:
    found, damaged = parse_lists(raw)
    assert damaged >= 0
    for entry in found:
        assert np.isfinite([entry.onset_s, entry.duration_s]).all()
        assert entry.text
        assert entry.text.isprintable()


def test_mne_counts_pauses_as_the_clock_does(tmp_path: Path) -> None:
    mne = pytest.importorskip("mne")
    raw = mne.io.RawArray(np.zeros((1, 3000)), mne.create_info(["C4"], 100, "eeg"), verbose="ERROR")
    raw.set_meas_date(START.replace(tzinfo=UTC))
    raw.set_annotations(mne.Annotations([12.5, 3], [2, 0], ["Arousal", "Lights  off"], orig_time=raw.info["meas_date"]))
    raw.save(tmp_path / "a_raw.fif", verbose="ERROR")
    found = open_recording(tmp_path / "a_raw.fif").annotations()
    assert [(a.onset_s, a.duration_s, a.text) for a in found] == [(3.0, 0.0, "Lights off"), (12.5, 2.0, "Arousal")]


def test_after_a_pause_of_brainvision(tmp_path: Path) -> None:
    pytest.importorskip("mne")
    (tmp_path / "a.eeg").write_bytes(np.zeros(2000, "<i2").tobytes())
    (tmp_path / "a.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nDataFile=a.eeg\n[Marker Infos]\n"
        "Mk1=New Segment,,1,1,0,20210304223015000000\nMk2=New Segment,,1001,1,0,20210304223115000000\n"
        "Mk3=Comment,late,1101,1,0\n"
    )
    (tmp_path / "a.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=a.eeg\nMarkerFile=a.vmrk\n"
        "DataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=1\nSamplingInterval=10000\n"
        "[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\nCh1=C4,,0.1,µV\n",
        encoding="utf-8",
    )
    found = {a.text: a.onset_s for a in open_recording(tmp_path / "a.vhdr").annotations()}
    assert found["Comment/late"] == pytest.approx(61.0)
