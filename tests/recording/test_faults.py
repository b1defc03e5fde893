"""Every fault of a file is one sentence, or a note and as much of the night as is whole."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.edf_files import patch, ramp, truncate, write_edf, write_edf_plus_d
from sleepviewer.errors import RecordingError, SleepViewerError
from sleepviewer.recording import Role, open_recording


def sound(folder: Path, **more: object) -> Path:
    channels = [("EEG C4", 100, "uV", ramp(1000)), ("Temp", 1, "DegC", ramp(10))]
    return write_edf(folder / "night.edf", channels, **more)  # type: ignore[arg-type]


def refused(path: Path | str) -> str:
    with pytest.raises(RecordingError) as caught:
        open_recording(path)
    sentence = str(caught.value)
    assert Path(path).name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.edf").startswith(f"No such file: {tmp_path / 'none.edf'}")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "night.edf"
    path.touch()
    assert "is empty" in refused(path)


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sound(tmp_path)

    def deny(*_args: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    assert "permission denied" in refused(path)


@pytest.mark.parametrize(("name", "family"), [("a.edf", "EDF"), ("a.BDF", "BDF"), ("a.rec", "EDF")])
def test_a_text_file_called_edf(tmp_path: Path, name: str, family: str) -> None:
    path = tmp_path / name
    path.write_text("Dear colleague, here is the night.\n" * 50)
    assert f"is no {family} file" in refused(path)


def test_an_unknown_format(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_text("Dear colleague")
    assert "has an unknown format" in refused(path)
    assert "BrainVision" in refused(path)


@pytest.mark.parametrize("size", [8, 100, 255, 256, 500, 767])
def test_a_file_cut_in_its_header(tmp_path: Path, size: int) -> None:
    assert "ends inside its header" in refused(truncate(sound(tmp_path), size))


def test_a_file_without_data_records(tmp_path: Path) -> None:
    path = truncate(sound(tmp_path, n_records=0), 768)
    assert "no data records" in refused(path)


def test_a_file_cut_in_its_first_record(tmp_path: Path) -> None:
    assert "before its first data record is whole" in refused(truncate(sound(tmp_path), 800))


def test_a_file_without_signals(tmp_path: Path) -> None:
    assert "holds no signals" in refused(patch(sound(tmp_path), 252, b"0   "))


def test_a_file_of_annotations_alone_is_sent_to_the_hypnograms(shared: Path) -> None:
    assert "open it as a hypnogram" in refused(shared / "data" / "ucddb" / "ucddb018-Hypnogram.edf")


def test_records_of_no_duration(tmp_path: Path) -> None:
    assert "records last 0 seconds" in refused(patch(sound(tmp_path), 244, b"0       "))


@pytest.mark.parametrize(
    ("offset", "raw"),
    [
        (244, b"1e-9    "),
        (252, b"abcd"),
        (236, b"many    "),
        (244, b"nan     "),
        (768 - 80, b"-5      "),
        (256 + 2 * 112, b"low     "),
    ],
)
def test_header_fields_that_nobody_can_read(tmp_path: Path, offset: int, raw: bytes) -> None:
    assert "damaged header" in refused(patch(sound(tmp_path), offset, raw))


@pytest.mark.parametrize("cut", [1, 203, 204 * 3, 204 * 3 + 100])
def test_a_file_cut_in_its_data_opens_as_far_as_it_is_whole(tmp_path: Path, cut: int) -> None:
    night = open_recording(truncate(sound(tmp_path), -cut))
    whole = 10 - -(-cut // 202)
    assert night.duration_s == whole
    (note,) = night.notes
    assert f"the header says 10 records, the file holds {whole}; opened as far as it is whole" in note
    got = night.read("EEG C4", 0, 10)
    np.testing.assert_allclose(got[: 100 * whole], ramp(100 * whole), atol=2e-4)
    assert np.isnan(got[100 * whole :]).all()


def test_a_file_that_was_never_closed(tmp_path: Path) -> None:
    night = open_recording(sound(tmp_path, n_records=-1))
    assert night.duration_s == 10
    assert "not closed by the recorder" in night.notes[0]


def test_a_file_longer_than_it_says(tmp_path: Path) -> None:
    night = open_recording(sound(tmp_path, n_records=7))
    assert night.duration_s == 10
    assert "7 records by the header, 10 opened" in night.notes[0]


def test_bytes_after_the_last_record(tmp_path: Path) -> None:
    path = sound(tmp_path)
    path.write_bytes(path.read_bytes() + b"tail")
    night = open_recording(path)
    assert night.duration_s == 10
    assert "4 bytes after its last record" in night.notes[0]


def test_a_wrong_header_length_is_told(tmp_path: Path) -> None:
    night = open_recording(patch(sound(tmp_path), 184, b"512     "))
    np.testing.assert_allclose(night.read("EEG C4", 0, 10), ramp(1000), atol=2e-4)
    assert "768 are used" in night.notes[0]


def test_a_channel_without_samples_is_left_out(tmp_path: Path) -> None:
    channels = [("EEG C4", 100, "uV", ramp(1000)), ("EMG", 1, "uV", ramp(10))]
    path = write_edf(tmp_path / "night.edf", channels)
    path.write_bytes(path.read_bytes()[:768] + bytes(200 * 10))
    night = open_recording(patch(path, 768 - 64 - 8, b"0       "))
    assert [c.label for c in night.channels] == ["EEG C4"]
    assert "no samples for “EMG”" in night.notes[0]


@pytest.mark.parametrize("raw", [b"-32768.0", b"-32768,0"])
def test_a_header_that_only_mne_can_read_is_opened_by_it_and_told(tmp_path: Path, raw: bytes) -> None:
    channels = [("EEG C4", 100, "uV", ramp(1000)), ("EOG E1", 100, "mV", ramp(1000))]
    path = patch(write_edf(tmp_path / "night.edf", channels), 256 + 2 * 120, raw)
    night = open_recording(path)
    np.testing.assert_allclose(night.read("EEG C4", 0, 10), ramp(1000), atol=1e-3)
    np.testing.assert_allclose(night.read("EOG E1", 0, 10), ramp(1000) * 1e3, rtol=1e-5, atol=1)
    assert [c.unit for c in night.channels] == ["µV", "µV"]
    assert "it was read by MNE" in night.notes[0]


@settings(max_examples=150, deadline=None)
@given(damage=st.lists(st.tuples(st.integers(0, 767), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_a_damaged_header_opens_or_is_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, bytes]]
) -> None:
    path = sound(tmp_path_factory.getbasetemp())
    for offset, raw in damage:
        patch(path, offset, raw)
    # Any other exception, or a warning, fails the test.
    with suppress(SleepViewerError):
        night = open_recording(path)
        for channel in night.channels:
            assert len(night.read(channel.label, 0, 2)) == round(2 * channel.rate_hz)


def test_odd_files_open_right(shared: Path) -> None:
    odd = shared / "data" / "odd"
    assert "no data records" in refused(odd / "zero_data_records.edf")

    night = open_recording(odd / "duplicate_labels.edf")
    assert [c.label for c in night.channels] == ["EEG F1-Ref", "EEG F2-Ref", "EEG F1-Ref (2)"]
    assert [c.role for c in night.channels] == [Role.EEG] * 3
    assert len(night.notes) == 1

    night = open_recording(odd / "mixed_rates.edf")
    assert [(c.rate_hz, c.unit, c.file_unit) for c in night.channels] == [(100, "µV", "V"), (12.8, "µV", "uV")]
    assert len(night.read(night.channels[1].label, 0, 110)) == 1408
    assert float(np.nanmax(night.read(night.channels[0].label, 0, 110))) == pytest.approx(5e6, rel=0.01)

    for name in ("subsecond_start.edf", "subsecond_start.bdf", "utf8_annotations.edf"):
        night = open_recording(odd / name)
        assert night.start == datetime(2020, 1, 24, 4, 5, 56, 394531)
        assert (night.duration_s, night.gaps, night.notes) == (698.0, (), ())
        assert [(c.label, c.rate_hz, c.role) for c in night.channels] == [("Fp1", 128.0, Role.EEG)]
    edf, bdf = (open_recording(odd / f"subsecond_start.{suffix}") for suffix in ("edf", "bdf"))
    np.testing.assert_allclose(edf.read("Fp1", 0, 698), bdf.read("Fp1", 0, 698), rtol=1e-6)

    night = open_recording(odd / "bdf_plus_c.bdf")
    assert (night.format_name, night.duration_s, len(night.channels)) == ("BDF+C", 20.0, 11)
    sine = night.read("sine 8 Hz", 0, 20)
    assert float(np.abs(np.fft.rfft(sine)).argmax()) / 20 == 8.0


def test_a_number_of_signals_beyond_every_file(tmp_path: Path) -> None:
    assert "ends inside its header" in refused(patch(sound(tmp_path), 252, b"1e99"))


@pytest.mark.parametrize("blank", [b"\xa0", b"\x85", b"\x1c", b"\x00"])
def test_a_strange_blank_behind_the_name_of_the_annotations(tmp_path: Path, blank: bytes) -> None:
    path = write_edf_plus_d(tmp_path / "night.edf", [0, 1, 5, 6], [("EEG C4", 100, "uV", ramp(400))])
    behind = path.read_bytes().index(b"EDF Annotations") + len(b"EDF Annotations")
    with open_recording(patch(path, behind, blank)) as night:
        assert [channel.label for channel in night.channels] == ["EEG C4"]
        assert [(gap.start_s, gap.stop_s) for gap in night.gaps] == [(2, 5)]
