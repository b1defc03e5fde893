"""Every command of the key table: its menu entry, its tool tip, who carries it out, and that it can be called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QInputDialog, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from helpers.review_values import prediction_of
from sleepviewer.app.keys.command_table import KEY_TABLE, MENUS, KeyRow
from sleepviewer.app.keys.keymap import RESERVED, Keymap
from sleepviewer.app.scoring.feature import ScoringController
from sleepviewer.app.shell import dialogs
from sleepviewer.app.window import MainWindow
from sleepviewer.packaged import resource
from sleepviewer.simulation import simulate_night

ROWS = pytest.mark.parametrize("row", KEY_TABLE, ids=lambda row: row.command)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_night(tmp_path_factory.mktemp("simulated"), hours=0.5).psg_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every dialog is cancelled as soon as it is asked for; the list of them."""
    said: list[str] = []

    def cancel(name: str, answer: object) -> Any:
        def ask(*_: object, **__: object) -> object:
            said.append(name)
            return answer

        return ask

    for name in [name for name in dir(dialogs) if name.startswith(("ask_", "show_"))]:
        answer = dialogs.Answer.DISCARD if name == "ask_about_unsaved" else None
        monkeypatch.setattr(dialogs, name, cancel(name, answer))
    monkeypatch.setattr(QDialog, "exec", lambda dialog: said.append(type(dialog).__name__) or 0)
    monkeypatch.setattr(QMenu, "exec", lambda *_: said.append("menu"))
    for name in ("question", "information", "warning", "about"):
        monkeypatch.setattr(QMessageBox, name, cancel(name, QMessageBox.StandardButton.Cancel))
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, cancel(name, ("", "")))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", cancel("getExistingDirectory", ""))
    for name in ("getText", "getItem"):
        monkeypatch.setattr(QInputDialog, name, cancel(name, ("", False)))
    monkeypatch.setattr(ScoringController, "score", lambda *_: said.append("score"))
    return said


@pytest.fixture
def opened(window: MainWindow, simulated: Path) -> MainWindow:
    assert window.open_path(simulated)
    assert window.session is not None
    document = window.session.document
    document.set_prediction(prediction_of([e % 5 for e in range(document.n_epochs)]))
    return window


# -- the table


def test_no_two_commands_share_a_key_or_a_name() -> None:
    keys = [QKeySequence(key).toString() for row in KEY_TABLE for key in row.keys]
    assert sorted(keys) == sorted(set(keys))
    assert len({row.command for row in KEY_TABLE}) == len(KEY_TABLE)
    titles = [(row.menu, row.title) for row in KEY_TABLE]
    assert len(set(titles)) == len(titles)
    assert not set(keys) & set(RESERVED)


@ROWS
def test_a_row_says_what_it_is(row: KeyRow) -> None:
    assert row.menu in MENUS
    assert all(not QKeySequence(key).isEmpty() for key in row.keys)
    assert row.explanation
    assert not row.explanation.endswith(".")
    assert row.checkable or not row.group
    if row.icon:
        assert not row.checkable, "an icon stands where the check mark would say how the switch stands"
        assert b"currentColor" in resource("icons", f"{row.icon}.svg").read_bytes()


# -- in the window


def menu_of(window: MainWindow, row: KeyRow) -> QMenu:
    menu = window.actions_.menus[row.menu]
    if not row.submenu:
        return menu
    (found,) = [m for a in menu.actions() if isinstance(m := a.menu(), QMenu) and m.title() == row.submenu]
    return found


def test_every_command_has_a_menu_entry_with_its_keys_and_a_tool_tip(window: MainWindow) -> None:
    for row in KEY_TABLE:
        action = window.actions_[row.command]
        assert action in menu_of(window, row).actions(), row.command
        assert action.text() == row.text
        assert [key.toString() for key in action.shortcuts()] == list(Keymap().keys(row.command))
        assert row.explanation in action.toolTip()
        assert action.statusTip() == action.toolTip()
        assert action.isCheckable() == row.checkable
        assert action.icon().isNull() != bool(row.icon)
    assert all(menu.toolTipsVisible() for menu in window.actions_.menus.values())


def test_every_command_is_carried_out_by_somebody(opened: MainWindow) -> None:
    assert {row.command for row in KEY_TABLE} <= opened.command_table().keys()


def test_before_a_night_is_open_what_needs_one_says_so(window: MainWindow) -> None:
    for row in KEY_TABLE:
        enabled = window.actions_[row.command].isEnabled()
        assert enabled or row.needs_night, row.command
        assert bool(window.actions_.why_not(row.command, night_open=False)) != enabled
    assert window.actions_.why_not("save", night_open=False) == "no night is open"


@pytest.mark.parametrize("menu", MENUS)
def test_commands_can_be_called_on_a_scored_night(opened: MainWindow, asked: list[str], menu: str) -> None:
    rows = [row for row in KEY_TABLE if row.menu == menu and row.command != "quit"]
    for row in rows:
        asked.clear()
        action = opened.actions_[row.command]
        action.setEnabled(True)
        before = QApplication.focusWidget()
        for _ in range(2 if row.checkable and not row.group else 1):
            action.trigger()
            QApplication.processEvents()
        assert "⚠" not in opened.info_bar.text, row.command
        if row.text.endswith("…"):  # it promises a question, or a field to fill in
            assert asked or QApplication.focusWidget() is not before, row.command


def test_quitting_closes_the_window(opened: MainWindow, asked: list[str]) -> None:
    opened.actions_["quit"].trigger()
    assert not opened.isVisible()


def test_all_commands_one_after_the_other(opened: MainWindow, asked: list[str]) -> None:
    for row in [*KEY_TABLE, *KEY_TABLE[::-1]]:
        if row.command not in ("quit", "open_demo"):
            opened.run_command(row.command)
    QApplication.processEvents()
    assert opened.session is not None
    assert {"ask_recording", "HelpOverlay", "CommandPalette", "SettingsDialog", "PictureDialog"} <= set(asked)


def test_the_pointer_on_a_command_says_what_it_does_and_the_line_stays(qtbot: QtBot, opened: MainWindow) -> None:
    from PySide6.QtGui import QStatusTipEvent

    opened.status_line.show_message("Saved")
    QApplication.sendEvent(opened, QStatusTipEvent("Take back the last edit"))
    assert "Take back the last edit" in opened.status_line.text
    assert "1/60" in opened.status_line.text
    QApplication.sendEvent(opened, QStatusTipEvent(""))
    assert "Saved" in opened.status_line.text


def test_menus_are_reached_by_their_letters(window: MainWindow) -> None:
    titles = [action.text() for action in window.menuBar().actions() if isinstance(action, QAction)]
    letters = [title[title.index("&") + 1] for title in titles]
    assert len(set(letters)) == len(letters)


def test_the_menus_fit_a_low_screen(window: MainWindow) -> None:
    """In one column on 768 lines, of which a desktop's bars and the title take some."""
    for menu in window.actions_.menus.values():
        assert menu.sizeHint().height() <= 700, menu.title()
