"""The history of the night: its panel, stepping back and forth in it, and writing it as a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.review.history_panel import HistoryPanel
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.theme import Theme
from sleepviewer.errors import ReadOnlyError, SleepViewerError
from sleepviewer.review.document import Change
from sleepviewer.review.history_rows import history_rows, write_history

_FOLLOWED = (Change.EDITS, Change.LIGHTS, Change.EVENTS, Change.BLINDING)
_REST_MS = 40
"""A held key makes many edits; the rows are made once it rests."""


class HistoryPart(QObject):
    """Between the document's history and the panel; a panel that is not seen costs nothing."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._seen = False
        self.panel = HistoryPanel(services.page.theme)
        area = Qt.DockWidgetArea.RightDockWidgetArea
        dock = services.panels.add("history", "History", self.panel, area, shown=False, beside="review")
        dock.visibilityChanged.connect(self._on_seen)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_REST_MS)
        self._soon.timeout.connect(self._refresh)
        self.panel.stepped.connect(self.step_to)
        self.panel.shown.connect(self._show_epochs)
        self.panel.export_requested.connect(self._ask_and_export)

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {"history_panel": self._show_panel, "export_history": self._ask_and_export}

    def enabled(self) -> Mapping[str, bool]:
        """See :class:`Part`."""
        if self._session is None:
            return {"export_history": False}
        document = self._session.document
        # next_undo and next_redo, not the tuples, which are made anew each time.
        done = document.next_undo is not None or document.next_redo is not None or bool(document.blinding.since)
        return {"export_history": done}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        if self._session is not None:
            self._session.document_changed.disconnect(self._on_change)
        self._session = session
        session.document_changed.connect(self._on_change)
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`."""
        self.panel.set_theme(theme)

    def close(self) -> None:
        """See :class:`Part`."""
        self._soon.stop()

    # -- following

    def _on_seen(self, seen: bool) -> None:
        self._seen = seen
        if seen:
            self._refresh()

    def _on_change(self, change: Change) -> None:
        if self._seen and change in _FOLLOWED:
            self._soon.start()

    def _refresh(self) -> None:
        if self._session is not None and self._seen:
            document = self._session.document
            self.panel.show_history(history_rows(document), len(document.history))

    # -- what is done

    def step_to(self, position: int) -> None:
        """Undo or redo until so many commands are in force, and go where the last of these steps was."""
        session = self._session
        if session is None:
            return
        document = session.document
        forward = position > len(document.history)
        try:
            steps = document.step_to(position)
        except ReadOnlyError as error:
            self._services.trouble(str(error))
            return
        if not steps:
            return
        last = document.next_undo if forward else document.next_redo
        if last is not None and session.epoch not in last.epochs:
            session.go_to(last.epochs[0])
        count = "1 edit" if steps == 1 else f"{steps} edits"
        self._services.tell(f"{count} {'done again' if forward else 'undone'}: {position} in force")
        self._refresh()

    def _show_epochs(self, epochs: tuple[int, ...]) -> None:
        if self._session is not None:
            self._session.go_to(epochs[0])
            if epochs == tuple(range(epochs[0], epochs[-1] + 1)):
                self._session.extend_to(epochs[-1])

    def _show_panel(self) -> None:
        self._services.panels.show("history")

    def _ask_and_export(self) -> None:
        if self._session is None:
            return
        recording = self._session.night.recording
        proposed = recording.path.with_name(f"{recording.path.stem}-history.csv")
        path = dialogs.ask_table_path(self._services.window, "Export the history", proposed)
        if path is not None:
            self.export(path)

    def export(self, path: Path) -> None:
        """Write the whole history as CSV; trouble is told."""
        if self._session is None:
            return
        try:
            write_history(self._session.document, path)
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return
        self._services.tell(f"History written to {path.absolute()}")
