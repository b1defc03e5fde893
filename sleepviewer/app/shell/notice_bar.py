"""A strip above the night for what lasts: the night is read-only, or its edits are not safe. It goes when that ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from sleepviewer.app.shell.theme import Theme

Offers = Sequence[tuple[str, Callable[[], object]]]
"""What can be done about it: the words on a button, and what it calls."""


class NoticeBar(QFrame):
    """One sentence and a few buttons; it can't be closed, since what it says stays true."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("noticeBar")
        self._theme = theme
        self._is_error = False
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(12, 4, 6, 4)
        self._layout.addWidget(self._label, 1)
        self.buttons: list[QPushButton] = []
        self.hide()

    @property
    def text(self) -> str:
        """What stands there; empty where nothing does."""
        return "" if self.isHidden() else self._label.text()

    def show_notice(self, sentence: str, offers: Offers = (), *, is_error: bool = False) -> None:
        """Show a sentence and what can be done; an empty one takes the strip away."""
        if (sentence, is_error) == (self.text, self._is_error):
            return  # painted anew, its buttons would lose the keyboard
        for button in self.buttons:
            self._layout.removeWidget(button)
            button.deleteLater()
        self.buttons = []
        self._is_error = is_error
        self._label.setText(sentence)
        for words, call in offers:
            button = QPushButton(words, self)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, does=call: does())
            self._layout.addWidget(button, alignment=Qt.AlignmentFlag.AlignVCenter)
            self.buttons.append(button)
        self._paint()
        self.setVisible(bool(sentence))

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self._paint()

    def _paint(self) -> None:
        theme = self._theme
        ground, ink = (theme.error, theme.error_text) if self._is_error else (theme.warning, theme.warning_text)
        self.setStyleSheet(f"#noticeBar {{ background: {ground}; }} #noticeBar > QLabel {{ color: {ink}; }}")
