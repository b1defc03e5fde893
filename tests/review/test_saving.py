"""What must not be lost: corrections, the expert's hypnogram, and which recording they belong to."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from helpers.edf_files import Signal, write_edf
from helpers.review_values import prediction_of
from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import OutputError, ReviewInTheWayError
from sleepviewer.hypnogram import Hypnogram, write_hypnogram
from sleepviewer.review.document import Base
from sleepviewer.review.exporting import export_labels
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_path_of, save_review
from sleepviewer.stages import Stage

N, RATE = 8, 100
START = datetime(2021, 3, 4, 22, 30)
TRUTH = [0, 1, 2, 2, 3, 4, 4, 0]
OTHER = [2] * N


def write_stages(path: Path, stages: list[int]) -> Path:
    write_hypnogram(Hypnogram(np.array(stages, dtype=np.int8), START, "expert", "expert"), path)
    return path


def write_night(path: Path, *, seed: int = 0, unit: str = "uV") -> Path:
    samples = np.round(np.random.default_rng(seed).standard_normal(N * 30 * RATE) * 30, 1)
    return write_edf(path, [Signal("EEG C4", RATE, unit, samples)], start=START, record_s=30)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


@pytest.fixture
def saved(path: Path) -> Night:
    """A night with one correction, saved beside the recording."""
    night = open_night(path)
    night.document.set_stage([3], Stage.N3)
    save_review(night, save_path_of(night))
    return night


# -- the same night twice


def test_the_second_of_two_windows_does_not_write_over_the_firsts_corrections(path: Path) -> None:
    first, second = open_night(path), open_night(path)
    first.document.set_stage([4], Stage.N3)
    save_review(first, save_path_of(first))
    second.document.set_stage([7], Stage.REM)
    with pytest.raises(ReviewInTheWayError, match=r"night\.npz was not written over"):
        save_review(second, save_path_of(second))
    assert second.document.unsaved
    assert open_night(path).document.corrected[4] == Stage.N3
    save_review(second, save_path_of(second), replace=True)
    assert open_night(path).document.corrected[7] == Stage.REM


def test_one_window_saves_again_and_again(saved: Night) -> None:
    for stage in (Stage.N1, Stage.N2):
        saved.document.set_stage([5], stage)
        save_review(saved, save_path_of(saved))
    assert open_night(saved.recording.path).document.corrected[5] == Stage.N2


def test_a_review_saved_under_another_name_is_found_again_and_the_older_one_named(path: Path) -> None:
    first, second = open_night(path), open_night(path)
    first.document.set_stage([4], Stage.N3)
    save_review(first, save_path_of(first))
    second.document.set_stage([7], Stage.REM)
    os.utime(path.with_suffix(".npz"), ns=(0, 0))
    save_review(second, path.with_name("night-2.npz"))
    again = open_night(path)
    assert again.saved_path == path.with_name("night-2.npz")
    assert again.document.edits == second.document.edits
    assert any("night.npz is an older review of this night" in note for note in again.notes)


# -- damaged, foreign and renamed


def rewrite_meta(path: Path, **changes: object) -> None:
    with np.load(path) as npz:
        arrays = dict(npz)
    arrays["meta"] = np.str_(json.dumps({**json.loads(str(arrays["meta"])), **changes}))
    np.savez(path, **arrays)


def test_a_damaged_history_does_not_cost_the_corrections(saved: Night) -> None:
    assert saved.saved_path is not None
    rewrite_meta(saved.saved_path, edits=[{"kind": "of the future"}])
    again = open_night(saved.recording.path)
    assert again.document.corrected[3] == Stage.N3
    assert again.document.next_undo is None
    assert any("can't be undone" in note for note in again.notes)


def test_a_review_that_could_not_be_read_is_not_written_over(saved: Night) -> None:
    assert saved.saved_path is not None
    rewrite_meta(saved.saved_path, version=99)
    again = open_night(saved.recording.path)
    again.document.set_stage([0], Stage.N1)
    with pytest.raises(ReviewInTheWayError):
        save_review(again, save_path_of(again))


def test_a_recording_whose_content_changed_since_is_noticed(saved: Night) -> None:
    path = saved.recording.path
    assert open_night(path).foreign_review == ""
    write_night(path, seed=1)
    again = open_night(path)
    assert "made of another night.edf" in again.foreign_review


def test_a_renamed_recording_keeps_its_review(saved: Night, tmp_path: Path) -> None:
    renamed = saved.recording.path.rename(tmp_path / "renamed.edf")
    again = open_night(renamed, labels_path=saved.saved_path)
    assert again.document.edits == saved.document.edits
    assert any("when it was called night.edf" in note for note in again.notes)


def test_a_review_is_saved_where_the_signal_has_no_unit(tmp_path: Path) -> None:
    night = open_night(write_night(tmp_path / "unitless.edf", unit=""))
    night.channel = "EEG C4"
    night.document.set_stage([2], Stage.REM)
    save_review(night, save_path_of(night))
    assert "without the signal" in night.notes[-1]
    again = open_night(night.recording.path)
    assert again.document.corrected[2] == Stage.REM
    assert len(read_archive(save_path_of(night))) == 0


# -- whose truth


def test_the_truth_that_was_saved_is_kept_and_a_differing_file_is_told(path: Path, tmp_path: Path) -> None:
    beside = write_stages(tmp_path / "night-Hypnogram.edf", TRUTH)
    night = open_night(path, truth_path=write_stages(tmp_path / "second expert.csv", OTHER))
    save_review(night, save_path_of(night))
    again = open_night(path)
    assert again.document.truth is not None
    assert again.document.truth.stages.tolist() == OTHER
    differing = sum(a != b for a, b in zip(TRUTH, OTHER, strict=True))
    assert any(beside.name in note and f"{differing} epochs" in note for note in again.notes)
    assert not again.document.unsaved


def test_a_truth_that_is_named_counts_more_than_the_saved_one(path: Path, tmp_path: Path) -> None:
    night = open_night(path, truth_path=write_stages(tmp_path / "a.csv", TRUTH))
    save_review(night, save_path_of(night))
    again = open_night(path, truth_path=write_stages(tmp_path / "b.csv", OTHER))
    assert again.document.truth is not None
    assert again.document.truth.stages.tolist() == OTHER
    assert any("takes the place" in note for note in again.notes)
    assert again.document.unsaved


def test_a_truth_found_later_changes_neither_the_chosen_base_nor_what_is_saved(path: Path, tmp_path: Path) -> None:
    night = open_night(path)
    night.document.set_prediction(prediction_of(OTHER))
    night.document.set_base(Base.NONE)
    save_review(night, save_path_of(night))
    write_stages(tmp_path / "night-Hypnogram.edf", TRUTH)
    again = open_night(path)
    assert again.document.truth is not None
    assert again.document.base is Base.NONE
    assert not again.document.unsaved


# -- what counts as saved


def test_a_new_scoring_is_unsaved_once_a_review_was_saved(saved: Night) -> None:
    assert not saved.document.unsaved
    saved.document.set_prediction(prediction_of(OTHER))
    assert saved.document.unsaved
    save_review(saved, save_path_of(saved))
    assert not saved.document.unsaved


def test_a_chosen_base_is_unsaved_until_saved(saved: Night) -> None:
    saved.document.set_base(Base.MODEL)
    assert saved.document.unsaved
    save_review(saved, save_path_of(saved))
    assert not saved.document.unsaved
    assert open_night(saved.recording.path).document.base is Base.MODEL


# -- exports


def test_an_export_destroys_neither_the_truth_nor_a_review(path: Path, tmp_path: Path) -> None:
    truth = write_stages(tmp_path / "night-Hypnogram.edf", TRUTH)
    night = open_night(path)
    night.document.set_stage([3], Stage.N3)
    save_review(night, save_path_of(night))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(OutputError, match="the expert's hypnogram"):
        export_labels(night, truth)
    with pytest.raises(OutputError, match="the recording itself"):
        export_labels(night, path)
    night.document.undo()
    with pytest.raises(ReviewInTheWayError, match="1 corrected or flagged epochs that this night does not"):
        export_labels(night, save_path_of(night))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_an_export_may_be_made_again(path: Path, tmp_path: Path) -> None:
    night = open_night(path)
    night.document.set_prediction(prediction_of(OTHER))
    night.document.set_stage([3], Stage.N3)
    for _ in range(2):
        export_labels(night, tmp_path / "train.npz")
    assert len(read_archive(tmp_path / "train.npz")) == N


def test_flags_and_archives_of_a_newer_version_are_not_exported_over(path: Path, tmp_path: Path) -> None:
    night = open_night(path)
    night.document.toggle_flag([2])
    save_review(night, tmp_path / "flags.npz")
    night.document.undo()
    with pytest.raises(ReviewInTheWayError, match="1 corrected or flagged"):
        export_labels(night, tmp_path / "flags.npz", replace=True)
    rewrite_meta(tmp_path / "flags.npz", version=99)
    with pytest.raises(OutputError, match="there already"):
        export_labels(night, tmp_path / "flags.npz")


def test_a_hypnogram_beside_that_could_not_be_used_is_not_written_over(path: Path, tmp_path: Path) -> None:
    beside = tmp_path / "night-Hypnogram.edf"
    other_night = Hypnogram(np.array(TRUTH, dtype=np.int8), datetime(2022, 1, 1, 23), "expert")
    write_hypnogram(other_night, beside)
    night = open_night(path)
    assert night.document.truth is None
    before = beside.read_bytes()
    with pytest.raises(OutputError, match="the expert's hypnogram"):
        export_labels(night, beside, replace=True)
    assert beside.read_bytes() == before


def test_another_file_is_written_over_only_when_that_was_asked(path: Path, tmp_path: Path) -> None:
    night = open_night(path)
    other = write_stages(tmp_path / "other expert.csv", OTHER)
    before = other.read_bytes()
    with pytest.raises(OutputError, match="there already"):
        export_labels(night, other)
    assert other.read_bytes() == before
    export_labels(night, other, replace=True)
    assert other.read_bytes() != before


def test_an_export_onto_the_saved_review_is_no_stranger_to_the_next_save(saved: Night) -> None:
    assert saved.saved_path is not None
    export_labels(saved, saved.saved_path)
    saved.document.set_stage([5], Stage.N1)
    save_review(saved, saved.saved_path)
    assert open_night(saved.recording.path).document.corrected[5] == Stage.N1


# -- what only the archive holds


def test_a_review_of_other_content_is_not_written_over(saved: Night) -> None:
    write_night(saved.recording.path, seed=1)
    again = open_night(saved.recording.path)
    again.document.set_stage([0], Stage.N1)
    with pytest.raises(ReviewInTheWayError, match="made of another"):
        save_review(again, save_path_of(again))


def test_the_last_copy_of_the_signal_is_not_written_over(saved: Night, tmp_path: Path) -> None:
    assert saved.saved_path is not None
    saved.document.set_stage(range(N), Stage.N2)
    save_review(saved, saved.saved_path)
    assert len(read_archive(saved.saved_path)) == N
    saved.recording.path.unlink()
    saved.document.set_stage([0], Stage.N1)
    with pytest.raises(ReviewInTheWayError, match="holds the signal"):
        save_review(saved, saved.saved_path)
    save_review(saved, tmp_path / "without.npz")
    assert not saved.document.unsaved
    assert len(read_archive(tmp_path / "without.npz")) == 0


def test_a_base_that_nobody_chose_gives_way_after_reopening_too(path: Path) -> None:
    night = open_night(path)
    night.document.set_stage([0], Stage.W)
    save_review(night, save_path_of(night))
    again = open_night(path)
    assert again.document.base is Base.NONE
    again.document.set_prediction(prediction_of(OTHER))
    assert again.document.base is Base.MODEL
