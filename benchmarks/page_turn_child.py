"""The measured window of page_turn.py: a scored night with its truth, as it is when a scorer goes through it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from turning import PaintWatch, bring_up, serve, turn_page, wait_for, wait_until_idle

from sleepviewer.app.main import _application, settle
from sleepviewer.app.night.row import NightRow
from sleepviewer.app.review.epoch_tab import EpochTab
from sleepviewer.app.shell.geometry import GUTTER_PX
from sleepviewer.app.shell.status_line import StatusLine
from sleepviewer.app.shell.theme import LIGHT, apply_theme
from sleepviewer.app.traces.canvas import PageCanvas
from sleepviewer.app.traces.composer import Composer
from sleepviewer.app.traces.polyline import polygon
from sleepviewer.app.window import MainWindow
from sleepviewer.display.montage import Derivation, Montage, as_recorded
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.scoring.base import Prediction

Key = Qt.Key
_NO_KEYS = Qt.KeyboardModifier.NoModifier
_SCORING_S = 240.0
"""Longest that is waited for scorings to run beside the turns."""


class Measured:
    """The window and the ways in which it is driven; every method returns milliseconds."""

    def __init__(self, night: Path) -> None:
        self.watch = PaintWatch()
        for cls in (PageCanvas, NightRow):
            self.watch.watch(cls)
        app = _application()
        apply_theme(app, LIGHT)
        self.window = window = MainWindow(theme=LIGHT)
        window.show_night(_scored(open_night(night, look_beside=False)))
        assert window.session is not None
        self.session = window.session
        self.session.go_to(60)
        bring_up(window)
        settle(window)  # the spectrogram of a long night is still being computed
        wait_until_idle()
        self.traces = window.page.traces
        rows = [row for row in window.findChildren(NightRow) if row.isVisible()]
        self.row = max(rows, key=lambda row: row.height())
        self.all: set[QWidget] = {self.traces, *rows}

    def turn(self) -> float:
        """To the next epoch."""
        if self.session.epoch > self.session.document.n_epochs - 5:
            self.session.go_to(10)
        return turn_page(self.window, Key.Key_Right, _NO_KEYS, self.watch, self.all)

    def jump(self) -> float:
        """Ten epochs on: a page that nothing was prepared for."""
        if self.session.epoch > self.session.document.n_epochs - 15:
            self.session.go_to(10)
        return turn_page(self.window, Key.Key_PageDown, _NO_KEYS, self.watch, self.all)

    def turns(self, count: int) -> dict[str, Any]:
        """Page turns, the CPU time of each, and the bare painting of the same polylines."""
        cpu = time.process_time()
        times = [self.turn() for _ in range(count)]
        cpu = time.process_time() - cpu
        floors = [self.floor() for _ in range(count)]
        return {"turns": _rounded(times), "floors": _rounded(floors), "cpu_ms": 1000 * cpu / count}

    def floor(self) -> float:
        """Paint the page's polylines into an image, and nothing else."""
        page, layout = self.traces._page, self.traces._layout
        assert page is not None
        assert layout is not None
        lines = []
        for lane, (look, trace) in enumerate(zip(page.lanes, page.traces, strict=True)):
            y = layout.middle(lane) - trace.y * (layout.half(lane) / look.half_height)
            lines.append(polygon(trace.x * layout.px_per_s, y - layout.plot.top()))
        ratio = self.traces.devicePixelRatioF()
        size = (layout.plot.size() * ratio).toSize()
        image = QImage(size, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        pen = QPen(QColor(LIGHT.trace), 1)
        pen.setCosmetic(True)
        started = time.perf_counter()
        painter = QPainter(image)
        painter.setPen(pen)
        for line in lines:
            painter.drawPolyline(line)
        painter.end()
        return 1000 * (time.perf_counter() - started)

    def plain(self, count: int) -> dict[str, Any]:
        """Turns and jumps without filters, every channel as recorded."""
        self.traces.set_filters_on(False)
        self.traces.set_montage(as_recorded(self.session.night.recording))
        return self._both(count)

    def full(self, count: int) -> dict[str, Any]:
        """Turns and jumps with filters, a notch, and every voltage derived from two others."""
        recording = self.session.night.recording
        channels = as_recorded(recording).traces
        first = [trace.derivation.plus for trace in channels]
        self.traces.set_filters_on(True)
        self.traces.set_montage(
            Montage(
                "derived",
                tuple(
                    replace(
                        trace,
                        derivation=Derivation(trace.derivation.plus, self._others(first, place)),
                        band=replace(trace.band, notch_hz=50.0 if self._rate(place) > 120 else None),
                    )
                    for place, trace in enumerate(channels)
                ),
            )
        )
        result = self._both(count)
        self.traces.set_montage(as_recorded(recording))
        return result

    def _others(self, labels: list[str], place: int) -> tuple[str, ...]:
        recording = self.session.night.recording
        own = recording.channel(labels[place])
        same = [
            label
            for label in labels
            if label != own.label
            and recording.channel(label).rate_hz == own.rate_hz
            and recording.channel(label).unit == own.unit
        ]
        return tuple(same[:1])

    def _rate(self, place: int) -> float:
        return self.session.night.recording.channels[place].rate_hz

    def _both(self, count: int) -> dict[str, Any]:
        for _ in range(3):
            self.turn()
        return {
            "turns": _rounded([self.turn() for _ in range(count)]),
            "jumps": _rounded([self.jump() for _ in range(count)]),
        }

    def gains(self, count: int) -> list[float]:
        """Larger and smaller in turns, as with a held key."""
        keys = cycle((Key.Key_Plus, Key.Key_Minus))
        return _rounded([turn_page(self.window, next(keys), _NO_KEYS, self.watch, {self.traces}) for _ in range(count)])

    def drag(self, count: int) -> list[float]:
        """Drag over the night's rows from left to right: every move turns to another page."""
        times, row = [], self.row
        y = row.height() // 2
        x = np.linspace(GUTTER_PX + 20, row.width() - 40, count).round().astype(int).tolist()
        QTest.mousePress(row, Qt.MouseButton.LeftButton, pos=QPoint(x[0], y))
        QApplication.processEvents()
        for place in x[1:]:
            self.watch.painted.clear()
            before = self.session.epoch
            started = time.perf_counter()
            at = QPointF(place, y)
            left = Qt.MouseButton.LeftButton
            move = QMouseEvent(QEvent.Type.MouseMove, at, row.mapToGlobal(at), left, left, _NO_KEYS)
            QApplication.sendEvent(row, move)
            if self.session.epoch == before:
                continue
            wait_for(lambda: self.all <= self.watch.painted)
            times.append(1000 * (time.perf_counter() - started))
        QTest.mouseRelease(row, Qt.MouseButton.LeftButton, pos=QPoint(x[-1], y))
        return _rounded(times)

    def night(self, count: int) -> dict[str, Any]:
        """The whole night on one page: its first picture, the true one, and then pans of it and of an hour."""
        self.traces.set_timebase(60.0)
        QApplication.processEvents()
        self.watch.painted.clear()
        started = time.perf_counter()
        self.traces.set_timebase(None)
        wait_for(self._night_is_shown)
        first_ms = 1000 * (time.perf_counter() - started)
        wait_for(lambda: self.traces._page is not None and not self.traces._page.grows)
        true_ms = 1000 * (time.perf_counter() - started)
        result: dict[str, Any] = {"first_ms": round(first_ms, 1), "true_ms": round(true_ms, 1)}
        for name, timebase in (("night_pans", None), ("hour_pans", 3600.0)):
            self.traces.set_timebase(timebase)
            self.session.go_to(200)
            self.turn()
            result[name] = _rounded([self.turn() for _ in range(count)])
        self.traces.set_timebase(60.0)
        return result

    def _night_is_shown(self) -> bool:
        """Whether every lane has been painted from the night's beginning to its end."""
        page = self.traces._page
        if page is None or self.traces not in self.watch.painted:
            return False
        seen = [trace.x[np.isfinite(trace.y)] for trace in page.traces]
        length = self.session.night.recording.duration_s
        return all(x.size and x[0] < 0.01 * length and x[-1] > 0.99 * length for x in seen)

    def scoring(self, count: int) -> list[float]:
        """Page turns while the night is being scored, again and again until there are enough of them."""
        times: list[float] = []
        until = time.monotonic() + _SCORING_S
        while len(times) < count and time.monotonic() < until:
            if not self.window.scoring:
                self.window.score()
            ms = self.turn()
            if self.window.scoring:
                times.append(ms)
            QTest.qWait(20)
        self.window.cancel_scoring()
        wait_for(lambda: not self.window.scoring)
        return _rounded(times)

    def split(self, count: int) -> dict[str, float]:
        """Turn pages with a clock around every step; return ms a page by step, what is left as ``rest``, and all."""
        spent: Counter[str] = Counter()
        self.watch.spent_s.clear()
        originals = [getattr(owner, name) for _, owner, name in _STEPS]
        for (step, owner, name), original in zip(_STEPS, originals, strict=True):
            setattr(owner, name, _clocked(original, step, spent))
        try:
            total = sum(self.turn() for _ in range(count))
        finally:
            for (_, owner, name), original in zip(_STEPS, originals, strict=True):
                setattr(owner, name, original)
        spent["paint traces"] = self.watch.spent_s["PageCanvas"]
        spent["paint night rows"] = self.watch.spent_s["NightRow"]
        steps = {step: 1000 * seconds / count for step, seconds in spent.items()}
        within = sum(ms for step, ms in steps.items() if not step.startswith("prepare"))
        return {
            **{step: round(ms, 3) for step, ms in steps.items()},
            "rest": round(total / count - within, 3),
            "all": round(total / count, 3),
        }


def main() -> None:
    """Open the night and do as told on standard input."""
    measured = Measured(Path(sys.argv[1]))
    asked = ("turns", "plain", "full", "gains", "drag", "night", "scoring", "split")
    serve({name: getattr(measured, name) for name in asked})


def _scored(night: Night) -> Night:
    """Give the night a truth of bouts of a few minutes, and a scoring that mostly agrees with it."""
    random = np.random.default_rng(1)
    n = night.recording.n_epochs
    truth = np.repeat(random.integers(0, 5, n // 6 + 1), 6)[:n].astype(np.int8)
    proba = random.dirichlet(np.full(5, 0.3), n) + np.eye(5)[truth]
    proba = (proba / proba.sum(axis=1, keepdims=True)).astype(np.float32)
    night.document.set_truth(Hypnogram(truth, night.recording.start, "benchmark"))
    night.document.set_prediction(
        Prediction(
            proba=proba,
            engine="benchmark",
            engine_version="1",
            weights_sha256="",
            channels=(str(night.channel),),
            seconds=1.0,
            device="cpu",
        )
    )
    return night


_STEPS: tuple[tuple[str, Any, str], ...] = (
    ("compose the page", PageCanvas, "show_epoch"),
    ("epoch tab texts", EpochTab, "show_session"),
    ("status line", StatusLine, "show_session"),
    ("prepare: read and filter", Composer, "_read"),
    ("prepare: paint", PageCanvas, "_painted"),
)
"""What is clocked. What is prepared is done between the turns, and is no part of their time."""


def _clocked(function: Any, step: str, spent: Counter[str]) -> Any:
    def clocked(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[step] += time.perf_counter() - started

    return clocked


def _rounded(times: list[float]) -> list[float]:
    return [round(ms, 3) for ms in times]


if __name__ == "__main__":
    main()
