"""Visbrain's text: a line for every bout, with the second at which it ends."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.words import read_lines
from sleepviewer.stages import stage_from_word

_MARK: Final = "*"
_DURATION: Final = "*Duration_sec"


def is_visbrain_head(line: str) -> bool:
    """Whether a line is the first of such a file."""
    return line.lower().startswith(_DURATION.lower())


def read_visbrain(path: Path) -> StageTrack:
    """Read Visbrain's text: ``*`` lines first, then ``stage end`` with the end in seconds from the recording's start.

    The file has no clock, so the track is taken to start with the recording.

    Raises HypnogramError where the file can't be read, a line is not of that kind, or an end lies before the last one.
    """
    bouts: list[Bout] = []
    end_s = 0.0
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip() or line.startswith((_MARK, "#")):
            continue
        word, _, text = line.strip().rpartition("\t" if "\t" in line.strip() else " ")
        stage, stop_s = stage_from_word(word) if word else None, _number(text)
        if stage is None or math.isnan(stop_s):
            raise HypnogramError(f"{path.name}, line {number}: “{line.strip()}” is no stage and the second of its end.")
        if stop_s <= end_s:
            raise HypnogramError(f"{path.name}, line {number}: the bout ends before the one above it; correct it.")
        bouts.append(Bout(end_s, stop_s - end_s, int(stage)))
        end_s = stop_s
    if not bouts:
        raise HypnogramError(f"{path.name} holds no sleep stage.")
    ordered, _ = in_order(bouts, path.name)
    return StageTrack(ordered, None, path.name)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
