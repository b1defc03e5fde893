"""Make the pictures of the documentation from the window as it is now: every state, in both themes.

    python tools/screenshots.py NIGHT.edf SCORED.npz docs/images [STATE …]

NIGHT is a real night with its expert's hypnogram beside it, SCORED what ``sleepviewer score`` made of it. Nights of
several channels are simulated. Pictures have 256 colours, so that they stay small.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
import shiboken6
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtGui import QImage, QKeySequence, QPainter
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QTabWidget

from sleepviewer.app import faults
from sleepviewer.app.main import settle
from sleepviewer.app.settings import Settings
from sleepviewer.app.settings_dialog import SettingsDialog
from sleepviewer.app.theme import DARK, LIGHT, Theme, apply_theme
from sleepviewer.app.window import MainWindow
from sleepviewer.recording.base import Samples
from sleepviewer.review.events import Event, EventKind, Origin
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.registry import EngineSpec, make_engine
from sleepviewer.simulation import simulate_night

SIZE = (1366, 768)
Act = Callable[[MainWindow], object]


@dataclass(frozen=True)
class State:
    """A picture: which night it is of, and what brings it about; ``dialog`` is grabbed over the window while open."""

    night: str  # "", "real", "scored", "simulated"
    act: Act = lambda _: None
    dialog: Callable[[QDialog], object] | None = None
    epoch: int = 435
    tab: int = 0
    settles: bool = True


def correct(window: MainWindow) -> None:
    """Go through a few doubtful epochs as an expert would."""
    for command in ("next_doubt", "accept", "next_doubt", "stage_n2", "next_doubt", "flag", "next_disagreement"):
        window.run_command(command)


def half_scored(window: MainWindow) -> None:
    """Stand where a scoring has come half of its way."""
    assert window.session is not None
    document = window.session.document
    assert document.prediction is not None
    proba = document.prediction.proba
    document.add_provisional(0, np.asarray(proba[: len(proba) // 2]))
    window.status_line.show_progress(0.5, "scoring")


def panel(name: str, *commands: str) -> Act:
    """Show a panel, and call commands."""

    def act(window: MainWindow) -> None:
        for command in commands:
            window.run_command(command)
        window.panels.show(name)

    return act


def events(window: MainWindow) -> None:
    """Draw an arousal and an artefact into the current epoch; two spindles are suggested there."""
    assert window.session is not None
    document, start = window.session.document, window.session.epoch * 30.0
    channel = window.session.night.channel
    document.suggest_events(
        Event(f"s{place}", EventKind.SPINDLE, start + at, start + at + 1.2, channel, Origin.SUGGESTED)
        for place, at in enumerate((6.1, 17.4))
    )
    document.add_event(EventKind.ARTEFACT, start + 22.0, start + 24.5)
    document.add_event(EventKind.AROUSAL, start + 10.2, start + 14.8, channel)
    window.panels.show("events")


def fail(window: MainWindow) -> None:
    """Try to open what is no recording."""
    window.open_path(Path("/nights/patient-7.edf"))


def stumble(window: MainWindow) -> None:
    """Show what an error of the program says."""
    faults.log_file = lambda: Path("/home/maria/.local/state/SleepViewer/log/sleepviewer.log")
    faults.FaultDialog(window).exec()


def wait_for_drive(window: MainWindow) -> None:
    """Turn to a page that the drive takes its time for."""
    assert window.session is not None
    recording, session = window.session.night.recording, window.session
    read = recording.read

    def read_slowly(label: str, start_s: float, stop_s: float) -> Samples:
        time.sleep(1.0)
        return read(label, start_s, stop_s)

    recording.read = read_slowly
    session.go_to(session.epoch + 7)
    QApplication.processEvents()


def run(command: str) -> Act:
    """Call one command."""
    return lambda window: window.run_command(command)


def type_next(dialog: QDialog) -> None:
    """Look for commands in the palette."""
    dialog.findChildren(QLineEdit)[0].setText("next")


def take_a_key(dialog: QDialog) -> None:
    """Press a key that another command has."""
    assert isinstance(dialog, SettingsDialog)
    dialog.keys.choose_command("flag")
    dialog.keys.press(QKeySequence("W"))


def show_looks(dialog: QDialog) -> None:
    """Turn to the second page of the settings."""
    dialog.findChildren(QTabWidget)[0].setCurrentIndex(1)


STATES: dict[str, State] = {
    "welcome": State(""),
    "unscored": State("real"),
    "scoring": State("scored", half_scored),
    "window": State("scored", correct),
    "disagreement": State("scored", run("next_disagreement"), epoch=100),
    "review": State("scored", correct, tab=1),
    "agreement": State("scored", correct, tab=2),
    "night": State("scored", correct, tab=3),
    "demo": State("simulated", epoch=180),
    "events": State("simulated", events, epoch=250),
    "channels": State("simulated", panel("channels", "lane_below"), epoch=180),
    "annotations": State("simulated", panel("annotations"), epoch=180),
    "guides": State("simulated", run("guides"), epoch=250),
    "whole_night": State("simulated", lambda window: window.page.traces.set_timebase(None), epoch=180),
    "palette": State("scored", run("palette"), type_next),
    "help": State("scored", run("help_keys"), lambda _: None),
    "settings": State("scored", run("settings"), take_a_key),
    "looks": State("scored", run("settings"), show_looks),
    "picture": State("scored", run("save_picture"), lambda _: None),
    "error": State("scored", fail),
    "fault": State("scored", stumble, lambda _: None),
    "busy": State("simulated", wait_for_drive, epoch=180, settles=False),
}


class Studio:
    """Opens the nights, once each, and takes the pictures."""

    def __init__(self, night: Path, scored: Path, folder: Path, scratch: Path) -> None:
        self._real, self._scored, self._folder = night, scored, folder
        self._simulated = simulate_night(scratch).psg_path
        self._prediction = None

    def night(self, name: str) -> Night:
        """Open a night anew: the last picture's edits are not in it."""
        if name != "simulated":
            return open_night(self._real, labels_path=self._scored if name == "scored" else None)
        night = open_night(self._simulated)
        if self._prediction is None:
            assert night.channel is not None
            self._prediction = make_engine(EngineSpec()).score(night.recording, ChannelChoice(night.channel))
        night.document.set_prediction(self._prediction)
        return night

    @contextmanager
    def window(self, state: State, theme: Theme) -> Iterator[MainWindow]:
        """A window in a state, gone afterwards."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, theme)
        window = MainWindow(Settings(remember=False), theme)
        window.resize(*SIZE)
        if state.night:
            window.show_night(self.night(state.night))
            assert window.session is not None
            window.session.go_to(state.epoch)
        else:
            window.welcome.show_recent([Path("/nights") / path.name for path in (self._real, self._simulated)])
        window.page.panel.setCurrentIndex(state.tab)
        window.show()
        settle(window)
        yield window
        # Not closed, which would ask about the edits; deleted at once, or every later change of theme restyles it too.
        for part in window.parts:
            part.close()
        shiboken6.delete(window)

    def take(self, name: str, theme: Theme) -> Path:
        """Take one picture."""
        state = STATES[name]
        with self.window(state, theme) as window:
            image = self._of_dialog(window, state) if state.dialog else self._of_window(window, state)
        path = self._folder / f"{name}_{theme.name}.png"
        in_256_colours(image).save(str(path), "PNG", 0)  # the smallest file
        return path

    def _of_window(self, window: MainWindow, state: State) -> QImage:
        state.act(window)
        if state.settles:
            settle(window)
        return window.grab().toImage()

    def _of_dialog(self, window: MainWindow, state: State) -> QImage:
        taken: list[QImage] = []

        def take() -> None:
            dialog = QApplication.activeModalWidget()
            assert isinstance(dialog, QDialog)
            assert state.dialog is not None
            try:
                state.dialog(dialog)
                until = time.monotonic() + 0.2
                while time.monotonic() < until:
                    QApplication.processEvents()
                taken.append(over(window, dialog))
            finally:
                dialog.reject()

        QTimer.singleShot(200, take)
        state.act(window)
        return taken[0]


def in_256_colours(image: QImage) -> QImage:
    """The picture in 256 colours: its most frequent ones, and the middles of what else there is.

    The most frequent colours alone would be those of smoothed letters, with none left for a spectrogram's.
    """
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    width, height = image.width(), image.height()
    pixels = np.frombuffer(image.constBits(), dtype=np.uint32).reshape(height, width) & 0xFFFFFF
    colours, inverse, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    by_count = np.argsort(counts)[::-1]
    frequent, rest = by_count[:128], by_count[128:]
    # Of the rest, one colour for each cube of 32³ shades that many have: the most frequent in it.
    _, first, cubes = np.unique(colours[rest] & 0xE0E0E0, return_index=True, return_inverse=True)
    most = np.argsort(np.bincount(cubes.ravel(), weights=counts[rest]))[::-1][:128] if len(rest) else first[:0]
    kept = colours[np.concatenate([frequent, rest[first[most]]]).astype(int)]

    def channels(packed: np.ndarray) -> np.ndarray:
        return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=-1).astype(np.int32)

    distances = ((channels(colours)[:, None] - channels(kept)[None]) ** 2).sum(axis=-1)
    places = distances.argmin(axis=1).astype(np.uint8)[inverse].reshape(height, width)
    padded = np.zeros((height, -(-width // 4) * 4), dtype=np.uint8)
    padded[:, :width] = places
    small = QImage(padded.tobytes(), width, height, padded.shape[1], QImage.Format.Format_Indexed8).copy()
    small.setColorTable([0xFF000000 | int(colour) for colour in kept])
    return small


def over(window: MainWindow, dialog: QDialog) -> QImage:
    """The window with a dialog over its middle (or where it put itself)."""
    image = window.grab().toImage()
    painter = QPainter(image)
    place = dialog.pos() - window.pos()
    if not window.rect().contains(place) or dialog.objectName() != "palette":
        place = QPoint((window.width() - dialog.width()) // 2, (window.height() - dialog.height()) // 2)
    painter.drawPixmap(place, dialog.grab())
    painter.setPen(dialog.palette().mid().color())
    painter.drawRect(place.x(), place.y(), dialog.width() - 1, dialog.height() - 1)
    painter.end()
    return image


def main(night: Path, scored: Path, folder: Path, names: list[str]) -> None:
    """Take the pictures that are named, or all."""
    app = QApplication.instance() or QApplication(["screenshots"])
    assert app is not None
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        studio = Studio(night, scored, folder, Path(scratch))
        for name in names or STATES:
            for theme in (LIGHT, DARK):
                path = studio.take(name, theme)
                print(f"{path}  {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), sys.argv[4:])
