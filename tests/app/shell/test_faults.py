"""Errors of the program: one dialog, a log, and nothing lost."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from sleepviewer import logs
from sleepviewer.app.shell import faults
from sleepviewer.app.shell.faults import FaultKeeper
from sleepviewer.app.window import MainWindow
from sleepviewer.errors import OutputError


@pytest.fixture
def log(user_folders: Path) -> Iterator[Path]:
    path = logs.start_log()
    assert path is not None
    assert user_folders in path.parents
    yield path
    logs.stop_log()


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    path = write_edf(tmp_path / "night.edf", [Signal("EEG C4", 100, "uV", np.zeros(8 * 3000))], record_s=30)
    assert window.open_path(path)
    return window


def keeper_of(window: MainWindow) -> FaultKeeper:
    return FaultKeeper(window, window.status_line.show_message, window.save_unsaved)


@pytest.fixture
def keeper(window: MainWindow, log: Path) -> Iterator[FaultKeeper]:
    keeper = keeper_of(window)
    yield keeper
    if keeper.dialog is not None:
        keeper.dialog.reject()
    keeper.close()


def fail(sentence: str = "a bug") -> None:
    raise ZeroDivisionError(sentence)


def go_wrong(sentence: str = "a bug") -> None:
    """As Qt does with an error in a slot: hand it to the hook."""
    try:
        fail(sentence)
    except ZeroDivisionError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def press(keeper: FaultKeeper, text: str) -> None:
    assert keeper.dialog is not None
    next(button for button in keeper.dialog.findChildren(QPushButton) if button.text() == text).click()


def test_an_error_of_the_program_is_one_dialog_and_a_traceback_in_the_log(
    qtbot: QtBot, keeper: FaultKeeper, opened: MainWindow, log: Path
) -> None:
    opened.run_command("stage_n3")
    go_wrong()
    qtbot.waitUntil(lambda: keeper.dialog is not None)
    assert keeper.dialog is not None
    assert "Your corrections are still here" in keeper.dialog.text
    assert str(log) in keeper.dialog.text
    written = log.read_text()
    assert "in fail" in written
    assert "ZeroDivisionError: a bug" in written
    assert opened.session is not None
    assert opened.session.document.corrected[0] == 3
    press(keeper, "Keep working")
    assert keeper.dialog is None
    opened.run_command("next_epoch")
    assert opened.session.epoch == 1


def test_a_storm_of_errors_is_counted_in_one_dialog_and_does_not_flood_the_log(
    qtbot: QtBot, keeper: FaultKeeper, window: MainWindow, log: Path
) -> None:
    for _ in range(300):
        go_wrong()
    qtbot.waitUntil(lambda: keeper.dialog is not None and "299 more errors" in keeper.dialog.text)
    assert len(window.findChildren(faults.FaultDialog)) == 1
    assert log.read_text().count("Traceback") == 3
    assert "(now 256 times)" in log.read_text()
    press(keeper, "Keep working")
    sys.excepthook(KeyError, KeyError("another one"), None)
    qtbot.waitUntil(lambda: "Another error" in window.status_line.text)
    assert keeper.dialog is None
    assert "another one" in log.read_text()


def test_after_a_quiet_time_an_error_is_shown_again(
    qtbot: QtBot, keeper: FaultKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "QUIET_S", 0.0)
    for _ in range(2):
        go_wrong()
        qtbot.waitUntil(lambda: keeper.dialog is not None)
        press(keeper, "Keep working")


def test_an_error_in_a_thread_is_shown_too(qtbot: QtBot, keeper: FaultKeeper, log: Path) -> None:
    thread = threading.Thread(target=fail, name="worker-7")
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: keeper.dialog is not None)
    assert "in the thread worker-7" in log.read_text()


def test_an_error_in_a_slot_does_not_end_the_event_loop(
    qtbot: QtBot, window: MainWindow, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with qtbot.captureExceptions() as caught:
        QTimer.singleShot(0, fail)
        qtbot.waitUntil(lambda: bool(caught))
    assert window.isVisible()


def test_save_and_close_saves_and_closes(qtbot: QtBot, keeper: FaultKeeper, opened: MainWindow, tmp_path: Path) -> None:
    opened.run_command("stage_n3")
    go_wrong()
    qtbot.waitUntil(lambda: keeper.dialog is not None)
    press(keeper, "Save and close")
    assert (tmp_path / "night.npz").exists()
    assert not opened.isVisible()


def test_save_and_close_stays_open_where_saving_fails(
    qtbot: QtBot, keeper: FaultKeeper, opened: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("night.npz can't be written: No space left on device.")

    monkeypatch.setattr("sleepviewer.app.files.saving_feature.save_review", full)
    opened.run_command("stage_n3")
    go_wrong()
    qtbot.waitUntil(lambda: keeper.dialog is not None)
    press(keeper, "Save and close")
    assert opened.isVisible()
    assert "Not saved" in opened.info_bar.text
    assert opened.session is not None
    assert opened.session.document.corrected[0] == 3


def test_ctrl_c_closes_the_window_and_is_no_error(keeper: FaultKeeper, window: MainWindow, log: Path) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not window.isVisible()
    assert "error" not in log.read_text()


def test_without_a_log_the_dialog_says_so(qtbot: QtBot, keeper: FaultKeeper) -> None:
    logs.stop_log()
    go_wrong()
    qtbot.waitUntil(lambda: keeper.dialog is not None)
    assert keeper.dialog is not None
    assert "could not be written to a log" in keeper.dialog.text


def test_the_hooks_are_given_back(window: MainWindow) -> None:
    before: tuple[Callable[..., object], ...] = (sys.excepthook, threading.excepthook)
    keeper_of(window).close()
    assert (sys.excepthook, threading.excepthook) == before


def test_the_log_names_files_and_no_folders(opened: MainWindow, log: Path, tmp_path: Path) -> None:
    patient = tmp_path / "Maria Müller 1970"
    patient.mkdir()
    night = write_edf(
        patient / "psg.edf", [Signal("EEG C4", 100, "uV", np.zeros(6000))], record_s=30, patient="4711 F X Mueller"
    )
    assert opened.open_path(night)
    opened.open_path(patient / "missing.edf")
    written = log.read_text()
    assert "opened psg.edf: EDF, 2 epochs" in written
    assert "missing.edf" in written
    for secret in ("Maria", "Müller", "1970", "Mueller", "4711"):
        assert secret not in written


def test_an_errors_own_words_are_short_and_without_folders(log: Path) -> None:
    logs.log_error(ValueError(f"/data/Maria Müller/x.edf: {'1.5 ' * 9000}"), "in a test")
    written = log.read_text()
    assert "ValueError: x.edf" in written
    assert "Maria" not in written
    assert len(written) < 2000


def test_the_log_is_turned_over_before_it_grows_large(log: Path) -> None:
    for number in range(12_000):
        logs.log.info("line %d %s", number, "x" * 200)
    files = sorted(log.parent.glob("sleepviewer.log*"))
    assert len(files) == 4
    assert sum(file.stat().st_size for file in files) < 2_100_000


def test_the_log_keeps_places_in_the_code(log: Path) -> None:
    try:
        fail()
    except ZeroDivisionError as error:
        logs.log_error(error, "in a test")
    assert "test_faults.py" in log.read_text()
