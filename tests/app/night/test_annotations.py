"""Annotations in the window: a table that is searched and sorted, ticks over the night, marks on the page."""

from __future__ import annotations

from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from helpers.scoring_fakes import FakeChannel, FakeRecording, eeg
from sleepviewer.app.night.annotation_model import CHANNEL, DURATION, TEXT, TIME, AnnotationModel
from sleepviewer.app.night.text_rows import AnnotationRow
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.window import MainWindow
from sleepviewer.display.mark_layers import MarkBook
from sleepviewer.display.marks import Mark
from sleepviewer.display.span import Span
from sleepviewer.recording.annotations import Annotation

MANY = 10_000
WORDS = ("Arousal", "Spindle", "Leg movement", "Snoring", "K-complex")


def recording_of(n_epochs: int = 20) -> FakeRecording:
    return FakeRecording({"EEG": FakeChannel(eeg(n_epochs))})


def many_annotations() -> list[Annotation]:
    rng = np.random.default_rng(3)
    onsets = np.sort(rng.uniform(0, 8 * 3600, MANY)).tolist()
    return [
        Annotation(onset, float(rng.integers(0, 4)), f"{WORDS[i % 5]} {i}", ("", "C4", "O2")[i % 3])
        for i, onset in enumerate(onsets)
    ]


def texts(model: AnnotationModel, column: int) -> list[str]:
    return [model.data(model.index(row, column)) for row in range(model.rowCount())]


def test_ten_thousand_are_searched_and_sorted_right(qapp: object) -> None:
    entries = many_annotations()
    model = AnnotationModel()
    model.show(recording_of(), entries)
    assert model.rowCount() == MANY
    model.search("spind c4")
    wanted = [e for e in entries if "Spindle" in e.text and e.channel == "C4"]
    assert [model.entry_at(row) for row in range(model.rowCount())] == wanted
    model.sort(TEXT, Qt.SortOrder.DescendingOrder)
    assert texts(model, TEXT) == sorted((e.text for e in wanted), key=str.casefold, reverse=True)
    model.search("")
    model.sort(DURATION)
    durations = [model.entry_at(row).duration_s for row in range(MANY)]
    assert durations == sorted(durations)
    onsets = [model.entry_at(row).onset_s for row in range(MANY)]
    for value in set(durations):  # those that last equally long stay in order of time
        same = [o for o, d in zip(onsets, durations, strict=True) if d == value]
        assert same == sorted(same)
    model.sort(CHANNEL)
    assert texts(model, CHANNEL) == sorted(texts(model, CHANNEL))
    model.sort(TIME, Qt.SortOrder.DescendingOrder)
    assert model.number_at(0) == MANY - 1
    assert model.row_of(0) == MANY - 1
    model.search("no such words")
    assert model.rowCount() == 0
    assert model.row_of(0) is None


@settings(max_examples=40, deadline=None)
@given(first=st.floats(0, 900), length=st.floats(20, 960), width=st.integers(1, 1500))
def test_the_row_draws_at_most_one_tick_a_pixel_column(qapp: object, first: float, length: float, width: int) -> None:
    row = AnnotationRow("annotations", LIGHT)
    entries = tuple(many_annotations())
    row.show_annotations(recording_of(), entries)
    row.set_span(Span(first, first + length))
    ticks, covered = row.columns(width)
    assert len(np.unique(ticks)) == len(ticks) <= width
    assert len(covered) == width
    seen = [e for e in entries if first <= e.onset_s / 30 < first + length]
    expected = {int((e.onset_s / 30 - first) * width / length) for e in seen}
    assert set(ticks.tolist()) <= {*expected, *(x - 1 for x in expected), *(x + 1 for x in expected)}
    assert len(expected) - 2 <= len(ticks) <= len(expected) + 2


def test_what_lasts_is_covered_and_what_is_outside_is_not_drawn(qapp: object) -> None:
    row = AnnotationRow("annotations", LIGHT)
    row.show_annotations(
        recording_of(), (Annotation(-600, 900, "before"), Annotation(600, 0, "moment"), Annotation(1e6, 5, "after"))
    )
    row.set_span(Span(0, 100))
    ticks, covered = row.columns(100)
    assert ticks.tolist() == [20]
    assert np.flatnonzero(covered).tolist() == list(range(10))


