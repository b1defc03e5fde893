"""The measured window of soak.py."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

from common import peak_rss_mb
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from turning import bring_up

from sleepviewer.app.main import _application
from sleepviewer.app.shell.theme import LIGHT, apply_theme
from sleepviewer.app.window import MainWindow
from sleepviewer.memory import give_free_memory_back

_WARM_UP_SHARE = 0.1
_EVERY = 20
"""Actions between two looks at the memory."""


def main() -> None:
    """Do all that was asked for, evenly mixed, and print a line of JSON."""
    turns, zooms, nights = map(int, sys.argv[1:4])
    paths = cycle(map(Path, sys.argv[4:]))
    app = _application()
    apply_theme(app, LIGHT)
    window = MainWindow(theme=LIGHT)
    window.open_path(next(paths))
    bring_up(window)

    def turn() -> None:
        assert window.session is not None
        if window.session.epoch > window.session.document.n_epochs - 3:
            window.session.go_to(0)
        QTest.keyClick(window, Qt.Key.Key_Right)

    # Down to five seconds and up to the whole night, and back again.
    keys = cycle([Qt.Key.Key_Minus] * 7 + [Qt.Key.Key_Plus] * 12 + [Qt.Key.Key_Minus] * 5)
    doing: dict[str, Callable[[], object]] = {
        "turn": turn,
        "zoom": lambda: QTest.keyClick(window, next(keys), Qt.KeyboardModifier.ControlModifier),
        "night": lambda: window.open_path(next(paths)),
    }
    stalls: Counter[str] = Counter()
    memory: list[float] = []
    plan = list(_mixed({"turn": turns, "zoom": zooms, "night": nights}))
    for number, what in enumerate(plan):
        started = time.perf_counter()
        doing[what]()
        QApplication.processEvents()
        stalls[what] = max(stalls[what], round(1000 * (time.perf_counter() - started)))
        for _ in range(3):  # an idle moment, in which the next page is prepared
            started = time.perf_counter()
            QApplication.processEvents()
            stalls["idle"] = max(stalls["idle"], round(1000 * (time.perf_counter() - started)))
        if number % _EVERY == 0 or number == len(plan) - 1:
            QTest.qWait(5)
            gc.collect()
            give_free_memory_back()  # as the program does every half minute, in which nobody does more
            memory.append(rss_mb())
    warm = memory[: max(round(len(memory) * _WARM_UP_SHARE), 1)]
    print(
        json.dumps(
            {
                "growth_mb": round(memory[-1] - max(warm), 2),
                "max_stall_ms": max(stalls.values()),
                "stalls_ms": dict(stalls),
                "actions": len(plan),
                "rss_mb_after_first_tenth": round(max(warm), 1),
                "rss_mb_at_end": round(memory[-1], 1),
                "peak_rss_mb": round(peak_rss_mb(), 1),
            }
        ),
        flush=True,
    )
    window.close()


def _mixed(counts: dict[str, int]) -> Iterator[str]:
    """Every action as often as it is counted, as evenly spread as can be."""
    places = [((i + 0.5) / count, what) for what, count in counts.items() for i in range(count)]
    return (what for _, what in sorted(places))


def rss_mb() -> float:
    """Resident memory of this process in MB (10^6 bytes); where the system has no /proc, the greatest so far."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return peak_rss_mb()


if __name__ == "__main__":
    main()
