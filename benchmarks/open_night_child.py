"""The measured process of open_night.py: the real command, told when the first trace has been painted."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

_STARTED_NS = int(os.environ["BENCHMARK_STARTED_NS"])


def main() -> None:
    """Run ``sleepviewer view NIGHT``, and print a line of JSON some seconds after its first trace."""
    night, idle_s = sys.argv[1], float(sys.argv[2])
    # What the command imports, a moment earlier than it would, so that its classes can be watched.
    import sleepviewer.app.main
    import sleepviewer.cli

    figures = {"imports_s": _since_start()}
    _watch(figures, idle_s)
    sleepviewer.cli.main(["view", night], prog_name="sleepviewer")


def _since_start() -> float:
    # The monotonic clock is one for all processes of a machine.
    return (time.monotonic_ns() - _STARTED_NS) / 1e9


def _watch(figures: dict[str, float], idle_s: float) -> None:
    from common import SIZE, peak_rss_mb
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from sleepviewer.app.traces.canvas import PageCanvas
    from sleepviewer.app.window import MainWindow

    show, paint = MainWindow.show, PageCanvas.paintEvent

    def show_at_size(window: MainWindow) -> None:
        window.resize(*SIZE)
        show(window)
        figures["shown_s"] = _since_start()

    def paint_and_tell(canvas: PageCanvas, event: Any) -> None:
        paint(canvas, event)
        if "painted_s" in figures or not _has_data(canvas):
            return
        figures["painted_s"] = _since_start()
        figures["painted_mb"] = peak_rss_mb()
        QTimer.singleShot(round(idle_s * 1000), tell)

    def tell() -> None:
        figures["idle_mb"] = peak_rss_mb()
        figures["scoring_process_mb"] = max((peak_rss_mb(pid) for pid in _children()), default=0.0)
        print(json.dumps(figures), flush=True)
        QApplication.closeAllWindows()
        QApplication.quit()

    def _has_data(canvas: PageCanvas) -> bool:
        return canvas._page is not None and any(len(trace.x) for trace in canvas._page.traces)

    MainWindow.show = show_at_size
    PageCanvas.paintEvent = paint_and_tell


def _children() -> list[str]:
    """Process ids of this process's children; none where the system does not tell."""
    tasks = Path("/proc/self/task")
    return [pid for task in tasks.glob("*/children") for pid in task.read_text().split()]


if __name__ == "__main__":
    main()
