"""How a measured window is driven: a key event, then Qt's events until the page has been painted."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from common import SIZE
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

_PATIENCE_S = 10.0


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


def turn_page(
    window: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier, watch: PaintWatch, awaited: set[QWidget]
) -> float:
    """Press a key and wait until all awaited widgets have painted; return the ms from the one to the other."""
    QApplication.processEvents()
    watch.painted.clear()
    started = time.perf_counter()
    QTest.keyClick(window, key, modifier)
    while not awaited <= watch.painted:
        QApplication.processEvents()
        if time.perf_counter() - started > _PATIENCE_S:
            raise RuntimeError("the page was not painted")
    return 1000 * (time.perf_counter() - started)


def serve(turn: Callable[[], float], split: Callable[[int], dict[str, float]] | None = None) -> None:
    """Answer ``turn N`` and ``split N`` on standard input until it ends."""
    for line in sys.stdin:
        what, count = line.split()
        result: object
        if what == "split" and split is not None:
            result = split(int(count))
        else:
            result = [round(turn(), 3) for _ in range(int(count))]
        print("RESULT " + json.dumps(result), flush=True)
