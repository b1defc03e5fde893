"""Folders that the tests read from."""

from __future__ import annotations

import os
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
DATA = TESTS / "data"
SHARED = Path(os.environ.get("SLEEPVIEWER_DATA", ROOT.parent / "shared"))
"""Real recordings and reference vectors, where there are any."""
