"""Exports of a folder of reviews: in the background, night by night."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.work.background import Background
from sleepviewer.errors import SleepViewerError

if TYPE_CHECKING:
    from sleepviewer.app.files.folder_export_dialog import FolderExportDialog
    from sleepviewer.review.export_folder import FolderExport, FolderExported

# The dialog is imported when it is first asked for: the window starts without it.

_KEY = "export/folders"


class ExportPart(QObject):
    """Shows the dialog, runs what it asks for, and tells it how that goes; folders are remembered."""

    _progressed = Signal(int, int, str)

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._background = Background("export", self)
        self._background.done.connect(self._on_done)
        self._background.failed.connect(self._on_failed)
        self._stop = threading.Event()
        self._progressed.connect(self._on_progress)
        self.dialog: FolderExportDialog | None = None
        """The dialog while it is shown, else None."""

    def commands(self) -> Commands:
        """Commands of the key table that it carries out, by name."""
        return {"export_folder": self.show_dialog}

    def enabled(self) -> Mapping[str, bool]:
        """It needs no night."""
        return {}

    def set_session(self, session: NightSession) -> None:
        """Follow another night."""
        self._session = session

    def set_theme(self, theme: Theme) -> None:
        """The dialog has the window's style."""

    def close(self) -> None:
        """Stop after the night that is being exported."""
        self._stop.set()
        self._background.close()
        if self.dialog is not None:
            self.dialog.close()

    # -- the dialog

    def show_dialog(self) -> None:
        """Show the dialog, or the one that is shown already."""
        from sleepviewer.app.files.folder_export_dialog import FolderExportDialog

        if self.dialog is None:
            self.dialog = dialog = FolderExportDialog(self._proposed(), self._services.window)
            dialog.export_requested.connect(self.start)
            dialog.stop_requested.connect(lambda: self._stop.set())
            dialog.finished.connect(self._forget)
            dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _proposed(self) -> FolderExport:
        from sleepviewer.review.export_folder import FolderExport
        from sleepviewer.review.exporting import ExportOptions, Format

        kept = self._services.settings.get_json(_KEY, {})
        kept = {name: Path(value) for name, value in kept.items() if isinstance(value, str) and value}
        here = kept.get("reviews", Path.home())
        if self._session is not None:
            here = self._session.night.recording.path.parent
        known = kept.get("reviews") == here
        return FolderExport(
            (here,),
            kept.get("out", here / "export") if known else here / "export",
            ExportOptions(Format.ATTNSLEEP),
            kept.get("recordings") if known else None,
            only_reviewed=True,
        )

    def _forget(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    # -- the work

    def start(self, wanted: FolderExport) -> None:
        """Export in the background, unless that is being done already."""
        from sleepviewer.review.export_folder import export_folder

        if self._background.running:
            return
        value = {"reviews": str(wanted.sources[0]), "out": str(wanted.out), "recordings": str(wanted.recordings or "")}
        self._services.settings.set_json(_KEY, value)
        self._stop = stop = threading.Event()
        if self.dialog is not None:
            self.dialog.show_progress(0, 0, "Looking through the reviews…")
        tell = self._progressed.emit
        self._background.start(lambda _: export_folder(wanted, tell=tell, cancelled=stop.is_set))

    def _on_progress(self, done: int, total: int, night: str) -> None:
        if self.dialog is not None and self._background.running:
            self.dialog.show_progress(done, total, night)

    def _on_done(self, result: FolderExported) -> None:
        self._services.tell(result.summary)
        if self.dialog is not None:
            self.dialog.show_result(result)

    def _on_failed(self, error: Exception) -> None:
        if self.dialog is not None:
            self.dialog.show_trouble(str(error))
        else:
            self._services.trouble(f"Not exported: {error}")
        if not isinstance(error, SleepViewerError):
            raise error
