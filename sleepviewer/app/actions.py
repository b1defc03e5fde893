"""Menus and shortcuts, made from the key table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QWidget

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
        self._keypad = KeypadKeys(window, run)

    def __getitem__(self, command: str) -> QAction:
        return self._actions[command]

    def enable(self, states: Mapping[str, bool]) -> None:
        """Enable and disable commands by name."""
        for command, enabled in states.items():
            self._actions[command].setEnabled(enabled)


class KeypadKeys(QObject):
    """Tells the keypad's digits from the number row's.

    Qt on X11 offers a keypad digit to the number row's shortcut first, so that ``Num+2`` would never be called beside
    ``2``. Keypad keys of the table are therefore kept from the shortcuts and carried out here.
    """

    def __init__(self, window: QMainWindow, run: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window = window
        self._run = run
        self._commands = {
            Qt.Key[f"Key_{key.removeprefix('Num+')}"]: row.command
            for row in KEY_TABLE
            for key in row.keys
            if key.startswith("Num+")
        }
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def eventFilter(self, target: QObject, event: QEvent) -> bool:
        if event.type() not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            return False
        if not isinstance(event, QKeyEvent) or event.modifiers() != Qt.KeyboardModifier.KeypadModifier:
            return False
        command = self._commands.get(Qt.Key(event.key()))
        if command is None or not isinstance(target, QWidget) or target.window() is not self._window:
            return False
        if event.type() is QEvent.Type.KeyPress and not event.isAutoRepeat():
            self._run(command)
        event.accept()
        return True
