"""Elan's hypnogram (``.hyp``), which Visbrain writes too: a head that says how long a number lasts, then numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.words import read_lines
from sleepviewer.stages import Stage, stage_from_digit

_STEP: Final = "time_base"
_LIST: Final = "epoch_list"
_LONGEST_STEP_S: Final = 120.0


def is_elan_head(line: str) -> bool:
    """Whether a line is the first of such a file."""
    return line.split()[:1] == [_STEP]


def read_elan(path: Path) -> StageTrack:
    """Read an Elan hypnogram: ``time_base`` seconds a number; 0 W, 1, 2, 3 and 4 = N3, 5 REM, -1 artefact.

    The file has no clock, so the track is taken to start with the recording.

    Raises HypnogramError where the file can't be read, its head is not as it should be, or a number is no stage.
    """
    lines = [line.strip() for line in read_lines(path)]
    head = {parts[0]: parts[1] for line in lines[:10] if len(parts := line.split()) == 2}
    step_s = _step(head.get(_STEP, ""), path)
    if _LIST not in lines:
        raise HypnogramError(f"{path.name} has no line “{_LIST}”, after which an Elan hypnogram lists its stages.")
    bouts: list[Bout] = []
    for number, word in enumerate(lines[lines.index(_LIST) + 1 :], lines.index(_LIST) + 2):
        if not word:
            continue
        digit = int(word) if word.lstrip("-").isdecimal() else None
        stage = Stage.UNKNOWN if digit == -2 else None if digit is None else stage_from_digit(digit, r_and_k=True)
        if stage is None:
            raise HypnogramError(f"{path.name}, line {number}: “{word}” is no stage of an Elan hypnogram (-1 to 5).")
        bouts.append(Bout(len(bouts) * step_s, step_s, int(stage)))
    if not bouts:
        raise HypnogramError(f"{path.name} holds no sleep stage after “{_LIST}”.")
    ordered, _ = in_order(bouts, path.name)
    note = f"{path.name} was read as Elan: every {step_s:g} s; 0 W, 1 N1, 2 N2, 3 and 4 N3, 5 REM."
    return StageTrack(ordered, None, path.name, notes=(note,))


def _step(text: str, path: Path) -> float:
    try:
        step = float(text)
    except ValueError:
        step = math.nan
    if not 0 < step <= _LONGEST_STEP_S:
        raise HypnogramError(f"{path.name} says that a stage lasts “{text}” seconds, which can't be.")
    return step
