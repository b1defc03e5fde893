"""Pictures of the page and of the night, as PNG, SVG and PDF, with a line that says what they show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QPoint, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QPageLayout,
    QPageSize,
    QPaintDevice,
    QPaintEngine,
    QPainter,
    QPdfWriter,
)
from PySide6.QtWidgets import QWidget

import sleepviewer
from sleepviewer import __version__
from sleepviewer.app.feature import PageAccess
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.pens import lines_of
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.display.clock import clock_text
from sleepviewer.display.span import Span
from sleepviewer.display.timebase import text_of
from sleepviewer.errors import OutputError
from sleepviewer.files import atomic_writer
from sleepviewer.recording.base import Recording
from sleepviewer.stages import EPOCH_S

SCREEN_DPI: Final = 96
"""Dots an inch at which a picture's width and height are counted: a display at 100 %."""

ENDINGS: Final = (".png", ".svg", ".pdf")

_MOST_PIXELS: Final = 120_000_000
_NIGHT_SHARE: Final = 0.45
"""Most of a picture's height that the night takes beside the page."""
_GAP_PX: Final = 8
_FINER: Final = 2

Paint = Callable[[QPainter, QRectF], None]


class What(StrEnum):
    """What a picture shows."""

    BOTH = "both"
    PAGE = "page"
    NIGHT = "night"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class PictureSetup:
    """What a picture shows, and how large: width and height in pixels of a display at 100 % (96 an inch).

    ``dpi`` counts for PNG alone: the same picture with more pixels, as print asks for.
    """

    what: What = What.BOTH
    width: int = 1366
    height: int = 768
    dpi: int = 192

    @property
    def pixels(self) -> QSize:
        """Size of a PNG."""
        return QSize(round(self.width * self.dpi / SCREEN_DPI), round(self.height * self.dpi / SCREEN_DPI))

    @property
    def centimetres(self) -> tuple[float, float]:
        """Size on paper."""
        return self.width / SCREEN_DPI * 2.54, self.height / SCREEN_DPI * 2.54

    @property
    def too_large(self) -> bool:
        """Whether a PNG would have more pixels than can be dealt with."""
        return self.pixels.width() * self.pixels.height() > _MOST_PIXELS


# -- what is painted


def painter_of(what: What, page: PageAccess, caption: str, theme: Theme) -> Paint:
    """Return what paints the page, the night or both, a caption under them, into any rectangle."""

    def paint(painter: QPainter, rect: QRectF) -> None:
        painter.fillRect(rect, QColor(theme.panel))
        font = tabular(page.font())
        painter.setFont(font)
        line = painter.fontMetrics().height() + _GAP_PX
        room = rect.adjusted(0, _GAP_PX, 0, -line)
        if what is What.NIGHT:
            page.night.paint_night(painter, room)
        elif what is What.PAGE:
            page.traces.paint_page(painter, room)
        else:
            height = min(float(page.night.sizeHint().height()), room.height() * _NIGHT_SHARE)
            page.night.paint_night(painter, QRectF(room.left(), room.top(), room.width(), height))
            page.traces.paint_page(painter, room.adjusted(0, height + _GAP_PX, 0, 0))
        place = QRectF(rect.left(), rect.bottom() - line, rect.width(), line - _GAP_PX / 2).adjusted(12, 0, -12, 0)
        _paint_caption(painter, place, font, caption, theme)

    return paint


def _paint_caption(painter: QPainter, rect: QRectF, font: QFont, caption: str, theme: Theme) -> None:
    painter.setFont(font)
    painter.setPen(QColor(theme.dim_text))
    shown = painter.fontMetrics().elidedText(caption, Qt.TextElideMode.ElideRight, round(rect.width()))
    painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def window_painter(window: QWidget) -> Paint:
    """Return what paints a window as it is, as large as the rectangle allows.

    SVG and PDF get its pixels, twice as fine as those of the screen: buttons and tables clip what they paint in ways
    that these formats do not follow.
    """

    def paint(painter: QPainter, rect: QRectF) -> None:
        scale = min(rect.width() / window.width(), rect.height() / window.height())
        painter.save()
        painter.translate(rect.topLeft())
        painter.scale(scale, scale)
        if painter.paintEngine().type() is QPaintEngine.Type.Raster:
            window.render(painter, QPoint())
        else:
            image = QImage(window.size() * _FINER, QImage.Format.Format_RGB32)
            image.setDevicePixelRatio(_FINER)
            window.render(image)
            painter.drawImage(QRectF(window.rect()), image)
        painter.restore()

    return paint


