"""Tables: columns found by their header, in any order; one or two columns do without a header."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.files import atomic_writer, ending_of
from sleepviewer.hypnogram.base import Bout, Hypnogram, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.words import (
    Numbers,
    Word,
    clock_of,
    is_stage,
    one_line,
    read_lines,
    remarks_of,
    stages_of,
    tells_time,
    time_of_day,
    without_zone,
)
from sleepviewer.stages import EPOCH_S, stage_labels

_COLUMNS: Final = {
    "epoch": "epoch",
    "onset": "time",
    "start": "time",
    "start time": "time",
    "time": "time",
    "clock": "time",
    "duration": "duration",
    "length": "duration",
    "scorer": "scorer",
    **dict.fromkeys(("stage", "sleep stage", "hypnogram", "hypno", "label", "annotation", "description"), "stage"),
    "user-defined stage": "stage",  # the Wisconsin Sleep Cohort's, https://sleepdata.org/datasets/wsc
}
_UNIT: Final = re.compile(
    r"(?P<name>.*?) ?(?:[\[(](?P<bracket>[^\])]*)[\])]| (?P<suffix>ms|min|minutes|h|hours|s|sec|seconds))?"
)
_SECONDS: Final = frozenset({"", "s", "sec", "seconds"})
_DAY_S: Final = 86400.0
_UNTIL_NEXT: Final = f"each stage without one was taken to last until the next row, the last for {EPOCH_S:g} s"

_Row = tuple[int, tuple[str, ...]]
"""A row's line number and its cells."""

_Columns = dict[str, tuple[int, ...]]
"""Which columns, from 0, are ``epoch``, ``time``, ``duration``, ``stage`` or ``scorer``."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a file without its header, and what its columns are."""

    source: str
    rows: tuple[_Row, ...]
    columns: _Columns
    comments: tuple[str, ...]
    notes: tuple[str, ...]
    decimal_comma: bool

    def cells(self, column: int) -> list[Word]:
        """Return one column's cells; a row that is too short has an empty one."""
        return [Word(line, row[column] if column < len(row) else "") for line, row in self.rows]

    def number(self, cell: Word) -> float:
        """Return a cell's number of seconds or epochs, or raise HypnogramError."""
        text = cell.text.replace(",", ".") if self.decimal_comma else cell.text
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise HypnogramError(f"{self.source}, line {cell.line}: “{cell.text}” is no number of seconds; correct it.")
        return value


def read_csv(path: Path, numbers: Numbers | None = None) -> StageTrack:
    """Read a table of stages, separated by commas, semicolons, tabs or (without a header) blanks.

    Columns are known by their names: ``epoch`` (counted from 0, or from 1 where no 0 occurs), ``onset``, ``start``,
    ``start time``, ``time`` or ``clock`` (seconds, or clock time in ISO 8601), ``duration`` (seconds), ``stage``,
    ``scorer``. Without a header, a single column is stages and the first of two columns is epochs (whole numbers in
    steps of one), seconds or clock times. Times of day without a date give the track's time of day alone. Where every
    clock time has a time zone, onsets are right across a change to or from summer time; the start is local time.

    Raises HypnogramError where the file can't be read, has no column of stages, a time in another unit than seconds,
    a start outside the calendar, or a cell that can't be understood; it names the line. AmbiguousHypnogramError is
    raised as by :func:`sleepviewer.hypnogram.text_file.read_text`.
    """
    table = _read_table(path)
    onsets, start, start_time, time_notes = _times(table)
    durations, duration_notes = _durations(table, onsets)
    stages, stage_notes = stages_of(table.cells(table.columns["stage"][0]), table.source, durations, numbers=numbers)
    bouts, overlap_notes = in_order(
        (Bout(onset, duration, stage) for onset, duration, stage in zip(onsets, durations, stages, strict=True)),
        table.source,
    )
    remarks = remarks_of(table.comments, table.source)
    scorer = next((c.text for i in table.columns.get("scorer", ()) for c in table.cells(i) if c.text), remarks.scorer)
    notes = (*table.notes, *stage_notes, *time_notes, *duration_notes, *overlap_notes, *remarks.notes)
    if start is None and start_time is None:
        start, start_time = remarks.start, remarks.start_time
    return StageTrack(bouts, start, table.source, scorer, notes, start_time=start_time)


