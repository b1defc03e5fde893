"""The table of recording formats: every ending opens through every door, and a row is all that a new format needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import sleepviewer as sv
from helpers.night_files import write_night
from sleepviewer.app.shell import dialogs
from sleepviewer.batch.planning import Wanted, plan
from sleepviewer.cli import main
from sleepviewer.errors import BatchError, RecordingError
from sleepviewer.recording import Recording, formats, open_recording
from sleepviewer.recording.edf import open_edf
from sleepviewer.recording.formats import RecordingFormat, base_name, is_recording_name
from sleepviewer.review.companions import is_hypnogram_name

TESTS = Path(formats.__file__).resolve().parents[2] / "tests"
ENDINGS = [(known.title, ending) for known in formats.FORMATS for ending in known.endings]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let MNE's readers return an EDF recording: what counts here is that they are asked."""
    edf = write_night(tmp_path / "stand-in.dat")

    def row(known: RecordingFormat) -> RecordingFormat:
        return known if known.magic else replace(known, open=lambda path: _named(open_edf(edf), known.title))

    monkeypatch.setattr(formats, "FORMATS", tuple(row(known) for known in formats.FORMATS))


def _named(recording: Recording, title: str) -> Recording:
    recording.format_name = title
    return recording


def recording_file(folder: Path, ending: str) -> Path:
    path = folder / f"n.1{ending}"
    if formats.format_named(path).magic:  # type: ignore[union-attr]
        return write_night(path)
    path.write_bytes(b"another program's bytes")
    return path


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(("title", "ending"), [*ENDINGS, ("FIF", ".FIF.GZ"), ("EDF", ".EDF")])
def test_every_ending_opens_through_every_door(tmp_path: Path, title: str, ending: str) -> None:
    path = recording_file(tmp_path, ending)
    assert f"*{ending.lower()}" in dialogs.recording_filter()
    assert is_recording_name(path)
    assert not is_hypnogram_name(path)  # a dropped one is opened as a recording
    assert base_name(path) == "n.1"
    with open_recording(path) as recording:
        assert recording.format_name.startswith(title if title != "BDF" else "EDF")
    with sv.open(path) as night:
        assert night.recording.n_epochs == 20
    assert CliRunner().invoke(main, ["info", str(path)]).exit_code == 0
    (job,) = plan([tmp_path], Wanted(tmp_path / "out")).jobs
    assert (job.path, job.file) == (path, "n.1.npz")


@pytest.mark.usefixtures("stand_in")
def test_the_samples_of_a_brainvision_recording_are_no_recording(tmp_path: Path) -> None:
    for name in ("night.vhdr", "night.eeg", "alone.eeg"):
        (tmp_path / name).write_bytes(b"samples")
    jobs = plan([str(tmp_path / "*.*")], Wanted(tmp_path / "out")).jobs
    assert [job.path.name for job in jobs] == ["alone.eeg", "night.vhdr"]
    with pytest.raises(RecordingError, match=r"night\.eeg holds the samples of night\.vhdr; open night\.vhdr"):
        open_recording(tmp_path / "night.eeg")


def test_what_is_refused_names_the_endings_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "night.docx").write_text("no night")
    with pytest.raises(RecordingError) as refused:
        open_recording(tmp_path / "night.docx")
    with pytest.raises(BatchError) as nothing:
        plan([tmp_path], Wanted(tmp_path / "out"))
    for title, ending in ENDINGS:
        assert title in str(refused.value)
        assert ending in str(refused.value)
        assert ending in str(nothing.value)


def test_a_row_is_all_that_a_new_format_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edf = write_night(tmp_path / "night.dat")
    row = RecordingFormat("Toy", (".toy", ".toy.gz"), lambda _: open_edf(edf))
    path = tmp_path / "night.toy.gz"
    path.write_bytes(b"toy")
    with pytest.raises(RecordingError, match="unknown format"):
        open_recording(path)
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, row))
    assert "*.toy *.toy.gz" in dialogs.recording_filter()
    assert "Toy" in formats.recording_titles()
    assert open_recording(path).n_epochs == 20
    assert [job.file for job in plan([tmp_path], Wanted(tmp_path / "out")).jobs] == ["night.npz"]
    assert CliRunner().invoke(main, ["info", str(path)]).exit_code == 0


def test_an_eeglab_file_and_a_compressed_fif_file_are_read(tmp_path: Path) -> None:
    import mne
    from scipy.io import savemat

    microvolts = np.random.default_rng(1).uniform(-90, 90, (1, 1000))
    raw = mne.io.RawArray(microvolts * 1e-6, mne.create_info(["C4"], 100.0, ["eeg"]), verbose="ERROR")
    raw.save(tmp_path / "night_raw.fif.gz", verbose="ERROR")
    channel = np.array([("C4",)], dtype=[("labels", object)])
    eeg = {"srate": 100.0, "nbchan": 1, "pnts": 1000, "trials": 1, "data": microvolts, "chanlocs": channel, "event": []}
    savemat(tmp_path / "night.set", {"EEG": eeg | {"setname": "night", "xmin": 0.0, "epoch": [], "icawinv": []}})
    for name, title in (("night_raw.fif.gz", "FIF"), ("night.set", "EEGLAB")):
        with open_recording(tmp_path / name) as recording:
            assert recording.format_name == title
            assert np.allclose(recording.read("C4", 0.0, 10.0), microvolts[0], atol=1e-3)


def test_the_tests_that_a_row_names_are_there() -> None:
    names = {name for known in formats.FORMATS for name in known.tests}
    assert not [name for name in names if not exists(name)]


def exists(name: str) -> bool:
    """Whether a test module is there, in its folder or as ``test_FOLDER_…``."""
    folder, _, module = name.partition("/")
    return (TESTS / name).exists() or (TESTS / f"test_{folder}_{module.removeprefix('test_')}").exists()
