"""The button that starts looking for events, with a menu that says for what and where."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from sleepviewer.scoring.detection import Detector


class SuggestButton(QToolButton):
    """Starts looking for events; its menu says for what and where."""

    options_changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText("Suggest")
        self.setToolTip("Look for spindles and slow waves in the background (Ctrl+D); the arrow says where")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(self)
        self._detectors = {detector: self._add(menu, detector.many.capitalize()) for detector in Detector}
        menu.addSeparator()
        self._restricted = self._add(menu, "Only in epochs labelled N2 or N3")
        menu.addSeparator()
        self._channels: dict[str, QAction] = {}
        self.setMenu(menu)

    def _add(self, menu: QMenu, text: str) -> QAction:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(True)
        action.toggled.connect(lambda _: self.options_changed.emit())
        return action

    def show_channels(self, labels: Sequence[str], checked: Sequence[str]) -> None:
        """Offer channels to look in."""
        menu = self.menu()
        for action in self._channels.values():
            menu.removeAction(action)
            action.deleteLater()
        self._channels = {}
        self.blockSignals(True)
        for label in labels:
            self._channels[label] = self._add(menu, label.replace("&", "&&"))
            self._channels[label].setChecked(label in checked)
        self.blockSignals(False)

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are chosen."""
        return tuple(label for label, action in self._channels.items() if action.isChecked())

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """What is to be looked for."""
        return tuple(detector for detector, action in self._detectors.items() if action.isChecked())

    @property
    def restricted(self) -> bool:
        """Whether to look in N2 and N3 alone."""
        return self._restricted.isChecked()

    def choose(self, detectors: Sequence[str], *, restricted: bool) -> None:
        """Take over what was chosen at an earlier start."""
        self.blockSignals(True)
        for detector, action in self._detectors.items():
            action.setChecked(str(detector) in detectors)
        self._restricted.setChecked(restricted)
        self.blockSignals(False)
