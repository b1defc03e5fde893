"""Shared fixtures: where the real recordings are, and Qt without a display."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from helpers.places import SHARED
from helpers.real_scoring import ScoredNight, score

if TYPE_CHECKING:
    from sleepviewer.app.window import MainWindow

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of a user who has never run the program: no test reads or writes those of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setattr(tempfile, "tempdir", str(home))  # where a journal goes that finds no other place
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(home / "config"))
    return home


@pytest.fixture(autouse=True, scope="session")
def clipboard_left_empty() -> Iterator[None]:
    """Qt without a display crashes at the end of the process where something is still on its clipboard."""
    yield
    from PySide6.QtWidgets import QApplication

    if QApplication.instance() is not None:
        QApplication.clipboard().clear()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and reference vectors; tests that need it skip where it is absent."""
    if not (SHARED / "data" / "README.md").exists():
        message = f"the real recordings are not at {SHARED} (set SLEEPVIEWER_DATA)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return SHARED


@pytest.fixture(scope="session")
def real_night(shared: Path) -> Path:
    """One real whole night, 822 epochs, one EEG channel at 128 Hz."""
    return shared / "data" / "ucddb" / "ucddb018.edf"


@pytest.fixture(scope="session")
def real_truth(shared: Path) -> Path:
    """The expert's hypnogram of the real night."""
    return shared / "data" / "ucddb" / "ucddb018-Hypnogram.edf"


@pytest.fixture(scope="session")
def scored_real(real_night: Path, real_truth: Path, tmp_path_factory: pytest.TempPathFactory) -> ScoredNight:
    """The real night as the installed command scores it."""
    return score(real_night, real_truth, tmp_path_factory.mktemp("scored") / "scored.npz")


@pytest.fixture
def real_copy(real_night: Path, real_truth: Path, tmp_path: Path) -> Path:
    """The real night and its expert's hypnogram in a folder that can be written to; the recording's path."""
    shutil.copyfile(real_truth, tmp_path / real_truth.name)
    return Path(shutil.copyfile(real_night, tmp_path / real_night.name))


@pytest.fixture
def make_window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], MainWindow]]:
    """Makes windows that are shown and have the keyboard; unsaved edits are put aside, found ones left, unasked."""
    from sleepviewer.app.files.recovery_dialog import RecoveryDialog
    from sleepviewer.app.shell import dialogs
    from sleepviewer.app.window import MainWindow

    monkeypatch.setattr(RecoveryDialog, "exec", lambda _: 0)
    monkeypatch.setattr(dialogs, "ask_about_unsaved", lambda *_: dialogs.Answer.DISCARD)
    windows: list[MainWindow] = []

    def make() -> MainWindow:
        window = MainWindow()
        windows.append(window)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        return window

    yield make
    monkeypatch.setattr(dialogs, "ask_about_unsaved", lambda *_: dialogs.Answer.DISCARD)
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture
def window(make_window: Callable[[], MainWindow]) -> MainWindow:
    """One window without a night."""
    return make_window()


@pytest.fixture
def opened(window: MainWindow, night: Path) -> MainWindow:
    """The window with the test module's own ``night`` open."""
    assert window.open_path(night)
    return window


@pytest.fixture(autouse=True)
def patient_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are waited for however busy the machine is: only tests of slow drives see a page that is being read."""
    monkeypatch.setattr("sleepviewer.app.traces.reader.PATIENCE_S", 20.0)
    monkeypatch.setattr("sleepviewer.app.traces.reader.IMPATIENCE_S", 20.0)
