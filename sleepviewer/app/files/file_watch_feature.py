"""The open file as it lies on its drive: whether it is still the one that was opened, opening it again, the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QObject, QTimer

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.info_bar import InfoBar
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.work.background import Background
from sleepviewer.errors import RecordingError
from sleepviewer.user_folders import log_folder

LOOK_EVERY_MS: Final = 15_000


class FilePart(QObject):
    """Looks after the recording's file now and then, and offers to open it again where it is another one by now."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._look = Background("file", self)
        self._look.failed.connect(self._on_failed)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)
        services.page.trouble.connect(lambda _: self.look())  # perhaps the file is another one by now

    def commands(self) -> Commands:
        return {"reopen": self.reopen, "log_folder": self._show_log}

    def enabled(self) -> Mapping[str, bool]:
        return {}

    def set_session(self, session: NightSession) -> None:
        """Look after another file."""
        self._look.cancel()
        self._session = session
        self._timer.start()

    def set_theme(self, theme: Theme) -> None:
        """Nothing: it has no colours."""

    def close(self) -> None:
        self._timer.stop()
        self._look.cancel()  # and not waited for: a drive may take its time

    def look(self) -> None:
        """Look in the background whether the file is the one that was opened."""
        if self._session is not None and not self._look.running:
            recording = self._session.night.recording
            self._look.start(lambda _: recording.check_unchanged())

    def reopen(self) -> None:
        """Open the recording again as it is now; unsaved edits are asked about."""
        if self._session is not None:
            self._services.open_path(self._session.night.recording.path)

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, RecordingError):
            raise error
        self._timer.stop()  # it is told once
        self._services.trouble(f"{error} Your corrections are kept.")
        bar = self._services.window.findChild(InfoBar)
        if isinstance(bar, InfoBar):
            bar.offer("Open it again", self.reopen)

    def _show_log(self) -> None:
        from sleepviewer.app.shell.faults import show_folder

        folder = log_folder()
        if folder.is_dir():
            show_folder(folder)
        self._services.tell(f"The log lies in {folder}" if folder.is_dir() else f"No log was written yet ({folder})")
