"""Pens for painting on screens and into pictures of any resolution."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

_line_px = 1.0
"""Width of a hairline in pixels of the device; more in pictures of more dots an inch than a screen has."""


@contextmanager
def lines_of(px: float) -> Iterator[None]:
    """Paint hairlines wider for a while."""
    global _line_px
    before, _line_px = _line_px, px
    try:
        yield
    finally:
        _line_px = before


def hairline(color: QColor, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Return a pen one pixel wide on a screen, and a thin line on paper."""
    pen = QPen(color, _line_px, style)
    pen.setCosmetic(True)
    return pen
