"""SOMNOmedics' exported profile (DOMINO): a head, then ``time; stage`` lines, in English or German."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.clocks import lenient_time, since_first
from sleepviewer.hypnogram.words import read_lines
from sleepviewer.stages import Stage, stage_from_word

_HEAD: Final = re.compile(r"signal\s*id\s*:\s*schlafprofil|signal\s*id\s*:\s*sleep\s*profile", re.IGNORECASE)
_START: Final = re.compile(r"start time:\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\s+(\d{1,2}):(\d{2}):(\d{2})", re.IGNORECASE)
_RATE: Final = re.compile(r"rate:\s*([\d.,]+)\s*s", re.IGNORECASE)
_ROW: Final = re.compile(r"\s*([\d:.]+(?:,\d+)?)\s*;\s*(.+?)\s*")
_WORDS: Final = {
    **dict.fromkeys(("a", "bewegung", "artefakt"), Stage.UNKNOWN),
    **{f"stadium {k}": stage for k, stage in ((1, Stage.N1), (2, Stage.N2), (3, Stage.N3), (4, Stage.N3))},
}
_LONGEST_STEP_S: Final = 120.0
_HALF_A_DAY_S: Final = 43200.0


def is_somnomedics_head(line: str) -> bool:
    """Whether a line is the first of such a file."""
    return _HEAD.match(line.strip()) is not None


def read_somnomedics(path: Path) -> StageTrack:
    """Read a sleep profile: each line's stage lasts the file's ``Rate``; artefact and movement are epochs without one.

    Raises HypnogramError where the file can't be read, does not say its rate, or holds no or an unknown stage.
    """
    lines = read_lines(path)
    text = "\n".join(lines[:20])
    step_s = _step(text, path)
    moments, stages = [], []
    for number, line in enumerate(lines, 1):
        row = _ROW.fullmatch(line)
        moment = None if row is None else lenient_time(row[1])
        if row is None or moment is None:
            continue
        known = _WORDS.get(row[2].lower())
        stage = stage_from_word(row[2]) if known is None else known
        if stage is None:
            raise HypnogramError(f"{path.name}, line {number}: “{row[2]}” is no sleep stage that is known here.")
        moments.append(moment)
        stages.append(stage)
    if not moments:
        raise HypnogramError(f"{path.name} is the head of a sleep profile without any stage.")
    onsets = since_first(moments)
    ordered, notes = in_order(
        (Bout(onset, step_s, int(stage)) for onset, stage in zip(onsets, stages, strict=True)), path.name
    )
    start = _start(text)
    if start is None:
        return StageTrack(ordered, None, path.name, notes=notes, start_time=moments[0])
    # The first row's time of day is that of second 0; the head's date is the recording's, which may begin before it.
    first = datetime.combine(start.date(), moments[0])
    if (start - first).total_seconds() > _HALF_A_DAY_S:
        first += timedelta(days=1)
    return StageTrack(ordered, first, path.name, notes=notes)


def _step(text: str, path: Path) -> float:
    match = _RATE.search(text)
    step_s = float(match[1].replace(",", ".")) if match is not None and match[1].count(".") < 2 else 0.0
    if not 0 < step_s <= _LONGEST_STEP_S:
        raise HypnogramError(f"{path.name} does not say at what rate its stages follow each other (“Rate: 30 s”).")
    return step_s


def _start(text: str) -> datetime | None:
    match = _START.search(text)
    if match is None:
        return None
    day, month, year, hour, minute, second = (int(part) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
