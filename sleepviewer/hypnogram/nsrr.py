"""The National Sleep Research Resource's XML: scored events with their seconds, the stages among them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.clocks import lenient_time
from sleepviewer.hypnogram.profusion import epoch_length
from sleepviewer.hypnogram.words import tells_time
from sleepviewer.hypnogram.xml_file import elements
from sleepviewer.stages import EPOCH_S, Stage, stage_from_digit

NSRR_ROOT: Final = "PSGAnnotation"
_EVENT: Final = (NSRR_ROOT, "ScoredEvents", "ScoredEvent")
_EPOCH_LENGTH: Final = (NSRR_ROOT, "EpochLength")
_STAGES: Final = "stages"
_START: Final = "Recording Start Time"
_UNUSABLE: Final = frozenset({"movement", "unscored", "unsure"})
_CENTURY: Final = 2000


def read_nsrr(path: Path) -> StageTrack:
    """Read the stages of an NSRR XML file: the events of type ``Stages|Stages``.

    Their concepts end in R&K's numbers (``Stage 2 sleep|2``): 0 W, 1, 2, 3 and 4 = N3, 5 REM; movement, unscored and
    unsure are epochs without a stage. The clock is that of the event “Recording Start Time” (dd.mm.yy); where its date
    is 00.00.00, only the time of day counts.

    Raises HypnogramError where the file can't be read, holds no stage, or one with no number of seconds.
    """
    bouts: list[Bout] = []
    unusable: Counter[str] = Counter()
    start: datetime | None = None
    start_time: time | None = None
    epoch_s = EPOCH_S
    for element in elements(path, (_EVENT[-1], _EPOCH_LENGTH[-1])):
        values = element.children
        if element.place == _EPOCH_LENGTH:
            epoch_s = epoch_length(element.text, path)
        elif element.place != _EVENT:
            continue
        elif values.get("EventConcept") == _START:
            start, start_time = _clock(values.get("ClockTime", ""))
        elif values.get("EventType", "").partition("|")[0].strip().lower() == _STAGES:
            stage = _stage(values.get("EventConcept", ""), path)
            if stage is Stage.UNKNOWN:
                unusable[values.get("EventConcept", "").partition("|")[0]] += 1
            bouts.append(Bout(_seconds(values, "Start", path), _seconds(values, "Duration", path), int(stage)))
    ordered, overlaps = in_order(bouts, path.name)
    if not ordered:
        raise HypnogramError(f"{path.name} holds no sleep stage; choose the file of a scored night.")
    notes = list(overlaps)
    if epoch_s != EPOCH_S:
        notes.append(f"{path.name} was scored in epochs of {epoch_s:g} s.")
    if unusable:
        named = ", ".join(f"“{word}” ({count})" for word, count in sorted(unusable.items()))
        notes.append(f"{path.name}: stretches without a sleep stage: {named}.")
    if start is None and start_time is not None:
        notes.append(f"{path.name} has no start date (anonymised), so only its time of day counts.")
    return StageTrack(ordered, start, path.name, notes=tuple(notes), start_time=start_time)


def _stage(concept: str, path: Path) -> Stage:
    word, _, number = concept.rpartition("|")
    if (word or number).strip().lower() in _UNUSABLE:
        return Stage.UNKNOWN
    stage = stage_from_digit(int(number), r_and_k=True) if number.strip().isdecimal() else None
    if stage is None:
        raise HypnogramError(f"{path.name} holds “{concept}” among its stages, which is none; correct it there.")
    return stage


def _seconds(values: Mapping[str, str], key: str, path: Path) -> float:
    text = values.get(key, "")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise HypnogramError(f"{path.name}: a stage's {key} is “{text}”, which is no number of seconds; correct it.")
    return seconds


def _clock(text: str) -> tuple[datetime | None, time | None]:
    """Return date and time, or, without a valid date, the time of day alone; 00:00:00 tells nothing."""
    day, _, clock = text.strip().rpartition(" ")
    moment = lenient_time(clock)
    if moment is None:
        return None, None
    try:
        date, month, year = (int(part) for part in day.split("."))
        return datetime(year + _CENTURY if year < 100 else year, month, date).replace(
            hour=moment.hour, minute=moment.minute, second=moment.second
        ), None
    except ValueError:
        return None, moment if tells_time(moment) else None
