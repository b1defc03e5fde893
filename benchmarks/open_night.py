"""From the start of the process to the first painted trace, and the memory that takes.

Each run is a fresh process that does what ``sleepviewer view NIGHT`` does, on an 8-hour night of 8 channels at 256 Hz
in a window of 1600×900. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import HERE, SIZE, environment, machine, median, report, virtual_display, write_night
from edfbrowser import EdfBrowser, why_not, write_montage

TARGET_S = 0.9
TARGET_MB = 180.0
TARGET_OVER_EDFBROWSER_S = 0.6
_IDLE_S = 2.0
_WARM_S = 15.0
"""By then the scoring process has imported and compiled what its engine needs."""


def main() -> None:
    """Measure, print a table and the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs on each display after one that is not counted")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, virtual_display() as display:
        folder = Path(name)
        night = folder / "night.edf"
        write_night(night)
        platforms = ["offscreen"] if display is None else ["offscreen", "xvfb"]
        print(f"{'display':<10} {'run':>4} {'imports s':>10} {'trace s':>9} {'peak MB':>9} {'after 2 s':>10}")
        results = {}
        for where in platforms:
            env = environment(folder, display if where == "xvfb" else None)
            _open(night, env, _IDLE_S)
            runs = []
            for run in range(options.runs):
                runs.append(_open(night, env, _IDLE_S))
                figures = runs[-1]
                print(
                    f"{where:<10} {run + 1:>4} {figures['imports_s']:>10.3f} {figures['painted_s']:>9.3f} "
                    f"{figures['painted_mb']:>9.1f} {figures['idle_mb']:>10.1f}"
                )
            results[where] = _summary(runs)
        warmed = _open(night, env, _WARM_S)
        edfbrowser, reason = _open_in_edfbrowser(night, folder, display, options.runs)
    # The display that paints into a real X server counts, where there is one.
    counted = results[platforms[-1]]
    report(
        {
            "benchmark": "open_night",
            **counted,
            "scoring_process_rss_mb": round(warmed["scoring_process_mb"], 1),
            "edfbrowser_start_s": edfbrowser,
            "edfbrowser_why_not": reason,
            "over_edfbrowser_s": None if edfbrowser is None else round(counted["cold_start_s"] - edfbrowser, 3),
            "target_over_edfbrowser_s": TARGET_OVER_EDFBROWSER_S,
            "target_cold_start_s": TARGET_S,
            "target_peak_rss_mb": TARGET_MB,
            "met": counted["cold_start_s"] <= TARGET_S
            and counted["peak_rss_mb"] <= TARGET_MB
            and (edfbrowser is None or counted["cold_start_s"] <= edfbrowser + TARGET_OVER_EDFBROWSER_S),
            "runs": options.runs,
            "display": platforms[-1],
            "displays": results,
            "window": SIZE,
            "platform": machine(),
        },
        options.out,
    )


def _open(night: Path, env: dict[str, str], idle_s: float) -> dict[str, float]:
    """Open the night in a fresh process; return its times in seconds since the process was asked for, and its MB."""
    started = {"BENCHMARK_STARTED_NS": str(time.monotonic_ns())}
    child = subprocess.run(
        [sys.executable, str(HERE / "open_night_child.py"), str(night), str(idle_s)],
        env=env | started,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(child.stdout.splitlines()[-1])


def _open_in_edfbrowser(night: Path, folder: Path, display: str | None, runs: int) -> tuple[float | None, str | None]:
    """Return the median seconds until EDFbrowser has come to rest with the night painted, or None and why not."""
    if (reason := why_not(display)) is not None:
        return None, reason
    montage = folder / "montage.mtg"
    write_montage(montage)
    starts = []
    for _ in range(runs + 1):
        browser = EdfBrowser(night, montage, environment(folder, display))
        starts.append(browser.start_s)
        browser.close()
    return round(median(starts[1:]), 3), None


def _summary(runs: list[dict[str, float]]) -> dict[str, float]:
    painted = [run["painted_s"] for run in runs]
    return {
        "cold_start_s": round(median(painted), 3),
        "cold_start_min_s": round(min(painted), 3),
        "cold_start_max_s": round(max(painted), 3),
        "imports_s": round(median([run["imports_s"] for run in runs]), 3),
        "window_shown_s": round(median([run["shown_s"] for run in runs]), 3),
        "peak_rss_mb": round(max(run["idle_mb"] for run in runs), 1),
        "peak_rss_at_first_trace_mb": round(max(run["painted_mb"] for run in runs), 1),
    }


if __name__ == "__main__":
    main()
