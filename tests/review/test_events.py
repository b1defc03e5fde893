"""Events: any sequence of edits and undos ends where it should, is kept, and can be read by other programs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import edfio
import mne
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from helpers.edf_files import Signal, write_edf
from sleepviewer.archive.archive import read_archive, write_archive
from sleepviewer.cli import main
from sleepviewer.errors import ArchiveError, EventError, OutputError, ReviewInTheWayError
from sleepviewer.review.document import Change, Document
from sleepviewer.review.event_files import events_of, write_events
from sleepviewer.review.events import Event, EventEdit, EventKind, Origin, overlap_text
from sleepviewer.review.exporting import export_events, export_labels
from sleepviewer.review.history import read_undoable
from sleepviewer.review.lights import Lights
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_path_of, save_review
from sleepviewer.stages import Stage

N, RATE = 10, 100
START = datetime(2021, 3, 4, 22, 30)

Run = Callable[[Document, Any], object]


def suggestion(start_s: float, kind: str = "spindle", channel: str = "C4") -> Event:
    return Event("", kind, start_s, start_s + 1, channel, scorer="yasa")


# -- the document

times = st.floats(0, 299, allow_nan=False)
lengths = st.floats(0.01, 60, allow_nan=False)
names = st.sampled_from([*EventKind, "my own", "leg movement"])
numbers = st.integers(0, 5)
commands: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(st.just("add"), names, times, lengths),
    st.tuples(st.just("move"), numbers, times, lengths),
    st.tuples(st.just("kind"), numbers, names),
    st.tuples(st.just("text"), numbers, st.text(max_size=5)),
    st.tuples(st.just("remove"), st.sets(numbers, max_size=3)),
    st.tuples(st.just("accept"), st.sets(numbers, max_size=3)),
    st.tuples(st.just("suggest"), st.lists(times, max_size=3)),
    st.tuples(st.just("stage"), st.integers(0, N - 1)),
    st.tuples(st.sampled_from(["undo", "undo", "redo", "lights"])),
)
histories = st.lists(commands, max_size=25)


def do(document: Document, command: tuple[Any, ...]) -> None:
    name, *values = command
    ids = [event.id for event in document.events]

    def those(indices: set[int]) -> list[str]:
        return [ids[i] for i in sorted(indices) if i < len(ids)]

    match name:
        case "add":
            kind, start, length = values
            document.add_event(kind, start, start + length, None if length > 30 else "C4")
        case "move" if values[0] < len(ids):
            document.change_event(ids[values[0]], start_s=values[1], stop_s=values[1] + values[2])
        case "kind" if values[0] < len(ids):
            document.change_event(ids[values[0]], kind=values[1])
        case "text" if values[0] < len(ids):
            document.change_event(ids[values[0]], text=values[1])
        case "remove":
            document.remove_events(those(values[0]))
        case "accept":
            document.accept_events(those(values[0]))
        case "suggest":
            earlier = [event.id for event in document.events if event.suggested]
            document.suggest_events(map(suggestion, values[0]), instead_of=earlier)
        case "stage":
            document.set_stage([values[0]], Stage.N2)
        case "lights":
            document.set_lights(Lights(3, None) if document.lights.off is None else Lights())
        case "undo":
            document.undo()
        case "redo":
            document.redo()


State = tuple[tuple[Event, ...], list[int], Lights]


def state(document: Document) -> State:
    return document.events, document.corrected.tolist(), document.lights


@given(histories)
def test_any_sequence_of_edits_and_undos_ends_where_whole_copies_do(history: list[tuple[Any, ...]]) -> None:
    document = Document(N, scorer="me")
    undone: list[State] = []
    done: list[State] = []
    for command in history:
        before, length = state(document), len(document.history)
        do(document, command)
        if command[0] == "undo":
            assert state(document) == (done[-1] if done else before)
            if done:
                undone.append(before)
                done.pop()
        elif command[0] == "redo":
            assert state(document) == (undone[-1] if undone else before)
            if undone:
                done.append(before)
                undone.pop()
        elif len(document.history) != length:
            done.append(before)
            undone.clear()
        else:
            assert state(document) == before
        starts = [(event.start_s, event.stop_s) for event in document.events]
        assert starts == sorted(starts)
        assert document.unsaved == bool(document.history)
    while document.undo() is not None:
        pass
    assert document.events == ()


@given(histories)
def test_what_is_kept_comes_back_with_its_history(history: list[tuple[Any, ...]]) -> None:
    document = Document(N, scorer="me")
    for command in history:
        do(document, command)
    kept = json.loads(json.dumps([edit.as_dict() for edit in document.history]))
    events = json.loads(json.dumps([event.as_dict() for event in document.events]))
    again = Document(N)
    edits = [read_undoable(values, N) for values in kept]
    again.restore(
        document.corrected,
        document.flagged,
        edits,
        lights=document.lights,
        events=[Event.from_dict(values) for values in events],
    )
    assert again.events == document.events
    assert again.history == document.history
    assert not again.unsaved
    ids = {event.id for edit in edits if isinstance(edit, EventEdit) for event in (*edit.before, *edit.after)}
    assert again.add_event("arousal", 0, 1).id not in ids
    while again.undo() is not None:
        pass
    assert again.events == ()


def test_every_edit_has_scorer_time_and_words() -> None:
    document = Document(N, scorer="me")
    event = document.add_event(EventKind.AROUSAL, 61.0, 66.5, "C4")
    assert (event.scorer, event.origin, event.epoch) == ("me", Origin.EXPERT, 2)
    assert datetime.fromisoformat(event.created).utcoffset() is not None
    document.change_event(event.id, start_s=62.0)
    document.change_event(event.id, kind="my own")
    document.change_event(event.id, text="after\na snore")
    document.remove_event(event.id)
    texts = [edit.text for edit in document.history]
    assert texts == [
        "draw arousal, epoch 3",
        "move arousal, epoch 3",
        "change arousal → my own, epoch 3",
        "name my own, epoch 3",
        "delete my own, epoch 3",
    ]
    for edit in document.history:
        assert isinstance(edit, EventEdit)
        assert edit.scorer == "me"
        assert datetime.fromisoformat(edit.time).utcoffset() is not None
        assert edit.epochs == (2,)
    document.undo()
    assert document.events[0].text == "after a snore"


def test_suggestions_come_and_go_as_one_edit() -> None:
    document = Document(N, scorer="me")
    document.suggest_events([suggestion(10), suggestion(40), suggestion(70, "slow wave")])
    assert document.next_undo is not None
    assert document.next_undo.text == "suggest 3 events"
    assert all(event.suggested and event.scorer == "yasa" for event in document.events)
    first, second, third = (event.id for event in document.events)
    edit = document.accept_events([first])
    assert edit is not None
    assert edit.text == "accept spindle, epoch 1"
    assert document.events[0].origin is Origin.EXPERT
    assert document.events[0].scorer == "me"
    assert document.accept_events([first]) is None
    edit = document.remove_events([second, third])
    assert edit is not None
    assert edit.text == "dismiss 2 events"
    assert len(document.events) == 1
    document.undo()
    document.undo()
    assert [event.suggested for event in document.events] == [True] * 3
    document.undo()
    assert document.events == ()


def test_a_suggestion_that_is_changed_by_hand_is_the_experts() -> None:
    document = Document(N, scorer="me")
    document.suggest_events([suggestion(10)])
    event = document.change_event(document.events[0].id, stop_s=12.0)
    assert event is not None
    assert (event.origin, event.scorer) == (Origin.EXPERT, "me")
    assert document.change_event(event.id, stop_s=12.0) is None


def test_no_event_without_a_length_or_a_name() -> None:
    document = Document(N)
    for start, stop in ((1, 1), (2, 1), (-1, 2), (float("nan"), 2), (1, float("inf"))):
        with pytest.raises(EventError, match="lasts"):
            document.add_event("arousal", start, stop)
    with pytest.raises(EventError, match="name"):
        document.add_event("", 1, 2)
    event = document.add_event("arousal", 1, 2)
    with pytest.raises(EventError):
        document.change_event(event.id, kind=" \n")
    with pytest.raises(EventError):
        document.change_event(event.id, start_s=3.0)
    assert document.events == (event,)
    assert len(document.history) == 1


def test_listeners_hear_of_events() -> None:
    document = Document(N)
    heard: list[Change] = []
    document.subscribe(heard.append)
    document.add_event("arousal", 1, 2)
    document.undo()
    document.redo()
    assert heard == [Change.EVENTS] * 3


def test_what_lies_in_an_epoch_is_said_in_a_few_words() -> None:
    document = Document(N)
    document.add_event("spindle", 31, 32, "C3")
    document.add_event("spindle", 31.5, 32.5, "C4")
    document.add_event("arousal", 25, 34.2)
    document.suggest_events([suggestion(40), suggestion(70)])
    assert overlap_text(document.events, 30, 60) == "arousal 4.2 s · 2 spindles 1.5 s · 1 suggested"
    assert overlap_text(document.events, 60, 69) == ""


# -- the archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    samples = np.round(np.random.default_rng(0).standard_normal(N * 30 * RATE) * 30, 1)
    return write_edf(tmp_path / "night.edf", [Signal("EEG C4", RATE, "uV", samples)], start=START, record_s=30)


@pytest.fixture
def night(path: Path) -> Night:
    """A night with an arousal, a named artefact on one channel, and two suggestions."""
    night = open_night(path)
    document = night.document
    document.scorer = "Zoë M"
    document.set_stage([3], Stage.N3)
    document.add_event(EventKind.AROUSAL, 12.5, 18.125)
    document.add_event('leg, "right"', 20.0, 21.5, "EEG C4", "seen on µ-EMG")
    document.suggest_events([suggestion(61.25, channel="EEG C4"), suggestion(70.5, "slow wave", "EEG C4")])
    return night


def test_a_review_keeps_its_events_and_their_history(night: Night, path: Path) -> None:
    save_review(night, save_path_of(night))
    assert not night.document.unsaved
    again = open_night(path)
    assert again.document.events == night.document.events
    assert again.document.history == night.document.history
    assert not again.document.unsaved
    again.document.undo()
    assert [event.suggested for event in again.document.events] == [False, False]
    assert again.document.unsaved


def test_what_trains_does_not_see_events(night: Night, path: Path) -> None:
    save_review(night, save_path_of(night))
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as archive:
        assert archive["x"].shape == (1, 30 * RATE, 1)
        assert archive["y"].tolist() == [3]


def test_an_archive_without_events_opens(night: Night, path: Path) -> None:
    save_review(night, save_path_of(night))
    target = path.with_suffix(".npz")
    archive = read_archive(target)
    meta = {key: value for key, value in archive.meta.items() if key != "events"}
    meta["edits"] = [edit for edit in meta["edits"] if edit["kind"] == "stage"]
    write_archive(target, replace(archive, meta=meta))
    again = open_night(path)
    assert again.document.events == ()
    assert again.document.corrected[3] == Stage.N3
    assert len(again.document.history) == 1


def test_damaged_events_cost_no_others_and_no_labels(night: Night, path: Path) -> None:
    save_review(night, save_path_of(night))
    target = path.with_suffix(".npz")
    archive = read_archive(target)
    events = list(archive.meta["events"])
    events[0] = {"id": "e1", "kind": "arousal"}
    write_archive(target, replace(archive, meta={**archive.meta, "events": [*events, "what?"]}))
    again = open_night(path)
    assert len(again.document.events) == 3
    assert again.document.corrected[3] == Stage.N3
    assert any("2 of the events in night.npz are damaged" in note for note in again.notes)


def test_events_of_the_same_id_are_all_taken_up(night: Night, path: Path) -> None:
    save_review(night, save_path_of(night))
    target = path.with_suffix(".npz")
    archive = read_archive(target)
    events = list(archive.meta["events"])
    twin = {**events[0], "start_s": 100.0, "stop_s": 101.0}
    write_archive(target, replace(archive, meta={**archive.meta, "events": [*events, twin]}))
    again = open_night(path).document.events
    assert len(again) == len(events) + 1
    assert len({event.id for event in again}) == len(again)


HUGE = {"id": "e1", "kind": "arousal", "start_s": 10**400, "stop_s": 10**401, "channel": None, "origin": "expert"}


@pytest.mark.parametrize(
    "values",
    [
        None,
        3,
        {},
        {"before": [], "after": []},
        {"before": 3},
        {"after": [{"id": 1}]},
        {"before": [], "after": [HUGE]},
        {"kind": "stage", "epochs": [math.inf], "before": [0], "after": [1]},
    ],
)
def test_a_damaged_edit_is_an_archive_error(values: Any) -> None:
    with pytest.raises(ArchiveError):
        read_undoable(values if not isinstance(values, dict) else {"kind": "events", **values}, N)


def test_an_export_does_not_write_over_events_of_others(night: Night, path: Path, tmp_path: Path) -> None:
    save_review(night, save_path_of(night))
    second = open_night(path, look_beside=False)
    second.document.set_stage([3], Stage.N3)
    with pytest.raises(ReviewInTheWayError, match="holds 2 events that this night does not"):
        export_labels(second, path.with_suffix(".npz"), replace=True)
    export_labels(night, path.with_suffix(".npz"))


def test_an_export_does_not_write_over_lights_of_others(path: Path) -> None:
    first = open_night(path)
    first.document.set_lights(Lights(1, 3))
    target = save_path_of(first)
    save_review(first, target)
    second = open_night(path, look_beside=False)
    second.document.set_stage([3], Stage.N3)
    with pytest.raises(ReviewInTheWayError, match="holds lights off and on that this night does not"):
        export_labels(second, target, replace=True)
    export_labels(first, target)
    second.document.set_lights(Lights(1, 3))
    export_labels(second, target)


# -- other programs


def annotations(path: Path) -> list[tuple[float, float | None, str]]:
    return [(a.onset, a.duration, a.text) for a in edfio.read_edf(path).annotations]


def test_edf_plus_annotations_read_back(night: Night, tmp_path: Path) -> None:
    out = tmp_path / "events.edf"
    export_events(night, out)
    edf = edfio.read_edf(out)
    assert edf.startdatetime == START
    assert [entry for entry in annotations(out) if not entry[2].startswith("Scorer")] == [
        (12.5, 5.625, "EEG arousal"),
        (20.0, 1.5, 'leg, "right": seen on µ-EMG@@EEG C4'),
        (61.25, 1.0, "spindle (suggested)@@EEG C4"),
        (70.5, 1.0, "slow wave (suggested)@@EEG C4"),
    ]
    assert (0.0, None, "Scorer: Zoë M") in annotations(out)
    seen = mne.read_annotations(out)
    assert seen.onset[seen.description == "EEG arousal"].tolist() == [12.5]
    assert seen.duration[seen.description == "EEG arousal"].tolist() == [5.625]


def test_the_table_reads_back(night: Night, tmp_path: Path) -> None:
    out = tmp_path / "events.csv"
    export_events(night, out)
    text = out.read_text()
    assert text.startswith("onset_s,duration_s,clock,kind,channel,origin,scorer,text\n")
    rows = list(csv.DictReader(text.splitlines()))
    assert rows[0] == {
        "onset_s": "12.5",
        "duration_s": "5.625",
        "clock": "2021-03-04T22:30:12.500",
        "kind": "arousal",
        "channel": "",
        "origin": "expert",
        "scorer": "Zoë M",
        "text": "",
    }
    assert rows[1]["kind"] == 'leg, "right"'
    assert rows[1]["text"] == "seen on µ-EMG"
    assert [row["origin"] for row in rows] == ["expert"] * 2 + ["suggested"] * 2
    assert rows[2]["scorer"] == "yasa"


def test_no_events_make_an_empty_table(tmp_path: Path) -> None:
    write_events([], tmp_path / "none.tsv")
    assert (tmp_path / "none.tsv").read_text().split("\n")[0].split("\t")[0] == "onset_s"
    with pytest.raises(OutputError, match="without an annotation"):
        write_events([], tmp_path / "none.edf")
    with pytest.raises(OutputError, match="unsupported extension"):
        write_events([], tmp_path / "none.doc")


def test_events_are_not_written_over_the_recording(night: Night, path: Path) -> None:
    with pytest.raises(OutputError, match="recording itself"):
        export_events(night, path, replace=True)


def test_the_command_line_writes_a_reviews_events(night: Night, path: Path, tmp_path: Path) -> None:
    save_review(night, save_path_of(night))
    review, out = path.with_suffix(".npz"), tmp_path / "events.edf"
    result = CliRunner().invoke(main, ["export-events", str(review), str(out), "--origin", "expert", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "out": str(out),
        "events": 2,
        "kinds": {"arousal": 1, 'leg, "right"': 1},
    }
    assert edfio.read_edf(out).startdatetime == START
    again = CliRunner().invoke(main, ["export-events", str(review), str(out)])
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr
    assert CliRunner().invoke(main, ["export-events", str(review), str(out), "--overwrite"]).exit_code == 0
    assert len(annotations(out)) == 5
    wrong = CliRunner().invoke(main, ["export-events", str(review), str(tmp_path / "events.npz")])
    assert wrong.exit_code == 1
    assert "unsupported extension; use .csv, .tsv or .edf" in wrong.stderr
    assert events_of(read_archive(review))[0] == night.document.events
