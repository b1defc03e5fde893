"""From the key press to the painted page, here and in mne-qt-browser and EDFbrowser.

The programs stand open on the same night (8 hours of 8 channels at 256 Hz; ``--night 24h``: 24 hours of Sleep-EDF's 7),
in windows of 1600×900, each in a process and on a virtual display of its own, so that all are active; blocks of page
turns alternate between them, so that what else the machine does hits all. See README.md beside this file.
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
from common import HERE, NIGHTS, SIZE, environment, machine, median, report, virtual_display
from edfbrowser import EdfBrowser, why_not, write_montage

TARGETS = {
    "floor_ratio": 1.5,
    "p95_floor_ratio": 2.0,
    "mne_qt_browser_ratio": 0.2,
    "edfbrowser_cpu_ratio": 1.0,
    "filters_ratio": 2.0,
    "p95_ms_while_scoring": 50.0,
    "night_first_ms": 1000.0,
    "night_pan_p95_ms": 50.0,
}
"""Greatest values that are wanted."""
LEAST_PICTURES_A_SECOND = 30.0
_WARM_UP_TURNS = 20
_BLOCK_TURNS = 20


class Viewer:
    """An open window in a process of its own that does what it is told to."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *command], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.times_ms: list[float] = []
        self.floors_ms: list[float] = []
        self.cpu_ms: list[float] = []

    def turn(self, pages: int) -> None:
        """Turn pages and note how long each took."""
        answer = self.ask("turns", pages)
        self.times_ms += answer["turns"]
        self.floors_ms += answer.get("floors", [])
        self.cpu_ms += [answer["cpu_ms"]] if "cpu_ms" in answer else []

    def forget(self) -> None:
        """Count nothing of what was turned until now."""
        self.times_ms, self.floors_ms, self.cpu_ms = [], [], []

    def ask(self, what: str, count: int) -> Any:
        """Have something done so many times; return what was measured."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what} {count}\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("RESULT "):
                return json.loads(line.removeprefix("RESULT "))
        raise RuntimeError(f"{self._process.args} ended before it answered")

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)


def main() -> None:
    """Measure, print a table and the result."""
    options = _options()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        night = folder / "night.edf"
        NIGHTS[options.night](night)
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
            viewer.forget()
        for _ in range(-(-options.turns // _BLOCK_TURNS)):
            for viewer in viewers.values():
                viewer.turn(min(_BLOCK_TURNS, options.turns))
        own = viewers.pop("sleepviewer")
        edfbrowser = _edfbrowser(night, folder, own, min(options.turns, 60), options.night)
        more = _more(own, min(options.turns, 80), scoring=not options.no_scoring)
        split = own.ask("split", min(options.turns, 40))
    others = {who: _summary(viewer.times_ms) for who, viewer in viewers.items()}
    mine = _summary(own.times_ms)
    result = {
        "benchmark": "page_turn",
        "night": options.night,
        **mine,
        "floor_ms": round(median(own.floors_ms), 2),
        "floor_ratio": _ratio(mine["median_ms"], median(own.floors_ms)),
        "p95_floor_ratio": _ratio(mine["p95_ms"], median(own.floors_ms)),
        "mne_qt_browser_ratio": _ratio(mine["median_ms"], others["mne_60s"]["median_ms"]) if others else None,
        "mne_qt_browser_ratio_30s_page": _ratio(mine["median_ms"], others["mne_30s"]["median_ms"]) if others else None,
        **edfbrowser,
        **more,
        "mne_qt_browser": others,
        "split_ms": split,
    }
    result["targets"] = TARGETS | {"least_pictures_a_second": LEAST_PICTURES_A_SECOND}
    result["missed"] = _missed(result)
    result |= {
        "display": "offscreen" if display is None else "xvfb",
        "window": SIZE,
        "platform": machine() | _mne_versions(),
    }
    _print_table({"sleepviewer": mine, **others}, split)
    report(result, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=160, help="page turns of each program after those not counted")
    parser.add_argument("--night", choices=list(NIGHTS), default="8h", help="which night is opened")
    parser.add_argument("--alone", action="store_true", help="leave mne-qt-browser out")
    parser.add_argument("--no-scoring", action="store_true", help="leave out the turns while a night is being scored")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    return parser.parse_args()


def _edfbrowser(night: Path, folder: Path, own: Viewer, pages: int, which: str) -> dict[str, object]:
    """Measure EDFbrowser's CPU time a page, ours between its halves."""
    nothing: dict[str, object] = {"cpu_ms": round(median(own.cpu_ms), 2), "edfbrowser_cpu_ratio": None}
    if which != "8h":
        return nothing | {"edfbrowser_why_not": "its montage is of the 8-hour night"}
    with virtual_display() as display:
        if (reason := why_not(display)) is not None:
            return nothing | {"edfbrowser_why_not": reason}
        montage = folder / "montage.mtg"
        write_montage(montage)
        browser = EdfBrowser(night, montage, environment(folder, display))
        try:
            theirs = [browser.cpu_ms_a_page(pages)]
            counted = list(own.times_ms), list(own.floors_ms)
            own.turn(pages)
            own.times_ms, own.floors_ms = counted
            theirs.append(browser.cpu_ms_a_page(pages))
        finally:
            browser.close()
    ours = own.cpu_ms[-1]
    return {
        "cpu_ms": round(ours, 2),
        "edfbrowser_cpu_ms": round(float(np.mean(theirs)), 2),
        "edfbrowser_cpu_ratio": _ratio(ours, float(np.mean(theirs))),
    }


