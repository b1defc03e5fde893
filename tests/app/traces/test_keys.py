"""The keys of the page of traces, and what of it comes back at the next start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.window import MainWindow

MakeWindow = Callable[[], MainWindow]
RATE = 100


@pytest.fixture
def night(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    return write_edf(
        tmp_path / "night.edf",
        [
            Signal(label, RATE, "uV", np.round(rng.standard_normal(20 * 30 * RATE) * 30, 1))
            for label in ("EEG C4", "EOG")
        ],
        record_s=30,
    )


def call(window: MainWindow, command: str) -> None:
    action = window.findChild(QAction, command)
    assert isinstance(action, QAction)
    assert action.isEnabled()
    action.trigger()


def half_heights(window: MainWindow) -> list[float]:
    page = window.page.traces._page
    assert page is not None
    return [look.half_height for look in page.lanes]


def test_the_page_gets_longer_and_shorter(opened: MainWindow) -> None:
    traces = opened.page.traces
    call(opened, "longer_page")
    assert traces.timebase == 120
    assert "2 min" in opened.status_line.text
    call(opened, "shorter_page")
    call(opened, "shorter_page")
    assert traces.timebase == 30
    call(opened, "usual_page")
    assert traces.timebase == 60


def test_a_short_page_scrolls(opened: MainWindow) -> None:
    for _ in range(3):
        call(opened, "shorter_page")
    layout = opened.page.traces._layout
    assert layout is not None
    call(opened, "scroll_right")
    after = opened.page.traces._layout
    assert after is not None
    assert after.start_s > layout.start_s
    call(opened, "scroll_left")
    assert opened.page.traces._layout == layout


def test_gains_of_the_selected_channel(opened: MainWindow) -> None:
    call(opened, "lane_gain_up")
    assert "Select a channel first" in opened.status_line.text
    assert half_heights(opened) == [100, 200]
    call(opened, "lane_below")
    call(opened, "lane_below")
    call(opened, "lane_gain_up")
    assert half_heights(opened) == [100, 100]
    call(opened, "lane_above")
    call(opened, "lane_gain_down")
    assert half_heights(opened) == [200, 100]
    call(opened, "gain_up")
    assert half_heights(opened) == [100, 50]
    call(opened, "gains_anew")
    assert half_heights(opened) == [100, 200]


def test_switches_and_length_come_back_at_the_next_start(make_window: MakeWindow, night: Path) -> None:
    window = make_window()
    assert window.open_path(night)
    for command in ("guides", "negative_up", "ruler", "longer_page", "longer_page"):
        call(window, command)
    window.close()
    again = make_window()
    assert again.open_path(night)
    assert again.page.traces.timebase == 300
    assert again.page.traces.page_style.guides
    assert again.page.traces.page_style.negative_up
    switched = {name: again.actions_[name].isChecked() for name in ("guides", "negative_up", "ruler")}
    assert switched == {"guides": True, "negative_up": True, "ruler": False}
    call(again, "guides")
    for _ in range(9):
        call(again, "longer_page")
    assert again.page.traces.timebase is None
    again.close()
    last = make_window()
    assert last.page.traces.timebase is None
    assert not last.page.traces.page_style.guides


def test_damaged_settings_are_the_usual_page(make_window: MakeWindow) -> None:
    Settings().set_json("traces/timebase", 17.0)
    assert make_window().page.traces.timebase == 60


def test_the_ruler_speaks_in_the_status_line(qtbot: QtBot, opened: MainWindow) -> None:
    call(opened, "ruler")
    traces = opened.page.traces
    layout = traces._layout
    assert layout is not None
    place = QPoint(round(layout.x_of(10)), round(layout.middle(0)))
    qtbot.mousePress(traces, Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseRelease(traces, Qt.MouseButton.LeftButton, pos=place)
    assert "EEG C4: 0.00 s" in opened.status_line.text


def test_a_double_click_on_a_long_page_goes_there(qtbot: QtBot, opened: MainWindow) -> None:
    for _ in range(9):
        call(opened, "longer_page")
    traces = opened.page.traces
    layout = traces._layout
    assert layout is not None
    place = QPoint(round(layout.x_of(315)), round(layout.middle(0)))
    qtbot.mouseDClick(traces, Qt.MouseButton.LeftButton, pos=place)
    assert opened.session is not None
    assert opened.session.epoch == 10
