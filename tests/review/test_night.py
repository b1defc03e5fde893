"""A night with all that belongs to it: found, saved, taken up again, exported."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.edf_files import Signal, write_edf
from helpers.review_values import prediction_of
from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import ArchiveError, ChannelError, HypnogramError, OutputError, RecordingError, SleepViewerError
from sleepviewer.hypnogram import read_track, to_hypnogram, write_hypnogram
from sleepviewer.hypnogram.base import Hypnogram
from sleepviewer.review.document import Base
from sleepviewer.review.edits import NOT_CORRECTED
from sleepviewer.review.exporting import ExportOptions, Format, export_labels
from sleepviewer.review.night import Night, set_truth_from
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import is_review_of, restore_review, save_path_of, save_review
from sleepviewer.stages import Stage

N = 8
RATE = 100
START = datetime(2021, 3, 4, 22, 30)
TRUTH = [0, 0, 1, 2, 3, 3, 4, -1]
MODEL = [0, 1, 1, 2, 2, 3, 4, 0]


def write_night(folder: Path, name: str = "night", *, n: int = N, start: datetime = START, eeg: str = "EEG C4") -> Path:
    rng = np.random.default_rng(n)
    samples = np.round(rng.standard_normal(n * 30 * RATE) * 30, 1)
    channels = [Signal(eeg, RATE, "uV", samples), Signal("EOG", 50, "uV", np.zeros(n * 1500))]
    return write_edf(folder / f"{name}.edf", channels, start=start, record_s=30)


def write_truth(folder: Path, name: str = "night-Hypnogram.edf", stages: list[int] | None = None) -> Path:
    path = folder / name
    write_hypnogram(Hypnogram(np.array(stages or TRUTH, dtype=np.int8), START, "expert", "expert"), path)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_night(tmp_path)


def reviewed(path: Path) -> Night:
    """A night with a truth, a scoring, three standing edits and one that was undone."""
    write_truth(path.parent)
    night = open_night(path)
    night.document.set_prediction(prediction_of(MODEL))
    night.document.set_stage([1, 2], Stage.N2)
    night.document.toggle_flag([5])
    night.document.accept_model([4])
    night.document.set_stage([0], Stage.REM)
    night.document.undo()
    return night


def as_bytes(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


# -- opening


def test_a_truth_beside_is_found(path: Path) -> None:
    write_truth(path.parent)
    night = open_night(path)
    assert night.document.truth is not None
    assert night.document.truth.stages.tolist() == TRUTH
    assert night.document.base is Base.TRUTH
    assert night.channel == "EEG C4"
    assert night.saved_path is None
    assert not night.document.unsaved


def test_nothing_is_looked_for_when_that_is_asked(path: Path) -> None:
    write_truth(path.parent)
    assert open_night(path, look_beside=False).document.truth is None


def test_a_damaged_truth_beside_is_a_note_and_a_damaged_one_named_an_error(path: Path) -> None:
    damaged = path.parent / "night-Hypnogram.edf"
    damaged.write_bytes(b"0       " + b"\x00" * 40)
    night = open_night(path)
    assert night.document.truth is None
    assert "night-Hypnogram.edf was found by its name but not used" in "".join(night.notes)
    with pytest.raises(HypnogramError, match=r"night-Hypnogram\.edf"):
        open_night(path, truth_path=damaged)


def test_a_recording_shorter_than_an_epoch_is_refused(tmp_path: Path) -> None:
    short = write_edf(tmp_path / "short.edf", [("EEG C4", RATE, "uV", np.zeros(5 * RATE))])
    with pytest.raises(RecordingError, match=r"short\.edf lasts 5 s, less than one 30-second epoch"):
        open_night(short)


def test_the_notes_of_an_alignment_are_the_nights(path: Path) -> None:
    truth = path.parent / "late.edf"
    stages = np.array([2] * 4, dtype=np.int8)
    write_hypnogram(Hypnogram(stages, datetime(2021, 3, 4, 22, 32), "expert"), truth)
    night = open_night(path, truth_path=truth)
    assert night.document.truth is not None
    assert night.document.truth.stages.tolist() == [-1] * 4 + [2] * 4
    assert any("late.edf" in note for note in night.notes)


# -- saving and taking up again


def test_a_saved_review_is_found_and_taken_up_again(path: Path) -> None:
    night = reviewed(path)
    saved_path = save_path_of(night)
    save_review(night, saved_path)
    assert not night.document.unsaved
    assert night.saved_path == saved_path == path.with_suffix(".npz")

    again = open_night(path)
    old, new = night.document, again.document
    assert new.edits == old.edits
    assert len(new.edits) == 3
    assert new.corrected.tolist() == [NOT_CORRECTED, 2, 2, NOT_CORRECTED, 2, *[NOT_CORRECTED] * 3]
    assert np.flatnonzero(new.flagged).tolist() == [5]
    assert new.next_redo == old.next_redo is not None  # what was undone can be done again
    assert not new.unsaved
    assert again.saved_path == saved_path
    assert new.truth is not None
    assert old.prediction is not None
    assert new.prediction is not None
    assert new.truth.stages.tolist() == TRUTH
    np.testing.assert_array_equal(new.prediction.proba, old.prediction.proba)
    assert (new.prediction.engine, new.prediction.weights_sha256) == ("fake", "ab" * 32)
    assert (new.prediction.channels, new.prediction.notes) == (("EEG",), ("A fake.",))
    assert new.base is Base.TRUTH
    np.testing.assert_array_equal(new.labels, old.labels)


def test_history_taken_up_again_can_be_undone_and_saved_once_more(path: Path) -> None:
    night = reviewed(path)
    save_review(night, path.with_suffix(".npz"))
    again = open_night(path)
    for _ in range(3):
        again.document.undo()
    assert again.document.undo() is None
    assert not again.document.edited.any()
    assert not again.document.flagged.any()
    assert again.document.unsaved
    save_review(again, path.with_suffix(".npz"))
    assert open_night(path).document.edits == ()


def test_the_base_that_was_chosen_is_taken_up_too(path: Path) -> None:
    night = reviewed(path)
    for base in Base:
        night.document.set_base(base)
        save_review(night, path.with_suffix(".npz"))
        again = open_night(path)
        assert again.document.base is base
        np.testing.assert_array_equal(again.document.labels, night.document.labels)


def test_the_truth_of_the_review_is_there_without_its_file(path: Path) -> None:
    night = reviewed(path)
    save_review(night, path.with_suffix(".npz"))
    (path.parent / "night-Hypnogram.edf").unlink()
    truth = open_night(path).document.truth
    assert truth is not None
    assert truth.stages.tolist() == TRUTH
    assert truth.source == "night-Hypnogram.edf"


def test_the_channel_that_was_chosen_is_taken_up(path: Path) -> None:
    night = open_night(path)
    night.channel = "EOG"
    save_review(night, path.with_suffix(".npz"))
    assert open_night(path).channel == "EOG"


def test_a_review_of_another_night_is_refused_with_a_sentence(path: Path, tmp_path: Path) -> None:
    night = open_night(path)
    night.document.set_stage([0], Stage.N2)
    save_review(night, tmp_path / "review.npz")
    for name, n, start in (("other", N, START), ("night", N + 1, START), ("night", N, datetime(2021, 3, 5, 22, 30))):
        folder = tmp_path / f"{name}{n}{start:%d}"
        folder.mkdir()
        other = write_night(folder, name, n=n, start=start)
        other.write_bytes(other.read_bytes()[:-1] + b"\x01")  # the same content would be the same recording, renamed
        with pytest.raises(ArchiveError, match=r"review\.npz is the review of night\.edf .* not of"):
            open_night(other, labels_path=tmp_path / "review.npz")
        opened = open_night(other)
        assert not is_review_of(opened, tmp_path / "review.npz")
        with pytest.raises(ArchiveError):
            restore_review(opened, tmp_path / "review.npz")
        assert opened.document.edits == ()
        assert opened.document.labels.tolist() == [-1] * n
        assert opened.saved_path is None


def test_a_damaged_npz_beside_does_not_keep_the_night_from_opening(path: Path) -> None:
    save_review(reviewed(path), path.with_suffix(".npz"))
    whole = path.with_suffix(".npz").read_bytes()
    for damaged in (b"", b"PK\x03\x04 nothing", whole[: len(whole) // 2]):
        path.with_suffix(".npz").write_bytes(damaged)
        night = open_night(path)
        assert night.document.edits == ()
        assert night.document.truth is not None
        assert night.saved_path is None
        assert any("night.npz was found by its name but not taken up" in note for note in night.notes)


def test_an_npz_of_something_else_beside_is_left_alone(path: Path) -> None:
    np.savez(path.with_suffix(".npz"), weights=np.zeros(3))
    before = path.with_suffix(".npz").read_bytes()
    night = open_night(path)
    assert night.saved_path is None
    assert any("night.npz was found by its name but not taken up" in note for note in night.notes)
    assert not is_review_of(night, path.with_suffix(".npz"))
    assert path.with_suffix(".npz").read_bytes() == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    key=st.sampled_from(["edits", "base", "truth", "model", "recording", "version", "scorer"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["engine", "channels", "seconds", "notes", "source", "name"]), inner)
        ),
        max_leaves=5,
    ),
)
def test_a_review_whose_description_is_damaged_opens_or_is_refused(
    path: Path, tmp_path: Path, key: str, value: Any
) -> None:
    good = tmp_path / "good.npz"
    if not good.exists():
        save_review(reviewed(path), good)
    with np.load(good) as npz:
        arrays = dict(npz)
    arrays["meta"] = np.str_(json.dumps({**json.loads(str(arrays["meta"])), key: value}))
    np.savez(tmp_path / "odd.npz", **arrays)
    try:
        night = open_night(path, labels_path=tmp_path / "odd.npz")
    except SleepViewerError:
        return
    assert len(night.document.labels) == N


def test_a_review_in_a_read_only_folder_is_kept_with_the_user(
    path: Path, user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = reviewed(path)
    monkeypatch.setattr("sleepviewer.review.saving.os.access", lambda *_: False)  # root may write everywhere
    saved_path = save_path_of(night)
    assert user_folders in saved_path.parents
    save_review(night, saved_path)
    assert not path.with_suffix(".npz").exists()
    assert open_night(path).document.edits == night.document.edits

    elsewhere = path.parent / "elsewhere"
    elsewhere.mkdir()
    namesake = write_night(elsewhere)
    assert save_path_of(open_night(namesake)) != saved_path


def test_a_folder_that_can_not_be_made_is_a_sentence(path: Path, tmp_path: Path) -> None:
    night = reviewed(path)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="can't be made"):
        save_review(night, tmp_path / "file" / "review.npz")
    assert night.document.unsaved


def test_a_review_without_a_channel_to_export_is_saved_without_the_signal(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "legs.edf", [("Leg", RATE, "uV", np.zeros(N * 3000))], record_s=30)
    night = open_night(path)
    assert night.channel is None
    night.document.set_stage([1], Stage.N2)
    with pytest.raises(ChannelError, match="choose the channel"):
        export_labels(night, tmp_path / "train.npz")
    assert not (tmp_path / "train.npz").exists()
    save_review(night, path.with_suffix(".npz"))
    assert "saved without the signal" in night.notes[-1]
    assert len(read_archive(path.with_suffix(".npz"))) == 0
    assert open_night(path).document.edits == night.document.edits


def test_the_hash_is_the_recordings(path: Path) -> None:
    night = reviewed(path)
    save_review(night, path.with_suffix(".npz"))
    meta = read_archive(path.with_suffix(".npz")).meta
    assert meta["recording"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_review_is_saved_without_the_signal_where_the_recording_is_gone(path: Path, tmp_path: Path) -> None:
    night = reviewed(path)
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(RecordingError, match=r"night\.edf"):
        export_labels(night, tmp_path / "train.npz")
    save_review(night, tmp_path / "review.npz")
    assert "without the signal" in night.notes[-1]
    assert not night.document.unsaved
    path.write_bytes(content)
    assert open_night(path, labels_path=tmp_path / "review.npz").document.edits == night.document.edits


# -- exporting


def test_an_npz_holds_the_signal_and_the_labels_that_count(path: Path, tmp_path: Path) -> None:
    night = reviewed(path)
    export_labels(night, tmp_path / "train.npz")
    with np.load(tmp_path / "train.npz", allow_pickle=False) as npz:
        assert npz["epoch_index"].tolist() == [0, 1, 2, 3, 4, 5, 6]  # the last epoch has no stage
        assert npz["y"].tolist() == [0, 2, 2, 2, 2, 3, 4]
        assert npz["edited"].tolist() == [False, True, True, False, True, False, False]
        expected = night.recording.read_epochs("EEG C4")[:7, :, None]
        np.testing.assert_array_equal(npz["x"], expected)
    assert night.saved_path is None
    assert night.document.unsaved


def test_trimmed_wake_is_left_out_of_the_npz_alone(path: Path, tmp_path: Path) -> None:
    night = reviewed(path)
    export_labels(night, tmp_path / "train.npz", options=ExportOptions(Format.ARCHIVE, trim_wake_min=0))
    with np.load(tmp_path / "train.npz", allow_pickle=False) as npz:
        assert npz["epoch_index"].tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("ending", ["edf", "csv", "txt"])
def test_a_hypnogram_file_holds_the_labels_that_count(path: Path, tmp_path: Path, ending: str) -> None:
    night = reviewed(path)
    out = tmp_path / f"labels.{ending}"
    export_labels(night, out)
    track = read_track(out)
    assert to_hypnogram(track).stages.tolist() == night.document.labels.tolist()
    assert night.document.labels[-1] == Stage.UNKNOWN  # which no format leaves out
    assert track.start == START


def test_another_ending_is_refused_and_nothing_written(path: Path, tmp_path: Path) -> None:
    night = reviewed(path)
    before = as_bytes(tmp_path)
    with pytest.raises(OutputError, match=r"unsupported extension; use \.npz, \.edf"):
        export_labels(night, tmp_path / "labels.doc")
    assert as_bytes(tmp_path) == before


@pytest.mark.parametrize("name", ["night.edf", "sub/../night.edf"])
def test_no_export_is_written_over_the_recording(path: Path, tmp_path: Path, name: str) -> None:
    night = reviewed(path)
    (tmp_path / "sub").mkdir()
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"night\.edf is the recording itself"):
        export_labels(night, tmp_path / name)
    assert path.read_bytes() == before


def test_no_link_leads_an_export_over_the_recording(path: Path, tmp_path: Path) -> None:
    night = reviewed(path)
    (tmp_path / "link.edf").hardlink_to(path)
    with pytest.raises(OutputError, match="the recording itself"):
        export_labels(night, tmp_path / "link.edf")


def test_a_missing_recording_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"absent\.edf"):
        open_night(tmp_path / "absent.edf")


def test_a_truth_can_be_laid_under_later(path: Path) -> None:
    night = open_night(path)
    set_truth_from(night, write_truth(path.parent, "expert.csv"))
    assert night.document.truth is not None
    assert night.document.truth.stages.tolist()[:7] == TRUTH[:7]
