"""Folders of the user, and what stands in for them where there are none."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import platformdirs

APP: Final = "SleepViewer"

_VARIABLES: Final = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
_said = ""


def log_folder() -> Path:
    """Return the folder of the log."""
    return platformdirs.user_log_path(APP, appauthor=False)


def home_folder() -> Path:
    """Return the user's home folder, or the system's folder for temporary files where there is none."""
    try:
        home = Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir())
    return home if home.is_dir() else Path(tempfile.gettempdir())


def ensure_user_folders() -> str:
    """See to it that settings, reviews, caches and the log can be written somewhere; call it before any of them is.

    Where one of the user's folders can't be written, all of them become folders of a temporary one, for this process
    and those that it starts. Returns a sentence that says so and that nothing is kept there for ever; else nothing.
    Windows tells programs its folders itself: there nothing is changed.
    """
    global _said
    if _said or sys.platform == "win32" or all(_writable(folder) for folder in _folders()):
        return _said
    stand_in = Path(tempfile.gettempdir()) / f"sleepviewer-{os.getuid()}"
    try:
        stand_in.mkdir(mode=0o700, exist_ok=True)
        # Somebody else may have made it in a folder that all can write to.
        if stand_in.is_symlink() or stand_in.stat().st_uid != os.getuid():
            raise PermissionError(stand_in)
    except OSError:
        stand_in = Path(tempfile.mkdtemp(prefix="sleepviewer-"))
    os.environ.update(dict.fromkeys(_VARIABLES, str(stand_in)))
    _said = (
        f"The home folder can't be written to: settings, and reviews that can't lie beside their recording, are kept "
        f"in {stand_in}, which the system may empty."
    )
    return _said


def _folders() -> tuple[Path, ...]:
    return (
        platformdirs.user_config_path(APP, appauthor=False),
        platformdirs.user_data_path(APP, appauthor=False),
        platformdirs.user_cache_path(APP, appauthor=False),
        log_folder(),
    )


def _writable(folder: Path) -> bool:
    """Whether a folder can be written to, or made. It is not made: nothing is left by a program that only looks."""
    try:
        there = next(place for place in (folder, *folder.parents) if place.exists())
    except (OSError, StopIteration):
        return False
    return there.is_absolute() and there != Path(there.root) and there.is_dir() and os.access(there, os.W_OK | os.X_OK)
