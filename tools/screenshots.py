"""Make the pictures of the documentation from the window as it is now.

    python tools/screenshots.py NIGHT.edf SCORED.npz docs/images

NIGHT is a real night with its expert's hypnogram beside it, SCORED what ``sleepviewer score`` made of it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import shiboken6
from PySide6.QtWidgets import QApplication

from sleepviewer.app.settings import Settings
from sleepviewer.app.theme import DARK, LIGHT, Theme, apply_theme
from sleepviewer.app.window import MainWindow
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.registry import EngineSpec, make_engine
from sleepviewer.simulation import simulate_night

SMALL, LARGE = (1366, 768), (1920, 1080)


def picture(
    path: Path,
    night: Night | None,
    *,
    theme: Theme = LIGHT,
    size: tuple[int, int] = SMALL,
    epoch: int = 435,
    tab: int = 0,
    act: Callable[[MainWindow], object] | None = None,
) -> None:
    """Paint one state of the window; ``act`` brings it about."""
    app = QApplication.instance() or QApplication(["screenshots"])
    assert isinstance(app, QApplication)
    apply_theme(app, theme)
    window = MainWindow(Settings(remember=False), theme)
    window.resize(*size)
    if night is not None:
        window.show_night(night)
        assert window.session is not None
        window.session.go_to(epoch)
    window.page.panel.setCurrentIndex(tab)
    window.show()
    if act is not None:
        act(window)
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        app.processEvents()
    window.grab().save(str(path))
    # Not closed, which would ask about the edits; deleted at once, or every later change of theme restyles it too.
    shiboken6.delete(window)


def correct(window: MainWindow) -> None:
    """Go through a few doubtful epochs as an expert would."""
    for command in ("next_doubt", "accept", "next_doubt", "stage_n2", "next_doubt", "flag", "next_disagreement"):
        window.run_command(command)


def scored_simulation(folder: Path) -> Night:
    """Return a simulated night that the default engine has scored."""
    night = open_night(simulate_night(folder).psg_path)
    assert night.channel is not None
    prediction = make_engine(EngineSpec()).score(night.recording, ChannelChoice(night.channel))
    night.document.set_prediction(prediction)
    return night


def main(night: Path, scored: Path, folder: Path) -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        folder.mkdir(parents=True, exist_ok=True)
        for theme in (LIGHT, DARK):
            for size, suffix in ((SMALL, ""), (LARGE, "_1920")):
                end = f"{theme.name}{suffix}.png"
                opened = open_night(night, labels_path=scored)
                picture(folder / f"window_{end}", opened, theme=theme, size=size, act=correct)
                picture(folder / f"welcome_{end}", None, theme=theme, size=size)
                for tab, name in ((1, "review"), (2, "agreement"), (3, "night")):
                    opened = open_night(night, labels_path=scored)
                    picture(folder / f"{name}_{end}", opened, theme=theme, size=size, tab=tab, act=correct)
            picture(folder / f"demo_{theme.name}.png", scored_simulation(Path(scratch)), theme=theme, epoch=180)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