# -- the table


def _read_table(path: Path) -> _Table:
    lines = read_lines(path)
    comments = tuple(line for line in lines if line.startswith("#"))
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    delimiter = delimiter_of(first) or ","
    rows = _rows(lines, delimiter, path.name)
    if not rows:
        raise HypnogramError(f"{path.name} holds no sleep stage; it is empty.")
    columns = _named_columns(rows[0][1], path.name)
    notes: tuple[str, ...] = ()
    if columns:
        rows = rows[1:]
    else:
        columns, notes = _guessed_columns(rows, path.name)
    if "epoch" in columns or "time" in columns:
        rows = [row for row in rows if any(row[1])]
    if not rows:
        raise HypnogramError(f"{path.name} holds no sleep stage, only a header.")
    return _Table(path.name, tuple(rows), columns, comments, notes, delimiter != ",")


def _rows(lines: Sequence[str], delimiter: str, source: str) -> list[_Row]:
    """Return the rows but for comments and for empty ones at either end; one in between may stand for an epoch."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        rows = [
            (reader.line_num, tuple(cell.strip() for cell in row))
            for row in reader
            if not (row and row[0].startswith("#"))
        ]
    except csv.Error as error:
        raise HypnogramError(f"{source}, line {reader.line_num}: {error}; export the table again.") from error
    while rows and not any(rows[0][1]):
        rows.pop(0)
    while rows and not any(rows[-1][1]):
        rows.pop()
    return rows


def delimiter_of(line: str) -> str | None:
    """Return what separates a line's columns: tab, semicolon, comma, a blank after a number; None for nothing."""
    for delimiter in "\t;,":
        if delimiter in line:
            return delimiter
    cells = line.split()
    return " " if len(cells) == 2 and re.fullmatch(r"[\d.:TZ+-]+", cells[0]) and is_stage(cells[1]) else None


def _named_columns(header: Sequence[str], source: str) -> _Columns:
    """Return the columns that a header names; none where the first row is no header."""
    columns: _Columns = {}
    for index, cell in enumerate(header):
        if kind := _column_kind(cell, source):
            columns[kind] = (*columns.get(kind, ()), index)
    if columns and "stage" not in columns:
        there = ", ".join(cell for cell in header if cell)
        raise HypnogramError(f"{source} has no column “stage”; its columns are: {there}.")
    return columns


def _guessed_columns(rows: Sequence[_Row], source: str) -> tuple[_Columns, tuple[str, ...]]:
    """Return the columns of a table without a header, and a note that says what they were taken for."""
    width = max(len([cell for cell in row if cell]) for _, row in rows)
    if width == 1:
        return {"stage": (0,)}, (f"{source} has no header; its lines were taken as stages of 30 s each.",)
    if width > 2:
        raise HypnogramError(
            f"{source} has {width} columns and no header; name them epoch, onset, duration and stage in the first line."
        )
    if _stage_then_artefact(rows):
        note = f"{source} has no header; its first column was taken as stages of 30 s each, its second as artefacts."
        return {"stage": (0,)}, (note,)
    steps = _steps([row[0] for _, row in rows if any(row)])
    kind, what = ("epoch", "numbers of epochs") if steps <= {1.0} else ("time", "times")
    return {kind: (0,), "stage": (1,)}, (f"{source} has no header; its first column was taken as {what}.",)


def _stage_then_artefact(rows: Sequence[_Row]) -> bool:
    """Whether two columns without a header are stages and artefacts (SpiSOP, SleepTrip): the first does not rise."""
    firsts, seconds = zip(*((row[0], row[1]) for _, row in rows if len(row) > 1), strict=True)
    if not all(is_stage(cell) for cell in firsts) or not all(cell.lstrip("-").isdecimal() for cell in seconds):
        return False
    steps = _steps(firsts)
    return not all(step > 0 for step in steps)


