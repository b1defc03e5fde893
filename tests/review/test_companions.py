"""Which hypnogram beside a recording is its reference: by its name, in every format, and alike through every door."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import sleepviewer as sv
from helpers.night_files import TRUTH, write_night, write_stages
from sleepviewer.cli import main
from sleepviewer.errors import OutputError
from sleepviewer.review.checking import check_recording
from sleepviewer.review.companions import find_reference, find_references, is_hypnogram_name
from sleepviewer.review.exporting import export_labels
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import review_places, save_path_of


def folder(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).touch()
    return path


@pytest.mark.parametrize(
    ("recording", "hypnogram"),
    [
        ("SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf"),
        ("ST7011J0-PSG.edf", "ST7011JP-Hypnogram.edf"),
        ("ucddb018.edf", "ucddb018-Hypnogram.edf"),
        ("night.edf", "night_hypnogram.csv"),
        ("night-PSG.edf", "night-Hypnogram.edf"),
        ("night_psg.bdf", "night_hypnogram.txt"),
        ("night-PSG.edf", "night-PSG_hypnogram.tsv"),
        ("a+b (1).edf", "a+b (1)_Hypnogram.EDF"),
        ("shhs1-200001.edf", "shhs1-200001-profusion.xml"),
        ("night.edf", "night-Hypnogram.json"),
        ("night.edf", "night-Hypnogram.annot"),
        ("night.edf", "night-Hypnogram.hyp"),
        ("night.edf", "night-Hypnogram.xml"),
        ("night.edf", "night-Hypnogram.rml"),
        ("night.edf", "night_hypnogram.eannot"),
        ("night.edf", "night-Hypnogram.yasa.txt"),
        ("night.fif.gz", "night-Hypnogram.edf"),
        ("night.FIF.GZ", "night-hypnogram.stg.txt"),
        ("night.vhdr", "night-Hypnogram.csv"),
        ("wsc-visit1-10119-nsol.edf", "wsc-visit1-10119-nsol.stg.txt"),
    ],
)
def test_a_hypnogram_beside_its_recording_is_found(tmp_path: Path, recording: str, hypnogram: str) -> None:
    folder(tmp_path, recording, hypnogram, "SC4002EC-Hypnogram.edf", "other-Hypnogram.edf", "night2_hypnogram.csv")
    assert find_reference(tmp_path / recording) == tmp_path / hypnogram


def test_two_hypnograms_are_named_and_neither_is_taken(tmp_path: Path) -> None:
    folder(tmp_path, "SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf", "SC4001EH-Hypnogram.edf")
    found = find_references(tmp_path / "SC4001E0-PSG.edf")
    assert found.path is None
    assert "(SC4001EC-Hypnogram.edf, SC4001EH-Hypnogram.edf); none was used" in found.note
    folder(tmp_path, "night.edf", "night-Hypnogram.edf", "night_hypnogram.csv")
    assert find_reference(tmp_path / "night.edf") is None


def test_a_name_with_a_word_counts_before_one_with_the_ending_alone(tmp_path: Path) -> None:
    folder(tmp_path, "night.edf", "night.stg.txt", "night-Hypnogram.edf")
    assert find_reference(tmp_path / "night.edf") == tmp_path / "night-Hypnogram.edf"


def test_no_hypnogram_is_no_answer(tmp_path: Path) -> None:
    folder(tmp_path, "night.edf", "night.npz", "night_hypnogram.pdf", "night-Hypnogram", "night-nsrr.xml", "night.txt")
    folder(tmp_path, "night-Hypnogram.npz", "night.annot", ".edf")
    found = find_references(tmp_path / "night.edf")
    assert (found.path, found.paths, found.note) == (None, (), "")
    assert find_reference(tmp_path / "nowhere" / "night.edf") is None


def test_the_real_nights_truth_is_found(real_night: Path, real_truth: Path) -> None:
    assert find_reference(real_night) == real_truth


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("night.annot", True),
        ("night.STG.TXT", True),
        ("night-Hypnogram.edf", True),
        ("night.edf", False),
        ("night.fif.gz", False),
        ("night.npz", False),
        ("night.docx", False),
    ],
)
def test_a_hypnogram_is_told_from_a_recording_by_its_name(name: str, expected: bool) -> None:
    assert is_hypnogram_name(Path(name)) is expected


def run(*args: object) -> str:
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    assert done.exit_code in (0, 3), done.output
    return done.output


@pytest.mark.parametrize("ending", [".edf", ".csv", ".txt", ".yasa.txt", ".annot", ".json"])
def test_every_door_takes_the_same_hypnogram(tmp_path: Path, ending: str) -> None:
    night = write_night(tmp_path / "night.edf")
    beside = write_stages(tmp_path / f"night-Hypnogram{ending}", TRUTH)
    opened = open_night(night)
    assert opened.truth_path == beside
    assert opened.document.truth is not None
    assert opened.document.truth.stages.tolist() == TRUTH
    with sv.open(night) as through_api:
        assert through_api.truth is not None
        assert through_api.truth.stages.tolist() == TRUTH
        assert through_api.notes == opened.notes
    assert json.loads(run("info", night, "--json"))["truth_beside"] == str(beside)


def test_every_door_names_several_hypnograms(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf")
    write_stages(tmp_path / "night-Hypnogram.csv", TRUTH)
    write_stages(tmp_path / "night-Hypnogram.annot", TRUTH)
    note = "2 hypnograms beside night.edf fit its name (night-Hypnogram.annot, night-Hypnogram.csv); none was used"
    opened = open_night(night)
    assert opened.document.truth is None
    assert note in opened.notes[-1]
    with sv.open(night) as through_api:
        assert through_api.truth is None
        assert note in through_api.notes[-1]
    assert note in run("info", night)
    assert any(note in finding.sentence for finding in check_recording(opened.recording).findings)
    named = open_night(night, truth_path=tmp_path / "night-Hypnogram.csv")
    assert named.document.truth is not None
    assert not any(note in told for told in named.notes)


def test_nothing_is_written_over_any_of_several_hypnograms(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf")
    beside = [write_stages(tmp_path / f"night-Hypnogram{ending}", TRUTH) for ending in (".csv", ".annot")]
    opened = open_night(night, truth_path=write_stages(tmp_path / "other.csv", TRUTH))
    for path in beside:
        with pytest.raises(OutputError, match="is the expert's hypnogram"):
            export_labels(opened, path, replace=True)


def test_a_review_of_a_name_with_two_endings_is_named_without_both_and_the_older_name_is_found(tmp_path: Path) -> None:
    night = tmp_path / "night.fif.gz"
    night.write_bytes(write_night(tmp_path / "other.edf").read_bytes())  # known by its first bytes
    opened = open_night(night)
    assert save_path_of(opened) == tmp_path / "night.npz"
    folder(tmp_path, "night.npz", "night.fif.npz", "night-2.npz", "nightly.npz")
    assert {path.name for path in review_places(opened.recording)} == {"night.npz", "night.fif.npz", "night-2.npz"}
