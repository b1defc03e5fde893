"""Paints a page of traces with any QPainter: on the screen, into an image, into SVG or PDF."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from sleepviewer.app.shell.pens import hairline
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.app.traces.page import LaneLook, Page
from sleepviewer.app.traces.polyline import polygon, runs
from sleepviewer.display.page import PageTrace
from sleepviewer.stages import EPOCH_S

_FAINT = 150 / 255
"""Share of the ground's colour in what is drawn beside the epoch."""
_FURTHEST_GUIDE = 1.5
"""Guide lines further from the middle than so many half heights would lie in other lanes and are left out."""
_TWO_LINES_PX = 34
_AT_LEAST_PX = 2.0


def paint_plot(painter: QPainter, layout: PageLayout, page: Page, font: QFont) -> None:
    """Paint the plot of a page, from its ground to the words over it."""
    paint_ground(painter, layout, page)
    paint_traces(painter, layout, page)
    painter.setFont(font)
    paint_words(painter, layout, page)
    paint_mark(painter, layout, page, font)


def ground_key(layout: PageLayout, page: Page) -> tuple[object, ...]:
    """Return what the ground depends on: pages with the same key have the same ground."""
    start = layout.start_s
    return (
        layout.plot.getRect(),
        layout.edges,
        layout.strip,
        round(layout.stop_s - start, 6),
        round(page.epoch_s - start, 6),
        page.context_is_faint,
        page.epoch_is_narrow,
        # The grid of a short page is even.
        len(page.grid),
        tuple((round(time - start, 6), strong) for time, strong in page.grid[: 7 if page.context_is_faint else None]),
        tuple((stretch.start_s - start, stretch.stop_s - start) for stretch in page.missing),
        tuple((look.guide, look.half_height) for look in page.lanes if look.guide is not None),
        page.theme.name,
        page.theme.panel,
    )


def paint_ground(painter: QPainter, layout: PageLayout, page: Page) -> None:
    """Paint what is behind the traces: the epoch, the grid, lane centres, guide lines, where nothing was recorded."""
    theme, plot = page.theme, layout.plot
    painter.fillRect(plot, QColor(theme.panel))
    epoch = _epoch_rect(layout, page).intersected(plot)
    if not page.epoch_is_narrow:
        painter.fillRect(epoch, QColor(theme.epoch))
    grid, strong = QColor(theme.grid), QColor(theme.grid_strong)
    _draw_verticals(painter, layout, (time for time, is_strong in page.grid if not is_strong), grid)
    _draw_verticals(painter, layout, (time for time, is_strong in page.grid if is_strong), strong)
    painter.setPen(hairline(grid))
    middles = [layout.middle(lane) for lane in range(layout.n_lanes)]
    painter.drawLines([QLineF(plot.left(), y, plot.right(), y) for y in middles])
    for stretch in page.missing:
        painter.fillRect(_times_rect(layout, stretch.start_s, stretch.stop_s).intersected(plot), strong)
    if page.context_is_faint:
        veil = QColor(theme.panel)
        veil.setAlphaF(_FAINT)
        for left, right in ((plot.left(), epoch.left()), (epoch.right(), plot.right())):
            if right > left:
                painter.fillRect(QRectF(left, plot.top(), right - left, plot.height()), veil)
    _paint_guides(painter, layout, page)
    _draw_verticals(painter, layout, page.borders, strong)
    borders = (page.epoch_s, page.epoch_s + EPOCH_S)
    _draw_verticals(painter, layout, borders if page.borders else (), QColor(theme.dim_text))


def _paint_guides(painter: QPainter, layout: PageLayout, page: Page) -> None:
    painter.setPen(hairline(QColor(page.theme.accent), Qt.PenStyle.DashLine))
    for lane, look in enumerate(page.lanes):
        if look.guide is not None and look.guide <= _FURTHEST_GUIDE * look.half_height:
            offset = layout.half(lane) * look.guide / look.half_height
            for y in (layout.middle(lane) - offset, layout.middle(lane) + offset):
                painter.drawLine(QLineF(layout.plot.left(), y, layout.plot.right(), y))


