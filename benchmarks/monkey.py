"""A day's work and more, compressed: thousands of random actions in the real window, and what goes wrong in them.

Actions are drawn by a seed: page turns, stages, undo and redo, gains, lengths of pages, panels, themes, scorings with
the default engine, and the opening of several nights, odd ones and damaged ones among them. A thread beside the window
notes every time for which it answers to nothing, with what it was doing then. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import HERE, NIGHTS, SIZE, environment, machine, report, virtual_display

TARGET_GROWTH_MB = 20.0


def main() -> None:
    """Let the monkey work, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=20_000, help="how many actions")
    parser.add_argument("--seed", type=int, default=0, help="which actions")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, virtual_display() as display:
        folder = Path(name)
        for which, write in NIGHTS.items():
            write(folder / f"{which}.edf")
        child = subprocess.run(
            [sys.executable, str(HERE / "monkey_child.py"), str(options.actions), str(options.seed), name],
            env=environment(folder, display),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        lines = child.stdout.splitlines()
    # A process that died has told nothing: that is a result as well.
    figures = json.loads(lines[-1]) if child.returncode == 0 and lines else {"crashed": child.returncode}
    met = (
        child.returncode == 0
        and not figures["exceptions"]
        and not figures["stalls_over_200_ms"]
        and figures["growth_mb"] <= TARGET_GROWTH_MB
    )
    report(
        {
            "benchmark": "monkey",
            **figures,
            "target_growth_mb": TARGET_GROWTH_MB,
            "met": met,
            "seed": options.seed,
            "display": "offscreen" if display is None else "xvfb",
            "window": SIZE,
            "platform": machine(),
        },
        options.out,
    )


if __name__ == "__main__":
    main()
