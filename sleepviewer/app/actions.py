"""Menus and shortcuts, made from the key table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from sleepviewer.app.keys import KEY_TABLE, MENUS

# Separators stand before these commands.
_BREAKS = {"save", "quit", "stage_w", "stage_w_next", "advance", "accept", "whole_night", "load_weights"}
_BREAKS |= {"forward_ten", "next_disagreement", "about"}
_BREAKS |= {"shorter_page", "guides"}


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
        self._keypad = {
            Qt.Key[f"Key_{key.removeprefix('Num+')}"]: row.command
            for row in KEY_TABLE
            for key in row.keys
            if key.startswith("Num+")
        }

    def __getitem__(self, command: str) -> QAction:
        return self._actions[command]

    def keypad_command(self, event: QEvent) -> str | None:
        """Return the command of a keypad key, or None for any other event.

        Qt on X11 offers a keypad digit to the number row's shortcut first, so that ``Num+2`` would never be called
        beside ``2``; the window therefore looks here before the shortcuts do.
        """
        if not isinstance(event, QKeyEvent) or event.modifiers() != Qt.KeyboardModifier.KeypadModifier:
            return None
        return self._keypad.get(Qt.Key(event.key()))

    def enable(self, states: Mapping[str, bool]) -> None:
        """Enable and disable commands by name."""
        for command, enabled in states.items():
            self._actions[command].setEnabled(enabled)
