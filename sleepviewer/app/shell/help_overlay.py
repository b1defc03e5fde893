"""The help overlay: all keys at a glance, as they are set, over the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from sleepviewer.app.keys.help_text import keys_html
from sleepviewer.app.keys.keymap import PROFILES, Keymap

_COLUMN_PX = 400


class HelpOverlay(QDialog):
    """All commands that have a key, in as many columns as there is room for; a search field above."""

    def __init__(self, keymap: Keymap, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self._keymap = keymap
        self._search = QLineEdit(self)
        self._search.setPlaceholderText("Search: “next”, “stage”, “picture” …")
        self._search.setAccessibleName("Search the keys")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._show)
        self._browser = QTextBrowser(self)
        self._browser.setAccessibleName("All keys")
        profile = PROFILES[keymap.profile].title
        changed = len(keymap.changes)
        own = "" if not changed else f", {changed} command{'s' if changed > 1 else ''} with keys of your own"
        foot = QLabel(f"Profile: {profile}{own}. Ctrl+K finds every command, also those without a key.", self)
        foot.setWordWrap(True)
        close = QPushButton("Close", self)
        close.clicked.connect(self.reject)
        bottom = QHBoxLayout()
        bottom.addWidget(foot, 1)
        bottom.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(self._search)
        layout.addWidget(self._browser, 1)
        layout.addLayout(bottom)
        self.resize(min(max(round(parent.width() * 0.92), 560), 1700), max(round(parent.height() * 0.9), 420))
        self._search.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return self._browser.toPlainText()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show()

    def _show(self) -> None:
        columns = max(self._browser.width() // _COLUMN_PX, 1)
        accent = self.palette().color(QPalette.ColorRole.Link).name()
        found = self._search.text()
        html = keys_html(self._keymap, found=found, columns=columns, key_style=f"color: {accent};")
        self._browser.setHtml(html)
