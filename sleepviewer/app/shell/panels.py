"""The panels beside the night: docks that move, float, close and come back as they were."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDockWidget, QMainWindow, QMenu, QTabBar, QWidget

Area = Qt.DockWidgetArea

_VERSION: Final = 1
"""Of the arrangements that are kept. Increase it where those of before should not come back: a new panel is else hidden
for everybody who had the program before."""


class _Dock(QDockWidget):
    """A panel whose fields give the keyboard back to the night with Esc: a number field else keeps the stage keys."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        window = self.parentWidget()
        if event.key() == Qt.Key.Key_Escape and window is not None:
            window.activateWindow()  # it has the keyboard already unless the panel floats
            window.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)


class Panels:
    """Docks of a window by name, each with an entry in a menu that shows and hides it."""

    def __init__(self, window: QMainWindow, menu: QMenu) -> None:
        self._window = window
        self._menu = menu
        self._docks: dict[str, QDockWidget] = {}
        self._first_state: QByteArray | None = None
        self._kept: QByteArray | None = None
        menu.setToolTipsVisible(True)
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
        dock = _Dock(title, self._window)
        dock.setObjectName(f"dock-{name}")
        dock.setAccessibleName(title)
        dock.setWidget(widget)
        self._window.addDockWidget(area, dock)
        if beside:
            self._window.tabifyDockWidget(self._docks[beside], dock)
            self._docks[beside].raise_()
        dock.setVisible(shown)
        for view in widget.findChildren(QAbstractItemView):
            view.setTabKeyNavigation(False)  # else Tab goes from cell to cell and never leaves
        dock.dockLocationChanged.connect(self._name_tabs)
        action = dock.toggleViewAction()
        action.setToolTip(f"Show or hide the panel “{title}”")
        self._menu.addAction(action)
        self._docks[name] = dock
        return dock

    def _name_tabs(self) -> None:
        """Name the bars of tabs that Qt makes where panels share a place, and let Tab reach them."""
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setAccessibleName("Panels in this place")
            bar.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all panels."""
        return tuple(self._docks)

    def __getitem__(self, name: str) -> QDockWidget:
        return self._docks[name]

    def show(self, name: str) -> None:
        """Show a panel and bring it before the others of its place."""
        self._docks[name].show()
        self._docks[name].raise_()
        self._name_tabs()

    def in_hand(self) -> QDockWidget | None:
        """The panel that has the keyboard, else one that floats, else the first that is seen."""
        shown = [dock for dock in self._docks.values() if dock.isVisible()]
        focused = [QApplication.focusWidget(), self._window.focusWidget()]
        with_keyboard = [d for widget in focused if widget is not None for d in shown if d.isAncestorOf(widget)]
        floating = [dock for dock in shown if dock.isFloating()]
        # Behind another tab a panel counts as visible, but lies somewhere outside the window.
        seen = [dock for dock in shown if not dock.visibleRegion().isEmpty()]
        return next(iter((*with_keyboard, *floating, *seen, *shown)), None)

    def float_or_dock(self, dock: QDockWidget) -> None:
        """Take a panel out of the window, to where it can be seen, or put it back; the night has the keyboard then."""
        dock.setFloating(not dock.isFloating())
        if dock.isFloating() and not self._window.screen().availableGeometry().contains(dock.geometry().center()):
            place = QRect(QPoint(), dock.size())
            place.moveCenter(self._window.geometry().center())
            dock.move(place.topLeft())
        dock.raise_()
        self._window.activateWindow()
        self._window.setFocus()  # else it goes to the first button, which the space bar would press

    def hide_all(self) -> None:
        """Hide the panels while there is no night for them to speak of; :meth:`show_all` brings them back."""
        self._kept = self.state
        for dock in self._docks.values():
            dock.hide()
            dock.toggleViewAction().setEnabled(False)

    def show_all(self) -> None:
        """Bring back what :meth:`hide_all` hid, or the arrangement that was given meanwhile."""
        for dock in self._docks.values():
            dock.toggleViewAction().setEnabled(True)
        if self._kept is not None:
            kept, self._kept = self._kept, None
            self.state = kept
        self._name_tabs()

    @property
    def state(self) -> QByteArray:
        """The arrangement, for a setting to keep."""
        return self._window.saveState(_VERSION) if self._kept is None else self._kept

    @state.setter
    def state(self, state: QByteArray) -> None:
        """Take an arrangement that was kept; of another version, or damaged, it changes nothing."""
        if self._kept is None:
            if not self._window.restoreState(state, _VERSION) and self._first_state is not None:
                self._window.restoreState(self._first_state, _VERSION)
        else:
            self._kept = state

    def settle(self) -> None:
        """Remember the arrangement as the one to go back to."""
        self._first_state = self.state

    def reset(self) -> None:
        """Go back to the arrangement that the program came with."""
        if self._first_state is not None:
            self.state = self._first_state
