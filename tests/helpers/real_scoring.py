"""A real night as the installed command scores it; it takes a while, so that all tests share one (``scored_real``)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ScoredNight:
    path: Path
    result: dict[str, Any]


def score(night: Path, truth: Path, out: Path) -> ScoredNight:
    """Have ``sleepviewer score`` write an archive of a night, and say what it printed."""
    command = [sys.executable, "-m", "sleepviewer", "score", night, "--truth", truth, "--out", out, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    return ScoredNight(out, json.loads(done.stdout))
