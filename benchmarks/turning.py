"""How a measured window is driven: a key event, then Qt's events until the page has been painted."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from common import SIZE
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

BETWEEN_KEYS_MS = 20
"""A held key comes again every 30 to 40 ms."""
_PATIENCE_S = 60.0


class PaintWatch:
    """Knows which widgets of the watched classes have painted since it was last cleared, and how long classes took."""

    def __init__(self) -> None:
        self.painted: set[QWidget] = set()
        self.spent_s: Counter[str] = Counter()

    def watch(self, cls: Any) -> None:
        """Note every finished paint event of a class; call it before the first widget of it is made."""
        paint = cls.paintEvent

        def paint_and_note(widget: QWidget, event: Any) -> None:
            started = time.perf_counter()
            paint(widget, event)
            self.spent_s[cls.__name__] += time.perf_counter() - started
            self.painted.add(widget)

        cls.paintEvent = paint_and_note


def bring_up(window: QWidget) -> None:
    """Show a window at the measured size, active, so that keys reach it and its shortcuts work."""
    window.resize(*SIZE)
    window.show()
    window.activateWindow()
    if not QTest.qWaitForWindowActive(window, 5000):
        raise RuntimeError("the window does not become active")
    QTest.qWait(500)


def wait_until_idle() -> None:
    """Let Qt work until the process rests: what opening a night begins in the background is none of a page's time."""
    until, still = time.perf_counter() + _PATIENCE_S, 0
    while still < 3 and time.perf_counter() < until:
        before = time.process_time()
        QTest.qWait(200)
        still = still + 1 if time.process_time() - before < 0.03 else 0


def turn_page(
    window: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier, watch: PaintWatch, awaited: set[QWidget]
) -> float:
    """Press a key and wait until all awaited widgets have painted; return the ms from the one to the other.

    Before it the window is left alone for as long as a key that is held down leaves it at the least.
    """
    QTest.qWait(BETWEEN_KEYS_MS)
    watch.painted.clear()
    started = time.perf_counter()
    QTest.keyClick(window, key, modifier)
    wait_for(lambda: awaited <= watch.painted)
    return 1000 * (time.perf_counter() - started)


def wait_for(done: Callable[[], bool]) -> None:
    """Let Qt work until something is so. Raises RuntimeError where that takes too long."""
    until = time.perf_counter() + _PATIENCE_S
    while not done():
        QApplication.processEvents()
        if time.perf_counter() > until:
            raise RuntimeError("what was waited for did not happen")


def serve(asked: Mapping[str, Callable[[int], object]]) -> None:
    """Answer lines ``NAME COUNT`` on standard input until it ends."""
    for line in sys.stdin:
        name, count = line.split()
        print("RESULT " + json.dumps(asked[name](int(count))), flush=True)
