"""Shows pages of traces: reads them, paints them, and prepares the next one while nothing else is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QEvent, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces import painting
from sleepviewer.app.traces.composer import Composer, Reading
from sleepviewer.app.traces.layout import PageLayout, lay_out
from sleepviewer.app.traces.overview import Overview
from sleepviewer.app.traces.page import Page
from sleepviewer.app.traces.reader import Asked, PageReader, Purpose
from sleepviewer.display.montage import Derivation, Montage, as_recorded
from sleepviewer.display.style import Style
from sleepviewer.display.timebase import TIMEBASES, USUAL, page_span, stepped
from sleepviewer.recording.base import Recording
from sleepviewer.stages import EPOCH_S

_KEPT_PICTURES = 3
_KEPT_PX = 6_000_000
"""Pixels of painted pages that are kept: the shown one, the one that comes next, and where there is room the last."""
_MOST_COLUMNS = 20_000
_STRIP_SHARE = 0.1
"""Of the page's height, what a strip under a lane takes beside two lines of text."""
_PICTURE_PATIENCE_S = 20.0
"""So long a picture that is to be saved waits for its page."""

READING = "This page is being read…"
UNREADABLE = "This page can't be read any more"
STALE = "This page can't be read any more: this is how it was read before"


@dataclass(frozen=True, slots=True)
class _PageKey:
    """What tells a page that was asked for from any other."""

    layout: PageLayout
    epoch: int
    columns: int
    generation: int


