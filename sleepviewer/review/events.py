"""Events of a night: intervals with a kind, on one channel or on all; and what the expert does to them, as values."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from sleepviewer.errors import ArchiveError, EventError
from sleepviewer.hypnogram.words import one_line
from sleepviewer.stages import EPOCH_S

EVENTS_KIND: Final = "events"
"""``kind`` of an :class:`EventEdit` among an archive's edits."""


class EventKind(StrEnum):
    """The kinds that every night knows; any other name is a kind of the user's."""

    AROUSAL = "arousal"
    ARTEFACT = "artefact"
    SPINDLE = "spindle"
    K_COMPLEX = "K-complex"
    SLOW_WAVE = "slow wave"


class Origin(StrEnum):
    """Who says that the event is there."""

    EXPERT = "expert"
    SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True)
class Event:
    """An interval of the recording, ``start_s`` ≤ t < ``stop_s`` in seconds on the recording clock.

    ``id`` is unique within the night and never used again; ``kind`` is a name in one line; ``channel`` the label of
    the channel or derivation that it lies on, None where it concerns all; ``scorer`` is who drew or accepted it, or
    the detector that suggests it; ``created`` is UTC in ISO 8601.
    """

    id: str
    kind: str
    start_s: float
    stop_s: float
    channel: str | None = None
    origin: Origin = Origin.EXPERT
    text: str = ""
    created: str = ""
    scorer: str = ""

    def __post_init__(self) -> None:
        """Raise EventError where it has no length, begins before the recording, or its kind is no name."""
        if not (math.isfinite(self.start_s) and math.isfinite(self.stop_s) and 0 <= self.start_s < self.stop_s):
            raise EventError(f"An event lasts from one time of the recording to a later one, not {self._span}.")
        if not _is_name(self.kind):
            raise EventError("An event's kind is a name in one line; give it one.")

    @property
    def _span(self) -> str:
        return f"from {self.start_s:g} s to {self.stop_s:g} s"

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.stop_s - self.start_s

    @property
    def epoch(self) -> int:
        """The epoch that it begins in, counted from 0."""
        return int(self.start_s // EPOCH_S)

    @property
    def suggested(self) -> bool:
        """Whether a detector suggests it and nobody has accepted it."""
        return self.origin is Origin.SUGGESTED

    def overlaps(self, start_s: float, stop_s: float) -> bool:
        """Whether any of it lies between two times."""
        return self.start_s < stop_s and start_s < self.stop_s

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, the form that archives keep."""
        return {
            "id": self.id,
            "kind": self.kind,
            "start_s": self.start_s,
            "stop_s": self.stop_s,
            "channel": self.channel,
            "origin": str(self.origin),
            "text": self.text,
            "created": self.created,
            "scorer": self.scorer,
        }

    @classmethod
    def from_dict(cls, values: Any) -> Event:
        """Rebuild from :meth:`as_dict`. Raises ArchiveError where the values are no event."""
        try:
            channel = values["channel"]
            return cls(
                id=str(values["id"]),
                kind=str(values["kind"]),
                start_s=float(values["start_s"]),
                stop_s=float(values["stop_s"]),
                channel=None if channel is None else str(channel),
                origin=Origin(values["origin"]),
                text=str(values.get("text", "")),
                created=str(values.get("created", "")),
                scorer=str(values.get("scorer", "")),
            )
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, EventError) as error:
            raise ArchiveError(f"The archive holds an event that is damaged ({error!r}).") from error


@lru_cache
def _is_name(kind: str) -> bool:
    return bool(kind) and kind == one_line(kind)


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return events by their start, then their end."""
    return tuple(sorted(events, key=lambda event: (event.start_s, event.stop_s, event.channel or "", event.id)))


@dataclass(frozen=True, slots=True)
class EventEdit:
    """Some events take the place of others: drawn (none before), deleted (none after), changed, suggested, accepted.

    ``time`` is UTC in ISO 8601, ``scorer`` who did it. An event that is changed keeps its ``id``.
    """

    before: tuple[Event, ...]
    after: tuple[Event, ...]
    time: str
    scorer: str = ""
    blinded: bool = False

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs that the events begin in, the first event's first."""
        return tuple(dict.fromkeys(event.epoch for event in in_order(self.after or self.before)))

    @property
    def text(self) -> str:
        """The edit in words, as the menu and the history show it: ``move spindle, epoch 412``."""
        events = self.after or self.before
        verb = self._verb
        if verb == "suggest":
            return f"suggest {_counted(self.after)}" if self.after else f"withdraw {_counted(self.before)}"
        if len(events) > 1:
            return f"{verb} {_counted(events)}"
        return f"{verb} {self._name(events[0])}, epoch {events[0].epoch + 1}"

    def _name(self, event: Event) -> str:
        if len(self.before) == len(self.after) == 1 and self.before[0].kind != event.kind:
            return f"{self.before[0].kind} → {event.kind}"
        return event.kind

    @property
    def _verb(self) -> str:
        if not self.before:
            return "suggest" if self.after[0].suggested else "draw"
        if not self.after:
            return "dismiss" if all(event.suggested for event in self.before) else "delete"
        old = {event.id: event for event in self.before}
        if not any(event.id in old for event in self.after):
            return "suggest"
        changed = [(old[event.id], event) for event in self.after if event.id in old]
        if any((a.start_s, a.stop_s) != (b.start_s, b.stop_s) for a, b in changed):
            return "move"
        if any(a.kind != b.kind for a, b in changed):
            return "change"
        if any(a.text != b.text for a, b in changed):
            return "name"
        return "accept" if any(a.suggested and not b.suggested for a, b in changed) else "change"

    def as_dict(self) -> dict[str, Any]:
        """Return the edit as JSON-ready values, the form that archives keep."""
        return {
            "kind": EVENTS_KIND,
            "before": [event.as_dict() for event in self.before],
            "after": [event.as_dict() for event in self.after],
            "time": self.time,
            "scorer": self.scorer,
            "blinded": self.blinded,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], n_epochs: int) -> EventEdit:
        """Rebuild an edit from :meth:`as_dict`. Raises ArchiveError where the values are no edit of this night."""
        before, after = (
            tuple(Event.from_dict(event) for event in _list(values.get(key))) for key in ("before", "after")
        )
        if not before and not after:
            raise ArchiveError("The archive's edits of events change nothing.")
        time, scorer = (str(values.get(key, "")) for key in ("time", "scorer"))
        return cls(before, after, time, scorer, values.get("blinded") is True)


