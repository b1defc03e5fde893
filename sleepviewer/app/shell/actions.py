"""Menus and shortcuts, made from the key table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from sleepviewer.app.keys.command_table import KEY_TABLE, MENU_LETTERS, MENUS, ROWS
from sleepviewer.app.keys.help_text import shown_keys
from sleepviewer.app.keys.keymap import Keymap
from sleepviewer.app.shell.icons import themed
from sleepviewer.app.shell.theme import Theme


class Actions:
    """One QAction per command of the key table, in its menu, with its icon, its tool tip and its shortcuts."""

    def __init__(self, window: QMainWindow, run: Callable[[str], None]) -> None:
        self.menus: dict[str, QMenu] = {}
        for name in MENUS:
            place = name.upper().index(MENU_LETTERS[name])
            self.menus[name] = window.menuBar().addMenu(f"{name[:place]}&{name[place:]}")
            self.menus[name].setToolTipsVisible(True)
        self._submenus: dict[tuple[str, str], QMenu] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._actions: dict[str, QAction] = {}
        for row in KEY_TABLE:
            action = QAction(row.text, window)
            action.setObjectName(row.command)
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setAutoRepeat(row.repeats)
            action.setCheckable(row.checkable)
            if row.group:
                self._groups.setdefault(row.group, QActionGroup(window)).addAction(action)
            action.triggered.connect(lambda _=False, command=row.command: run(command))
            if row.break_before:
                self.menus[row.menu].addSeparator()
            self._menu(row.menu, row.submenu).addAction(action)
            self._actions[row.command] = action
        self.set_keymap(Keymap())

    def __getitem__(self, command: str) -> QAction:
        return self._actions[command]

    @property
    def keymap(self) -> Keymap:
        """The keys as they are set."""
        return self._keymap

    def set_keymap(self, keymap: Keymap) -> None:
        """Set all shortcuts, and the tool tips that name them."""
        self._keymap = keymap
        self._keypad: dict[Qt.Key, str] = {}
        for command, keys in keymap.all().items():
            action = self._actions[command]
            action.setShortcuts([QKeySequence(key) for key in keys])
            explanation = ROWS[command].explanation
            action.setToolTip(f"{explanation} ({shown_keys(keys)})" if keys else explanation)
            action.setStatusTip(action.toolTip())
            for key in keys:
                if key.startswith("Num+") and (name := f"Key_{key.removeprefix('Num+')}") in Qt.Key.__members__:
                    self._keypad[Qt.Key[name]] = command

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in the theme's ink."""
        for row in KEY_TABLE:
            if row.icon:
                self._actions[row.command].setIcon(themed(row.icon, theme))

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

    def why_not(self, command: str, *, night_open: bool) -> str:
        """Say in a phrase why a command can't be called just now; nothing where it can."""
        row = ROWS[command]
        if self._actions[command].isEnabled():
            return ""
        if row.needs_night and not night_open:
            return "no night is open"
        return row.unless or "not possible just now"

    def _menu(self, menu: str, submenu: str) -> QMenu:
        if not submenu:
            return self.menus[menu]
        if (menu, submenu) not in self._submenus:
            self._submenus[menu, submenu] = self.menus[menu].addMenu(submenu)
            self._submenus[menu, submenu].setToolTipsVisible(True)
        return self._submenus[menu, submenu]
