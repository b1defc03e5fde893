"""Start the window, or paint it into a picture without a display."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QEventLoop, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from sleepviewer.app.settings import Settings
from sleepviewer.app.theme import THEMES, apply_theme, system_theme
from sleepviewer.app.window import MainWindow
from sleepviewer.errors import OutputError, RecordingError
from sleepviewer.review.night import Night


def run_window(
    path: Path | None,
    *,
    truth: Path | None = None,
    labels: Path | None = None,
    epoch: int | None = None,
    theme: str | None = None,
    score: bool = False,
) -> int:
    """Show the window until it is closed; return the exit code. ``epoch`` is counted from 1."""
    app = _application()
    settings = Settings()
    chosen = THEMES.get(theme or settings.theme) or system_theme()
    apply_theme(app, chosen)
    window = MainWindow(settings, chosen)
    window.show()
    # Ctrl+C in the terminal closes the window as its own button would, edits asked about.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    wake = QTimer()
    wake.timeout.connect(lambda: None)
    wake.start(250)
    if path is not None and window.open_path(path, truth=truth, labels=labels) and window.session is not None:
        window.session.go_to((epoch or 1) - 1)
    window.warm_up_soon()
    if score:
        QTimer.singleShot(0, window.score)
    return app.exec()


def paint_window(
    night: Night, picture: Path, *, epoch: int = 1, size: tuple[int, int] = (1366, 768), theme: str = "light"
) -> None:
    """Paint the window on an open night into a PNG; with Qt's platform ``offscreen`` no display is needed.

    ``epoch`` is counted from 1. Raises RecordingError for an epoch that the night does not have, OutputError where the
    picture can't be written.
    """
    n_epochs = night.recording.n_epochs
    if not 1 <= epoch <= n_epochs:
        raise RecordingError(f"{night.recording.name} has {n_epochs} epochs, so epoch {epoch} can't be shown.")
    app = _application()
    apply_theme(app, THEMES[theme])
    window = MainWindow(Settings(remember=False), THEMES[theme])
    window.show_night(night)
    assert window.session is not None
    window.session.go_to(epoch - 1)
    window.resize(*size)
    window.show()
    for _ in range(3):
        app.processEvents()
    patience = monotonic() + _PATIENCE_S
    while window.page.night.spectrogram.pending and monotonic() < patience:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
    written = window.grab().save(str(picture), "PNG")
    window.close()
    if not written:
        raise OutputError(f"The picture {picture} can't be written; choose another folder.")


_PATIENCE_S = 20.0
"""How long a picture waits for what is computed in the background."""

_NOISE = "This plugin does not support"
"""Begins what Qt's offscreen platform says of every window; nothing that a user could act on."""


def _on_qt_message(kind: QtMsgType, _: QMessageLogContext, message: str) -> None:
    if not message.startswith(_NOISE):
        sys.stderr.write(f"Qt: {message}\n")


def _application() -> QApplication:
    qInstallMessageHandler(_on_qt_message)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(["sleepviewer"])
    app.setApplicationName("SleepViewer")
    app.setDesktopFileName("sleepviewer")
    return app
