"""Embla RemLogic: its exported list of events as text (as in the CAP Sleep Database), and as XML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.clocks import lenient_time, since_first
from sleepviewer.hypnogram.words import clock_of, read_lines, without_zone
from sleepviewer.hypnogram.xml_file import elements
from sleepviewer.stages import EPOCH_S, Stage, stage_from_word

EMBLA_ROOTS: Final = ("EventExport", "Events")
_EVENT: Final = re.compile(r"SLEEP-(?P<word>\S+)", re.IGNORECASE)
_TIME: Final = re.compile(r"\d{1,2}[:.]\d{2}[:.]\d{2}(?:[.,]\d+)?")
_HEADER: Final = re.compile(r"sleep stage\b.*\btime\s*\[hh[:.]mm[:.]ss", re.IGNORECASE)
_TO_MICROSECONDS: Final = len("2021-03-09T21:10:21.000000")
_WORDS: Final = {"s0": Stage.W, "rem": Stage.REM, "mt": Stage.UNKNOWN, "unscored": Stage.UNKNOWN}


def is_remlogic_header(line: str) -> bool:
    """Whether a line is the head of RemLogic's table."""
    return _HEADER.search(line) is not None


def read_remlogic(path: Path) -> StageTrack:
    """Read the stages of RemLogic's text export: the events that begin with ``SLEEP-``.

    The columns differ from file to file (a position or none, tabs or blanks, colons or full stops in the time), so a
    row's time is its first word that is one, and its duration the number after the event; without one it lasts 30 s.
    The file's dates can't be told apart from each other's orders, so the track has a time of day alone.

    Raises HypnogramError where the file can't be read, or holds no stage or an unknown one.
    """
    rows = []
    lines = read_lines(path)
    head = next((i for i, line in enumerate(lines) if is_remlogic_header(line)), -1)
    for number, line in enumerate(lines[head + 1 :], head + 2):
        event, clock = _EVENT.search(line), _TIME.search(line)
        if event is None:
            continue
        moment = None if clock is None else lenient_time(clock[0])
        if moment is None:
            raise HypnogramError(f"{path.name}, line {number}: the stage has no time of day; export the list again.")
        rows.append((moment, _duration(line[event.end() :]), _stage(event["word"], f"{path.name}, line {number}")))
    if not rows:
        raise HypnogramError(f"{path.name} lists no event SLEEP-…; export the list with the sleep stages.")
    onsets = since_first((row[0] for row in rows), slack_s=EPOCH_S)
    first = rows[onsets.index(min(onsets))][0]
    bouts = [Bout(onset - min(onsets), row[1], int(row[2])) for onset, row in zip(onsets, rows, strict=True)]
    ordered, notes = in_order(bouts, path.name)
    notes = (*notes, f"{path.name} gives times of day without a date.")
    return StageTrack(ordered, None, path.name, notes=notes, start_time=first)


def _duration(rest: str) -> float:
    words = rest.split()
    try:
        duration = float(words[0].replace(",", ".")) if words else 0.0
    except ValueError:
        duration = 0.0
    return duration if 0 < duration < float("inf") else EPOCH_S


def _stage(word: str, place: str) -> Stage:
    known = _WORDS.get(word.lower())
    stage = stage_from_word(word) if known is None else known
    if stage is None:
        raise HypnogramError(f"{place}: SLEEP-{word} is no sleep stage that is known here; correct it.")
    return stage


def read_remlogic_xml(path: Path) -> StageTrack:
    """Read the stages of RemLogic's XML: each ``Event`` whose ``Type`` begins with ``SLEEP-``, by its clock times.

    Raises HypnogramError where the file can't be read, holds no stage, or one without start and stop.
    """
    found: list[tuple[datetime, datetime, Stage]] = []
    for element in elements(path, ("Event",)):
        event = _EVENT.fullmatch(element.children.get("Type", ""))
        if event is not None and element.place[-2:-1] == ("Events",):
            stage = _stage(event["word"], path.name)
            found.append((*_interval(element.children, path), stage))
    if not found:
        raise HypnogramError(f"{path.name} holds no event SLEEP-…, so there is no sleep stage in it.")
    start = min(begin for begin, _, _ in found)
    bouts = (Bout((a - start).total_seconds(), (b - a).total_seconds(), int(stage)) for a, b, stage in found)
    ordered, notes = in_order(bouts, path.name)
    if not ordered:
        raise HypnogramError(f"{path.name} holds sleep stages, but each of them lasts 0 seconds.")
    return StageTrack(ordered, start, path.name, notes=notes)


def _interval(values: Mapping[str, str], path: Path) -> tuple[datetime, datetime]:
    start, stop = (without_zone(clock_of(values.get(key, "")[:_TO_MICROSECONDS])) for key in ("StartTime", "StopTime"))
    if start is None or stop is None:
        raise HypnogramError(f"{path.name}: a sleep stage has no start and stop as date and time; export it again.")
    return start, stop
