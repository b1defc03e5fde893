"""Philips Sleepware (Alice) RML: the stages as they change."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.words import clock_of, without_zone
from sleepviewer.hypnogram.xml_file import elements
from sleepviewer.stages import EPOCH_S, Stage, stage_from_word

SLEEPWARE_ROOT: Final = "PatientStudy"
_BY_HAND: Final = "UserStaging"
_WORDS: Final = {"nonrem1": Stage.N1, "nonrem2": Stage.N2, "nonrem3": Stage.N3, "nonrem4": Stage.N3}
_OPEN: Final = frozenset({"notscored", "unscored", "unknown"})


def read_sleepware(path: Path) -> StageTrack:
    """Read the stages of an RML file: those that a person has set, ``UserStaging``, never the machine's.

    A stage begins ``Start`` seconds after the recording and lasts until the next one; how long the last one lasts is
    not said unless the file tells the recording's duration, and it is then taken to be an epoch. The clock is the
    acquisition's.

    Raises HypnogramError where the file can't be read, holds no such stage, or one that is unknown or has no time.
    """
    changes: dict[float, Stage] = {}
    clock, duration_s = "", math.nan
    for element in elements(path, ("Stage", "RecordingStart", "Duration", "Segment")):
        if element.place[-1] == "Stage" and _BY_HAND in element.place:
            start = _seconds(element.attributes.get("Start", ""))
            if math.isnan(start):
                raise HypnogramError(
                    f"{path.name}: a stage begins at “{element.attributes.get('Start', '')}”, no time."
                )
            changes[start] = _stage(element.attributes.get("Type", ""), path)
        elif element.place[-1] == "RecordingStart" or "StartTime" in element.children:
            clock = clock or element.children.get("StartTime", element.text)
            duration_s = _seconds(element.children.get("Duration", "")) if math.isnan(duration_s) else duration_s
        elif element.place[-1] == "Duration" and "Acquisition" in element.place and math.isnan(duration_s):
            duration_s = _seconds(element.text)
    if not changes:
        raise HypnogramError(f"{path.name} holds no stage that a person has set; score the night there first.")
    starts = sorted(changes)
    ends_known = duration_s > starts[-1]
    edges = [*starts, duration_s if ends_known else starts[-1] + EPOCH_S]
    bouts = (Bout(a, b - a, int(changes[a])) for a, b in pairwise(edges))
    ordered, notes = in_order(bouts, path.name)
    if not ends_known:
        notes = (*notes, f"{path.name} does not say how long its last stage lasts; it was taken for one epoch.")
    return StageTrack(ordered, without_zone(clock_of(clock)), path.name, notes=notes)


def _stage(word: str, path: Path) -> Stage:
    key = word.strip().lower().replace("-", "").replace(" ", "")
    stage = Stage.UNKNOWN if key in _OPEN else _WORDS.get(key) or stage_from_word(word)
    if stage is None:
        raise HypnogramError(f"{path.name} holds the stage “{word}”, which is not known here; correct it there.")
    return stage


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
