"""Opening what lies on a slow drive: the window paints, says what it does, and lets the user out."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from sleepviewer.app.files.file_watch_feature import FilePart
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work import waiting
from sleepviewer.app.work.waiting import WaitingDialog, wait_for
from sleepviewer.errors import RecordingError
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night

FOREVER_S = 20.0


def write_night(path: Path, n: int = 8) -> Path:
    rng = np.random.default_rng(n)
    samples = np.round(rng.standard_normal(n * 3000) * 30, 1)
    return write_edf(path, [Signal("EEG C4", 100, "uV", samples)], record_s=30)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


def slowly(seconds: float) -> Callable[..., Night]:
    def open_slowly(*args: object, **kwargs: object) -> Night:
        time.sleep(seconds)
        return open_night(*args, **kwargs)  # type: ignore[arg-type]

    return open_slowly


def dialogs_of(window: MainWindow) -> list[WaitingDialog]:
    return [dialog for dialog in window.findChildren(WaitingDialog) if dialog.isVisible()]


def test_a_quick_drive_shows_no_dialog(window: MainWindow, night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE_S", FOREVER_S)
    monkeypatch.setattr(waiting, "_wait_beside", lambda *_: pytest.fail("no event is to be handled in between"))
    assert window.open_path(night)
    assert window.session is not None


def test_a_slow_drive_says_that_it_is_opening_and_the_window_lives(
    qtbot: QtBot, window: MainWindow, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sleepviewer.app.files.opening_feature.open_night", slowly(0.8))
    beats: list[float] = []
    said: list[bool] = []
    timer = QTimer()
    timer.timeout.connect(lambda: (beats.append(time.monotonic()), said.append(bool(dialogs_of(window)))))
    timer.start(20)
    assert window.open_path(night)
    timer.stop()
    assert len(beats) > 10
    assert any(said)
    assert not said[0]
    assert not dialogs_of(window)
    assert QApplication.overrideCursor() is None
    assert window.windowTitle().startswith("night.edf")


def test_esc_leaves_a_drive_that_does_not_answer(
    qtbot: QtBot, window: MainWindow, night: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert window.open_path(night)
    window.run_command("stage_n3")
    answered = threading.Event()
    closed: list[Night] = []

    def never(*args: object, **kwargs: object) -> Night:
        answered.wait(FOREVER_S)
        late = open_night(*args, **kwargs)  # type: ignore[arg-type]
        monkeypatch.setattr(late.recording, "close", lambda: closed.append(late))
        return late

    monkeypatch.setattr("sleepviewer.app.files.opening_feature.open_night", never)

    def press_escape() -> None:
        if dialogs := dialogs_of(window):
            qtbot.keyClick(dialogs[0], Qt.Key.Key_Escape)

    timer = QTimer()
    timer.timeout.connect(press_escape)
    timer.start(50)
    started = time.monotonic()
    assert not window.open_path(write_night(tmp_path / "other.edf"))
    timer.stop()
    assert time.monotonic() - started < FOREVER_S / 2
    assert "other.edf was not opened" in window.status_line.text
    assert window.session is not None
    assert window.session.night.recording.name == "night.edf"
    assert window.session.document.corrected[0] == 3
    answered.set()  # what comes too late is let go of
    qtbot.waitUntil(lambda: len(closed) == 1)
    assert QApplication.overrideCursor() is None


def test_trouble_comes_back_as_it_would_at_once(window: MainWindow) -> None:
    def fail() -> None:
        time.sleep(0.3)
        raise RecordingError("the drive is broken")

    with pytest.raises(RecordingError, match="the drive is broken"):
        wait_for(window, "Opening…", fail)


def test_a_second_opening_does_not_begin_within_the_first(
    qtbot: QtBot, window: MainWindow, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sleepviewer.app.files.opening_feature.open_night", slowly(0.5))
    second: list[bool] = []
    QTimer.singleShot(150, lambda: second.append(window.open_path(night)))
    assert window.open_path(night)
    assert second == [False]


def let_it_grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0" * 600)


def put_another_in_its_place(path: Path) -> None:
    other = write_night(path.with_name("x.edf"), 12)
    os.utime(other, ns=(0, 0))
    other.replace(path)


@pytest.mark.parametrize("change", [Path.unlink, let_it_grow, put_another_in_its_place])
def test_a_file_that_changed_is_told_and_offered_again(
    qtbot: QtBot, window: MainWindow, night: Path, change: Callable[[Path], object]
) -> None:
    assert window.open_path(night)
    window.run_command("stage_n3")
    assert window.session is not None
    document = window.session.document
    change(night)
    part = next(part for part in window.parts if isinstance(part, FilePart))
    part.look()
    qtbot.waitUntil(lambda: "Your corrections are kept" in window.info_bar.text)
    assert document.corrected[0] == 3
    assert window.info_bar._offer.isVisible()
    if not night.exists():
        write_night(night)
    window.info_bar._offer.click()
    assert window.session is not None
    assert window.session.document is not document
    assert "Open" not in window.info_bar.text
    assert not window.info_bar._offer.isVisible()


def test_a_file_that_stays_is_not_spoken_of(qtbot: QtBot, window: MainWindow, night: Path) -> None:
    assert window.open_path(night)
    before = window.info_bar.text
    part = next(part for part in window.parts if isinstance(part, FilePart))
    part.look()
    qtbot.waitUntil(lambda: not part._look.running)
    assert window.info_bar.text == before