def with_annotations(path: Path, n_epochs: int = 20) -> Path:
    signal = np.random.default_rng(2).standard_normal(n_epochs * 3000) * 20
    notes = [
        edfio.EdfAnnotation(65, 3, "Arousal@@EEG C4"),
        edfio.EdfAnnotation(2, None, "Lights off"),
        edfio.EdfAnnotation(310.5, None, "Bathroom"),
        edfio.EdfAnnotation(400, 12, "Arousal"),
    ]
    edfio.Edf([edfio.EdfSignal(signal, 100, label="EEG C4", physical_dimension="uV")], annotations=notes).write(path)
    return path


@pytest.fixture
def opened(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> MainWindow:
    assert window.open_path(with_annotations(tmp_path / "noted.edf"))
    qtbot.waitUntil(lambda: window.page.night.annotations.has_content)
    return window


def epoch_of(window: MainWindow) -> int:
    assert window.session is not None
    return window.session.epoch


def panel_of(window: MainWindow):
    from sleepviewer.app.night.annotation_panel import AnnotationPanel

    panel = window.findChild(AnnotationPanel)
    assert panel is not None
    return panel


def test_a_file_s_annotations_are_marks_ticks_and_a_table(opened: MainWindow) -> None:
    panel = panel_of(opened)
    assert texts(panel.model, TEXT) == ["Lights off", "Arousal", "Bathroom", "Arousal"]
    assert "4 annotations" in panel.summary
    marks = opened.page.marks.layer("annotations")
    assert [(m.start_s, m.stop_s, m.text) for m in marks][1] == (65.0, 68.0, "Arousal")
    assert len({m.key for m in marks}) == 4
    row = opened.page.night.annotations
    assert row.isVisible()
    assert "Bathroom" in row.readout(row.plot_width * 310.5 / 600, 8, row.plot_width, 16)
    assert row.readout(row.plot_width * 0.9, 8, row.plot_width, 16) == ""


def test_searching_and_enter_lead_there(opened: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    panel = panel_of(opened)
    qtbot.waitUntil(lambda: panel.isVisible())
    field = panel._search
    assert opened.focusWidget() is field
    qtbot.keyClicks(field, "AROUS")
    assert panel.model.rowCount() == 2
    assert "2 of 4" in panel.summary
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert epoch_of(opened) == 2
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert panel.table.hasFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert epoch_of(opened) == 13
    assert opened.session is not None
    assert not opened.session.document.history, "Enter in the table accepts no stage"
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert panel.model.rowCount() == 4


def test_a_click_goes_there(opened: MainWindow, qtbot: QtBot) -> None:
    opened.run_command("find_annotation")
    table = panel_of(opened).table
    rect = table.visualRect(table.model().index(2, TEXT))
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert epoch_of(opened) == 10
    table.sortByColumn(TEXT, Qt.SortOrder.AscendingOrder)
    assert texts(panel_of(opened).model, TEXT)[2] == "Bathroom"


def test_a_file_without_annotations_says_so_and_shows_no_row(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    signal = np.zeros(6000)
    path = tmp_path / "plain.edf"
    edfio.Edf([edfio.EdfSignal(signal, 100, label="EEG C4", physical_dimension="uV", physical_range=(-1, 1))]).write(
        path
    )
    assert window.open_path(path)
    qtbot.waitUntil(lambda: "holds no annotations" in panel_of(window).summary)
    assert not window.page.night.annotations.isVisible()


def test_the_lights_that_the_file_notes_are_pointed_out(opened: MainWindow) -> None:
    assert "The file notes lights off" in opened.status_line.text


def test_another_night_has_its_own(opened: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "other.edf"
    signal = np.random.default_rng(1).standard_normal(20 * 3000)
    edfio.Edf(
        [edfio.EdfSignal(signal, 100, label="EEG C4", physical_dimension="uV")],
        annotations=[edfio.EdfAnnotation(1, None, "Other")],
    ).write(path)
    assert opened.open_path(path)
    assert opened.page.marks.layer("annotations") == ()
    qtbot.waitUntil(lambda: texts(panel_of(opened).model, TEXT) == ["Other"])


def test_layers_of_marks_are_shown_together() -> None:
    shown: list[list[str]] = []
    book = MarkBook(lambda marks: shown.append([m.key for m in marks]))
    a, b, c = (Mark(key, 0, 1, key, "#000000") for key in "abc")
    book.set_layer("events", [a])
    book.set_layer("annotations", [b, c])
    book.set_layer("annotations", [b, c])
    book.set_layer("events", [])
    assert shown == [["a"], ["a", "b", "c"], ["b", "c"]]
    assert book.layer("events") == ()
    assert book.marks == (b, c)
