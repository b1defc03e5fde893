"""The window that page_turn.py compares with: mne-qt-browser on the same file, with its default settings."""

from __future__ import annotations

import sys

import mne
from mne_qt_browser._widgets import BrowserView
from PySide6.QtCore import Qt
from turning import PaintWatch, bring_up, serve, turn_page, wait_until_idle


def main() -> None:
    """Open the night and turn its pages as told on standard input."""
    night, page_s = sys.argv[1], float(sys.argv[2])
    mne.set_log_level("ERROR")
    mne.viz.set_browser_backend("qt")
    watch = PaintWatch()
    watch.watch(BrowserView)
    raw = mne.io.read_raw_edf(night, infer_types=True)
    window = raw.plot(
        start=1800.0, duration=page_s, n_channels=len(raw.ch_names), precompute=False, show=False, block=False
    )
    bring_up(window)
    wait_until_idle()
    awaited = {window.mne.view}

    def turn() -> float:
        before = window.mne.t_start
        ms = turn_page(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier, watch, awaited)
        if window.mne.t_start != before + page_s:
            raise RuntimeError("mne-qt-browser did not turn to the next page")
        return ms

    serve({"turns": lambda count: {"turns": [round(turn(), 3) for _ in range(count)]}})


if __name__ == "__main__":
    main()
