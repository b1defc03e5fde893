"""Events as marks on the page of traces: their colours, and the lane that each lies on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final
from zlib import crc32

from sleepviewer.display.marks import Mark
from sleepviewer.display.montage import Montage
from sleepviewer.review.events import Event, EventKind

LAYER: Final = "event"
"""Name of the layer of marks, and the beginning of their keys."""

# Okabe and Ito's colours, which the colour-blind tell apart; every mark has its kind written on it besides.
_LIGHT: Final = {
    EventKind.AROUSAL: "#d55e00",
    EventKind.ARTEFACT: "#6b6b6b",
    EventKind.SPINDLE: "#00805e",
    EventKind.K_COMPLEX: "#b0568c",
    EventKind.SLOW_WAVE: "#0072b2",
}
_DARK: Final = {
    EventKind.AROUSAL: "#ff8a3d",
    EventKind.ARTEFACT: "#b5b5b5",
    EventKind.SPINDLE: "#2fc79b",
    EventKind.K_COMPLEX: "#e79fc9",
    EventKind.SLOW_WAVE: "#56b4e9",
}
_OWN_LIGHT: Final = ("#8a6d00", "#7a4fbf", "#1d7f8c", "#a3433c")
_OWN_DARK: Final = ("#e6c34a", "#b79cf0", "#63cbd8", "#ef9a93")


@cache
def event_color(kind: str, theme_name: str) -> str:
    """Return a kind's colour, ``#rrggbb``; one of the user's own has the same at every start."""
    dark = theme_name == "dark"
    if kind in tuple(EventKind):
        return (_DARK if dark else _LIGHT)[EventKind(kind)]
    own = _OWN_DARK if dark else _OWN_LIGHT
    return own[crc32(kind.encode()) % len(own)]


def marks_of(
    events: Iterable[Event], montage: Montage, theme_name: str, selected: frozenset[str] = frozenset()
) -> list[Mark]:
    """Return the events' marks; one whose channel the montage does not show is left to the list of events."""
    lanes = {trace.derivation.label: trace.derivation.label for trace in montage.shown}
    for trace in montage.shown:  # an event on C3 is shown on C3 − M2 where C3 alone is not on the page
        lanes.setdefault(trace.derivation.plus, trace.derivation.label)
    return [
        Mark(
            key=key_of(event.id),
            start_s=event.start_s,
            stop_s=event.stop_s,
            text=_text(event),
            color=event_color(event.kind, theme_name),
            lane=None if event.channel is None else lanes[event.channel],
            suggested=event.suggested,
            movable=True,
            selected=event.id in selected,
        )
        for event in events
        if event.channel is None or event.channel in lanes
    ]


def _text(event: Event) -> str:
    words = f"{event.kind}: {event.text}" if event.text else event.kind
    return f"{words}?" if event.suggested else words


def key_of(event_id: str) -> str:
    """Return the key of an event's mark."""
    return f"{LAYER}:{event_id}"


def id_of(key: str) -> str | None:
    """Return the event's id of a mark's key, or None where the mark is another's."""
    layer, colon, event_id = key.partition(":")
    return event_id if colon and layer == LAYER else None
