"""The page of traces with hands on it: gains, selected lanes, marks, drawing, the ruler."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces.canvas import PageCanvas
from sleepviewer.app.traces.evidence import paint_evidence, strip_of
from sleepviewer.app.traces.gestures import CLICK_PX, Drawing, Gesture, Moving, Ruling
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.app.traces.marks import Grip, Marks, paint_marks
from sleepviewer.app.traces.page import Page
from sleepviewer.app.traces.reader import Asked, Purpose
from sleepviewer.display.evidence import Evidence
from sleepviewer.display.gain import step
from sleepviewer.display.marks import Mark
from sleepviewer.display.montage import Montage, Trace
from sleepviewer.display.ruler import slow_waves
from sleepviewer.errors import SleepViewerError
from sleepviewer.recording.base import Recording
from sleepviewer.stages import EPOCH_S

_WHEEL_STEP: Final = 120
"""What Qt gives for one notch of a wheel."""
_EVERYWHERE: Final = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier
"""Either, held when a drag begins, draws over all lanes; window managers may keep Alt for themselves."""


class TraceView(PageCanvas):
    """Lanes of traces around the current epoch, with their names and scales at the left and the clock below.

    It shows what it is told (:meth:`show_epoch`, :meth:`set_montage`, :meth:`set_marks`) and changes no document;
    what drags and clicks ask for, signals tell.
    """

    montage_changed = Signal(object)
    """The Montage, after gains were changed in the view itself."""
    montage_shown = Signal()
    """Another montage is shown, whoever asked for it."""
    lane_selected = Signal(object)
    """Index of the selected lane among those shown, or None."""
    interval_drawn = Signal(float, float, str)
    """Start and stop in seconds, and the label of the lane that it was drawn on; empty: over all of them."""
    mark_picked = Signal(str)
    """Key of a mark that was clicked."""
    mark_moved = Signal(str, float, float)
    """Key of a mark that was dragged, its new start and stop in seconds."""
    go_to_requested = Signal(int)
    """An epoch that was double-clicked."""
    measured = Signal(str)
    """What the ruler says, as one line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setAccessibleName("Traces of the current epoch")
        self.setMouseTracking(True)
        self._marks = Marks()
        self._evidence: Evidence | None = None
        self._drawing = False
        self._ruler_on = False
        self._gesture: Gesture | None = None
        self._pressed_at = QPointF()
        self._wheel = 0

    # -- what is shown

    def set_recording(self, recording: Recording) -> None:
        self._marks = Marks()
        self._evidence, self._strip_lane = None, None
        self._drop_gesture()
        super().set_recording(recording)

    def set_montage(self, montage: Montage) -> None:
        self._drop_gesture()
        super().set_montage(montage)
        if self._selected is not None and self._selected >= len(montage.shown):
            self.select_lane(None)
        self.montage_shown.emit()

    def show_epoch(self, epoch: int) -> None:
        if epoch != self._epoch:
            self._drop_gesture()
        super().show_epoch(epoch)

    def set_timebase(self, seconds: float | None) -> None:
        self._drop_gesture()
        super().set_timebase(seconds)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Show these intervals, and no others."""
        self._marks = Marks(marks)
        self._update_plot()

    @property
    def evidence(self) -> Evidence | None:
        """What is shown of what spoke for an epoch's stage."""
        return self._evidence

    def set_evidence(self, evidence: Evidence | None) -> None:
        """Show under a lane what spoke for an epoch's stage, while that epoch is the current one; None: nothing."""
        self._evidence = evidence
        self.leave_room(None if evidence is None else evidence.lane)
        self._update_plot()

    @property
    def _shown_evidence(self) -> Evidence | None:
        return self._evidence if self._evidence is not None and self._evidence.epoch == self._epoch else None

    def set_drawing(self, on: bool) -> None:
        """Let a drag over the traces draw an interval (:attr:`interval_drawn`), or not."""
        self._drawing = on
        self._show_cursor(None)

    def set_ruler(self, on: bool) -> None:
        """Let a drag over the traces measure, or not."""
        self._ruler_on = on
        self._drop_gesture()
        self._show_cursor(None)

    def _paint_overlays(self, painter: QPainter, layout: PageLayout, page: Page) -> None:
        marks = self._marks.within(layout.start_s, layout.stop_s)
        if isinstance(self._gesture, Moving):
            moving = self._gesture.mark
            marks = [moving if mark.key == moving.key else mark for mark in marks]
        if (evidence := self._shown_evidence) is not None:
            paint_evidence(painter, layout, evidence, self._theme)
        paint_marks(painter, layout, marks, page.labels, self._theme)
        if self._gesture is not None:
            self._gesture.paint(painter, layout, page)

    # -- lanes and gains

    @property
    def selected_lane(self) -> int | None:
        """Index of the selected lane in ``montage.shown``."""
        return self._selected

    def select_lane(self, index: int | None) -> None:
        """Select a lane by its index in ``montage.shown``, or none."""
        if index != self._selected:
            self._selected = index
            if self._page is not None:
                self._page = replace(self._page, selected=index)
            self._update_gutter()
            self.lane_selected.emit(index)

    def step_lane(self, direction: int) -> None:
        """Select the lane below (1) or above (-1) the selected one."""
        n = len(self._montage.shown)
        if n:
            start = self._selected if self._selected is not None else -1 if direction > 0 else n
            self.select_lane(min(max(start + direction, 0), n - 1))

    def change_gain(self, direction: int, lane: int | None = None) -> None:
        """Make all traces, or those of one lane, larger (1) or smaller (-1) by one step."""
        if self._composer is not None:
            chosen = self._montage.shown if lane is None else self._montage.shown[lane : lane + 1]
            # What is still being read for the first time has no scale that could be changed.
            scales = [(trace, self._composer.known_half_height(trace)) for trace in chosen]
            self._change(
                {id(trace): replace(trace, half_height=step(half, -direction)) for trace, half in scales if half}
            )

    def reset_gains(self, labels: Collection[str] | None = None) -> None:
        """Give every lane, or those that show any of these channels, the scale that suits its role and signal."""
        chosen = (
            trace
            for trace in self._montage.traces
            if labels is None or not {trace.derivation.plus, *trace.derivation.minus}.isdisjoint(labels)
        )
        self._change({id(trace): replace(trace, half_height=None) for trace in chosen})

    def _change(self, changed: dict[int, Trace]) -> None:
        self._montage = replace(
            self._montage, traces=tuple(changed.get(id(trace), trace) for trace in self._montage.traces)
        )
        self._refresh()
        self.montage_changed.emit(self._montage)

    # -- hands

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layout, page, at = self._layout, self._page, event.position()
        if event.button() is not Qt.MouseButton.LeftButton or layout is None or page is None:
            return
        lane = layout.lane_at(at.y())
        if lane is None:
            return
        if at.x() < layout.plot.left():
            self.select_lane(lane)
        elif layout.plot.contains(at):
            self._pressed_at = at
            self._gesture = self._begin(at, lane, layout, page)
            if isinstance(self._gesture, Drawing):
                self._gesture.everywhere = bool(event.modifiers() & _EVERYWHERE)
            self._update_plot()

    def _begin(self, at: QPointF, lane: int, layout: PageLayout, page: Page) -> Gesture | None:
        """Return what a press begins: the ruler where it is on, a hold on a mark, an interval to draw."""
        if self._ruler_on:
            point = Ruling.point(at, layout, page, lane)
            ruling = Ruling(lane, point, point, None)
            self._count_slow_waves(ruling)
            return ruling
        held = self._marks.at(at, layout, page.labels)
        if held is not None and (held[0].selected or not self._drawing):
            mark, grip = held
            if not mark.selected:
                self.mark_picked.emit(mark.key)
            return Moving(mark, mark, grip, layout.time_of(at.x())) if mark.movable else None
        return Drawing(lane, layout.time_of(at.x()), layout.time_of(at.x())) if self._drawing else None

    def _count_slow_waves(self, ruling: Ruling) -> None:
        """Count the slow waves of the epoch for the ruler, at once or when the drive has answered."""
        assert self._composer is not None
        assert self._reader is not None
        recording, derivation, epoch = (
            self._composer.recording,
            self._montage.shown[ruling.lane].derivation,
            self._epoch,
        )
        asked = self._reader.ask(
            (id(ruling), epoch), Purpose.MEASURE, lambda _: (ruling, slow_waves(recording, derivation, epoch))
        )
        if self._reader.wait(asked):
            self._take_measure(asked)

    def _on_arrived(self, asked: Asked) -> None:
        if asked.purpose is Purpose.MEASURE:
            self._take_measure(asked)
        else:
            super()._on_arrived(asked)

    def _take_measure(self, asked: Asked) -> None:
        if isinstance(asked.error, SleepViewerError):
            self.trouble.emit(str(asked.error))
        elif asked.error is not None:
            raise asked.error
        else:
            assert isinstance(asked.answer, tuple)
            ruling, waves = asked.answer
            ruling.slow_waves = waves
            self._update_plot()
        asked.drop()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        layout, page, at = self._layout, self._page, event.position()
        if layout is None or page is None:
            return
        if self._gesture is None or not event.buttons() & Qt.MouseButton.LeftButton:
            self._show_cursor(at)
            return
        self._gesture.move_to(at, layout, page)
        self._update_plot()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        gesture, layout, page = self._gesture, self._layout, self._page
        if event.button() is not Qt.MouseButton.LeftButton or gesture is None or layout is None or page is None:
            return
        if isinstance(gesture, Ruling):  # it stays until the next press
            self.measured.emit(" · ".join(gesture.lines(layout, page)))
            return
        self._gesture = None
        moved = abs(event.position().x() - self._pressed_at.x()) >= CLICK_PX
        if isinstance(gesture, Moving):
            if moved and gesture.mark != gesture.before:
                self.mark_moved.emit(gesture.mark.key, gesture.mark.start_s, gesture.mark.stop_s)
        elif isinstance(gesture, Drawing):
            start, stop = gesture.interval
            if moved and stop > start:
                self.interval_drawn.emit(start, stop, "" if gesture.everywhere else page.lanes[gesture.lane].label)
            elif (held := self._marks.at(event.position(), layout, page.labels)) is not None:
                self.mark_picked.emit(held[0].key)
        self._update_plot()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        layout = self._layout
        if layout is not None and self._composer is not None and layout.plot.contains(event.position()):
            epoch = int(layout.time_of(event.position().x()) // EPOCH_S)
            if 0 <= epoch < self._composer.recording.n_epochs:
                self.go_to_requested.emit(epoch)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._layout is None:
            return
        keys, turned, sideways = event.modifiers(), event.angleDelta().y(), event.angleDelta().x()
        # Qt on Linux turns Alt+wheel into a sideways wheel; on macOS Shift does the same.
        scrolls = abs(sideways) > abs(turned) or bool(keys & Qt.KeyboardModifier.ShiftModifier)
        self._wheel += (turned or sideways) if scrolls else turned
        steps = int(self._wheel / _WHEEL_STEP)
        self._wheel -= steps * _WHEEL_STEP
        direction = 1 if steps > 0 else -1
        lane = self._layout.lane_at(event.position().y())
        for _ in range(abs(steps)):
            if scrolls:
                self.scroll_page(-direction)
            elif keys & Qt.KeyboardModifier.ControlModifier:
                self.zoom(-direction)
            elif lane is not None:
                self.change_gain(direction, lane)
        event.accept()

    def _drop_gesture(self) -> None:
        if self._gesture is not None:
            self._gesture = None
            self._update_plot()

    def _show_cursor(self, at: QPointF | None) -> None:
        """Show by the pointer's shape what a press would do here."""
        shape = Qt.CursorShape.ArrowCursor
        layout, page = self._layout, self._page
        if at is not None and layout is not None and page is not None and layout.plot.contains(at):
            held = None if self._ruler_on else self._marks.at(at, layout, page.labels)
            if self._ruler_on:
                shape = Qt.CursorShape.CrossCursor
            elif held is not None and held[0].movable and (held[0].selected or not self._drawing):
                whole = held[1] is Grip.BODY
                shape = Qt.CursorShape.SizeAllCursor if whole else Qt.CursorShape.SizeHorCursor
            elif held is not None:
                shape = Qt.CursorShape.PointingHandCursor
            elif self._drawing:
                shape = Qt.CursorShape.IBeamCursor
        if shape is not self.cursor().shape():
            self.setCursor(shape)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tooltip_at(event.pos())
            if text:
                QToolTip.showText(event.globalPos(), text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def tooltip_at(self, position: QPoint) -> str:
        """What a lane's name says when it is pointed at (the scale in every way, the filter), and what the evidence."""
        layout, page = self._layout, self._page
        if (
            layout is not None
            and (shown := self._shown_evidence) is not None
            and strip_of(shown, layout).contains(QPointF(position))
        ):
            return shown.details
        lane = None if layout is None else layout.lane_at(position.y())
        if layout is None or page is None or lane is None or position.x() >= layout.plot.left():
            return ""
        look = page.lanes[lane]
        unit = look.unit or "units"
        lines = [look.label, f"The bar beside it is {2 * look.half_height:g} {unit} high."]
        if (px_per_cm := self._px_per_cm()) is not None:
            lines.append(f"{look.half_height / layout.half(lane) * px_per_cm:.3g} {unit}/cm on this screen.")
        lines.append(f"Filter: {look.filtered}. For the eye only: models get the signal as recorded.")
        if look.negative_up:
            lines.append("Negative is up.")
        lines.append("Click: select. Wheel: gain.")
        return "\n".join(lines)

    def _px_per_cm(self) -> float | None:
        """Pixels of the window that a centimetre of the screen has; None where the screen does not tell its size."""
        screen = self.screen()
        height_mm = screen.physicalSize().height()
        return screen.size().height() / height_mm * 10 if 50 < height_mm < 5000 else None
