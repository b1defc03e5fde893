"""Hours of work in minutes: page turns, zooms and opened nights; what memory they leave, and the longest stall.

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import HERE, NIGHTS, SIZE, environment, machine, report, virtual_display

TARGET_GROWTH_MB = 10.0


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=2000, help="page turns")
    parser.add_argument("--zooms", type=int, default=200, help="changes of the page's length")
    parser.add_argument("--nights", type=int, default=50, help="nights opened, two files in turns")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, virtual_display() as display:
        folder = Path(name)
        nights = []
        for which, write in NIGHTS.items():
            nights.append(folder / f"{which}.edf")
            write(nights[-1])
        counts = [str(options.turns), str(options.zooms), str(options.nights)]
        child = subprocess.run(
            [sys.executable, str(HERE / "soak_child.py"), *counts, *map(str, nights)],
            env=environment(folder, display),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures = json.loads(child.stdout.splitlines()[-1])
    report(
        {
            "benchmark": "soak",
            **figures,
            "target_growth_mb": TARGET_GROWTH_MB,
            "met": figures["growth_mb"] <= TARGET_GROWTH_MB,
            "turns": options.turns,
            "zooms": options.zooms,
            "nights": options.nights,
            "display": "offscreen" if display is None else "xvfb",
            "window": SIZE,
            "platform": machine(),
        },
        options.out,
    )


if __name__ == "__main__":
    main()
