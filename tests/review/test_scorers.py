"""Each scorer's own review beside the recording: saved apart, found again, shown to others, and kept blind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.night_files import MODEL, TRUTH, N, write_night
from helpers.review_values import prediction_of, truth_of
from sleepviewer.archive.archive import read_archive
from sleepviewer.review.document import Base
from sleepviewer.review.exporting import export_labels
from sleepviewer.review.journal import Journal
from sleepviewer.review.journal_reading import read_journal
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.review.other_reviews import other_reviews
from sleepviewer.review.recovery import is_blind_in_a_journal, recoveries
from sleepviewer.review.saving import review_places, save_path_of, save_review
from sleepviewer.review.state_folder import StateFolders
from sleepviewer.stages import Stage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


def scored_by(path: Path, scorer: str, stage: Stage) -> Night:
    night = open_night(path, scorer=scorer)
    night.document.set_stage([0, 1], stage)
    save_review(night, save_path_of(night))
    return night


def test_every_scorer_has_a_file_and_finds_it_again(path: Path) -> None:
    ann, bob = scored_by(path, "ann", Stage.N1), scored_by(path, "Bob B.", Stage.N2)
    assert ann.saved_path == path.with_suffix(".npz")
    assert bob.saved_path is not None
    assert bob.saved_path.name.startswith("night.Bob_B-")
    for scorer, stage in (("ann", Stage.N1), ("Bob B.", Stage.N2), ("cy", None)):
        again = open_night(path, scorer=scorer)
        assert again.document.corrected[0] == (-2 if stage is None else stage)
        assert not [note for note in again.notes if "not taken up" in note]
    assert scored_by(path, "Bob B.", Stage.N3).saved_path == bob.saved_path


def test_a_second_file_of_a_scorer_is_found_too(path: Path) -> None:
    scored_by(path, "ann", Stage.N1)
    bob = scored_by(path, "bob", Stage.N2)
    save_review(bob, path.with_name("night.bob-2.npz"))
    assert path.with_name("night.bob-2.npz") in review_places(bob.recording)


def test_another_recordings_review_is_not_taken_for_a_scorers(path: Path) -> None:
    other = write_night(path.with_name("night.bob.edf"), seed=3)
    scored_by(other, "ann", Stage.N1)
    night = open_night(path)
    assert review_places(night.recording) == []
    assert night.notes == night.recording.notes


def test_others_reviews_are_read_and_say_what_is_theirs(path: Path) -> None:
    ann = open_night(path, scorer="ann")
    ann.document.set_prediction(prediction_of(MODEL))
    ann.document.set_base(Base.MODEL)
    ann.document.set_stage([3], Stage.REM)
    save_review(ann, save_path_of(ann))
    scored_by(path, "bob", Stage.N2)
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    found = other_reviews(open_night(path, scorer="cy"))
    by_name = {hypnogram.scorer: hypnogram for hypnogram in found.hypnograms}
    assert set(by_name) == {"ann", "bob"}
    assert by_name["ann"].stages[3] == Stage.REM
    assert by_name["ann"].notes == (f"1 of {N} epochs were set by hand; the others are the model's.",)
    assert by_name["bob"].stages[0] == Stage.N2
    assert [h.scorer for h in other_reviews(open_night(path, scorer="bob")).hypnograms] == ["ann"]
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before


def test_a_damaged_review_of_anothers_is_told(path: Path) -> None:
    scored_by(path, "ann", Stage.N1)
    raw = path.with_suffix(".npz").read_bytes()
    meta_end = len(raw) // 2
    path.with_suffix(".npz").write_bytes(raw[:meta_end])
    assert other_reviews(open_night(path, scorer="cy")).hypnograms == ()


# -- blind


def blind(path: Path) -> Night:
    night = open_night(path, scorer="ann")
    night.document.blind()
    night.document.set_prediction(prediction_of(MODEL))
    night.document.set_truth(truth_of(TRUTH))
    night.document.set_stage([2], Stage.N3)
    return night


def test_a_saved_review_stays_blind_and_loses_nothing_that_is_hidden(path: Path) -> None:
    night = blind(path)
    save_review(night, save_path_of(night))
    archive = read_archive(path.with_suffix(".npz"))
    assert archive.meta["blinding"]["blinded"] is True
    assert archive.meta["blinding"]["unblinded_at"] == ""
    assert archive.meta["edits"][0]["blinded"] is True
    again = open_night(path, scorer="ann")
    assert again.document.blinded
    assert (again.document.truth, again.document.prediction) == (None, None)
    again.document.unblind()
    assert again.document.prediction is not None
    assert again.document.truth is not None
    assert again.document.truth.stages.tolist() == TRUTH
    save_review(again, save_path_of(again))
    told = read_archive(path.with_suffix(".npz")).meta["blinding"]
    assert told["unblinded_at"] > told["blinded_at"]


@pytest.mark.parametrize("name", ["out.npz", "out.csv"])
def test_an_export_of_a_blinded_night_holds_her_own_labels_alone(path: Path, name: str) -> None:
    night = blind(path)
    out = path.with_name(name)
    export_labels(night, out)
    if name.endswith("npz"):
        archive = read_archive(out)
        assert not np.isfinite(archive.night_proba).any()
        assert (archive.night_expert == Stage.UNKNOWN).all()
        assert archive.meta["model"] is None
        assert archive.y.tolist() == [Stage.N3]
    else:
        assert out.read_text().count("N3") == 1
        assert "N2" not in out.read_text()


def test_blinding_outlives_a_crash(path: Path, tmp_path: Path) -> None:
    folders = StateFolders(tmp_path / "state", tmp_path / "fallback")
    night = open_night(path, scorer="ann")
    journal = Journal(night, folders)
    night.document.set_recorder(journal)
    night.document.set_truth(truth_of(TRUTH))
    night.document.blind()
    night.document.set_stage([2], Stage.N3)
    assert journal.path is not None
    replayed = read_journal(journal.path).replay()
    assert replayed.blinded
    assert replayed.truth is None
    journal.close()
    again = open_night(path, scorer="ann")
    assert is_blind_in_a_journal(again, folders)
    assert not is_blind_in_a_journal(open_night(path, scorer="bob"), folders)
    (found,) = recoveries(again, folders)
    assert found.new_blinding
    assert not found.new_scoring


def test_unblinding_alone_is_recovered(path: Path, tmp_path: Path) -> None:
    folders = StateFolders(tmp_path / "state", tmp_path / "fallback")
    night = blind(path)
    save_review(night, save_path_of(night))
    again = open_night(path, scorer="ann")
    journal = Journal(again, folders)
    again.document.set_recorder(journal)
    again.document.unblind()
    journal.close()
    third = open_night(path, scorer="ann")
    assert third.document.blinded
    (found,) = recoveries(third, folders)
    assert found.new_blinding
    assert found.document.blinding.until
