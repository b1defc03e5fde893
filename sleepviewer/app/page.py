"""The page of an open night: its rows and its traces, and the review panel that the window puts beside them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sleepviewer.app.night.view import NightView
from sleepviewer.app.review.panel import ReviewPanel
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.notice_bar import NoticeBar
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces.view import TraceView
from sleepviewer.display.mark_layers import MarkBook
from sleepviewer.review.document import Change


class NightPage(QWidget):
    """Lays the views out and passes the session's signals to them, and their wishes on."""

    go_to_requested = Signal(int)
    review_epoch_requested = Signal(int)
    base_chosen = Signal(str)
    trouble = Signal(str)
    cell_picked = Signal(object, int, int)
    """Pairing, row and column of the confusion matrix."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # A click on the night or its traces takes the keyboard out of a field of a panel: stage keys go to the night.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._session: NightSession | None = None
        self.notice = NoticeBar(theme, self)
        self.night = NightView(theme, self)
        self.traces = TraceView(theme, self)
        self.marks = MarkBook(self.traces.set_marks)
        self.panel = ReviewPanel(theme, self)
        self.panel.setMinimumWidth(300)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.notice)
        layout.addWidget(self.night)
        layout.addWidget(self.traces, 1)
        self.night.go_to_requested.connect(self.go_to_requested)
        self.panel.review_epoch_requested.connect(self.review_epoch_requested)
        self.panel.base_chosen.connect(self.base_chosen)
        self.panel.agreement_tab.cell_picked.connect(self.cell_picked)
        self.traces.trouble.connect(self.trouble)
        self.set_theme(theme)

    def set_session(self, session: NightSession) -> None:
        """Show another night."""
        if self._session is not None:
            self._session.epoch_changed.disconnect(self._show_epoch)
            self._session.document_changed.disconnect(self._on_change)
        self._session = session
        self.traces.set_recording(session.night.recording)
        self.night.set_night(session.night.recording, session.document)
        self.panel.set_session(session)
        session.epoch_changed.connect(self._show_epoch)
        session.document_changed.connect(self._on_change)
        self._show_epoch(session.epoch)

    @property
    def theme(self) -> Theme:
        """The colours that are shown."""
        return self._theme

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        # The same ground under rows and traces, so that they read as one column.
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(f"NightPage {{ background: {theme.panel}; }}")
        for view in (self.notice, self.night, self.traces, self.panel):
            view.set_theme(theme)
        if self._session is not None:
            self.panel.show_epoch()

    def show_matrix(self) -> None:
        """Show the confusion matrix in the review panel."""
        self.panel.show_matrix()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.night.set_available_height(event.size().height())
        super().resizeEvent(event)

    def _show_epoch(self, epoch: int) -> None:
        if self._session is not None:
            self.traces.show_epoch(epoch)
            self.night.show_selected(epoch, self._session.selected)
            self.panel.show_epoch()

    def _on_change(self, change: Change) -> None:
        self.night.on_change(change)
        self.panel.on_change(change)
