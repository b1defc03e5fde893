"""The window comes up whole: its last line says where one is and what is saved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QScreen
from pytestqt.qtbot import QtBot

from sleepviewer.app.main import show_whole
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.window import MainWindow


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(Settings(remember=False), LIGHT)
    qtbot.addWidget(made)
    yield made
    made.close()


def on_a_screen(monkeypatch: pytest.MonkeyPatch, width: int, height: int) -> None:
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _: QRect(0, 0, width, height))


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1366, 740), (1280, 1024)])
def test_on_a_screen_that_it_fills_the_window_is_as_large_as_the_screen(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, width: int, height: int
) -> None:
    on_a_screen(monkeypatch, width, height)
    show_whole(window, placed=False)
    assert window.isMaximized()


def test_on_a_larger_screen_it_has_the_size_that_it_was_made_for(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_screen(monkeypatch, 1920, 1080)
    show_whole(window, placed=False)
    assert not window.isMaximized()
    assert (window.width(), window.height()) == (1366, 768)


def test_where_its_user_has_placed_it_there_it_stays(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_screen(monkeypatch, 1366, 768)
    window.resize(1300, 760)
    show_whole(window, placed=True)
    assert not window.isMaximized()
    assert (window.width(), window.height()) == (1300, 760)
