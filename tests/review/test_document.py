"""The document: a list with undo, whose base counts where the expert said nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.review_values import document_of, prediction_of, proba_of, truth_of
from sleepviewer.errors import AlignmentError, ArchiveError
from sleepviewer.review.document import Base, Change, Document
from sleepviewer.review.edits import NOT_CORRECTED, Edit, EditKind
from sleepviewer.stages import SCORED_STAGES, Stage

N = 6
MODEL = [0, 1, 2, -1, 4, 2]
TRUTH = [0, 0, 2, 3, -1, 2]

Command = tuple[str, tuple[int, ...], Stage]

ranges = st.builds(lambda a, b: tuple(range(min(a, b), max(a, b) + 1)), st.integers(0, N - 1), st.integers(0, N - 1))
scattered = st.sets(st.integers(0, N - 1), max_size=N).map(lambda epochs: tuple(sorted(epochs)))
commands: st.SearchStrategy[Command] = st.tuples(
    st.sampled_from(["set", "clear", "accept", "flag", "undo", "undo", "redo", "save"]),
    ranges | scattered,
    st.sampled_from(SCORED_STAGES),
)
histories = st.lists(commands, max_size=40)

State = tuple[list[int], list[bool]]


@dataclass
class PlainModel:
    """What the document should do, with whole copies instead of edits."""

    corrected: list[int] = field(default_factory=lambda: [NOT_CORRECTED] * N)
    flagged: list[bool] = field(default_factory=lambda: [False] * N)
    undo: list[State] = field(default_factory=list)
    redo: list[State] = field(default_factory=list)

    @property
    def state(self) -> State:
        return list(self.corrected), list(self.flagged)

    def do(self, command: Command) -> None:
        name, epochs, stage = command
        if name == "undo":
            self._swap(self.undo, self.redo)
            return
        if name == "redo":
            self._swap(self.redo, self.undo)
            return
        before = self.state
        all_flagged = all(self.flagged[e] for e in epochs)
        for e in epochs:
            if name == "set":
                self.corrected[e] = int(stage)
            elif name == "clear":
                self.corrected[e] = NOT_CORRECTED
            elif name == "accept" and MODEL[e] >= 0:
                self.corrected[e] = MODEL[e]
            elif name == "flag":
                self.flagged[e] = not all_flagged
        if self.state != before:
            self.undo.append(before)
            self.redo.clear()

    def _swap(self, taken: list[State], given: list[State]) -> None:
        if taken:
            given.append(self.state)
            self.corrected, self.flagged = taken.pop()


def do(document: Document, command: Command) -> None:
    name, epochs, stage = command
    if name == "set":
        document.set_stage(epochs, stage)
    elif name == "clear":
        document.clear(epochs)
    elif name == "accept":
        document.accept_model(epochs)
    elif name == "flag":
        document.toggle_flag(epochs)
    elif name == "undo":
        document.undo()
    elif name == "redo":
        document.redo()
    else:
        document.mark_saved()


@given(histories)
def test_any_history_equals_whole_copies(history: list[Command]) -> None:
    document, model = document_of(N, truth=TRUTH, model=MODEL), PlainModel()
    for command in history:
        do(document, command)
        model.do(command)
        assert document.corrected.tolist() == model.corrected
        assert document.flagged.tolist() == model.flagged
        assert len(document.edits) == len(model.undo)
        assert (document.next_undo is None) == (not model.undo)
        assert (document.next_redo is None) == (not model.redo)
        expected = [c if c != NOT_CORRECTED else t for c, t in zip(model.corrected, TRUTH, strict=True)]
        assert document.labels.tolist() == expected


@given(histories)
def test_replaying_the_standing_edits_gives_the_layers(history: list[Command]) -> None:
    """What was undone and could be redone leaves no trace in labels, layers or edits."""
    document = document_of(N, truth=TRUTH, model=MODEL)
    for command in history:
        do(document, command)
    replayed = document_of(N, truth=TRUTH, model=MODEL)
    for edit in document.edits:
        layer = replayed.corrected if edit.kind is EditKind.STAGE else replayed.flagged
        assert [int(layer[e]) for e in edit.epochs] == list(edit.before)
        for epoch, value in zip(edit.epochs, edit.after, strict=True):
            if edit.kind is EditKind.FLAG:
                replayed.toggle_flag([epoch])
            elif value == NOT_CORRECTED:
                replayed.clear([epoch])
            else:
                replayed.set_stage([epoch], Stage(value))
    np.testing.assert_array_equal(document.labels, replayed.labels)
    np.testing.assert_array_equal(document.corrected, replayed.corrected)
    np.testing.assert_array_equal(document.flagged, replayed.flagged)


@given(histories, histories)
def test_unsaved_means_other_edits_than_the_saved_ones(before: list[Command], after: list[Command]) -> None:
    document = document_of(N, truth=TRUTH, model=MODEL)
    for command in before:
        do(document, command)
    document.mark_saved()
    saved = document.edits
    assert not document.unsaved
    for command in after:
        do(document, command)
        if command[0] == "save":
            saved = document.edits
        assert document.unsaved == (document.edits != saved)


@given(histories)
def test_a_saved_review_taken_over_can_be_undone_to_its_beginning(history: list[Command]) -> None:
    document = document_of(N, truth=TRUTH, model=MODEL)
    for command in history:
        do(document, command)
    kept = [Edit.from_dict(edit.as_dict(), N) for edit in document.edits]
    taken_over = document_of(N, truth=TRUTH, model=MODEL)
    taken_over.restore(document.corrected, document.flagged, kept)
    assert taken_over.edits == document.edits
    assert not taken_over.unsaved
    assert taken_over.next_redo is None
    while taken_over.undo() is not None:
        pass
    assert (taken_over.corrected == NOT_CORRECTED).all()
    assert not taken_over.flagged.any()


def test_undoing_back_to_the_saved_state_is_saved_again() -> None:
    document = document_of(N)
    document.set_stage([0], Stage.N2)
    document.mark_saved()
    document.set_stage([1], Stage.N3)
    assert document.unsaved
    document.undo()
    assert not document.unsaved
    document.undo()
    assert document.unsaved
    document.redo()
    assert not document.unsaved


@pytest.mark.parametrize(
    ("before", "epochs", "stage", "text"),
    [
        ({}, [0], Stage.N2, "unscored → N2, epoch 1"),
        ({}, [2, 3, 4], Stage.REM, "unscored → REM, epochs 3–5"),
        ({0: Stage.W, 1: Stage.N1}, [0, 1], Stage.N2, "several → N2, epochs 1–2"),
        ({1: Stage.N2}, [1], Stage.N3, "N2 → N3, epoch 2"),
        ({}, [0, 2, 5], Stage.W, "unscored → W, 3 epochs"),
        ({1: Stage.W}, [0, 1, 2], Stage.W, "unscored → W, 2 epochs"),
    ],
)
def test_an_edit_says_what_it_changed(before: dict[int, Stage], epochs: list[int], stage: Stage, text: str) -> None:
    document = document_of(N)
    for epoch, old in before.items():
        document.set_stage([epoch], old)
    edit = document.set_stage(epochs, stage)
    assert edit is not None
    assert edit.text == text


def test_clearing_flagging_and_accepting_say_so_too() -> None:
    document = document_of(N, model=MODEL)
    document.set_stage([2], Stage.N3)
    texts = [
        edit.text
        for edit in (
            document.clear([2]),
            document.toggle_flag([0, 1]),
            document.toggle_flag([0, 1]),
            document.accept_model([0, 1, 2]),
        )
        if edit is not None
    ]
    assert texts == [
        "N3 → unscored, epoch 3",
        "flag, epochs 1–2",
        "unflag, epochs 1–2",
        "unscored → several, epochs 1–3",
    ]


def test_an_edit_knows_when_by_whom_and_before_which_model() -> None:
    document = document_of(N)
    first = document.set_stage([0], Stage.W)
    document.set_prediction(prediction_of(MODEL))
    second = document.set_stage([0], Stage.N1)
    assert first is not None
    assert second is not None
    assert (first.scorer, first.model, second.model) == ("me", "", "fake 1 (abababababab)")
    assert second.time >= first.time
    assert first.time.endswith("+00:00")


def test_what_changes_nothing_is_no_edit() -> None:
    document = document_of(N)
    told: list[Change] = []
    document.set_stage([0], Stage.W)
    document.subscribe(told.append)
    assert document.set_stage([0], Stage.W) is None
    assert document.clear([1]) is None
    assert document.accept_model([0]) is None
    assert document.set_stage([], Stage.W) is None
    assert told == []
    assert len(document.edits) == 1


def test_accepting_leaves_out_what_the_model_has_not_scored() -> None:
    document = document_of(N, model=MODEL)
    edit = document.accept_model(range(N))
    assert edit is not None
    assert edit.epochs == (0, 1, 2, 4, 5)
    assert document.corrected[3] == NOT_CORRECTED


# -- whose label counts


def test_the_truth_is_the_base_where_there_is_one() -> None:
    assert document_of(N, truth=TRUTH, model=MODEL).base is Base.TRUTH


def test_the_model_is_the_base_where_there_is_no_truth() -> None:
    document = document_of(N, model=MODEL)
    assert document.base is Base.MODEL
    assert document.labels.tolist() == MODEL


def test_a_truth_that_comes_later_does_not_replace_the_chosen_base() -> None:
    document = document_of(N, model=MODEL)
    document.set_truth(truth_of(TRUTH))
    assert document.base is Base.MODEL
    document.set_base(Base.NONE)
    assert (document.labels == Stage.UNKNOWN).all()


def test_the_users_choice_outlives_another_scoring() -> None:
    document = document_of(N, truth=TRUTH, model=MODEL)
    document.set_base(Base.MODEL)
    document.set_prediction(prediction_of([4] * N))
    assert document.base is Base.MODEL
    assert document.labels.tolist() == [4] * N


def test_a_truth_taken_away_is_no_base_any_more() -> None:
    document = document_of(N, truth=TRUTH)
    document.set_truth(None)
    assert document.base is Base.NONE
    assert (document.labels == Stage.UNKNOWN).all()


def test_a_corrected_label_counts_whatever_the_base() -> None:
    document = document_of(N, truth=TRUTH, model=MODEL)
    document.set_stage([4], Stage.N1)
    for base in Base:
        document.set_base(base)
        assert document.labels[4] == Stage.N1


def test_layers_of_another_length_are_refused() -> None:
    document = document_of(N)
    with pytest.raises(AlignmentError, match="The hypnogram has 5 epochs, the recording 6"):
        document.set_truth(truth_of([0] * 5))
    with pytest.raises(AlignmentError, match="The model's scoring has 7 epochs"):
        document.set_prediction(prediction_of([0] * 7))
    with pytest.raises(AlignmentError, match="The saved review has 2 epochs"):
        document.restore(np.zeros(2, dtype=np.int8), np.zeros(2, dtype=bool), [])
    assert document.truth is None
    assert document.prediction is None


def test_views_can_not_change_the_layers_behind_its_back() -> None:
    document = document_of(N, truth=TRUTH)
    for layer in (document.corrected, document.flagged, document.base_stages):
        with pytest.raises(ValueError, match="read-only"):
            layer[0] = 1


# -- a scoring coming in


def test_provisional_probabilities_show_until_the_whole_scoring_is_there() -> None:
    document = document_of(N, model=MODEL)
    document.add_provisional(2, proba_of([4, 4]))
    assert document.proba is not None
    assert np.isnan(document.proba[:2]).all()
    assert document.proba[2:4].argmax(axis=1).tolist() == [4, 4]
    assert document.labels.tolist() == MODEL  # what is not finished counts for nothing
    document.set_prediction(prediction_of([1] * N))
    assert document.proba.argmax(axis=1).tolist() == [1] * N


def test_a_cancelled_scoring_leaves_the_last_whole_one() -> None:
    document = document_of(N, model=MODEL)
    before = document.proba
    document.add_provisional(0, proba_of([4] * 3))
    document.drop_provisional()
    assert document.proba is before


def test_who_listens_hears_each_change_until_he_stops() -> None:
    document = document_of(N)
    told: list[Change] = []
    stop = document.subscribe(told.append)
    document.set_truth(truth_of(TRUTH))
    document.add_provisional(0, proba_of([0]))
    document.set_prediction(prediction_of(MODEL))
    document.set_stage([0], Stage.N3)
    document.undo()
    document.redo()
    document.mark_saved()
    expected = [Change.TRUTH, Change.BASE, Change.PROVISIONAL, Change.PREDICTION]
    assert told == [*expected, Change.EDITS, Change.EDITS, Change.EDITS, Change.SAVED]
    stop()
    document.undo()
    assert len(told) == 8


# -- edits kept in a file

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
GOOD = Edit(EditKind.STAGE, (1, 2), (NOT_CORRECTED, 3), (2, 2), "2024-01-01T00:00:00.000+00:00", "me", "yasa").as_dict()


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), json_values) | json_values)
def test_damaged_edits_are_refused_or_of_this_night(damage: object) -> None:
    values = {**GOOD, **damage} if isinstance(damage, dict) else damage
    try:
        edit = Edit.from_dict(values, N)  # type: ignore[arg-type]
    except ArchiveError:
        return
    assert all(0 <= e < N for e in edit.epochs)
    assert len(edit.epochs) == len(edit.before) == len(edit.after)
