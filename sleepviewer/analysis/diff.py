"""Two hypnograms written over each other as lines of letters, what differs marked and coloured."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sleepviewer.analysis.errors import Comparison, letters
from sleepviewer.analysis.shifts import KINDS, Kind
from sleepviewer.stages import EPOCH_S

LINE_EPOCHS: Final = 60
"""Epochs of a line: half an hour."""

MARKS: Final = {Kind.SHIFT: "~", Kind.MISSED: "-", Kind.INVENTED: "+", Kind.OTHER: "x"}
LEGEND: Final = "~ boundary shifted   - bout missed   + bout invented   x confusion"
_COLOURS: Final = {Kind.SHIFT: "33", Kind.MISSED: "35", Kind.INVENTED: "36", Kind.OTHER: "31"}


def diff_lines(
    comparison: Comparison,
    *,
    ansi: bool = False,
    epochs: int = LINE_EPOCHS,
    only_different: bool = False,
    names: tuple[str, str] = ("truth", "model"),
) -> Iterator[str]:
    """Return the two hypnograms line by line: the truth, the other, and marks under what differs.

    ``ansi`` colours what differs for a terminal, by its kind; the marks are there in any case. ``only_different``
    leaves lines out that agree. LEGEND tells the marks.
    """
    width = max(map(len, (*names, "00:00:00")))
    for first in range(0, len(comparison), epochs):
        rows = range(first, min(first + epochs, len(comparison)))
        kinds = [int(comparison.kind[epoch]) for epoch in rows]
        if only_different and max(kinds) < 0:
            continue
        yield f"{_time(comparison, first):>{width}}  epoch {first + 1}"
        for name, stages in zip(names, (comparison.truth, comparison.predicted), strict=True):
            text = letters(stages[rows.start : rows.stop])
            yield f"{name:>{width}}  {_coloured(text, kinds) if ansi else text}"
        marks = "".join(MARKS[KINDS[kind]] if kind >= 0 else " " for kind in kinds)
        if marks.strip():
            yield f"{'':>{width}}  {_coloured(marks, kinds) if ansi else marks.rstrip()}"


def diff_text(
    comparison: Comparison,
    *,
    ansi: bool = False,
    only_different: bool = False,
    names: tuple[str, str] = ("truth", "model"),
) -> str:
    """Return the whole diff with its legend and the shifts of bouts in words."""
    lines = [LEGEND, *diff_lines(comparison, ansi=ansi, only_different=only_different, names=names)]
    lines += [shift.text for shift in comparison.shifts]
    return "\n".join(lines) + "\n"


def _time(comparison: Comparison, epoch: int) -> str:
    clock = comparison.clock(epoch)
    return f"{clock:%H:%M:%S}" if clock is not None else f"+{timedelta(seconds=epoch * EPOCH_S)}"


def _coloured(text: str, kinds: list[int]) -> str:
    parts: list[str] = []
    colour = ""
    for letter, kind in zip(text, kinds, strict=True):
        wanted = _COLOURS[KINDS[kind]] if kind >= 0 else ""
        if wanted != colour:
            parts.append(f"\x1b[1;{wanted}m" if wanted else "\x1b[0m")
            colour = wanted
        parts.append(letter)
    return "".join(parts) + ("\x1b[0m" if colour else "")
