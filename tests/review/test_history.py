"""Stepping through the history, reverting, who did what in view of what, and blinding, without a window."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.review_values import document_of, prediction_of, truth_of
from sleepviewer.errors import ArchiveError, BlindedError, ReadOnlyError, ReviewError
from sleepviewer.review.blinding import Blinding
from sleepviewer.review.document import Base, Change, Document
from sleepviewer.review.edits import NOT_CORRECTED, Edit
from sleepviewer.review.events import EventKind
from sleepviewer.review.history import read_undoable
from sleepviewer.review.history_rows import COLUMNS, RowKind, history_csv, history_rows, write_history
from sleepviewer.review.lights import Lights
from sleepviewer.review.state import ReviewState
from sleepviewer.review.steps import Blinded, Redone, Step, Unblinded, Undone, step_as_dict, step_from_dict
from sleepviewer.stages import Stage

N = 6
EPOCHS = st.lists(st.integers(0, N - 1), min_size=1, max_size=N, unique=True).map(sorted)
DEEDS = st.one_of(
    st.tuples(st.just("set"), EPOCHS, st.sampled_from([Stage.W, Stage.N2, Stage.REM])),
    st.tuples(st.just("revert"), EPOCHS, st.booleans()),
    st.tuples(st.just("step"), st.floats(0, 1), st.none()),
    st.tuples(st.just("save"), st.none(), st.none()),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(DEEDS, max_size=25))
def test_the_history_is_a_list_of_states_with_a_place_in_it(deeds: list[tuple[str, Any, Any]]) -> None:
    document = document_of(N, truth=[0] * N)
    states, place = [[NOT_CORRECTED] * N], 0
    saved = states[0]
    for what, value, more in deeds:
        if what == "save":
            document.mark_saved("there")
            saved = states[place]
        elif what == "step":
            to = round(value * (len(states) - 1))
            assert document.step_to(to) == abs(to - place)
            place = to
        else:
            new = list(states[place])
            for epoch in value:
                new[epoch] = int(more) if what == "set" else saved[epoch] if more else NOT_CORRECTED
            edit = document.set_stage(value, more) if what == "set" else document.revert(value, to_saved=more)
            assert (edit is None) == (new == states[place])
            if edit is not None:
                states = [*states[: place + 1], new]
                place += 1
        assert document.corrected.tolist() == states[place]
        assert (len(document.history), len(document.undone)) == (place, len(states) - 1 - place)


class Recorder:
    def __init__(self) -> None:
        self.batches: list[tuple[Step, ...]] = []

    def record(self, *steps: Step) -> None:
        self.batches.append(steps)


def test_every_step_of_a_jump_is_recorded_and_the_listeners_hear_of_it_once() -> None:
    document, recorder, heard = document_of(4), Recorder(), list[Change]()
    for epoch in range(4):
        document.set_stage([epoch], Stage.N2)
    document.set_lights(Lights(1, 3))
    document.set_recorder(recorder)
    document.subscribe(heard.append)
    assert document.step_to(1) == 4
    assert recorder.batches == [(Undone(),) * 4]
    assert sorted(heard, key=str) == sorted([Change.LIGHTS, Change.EDITS], key=str)
    document.step_to(3)
    assert recorder.batches[1:] == [(Redone(),) * 2]
    assert document.step_to(3) == 0
    assert len(recorder.batches) == 2


@pytest.mark.parametrize("place", [-1, 2])
def test_there_is_no_stepping_out_of_the_history(place: int) -> None:
    document = document_of(2)
    document.set_stage([0], Stage.N2)
    with pytest.raises(IndexError, match="1 commands"):
        document.step_to(place)


def test_nobody_steps_through_a_night_that_is_read_only() -> None:
    document = document_of(2)
    document.set_stage([0], Stage.N2)
    document.set_read_only("Another window has it.")
    with pytest.raises(ReadOnlyError):
        document.step_to(0)
    assert document.edited[0]


def test_a_revert_is_an_edit_of_its_own_and_says_so() -> None:
    document = document_of(9, truth=[1] * 9)
    document.set_stage(range(2, 9), Stage.N3)
    document.toggle_flag([4])
    edit = document.revert(range(2, 9))
    assert edit is not None
    assert edit.text == "revert, epochs 3–9"
    assert document.labels.tolist() == [1] * 9
    assert document.flagged[4]
    assert len(document.history) == 3
    document.undo()
    assert document.corrected[2:9].tolist() == [3] * 7
    assert document.revert([0]) is None


def test_a_revert_to_what_was_saved_knows_what_that_was() -> None:
    document = document_of(3)
    document.set_stage([0], Stage.N1)
    document.mark_saved("there")
    document.set_stage([0, 1], Stage.REM)
    edit = document.revert(range(3), to_saved=True)
    assert edit is not None
    assert edit.text == "revert to what was saved, epochs 1–2"
    assert document.corrected.tolist() == [Stage.N1, NOT_CORRECTED, NOT_CORRECTED]


def done_of_every_kind() -> Document:
    document = document_of(4, model=[0, 1, 2, 3])
    document.judge({"ann": np.array([2, 2, 2, 2]), "bob": np.array([1, 1, 1, 1])})
    document.set_stage([0, 1], Stage.N2)
    document.toggle_flag([2])
    document.set_lights(Lights(0, 3))
    document.add_event(EventKind.AROUSAL, 31, 35, "EEG")
    document.undo()
    return document


def test_the_rows_say_who_when_what_and_what_was_in_view() -> None:
    document = done_of_every_kind()
    stage, flag, lights, event = history_rows(document)
    assert [row.kind for row in (stage, flag, lights, event)] == [
        RowKind.STAGE,
        RowKind.FLAG,
        RowKind.LIGHTS,
        RowKind.EVENTS,
    ]
    assert all(row.scorer == "me" and row.time for row in (stage, flag, lights, event))
    assert (stage.before, stage.after, stage.agree) == ("unscored", "N2", ("ann",))
    assert stage.model == f"fake 1 ({'ab' * 6})"
    assert "ababab" in stage.details
    assert "the same say: ann" in stage.details
    assert (flag.before, flag.after) == ("unflagged", "flagged")
    assert (lights.before, lights.after) == ("", "off at epoch 1, on at epoch 4")
    assert event.after == "arousal 31–35 s on EEG"
    assert [row.standing for row in (stage, flag, lights, event)] == [True, True, True, False]
    assert "(undone)" in event.details


def test_the_table_has_a_line_for_every_row(tmp_path: Path) -> None:
    document = done_of_every_kind()
    lines = list(csv.DictReader(io.StringIO(history_csv(document))))
    assert tuple(lines[0]) == COLUMNS
    assert [line["state"] for line in lines] == ["in force", "in force", "in force", "undone"]
    assert lines[0]["epochs"] == "1 2"
    assert lines[0]["agreeing_scorers"] == "ann"
    write_history(document, tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text() == history_csv(document)


def test_edits_come_back_from_their_values() -> None:
    document = done_of_every_kind()
    document.blind()
    document.set_stage([3], Stage.REM)
    document.set_lights(Lights(1, 3))
    document.add_event(EventKind.SPINDLE, 1, 2)
    for edit in document.history:
        assert read_undoable(edit.as_dict(), 4) == edit


# -- blinding


def test_while_blinded_there_is_nobody_but_the_scorer() -> None:
    document = document_of(4, truth=[0, 0, 1, 1], model=[0, 1, 1, 2])
    document.blind()
    assert document.truth is None
    assert document.prediction is None
    assert document.proba is None
    assert document.base is Base.NONE
    assert document.labels.tolist() == [Stage.UNKNOWN] * 4
    assert document.accept_model([0]) is None
    document.set_prediction(prediction_of([3] * 4))
    document.set_truth(truth_of([3] * 4))
    assert (document.truth, document.prediction) == (None, None)
    with pytest.raises(BlindedError):
        document.set_base(Base.MODEL)
    edit = document.set_stage([1], Stage.N2)
    assert isinstance(edit, Edit)
    assert (edit.blinded, edit.model) == (True, "")
    document.unblind()
    assert document.prediction is not None
    assert document.labels.tolist() == [3, 2, 3, 3]
    after = document.set_stage([2], Stage.N2)
    assert after is not None
    assert not after.blinded
    assert after.model


def test_blinding_stands_in_the_history_and_ends_for_good() -> None:
    document = document_of(4, model=[0, 1, 1, 2])
    document.set_stage([0], Stage.N1)
    document.blind()
    document.undo()
    assert document.blinded
    document.unblind()
    kinds = [row.kind for row in history_rows(document)]
    assert kinds == [RowKind.STAGE, RowKind.BLINDING, RowKind.BLINDING]
    assert document.blinding.seen_before
    assert document.blinding.edits_before == 1
    assert "unblinded" in history_csv(document)
    with pytest.raises(ReviewError, match="unseen"):
        document.blind()


def test_blinding_a_night_in_which_nothing_was_seen_is_nothing_to_save_but_its_end_is() -> None:
    document = document_of(2)
    document.blind()
    assert not document.blinding.seen_before
    assert not document.unsaved
    document.unblind()
    assert document.unsaved
    document.mark_saved("there")
    assert not document.unsaved


def test_blinding_after_a_look_is_kept_from_being_lost() -> None:
    document = document_of(2, model=[0, 0])
    document.mark_saved("there")
    document.blind()
    assert document.unsaved


def test_blinding_comes_back_with_a_state_and_with_its_steps() -> None:
    document = document_of(4, truth=[0] * 4)
    document.blind()
    state = ReviewState.from_dict(document.state.as_dict(), 4)
    other = Document(4)
    other.take(state)
    assert other.blinded
    assert other.truth is None
    document.unblind()
    for step in (Blinded(document.blinding), Unblinded(document.blinding)):
        assert step_from_dict(step_as_dict(step), 4) == step
    other.repeat(Unblinded(document.blinding))
    assert other.truth is not None
    assert other.blinding == document.blinding


@pytest.mark.parametrize(
    "values", [[], {"blinded_at": 3}, {"blinded_at": "", "unblinded_at": "2024", "edits_before": 0}]
)
def test_damaged_blinding_is_told(values: object) -> None:
    with pytest.raises(ArchiveError, match="blinding"):
        Blinding.from_dict(values)