def paint_epoch(painter: QPainter, layout: PageLayout, page: Page) -> None:
    """Paint where the epoch is, over the traces of a page that is so long that these would hide it."""
    rect = _epoch_rect(layout, page)
    if rect.width() < 4:
        painter.fillRect(rect, QColor(page.theme.cursor))
    else:
        painter.setPen(hairline(QColor(page.theme.cursor)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect.adjusted(0, 0, 0, -1))


def paint_traces(painter: QPainter, layout: PageLayout, page: Page) -> None:
    """Paint all traces, those beside the epoch fainter where the page says so."""
    theme = page.theme
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for lane, (look, trace) in enumerate(zip(page.lanes, page.traces, strict=True)):
        if page.epoch_is_narrow:
            # Over hours a slow signal strays through all the others: it ends where the neighbours' middles are.
            room = layout.height(lane)
            painter.save()
            clip = layout.lane_rect(lane).adjusted(0, -room / 2, 0, room / 2)
            painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
        color = look.color or theme.trace
        x, y = points(layout, lane, look, trace)
        bounds: tuple[float, ...] = ()
        if page.context_is_faint:
            bounds = (page.epoch_s - layout.start_s, page.epoch_s + EPOCH_S - layout.start_s)
        for place, (first, stop) in enumerate(split(trace, bounds)):
            faint = bool(bounds) and place != 1
            painter.setPen(hairline(_blended(color, theme.panel) if faint else QColor(color)))
            _draw_line(painter, x[first:stop], y[first:stop])
        if page.epoch_is_narrow:
            painter.restore()


def split(trace: PageTrace, bounds: tuple[float, ...]) -> list[tuple[int, int]]:
    """Return a trace's parts between times of the page, ``first`` ≤ i < ``stop``; each ends in the next one's first."""
    ends = [0, *np.searchsorted(trace.x, bounds).tolist(), len(trace.x)] if bounds else [0, len(trace.x)]
    return [(first, stop + 1) for first, stop in pairwise(ends)]


def points(
    layout: PageLayout, lane: int, look: LaneLook, trace: PageTrace
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return where a lane's points are on the page, in pixels; NaN in gaps."""
    up = 1.0 if look.negative_up else -1.0
    x = trace.x * layout.px_per_s
    x += layout.plot.left()
    y = trace.y * (up * layout.half(lane) / look.half_height)
    y += layout.middle(lane)
    return x, y


def _draw_line(painter: QPainter, x: NDArray[np.floating], y: NDArray[np.floating]) -> None:
    for first, stop in runs(y):
        if stop - first == 1:
            painter.drawPoint(QPointF(float(x[first]), float(y[first])))
        else:
            painter.drawPolyline(polygon(x[first:stop], y[first:stop]))


def paint_words(painter: QPainter, layout: PageLayout, page: Page) -> None:
    """Say why nothing is to be seen where nothing was recorded."""
    painter.setPen(QColor(page.theme.text))
    for stretch in page.missing:
        rect = _times_rect(layout, stretch.start_s, stretch.stop_s).intersected(layout.plot)
        if rect.width() > 30:
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, stretch.text)


def paint_mark(painter: QPainter, layout: PageLayout, page: Page, font: QFont) -> None:
    """Say over the middle of the plot why the traces are not what the file holds here; nothing where they are."""
    if not page.mark:
        return
    big = QFont(font)
    big.setPointSizeF(font.pointSizeF() * 1.15)
    big.setWeight(QFont.Weight.DemiBold)
    painter.setFont(big)
    metrics = painter.fontMetrics()
    room = layout.plot.width() - 40
    size = metrics.boundingRect(0, 0, int(room), 1000, int(Qt.TextFlag.TextWordWrap), page.mark).size()
    box = QRectF(0, 0, min(size.width() + 36.0, room), size.height() + 20.0)
    box.moveCenter(layout.plot.center())
    painter.setPen(hairline(QColor(page.theme.warning_text)))
    painter.setBrush(QColor(page.theme.warning))
    painter.drawRoundedRect(box, 6, 6)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, page.mark)