def caption_of(session: NightSession, page: PageAccess, what: What) -> str:
    """Say what a picture shows: recording, date and time, epoch, length and scale of the page, filters."""
    recording = session.night.recording
    parts = [recording.name]
    if recording.simulated:
        parts.append("SIMULATED")
    time_s = session.epoch * EPOCH_S
    clock = recording.clock(time_s)
    if what is not What.NIGHT:
        date = "" if clock is None else f"{clock:%Y-%m-%d} "
        parts.append(
            f"epoch {session.epoch + 1} of {session.document.n_epochs} at {date}{clock_text(recording, time_s)}"
        )
        timebase = page.traces.timebase
        parts.append("the whole night" if timebase is None else f"page of {text_of(timebase)}")
        scales = tuple(dict.fromkeys(page.traces.scales))
        if scales:
            parts.append(" and ".join(scales) + " a half lane" if len(scales) <= 2 else "scales beside the names")
        parts.append("display filters on" if page.traces.page_style.filters_on else "no display filters")
        if page.traces.page_style.negative_up:
            parts.append("negative up")
    else:
        parts += _span_of(recording, page.night.span, session.document.n_epochs)
    parts.append(f"SleepViewer {__version__}")
    return "  ·  ".join(parts)


def _span_of(recording: Recording, span: Span, n_epochs: int) -> list[str]:
    """Say when the night began, and which part of it the rows show where that is not all of it."""
    start = recording.clock(0)
    told = [] if start is None else [f"{start:%Y-%m-%d %H:%M:%S}"]
    if span.length < n_epochs:
        first, last = (clock_text(recording, epoch * EPOCH_S) for epoch in (span.first, span.last))
        told.append(f"shown {first} to {last}")
    return told


@contextmanager
def in_theme(page: PageAccess, theme: Theme, shown: Theme) -> Iterator[None]:
    """Paint in another theme than the one that is shown."""
    if theme == shown:
        yield
        return
    page.night.set_theme(theme)
    page.traces.set_theme(theme)
    try:
        yield
    finally:
        page.night.set_theme(shown)
        page.traces.set_theme(shown)


# -- where to


def _paint_on(device: QPaintDevice, paint: Paint, setup: PictureSetup) -> None:
    painter = QPainter(device)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, setup.dpi > SCREEN_DPI)
        paint(painter, QRectF(0, 0, setup.width, setup.height))
    finally:
        painter.end()  # a device that goes while it is painted on takes the program with it


def image_of(paint: Paint, setup: PictureSetup) -> QImage:
    """Paint into an image of the setup's pixels, that knows its dots an inch."""
    image = QImage(setup.pixels, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(setup.dpi / SCREEN_DPI)
    with lines_of(setup.dpi / SCREEN_DPI):
        _paint_on(image, paint, setup)
    image.setDevicePixelRatio(1.0)
    per_metre = round(setup.dpi / 0.0254)
    image.setDotsPerMeterX(per_metre)
    image.setDotsPerMeterY(per_metre)
    return image


def svg_of(paint: Paint, setup: PictureSetup, title: str) -> bytes:
    """Paint as SVG: lines and text as such."""
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(SCREEN_DPI)
    generator.setSize(QSize(setup.width, setup.height))
    generator.setViewBox(QRect(0, 0, setup.width, setup.height))
    generator.setTitle(title)
    _paint_on(generator, paint, setup)
    return bytes(buffer.data().data())


def pdf_of(paint: Paint, setup: PictureSetup, title: str) -> bytes:
    """Paint as a PDF of one page of the picture's own size: lines and text as such."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(SCREEN_DPI)
    inches = QSizeF(setup.width / SCREEN_DPI, setup.height / SCREEN_DPI)
    size = QPageSize(inches, QPageSize.Unit.Inch, matchPolicy=QPageSize.SizeMatchPolicy.ExactMatch)
    writer.setPageLayout(QPageLayout(size, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    writer.setTitle(title)
    writer.setCreator(f"SleepViewer {__version__}")
    _paint_on(writer, paint, setup)
    return bytes(buffer.data().data())


def png_of(image: QImage) -> bytes:
    """An image as PNG."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs say bytes, Qt says no
    return bytes(content.data())


def save_picture(path: Path, paint: Paint, setup: PictureSetup, title: str) -> None:
    """Write a picture whole or not at all; the ending says the format.

    Raises OutputError for another ending, for a PNG of too many pixels, and where the file can't be written.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise OutputError(f"{path.name} is no name for a picture: it must end in {', '.join(ENDINGS)}.")
    if ending == ".png" and setup.too_large:
        size = setup.pixels
        raise OutputError(
            f"A PNG of {size.width()} × {size.height()} pixels is too large; take fewer dots an inch, or SVG or PDF."
        )
    if ending == ".png":
        image = image_of(paint, setup)
        image.setText("Software", "SleepViewer")  # short: Qt compresses longer texts, and the demo looks for this one
        image.setText("Version", sleepviewer.__version__)
        content = png_of(image)
    else:
        content = (svg_of if ending == ".svg" else pdf_of)(paint, setup, title)
    if not content:
        raise OutputError(f"The picture {path} could not be painted; try another format or a smaller size.")
    with atomic_writer(path) as file:
        file.write(content)
