"""The DREAMS databases' text: a name in square brackets, then a number every 5 seconds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.words import read_lines
from sleepviewer.stages import Stage

_HEADER: Final = re.compile(r"\[\s*hypnogram[^\]]*\]", re.IGNORECASE)
_STEP_S: Final = 5.0
_NUMBERS: Final = {
    "5": Stage.W,
    "4": Stage.REM,
    "3": Stage.N1,
    "2": Stage.N2,
    "1": Stage.N3,
    "0": Stage.N3,
    "-1": Stage.UNKNOWN,
    "-2": Stage.UNKNOWN,
    "-3": Stage.UNKNOWN,
}
"""5 wake, 4 REM, 3 S1, 2 S2, 1 S3, 0 S4; movement and unknown are negative (DREAMS Subjects database, its page)."""


def is_dreams_header(line: str) -> bool:
    """Whether a line is the head of such a file."""
    return _HEADER.fullmatch(line.strip()) is not None


def read_dreams(path: Path) -> StageTrack:
    """Read a hypnogram of the DREAMS databases, R&K or AASM: one number for every 5 seconds.

    The file has no clock, so the track is taken to start with the recording.

    Raises HypnogramError where the file can't be read, is empty, or holds another number.
    """
    bouts: list[Bout] = []
    for number, line in enumerate(read_lines(path), 1):
        word = line.strip()
        if not word or is_dreams_header(word):
            continue
        stage = _NUMBERS.get(word)
        if stage is None:
            raise HypnogramError(f"{path.name}, line {number}: “{word}” is no stage of the DREAMS databases (-3 to 5).")
        bouts.append(Bout(len(bouts) * _STEP_S, _STEP_S, int(stage)))
    if not bouts:
        raise HypnogramError(f"{path.name} holds no sleep stage under its name.")
    ordered, _ = in_order(bouts, path.name)
    note = f"{path.name} was read as DREAMS: every {_STEP_S:g} s; 5 W, 4 REM, 3 N1, 2 N2, 1 and 0 N3."
    return StageTrack(ordered, None, path.name, notes=(note,))
