"""The panels beside the night: docks that move, float, close and come back as they were."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QWidget

Area = Qt.DockWidgetArea


class Panels:
    """Docks of a window by name, each with an entry in a menu that shows and hides it."""

    def __init__(self, window: QMainWindow, menu: QMenu) -> None:
        self._window = window
        self._menu = menu
        self._docks: dict[str, QDockWidget] = {}
        self._first_state: QByteArray | None = None
        self._kept: QByteArray | None = None
        window.setDockNestingEnabled(True)
        window.setDockOptions(
            QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AnimatedDocks
        )

    def add(self, name: str, title: str, widget: QWidget, area: Area, *, shown: bool, beside: str = "") -> QDockWidget:
        """Put a widget into a dock; ``beside`` names the dock with which it shares a place, as tabs.

        ``name`` must stay the same between versions: saved arrangements find the dock by it.
        """
        dock = QDockWidget(title, self._window)
        dock.setObjectName(f"dock-{name}")
        dock.setAccessibleName(title)
        dock.setWidget(widget)
        self._window.addDockWidget(area, dock)
        if beside:
            self._window.tabifyDockWidget(self._docks[beside], dock)
            self._docks[beside].raise_()
        dock.setVisible(shown)
        action = dock.toggleViewAction()
        action.setToolTip(f"Show or hide the panel “{title}”")
        self._menu.addAction(action)
        self._docks[name] = dock
        return dock

    def __getitem__(self, name: str) -> QDockWidget:
        return self._docks[name]

    def show(self, name: str) -> None:
        """Show a panel and bring it before the others of its place."""
        self._docks[name].show()
        self._docks[name].raise_()

    def hide_all(self) -> None:
        """Hide the panels while there is no night for them to speak of; :meth:`show_all` brings them back."""
        self._kept = self._window.saveState()
        for dock in self._docks.values():
            dock.hide()

    def show_all(self) -> None:
        """Bring back what :meth:`hide_all` hid."""
        if self._kept is not None:
            self._window.restoreState(self._kept)
            self._kept = None

    def settle(self) -> None:
        """Remember the arrangement as the one to go back to."""
        self._first_state = self._window.saveState()

    def reset(self) -> None:
        """Go back to the arrangement that the program came with."""
        if self._first_state is not None:
            self._window.restoreState(self._first_state)
