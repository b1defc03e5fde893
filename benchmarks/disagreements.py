"""Ten thousand disagreements in the window's list: how long scrolling, sorting, filtering and an edit take.

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import HERE, SIZE, environment, machine, report, virtual_display

TARGET_MS = 100.0


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disagreements", type=int, default=10_000, help="how many epochs differ")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is done")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, virtual_display() as display:
        command = [sys.executable, str(HERE / "disagreements_child.py"), name]
        child = subprocess.run(
            [*command, str(options.disagreements), str(options.rounds)],
            env=environment(Path(name), display),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures = json.loads(child.stdout.splitlines()[-1])
    slowest = max(figures[f"{what}_slowest_ms"] for what in ("scroll", "sort", "filter"))
    report(
        {
            "benchmark": "disagreements",
            **figures,
            "target_ms": TARGET_MS,
            "met": slowest < TARGET_MS,
            "display": "offscreen" if display is None else "xvfb",
            "window": SIZE,
            "platform": machine(),
        },
        options.out,
    )


if __name__ == "__main__":
    main()
