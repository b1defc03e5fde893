"""Luna's annotations (``.annot``): one interval a line, of any class; the stages among them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.files import atomic_writer
from sleepviewer.hypnogram.base import Bout, Hypnogram, StageTrack
from sleepviewer.hypnogram.bouts import bouts_of, in_order
from sleepviewer.hypnogram.clocks import lenient_time, since_first
from sleepviewer.hypnogram.words import one_line, read_lines, remarks_of
from sleepviewer.stages import EPOCH_S, Stage, stage_from_word

_COLUMNS: Final = ("class", "instance", "channel", "start", "stop", "meta")
_UNTIL_NEXT: Final = "..."
_EPOCH: Final = re.compile(r"e(?:(?P<length>\d+(?:\.\d+)?))?:(?P<number>\d+)")
_WORDS: Final = {"l": Stage.UNKNOWN}
"""Luna's L is an epoch with the lights on."""
_WRITTEN: Final = {Stage.REM: "R", Stage.UNKNOWN: "?"}


def is_luna_head(line: str) -> bool:
    """Whether a line is the head of columns of such a file."""
    return tuple(line.lower().split())[:5] == _COLUMNS[:5]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    stage: Stage
    start: str
    stop: str


def read_luna(path: Path) -> StageTrack:
    """Read the stages of a Luna ``.annot`` file.

    Its rows are class, instance, channel, start, stop and meta (or class, instance, start and stop), split by tabs.
    Times are seconds from the recording's start, clock times (hh:mm:ss), elapsed times (+hh:mm:ss) or epochs (e:1); a
    stop may also be a duration (+30) or ``...``, until the next stage. Rows of other classes are passed over. Lines
    that begin with ``#`` are declarations and comments; ``# start:`` and ``# scorer:`` are understood.

    Raises HypnogramError where the file can't be read, holds no stage, or a time that can't be understood.
    """
    lines = read_lines(path)
    rows = [row for number, line in enumerate(lines, 1) if (row := _row(number, line, path)) is not None]
    if not rows:
        raise HypnogramError(f"{path.name} holds no annotation of a sleep stage (W, N1, N2, N3, R or ?).")
    remarks = remarks_of([line for line in lines if line.startswith("#")], path.name)
    clocks = [lenient_time(row.start) for row in rows]
    start_time: time | None = remarks.start_time
    if all(clock is not None for clock in clocks):
        onsets = since_first(clock for clock in clocks if clock is not None)
        start_time = clocks[0]
        bouts = _bouts(
            rows, onsets, [_stop(row, onset, clocks[0], path) for row, onset in zip(rows, onsets, strict=True)]
        )
    elif any(clock is not None for clock in clocks):
        raise HypnogramError(f"{path.name} gives some starts as clock times and some not; write them all in one way.")
    else:
        onsets = [_seconds(row.start, row.line, path) for row in rows]
        bouts = _bouts(rows, onsets, [_stop(row, onset, None, path) for row, onset in zip(rows, onsets, strict=True)])
    ordered, notes = in_order(bouts, path.name)
    if not ordered:
        raise HypnogramError(f"{path.name} holds sleep stages, but each of them lasts 0 seconds.")
    start: datetime | None = remarks.start
    notes = (*notes, *remarks.notes)
    return StageTrack(ordered, start, path.name, remarks.scorer, notes, start_time=None if start else start_time)


def _row(number: int, line: str, path: Path) -> _Row | None:
    if not line.strip() or line.startswith("#") or is_luna_head(line):
        return None
    cells = line.rstrip("\n").split("\t")
    if len(cells) == 1:
        cells = line.split()
    word = cells[0].strip()
    stage = _WORDS.get(word.lower()) or (stage_from_word(word) if word else None)
    if stage is None:
        return None
    if len(cells) < 4:
        raise HypnogramError(f"{path.name}, line {number}: a stage needs a class, an instance, a start and a stop.")
    start, stop = (cells[3], cells[4]) if len(cells) >= 5 else (cells[2], cells[3])
    return _Row(number, stage, start.strip(), stop.strip())


def _bouts(rows: Sequence[_Row], onsets: Sequence[float], stops: Sequence[float | None]) -> list[Bout]:
    later = dict(pairwise(sorted(set(onsets))))
    ends = [
        stop if stop is not None else later.get(onset, onset + EPOCH_S)
        for onset, stop in zip(onsets, stops, strict=True)
    ]
    return [Bout(onset, end - onset, int(row.stage)) for row, onset, end in zip(rows, onsets, ends, strict=True)]


def _stop(row: _Row, onset: float, first: time | None, path: Path) -> float | None:
    """Return when a row's stage ends, in seconds; None for “until the next one”."""
    if row.stop == _UNTIL_NEXT:
        return None
    clock = lenient_time(row.stop)
    if clock is not None and first is not None:
        stop = since_first([first, clock])[1]
        days = math.ceil((onset - stop) / 86400) if stop < onset else 0
        return stop + days * 86400
    if row.stop.startswith("+") and lenient_time(row.stop[1:]) is None:
        return onset + _seconds(row.stop[1:], row.line, path)
    if epoch := _EPOCH.fullmatch(row.stop):
        return _epoch_s(epoch, 0)
    return _seconds(row.stop, row.line, path)


def _seconds(text: str, line: int, path: Path) -> float:
    if epoch := _EPOCH.fullmatch(text):
        return _epoch_s(epoch, 1)
    if text.startswith("+") and (elapsed := lenient_time(text[1:])) is not None:
        return elapsed.hour * 3600 + elapsed.minute * 60 + elapsed.second + elapsed.microsecond / 1e6
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise HypnogramError(f"{path.name}, line {line}: “{text}” is no time that can be understood; give seconds.")
    return value


def _epoch_s(epoch: re.Match[str], back: int) -> float:
    """Return the second at which an epoch begins (``back`` 1) or ends (0); epochs are counted from 1."""
    return (int(epoch["number"]) - back) * float(epoch["length"] or EPOCH_S)


def write_luna(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write a Luna ``.annot`` file: a row for every bout, in seconds from the recording's start.

    Start, scorer and, if so, SIMULATED are comments. Raises OutputError where the file can't be written.
    """
    lines = ["# sleep stages"]
    if simulated:
        lines.append("# SIMULATED: this is no real night")
    if hypnogram.start is not None:
        lines.append(f"# start: {hypnogram.start.isoformat()}")
    if scorer := one_line(hypnogram.scorer):
        lines.append(f"# scorer: {scorer}")
    lines.append("\t".join(_COLUMNS))
    for bout in bouts_of(hypnogram.stages):
        word = _WRITTEN.get(Stage(bout.stage), Stage(bout.stage).label)
        lines.append("\t".join((word, ".", ".", f"{bout.onset_s:.10g}", f"{bout.onset_s + bout.duration_s:.10g}", ".")))
    with atomic_writer(path) as file:
        file.write(("\n".join(lines) + "\n").encode())
