"""The history of a review in rows: what was done, by whom, when, from what to what, with what in view; and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sleepviewer.errors import OutputError
from sleepviewer.files import atomic_writer
from sleepviewer.review.document import Document
from sleepviewer.review.edits import NOT_CORRECTED, Edit, EditKind, epochs_text
from sleepviewer.review.events import Event, EventEdit
from sleepviewer.review.lights import LightsEdit
from sleepviewer.review.undo import Undoable
from sleepviewer.stages import Stage


class RowKind(StrEnum):
    """What a row of the history is about."""

    STAGE = "stages"
    FLAG = "flags"
    LIGHTS = "lights"
    EVENTS = "events"
    BLINDING = "blinding"


COLUMNS: Final = (
    "number",
    "state",
    "kind",
    "time",
    "scorer",
    "text",
    "epochs",
    "from",
    "to",
    "model_in_view",
    "blinded",
    "agreeing_scorers",
)
"""Columns of the table that :func:`write_history` makes; epochs are counted from 1."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One command of the history, or (``position`` None) blinding, which can't be stepped over.

    ``position`` is how many commands are in force once it was done. ``before`` and ``after`` are values of its epochs
    in words, those of one epoch after the other's; ``agree`` the judged scorers who give the same stages.
    """

    kind: RowKind
    time: str
    scorer: str
    text: str
    position: int | None
    standing: bool
    epochs: tuple[int, ...] = ()
    before: str = ""
    after: str = ""
    model: str = ""
    blinded: bool = False
    agree: tuple[str, ...] = ()

    @property
    def details(self) -> str:
        """All that is kept of it, in lines."""
        lines = [
            self.text + ("" if self.standing else " (undone)"),
            f"{self.time} (UTC), by {self.scorer or 'nobody named'}",
        ]
        if self.before or self.after:
            lines.append(f"from {_short(self.before) or 'nothing'} to {_short(self.after) or 'nothing'}")
        if self.kind in (RowKind.STAGE, RowKind.FLAG):
            hidden = "none: the scorer was blinded" if self.blinded else "none"
            lines.append(f"model in view: {self.model or hidden}")
        elif self.blinded and self.kind is not RowKind.BLINDING:
            lines.append("made while the scorer was blinded")
        if self.agree:
            lines.append(f"the same say: {', '.join(self.agree)}")
        return "\n".join(lines)


def history_rows(document: Document) -> tuple[HistoryRow, ...]:
    """Return the whole history, oldest first: what stands, then what was undone, the next one to do again first.

    Blinding and its end stand among it by their time.
    """
    rows = [row_of(edit, place, standing=True) for place, edit in enumerate(document.history, start=1)]
    rows += [row_of(edit, place, standing=False) for place, edit in enumerate(document.undone, start=len(rows) + 1)]
    for row in _blinding_rows(document):
        place = next((i for i, other in enumerate(rows) if other.time > row.time), len(rows))
        rows.insert(place, row)
    return tuple(rows)


def row_of(edit: Undoable, position: int, *, standing: bool) -> HistoryRow:
    """Return one command as a row."""
    model = ""
    agree: tuple[str, ...] = ()
    match edit:
        case Edit():
            kind = RowKind.STAGE if edit.kind is EditKind.STAGE else RowKind.FLAG
            before, after = (" ".join(_value(edit.kind, value) for value in values) for values in _short_values(edit))
            model, agree = edit.model, edit.agree
        case LightsEdit():
            kind, before, after = RowKind.LIGHTS, _lights(edit, after=False), _lights(edit, after=True)
        case EventEdit():
            kind = RowKind.EVENTS
            before, after = (_events(events) for events in (edit.before, edit.after))
        case _:
            raise TypeError(f"no history knows what {type(edit).__name__} is")
    return HistoryRow(
        kind,
        edit.time,
        edit.scorer,
        edit.text,
        position,
        standing,
        edit.epochs,
        before,
        after,
        model,
        edit.blinded,
        agree,
    )


def history_csv(document: Document) -> str:
    """Return the history as CSV with the columns of :data:`COLUMNS`, oldest first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in history_rows(document):
        writer.writerow(
            (
                "" if row.position is None else row.position,
                "in force" if row.standing else "undone",
                str(row.kind),
                row.time,
                row.scorer,
                row.text,
                " ".join(str(epoch + 1) for epoch in row.epochs),
                row.before,
                row.after,
                row.model,
                "yes" if row.blinded else "no",
                "; ".join(row.agree),
            )
        )
    return text.getvalue()


def write_history(document: Document, path: Path) -> None:
    """Write the history as CSV. Raises OutputError where that can't be done."""
    try:
        with atomic_writer(path) as file:
            file.write(history_csv(document).encode())
    except OSError as error:
        raise OutputError(f"{path} can't be written: {error.strerror or error}.") from error


def _blinding_rows(document: Document) -> Iterator[HistoryRow]:
    blinding = document.blinding
    if blinding.since:
        seen = ", others' scorings seen before" if blinding.seen_before else ""
        yield HistoryRow(
            RowKind.BLINDING, blinding.since, document.scorer, f"blinded{seen}", None, standing=True, blinded=True
        )
    if blinding.until:
        yield HistoryRow(RowKind.BLINDING, blinding.until, document.scorer, "unblinded", None, standing=True)


def _short_values(edit: Edit) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what stood before and after, once where it is the same on all epochs."""
    before, after = (values[:1] if len(set(values)) == 1 else values for values in (edit.before, edit.after))
    return before, after


def _value(kind: EditKind, value: int) -> str:
    if kind is EditKind.FLAG:
        return "flagged" if value else "unflagged"
    return "unscored" if value == NOT_CORRECTED else Stage(value).label


def _lights(edit: LightsEdit, *, after: bool) -> str:
    lights = edit.after if after else edit.before
    marks = (("off", lights.off), ("on", lights.on))
    return ", ".join(f"{name} at {epochs_text((at,))}" for name, at in marks if at is not None)


def _events(events: tuple[Event, ...]) -> str:
    return "; ".join(
        f"{event.kind} {event.start_s:g}–{event.stop_s:g} s"
        + (f" on {event.channel}" if event.channel else "")
        + (" (suggested)" if event.suggested else "")
        for event in events
    )


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
