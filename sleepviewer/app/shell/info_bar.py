"""Sentences above the night: errors, and what the user should know about the files."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from sleepviewer.app.shell.theme import Theme
from sleepviewer.logs import log


class InfoBar(QFrame):
    """A strip that holds the last error, or a few notes, until the user closes it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("infoBar")
        self._theme = theme
        self._is_error = False
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._offer = QPushButton(self)
        self._offer.clicked.connect(self._accept)
        self._offer.hide()
        self._offered: Callable[[], object] | None = None
        close = QToolButton(self)
        close.setText("✕")
        close.setAutoRaise(True)
        close.setAccessibleName("Close this message")
        close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 6, 4)
        layout.addWidget(self._label)
        layout.addWidget(self._offer, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addWidget(close, alignment=Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        """What stands there, or nothing where the bar is closed."""
        return "" if self.isHidden() else self._label.text()

    def show_error(self, sentence: str) -> None:
        """Show what went wrong; the log has it as well."""
        log.warning("told: %s", sentence)
        self._show(f"⚠  {sentence}", is_error=True)

    def hide_error(self) -> None:
        """Close the bar where it holds an error that something which went well has made old."""
        if self._is_error:
            self.hide()

    def show_notes(self, notes: tuple[str, ...]) -> None:
        """Show what the user should know; nothing at all closes the bar."""
        if notes:
            self._show("\n".join(f"•  {note}" for note in notes), is_error=False)
        else:
            self.hide()

    def offer(self, text: str, call: Callable[[], object]) -> None:
        """Put a button beside what is shown now; it goes with it."""
        self._offered = call
        self._offer.setText(text)
        self._offer.show()

    def _accept(self) -> None:
        if self._offered is not None:
            self._offered()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self._paint()

    def _show(self, text: str, *, is_error: bool) -> None:
        self._is_error = is_error
        self._offered = None
        self._offer.hide()
        self._label.setText(text)
        self._paint()
        self.show()

    def _paint(self) -> None:
        theme = self._theme
        ground, ink = (theme.error, theme.error_text) if self._is_error else (theme.warning, theme.warning_text)
        self.setStyleSheet(
            f"#infoBar {{ background: {ground}; }} #infoBar QLabel, #infoBar QToolButton {{ color: {ink}; }}"
        )
