"""Events out of a review: as EDF+ annotations, as a table; and out of an archive, for the review that goes on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

from sleepviewer.archive.archive import ScoringArchive
from sleepviewer.errors import ArchiveError, OutputError
from sleepviewer.files import atomic_writer, ending_of, unsupported_extension
from sleepviewer.hypnogram.edf_annotations import Annotation, write_annotations
from sleepviewer.hypnogram.words import one_line
from sleepviewer.review.events import Event, EventKind

COLUMNS: Final = ("onset_s", "duration_s", "clock", "kind", "channel", "origin", "scorer", "text")
"""Header of the table."""

EVENT_FILES: Final = (("Table", (".csv", ".tsv")), ("EDF+ annotations", (".edf",)))
"""What events are written as, and the endings of such files' names."""

ENDINGS: Final = tuple(ending for _, endings in EVENT_FILES for ending in endings)

_FAR: Final = 1_000_000
"""Ids from here on are no event's of a history, deleted ones among them."""

_EDF_TEXTS: Final = {EventKind.AROUSAL: "EEG arousal"}
"""Where EDF+ has a standard text of its own for a kind."""


def events_of(archive: ScoringArchive) -> tuple[tuple[Event, ...], int]:
    """Return the events that an archive keeps, and how many of its entries are none; older archives have no list."""
    values = archive.meta.get("events", [])
    if not isinstance(values, list):
        return (), 1
    events, damaged = [], 0
    for value in values:
        try:
            events.append(Event.from_dict(value))
        except ArchiveError:
            damaged += 1
    return _told_apart(events), damaged


def _told_apart(events: Sequence[Event]) -> tuple[Event, ...]:
    """Give an event whose id another has already one of its own: lists were put together by hand, and none is lost."""
    ids = {event.id for event in events}
    if len(ids) == len(events):
        return tuple(events)
    free = (new for number in count(_FAR) if (new := f"e{number}") not in ids)
    seen: set[str] = set()
    apart = []
    for event in events:
        apart.append(replace(event, id=next(free)) if event.id in seen else event)
        seen.add(event.id)
    return tuple(apart)


def write_events(
    events: Iterable[Event],
    path: Path,
    *,
    start: datetime | None = None,
    scorer: str = "",
    simulated: bool = False,
) -> None:
    """Write events in the format of the file's name: ``.edf`` as EDF+ annotations, ``.csv`` or ``.tsv`` as a table.

    ``start`` is the clock time of the recording's first sample. Raises OutputError where the file can't be written,
    its name has another ending, or EDF can't hold the date.
    """
    ordered, ending = list(events), ending_of(path, ENDINGS)
    if ending == ".edf":
        write_annotations(list(map(_annotation, ordered)), path, start=start, scorer=scorer, simulated=simulated)
    elif ending:
        text = _table(ordered, start, delimiter="\t" if ending == ".tsv" else ",", simulated=simulated)
        with atomic_writer(path) as file:
            file.write(text.encode())
    else:
        raise OutputError(f"{path} was not written: {unsupported_extension(ENDINGS)}.")


def _annotation(event: Event) -> Annotation:
    """Return an event as EDF+ writes it: what it is, ``@@`` and the channel that it lies on."""
    words = _EDF_TEXTS.get(EventKind(event.kind), event.kind) if event.kind in tuple(EventKind) else event.kind
    if event.text:
        words += f": {one_line(event.text)}"
    if event.suggested:
        words += " (suggested)"
    if event.channel is not None:
        words += f"@@{one_line(event.channel)}"
    return Annotation(event.start_s, event.duration_s, words)


def _table(events: Sequence[Event], start: datetime | None, *, delimiter: str, simulated: bool) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow((*COLUMNS, "simulated") if simulated else COLUMNS)
    for event in events:
        clock = "" if start is None else _clock(start, event.start_s)
        row = [_seconds(event.start_s), _seconds(event.duration_s), clock, event.kind, event.channel or ""]
        row += [str(event.origin), one_line(event.scorer), one_line(event.text)]
        writer.writerow([*row, "true"] if simulated else row)
    return text.getvalue()


def _seconds(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _clock(start: datetime, time_s: float) -> str:
    return (start + timedelta(seconds=round(time_s, 3))).isoformat(timespec="milliseconds")
