"""A drive that answers slowly, or not at all: keys go on working, and no page is taken for another."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.slow_drive import SlowRecording, longest_ms
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.traces import reader
from sleepviewer.app.traces.canvas import READING, STALE, UNREADABLE
from sleepviewer.app.traces.reader import PageReader, Purpose
from sleepviewer.app.traces.view import TraceView
from sleepviewer.app.window import MainWindow
from sleepviewer.display.montage import Montage
from sleepviewer.recording import open_recording
from sleepviewer.review.opening import open_night

N, RATE = 20, 100
DELAY_S = 0.25
HANDLED_MS = 50.0


@pytest.fixture(autouse=True)
def hasty_pages(patient_pages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the program waits for pages, not as the other tests do."""
    monkeypatch.setattr(reader, "PATIENCE_S", 0.03)
    monkeypatch.setattr(reader, "IMPATIENCE_S", 0.008)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A night whose waves tell the epoch that they are in: ±30 µV in the first, ±60 in the second …"""
    waves = np.tile(np.repeat([-30.0, 30.0], RATE // 4), N * 60)
    samples = waves * np.repeat(np.arange(1, N + 1), 30 * RATE)
    return write_edf(tmp_path / "night.edf", [Signal("EEG C4", RATE, "uV", samples)], record_s=30)


@pytest.fixture
def slow(path: Path) -> SlowRecording:
    return SlowRecording(open_recording(path), DELAY_S)


@pytest.fixture
def view(qtbot: QtBot, slow: SlowRecording) -> TraceView:
    """A page of one epoch, unfiltered, of a night on a slow drive."""
    view = TraceView(LIGHT)
    qtbot.addWidget(view)
    view.resize(900, 400)
    view.set_filters_on(False)
    view.set_timebase(30.0)
    view.show()
    view.set_recording(slow)
    view.set_montage(scaled(view.montage))
    return view


def scaled(montage: Montage) -> Montage:
    """With scales of its own, so that the signal is not looked at for them."""
    return replace(montage, traces=tuple(replace(trace, half_height=200.0) for trace in montage.traces))


def shown_epoch(view: TraceView) -> int | None:
    """The epoch that the traces on the page are of, by their samples; None for a page without traces."""
    page = view._page
    assert page is not None
    assert page.epoch_s == view.epoch * 30
    waves = page.traces[0].y
    low, high = np.percentile(waves, (10, 90)) if waves.size else (0.0, 0.0)
    return round((high - low) / 60) - 1 if waves.size else None


def mark(view: TraceView) -> str:
    assert view._page is not None
    return view._page.mark


def test_a_slow_first_page_does_not_hold_up_the_window(qtbot: QtBot, slow: SlowRecording) -> None:
    view = TraceView(LIGHT)
    qtbot.addWidget(view)
    view.show()
    assert longest_ms(lambda: view.set_recording(slow)) < 1000 * DELAY_S
    assert view.busy
    assert mark(view) == READING
    assert view.scales == ("…",)
    assert shown_epoch(view) is None
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    assert mark(view) == ""
    assert view.scales == ("±100 µV",)  # usual for an EEG; the signal is looked at after the page was shown
    assert slow.n_reads <= 2
    slow.delay_s = 0.0
    qtbot.waitUntil(lambda: view.scales != ("±100 µV",), timeout=20_000)
    view.close_recording()


def test_keys_are_handled_while_a_page_is_read_and_the_right_page_comes(
    qtbot: QtBot, view: TraceView, slow: SlowRecording
) -> None:
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    waits = []
    for epoch in range(1, 9):
        waits.append(longest_ms(lambda epoch=epoch: (view.show_epoch(epoch), QApplication.processEvents())))
        page = view._page
        assert page is not None
        # Never the traces of one epoch under another's number without a word.
        assert shown_epoch(view) == epoch or mark(view) == READING
        assert shown_epoch(view) in (None, epoch)
    assert sorted(waits)[len(waits) // 2] < HANDLED_MS
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    assert mark(view) == ""
    assert shown_epoch(view) == 8
    # Of the eight, those in between were passed over and not read one after the other.
    assert slow.n_reads < 6
    view.close_recording()


def test_the_mark_is_painted_and_said_to_a_screen_reader(qtbot: QtBot, view: TraceView) -> None:
    assert mark(view) == READING
    assert view.accessibleDescription().startswith(READING)
    image = view.grab().toImage()
    ground = image.pixelColor(view.width() // 2 + 60, view.height() // 2 - 20)
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    assert not view.accessibleDescription().startswith(READING)
    assert view.grab().toImage().pixelColor(view.width() // 2 + 60, view.height() // 2 - 20) != ground
    view.close_recording()


def test_a_change_of_gain_keeps_the_page_while_it_is_painted_anew(
    qtbot: QtBot, view: TraceView, slow: SlowRecording
) -> None:
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    before = slow.n_reads
    view.change_gain(1)
    assert shown_epoch(view) == 0
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    assert mark(view) == ""
    assert slow.n_reads <= before + 1  # the page is in memory; what comes next may be read ahead
    view.close_recording()


def test_a_page_that_can_not_be_read_any_more_stays_marked(qtbot: QtBot, view: TraceView, slow: SlowRecording) -> None:
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    told: list[str] = []
    view.trouble.connect(told.append)
    slow.gone = True
    view.set_timebase(20.0)
    view.set_timebase(30.0)
    view.show_epoch(5)
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    assert mark(view) == UNREADABLE
    assert shown_epoch(view) is None
    assert any("can't be read any more" in sentence for sentence in told)
    slow.gone, slow.delay_s = False, 0.0
    view.show_epoch(6)
    qtbot.waitUntil(lambda: mark(view) == "", timeout=20_000)
    slow.gone = True
    view._composer._cache._kept.clear()  # type: ignore[union-attr]
    view.change_gain(1)
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)
    assert mark(view) == STALE
    assert shown_epoch(view) == 6
    view.close_recording()


def test_another_night_is_not_kept_waiting_by_the_drive_of_the_last_one(
    qtbot: QtBot, window: MainWindow, path: Path, tmp_path: Path
) -> None:
    night = open_night(path)
    night.recording = SlowRecording(night.recording, 2.0)
    window.show_night(night)
    other = write_edf(tmp_path / "other.edf", [Signal("EEG C3", RATE, "uV", np.zeros(4 * 30 * RATE))], record_s=30)
    assert longest_ms(lambda: window.open_path(other)) < 1900
    qtbot.waitUntil(lambda: not window.page.traces.busy, timeout=20_000)
    assert window.page.traces._page is not None
    assert window.page.traces._page.labels == ["EEG C3"]


def test_stages_can_be_set_while_the_page_is_read(qtbot: QtBot, window: MainWindow, path: Path) -> None:
    night = open_night(path)
    slow = night.recording = SlowRecording(night.recording, 0.3)
    window.show_night(night)
    for key in (Qt.Key.Key_2, Qt.Key.Key_Right, Qt.Key.Key_3):
        qtbot.keyClick(window, key)
    assert night.document.corrected[:2].tolist() == [2, 3]
    qtbot.waitUntil(lambda: not window.page.traces.busy, timeout=20_000)
    assert mark(window.page.traces) == ""
    slow.delay_s = 0.0


def test_the_most_urgent_is_answered_first_and_the_newest_of_a_kind(qtbot: QtBot) -> None:
    desk = PageReader()
    order: list[str] = []

    def work(name: str, seconds: float = 0.0):
        def run(unwanted) -> str:
            time.sleep(seconds)
            order.append(name)
            return name

        return run

    first = desk.ask("first", Purpose.PAGE, work("first", 0.2))
    qtbot.wait(50)
    desk.ask("ahead", Purpose.NEXT_PAGE, work("ahead"))
    stale = desk.ask("stale", Purpose.PAGE, work("stale"))
    last = desk.ask("last", Purpose.PAGE, work("last"))
    arrived: list[object] = []
    desk.arrived.connect(lambda asked: arrived.append(asked.answer))
    qtbot.waitUntil(lambda: len(arrived) == 2)
    assert set(arrived) == {"last", "ahead"}
    assert order == ["first", "last", "ahead"]
    assert not stale.done
    assert not first.wanted
    assert last.answer == "last"
    desk.close()


def test_a_bug_in_the_reading_thread_is_raised_where_it_is_seen(
    qtbot: QtBot, view: TraceView, slow: SlowRecording, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: not view.busy, timeout=20_000)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(slow, "read", fail)
    raised: list[BaseException] = []
    with qtbot.captureExceptions() as caught:
        try:
            view.show_epoch(9)  # it waits for the page for a while, and so may meet the bug itself
        except ZeroDivisionError as error:
            raised.append(error)
        qtbot.waitUntil(lambda: bool(caught or raised) or not view.busy)
    assert [type(error) for error in raised] or [kind for kind, *_ in caught] == [ZeroDivisionError]
    assert mark(view) == UNREADABLE
    view.close_recording()
