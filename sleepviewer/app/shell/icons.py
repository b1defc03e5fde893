"""The program's own icons: one family of line drawings, in the ink of the theme."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap

from sleepviewer.app.shell.theme import Theme
from sleepviewer.packaged import resource

SIZE_PX: Final = 18
"""Width and height of an icon in menus and tool bars, in units of a display at 100 %."""


def icon(name: str, color: QColor | str, disabled: QColor | str | None = None) -> QIcon:
    """Return an icon of ``resources/icons`` in one ink, drawn sharp at any size and scale of the display.

    It is drawn when it is first shown: an icon in a menu that nobody opens costs nothing.
    """
    return QIcon(_Engine(name, QColor(color).name(), QColor(disabled or color).name()))


def program_icon() -> QIcon:
    """Return the program's own icon, for the window's frame and the task bar."""
    drawn = QIcon()
    for size in _PROGRAM_SIZES:
        drawn.addFile(str(resource("program", f"sleepviewer-{size}.png")), QSize(size, size))
    return drawn


def themed(name: str, theme: Theme) -> QIcon:
    """Return an icon in the theme's inks for what can be used and what can't."""
    return icon(name, theme.text, theme.border)


_PROGRAM_SIZES: Final = (48, 128)


@lru_cache(maxsize=128)
def _drawing(name: str) -> bytes:
    return resource("icons", f"{name}.svg").read_bytes()


class _Engine(QIconEngine):
    def __init__(self, name: str, ink: str, disabled: str) -> None:
        super().__init__()
        self._name, self._ink, self._disabled = name, ink, disabled

    def paint(self, painter: QPainter, rect, mode: QIcon.Mode, state: QIcon.State) -> None:  # type: ignore[no-untyped-def]
        from PySide6.QtSvg import QSvgRenderer  # here, so that a window without icons starts without it

        ink = self._disabled if mode is QIcon.Mode.Disabled else self._ink
        renderer = QSvgRenderer(QByteArray(_drawing(self._name).replace(b"currentColor", ink.encode())))
        renderer.setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)
        renderer.render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._ink, self._disabled)
