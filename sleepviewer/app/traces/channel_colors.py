"""Colours that a lane can be given: three times as light or dark as either theme's ground, and called by name."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QColorDialog, QMenu, QToolButton, QWidget

from sleepviewer.app.shell.theme import Theme

LANE_COLORS: Final = {
    "Blue": "#2f81d6",
    "Cyan": "#1f93b8",
    "Green": "#0a9070",
    "Olive": "#8a8420",
    "Orange": "#c87a10",
    "Vermilion": "#d9591c",
    "Purple": "#b05fa8",
    "Grey": "#7d8a97",
}
_NAMES: Final = {color: name for name, color in LANE_COLORS.items()}
_SIZE: Final = 12


def color_name(color: str | None) -> str:
    """Return a colour in words: ``the theme's``, ``blue``, ``#123456``."""
    return "the theme's" if color is None else _NAMES.get(color, color).lower()


def swatch(color: str, border: str) -> QIcon:
    """Return a little square of a colour."""
    pixmap = QPixmap(2 * _SIZE, 2 * _SIZE)
    pixmap.setDevicePixelRatio(2)
    pixmap.fill(QColor(color))
    painter = QPainter(pixmap)
    painter.setPen(QColor(border))
    painter.drawRect(0, 0, _SIZE - 1, _SIZE - 1)
    painter.end()
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else a selected row would tint it
    return icon


class ColorButton(QToolButton):
    """Shows a lane's colour, and offers others in a menu."""

    picked = Signal(object)
    """``#rrggbb``, or None for the theme's colour."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._color: str | None = None
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill)
        self.setMenu(menu)
        self.show_color(None)

    def show_color(self, color: str | None, *, several: bool = False) -> None:
        """Show a colour, or that there are several."""
        self._color = color
        text = "several" if several else color_name(color)
        self.setText(text[0].upper() + text[1:])
        self.setIcon(swatch(color or self._theme.trace, self._theme.border))
        self.setAccessibleName(f"Colour: {text}")

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.setIcon(swatch(self._color or theme.trace, theme.border))

    def _fill(self) -> None:
        menu = self.menu()
        menu.clear()
        for name, color in (("The theme's", None), *LANE_COLORS.items()):
            action = menu.addAction(swatch(color or self._theme.trace, self._theme.border), name)
            action.setCheckable(True)
            action.setChecked(color == self._color)
            action.triggered.connect(lambda _=False, c=color: self.picked.emit(c))
        menu.addSeparator()
        menu.addAction("Another…", self._ask)

    def _ask(self) -> None:
        color = QColorDialog.getColor(QColor(self._color or self._theme.trace), self, "Colour of the trace")
        if color.isValid():
            self.picked.emit(color.name())
