"""The measured window of page_turn.py: a scored night with its truth, as it is when a scorer goes through it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pyqtgraph import PlotWidget
from PySide6.QtCore import Qt
from turning import PaintWatch, bring_up, serve, turn_page

from sleepviewer.app.epoch_tab import EpochTab
from sleepviewer.app.main import _application
from sleepviewer.app.night.row import NightRow
from sleepviewer.app.status_line import StatusLine
from sleepviewer.app.theme import LIGHT, apply_theme
from sleepviewer.app.traces import view as trace_view
from sleepviewer.app.window import MainWindow
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.scoring.base import Prediction


def main() -> None:
    """Open the night and turn its pages as told on standard input."""
    watch = PaintWatch()
    for cls in (PlotWidget, NightRow):
        watch.watch(cls)
    app = _application()
    apply_theme(app, LIGHT)
    window = MainWindow(theme=LIGHT)
    window.show_night(_scored(open_night(Path(sys.argv[1]), look_beside=False)))
    assert window.session is not None
    window.session.go_to(60)
    bring_up(window)
    awaited = {*window.findChildren(PlotWidget), *(row for row in window.findChildren(NightRow) if row.isVisible())}

    def turn() -> float:
        return turn_page(window, Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, watch, awaited)

    serve(turn, lambda count: _split(turn, watch, count))


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
    ("read and filter", trace_view, "read_page"),
    ("hand to the curves", trace_view, "_set_points"),
    ("epoch tab texts", EpochTab, "show_session"),
    ("status line", StatusLine, "show_session"),
)


def _split(turn: Callable[[], float], watch: PaintWatch, count: int) -> dict[str, float]:
    """Turn pages with a clock around every step; return ms a page by step, what is left as ``rest``, and all."""
    spent: Counter[str] = Counter()
    watch.spent_s.clear()
    originals = [getattr(owner, name) for _, owner, name in _STEPS]
    for (step, owner, name), original in zip(_STEPS, originals, strict=True):
        setattr(owner, name, _clocked(original, step, spent))
    try:
        total = sum(turn() for _ in range(count))
    finally:
        for (_, owner, name), original in zip(_STEPS, originals, strict=True):
            setattr(owner, name, original)
    spent["paint traces"] = watch.spent_s["PlotWidget"]
    spent["paint night rows"] = watch.spent_s["NightRow"]
    steps = {step: 1000 * seconds / count for step, seconds in spent.items()}
    return {
        **{step: round(ms, 3) for step, ms in steps.items()},
        "rest": round(total / count - sum(steps.values()), 3),
        "all": round(total / count, 3),
    }


def _clocked(function: Any, step: str, spent: Counter[str]) -> Any:
    def clocked(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[step] += time.perf_counter() - started

    return clocked


if __name__ == "__main__":
    main()