def _column_kind(cell: str, source: str) -> str | None:
    match = _UNIT.fullmatch(" ".join(cell.replace("_", " ").lower().split()))
    if match is None:
        return None
    kind = _COLUMNS.get(match["name"])
    unit = (match["bracket"] or match["suffix"] or "").strip()
    if kind in ("time", "duration") and unit not in _SECONDS and ":" not in unit:
        raise HypnogramError(f"{source} gives “{cell}” in “{unit}”; give times in seconds.")
    return kind


def _steps(cells: Sequence[str]) -> set[float]:
    """Return the differences between successive whole numbers; NaN where there are others."""
    try:
        values = [int(cell) for cell in cells]
    except ValueError:
        return {math.nan}
    return {float(b - a) for a, b in pairwise(values)}


# -- times


def _times(table: _Table) -> tuple[list[float], datetime | None, time | None, tuple[str, ...]]:
    """Return every row's onset in seconds, and the clock time of second 0, or its time of day, where there is one."""
    columns = [table.cells(column) for column in table.columns.get("time", ())]
    clock_cells = next((cells for cells in columns if clock_of(cells[0].text)), None)
    second_cells = next((cells for cells in columns if ":" not in cells[0].text), None)
    day_cells = next((cells for cells in columns if ":" in cells[0].text), None)
    clocks = [_clock(cell, table.source) for cell in clock_cells or ()]
    if any(clock.tzinfo is None for clock in clocks):
        clocks = [clock.replace(tzinfo=None) for clock in clocks]
    if second_cells is not None:
        seconds = [table.number(cell) for cell in second_cells]
    elif clocks:
        seconds = [(clock - clocks[0]).total_seconds() for clock in clocks]
    elif day_cells is not None:
        seconds = _since_first(day_cells, table.source)
    else:
        seconds, notes = _from_epochs(table)
        return seconds, None, None, notes
    if clock_cells:
        start = _second_0(clocks[0].replace(tzinfo=None), seconds[0], clock_cells[0], table.source)
        return seconds, start, None, ()
    start_time, notes = _start_time(day_cells[0], seconds[0], table.source) if day_cells else (None, ())
    return seconds, None, start_time, notes


def _start_time(first: Word, onset_s: float, source: str) -> tuple[time | None, tuple[str, ...]]:
    """Return the time of day of second 0, from that of the first row, or None where it is none or only counts."""
    moment = without_zone(time_of_day(first.text))
    if moment is None:
        return None, ()
    start_time = _second_0(datetime.combine(date(2000, 1, 1), moment), onset_s, first, source).time()
    if tells_time(start_time):
        return start_time, (f"{source} gives times of day without a date.",)
    return None, (f"{source} gives times that begin at 00:00:00; they were taken for times since its start.",)


def _second_0(clock: datetime, onset_s: float, cell: Word, source: str) -> datetime:
    """Return the clock time of second 0 from that of the first row, or raise HypnogramError if no calendar has it."""
    try:
        return clock - timedelta(seconds=onset_s)
    except OverflowError as error:
        raise HypnogramError(
            f"{source}, line {cell.line}: “{cell.text}” can't be {onset_s:g} s from the start, as that lies outside "
            "the calendar; correct the date or give onsets in seconds."
        ) from error


def _clock(cell: Word, source: str) -> datetime:
    clock = clock_of(cell.text)
    if clock is None:
        raise HypnogramError(
            f"{source}, line {cell.line}: “{cell.text}” is no date and time; write 2002-01-01T23:00:00."
        )
    return clock


