"""Take what a detector has found up into a document, beside what the expert has drawn and in the place of old finds."""

from __future__ import annotations

from sleepviewer.review.document import Document
from sleepviewer.review.events import Event, EventEdit, Origin
from sleepviewer.scoring.detection import Detection


def take_up(document: Document, detection: Detection) -> EventEdit | None:
    """Suggest what was found; return the edit, or None where nothing has changed.

    Earlier suggestions of the kinds and channels that were searched give way. What overlaps an event of the expert's,
    of the same kind on the same channel or on all, is there already and not suggested again.
    """
    searched = set(detection.searched)
    old = [e for e in document.events if e.suggested and e.channel is not None and (e.channel, e.kind) in searched]
    new = [
        Event("", found.kind, found.start_s, found.stop_s, found.channel, Origin.SUGGESTED, scorer=detection.detector)
        for found in detection.found
        if not any(
            event.kind == found.kind and not event.suggested and event.channel in (None, found.channel)
            for event in document.events_within(found.start_s, found.stop_s)
        )
    ]
    if [_place(event) for event in old] == [_place(event) for event in new]:
        return None
    return document.suggest_events(new, instead_of=(event.id for event in old))


def _place(event: Event) -> tuple[str, float, float, str | None, str]:
    return event.kind, event.start_s, event.stop_s, event.channel, event.scorer
