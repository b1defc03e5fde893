"""The history panel, reverting, blinding without a leak, other scorers' reviews, and a consensus, in the window."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QProgressBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from helpers.night_files import MODEL, TRUTH, write_night, write_review
from helpers.review_values import prediction_of, truth_of
from sleepviewer.app.compare.consensus_feature import AdjudicationPart
from sleepviewer.app.compare.scorers_feature import HIDDEN_COMMANDS, HIDDEN_PANELS
from sleepviewer.app.keys.command_table import KEY_TABLE
from sleepviewer.app.preferences.scorer_page import ScorerPage
from sleepviewer.app.review.history_feature import HistoryPart
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.window import MainWindow
from sleepviewer.archive.archive import read_archive
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.review.history_rows import RowKind
from sleepviewer.review.lights import Lights
from sleepviewer.stages import Stage

PartT = TypeVar("PartT")


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


def session_of(window: MainWindow) -> NightSession:
    assert window.session is not None
    return window.session


def part_of(window: MainWindow, kind: type[PartT]) -> PartT:
    (part,) = [part for part in window.parts if isinstance(part, kind)]
    return part


def shown_history(window: MainWindow) -> HistoryPart:
    part = part_of(window, HistoryPart)
    window.run_command("history_panel")
    QApplication.processEvents()
    return part


def texts_of(part: HistoryPart) -> list[tuple[str, str]]:
    return [(part.panel.model.index(r, 0).data(), row.text) for r, row in enumerate(part.panel.model.rows)]


# -- the history


def test_a_click_on_a_row_steps_there_and_what_is_undone_is_marked(opened: MainWindow) -> None:
    document = session_of(opened).document
    document.set_stage([1], Stage.N1)
    document.set_stage([2, 3], Stage.N2)
    document.set_lights(Lights(4, 9))
    part = shown_history(opened)
    part.panel.table.clicked.emit(part.panel.model.index(1, 0))
    assert document.corrected.tolist()[:4] == [-2, 1, -2, -2]
    assert document.lights == Lights()
    assert texts_of(part) == [
        ("", "Before the first edit"),
        ("▸", "unscored → N1, epoch 2"),
        ("↶", "unscored → N2, epochs 3–4"),
        ("↶", "lights off at epoch 5"),
    ]
    assert part.panel.text.startswith("1 in force, 2 undone")
    part.panel.table.clicked.emit(part.panel.model.index(0, 0))
    assert not document.edited.any()
    part.panel.table.clicked.emit(part.panel.model.index(3, 0))
    assert document.lights == Lights(4, 9)
    assert session_of(opened).epoch == 4


def test_enter_steps_and_the_arrows_and_go_there_do_not(qtbot: QtBot, opened: MainWindow) -> None:
    document = session_of(opened).document
    for epoch in (3, 8):
        document.set_stage([epoch, epoch + 1], Stage.N2)
    part = shown_history(opened)
    table = part.panel.table
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Up)
    assert len(document.history) == 2
    qtbot.keyClick(table, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert session_of(opened).selected == range(3, 5)
    assert len(document.history) == 2
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert len(document.history) == 1


def test_the_history_is_filtered_by_kind_and_searched(qtbot: QtBot, opened: MainWindow) -> None:
    document = session_of(opened).document
    document.set_stage([1], Stage.N1)
    document.set_stage([11], Stage.REM)
    document.toggle_flag([2])
    part = shown_history(opened)
    part.panel.choose(RowKind.FLAG)
    assert [row.text for row in part.panel.model.rows[1:]] == ["flag, epoch 3"]
    part.panel.choose(None, "rem 12")
    assert [row.text for row in part.panel.model.rows[1:]] == ["unscored → REM, epoch 12"]
    part.panel.choose(None)
    document.set_stage([5], Stage.W)
    qtbot.waitUntil(lambda: len(part.panel.model.rows) == 5)


def test_the_history_is_exported(opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not opened.actions_["export_history"].isEnabled()
    opened.run_command("stage_n2")
    assert opened.actions_["export_history"].isEnabled()
    monkeypatch.setattr(dialogs, "ask_table_path", lambda *_: tmp_path / "history.csv")
    opened.run_command("export_history")
    assert "unscored → N2, epoch 1" in (tmp_path / "history.csv").read_text()
    part_of(opened, HistoryPart).export(tmp_path)
    assert str(tmp_path) in opened.info_bar.text


def test_reverting_has_keys_and_asks_before_the_whole_night(
    qtbot: QtBot, opened: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_of(opened)
    session.document.set_stage(range(8), Stage.N2)
    session.go_to(2)
    session.extend_to(4)
    qtbot.keyClick(opened, Qt.Key.Key_Backspace, Qt.KeyboardModifier.ControlModifier)
    assert opened.actions_["undo"].text() == "Undo: revert, epochs 3–5"
    asked: list[bool] = []
    monkeypatch.setattr(dialogs, "ask_whether_to_revert", lambda _, to_saved: bool(asked.append(to_saved)))
    opened.run_command("revert_all")
    assert session.document.edited.any()
    monkeypatch.setattr(dialogs, "ask_whether_to_revert", lambda *_: True)
    opened.run_command("revert_all")
    assert not session.document.edited.any()
    opened.run_command("undo")
    assert session.document.edited.sum() == 5
    assert asked == [False]


# -- blinding

WORDS = re.compile(r"\b(fake|truth\.edf|zoe|\d+ disagree)\b", re.IGNORECASE)
"""What would tell a blinded scorer that there is an expert, a model or another scorer, or what these say."""


def said_by(widget: QWidget) -> list[str]:
    """All that a visible widget says: its text, tool tip, descriptions, and the cells of a table."""
    said = [widget.toolTip(), widget.accessibleDescription(), widget.windowTitle(), widget.statusTip()]
    if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
        said.append(widget.text())
    if isinstance(widget, QProgressBar):
        said.append(widget.text())
    if isinstance(widget, QComboBox) and widget.objectName() != "engine":
        said.append(widget.currentText())
    if isinstance(widget, QAbstractItemView) and widget.model() is not None:
        said += cells_of(widget.model())
    return said


def cells_of(model: QAbstractItemModel) -> list[str]:
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
    places = [model.index(r, c) for r in range(model.rowCount()) for c in range(model.columnCount())]
    return [str(place.data(role)) for place in places for role in roles]


def everything_said(window: MainWindow) -> str:
    """All visible texts of the window, on every panel that can be shown and every tab, at every epoch."""
    said = []
    for dock in window.findChildren(QDockWidget):
        dock.show()
    QApplication.processEvents()
    for tab in range(window.page.panel.count()):
        window.page.panel.setCurrentIndex(tab)
        for epoch in range(session_of(window).document.n_epochs):
            session_of(window).go_to(epoch)
            # Of the bar of engines, what is offered is said whatever the night; of the night it says nothing.
            widgets = [w for w in window.findChildren(QWidget) if w.isVisible()]
            widgets = [w for w in widgets if not window.scoring_bar.isAncestorOf(w)]
            said += [text for w in widgets for text in said_by(w) if text]
            said.append(window.status_line.text)
    for row in window.page.night.shown_rows:
        said += [row.title, row.toolTip()]
        for x in range(0, 600, 40):
            said.append(row.readout(float(x), row.height() / 2, 600.0, float(row.height())))
    return "\n".join(said)


@pytest.fixture
def told_all(opened: MainWindow) -> MainWindow:
    """A night with an expert, a model, and another scorer, which are all shown."""
    session = session_of(opened)
    session.document.set_truth(truth_of(TRUTH))
    session.document.set_prediction(prediction_of(MODEL))
    session.scorers = (Hypnogram(np.array([4] * len(TRUTH), np.int8), None, "zoe.edf", "zoe"),)
    return opened


def test_the_words_are_said_where_nobody_is_blinded(told_all: MainWindow) -> None:
    assert set(map(str.lower, WORDS.findall(everything_said(told_all)))) >= {"fake", "zoe"}
    assert {"expert", "model"} <= {row.key for row in told_all.page.night.shown_rows}


def test_nothing_that_is_seen_tells_a_blinded_scorer_of_the_others(told_all: MainWindow) -> None:
    for name in HIDDEN_PANELS:
        told_all.panels.show(name)
    told_all.run_command("blind")
    said = everything_said(told_all)
    assert [line for line in said.splitlines() if WORDS.search(line)] == []
    assert "BLINDED" in told_all.status_line.text
    assert not re.search(r"(expert|model) (W|N1|N2|N3|REM)\b", said)
    keys = {row.key for row in told_all.page.night.shown_rows}
    assert keys & {"expert", "model", "hypnodensity", "disagreements", "scorer-1"} == set()
    assert not any(told_all.panels[name].isVisible() for name in HIDDEN_PANELS)
    assert "Exported as" in said


def test_no_key_goes_where_the_others_say_something(told_all: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in dir(dialogs) if name.startswith("ask_")]:
        monkeypatch.setattr(dialogs, name, lambda *_, name=name: pytest.fail(name))
    told_all.run_command("blind")
    session = session_of(told_all)
    for command in HIDDEN_COMMANDS:
        told_all.run_command(command)
        assert "BLINDED" in told_all.status_line.text
        assert session.epoch == 0
        assert not told_all.actions_[command].isEnabled()
    told_all.run_command("next_unscored")
    assert session.epoch == 1  # nobody's labels but hers: every epoch is unscored
    told_all.run_command("next_transition")
    assert session.epoch == 1
    assert {row.command for row in KEY_TABLE} >= HIDDEN_COMMANDS


def test_a_scoring_does_not_begin_and_one_that_ends_is_not_shown(told_all: MainWindow) -> None:
    told_all.run_command("blind")
    told_all.score()
    assert not told_all.scoring
    session_of(told_all).document.set_prediction(prediction_of([2] * len(TRUTH)))
    assert [line for line in everything_said(told_all).splitlines() if WORDS.search(line)] == []


def test_unblinding_is_asked_about_and_brings_everything_back(
    told_all: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_all.run_command("blind")
    told_all.run_command("stage_n3")
    document = session_of(told_all).document
    monkeypatch.setattr(dialogs, "ask_whether_to_unblind", lambda *_: False)
    told_all.run_command("unblind")
    assert document.blinded
    monkeypatch.setattr(dialogs, "ask_whether_to_unblind", lambda *_: True)
    told_all.run_command("unblind")
    assert {"expert", "model", "scorer-1"} <= {row.key for row in told_all.page.night.shown_rows}
    assert told_all.actions_["next_doubt"].isEnabled()
    assert not told_all.actions_["blind"].isEnabled()
    part = shown_history(told_all)
    assert [row.text for row in part.panel.model.rows[1:]] == [
        "blinded, others' scorings seen before",
        "unscored → N3, epoch 1",
        "unblinded",
    ]
    assert part.panel.model.rows[2].blinded
    assert told_all.save()
    assert session_of(told_all).night.saved_path is not None
    meta = read_archive(session_of(told_all).night.saved_path).meta
    assert meta["blinding"]["unblinded_at"]


def test_a_night_that_was_blinded_when_the_program_ended_is_blinded_before_it_is_seen(
    make_window: Callable[[], MainWindow], night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "ask_about_unsaved", lambda *_: dialogs.Answer.KEEP)
    first = make_window()
    assert first.open_path(night)
    session_of(first).document.set_truth(truth_of(TRUTH))
    first.run_command("blind")
    first.run_command("stage_n2")
    first.close()
    second = make_window()
    assert second.open_path(night)
    assert session_of(second).document.blinded


def test_a_setting_begins_nights_blinded_but_not_reviews_that_were_begun(
    window: MainWindow, night: Path, tmp_path: Path
) -> None:
    window.settings.begins_blind = True
    assert window.open_path(night)
    document = session_of(window).document
    assert document.blinded
    assert not document.blinding.seen_before
    other = write_night(tmp_path / "other.edf", seed=4)
    write_review(other, edits={2: Stage.N2})
    assert window.open_path(other)
    assert not session_of(window).document.blinded


# -- who scores


def test_the_settings_know_who_scores(qtbot: QtBot, window: MainWindow, night: Path) -> None:
    page = ScorerPage(window.settings)
    qtbot.addWidget(page)
    page.name.setText("  Dr. A ")
    page.name.editingFinished.emit()
    page.minutes.setValue(12)
    page.blind.setChecked(True)
    again = Settings()
    assert (again.scorer, again.autosave_min, again.begins_blind) == ("Dr. A", 12, True)
    assert window.open_path(night)
    assert session_of(window).document.scorer == "Dr. A"


def test_other_scorers_reviews_are_rows_to_look_at(qtbot: QtBot, window: MainWindow, night: Path) -> None:
    write_review(night, edits={2: Stage.REM})
    assert window.open_path(night, scorer="bob")
    window.run_command("show_reviews")
    qtbot.waitUntil(lambda: bool(session_of(window).scorers))
    (row,) = window.page.night.scorers
    assert row.title == "Ada"
    assert "set by hand" in row.toolTip()
    window.run_command("show_reviews")  # again changes nothing
    qtbot.waitUntil(lambda: "only to look at" in window.status_line.text)
    assert len(session_of(window).scorers) == 1
    assert not session_of(window).document.unsaved


# -- a consensus

ANN = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4] + [0] * 10
BOB = [0, 0, 1, 2, 2, 2, 3, 3, 3, -1] + [0] * 10


@pytest.fixture
def judged(opened: MainWindow) -> MainWindow:
    session = session_of(opened)
    session.scorers = tuple(
        Hypnogram(np.array(stages, np.int8), None, f"{name}.edf", name) for name, stages in (("ann", ANN), ("bob", BOB))
    )
    opened.run_command("consensus_panel")
    QApplication.processEvents()
    return opened


def test_what_they_agree_on_is_one_edit_and_the_rest_is_walked_through(judged: MainWindow) -> None:
    session, part = session_of(judged), part_of(judged, AdjudicationPart)
    assert "agree on 17 epochs and don't on 3" in part.panel.text
    assert "κ ann – bob: " in part.panel.text
    assert "0 of 3 decided" in part.panel.text
    judged.run_command("take_agreed")
    assert judged.actions_["undo"].text() == "Undo: consensus of ann and bob, 17 epochs"
    judged.run_command("next_disagreement")
    assert session.epoch == 3
    judged.run_command("take_rater_2")
    assert (int(session.document.corrected[3]), session.epoch) == (2, 6)
    judged.run_command("stage_rem")
    judged.run_command("next_undecided")
    assert session.epoch == 9
    judged.run_command("take_rater_2")
    assert "bob did not score here" in judged.status_line.text
    judged.run_command("take_rater_1")
    assert "3 of 3 decided" in part.panel.text
    judged.run_command("next_undecided")
    assert "Everything is decided" in judged.status_line.text
    agreed, bobs, own, anns = session.document.edits
    assert [edit.agree for edit in (agreed, bobs, own, anns)] == [("ann", "bob"), ("bob",), (), ("ann",)]
    assert bobs.text == "as bob, epoch 4"
    assert [row.cells[2] for row in part.panel.table.epochs.rows] == [Stage.N2, Stage.REM, Stage.REM]


def test_a_model_is_a_scorer_if_it_is_ticked(judged: MainWindow) -> None:
    session, part = session_of(judged), part_of(judged, AdjudicationPart)
    session.document.set_prediction(prediction_of(MODEL))
    assert "Fleiss" not in part.panel.text
    part.panel.choose((0, 1, 2))
    assert "Fleiss' κ of all 3" in part.panel.text
    part.panel.choose((0,))
    assert "Two scorers of this night are needed" in part.panel.text
    assert session.walk is None
    assert not judged.actions_["take_agreed"].isEnabled()


def test_edits_after_the_panel_is_closed_say_nothing_of_the_scorers(judged: MainWindow) -> None:
    judged.panels["consensus"].hide()
    QApplication.processEvents()
    judged.run_command("stage_w")
    assert session_of(judged).document.edits[-1].agree == ()
    assert session_of(judged).walk is None