def _since_first(cells: Sequence[Word], source: str) -> list[float]:
    """Return seconds since the first of some times of day, which may pass midnight or, with time zones, change them."""
    moments: list[time] = []
    for cell in cells:
        moment = time_of_day(cell.text)
        if moment is None:
            raise HypnogramError(f"{source}, line {cell.line}: “{cell.text}” is no time of day; write 23:00:00.")
        moments.append(moment)
    offsets = [moment.utcoffset() for moment in moments]
    zoned = None not in offsets
    result: list[float] = []
    day_s = 0.0
    for moment, offset in zip(moments, offsets, strict=True):
        of_day_s = timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second).total_seconds()
        of_day_s += moment.microsecond / 1e6
        if zoned and offset is not None:
            of_day_s -= offset.total_seconds()
        if result and of_day_s + day_s < result[-1]:
            day_s += _DAY_S
        result.append(of_day_s + day_s)
    return [value - result[0] for value in result]


def _from_epochs(table: _Table) -> tuple[list[float], tuple[str, ...]]:
    """Return onsets from epoch numbers, or, without a column of these, from the rows' order."""
    if "epoch" not in table.columns:
        return [place * EPOCH_S for place in range(len(table.rows))], ()
    epochs = [table.number(cell) for cell in table.cells(table.columns["epoch"][0])]
    first = 0.0 if min(epochs) < 1 else 1.0
    note = f"{table.source} counts its epochs from 1."
    return [(epoch - first) * EPOCH_S for epoch in epochs], (note,) if first else ()


def _durations(table: _Table, onsets: Sequence[float]) -> tuple[list[float], tuple[str, ...]]:
    """Return every row's duration in seconds; without a column, 30 s for epochs, else until the next row.

    A duration of 0 s is none: the stage lasts until the next row too.
    """
    if "duration" not in table.columns and "time" not in table.columns:
        return [EPOCH_S] * len(onsets), ()
    ordered = sorted(set(onsets))
    until_next = {a: b - a for a, b in pairwise(ordered)}
    lasting = [until_next.get(onset, EPOCH_S) for onset in onsets]
    if "duration" not in table.columns:
        if all(abs(duration - EPOCH_S) < 1e-3 for duration in lasting):
            return lasting, ()
        return lasting, (f"{table.source} has no durations; {_UNTIL_NEXT}.",)
    cells = table.cells(table.columns["duration"][0])
    durations = [table.number(cell) for cell in cells]
    for cell, duration in zip(cells, durations, strict=True):
        if duration < 0:
            raise HypnogramError(f"{table.source}, line {cell.line}: the duration {cell.text} is negative; correct it.")
    if not (zeros := durations.count(0)):
        return durations, ()
    note = f"{table.source}: {zeros} {'stage has' if zeros == 1 else 'stages have'} a duration of 0 s; {_UNTIL_NEXT}."
    return [given or until for given, until in zip(durations, lasting, strict=True)], (note,)


# -- writing


def write_csv(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write one row for every epoch: epoch (from 0), onset and duration in seconds, stage, start, scorer.

    ``start`` (clock time in ISO 8601) and ``scorer`` are there where they are known; ``simulated`` adds a column
    ``simulated`` that says ``true``. A file name ending in ``.tsv`` is separated by tabs.

    Raises OutputError where the file can't be written.
    """
    scorer = one_line(hypnogram.scorer)
    header = ["epoch", "onset", "duration", "stage"]
    header += ["start"] if hypnogram.start is not None else []
    header += ["scorer"] if scorer else []
    header += ["simulated"] if simulated else []
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t" if ending_of(path, (".tsv",)) else ",", lineterminator="\n")
    writer.writerow(header)
    for epoch, label in enumerate(stage_labels(hypnogram.stages)):
        row = [str(epoch), f"{epoch * EPOCH_S:g}", f"{EPOCH_S:g}", label]
        clock = hypnogram.clock(epoch)
        row += [clock.isoformat()] if clock is not None else []
        row += [scorer] if scorer else []
        row += ["true"] if simulated else []
        writer.writerow(row)
    with atomic_writer(path) as file:
        file.write(text.getvalue().encode())
