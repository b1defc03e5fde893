"""Pyramids of the lanes that are shown, built beside the work once a page asks for hours of them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np
from PySide6.QtCore import QObject, Signal

from sleepviewer.display.filters import Band
from sleepviewer.display.montage import Derivation
from sleepviewer.display.page import PageTrace
from sleepviewer.display.pyramid import BASE, Pyramid, fill_chunk, fill_preview
from sleepviewer.errors import SleepViewerError
from sleepviewer.recording.base import Recording

_KEPT_BYTES: Final = 32 << 20
_BYTES_A_BIN: Final = 11
"""Of the lowest level's stretches, with all levels above it."""
_TELL_EVERY_S: Final = 0.15
_COARSE: Final = 256
"""A pyramid for which there is no memory is made so many times smaller: a preview fits in it."""
_NO_MEMORY: Final = (
    "Memory does not suffice for pages of hours: they are a preview, unfiltered. Close other programs and open the "
    "night again."
)
_SHORT_S: Final = 180.0
"""Pages up to this length are read as they are."""

Lane = tuple[Derivation, Band]


class Overview(QObject):
    """The long pages of one recording. Ask for pages in one thread; the building has one of its own.

    Where there is no memory for the building, or in the middle of it, what was looked at here and there stays.
    """

    advanced = Signal()
    """More of the night can be shown than before."""
    trouble = Signal(str)

    def __init__(self, recording: Recording, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recording = recording
        self._pyramids: OrderedDict[Lane, Pyramid] = OrderedDict()
        self._wanted: list[Lane] = []
        self._centre_s = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._poor = False  # memory ran out

    # -- asked by the view

    def suits(self, derivation: Derivation, span_s: float, columns: int) -> bool:
        """Whether a page is so long, and holds so many samples a column, that it is shown from here."""
        return span_s > _SHORT_S and span_s * self._recording.channel(derivation.plus).rate_hz >= BASE * max(columns, 1)

    def want(self, lanes: Sequence[Lane], centre_s: float) -> None:
        """Have these lanes built, outward from a recording time; others are kept while there is room."""
        with self._lock:
            self._wanted, self._centre_s = list(dict.fromkeys(lanes)), centre_s
            for lane in lanes:
                if lane not in self._pyramids:
                    self._pyramids[lane] = self._new(lane[0], len(lanes))
                self._pyramids.move_to_end(lane)
            while sum(p.nbytes for p in self._pyramids.values()) > _KEPT_BYTES and len(self._pyramids) > len(lanes):
                self._pyramids.popitem(last=False)
            if self._thread is None and not self._stopped and not self._poor and self._unfinished():
                self._thread = threading.Thread(target=self._build, name="overview", daemon=True)
                self._thread.start()

    def page(self, lane: Lane, start_s: float, stop_s: float, columns: int) -> tuple[PageTrace, bool]:
        """Return a wanted lane's page, and whether it is the night itself and not (partly) a preview of it."""
        pyramid = self._pyramids[lane]
        page = pyramid.page(start_s, stop_s, columns)
        if lane[1].high_pass_hz is None:
            # Of the stretches' middles: among the extremes themselves half are far below and half far above.
            middles = (page.y[::2] + page.y[1::2]) / 2
            seen = middles[np.isfinite(middles)]
            if seen.size:
                page = PageTrace(page.x, page.y - np.float32(np.median(seen)))
        return page, pyramid.is_filled(start_s, stop_s)

    @property
    def building(self) -> bool:
        """Whether more is to come."""
        return self._thread is not None

    def close(self, wait_s: float = 0.0) -> None:
        """End the building; the chunk that is being read is waited for so long."""
        self._stopped = True
        thread = self._thread
        if thread is not None:
            thread.join(wait_s)

    def _new(self, derivation: Derivation, n_lanes: int) -> Pyramid:
        rate = self._recording.channel(derivation.plus).rate_hz
        n, base = round(self._recording.duration_s * rate), BASE
        while n_lanes * n / base * _BYTES_A_BIN > _KEPT_BYTES:
            base *= 2
        try:
            return Pyramid(rate, n, base)
        except MemoryError:
            self._poor = True
            self._say(_NO_MEMORY)
            return Pyramid(rate, n, base * _COARSE)

    # -- in the thread

    def _unfinished(self) -> list[tuple[Pyramid, Derivation, Band]]:
        return [(self._pyramids[lane], *lane) for lane in self._wanted if self._pyramids[lane].missing_chunks()]

    def _is_stopped(self) -> bool:
        return self._stopped

    def _build(self) -> None:
        try:
            self._fill()
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _fill(self) -> None:
        told = 0.0
        try:
            while True:
                with self._lock:
                    lanes, centre_s = self._unfinished(), self._centre_s
                    if not lanes or self._is_stopped():
                        self._thread = None
                        break
                unseen = [lane for lane in lanes if not lane[0].has_preview]
                if unseen:
                    fill_preview(unseen, self._recording, 0.0, self._recording.duration_s, self._is_stopped)
                    self._tell()
                for pyramid, derivation, band in lanes:
                    if self._is_stopped():
                        break
                    chunk_s = pyramid.chunk / pyramid.rate_hz
                    missing = np.array(pyramid.missing_chunks())
                    chunk = int(missing[np.abs((missing + 0.5) * chunk_s - centre_s).argmin()])
                    fill_chunk(pyramid, self._recording, derivation, band, chunk)
                if time.monotonic() - told > _TELL_EVERY_S:
                    told = time.monotonic()
                    self._tell()
        except (SleepViewerError, MemoryError) as error:
            with self._lock:
                self._poor, self._thread = True, None
            self._say(_NO_MEMORY if isinstance(error, MemoryError) else str(error))
        except Exception:
            if not self._stopped:  # else the recording was closed under the read, and nobody wants it
                raise
        self._tell()

    def _say(self, sentence: str) -> None:
        if not self._stopped:
            with suppress(RuntimeError):
                self.trouble.emit(sentence)

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the window may be gone meanwhile
            self.advanced.emit()