def _list(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise ArchiveError("The archive's list of events is damaged.")
    return values


def _counted(events: Sequence[Event]) -> str:
    kinds = {event.kind for event in events}
    kind = kinds.pop() if len(kinds) == 1 else "event"
    return f"1 {kind}" if len(events) == 1 else f"{len(events)} {plural(kind)}"


def plural(kind: str) -> str:
    """Return a kind for more than one of it: ``spindles``, ``K-complexes``."""
    return kind + ("es" if kind.endswith(("s", "x", "ch", "sh")) else "s")


class EventSet:
    """The events of a document by their ids: what edits are applied to."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._by_id = {event.id: event for event in events}
        self._ordered: tuple[Event, ...] | None = None
        self._starts: list[float] = []
        self._longest_s = 0.0
        self._last = max((_number(event_id) for event_id in self._by_id), default=0)

    @property
    def ordered(self) -> tuple[Event, ...]:
        """All events, by their start."""
        if self._ordered is None:
            self._ordered = in_order(self._by_id.values())
            self._starts = [event.start_s for event in self._ordered]
            self._longest_s = max((event.duration_s for event in self._ordered), default=0.0)
        return self._ordered

    def within(self, start_s: float, stop_s: float) -> tuple[Event, ...]:
        """Return the events that touch an interval, by their start; quick however many there are."""
        ordered = self.ordered
        first = bisect_left(self._starts, start_s - self._longest_s)
        last = bisect_left(self._starts, stop_s)
        return tuple(event for event in ordered[first:last] if event.overlaps(start_s, stop_s))

    def get(self, event_id: str) -> Event | None:
        """Return an event, or None where there is none of this id."""
        return self._by_id.get(event_id)

    def new_id(self) -> str:
        """Return an id that no event of this night has or had."""
        self._last += 1
        return f"e{self._last}"

    def keep_clear_of(self, edits: Iterable[object]) -> None:
        """Never give out the id of an event that a history knows."""
        for edit in edits:
            if isinstance(edit, EventEdit):
                self._last = max(self._last, *(_number(event.id) for event in (*edit.before, *edit.after)))

    def swap(self, out: Iterable[Event], into: Iterable[Event]) -> None:
        """Take some events away and put others in."""
        for event in out:
            self._by_id.pop(event.id, None)
        for event in into:
            self._by_id[event.id] = event
        self._ordered = None


def _number(event_id: str) -> int:
    digits = event_id.removeprefix("e")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


def changed(event: Event, changes: Mapping[str, Any], *, scorer: str) -> Event:
    """Return an event with other values. Whoever changes a suggestion by hand has accepted it: it becomes the expert's.

    Raises EventError where it is no event any more.
    """
    if "kind" in changes:
        changes = {**changes, "kind": one_line(changes["kind"])}
    if "text" in changes:
        changes = {**changes, "text": one_line(changes["text"])}
    new = replace(event, **changes)
    if new == event or not event.suggested or new.origin is not event.origin:
        return new
    return replace(new, origin=Origin.EXPERT, scorer=scorer)


# -- what is said about them


def overlap_text(events: Iterable[Event], start_s: float, stop_s: float) -> str:
    """Say which of the expert's events lie in an interval and how long: ``arousal 4.2 s · 3 spindles 2.7 s``.

    Suggestions are counted apart. The seconds are those of the interval that any event of the kind covers, once each
    however many channels it lies on. Empty where there is none.
    """
    inside = [event for event in events if event.overlaps(start_s, stop_s)]
    parts = []
    for kind in dict.fromkeys(event.kind for event in inside if not event.suggested):
        those = [event for event in inside if event.kind == kind and not event.suggested]
        name = kind if len(those) == 1 else f"{len(those)} {plural(kind)}"
        parts.append(f"{name} {_covered_s(those, start_s, stop_s):.1f} s")
    if suggested := sum(event.suggested for event in inside):
        parts.append(f"{suggested} suggested")
    return " · ".join(parts)


def _covered_s(events: Iterable[Event], start_s: float, stop_s: float) -> float:
    """Return how many seconds of an interval the events cover together."""
    covered, reached = 0.0, start_s
    for event in in_order(events):
        first, last = max(event.start_s, reached), min(event.stop_s, stop_s)
        covered += max(last - first, 0.0)
        reached = max(reached, last)
    return covered
