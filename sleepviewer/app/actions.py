"""Menus and shortcuts, made from the key table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from sleepviewer.app.keys import KEY_TABLE, MENUS

# Separators stand before these commands.
_BREAKS = {"save", "quit", "stage_w", "stage_w_next", "advance", "accept", "whole_night", "load_weights"}
_BREAKS |= {"forward_ten", "next_disagreement", "about"}


class Actions:
    """One QAction per command of the key table, in its menu, with its shortcuts."""

    def __init__(self, window: QMainWindow, run: Callable[[str], None]) -> None:
        self.menus: dict[str, QMenu] = {name: window.menuBar().addMenu(name) for name in MENUS}
        self._actions: dict[str, QAction] = {}
        for row in KEY_TABLE:
            action = QAction(row.text, window)
            action.setObjectName(row.command)
            action.setShortcuts([QKeySequence(key) for key in row.keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setAutoRepeat(row.repeats)
            action.setCheckable(row.checkable)
            action.triggered.connect(lambda _=False, command=row.command: run(command))
            if row.command in _BREAKS:
                self.menus[row.menu].addSeparator()
            self.menus[row.menu].addAction(action)
            self._actions[row.command] = action

    def __getitem__(self, command: str) -> QAction:
        return self._actions[command]

    def enable(self, states: Mapping[str, bool]) -> None:
        """Enable and disable commands by name."""
        for command, enabled in states.items():
            self._actions[command].setEnabled(enabled)
