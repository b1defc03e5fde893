"""The page of traces: half an epoch before, the current epoch, half an epoch after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from sleepviewer.app.geometry import GUTTER_PX, RIGHT_PX
from sleepviewer.app.theme import Theme, tabular
from sleepviewer.app.traces.marks import Mark
from sleepviewer.app.traces.page_items import CONTEXT_S, Backdrop, Curve, Missing, Veil
from sleepviewer.display.clock import clock_text
from sleepviewer.display.filters import RAW, Band, default_band
from sleepviewer.display.gain import starting_half_height, step
from sleepviewer.display.montage import Montage, as_recorded
from sleepviewer.display.page import PageTrace, read_page
from sleepviewer.errors import SleepViewerError
from sleepviewer.recording.base import Channel, Recording
from sleepviewer.stages import EPOCH_S

_HALF_LANE = 0.45
"""Share of a lane's height that the named half height takes; larger waves run into the neighbours' lanes."""


@dataclass(slots=True)
class _Lane:
    """One channel on the page: how it is filtered and scaled, and the curve that shows it."""

    channel: Channel
    band: Band
    half_height: float
    curve: Curve


class TraceView(QWidget):
    """Traces of all channels around the current epoch, with channel names and scales at the left.

    It shows what it is told (:meth:`show_epoch`) and changes nothing.
    """

    trouble = Signal(str)
    """A sentence: the page can't be read any more."""
    montage_changed = Signal(object)
    """The Montage, after gains were changed in the view itself."""
    timebase_changed = Signal(object)
    """Seconds that a page shows, or None for the whole night."""
    lane_selected = Signal(object)
    """Index of the selected lane among those shown, or None."""
    interval_drawn = Signal(float, float, str)
    """Start and stop in seconds, and the label of the lane that it was drawn on."""
    mark_picked = Signal(str)
    """Key of a mark that was clicked."""
    mark_moved = Signal(str, float, float)
    """Key of a mark that was dragged, its new start and stop in seconds."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Traces of the current epoch")
        self._recording: Recording | None = None
        self._lanes: list[_Lane] = []
        self._filters_on = True
        self._start_s = 0.0
        self._montage = Montage("", ())
        self._timebase: float | None = 60.0
        self._selected_lane: int | None = None
        self._marks: tuple[Mark, ...] = ()
        self._drawing = False
        self._theme = theme
        self._labels = _LaneLabels(self)
        self._axis = _ClockAxis(self)
        self._plot = pg.PlotWidget(self, enableMenu=False)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setMouseEnabled(False, False)
        self._plot.hideButtons()
        for side in ("left", "bottom"):
            self._plot.hideAxis(side)
        item = self._plot.getPlotItem()
        item.disableAutoRange()
        item.layout.setContentsMargins(0, 0, 0, 0)
        item.getViewBox().setDefaultPadding(0)
        self._backdrop = Backdrop()
        self._veil = Veil()
        self._plot.addItem(self._backdrop)
        self._plot.addItem(self._veil)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, RIGHT_PX, 0)
        layout.setSpacing(0)
        layout.addWidget(self._labels, 0, 0)
        layout.addWidget(self._plot, 0, 1)
        layout.addWidget(self._axis, 1, 1)
        layout.setColumnStretch(1, 1)
        layout.setRowStretch(0, 1)
        self.set_theme(theme)

    # -- what is shown

    def set_recording(self, recording: Recording) -> None:
        """Show another night: one lane a channel, each at a scale that suits its role and its signal."""
        for lane in self._lanes:
            self._plot.removeItem(lane.curve)
        self._recording = recording
        self._montage = as_recorded(recording)
        self._lanes = []
        for channel in recording.channels:
            band = default_band(channel)
            curve = Curve(len(recording.channels))
            curve.setZValue(1)
            self._plot.addItem(curve)
            self._lanes.append(_Lane(channel, band, _half_height(recording, channel, band), curve))
        self._plot.setXRange(-CONTEXT_S, EPOCH_S + CONTEXT_S, padding=0)
        self._plot.setYRange(-max(len(self._lanes), 1), 0, padding=0)
        self.set_theme(self._theme)

    @property
    def montage(self) -> Montage:
        """What is shown, with the gains as they are now."""
        return self._montage

    def set_montage(self, montage: Montage) -> None:
        """Show other derivations, filters, gains, colours or heights; a night must be open."""
        self._montage = montage

    @property
    def timebase(self) -> float | None:
        """Seconds that a page shows; None: the whole night."""
        return self._timebase

    def set_timebase(self, seconds: float | None) -> None:
        """Show pages of another length around the current epoch; None: the whole night."""
        self._timebase = seconds
        self.timebase_changed.emit(seconds)

    @property
    def selected_lane(self) -> int | None:
        """Index of the selected lane in ``montage.shown``."""
        return self._selected_lane

    def select_lane(self, index: int | None) -> None:
        """Select a lane by its index in ``montage.shown``, or none."""
        self._selected_lane = index
        self.lane_selected.emit(index)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Show these intervals, and no others."""
        self._marks = tuple(marks)

    def set_drawing(self, on: bool) -> None:
        """Let a drag over the traces draw an interval (:attr:`interval_drawn`), or not."""
        self._drawing = on

    def paint_page(self, painter: QPainter, rect: QRectF) -> None:
        """Paint the page into a rectangle of any device: an image, SVG, PDF."""

    def show_epoch(self, epoch: int) -> None:
        """Turn to the page around an epoch."""
        self._start_s = epoch * EPOCH_S
        self._draw()

    def change_gain(self, direction: int) -> None:
        """Make all traces larger (1) or smaller (-1) by one step."""
        for lane in self._lanes:
            lane.half_height = step(lane.half_height, -direction)
        self._draw()

    def set_filters_on(self, on: bool) -> None:
        """Show the traces filtered by role, or as recorded (around their median); the model has a signal of its own."""
        self._filters_on = on
        self._draw()

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self._plot.setBackground(theme.panel)
        self._backdrop.set_colors(QColor(theme.epoch), QColor(theme.grid), QColor(theme.grid_strong))
        self._veil.set_colors(QColor(theme.panel), QColor(theme.text))
        pen = pg.mkPen(theme.trace, width=1)
        for lane in self._lanes:
            lane.curve.setPen(pen)
        self._axis.set_colors(QColor(theme.dim_text), QColor(theme.text))
        self._draw()

    # -- drawing

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw()

    def _draw(self) -> None:
        recording = self._recording
        if recording is None or not self.isVisible():
            return
        start, stop = self._start_s - CONTEXT_S, self._start_s + EPOCH_S + CONTEXT_S
        columns = max(int(self._plot.width() * self.devicePixelRatioF()), 200)
        try:
            for row, lane in enumerate(self._lanes):
                trace = read_page(recording, lane.channel, start, stop, self._band(lane), columns)
                _set_points(lane.curve, trace, row, lane.half_height)
        except SleepViewerError as error:
            # Better no traces than those of another page.
            for lane in self._lanes:
                lane.curve.clear()
            self.trouble.emit(str(error))
        missing = _missing(recording, self._start_s, start, stop)
        self._backdrop.set_page(missing, len(self._lanes))
        self._veil.set_page(missing, len(self._lanes))
        self._labels.show_lanes([_lane_text(lane, self._band(lane)) for lane in self._lanes], self._theme)
        self._axis.show_times(
            [(5.0 * i - CONTEXT_S, clock_text(recording, start + 5.0 * i)) for i in range(13)], (-CONTEXT_S, 45.0)
        )

    def _band(self, lane: _Lane) -> Band:
        return lane.band if self._filters_on else RAW


