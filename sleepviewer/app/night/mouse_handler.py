"""What the mouse does on the night's rows: go there, select, zoom, move, and arrange the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QMenu

from sleepviewer.app.night.row import NightRow
from sleepviewer.app.shell.geometry import GUTTER_PX
from sleepviewer.display.span import Span

if TYPE_CHECKING:
    from sleepviewer.app.night.view import NightView

_BORDER_PX = 3
_ZOOM_STEP = 0.8
_MOVE_STEP = 0.1
_DRAG_PX = 5
_HEIGHT_STEP = 1.25


@dataclass
class _Going:
    """The pointer takes the current epoch, or with Shift the end of the selected range, along."""

    extends: bool
    epoch: int = -1


@dataclass
class _Moving:
    """The night is pulled along under the pointer."""

    x: float
    span: Span


@dataclass
class _Resizing:
    """A row's lower border follows the pointer."""

    row: NightRow
    y: float
    height: int


@dataclass
class _Carrying:
    """A row is carried to another place by its name."""

    row: NightRow
    y: float
    moving: bool = False


class NightHands(QObject):
    """Turns mouse events of a night's view into what they mean."""

    def __init__(self, view: NightView) -> None:
        super().__init__(view)
        self._view = view
        self._drag: _Going | _Moving | _Resizing | _Carrying | None = None
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
                return self._press(event)
            if event.type() is QEvent.Type.MouseMove:
                return self._move(event)
            if event.type() is QEvent.Type.MouseButtonRelease:
                self._drag = None
                self._show_cursor(event.position())
                return True
        elif isinstance(event, QWheelEvent):
            return self._wheel(event)
        elif isinstance(event, QContextMenuEvent):
            row = self._row_at(event.pos().y())
            if row is not None:
                self.row_menu(row).popup(event.globalPos())
            return True
        return False

    # -- pressing and dragging

    def _press(self, event: QMouseEvent) -> bool:
        at = event.position()
        if event.button() is Qt.MouseButton.MiddleButton:
            self._drag = _Moving(at.x(), self._view.span)
        elif event.button() is Qt.MouseButton.LeftButton:
            row = self._row_at(at.y())
            if (edge := self._row_ending_at(at.y())) is not None:
                self._drag = _Resizing(edge, event.globalPosition().y(), edge.height())
            elif at.x() < GUTTER_PX:
                self._drag = None if row is None else _Carrying(row, at.y())
            else:
                self._drag = _Going(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                self._go(at, self._drag)
        self._show_cursor(at)
        return True

    def _move(self, event: QMouseEvent) -> bool:
        at = event.position()
        if not event.buttons():
            self._drag = None
        match self._drag:
            case _Going() as going:
                self._go(at, going)
            case _Moving(x=x, span=span):
                per_pixel = span.length / self._view.clock.plot_width
                self._view.set_span(span.moved((x - at.x()) * per_pixel, self._view.n_epochs))
            case _Resizing(row=row, y=y, height=height):
                wanted = height + event.globalPosition().y() - y
                self._resize(row, wanted / (row.usual_height * self._view.scale))
            case _Carrying() as carrying:
                self._carry(carrying, at.y())
        self._show_cursor(at)
        return True

    def _go(self, at: QPointF, going: _Going) -> None:
        """Ask for the epoch under the pointer; at the edges of a zoomed view the night moves on under it."""
        view, width = self._view, self._view.clock.plot_width
        if not view.n_epochs:
            return
        x = at.x() - GUTTER_PX
        if going.epoch >= 0 and not 0 <= x <= width:
            view.set_span(view.span.moved(view.span.length * (0.02 if x > 0 else -0.02), view.n_epochs))
        inside = min(max(x, 0.0), width - 1e-6)
        epoch = min(max(view.span.epoch_at(inside, width), 0), view.n_epochs - 1)
        if epoch != going.epoch:
            going.epoch = epoch
            (view.extend_requested if going.extends else view.go_to_requested).emit(epoch)

    def _carry(self, carrying: _Carrying, y: float) -> None:
        carrying.moving |= abs(y - carrying.y) > _DRAG_PX
        under = self._row_at(y)
        if carrying.moving and under is not None and under is not carrying.row:
            below = y > under.y() + under.height() / 2
            if below == (under.y() > carrying.row.y()):  # past its middle, or two rows would change places for ever
                self._place(carrying.row, self._view.rows.index(under))

    # -- the wheel

    def _wheel(self, event: QWheelEvent) -> bool:
        view = self._view
        if not view.n_epochs:
            return False
        across, along = event.angleDelta().x(), event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(across) > abs(along):
            turns = (along or across) / 120
            view.set_span(view.span.moved(-turns * _MOVE_STEP * view.span.length, view.n_epochs))
        else:
            place = view.span.place_at(event.position().x() - GUTTER_PX, view.clock.plot_width)
            place = min(max(place, view.span.first), view.span.last)
            view.set_span(view.span.zoomed(_ZOOM_STEP ** (along / 120), place, view.n_epochs))
        event.accept()
        return True

    # -- the rows themselves

    def row_menu(self, row: NightRow) -> QMenu:
        """The menu of a row: where it stands, how high it is, and which rows are hidden."""
        view = self._view
        menu = QMenu(view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        shown = view.shown_rows
        place = shown.index(row)
        menu.addAction(f"Hide “{row.title}”", lambda: self._show(row, shown=False))
        for text, to in (("Move up", place - 1), ("Move down", place + 1)):
            action = menu.addAction(text)
            action.setEnabled(0 <= to < len(shown))
            if action.isEnabled():
                action.triggered.connect(lambda _=False, other=shown[to]: self._place(row, view.rows.index(other)))
        if row.resizable:
            factor = view.arrangement.height_of(row.key)
            menu.addAction("Taller", lambda: self._resize(row, factor * _HEIGHT_STEP))
            menu.addAction("Lower", lambda: self._resize(row, factor / _HEIGHT_STEP))
            menu.addAction("Usual height", lambda: self._resize(row, 1.0))
        if row in view.scorers:
            menu.addSeparator()
            number = view.scorers.index(row)
            menu.addAction("Remove this hypnogram", lambda: view.scorer_dropped.emit(number))
        hidden = [other for other in view.rows if other.key in view.arrangement.hidden]
        if hidden:
            menu.addSeparator()
        for other in hidden:
            menu.addAction(f"Show “{other.title}”", partial(self._show, other, shown=True))
        return menu

    def _show(self, row: NightRow, *, shown: bool) -> None:
        self._view.set_arrangement(self._view.arrangement.shown(row.key, shown), by_user=True)

    def _place(self, row: NightRow, to: int) -> None:
        keys = [other.key for other in self._view.rows]
        self._view.set_arrangement(self._view.arrangement.moved(row.key, to, keys), by_user=True)

    def _resize(self, row: NightRow, factor: float) -> None:
        self._view.set_arrangement(self._view.arrangement.resized(row.key, factor), by_user=True)

    # -- what is where

    def _row_at(self, y: float) -> NightRow | None:
        return next((row for row in self._view.shown_rows if row.y() <= y < row.y() + row.height()), None)

    def _row_ending_at(self, y: float) -> NightRow | None:
        """The row whose lower border is under the pointer, if it can be dragged."""
        rows = (row for row in self._view.shown_rows if row.resizable)
        return next((row for row in rows if abs(y - row.y() - row.height()) <= _BORDER_PX), None)

    def _show_cursor(self, at: QPointF) -> None:
        if isinstance(self._drag, _Resizing) or (self._drag is None and self._row_ending_at(at.y()) is not None):
            self._view.setCursor(Qt.CursorShape.SplitVCursor)
        elif isinstance(self._drag, (_Carrying, _Moving)):
            self._view.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._drag is None and at.x() < GUTTER_PX:
            self._view.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self._view.unsetCursor()
