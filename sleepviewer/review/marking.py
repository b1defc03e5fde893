"""What the expert marks on the night beside stages: lights and events; the document's part that is about them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sleepviewer.errors import AlignmentError
from sleepviewer.review.events import Event, EventEdit, EventSet, Origin, changed
from sleepviewer.review.lights import Lights, LightsEdit
from sleepviewer.review.undo import Undoable


class Marking:
    """Lights and events of a document; what is done to them goes through its one history (:meth:`_do`)."""

    n_epochs: int
    scorer: str
    _lights: Lights
    _events: EventSet

    @property
    @abstractmethod
    def blinded(self) -> bool:
        """Whether others' scorings are hidden now."""

    @abstractmethod
    def _do(self, edit: Undoable) -> None:
        """Carry out a new command of the expert."""

    # -- lights

    @property
    def lights_off(self) -> int | None:
        """The epoch at whose beginning the lights went off, the night's first; None where it is not marked."""
        return self._lights.off

    @property
    def lights_on(self) -> int | None:
        """The epoch at whose beginning the lights went on, the first after the night; None where it is not marked."""
        return self._lights.on

    @property
    def lights(self) -> Lights:
        """Both marks."""
        return self._lights

    def set_lights(self, lights: Lights) -> LightsEdit | None:
        """Mark lights off and on; return the edit, or None where they stand so already.

        Raises AlignmentError where a mark is outside the night, or off does not come before on.
        """
        if not lights.fits(self.n_epochs):
            raise AlignmentError("Lights off must come before lights on, and both must be epochs of the night.")
        if lights == self._lights:
            return None
        edit = LightsEdit(self._lights, lights, now(), self.scorer, self.blinded)
        self._do(edit)
        return edit

    # -- events

    @property
    def events(self) -> tuple[Event, ...]:
        """All events, the expert's and the suggested ones, by their start."""
        return self._events.ordered

    def events_within(self, start_s: float, stop_s: float) -> tuple[Event, ...]:
        """The events that touch an interval, by their start."""
        return self._events.within(start_s, stop_s)

    def event(self, event_id: str) -> Event | None:
        """Return an event by its id, or None where there is none."""
        return self._events.get(event_id)

    def add_event(self, kind: str, start_s: float, stop_s: float, channel: str | None = None, text: str = "") -> Event:
        """Add an event of the expert's, in seconds on the recording clock, and return it.

        Raises EventError where it has no length, begins before the recording, or its kind is no name.
        """
        at = now()
        event = Event(self._events.new_id(), kind, start_s, stop_s, channel, Origin.EXPERT, text, at, self.scorer)
        self._do(EventEdit((), (event,), at, self.scorer, self.blinded))
        return event

    def change_event(self, event_id: str, **changes: Any) -> Event | None:
        """Give an event another kind, start_s, stop_s, channel or text; a suggestion becomes the expert's by that.

        Return it as it is now, or None where nothing changed. Raises EventError where it would be no event any more.
        """
        old = self._events.get(event_id)
        if old is None or (new := changed(old, changes, scorer=self.scorer)) == old:
            return None
        self._do(EventEdit((old,), (new,), now(), self.scorer, self.blinded))
        return new

    def remove_events(self, event_ids: Iterable[str]) -> EventEdit | None:
        """Delete events, dismiss suggestions; return the edit, or None where none of them is there."""
        return self._swap(self._those(event_ids), ())

    def remove_event(self, event_id: str) -> EventEdit | None:
        """Delete an event, or dismiss a suggestion."""
        return self.remove_events([event_id])

    def accept_events(self, event_ids: Iterable[str]) -> EventEdit | None:
        """Make suggestions the expert's own; return the edit, or None where none of them is one."""
        old = tuple(event for event in self._those(event_ids) if event.suggested)
        new = (changed(event, {"origin": Origin.EXPERT, "scorer": self.scorer}, scorer=self.scorer) for event in old)
        return self._swap(old, tuple(new))

    def suggest_events(self, suggestions: Iterable[Event], instead_of: Iterable[str] = ()) -> EventEdit | None:
        """Lay a detector's suggestions under the night, in the place of earlier ones; one edit, undone as a whole.

        Ids and time are given here. Return the edit, or None where nothing is put and nothing taken away.
        """
        at = now()
        new = tuple(
            replace(event, id=self._events.new_id(), origin=Origin.SUGGESTED, created=at) for event in suggestions
        )
        return self._swap(self._those(instead_of), new)

    def _those(self, event_ids: Iterable[str]) -> tuple[Event, ...]:
        return tuple(event for key in dict.fromkeys(event_ids) if (event := self._events.get(key)) is not None)

    def _swap(self, before: tuple[Event, ...], after: tuple[Event, ...]) -> EventEdit | None:
        if not before and not after:
            return None
        edit = EventEdit(before, after, now(), self.scorer, self.blinded)
        self._do(edit)
        return edit


def now() -> str:
    """Return the time as edits keep it: UTC in ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
