"""From the key press to the painted page, here and in mne-qt-browser, in turns.

Both programs stand open on the same 8-hour night of 8 channels at 256 Hz, in windows of 1600×900, each in a process and
on a virtual display of its own, so that both are active; blocks of page turns alternate between them, so that what else
the machine does hits both. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from common import HERE, SIZE, environment, machine, median, report, virtual_display, write_night

TARGET_RATIO = 0.33
_WARM_UP_TURNS = 20
_BLOCK_TURNS = 20


class Viewer:
    """An open window in a process of its own that turns pages when it is told to."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *command], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.times_ms: list[float] = []

    def turn(self, pages: int) -> list[float]:
        """Turn pages; return how long each took in ms."""
        return self._ask(f"turn {pages}")

    def split(self, pages: int) -> dict[str, float]:
        """Turn pages with a clock at every step; return ms a page by step."""
        return self._ask(f"split {pages}")

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)

    def _ask(self, request: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("RESULT "):
                return json.loads(line.removeprefix("RESULT "))
        raise RuntimeError(f"{self._process.args} ended before it answered")


def main() -> None:
    """Measure, print a table and the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=160, help="page turns of each program after those not counted")
    parser.add_argument("--alone", action="store_true", help="leave mne-qt-browser out")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        night = folder / "night.edf"
        write_night(night)
        commands = {"sleepviewer": [str(HERE / "page_turn_child.py"), str(night)]}
        if not options.alone:
            for seconds in (60, 30):
                commands[f"mne_{seconds}s"] = [str(HERE / "page_turn_mne_child.py"), str(night), str(seconds)]
        viewers = {}
        for who, command in commands.items():
            display = stack.enter_context(virtual_display())
            viewers[who] = Viewer(command, environment(folder, display))
            stack.callback(viewers[who].close)
        for viewer in viewers.values():
            viewer.turn(_WARM_UP_TURNS)
        for _ in range(-(-options.turns // _BLOCK_TURNS)):
            for viewer in viewers.values():
                viewer.times_ms += viewer.turn(_BLOCK_TURNS)
        split = viewers["sleepviewer"].split(2 * _BLOCK_TURNS)
    figures = {who: _summary(viewer.times_ms) for who, viewer in viewers.items()}
    print(f"{'program':<14} {'median ms':>10} {'p95 ms':>8} {'least':>8} {'most':>8} {'turns':>6}")
    for who, row in figures.items():
        print(f"{who:<14} " + "{median_ms:>10} {p95_ms:>8} {min_ms:>8} {max_ms:>8} {turns:>6}".format(**row))
    print("one page turn of sleepviewer, ms: " + ", ".join(f"{step} {ms:.2f}" for step, ms in split.items()))
    own, others = figures.pop("sleepviewer"), figures
    ratio = None if not others else round(own["median_ms"] / others["mne_60s"]["median_ms"], 3)
    report(
        {
            "benchmark": "page_turn",
            **own,
            "mne_qt_browser_ratio": ratio,
            "mne_qt_browser_ratio_30s_page": (
                None if not others else round(own["median_ms"] / others["mne_30s"]["median_ms"], 3)
            ),
            "mne_qt_browser": others,
            "split_ms": split,
            "target_ratio": TARGET_RATIO,
            "met": None if ratio is None else ratio <= TARGET_RATIO,
            "display": "offscreen" if display is None else "xvfb",
            "window": SIZE,
            "platform": machine() | _mne_versions(),
        },
        options.out,
    )


def _summary(times_ms: list[float]) -> dict[str, float]:
    return {
        "median_ms": round(median(times_ms), 2),
        "p95_ms": round(float(np.percentile(times_ms, 95)), 2),
        "min_ms": round(min(times_ms), 2),
        "max_ms": round(max(times_ms), 2),
        "turns": len(times_ms),
    }


def _mne_versions() -> dict[str, str]:
    try:
        return {name: version(name) for name in ("mne", "mne-qt-browser")}
    except PackageNotFoundError:
        return {}


if __name__ == "__main__":
    main()
