"""The bar under the menus: a few commands at its left, what is scored and by what at its right; recent nights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QWidget

from sleepviewer.app.shell.actions import Actions
from sleepviewer.app.shell.icons import SIZE_PX
from sleepviewer.app.shell.settings import Settings

_TOOLS: Final = (("open", "Open…"), ("save", "Save"), ("undo", "Undo"), ("redo", "Redo"), ("palette", "Commands"))
"""Commands in the tool bar, and what they are called there."""


def make_tool_bar(actions: Actions, right: QWidget, window: QWidget) -> QToolBar:
    """Return the tool bar, with a widget at its right end."""
    tools = QToolBar("Tools", window)
    tools.setObjectName("tools")
    tools.setMovable(False)
    tools.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    tools.setIconSize(QSize(SIZE_PX, SIZE_PX))
    for command, short in _TOOLS:
        actions[command].setIconText(short)
        tools.addAction(actions[command])
        tools.widgetForAction(actions[command]).setFocusPolicy(Qt.FocusPolicy.TabFocus)
    spacer = QWidget(tools)
    spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    tools.addWidget(spacer)
    tools.addWidget(right)
    return tools


class RecentMenu(QMenu):
    """The recordings that were opened last, as they are when it opens."""

    def __init__(self, settings: Settings, open_path: Callable[[Path], object], window: QWidget) -> None:
        super().__init__("Recent recordings", window)
        self._settings = settings
        self._open_path = open_path
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        for path in self._settings.recent:
            self.addAction(path.name, partial(self._open_path, path)).setToolTip(str(path))
        if self.isEmpty():
            self.addAction("None yet").setEnabled(False)
