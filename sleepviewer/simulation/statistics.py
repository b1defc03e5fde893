"""What the simulator knows of real nights: the aggregates of Sleep-EDF that come with the program."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from sleepviewer.packaged import resource


@cache
def sleep_edf_statistics() -> dict[str, Any]:
    """Read the aggregates over Sleep-EDF's nights; the file says whence, ``tools/simulation_statistics.py`` made it."""
    text = resource("simulation", "sleep_edf_statistics.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