class PageCanvas(QWidget):
    """A page around the current epoch: lanes with names and scales at the left, the clock below.

    The plot is painted into a picture, over which a subclass paints what moves (:meth:`_paint_overlays`). Turning a
    page shows a picture that was prepared in an idle moment; any other change throws the pictures away.
    """

    trouble = Signal(str)
    """A sentence: the page can't be read any more."""
    timebase_changed = Signal(object)
    """Seconds that a page shows, or None for the whole night."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._theme = theme
        self._overview: Overview | None = None
        self._composer: Composer | None = None
        self._montage = Montage("", ())
        self._style = Style()
        self._timebase: float | None = USUAL
        self._epoch = 0
        self._direction = 1
        self._held = False
        self._scrolled_s = 0.0
        self._selected: int | None = None
        self._strip_lane: str | None = None
        self._page: Page | None = None
        self._shown: tuple[object, ...] = ()
        self._layout: PageLayout | None = None
        self._prepared: dict[tuple[float, float, float], tuple[Page, QPixmap]] = {}
        self._ground = QPixmap()
        self._ground_key: tuple[object, ...] = ()
        self._reader: PageReader | None = None
        self._awaited: Asked | None = None
        self._generation = 0  # of what pages look like: what was asked for before a change is not shown
        self._prepare_soon = QTimer(self)
        self._prepare_soon.setSingleShot(True)
        self._prepare_soon.timeout.connect(self._prepare)

    # -- what is shown

    def set_recording(self, recording: Recording) -> None:
        """Show another night: every channel as it was recorded, at a scale that suits its role and its signal."""
        self.close_recording()
        self._overview = Overview(recording, self)
        self._overview.advanced.connect(self._on_advanced)
        self._overview.trouble.connect(self.trouble)
        self._composer = Composer(recording, self._overview)
        self._reader = PageReader(self)
        self._reader.arrived.connect(self._on_arrived)
        self._montage = as_recorded(recording)
        self._epoch, self._scrolled_s, self._selected = 0, 0.0, None
        self._refresh()

    @contextmanager
    def composing_once(self) -> Iterator[None]:
        """Compose the page at the end of the block, whatever is changed in it: night, montage, epoch."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._refresh()

    def close_recording(self, wait_s: float = 0.0) -> None:
        """Let go of the recording: nothing that still reads it in the background is shown after this.

        Each of the two threads that may be reading it is waited for so long.
        """
        if self._reader is not None:
            self._reader.close(wait_s)
            self._reader.deleteLater()
        self._reader = self._awaited = None
        if self._overview is not None:
            self._overview.close(wait_s)
            self._overview.deleteLater()
        self._overview = self._composer = self._page = None
        self._prepared.clear()

    @property
    def busy(self) -> bool:
        """Whether the page that is to be shown is still being read."""
        return self._awaited is not None

    @property
    def montage(self) -> Montage:
        """What is shown, with the gains as they are now."""
        return self._montage

    @property
    def scales(self) -> tuple[str, ...]:
        """What half a lane's height stands for, lane by lane: ``±100 µV``."""
        return () if self._page is None else tuple(look.scale for look in self._page.lanes)

    def set_montage(self, montage: Montage) -> None:
        """Show other derivations, filters, gains, colours or heights; a night must be open."""
        self._montage = montage
        self._refresh()

    @property
    def epoch(self) -> int:
        """The epoch that the page is around."""
        return self._epoch

    def show_epoch(self, epoch: int) -> None:
        """Turn to the page around an epoch."""
        if epoch != self._epoch:
            self._direction = 1 if epoch > self._epoch else -1
            self._scrolled_s = 0.0
        self._epoch = epoch
        self._compose()

    @property
    def timebase(self) -> float | None:
        """Seconds that a page shows; None: the whole night."""
        return self._timebase

    def set_timebase(self, seconds: float | None) -> None:
        """Show pages of another length (one of TIMEBASES) around the current epoch; None: the whole night."""
        if seconds not in TIMEBASES:
            raise ValueError(f"a page of {seconds} s is not among {TIMEBASES}")
        if seconds != self._timebase:
            self._timebase, self._scrolled_s = seconds, 0.0
            self._refresh()
            self.timebase_changed.emit(seconds)

    def zoom(self, direction: int) -> None:
        """Show the next longer (1) or shorter (-1) page."""
        self.set_timebase(stepped(self._timebase, direction))

    def scroll_page(self, direction: int) -> None:
        """Move the page by a quarter of its length, or of an epoch; its middle stays within the epoch."""
        if self._timebase is not None:
            moved = self._scrolled_s + direction * min(self._timebase, EPOCH_S) / 4
            self._scrolled_s = min(max(moved, -EPOCH_S / 2), EPOCH_S / 2)
            self._compose()

    @property
    def page_style(self) -> Style:
        """What is switched on: filters, guide lines, EEG negative up."""
        return self._style

    def set_filters_on(self, on: bool) -> None:
        """Show the traces filtered by role, or as recorded (around their median); the model has a signal of its own."""
        self._set_style(replace(self._style, filters_on=on))

    def set_guides(self, on: bool) -> None:
        """Show lines at ±37.5 µV on EEG lanes, or none."""
        self._set_style(replace(self._style, guides=on))

    def set_negative_up(self, on: bool) -> None:
        """Draw negative upward in EEG and EOG lanes, as many laboratories do, or downward."""
        self._set_style(replace(self._style, negative_up=on))

    def _set_style(self, style: Style) -> None:
        if style != self._style:
            self._style = style
            self._refresh()

    def leave_room(self, lane: str | None) -> None:
        """Leave room under a lane's trace (at the page's foot where it has no such lane), or nowhere."""
        if lane != self._strip_lane:
            self._strip_lane = lane
            self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self._refresh()

    # -- painting

    def paint_page(self, painter: QPainter, rect: QRectF) -> None:
        """Paint the page into a rectangle of any device: an image, SVG, PDF; sharp at the device's own pixels."""
        if self._composer is None:
            return
        layout = self._lay_out(rect, self._epoch)
        device = painter.device()
        scale = abs(painter.worldTransform().m11()) * (device.devicePixelRatioF() if device is not None else 1.0)
        page = self._page_for_picture(layout, scale)
        painter.save()
        painter.fillRect(rect, QColor(self._theme.panel))
        painting.paint_gutter(painter, layout, page, self.font())
        painting.paint_axis(painter, layout, page, self.font())
        painter.setClipRect(layout.plot, Qt.ClipOperation.IntersectClip)
        painting.paint_plot(painter, layout, page, self.font())
        self._paint_moving(painter, layout, page)
        painter.restore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        page, layout = self._page, self._layout
        ground = QColor(self._theme.panel)
        if page is None or layout is None:
            painter.fillRect(event.rect(), ground)
            painter.end()
            return
        dirty = QRectF(event.rect())
        if dirty.right() > layout.plot.right():
            painter.fillRect(QRectF(layout.plot.right(), 0, self.width(), self.height()), ground)
        if dirty.left() < layout.plot.left():
            painter.fillRect(QRectF(0, 0, layout.plot.left(), self.height()), ground)
            painting.paint_gutter(painter, layout, page, self.font())
        if dirty.intersects(layout.plot.united(layout.axis)):
            painter.drawPixmap(layout.plot.topLeft(), self._picture(page, layout))
            painter.setFont(self.font())
            painter.setClipRect(layout.plot)
            self._paint_moving(painter, layout, page)
        painter.end()
        self._prepare_soon.start(0)

    def _paint_moving(self, painter: QPainter, layout: PageLayout, page: Page) -> None:
        if page.epoch_is_narrow:
            painting.paint_epoch(painter, layout, page)
        self._paint_overlays(painter, layout, page)

    def _paint_overlays(self, painter: QPainter, layout: PageLayout, page: Page) -> None:
        """Paint what may change without the page; the painter is clipped to the plot."""

    def _picture(self, page: Page, layout: PageLayout) -> QPixmap:
        """Return the plot of a page and the times under it, painted, from memory where they were prepared."""
        key = self._key(layout, page)
        prepared = self._prepared.pop(key, None)
        picture = self._painted(page, layout) if prepared is None else prepared[1]
        if not page.mark:
            self._prepared[key] = (page, picture)
        most = max(min(_KEPT_PICTURES, _KEPT_PX // (picture.width() * picture.height())), 2)
        while len(self._prepared) > most:
            del self._prepared[next(iter(self._prepared))]
        return picture

    def _painted(self, page: Page, layout: PageLayout) -> QPixmap:
        picture = self._pixmap(layout.plot.united(layout.axis))
        painter = QPainter(picture)
        # The ground is the same on every page of the usual kind.
        ground_key = painting.ground_key(layout, page)
        if ground_key != self._ground_key:
            self._ground, self._ground_key = self._pixmap(layout.plot), ground_key
            on_ground = QPainter(self._ground)
            on_ground.translate(-layout.plot.topLeft())
            painting.paint_ground(on_ground, layout, page)
            on_ground.end()
        painter.drawPixmap(0, 0, self._ground)
        painter.translate(-layout.plot.topLeft())
        painting.paint_axis(painter, layout, page, self.font())
        painter.setClipRect(layout.plot)
        painting.paint_traces(painter, layout, page)
        painter.setFont(self.font())
        painting.paint_words(painter, layout, page)
        painting.paint_mark(painter, layout, page, self.font())
        painter.end()
        return picture

    def _pixmap(self, rect: QRectF) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(max(round(rect.width() * ratio), 1), max(round(rect.height() * ratio), 1))
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _key(self, layout: PageLayout, page: Page | None, epoch: int = 0) -> tuple[float, float, float]:
        # The picture of the whole night is the same on all its epochs.
        epoch_s = epoch * EPOCH_S if page is None else page.epoch_s
        return layout.start_s, layout.stop_s, -1.0 if self._timebase is None else epoch_s

    def _prepare(self) -> None:
        """Have the page read that comes next, and paint it once it is there, so that turning to it takes no time."""
        following = self._epoch + self._direction
        if self._composer is None or self._timebase is None or self._scrolled_s or not self.isVisible():
            return
        if self._awaited is not None or not 0 <= following < self._composer.recording.n_epochs:
            return
        layout = self._lay_out(QRectF(self.rect()), following)
        if self._key(layout, None, following) not in self._prepared:
            asked = self._ask(Purpose.NEXT_PAGE, layout, following, self.devicePixelRatioF(), ahead=self._direction)
            assert self._reader is not None
            # While the drive is quick, waiting costs less than two threads that take turns with the interpreter.
            if not self._reader.slow and self._reader.wait(asked):
                self._on_arrived(asked)

    # -- composing

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange:
            self._refresh()

    def event(self, event: QEvent) -> bool:
        # The window came to a screen of another density: columns and pictures are others.
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._refresh()
        return super().event(event)

    def _refresh(self) -> None:
        """Compose anew after a change of what a page looks like: no picture that was kept is right any more."""
        self._prepared.clear()
        self._generation += 1
        self._compose()
        self.update()

    def _compose(self) -> None:
        if self._held or self._composer is None or not self.isVisible():
            return
        assert self._reader is not None
        self._layout = self._lay_out(QRectF(self.rect()), self._epoch)
        prepared = self._prepared.get(self._key(self._layout, None, self._epoch))
        if prepared is not None:
            self._awaited = None
            self._show(replace(prepared[0], selected=self._selected, epoch_s=self._epoch * EPOCH_S))
            return
        asked = self._ask(Purpose.PAGE, self._layout, self._epoch, self.devicePixelRatioF())
        if self._reader.wait(asked):
            self._take(asked)
            return
        self._awaited = asked
        self._show(self._standing_in(READING, READING))

    def _on_arrived(self, asked: Asked) -> None:
        """Show a page that was waited for, paint one that was read ahead."""
        if asked is self._awaited:
            self._take(asked)
        elif asked.purpose is Purpose.NEXT_PAGE and isinstance(asked.answer, Reading) and not asked.answer.failed:
            key = asked.key
            assert isinstance(key, _PageKey)
            if key.generation == self._generation and asked.wanted and not self.busy:
                self._picture(asked.answer.page, key.layout)
        elif asked.purpose is Purpose.SCALES and asked.error is None:
            self._refresh()

    def _take(self, asked: Asked) -> None:
        """Show the page that was asked for, now that it is there."""
        assert self._reader is not None
        self._awaited = None
        self._reader.judge(asked)
        if asked.error is not None:
            self._show(self._standing_in(STALE, UNREADABLE))
            raise asked.error
        reading = asked.answer
        assert isinstance(reading, Reading)
        if reading.failed:
            self._show(self._standing_in(STALE, UNREADABLE))
        else:
            self._show(replace(reading.page, selected=self._selected))
            if reading.unscaled:
                composer, lanes = self._composer, reading.unscaled
                assert composer is not None
                self._reader.ask(lanes, Purpose.SCALES, lambda _: composer.find_scales(lanes))
        for sentence in reading.sentences:
            self.trouble.emit(sentence)

    def _standing_in(self, over_traces: str, alone: str) -> Page:
        """Return what is shown in the place of a page that is not there.

        That is the same page as it was read last, where it was, and else one without traces: traces of another epoch
        are never shown under this one's number.
        """
        assert self._layout is not None
        last = self._page
        if last is not None and self._shown == (self._layout, self._epoch, _derivations(self._montage)):
            bare = last.mark in (READING, UNREADABLE) and not any(trace.x.size for trace in last.traces)
            return replace(last, mark=alone if bare else over_traces, selected=self._selected, theme=self._theme)
        return self._blank(self._layout, alone)

    def _blank(self, layout: PageLayout, mark: str) -> Page:
        assert self._composer is not None
        return self._composer.blank(
            self._montage,
            self._style,
            self._epoch,
            layout,
            most_times=self._most_times(layout),
            selected=self._selected,
            theme=self._theme,
            mark=mark,
        )

    def _show(self, page: Page) -> None:
        before, self._page = self._page, page
        self._shown = (self._layout, self._epoch, _derivations(self._montage))
        if before is None or before.lanes != page.lanes or before.mark != page.mark:
            lanes = "; ".join(f"{look.label} {look.detail}" for look in page.lanes)
            self.setAccessibleDescription(f"{page.mark}. {lanes}" if page.mark else lanes)
            self._update_gutter()
        self._update_plot()

    def _on_advanced(self) -> None:
        growing = [key for key, (page, _) in self._prepared.items() if page.grows]
        for key in growing:
            del self._prepared[key]
        page, layout = self._page, self._layout
        if page is not None and page.grows and layout is not None and self.isVisible():
            # What is shown is right as far as it goes: the fuller page is not waited for.
            self._awaited = self._ask(Purpose.PAGE, layout, self._epoch, self.devicePixelRatioF())

    def _lay_out(self, rect: QRectF, epoch: int) -> PageLayout:
        assert self._composer is not None
        scrolled = self._scrolled_s if epoch == self._epoch else 0.0
        span = page_span(self._timebase, epoch, scrolled, self._composer.recording.duration_s)
        heights = [trace.height for trace in self._montage.shown]
        text_px = self.fontMetrics().height()
        return lay_out(rect, text_px + 6, heights, span, strip=self._strip(rect.height(), text_px))

    def _strip(self, height: float, text_px: int) -> tuple[int, float]:
        """Return under which lane room is left, the last one where it is not on the page, and how much."""
        if self._strip_lane is None or not self._montage.shown:
            return -1, 0.0
        labels = [trace.derivation.label for trace in self._montage.shown]
        lane = labels.index(self._strip_lane) if self._strip_lane in labels else len(labels) - 1
        return lane, min(2 * text_px + min(max(_STRIP_SHARE * height, 8.0), 48.0), height / 3)

    def _ask(self, purpose: Purpose, layout: PageLayout, epoch: int, scale: float, *, ahead: int = 0) -> Asked:
        """Have a page read as everything is set now."""
        assert self._composer is not None
        assert self._reader is not None
        columns = min(max(int(layout.plot.width() * scale), 200), _MOST_COLUMNS)
        read = partial(
            self._composer.page,
            self._montage,
            self._style,
            epoch,
            layout,
            columns,
            most_times=self._most_times(layout),
            selected=self._selected,
            theme=self._theme,
            ahead=ahead,
        )
        key = _PageKey(layout, epoch, columns, self._generation)
        return self._reader.ask(key, purpose, lambda unwanted: read(unwanted=unwanted))

    def _most_times(self, layout: PageLayout) -> int:
        """How many times have room under a page."""
        time_px = self.fontMetrics().horizontalAdvance("+00:00:00") + 12
        return max(int(layout.plot.width() / time_px), 2)

    def _page_for_picture(self, layout: PageLayout, scale: float) -> Page:
        """Read the page for a picture of any size; a drive that does not answer gives one without traces, marked."""
        asked = self._ask(Purpose.PAGE, layout, self._epoch, scale)
        awaited, self._awaited = self._awaited, None
        asked.wait(_PICTURE_PATIENCE_S)
        if awaited is not None and awaited is not asked:
            self._compose()  # what the screen waited for gave way to the picture
        if isinstance(asked.answer, Reading):
            for sentence in asked.answer.sentences:
                self.trouble.emit(sentence)
            return replace(asked.answer.page, mark=UNREADABLE if asked.answer.failed else "")
        asked.drop()
        if asked.error is not None:
            raise asked.error
        return self._blank(layout, UNREADABLE)

    def _update_plot(self) -> None:
        if self._layout is not None:
            self.update(self._layout.plot.united(self._layout.axis).toAlignedRect().adjusted(0, 0, 1, 1))

    def _update_gutter(self) -> None:
        if self._layout is not None:
            self.update(QRect(0, 0, int(self._layout.plot.left()), self.height()))


def _derivations(montage: Montage) -> tuple[Derivation, ...]:
    return tuple(trace.derivation for trace in montage.shown)
