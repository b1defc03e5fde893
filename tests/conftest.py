"""Shared fixtures: where the real recordings are, and Qt without a display."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SLEEPVIEWER_DATA", ROOT.parent / "shared"))


@pytest.fixture(autouse=True)
def user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of a user who has never run the program: no test reads or writes those of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(home / "config"))
    return home


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
