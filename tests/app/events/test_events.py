"""Events in the window: drawn, named, moved, deleted, stepped through, suggested, accepted, and all of it undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.review_values import truth_of
from sleepviewer.app.events.feature import EventsPart
from sleepviewer.app.events.marks import LAYER, event_color, marks_of
from sleepviewer.app.events.table import KIND, TEXT, TIME
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.theme import DARK, LIGHT
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.detection_worker import DetectionWorker
from sleepviewer.display.filters import RAW
from sleepviewer.display.marks import Mark
from sleepviewer.display.montage import Derivation, Montage, Trace
from sleepviewer.review.comparison import document_statistics
from sleepviewer.review.document import Document
from sleepviewer.review.event_counts import count_kinds
from sleepviewer.review.events import Event, EventKind, Origin
from sleepviewer.review.lights import Lights
from sleepviewer.scoring.base import Progress
from sleepviewer.scoring.detection import Detection, DetectionRequest, Found
from sleepviewer.stages import Stage

N, RATE = 20, 100
START = datetime(2021, 3, 4, 22, 30)
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def write_night(path: Path, labels: tuple[str, ...] = ("EEG C4", "EOG left"), unit: str = "uV") -> Path:
    rng = np.random.default_rng(len(labels))
    channels = [Signal(label, RATE, unit, np.round(rng.standard_normal(N * 30 * RATE) * 30, 1)) for label in labels]
    return write_edf(path, channels, start=START, record_s=30)


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    assert window.open_path(write_night(tmp_path / "night.edf"))
    return window


def part_of(window: MainWindow) -> EventsPart:
    part = window.findChild(EventsPart)
    assert isinstance(part, EventsPart)
    return part


def document_of(window: MainWindow) -> Document:
    assert window.session is not None
    return window.session.document


def epoch_of(window: MainWindow) -> int:
    assert window.session is not None
    return window.session.epoch


def marks(window: MainWindow) -> tuple[Mark, ...]:
    return window.page.marks.layer(LAYER)


def spans(window: MainWindow) -> list[tuple[float, float]]:
    return [(event.start_s, event.stop_s) for event in document_of(window).events]


def suggest(window: MainWindow, *starts: float, kind: str = "spindle") -> list[str]:
    suggestions = [Event("", kind, start, start + 1, "EEG C4", scorer="yasa") for start in starts]
    document_of(window).suggest_events(suggestions)
    return [event.id for event in document_of(window).events if event.suggested]


# -- drawing


def drag(qtbot: QtBot, window: MainWindow, start_s: float, stop_s: float, keys: Qt.KeyboardModifier) -> None:
    """Drag over the upper lane between two times."""
    view = window.page.traces
    layout = view._layout
    assert layout is not None
    y = int(layout.lane_rect(0).center().y())
    first, last = (QPoint(round(layout.x_of(time)), y) for time in (start_s, stop_s))
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, keys, first)
    qtbot.mouseMove(view, (first + last) / 2)
    qtbot.mouseMove(view, last)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, keys, last)


@pytest.mark.parametrize(
    ("keys", "channel"),
    [(Qt.KeyboardModifier.NoModifier, "EEG C4"), (SHIFT, None), (Qt.KeyboardModifier.AltModifier, None)],
)
def test_a_drag_draws_an_event_while_e_is_on(
    qtbot: QtBot, opened: MainWindow, keys: Qt.KeyboardModifier, channel: str | None
) -> None:
    no_key = Qt.KeyboardModifier.NoModifier
    qtbot.waitUntil(lambda: opened.page.traces._layout is not None)
    drag(qtbot, opened, 5.0, 9.0, no_key)
    assert document_of(opened).events == ()
    qtbot.keyClick(opened, Qt.Key.Key_E)
    assert opened.actions_["draw_events"].isChecked()
    assert "Drag over a trace to draw an arousal" in opened.status_line.text
    drag(qtbot, opened, 9.0, 5.0, keys)
    (event,) = document_of(opened).events
    assert (event.kind, event.channel, event.origin) == ("arousal", channel, Origin.EXPERT)
    assert (event.start_s, event.stop_s) == pytest.approx((5.0, 9.0), abs=0.1)
    assert part_of(opened).panel.selected == [event.id]
    assert [mark.selected for mark in marks(opened)] == [True]
    qtbot.keyClick(opened, Qt.Key.Key_Z, CONTROL)
    assert document_of(opened).events == ()
    assert marks(opened) == ()
    qtbot.keyClick(opened, Qt.Key.Key_Y, CONTROL)
    assert document_of(opened).events == (event,)
    qtbot.keyClick(opened, Qt.Key.Key_E)
    assert not opened.actions_["draw_events"].isChecked()
    drag(qtbot, opened, 12.0, 14.0, no_key)
    assert document_of(opened).events == (event,)


def test_what_is_drawn_stays_within_the_recording(opened: MainWindow) -> None:
    opened.run_command("draw_events")
    for start, stop in ((-10.0, 2.0), (N * 30 - 3.0, N * 30 + 8.0), (-10.0, -5.0), (7.0, 7.01)):
        opened.page.traces.interval_drawn.emit(start, stop, "")
    assert spans(opened) == [(0.0, 2.0), (N * 30 - 3.0, N * 30)]


def test_the_kind_is_typed_or_chosen_and_remembered(
    qtbot: QtBot, opened: MainWindow, make_window: Callable[[], MainWindow]
) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_E, SHIFT)
    box = part_of(opened).panel.findChild(QComboBox, "kind")
    assert isinstance(box, QComboBox)
    assert [box.itemText(i) for i in range(box.count())] == list(EventKind)
    qtbot.waitUntil(lambda: box.lineEdit() is not None and box.lineEdit().hasFocus())
    qtbot.keyClicks(box.lineEdit(), "leg movement")
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)
    assert document_of(opened).history == ()  # neither letters nor Enter were commands
    opened.run_command("draw_events")
    opened.page.traces.interval_drawn.emit(1.0, 2.0, "EEG C4")
    assert document_of(opened).events[0].kind == "leg movement"
    opened.close()
    again = part_of(make_window())
    assert "leg movement" in again.panel.kinds
    assert again._kind == "leg movement"


# -- moving, naming, deleting


def test_a_mark_is_picked_moved_and_deleted_and_each_is_undone(qtbot: QtBot, opened: MainWindow) -> None:
    document = document_of(opened)
    event = document.add_event("arousal", 5, 9)
    document.add_event("spindle", 20, 21, "EEG C4")
    view = opened.page.traces
    assert not opened.actions_["delete_event"].isEnabled()
    view.mark_picked.emit(marks(opened)[0].key)
    assert part_of(opened).panel.selected == [event.id]
    view.mark_moved.emit(marks(opened)[0].key, 6.0, 8.5)
    assert spans(opened) == [(6.0, 8.5), (20.0, 21.0)]
    view.mark_moved.emit(marks(opened)[0].key, -4.0, 8.5)
    assert spans(opened)[0] == (0.0, 8.5)
    qtbot.keyClick(opened, Qt.Key.Key_Delete)
    assert spans(opened) == [(20.0, 21.0)]
    assert not opened.actions_["delete_event"].isEnabled()
    assert "delete arousal, epoch 1" in opened.status_line.text
    for expected in ((0.0, 8.5), (6.0, 8.5), (5.0, 9.0)):
        qtbot.keyClick(opened, Qt.Key.Key_Z, CONTROL)
        assert spans(opened)[0] == expected
    view.mark_picked.emit("annotation:3")
    view.mark_moved.emit("annotation:3", 1.0, 2.0)
    assert spans(opened) == [(5.0, 9.0), (20.0, 21.0)]


@pytest.mark.parametrize(("moved", "expected"), [((-2.5, 1.5), (0.0, 4.0)), ((598.0, 602.0), (596.0, 600.0))])
def test_an_event_moved_to_an_end_of_the_recording_keeps_its_length(
    opened: MainWindow, moved: tuple[float, float], expected: tuple[float, float]
) -> None:
    document_of(opened).add_event("arousal", 5, 9)
    opened.page.traces.mark_moved.emit(marks(opened)[0].key, *moved)
    assert spans(opened) == [expected]


def test_kind_and_text_are_edited_in_the_table(qtbot: QtBot, opened: MainWindow) -> None:
    document, table = document_of(opened), part_of(opened).panel.table
    event = document.add_event("arousal", 5, 9)
    rows = table.model()
    assert rows.setData(rows.index(0, KIND), "snore")
    assert rows.setData(rows.index(0, TEXT), "loud")
    changed = document.event(event.id)
    assert changed is not None
    assert (changed.kind, changed.text) == ("snore", "loud")
    assert len(document.history) == 3
    assert rows.setData(rows.index(0, TEXT), "loud")
    assert len(document.history) == 3
    rows.setData(rows.index(0, KIND), "  ")
    assert "name" in opened.info_bar.text
    assert rows.index(0, KIND).data() == "snore"
    assert not rows.flags(rows.index(0, TIME)) & Qt.ItemFlag.ItemIsEditable
    document.undo()
    document.undo()
    assert rows.index(0, KIND).data() == "arousal"


def test_typing_into_a_cell_is_no_command(qtbot: QtBot, opened: MainWindow) -> None:
    document, panel = document_of(opened), part_of(opened).panel
    document.add_event("arousal", 5, 9)
    opened.panels.show("events")
    table = panel.table
    table.setFocus()
    table.setCurrentIndex(table.model().index(0, TEXT))
    table.edit(table.model().index(0, TEXT))
    editor = opened.focusWidget()
    assert editor is not None
    assert editor is not table
    qtbot.keyClicks(editor, "w2qe")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: document.events[0].text == "w2qe")
    assert len(document.history) == 2
    assert not opened.actions_["draw_events"].isChecked()


# -- going through them


def test_comma_and_full_stop_go_from_event_to_event(qtbot: QtBot, opened: MainWindow) -> None:
    document, part = document_of(opened), part_of(opened)
    ids = [document.add_event("arousal", start, start + 2).id for start in (40, 45, 100, 400)]
    seen = []
    for _ in range(4):
        qtbot.keyClick(opened, Qt.Key.Key_Period)
        seen.append((epoch_of(opened), part.panel.selected))
    assert seen == [(1, [ids[0]]), (1, [ids[1]]), (3, [ids[2]]), (13, [ids[3]])]
    qtbot.keyClick(opened, Qt.Key.Key_Period)
    assert "No further event" in opened.status_line.text
    qtbot.keyClick(opened, Qt.Key.Key_Comma)
    assert (epoch_of(opened), part.panel.selected) == (3, [ids[2]])
    qtbot.keyClick(opened, Qt.Key.Key_Home)  # from another epoch, the way begins there
    qtbot.keyClick(opened, Qt.Key.Key_Period)
    assert part.panel.selected == [ids[0]]


def test_a_click_goes_there_and_the_filter_hides(qtbot: QtBot, opened: MainWindow) -> None:
    document, panel = document_of(opened), part_of(opened).panel
    document.add_event("arousal", 40, 42)
    document.add_event("snore", 310, 320)
    suggest(opened, 500.0)
    opened.panels.show("events")
    table = panel.table
    qtbot.waitUntil(table.isVisible)
    qtbot.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(table.model().index(1, 0)).center()
    )
    assert epoch_of(opened) == 10
    panel._only_kind.setCurrentIndex(panel._only_kind.findData("spindle"))
    panel._only_kind.activated.emit(0)
    assert [document.event(shown).kind for shown in panel.shown] == ["spindle"]  # type: ignore[union-attr]
    qtbot.keyClick(opened, Qt.Key.Key_Period)
    assert epoch_of(opened) == 16
    panel._only_origin.setCurrentIndex(1)
    panel._only_origin.activated.emit(1)
    assert panel.shown == []
    assert "No event of this kind" in panel._empty.text()
    document.undo()  # the last spindle goes, and with it the filter for it
    assert len(panel.shown) == 2


def test_columns_sort_by_what_they_stand_for(opened: MainWindow) -> None:
    document, panel = document_of(opened), part_of(opened).panel
    for start, length, kind in ((10, 12.0, "b"), (20, 2.0, "C"), (200, 5.0, "a")):
        document.add_event(kind, start, start + length)
    panel.table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    assert [panel.table.model().index(row, 2).data() for row in range(3)] == ["2.0 s", "5.0 s", "12.0 s"]
    panel.table.sortByColumn(KIND, Qt.SortOrder.DescendingOrder)
    assert [panel.table.model().index(row, KIND).data() for row in range(3)] == ["C", "b", "a"]


def test_ten_thousand_events_do_not_hold_the_window_up(opened: MainWindow) -> None:
    suggest(opened, *np.linspace(0, N * 30 - 2, 10_000))
    document, panel = document_of(opened), part_of(opened).panel
    event = document.add_event("arousal", 5, 9)
    opened.run_command("next_event")
    assert len(panel.shown) == 10_001
    document.remove_event(event.id)
    assert len(panel.shown) == 10_000


# -- what is said


def test_counts_are_given_per_hour_of_sleep(opened: MainWindow) -> None:
    document, panel = document_of(opened), part_of(opened).panel
    document.add_event("arousal", 31, 35)
    document.add_event("arousal", 590, 593)
    suggest(opened, 100.0, 110.0)
    assert panel._counts.text() == "arousal 2\nspindle 2 suggested"
    document.set_truth(truth_of([int(Stage.W)] * 10 + [int(Stage.N2)] * 10))
    assert panel._counts.text() == "arousal 2 (24.0 per hour of sleep)\nspindle 2 suggested"
    document.add_event("K-complex", 40, 41)
    document.add_event("K-complex", 400, 401)
    assert "K-complex 2 (12.0 per hour of sleep)" in panel._counts.text()
    document.set_lights(Lights(14, None))
    assert panel._counts.text().startswith("arousal 2 (20.0 per hour of sleep)\nK-complex 2 (0.0 per hour of sleep)")
    statistics = document_statistics(document)["expert"]
    assert statistics["arousal_index"] == 20.0
    document.undo()
    document.remove_events([event.id for event in document.events if event.kind == "K-complex"])
    counts = count_kinds(document.events, np.full(N, int(Stage.UNKNOWN), dtype=np.int8))
    assert [(count.kind, count.per_hour) for count in counts] == [("arousal", None), ("spindle", None)]


def test_the_epoch_tab_says_what_lies_in_the_epoch(opened: MainWindow) -> None:
    document, tab = document_of(opened), opened.page.panel.epoch_tab
    document.add_event("arousal", 25, 34.2)
    assert tab._events.text() == "Events: arousal 5.0 s"
    opened.run_command("next_epoch")
    assert tab._events.text() == "Events: arousal 4.2 s"
    document.undo()
    assert tab._events.text() == ""


# -- marks


def test_marks_tell_kinds_and_suggestions_apart_without_colour(opened: MainWindow) -> None:
    document_of(opened).add_event("arousal", 5, 9, None, "snore")
    suggest(opened, 20.0)
    expert, suggested = marks(opened)
    assert (expert.text, expert.suggested, expert.lane, expert.movable) == ("arousal: snore", False, None, True)
    assert (suggested.text, suggested.suggested, suggested.lane) == ("spindle?", True, "EEG C4")
    opened.set_theme(DARK if opened._theme is LIGHT else LIGHT)
    assert marks(opened)[0].color != expert.color


def test_a_channels_events_are_on_the_lane_that_shows_it() -> None:
    events = [Event("e1", "spindle", 1, 2, "C3"), Event("e2", "spindle", 3, 4, "C4"), Event("e3", "arousal", 5, 6)]
    montage = Montage("m", (Trace(Derivation("C3", ("M2",)), RAW), Trace(Derivation("O1"), RAW)))
    assert [(mark.key, mark.lane) for mark in marks_of(events, montage, "light")] == [
        ("event:e1", "C3 − M2"),
        ("event:e3", None),
    ]
    assert event_color("my own", "light") == event_color("my own", "light")


# -- suggestions


def worker_of(window: MainWindow) -> DetectionWorker:
    worker = window.findChild(DetectionWorker)
    assert isinstance(worker, DetectionWorker)
    return worker


def start_without_process(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> DetectionRequest:
    """Begin to look with a worker that does nothing: the test emits its signals."""
    requests: list[DetectionRequest] = []
    monkeypatch.setattr(worker_of(window), "start", requests.append)
    window.run_command("suggest_events")
    return requests[0]


def detection_of(*starts: float, kind: str = "spindle") -> Detection:
    found = tuple(Found(kind, start, start + 1, "EEG C4") for start in starts)
    return Detection(found, (("EEG C4", "spindle"), ("EEG C4", "slow wave")), "yasa 0.8.1", 2.0, ("A note.",))


def test_what_is_found_is_suggested_and_taken_up_once(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    document, part = document_of(opened), part_of(opened)
    document.add_event("spindle", 10.2, 11, "EEG C4")
    request = start_without_process(opened, monkeypatch)
    assert request.channels == ("EEG C4",)
    assert request.stages is None
    assert not opened.actions_["suggest_events"].isEnabled()
    assert opened.actions_["cancel_suggesting"].isEnabled()
    worker_of(opened).progressed.emit(Progress(0.4, "spindles in EEG C4"))
    assert part.panel._progress.value() == 40
    worker_of(opened).finished.emit(detection_of(10, 50, 90))
    assert [event.suggested for event in document.events] == [False, True, True]
    assert "2 suggested by YASA 0.8.1; 1 are there already" in opened.status_line.text
    assert "A note." in part.panel._said.text()
    assert "whole night was searched" in part.panel._said.text()
    assert opened.actions_["suggest_events"].isEnabled()
    part._accept([document.events[1].id])
    start_without_process(opened, monkeypatch)
    worker_of(opened).finished.emit(detection_of(10, 50, 120))
    assert [(event.start_s, event.suggested) for event in document.events] == [(10.2, False), (50, False), (120, True)]
    document.undo()
    assert [event.start_s for event in document.events] == [10.2, 50, 90]


def test_another_scored_channel_is_the_one_to_search(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert window.open_path(write_night(tmp_path / "two.edf", ("EEG C4", "EEG O2", "EOG left")))
    assert window.session is not None
    button = part_of(window).panel.suggest
    assert list(button._channels) == ["EEG C4", "EEG O2"]
    window.session.choose_channel("EEG O2")
    assert button.channels == ("EEG O2",)
    button._channels["EEG C4"].setChecked(True)
    assert start_without_process(window, monkeypatch).channels == ("EEG C4", "EEG O2")


def test_labels_restrict_what_is_searched(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    document = document_of(opened)
    document.set_truth(truth_of([int(Stage.N2)] * N))
    request = start_without_process(opened, monkeypatch)
    assert request.stages is not None
    assert request.stages.tolist() == [2] * N
    worker_of(opened).finished.emit(detection_of())
    assert "found no spindles or slow waves on EEG C4 in the epochs labelled N2 or N3" in opened.status_line.text
    assert document.history == ()
    part_of(opened).panel.suggest._restricted.setChecked(False)
    assert start_without_process(opened, monkeypatch).stages is None


def test_suggestions_are_accepted_by_enter_and_dismissed_by_delete(qtbot: QtBot, opened: MainWindow) -> None:
    document, panel = document_of(opened), part_of(opened).panel
    first, second, third = suggest(opened, 40.0, 100.0, 160.0)
    opened.panels.show("events")
    panel.select(first)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert [event.suggested for event in document.events] == [False, True, True]
    assert len(document.edits) == 0  # Enter was not the model's stage
    assert panel.selected == [second]
    assert epoch_of(opened) == 3
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert [event.id for event in document.events] == [first, third]
    assert panel.selected == [third]
    assert panel._remove.text() == "Dismiss"
    qtbot.keyClick(opened, Qt.Key.Key_Return, SHIFT)
    assert [event.suggested for event in document.events] == [False, False]
    for _ in range(3):
        qtbot.keyClick(opened, Qt.Key.Key_Z, CONTROL)
    assert [event.suggested for event in document.events] == [True] * 3


def test_all_that_are_shown_are_accepted_or_dismissed_at_once(qtbot: QtBot, opened: MainWindow) -> None:
    document, panel = document_of(opened), part_of(opened).panel
    document.add_event("arousal", 5, 9)
    suggest(opened, 40.0, 100.0)
    panel._accept_all.click()
    assert not any(event.suggested for event in document.events)
    assert panel._accept_all.isHidden()
    document.undo()
    panel._dismiss_all.click()
    assert [event.kind for event in document.events] == ["arousal"]
    document.undo()
    assert len(document.events) == 3


@pytest.mark.parametrize(
    ("labels", "unit", "words"),
    [(("Leg",), "uV", "is an EEG by its name"), (("EEG C4",), "", "has no unit"), (("EEG C4",), "%", "an EEG by its")],
)
def test_what_can_not_be_searched_is_a_sentence(
    window: MainWindow, tmp_path: Path, labels: tuple[str, ...], unit: str, words: str
) -> None:
    assert window.open_path(write_night(tmp_path / "odd.edf", labels, unit))
    window.run_command("suggest_events")
    assert words in window.info_bar.text
    assert not part_of(window).suggestions.running


def test_cancelling_is_prompt_and_changes_nothing(qtbot: QtBot, opened: MainWindow) -> None:
    document, part = document_of(opened), part_of(opened)
    opened.run_command("suggest_events")
    assert part.suggestions.running
    qtbot.wait(500)  # YASA is being imported
    opened.run_command("cancel_suggesting")
    qtbot.waitUntil(lambda: "cancelled" in opened.status_line.text, timeout=5000)
    qtbot.waitUntil(lambda: not part.suggestions.running)
    assert document.history == ()
    assert part.panel._progress.isHidden()


def test_what_is_left_of_one_nights_search_does_not_reach_another(
    opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_without_process(opened, monkeypatch)
    assert opened.open_path(write_night(tmp_path / "other.edf"))
    worker_of(opened).progressed.emit(Progress(0.9, "spindles in EEG C4"))
    assert part_of(opened).panel._progress.isHidden() or part_of(opened).panel._progress.value() != 90
    worker_of(opened).finished.emit(detection_of(10, 50))
    assert document_of(opened).events == ()
    assert not part_of(opened).suggestions.running
    assert part_of(opened).panel._progress.isHidden()


# -- kept and exported


def test_events_are_saved_and_come_back(opened: MainWindow, tmp_path: Path) -> None:
    document_of(opened).add_event("arousal", 5, 9, "EEG C4", "snore")
    suggest(opened, 40.0)
    assert opened.isWindowModified()
    events = document_of(opened).events
    assert opened.save()
    assert not opened.isWindowModified()
    assert opened.open_path(tmp_path / "night.edf")
    assert document_of(opened).events == events
    assert len(part_of(opened).panel.shown) == 2
    opened.run_command("undo")
    assert len(document_of(opened).events) == 1


def test_events_are_exported_and_what_fails_is_a_sentence(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not opened.actions_["export_events"].isEnabled()
    document_of(opened).add_event("arousal", 5, 9)
    monkeypatch.setattr(dialogs, "ask_events_path", lambda _, proposed: proposed)
    qtbot.keyClick(opened, Qt.Key.Key_E, CONTROL | SHIFT)
    out = tmp_path / "night-events.csv"
    assert "5,4,2021-03-04T22:30:05.000,arousal,,expert" in out.read_text()
    assert "1 event exported" in opened.status_line.text
    part_of(opened).export(tmp_path / "night.edf")
    assert "Not exported" in opened.info_bar.text
    part_of(opened).export(tmp_path / "absent" / "events.edf")
    assert "Not exported" in opened.info_bar.text