def _missing(recording: Recording, epoch_s: float, start: float, stop: float) -> Missing:
    """Stretches of the page without samples, in seconds from the epoch's start, with the words to write there."""
    ends = [(start, min(stop, 0.0), "before the recording"), (recording.duration_s, stop, "after the recording")]
    gaps = [(gap.start_s, gap.stop_s, f"gap of {gap.duration_s:.4g} s: nothing recorded") for gap in recording.gaps]
    return [
        (max(first, start) - epoch_s, min(last, stop) - epoch_s, text)
        for first, last, text in ends + gaps
        if max(first, start) < min(last, stop)
    ]


def _set_points(curve: Curve, trace: PageTrace, row: int, half_height: float) -> None:
    """Draw a trace into its lane: lane ``row`` spans y from -row to -(row + 1)."""
    y = trace.y * np.float32(_HALF_LANE / half_height) - np.float32(row + 0.5)
    x = trace.x - np.float32(CONTEXT_S)
    missing = np.isnan(y)
    if not missing.any():
        curve.setData(x, y, connect="all")
        return
    # One NaN a gap is enough to interrupt the line; a path that is split at every sample of a gap takes long.
    kept = ~missing
    kept[1:] |= kept[:-1]
    curve.setData(x[kept], y[kept], connect="finite")