def paint_gutter(painter: QPainter, layout: PageLayout, page: Page, font: QFont) -> None:
    """Paint the names of the lanes and their scales, each at the height of its lane."""
    painter.fillRect(layout.gutter, QColor(page.theme.panel))
    metrics = QFontMetricsF(font)
    for lane, look in enumerate(page.lanes):
        height = layout.height(lane)
        middle = layout.middle(lane)
        name_font, detail_font = QFont(font), tabular(font)
        name_font.setWeight(QFont.Weight.DemiBold)
        if height < metrics.height():
            name_font.setPixelSize(max(int(height * 0.8), 5))
        detail_font.setPointSizeF(font.pointSizeF() * 0.82)
        if lane == page.selected:
            _paint_selection(painter, layout, lane, page.theme)
        bar_color = QColor(look.color or page.theme.dim_text)
        _paint_scale_bar(painter, layout.gutter.right() - 6, middle, layout.half(lane), bar_color)
        two_lines = height > _TWO_LINES_PX
        _write(painter, layout, name_font, page.theme.text, look.label, middle - 9 if two_lines else middle)
        if two_lines:
            _write(painter, layout, detail_font, page.theme.dim_text, look.detail, middle + 8)


def _paint_selection(painter: QPainter, layout: PageLayout, lane: int, theme: Theme) -> None:
    top, bottom, left = layout.edges[lane], layout.bottom(lane), layout.gutter.left()
    painter.fillRect(QRectF(left, top, layout.gutter.width() - 14, bottom - top), QColor(theme.selection))
    painter.fillRect(QRectF(left, top, 4, bottom - top), QColor(theme.accent))


def _paint_scale_bar(painter: QPainter, x: float, middle: float, half: float, color: QColor) -> None:
    """Paint the scale: from minus to plus the half height that is named beside it."""
    painter.setPen(hairline(color))
    painter.drawLine(QPointF(x, middle - half), QPointF(x, middle + half))
    for end in (-half, half):
        painter.drawLine(QPointF(x - 3, middle + end), QPointF(x + 3, middle + end))


def _write(painter: QPainter, layout: PageLayout, font: QFont, color: str, text: str, y: float) -> None:
    painter.setFont(font)
    painter.setPen(QColor(color))
    room = layout.gutter.width() - 26
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room))
    flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(QRectF(layout.gutter.left() + 10, y - 10, room, 20), flags, elided)


def paint_axis(painter: QPainter, layout: PageLayout, page: Page, font: QFont) -> None:
    """Paint the clock times under the page; those of the epoch's borders are the strong ones."""
    painter.fillRect(layout.axis, QColor(page.theme.panel))
    painter.setFont(tabular(font))
    half = painter.fontMetrics().horizontalAdvance("+00:00:00") / 2 + 5
    borders = (page.epoch_s, page.epoch_s + EPOCH_S)
    for time, text in page.times:
        x = layout.x_of(time)
        if layout.axis.left() + half <= x <= layout.axis.right() - half:
            painter.setPen(QColor(page.theme.text if time in borders else page.theme.dim_text))
            rect = QRectF(x - half, layout.axis.top(), 2 * half, layout.axis.height())
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)


def _epoch_rect(layout: PageLayout, page: Page) -> QRectF:
    return _times_rect(layout, page.epoch_s, page.epoch_s + EPOCH_S)


def _times_rect(layout: PageLayout, start_s: float, stop_s: float) -> QRectF:
    left, right = layout.x_of(start_s), layout.x_of(stop_s)
    return QRectF(left, layout.plot.top(), max(right - left, _AT_LEAST_PX), layout.plot.height())


def _draw_verticals(painter: QPainter, layout: PageLayout, times: Iterable[float], color: QColor) -> None:
    painter.setPen(hairline(color))
    top, bottom = layout.plot.top(), layout.plot.bottom()
    painter.drawLines([QLineF(x, top, x, bottom) for x in map(layout.x_of, times)])


@lru_cache(maxsize=64)
def _blended(color: str, panel: str) -> QColor:
    """Return a colour as it is drawn beside the epoch."""
    ink, ground, left = QColor(color), QColor(panel), 1 - _FAINT
    return QColor.fromRgbF(
        ink.redF() * left + ground.redF() * _FAINT,
        ink.greenF() * left + ground.greenF() * _FAINT,
        ink.blueF() * left + ground.blueF() * _FAINT,
    )
