"""Lights off and on: marked with undo, saved with the review, and no mark is lost or guessed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.edf_files import Signal, write_edf
from helpers.review_values import document_of
from sleepviewer.archive.archive import read_archive, write_archive
from sleepviewer.errors import AlignmentError, ArchiveError
from sleepviewer.review.document import Change
from sleepviewer.review.history import read_history, read_undoable
from sleepviewer.review.lights import Lights, LightsEdit
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_review
from sleepviewer.stages import Stage

N = 20


def test_lights_are_set_undone_and_done_again_in_one_history_with_stages() -> None:
    document = document_of(N)
    told: list[Change] = []
    document.subscribe(told.append)
    document.set_stage([3], Stage.N2)
    off = document.set_lights(Lights(2))
    on = document.set_lights(Lights(2, 18))
    assert off is not None
    assert on is not None
    assert (off.text, on.text) == ("lights off at epoch 3", "lights on at epoch 19")
    assert on.epochs == (18,)
    assert document.set_lights(Lights(2, 18)) is None
    assert (document.lights_off, document.lights_on) == (2, 18)
    assert document.undo() is on
    assert document.lights == Lights(2, None)
    assert document.undo() is off
    assert document.lights == Lights()
    undone = document.undo()
    assert undone is not None
    assert undone.epochs == (3,)
    assert document.redo() is not None
    assert document.redo() is off
    assert document.lights_off == 2
    assert told == [Change.EDITS, *[Change.LIGHTS] * 4, Change.EDITS, Change.EDITS, Change.LIGHTS]
    assert [edit.kind for edit in document.edits] == ["stage"]
    assert len(document.history) == 2


def test_a_mark_that_is_taken_away_says_so() -> None:
    document = document_of(N)
    document.set_lights(Lights(2, 5))
    gone = document.set_lights(Lights(None, 5))
    assert gone is not None
    assert gone.text == "no lights off at epoch 3"
    assert gone.epochs == (2,)


@pytest.mark.parametrize("lights", [Lights(5, 5), Lights(6, 5), Lights(-1), Lights(None, N), Lights(N)])
def test_lights_that_can_not_be_are_refused(lights: Lights) -> None:
    document = document_of(N)
    with pytest.raises(AlignmentError):
        document.set_lights(lights)
    assert document.lights == Lights()
    assert document.history == ()


def test_lights_count_as_unsaved() -> None:
    document = document_of(N)
    document.set_lights(Lights(1))
    assert document.unsaved
    document.mark_saved()
    assert not document.unsaved
    document.set_lights(Lights(2))
    assert document.unsaved


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    signal = np.round(np.random.default_rng(1).standard_normal(N * 3000) * 20, 1)
    return write_edf(tmp_path / "night.edf", [Signal("EEG C4", 100, "uV", signal)], record_s=30)


def test_lights_come_back_with_their_history(recording: Path) -> None:
    night = open_night(recording)
    night.document.set_stage([4], Stage.N3)
    night.document.set_lights(Lights(2))
    night.document.set_lights(Lights(2, 17))
    save_review(night, recording.with_suffix(".npz"))
    again = open_night(recording).document
    assert again.lights == Lights(2, 17)
    assert again.history == night.document.history
    assert not again.unsaved
    again.undo()
    assert again.lights == Lights(2)
    again.undo()
    again.undo()
    assert again.lights == Lights()
    assert not again.edited.any()


@pytest.mark.parametrize("damage", [5, {"off": "early"}, {"off": 7, "on": 3}, {"off": True}, {"on": 1e9}, [1, 2]])
def test_damaged_lights_are_told_and_lose_nothing_else(recording: Path, damage: object) -> None:
    night = open_night(recording)
    night.document.set_stage([4], Stage.N3)
    path = recording.with_suffix(".npz")
    save_review(night, path)
    archive = read_archive(path)
    archive.meta["lights"] = damage  # type: ignore[index]
    write_archive(path, archive)
    again = open_night(recording)
    assert again.document.lights == Lights()
    assert again.document.corrected[4] == Stage.N3
    assert any("Lights off and on" in note for note in again.notes)


def test_an_archive_from_before_there_were_lights_has_none(recording: Path) -> None:
    night = open_night(recording)
    path = recording.with_suffix(".npz")
    save_review(night, path)
    archive = read_archive(path)
    del archive.meta["lights"]  # type: ignore[attr-defined]
    write_archive(path, archive)
    again = open_night(recording)
    assert again.document.lights == Lights()
    assert not any("Lights" in note for note in again.notes)


@settings(max_examples=100, deadline=None)
@given(
    values=st.recursive(
        st.none() | st.booleans() | st.integers(-3, 30) | st.text(max_size=3),
        lambda inner: st.dictionaries(st.sampled_from(["kind", "before", "after", "off", "on", "time"]), inner),
        max_leaves=8,
    ),
    kind=st.sampled_from(["lights", "stage", "other", None]),
)
def test_wild_histories_are_refused_with_a_sentence(values: object, kind: object) -> None:
    if isinstance(values, dict) and kind is not None:
        values["kind"] = kind
    with suppress(ArchiveError):
        edit = read_undoable(values, N)
        assert isinstance(edit, LightsEdit)
        assert read_history([edit.as_dict()], N) == [edit]
