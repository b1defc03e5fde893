"""Make the program's icons from its drawing: PNGs for Linux, an .ico for Windows, an .icns for macOS.

    python packaging/make_icons.py resources/program/sleepviewer.svg build/icons

Needs Qt (which draws) and Pillow (which comes with matplotlib).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
_ICO_SIZES = [(size, size) for size in SIZES if size <= 256]


def main() -> None:
    """Write all of them into the folder."""
    drawing, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    application = QGuiApplication.instance() or QGuiApplication(["icons"])
    renderer = QSvgRenderer(str(drawing))
    if not renderer.isValid():
        sys.exit(f"{drawing} is no drawing")
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter, QRectF(0, 0, size, size))
        painter.end()
        if not image.save(str(folder / f"{drawing.stem}-{size}.png")):
            sys.exit(f"{folder} can't be written")
    largest = Image.open(folder / f"{drawing.stem}-512.png")
    largest.save(folder / f"{drawing.stem}.ico", sizes=_ICO_SIZES)
    largest.save(folder / f"{drawing.stem}.icns")
    application.quit()


if __name__ == "__main__":
    main()
