"""Writes automatic copies of the open night's review: every few minutes where it has changed, and after a scoring."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from sleepviewer.app.work.background import Background
from sleepviewer.errors import SleepViewerError
from sleepviewer.review.autosave import autosave_archive, autosave_path, write_autosave
from sleepviewer.review.document import Change
from sleepviewer.review.night import Night
from sleepviewer.review.state_folder import StateFolders

MINUTE_MS = 60 * 1000
_SOON_MS = 500


class Autosaver(QObject):
    """The archive is made in the window's thread, which is quick without a signal, and written in another one."""

    trouble = Signal(str)
    """A sentence."""
    written = Signal(object)
    """The Path of a copy that is on the disk."""

    def __init__(self, folders: StateFolders, parent: QObject) -> None:
        super().__init__(parent)
        self._folders = folders
        self._night: Night | None = None
        self._forget: Callable[[], None] | None = None
        self._changed = False
        self._background = Background("autosave", self)
        self._background.done.connect(self.written)
        self._background.failed.connect(self._on_failed)
        self._timer = QTimer(self)
        self.set_minutes(5)
        self._timer.timeout.connect(self.write)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self.write)

    def set_minutes(self, minutes: int) -> None:
        """Write at most so many minutes after a change."""
        self._timer.setInterval(minutes * MINUTE_MS)

    def set_night(self, night: Night | None) -> None:
        """Follow another night, or none."""
        self._timer.stop()
        self._soon.stop()
        if self._forget is not None:
            self._forget()
        self._night, self._forget, self._changed = night, None, False
        if night is not None:
            self._forget = night.document.subscribe(self._on_change)
            self._timer.start()

    def write(self) -> None:
        """Write a copy now, where something has changed since the last one."""
        if self._night is None or not self._changed or self._background.running:
            return
        archive, path = autosave_archive(self._night), autosave_path(self._night, self._folders)
        self._changed = False

        def work(_: Callable[[], bool]) -> object:
            write_autosave(archive, path)
            return path

        self._background.start(work)

    def close(self) -> None:
        """Write nothing more."""
        self.set_night(None)
        self._background.close()

    def _on_change(self, change: Change) -> None:
        if change in (Change.PROVISIONAL, Change.SAVED):
            return
        self._changed = True
        if change is Change.PREDICTION:
            self._soon.start()

    def _on_failed(self, error: object) -> None:
        self._changed = True
        if isinstance(error, SleepViewerError):
            self.trouble.emit(f"No automatic copy: {error}")