def _half_height(recording: Recording, channel: Channel, band: Band) -> float:
    """Return the scale to start with; where the file can't be read, any will do: drawing the page tells the trouble."""
    try:
        return starting_half_height(recording, channel, band)
    except SleepViewerError:
        return 100.0


def _lane_text(lane: _Lane, band: Band) -> tuple[str, str]:
    unit = f" {lane.channel.unit}" if lane.channel.unit else ""
    return lane.channel.label, f"±{lane.half_height:g}{unit} · {band.text}"


class _LaneLabels(QWidget):
    """Channel names and scales, each at the height of its lane."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedWidth(GUTTER_PX)
        self._texts: list[tuple[str, str]] = []
        self._theme: Theme | None = None

    def show_lanes(self, texts: list[tuple[str, str]], theme: Theme) -> None:
        if texts != self._texts or theme is not self._theme:
            self._texts, self._theme = texts, theme
            self.setAccessibleDescription("; ".join(f"{name} {scale}" for name, scale in texts))
            self.setToolTip("\n".join(f"{name}  {scale}" for name, scale in texts))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None or not self._texts:
            return
        painter = QPainter(self)
        lane_height = self.height() / len(self._texts)
        two_lines = lane_height > 34
        name_font, scale_font = QFont(self.font()), tabular(self.font())
        name_font.setWeight(QFont.Weight.DemiBold)
        if lane_height < self.fontMetrics().height():
            name_font.setPixelSize(max(int(lane_height * 0.8), 5))
        scale_font.setPointSizeF(self.font().pointSizeF() * 0.82)
        for row, (name, scale) in enumerate(self._texts):
            middle = (row + 0.5) * lane_height
            self._draw_bar(painter, middle, _HALF_LANE * lane_height)
            self._write(painter, name_font, self._theme.text, name, middle - 9 if two_lines else middle)
            if two_lines:
                self._write(painter, scale_font, self._theme.dim_text, scale, middle + 8)

    def _draw_bar(self, painter: QPainter, middle: float, half: float) -> None:
        """Draw the scale: from minus to plus the half height that is named beside it."""
        assert self._theme is not None
        painter.setPen(QColor(self._theme.dim_text))
        x = self.width() - 6
        painter.drawLine(QPointF(x, middle - half), QPointF(x, middle + half))
        for end in (-half, half):
            painter.drawLine(QPointF(x - 3, middle + end), QPointF(x + 3, middle + end))

    def _write(self, painter: QPainter, font: QFont, color: str, text: str, y: float) -> None:
        painter.setFont(font)
        painter.setPen(QColor(color))
        room = self.width() - 26
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(10, y - 10, room, 20), flags, elided)


class _ClockAxis(QWidget):
    """The clock time of every fifth second, under the traces."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(self.fontMetrics().height() + 6)
        self._ticks: list[tuple[float, str]] = []
        self._span = (0.0, 1.0)
        self._colors = (QColor(), QColor())

    def set_colors(self, dim: QColor, strong: QColor) -> None:
        self._colors = (dim, strong)
        self.update()

    def show_times(self, ticks: list[tuple[float, str]], span: tuple[float, float]) -> None:
        self._ticks, self._span = ticks, span
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(tabular(self.font()))
        first, last = self._span
        width = painter.fontMetrics().horizontalAdvance("+00:00:00") + 10
        every = 1 if self.width() / max(len(self._ticks) - 1, 1) > width else 2
        for i, (second, text) in enumerate(self._ticks):
            # Every second tick includes the epoch's two borders: ticks 3 and 9 of 0 to 12.
            if every == 2 and i % 2 == 0:
                continue
            x = (second - first) / (last - first) * self.width()
            if width / 2 <= x <= self.width() - width / 2:
                painter.setPen(self._colors[1] if second in (0.0, EPOCH_S) else self._colors[0])
                painter.drawText(QRectF(x - width / 2, 0, width, self.height()), Qt.AlignmentFlag.AlignCenter, text)