def _more(own: Viewer, count: int, *, scoring: bool) -> dict[str, object]:
    """What else is done with a page: filters and montage, gains, dragging, the whole night, all while scoring."""
    plain, full = own.ask("plain", count), own.ask("full", count)
    night = own.ask("night", count)
    result: dict[str, object] = {
        "filters_ratio": _ratio(median(full["turns"]), median(plain["turns"])),
        "jump_ms": round(median(full["jumps"]), 2),
        "jump_filters_ratio": _ratio(median(full["jumps"]), median(plain["jumps"])),
        "gain_pictures_a_second": round(1000 / median(own.ask("gains", count)), 1),
        "drag_pictures_a_second": round(1000 / median(own.ask("drag", max(count, 20))), 1),
        "night_first_ms": night["first_ms"],
        "night_true_ms": night["true_ms"],
        "night_pan_p95_ms": _summary(night["night_pans"])["p95_ms"],
        "hour_pan_median_ms": _summary(night["hour_pans"])["median_ms"],
        "hour_pan_p95_ms": _summary(night["hour_pans"])["p95_ms"],
        "p95_ms_while_scoring": None,
    }
    if scoring:
        times = own.ask("scoring", count)
        result["p95_ms_while_scoring"] = _summary(times)["p95_ms"] if times else None
        result["turns_while_scoring"] = len(times)
    return result


def _missed(result: dict[str, Any]) -> list[str]:
    """Names of the targets that were not reached, of those that were measured."""
    missed = [name for name, most in TARGETS.items() if result.get(name) is not None and result[name] > most]
    pictures = ("gain_pictures_a_second", "drag_pictures_a_second")
    return missed + [name for name in pictures if result[name] < LEAST_PICTURES_A_SECOND]


def _print_table(figures: dict[str, dict[str, float]], split: dict[str, float]) -> None:
    print(f"{'program':<14} {'median ms':>10} {'p95 ms':>8} {'least':>8} {'most':>8} {'turns':>6}")
    for who, row in figures.items():
        print(f"{who:<14} " + "{median_ms:>10} {p95_ms:>8} {min_ms:>8} {max_ms:>8} {turns:>6}".format(**row))
    print("one page turn of sleepviewer, ms: " + ", ".join(f"{step} {ms:.2f}" for step, ms in split.items()))


def _ratio(one: float, other: float) -> float:
    return round(one / other, 3)


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
