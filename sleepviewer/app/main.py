"""Start the window, or paint it into a picture without a display."""

from __future__ import annotations

import locale
import logging
import signal
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from PySide6.QtCore import QLocale, QMargins, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from sleepviewer.app.shell.faults import FaultKeeper
from sleepviewer.app.shell.garbage import WindowCollector
from sleepviewer.app.shell.icons import program_icon
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.theme import THEMES, apply_theme, theme_named
from sleepviewer.app.traces.overview import Overview
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.background import Background
from sleepviewer.display.timebase import USUAL
from sleepviewer.errors import RecordingError
from sleepviewer.logs import log, log_versions, start_log
from sleepviewer.memory import return_large_blocks
from sleepviewer.recording import ToldUnit
from sleepviewer.review.night import Night
from sleepviewer.user_folders import ensure_user_folders


def run_window(
    path: Path | None,
    *,
    truth: Path | None = None,
    labels: Path | None = None,
    epoch: int | None = None,
    theme: str | None = None,
    score: bool = False,
    units: tuple[ToldUnit, ...] = (),
    reading: str | None = None,
) -> int:
    """Show the window until it is closed; return the exit code. ``epoch`` is counted from 1.

    ``units`` were told of the recording's channels, ``reading`` says how the truth is to be read.
    """
    missing_home = ensure_user_folders()
    start_log()
    app = _application()
    settings = Settings()
    chosen = theme_named(theme or settings.theme, settings.stage_colors)
    apply_theme(app, chosen)
    window = MainWindow(settings, chosen)
    keeper = FaultKeeper(window, window.status_line.show_message, window.save_unsaved)
    collector = WindowCollector(window)
    show_whole(window, placed=settings.geometry is not None)
    # Ctrl+C in the terminal closes the window as its own button would, edits asked about.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    wake = QTimer()
    wake.timeout.connect(lambda: None)
    wake.start(250)
    opened = path is not None and window.open_path(path, truth=truth, labels=labels, units=units, reading=reading)
    if opened and window.session is not None:
        window.session.go_to((epoch or 1) - 1)
    _say_first(window, *([missing_home] if missing_home else []), *settings.troubles)
    window.warm_up_soon()
    QTimer.singleShot(_VERSIONS_AFTER_MS, log_versions)
    if score:
        QTimer.singleShot(0, window.score)
    try:
        return app.exec()
    finally:
        collector.close()
        keeper.close()


def show_whole(window: MainWindow, *, placed: bool) -> None:
    """Show the window; where the screen has no room for it and its frame, as large as the screen.

    Else its last line, which says where one is and what is saved, would lie below the screen's edge. Where it was
    ``placed`` by the user it stays.
    """
    room = window.screen().availableGeometry().size()
    needed = window.size().grownBy(QMargins(0, _TITLE_PX, 0, 0))
    if not placed and not (needed.width() <= room.width() and needed.height() <= room.height()):
        window.showMaximized()
    else:
        window.show()


_TITLE_PX = 40
"""What a frame and its title may take of the screen's height."""


def _say_first(window: MainWindow, *sentences: str) -> None:
    """Say what the start has met with, beside what the open night has to say."""
    if sentences:
        notes = () if window.session is None else window.session.night.notes
        window.info_bar.show_notes((*sentences, *notes))


def paint_window(
    night: Night,
    picture: Path,
    *,
    epoch: int = 1,
    size: tuple[int, int] = (1366, 768),
    theme: str = "light",
    what: str = "window",
    dpi: int = 96,
    timebase: float | None = USUAL,
) -> None:
    """Paint the window on an open night, or what it shows, into a PNG, SVG or PDF; no display is needed.

    ``epoch`` is counted from 1; ``size`` is in pixels at 96 dots an inch, ``dpi`` those of a PNG; ``what`` is one of
    ``pictures.What``; ``timebase`` the seconds of a page, None for the whole night. Raises RecordingError for an epoch
    that the night does not have, OutputError where the picture can't be written.
    """
    from sleepviewer.app.files.pictures import PictureSetup, What, caption_of, painter_of, save_picture, window_painter

    n_epochs = night.recording.n_epochs
    if not 1 <= epoch <= n_epochs:
        raise RecordingError(f"{night.recording.name} has {n_epochs} epochs, so epoch {epoch} can't be shown.")
    app = _application()
    apply_theme(app, THEMES[theme])
    window = MainWindow(Settings(remember=False), THEMES[theme])
    window.show_night(night)
    assert window.session is not None
    window.page.traces.set_timebase(timebase)
    window.session.go_to(epoch - 1)
    window.resize(*size)
    window.show()
    settle(window)
    setup = PictureSetup(What(what), *size, dpi)
    caption = caption_of(window.session, window.page, setup.what)
    is_window = setup.what is What.WINDOW
    paint = window_painter(window) if is_window else painter_of(setup.what, window.page, caption, THEMES[theme])
    try:
        save_picture(picture, paint, setup, caption)
    finally:
        window.close()


def settle(window: MainWindow) -> None:
    """Let the window come to rest: what is computed in the background is there, or takes too long."""
    app = _application()
    for _ in range(3):
        app.processEvents()
    patience = monotonic() + _PATIENCE_S
    while _working(window) and monotonic() < patience:
        app.processEvents()
        sleep(0.01)  # Qt keeps the interpreter while it looks for events: what is waited for would hardly run
    app.processEvents()


def _working(window: MainWindow) -> bool:
    """Whether something that is shown is still being read or computed: pages, the spectrogram, the marks."""
    return (
        window.page.night.spectrogram.pending
        or window.page.traces.busy
        or any(work.running for work in window.findChildren(Background))
        or any(overview.building for overview in window.findChildren(Overview))
    )


_PATIENCE_S = 20.0
"""How long a picture waits for what is computed in the background."""

_VERSIONS_AFTER_MS = 3000

_SWITCH_S = 0.0001
"""So long a thread may keep the interpreter while another waits for it."""

_NOISE = "This plugin does not support"
"""Begins what Qt's offscreen platform says of every window; nothing that a user could act on."""


_QT_LEVELS = {
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def _on_qt_message(kind: QtMsgType, _: QMessageLogContext, message: str) -> None:
    if not message.startswith(_NOISE):
        log.log(_QT_LEVELS.get(kind, logging.INFO), "Qt: %s", message)
        if sys.stderr is not None:  # a program that was started without a terminal may have none
            sys.stderr.write(f"Qt: {message}\n")


def _application() -> QApplication:
    return_large_blocks()
    # The window asks for the interpreter at every call of Qt, and would wait for each busy thread 5 ms each time.
    sys.setswitchinterval(_SWITCH_S)
    qInstallMessageHandler(_on_qt_message)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(["sleepviewer"])
    app.setApplicationName("SleepViewer")
    app.setDesktopFileName("sleepviewer")
    app.setWindowIcon(program_icon())
    _write_numbers_with_points()
    return app


def _write_numbers_with_points() -> None:
    """Numbers are written and read with points everywhere, whatever the system's language does.

    Qt takes over the system's habits for its fields, and on Unix for the C library as well.
    """
    points = QLocale(QLocale.Language.English, QLocale.Country.UnitedStates)
    points.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    QLocale.setDefault(points)
    with suppress(locale.Error):
        locale.setlocale(locale.LC_NUMERIC, "C")
