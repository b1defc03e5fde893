"""Events: drawing, moving, naming, deleting them on the traces and in their panel; suggestions and exports."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt

from sleepviewer.app.events.marks import LAYER, id_of, marks_of
from sleepviewer.app.events.panel import EventsPanel
from sleepviewer.app.events.suggestions import EventSuggestions
from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.theme import Theme
from sleepviewer.errors import SleepViewerError
from sleepviewer.hypnogram.words import one_line
from sleepviewer.review.document import Change, Document
from sleepviewer.review.edits import Edit
from sleepviewer.review.events import Event, EventEdit, EventKind
from sleepviewer.review.exporting import export_events
from sleepviewer.stages import EPOCH_S

_SHORTEST_S = 0.05
"""Shorter drags are clicks."""


class EventsPart(QObject):
    """Between the document's events, their marks on the page, and their panel."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._theme_name = "light"
        self._selected: str | None = None
        self._drawing = False
        kinds = [kind for kind in services.settings.get_json("events/kinds", list[str]()) if isinstance(kind, str)]
        self._kind = one_line(services.settings.get_json("events/kind", str(EventKind.AROUSAL))) or EventKind.AROUSAL
        self.panel = EventsPanel(self._theme_name)
        self.panel.offer_kinds([one_line(kind) for kind in kinds if one_line(kind)])
        self.panel.show_drawing(False, self._kind)
        area = Qt.DockWidgetArea.RightDockWidgetArea
        services.panels.add("events", "Events", self.panel, area, shown=True, beside="review")
        self.suggestions = EventSuggestions(self.panel, services, self)
        self.suggestions.changed.connect(services.refresh)
        self._connect()

    def _connect(self) -> None:
        panel, traces = self.panel, self._services.page.traces
        panel.picked.connect(self._pick)
        panel.selection_changed.connect(self._on_panel_selection)
        panel.edit_requested.connect(lambda event_id, field, value: self._change(event_id, **{field: value}))
        panel.accept_requested.connect(self._accept)
        panel.remove_requested.connect(self._remove)
        panel.draw_toggled.connect(self._set_drawing)
        panel.kind_chosen.connect(self._choose_kind)
        traces.interval_drawn.connect(self._draw)
        traces.mark_picked.connect(self._on_mark_picked)
        traces.mark_moved.connect(self._on_mark_moved)
        traces.montage_shown.connect(self._on_montage)

    # -- being a part

    def commands(self) -> Commands:
        """Commands of the key table that it carries out."""
        return {
            "draw_events": lambda: self._set_drawing(not self._drawing),
            "event_kind": self._ask_for_kind,
            "delete_event": lambda: self._remove(self._chosen),
            "accept_event": lambda: self._accept(self._chosen),
            "next_event": lambda: self._step(1),
            "previous_event": lambda: self._step(-1),
            "suggest_events": self.suggestions.start,
            "cancel_suggesting": self.suggestions.cancel,
            "export_events": self._ask_and_export,
        }

    def enabled(self) -> Mapping[str, bool]:
        """What needs a selected event, a suggestion or a running search."""
        document = self._document
        there = document is not None
        chosen = [] if document is None else [document.event(event_id) for event_id in self._chosen]
        return {
            "delete_event": bool(chosen),
            "accept_event": any(event is not None and event.suggested for event in chosen),
            "next_event": document is not None and bool(document.events),
            "previous_event": document is not None and bool(document.events),
            "suggest_events": there and not self.suggestions.running,
            "cancel_suggesting": self.suggestions.running,
            "export_events": document is not None and bool(document.events),
        }

    def set_session(self, session: NightSession) -> None:
        """Follow another night."""
        if self._session is not None:
            self._session.document_changed.disconnect(self._on_change)
        self._session, self._selected = session, None
        session.document_changed.connect(self._on_change)
        self._set_drawing(False)
        self.suggestions.set_session(session)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme_name = theme.name
        self.panel.set_theme(theme.name)
        self._show_marks()

    def close(self) -> None:
        """Remember the kinds, and end what is being looked for."""
        own = [kind for kind in self.panel.kinds if kind not in tuple(EventKind)]
        self._services.settings.set_json("events/kinds", own)
        self._services.settings.set_json("events/kind", str(self._kind))
        self.suggestions.close()

    # -- showing

    @property
    def _document(self) -> Document | None:
        return None if self._session is None else self._session.document

    def _on_change(self, change: Change) -> None:
        document = self._document
        if document is None:
            return
        if change is Change.EVENTS:
            if self._selected is not None and document.event(self._selected) is None:
                self._selected = None
            self._show()
        elif change in (Change.EDITS, Change.BASE, Change.TRUTH, Change.PREDICTION, Change.LIGHTS):
            self.panel.show_counts(document.events, document.labels, document.lights)

    def _on_montage(self) -> None:
        if self._session is not None:
            self._show_marks()

    def _show(self) -> None:
        session = self._session
        if session is not None:
            document = session.document
            self.panel.show_events(document.events, session.night.recording, document.labels, document.lights)

    def _show_marks(self) -> None:
        document, page = self._document, self._services.page
        chosen = frozenset(self._chosen)
        events = () if document is None else document.events
        page.marks.set_layer(LAYER, marks_of(events, page.traces.montage, self._theme_name, chosen))

    # -- selecting and going there

    @property
    def _chosen(self) -> list[str]:
        """The events that commands are about: those selected in the panel, else the one picked on the page."""
        return self.panel.selected or ([] if self._selected is None else [self._selected])

    def _select(self, event_id: str | None) -> None:
        self._selected = event_id
        self.panel.select(event_id)

    def _on_panel_selection(self) -> None:
        """Follow the panel, which also tells of its selection when it shows other events."""
        selected = self.panel.selected
        if selected:
            self._selected = selected[0]
        self._show_marks()
        self._services.refresh()

    def _pick(self, event_id: str) -> None:
        session = self._session
        event = None if session is None else session.document.event(event_id)
        if session is None or event is None:
            return
        self._selected = event_id
        if session.epoch != event.epoch:
            session.go_to(event.epoch)

    def _on_mark_picked(self, key: str) -> None:
        event_id = id_of(key)
        if event_id is not None or not key:
            self._select(event_id)

    def _step(self, direction: int) -> None:
        """Go to the next or previous event of those that the panel shows."""
        session = self._session
        if session is None:
            return
        events = [event for event in session.document.events if self.panel.passes(event)]
        event = _beside(events, self._selected, session.epoch, direction)
        if event is None:
            self._services.tell(f"No {'further' if direction > 0 else 'earlier'} event")
            return
        self._pick(event.id)
        self._select(event.id)
        suggested = " (suggested)" if event.suggested else ""
        where = f" on {event.channel}" if event.channel else ""
        self._services.tell(f"{event.kind}{suggested}{where}, {event.duration_s:.1f} s")

    # -- drawing

    def _set_drawing(self, on: bool) -> None:
        on = on and self._session is not None
        if on != self._drawing:
            self._drawing = on
            self._services.page.traces.set_drawing(on)
            how = f"Drag over a trace to draw {_article(self._kind)}; with Alt or Shift, over all traces. E ends it"
            self._services.tell(how if on else "")
        self._services.check("draw_events", on)
        self.panel.show_drawing(on, self._kind)

    def _ask_for_kind(self) -> None:
        self._services.panels.show("events")
        self.panel.ask_for_kind()

    def _choose_kind(self, kind: str) -> None:
        kind = one_line(kind)
        if kind and kind != self._kind:
            self._kind = kind
            self._services.tell(f"Events that are drawn now: {kind}")
        self.panel.show_drawing(self._drawing, self._kind)

    def _draw(self, start_s: float, stop_s: float, lane: str) -> None:
        session = self._session
        if session is None or not self._drawing:
            return
        start, stop = self._within(min(start_s, stop_s), max(start_s, stop_s))
        if stop - start < _SHORTEST_S:
            return
        kind = self._kind
        self._try(lambda: self._select(session.document.add_event(kind, start, stop, lane or None).id))

    def _on_mark_moved(self, key: str, start_s: float, stop_s: float) -> None:
        event_id = id_of(key)
        if event_id is None:
            return
        event = None if self._document is None else self._document.event(event_id)
        if event is not None and math.isclose(stop_s - start_s, event.duration_s, abs_tol=1e-6):
            # Moved as a whole: at the recording's ends it stops, and keeps its length.
            assert self._session is not None
            late_s = max(stop_s - self._session.night.recording.duration_s, 0.0)
            start_s = max(start_s - late_s, 0.0)
            stop_s = start_s + event.duration_s
        start, stop = self._within(start_s, stop_s)
        if stop - start >= _SHORTEST_S:
            self._change(event_id, start_s=start, stop_s=stop)
        self._select(event_id)

    def _within(self, start_s: float, stop_s: float) -> tuple[float, float]:
        """Clip to the recording, and to milliseconds: a pixel is coarser."""
        assert self._session is not None
        end = self._session.night.recording.duration_s
        return round(max(start_s, 0.0), 3), round(min(stop_s, end), 3)

    # -- changing

    def _change(self, event_id: str, **changes: object) -> None:
        document = self._document
        if document is not None:
            self._try(lambda: document.change_event(event_id, **changes))
            self._show()  # a cell whose edit was refused shows again what stands

    def _accept(self, event_ids: Sequence[str]) -> None:
        self._try(lambda: self._accept_them(event_ids))

    def _accept_them(self, event_ids: Sequence[str]) -> None:
        document = self._document
        if document is None:
            return
        after = self._neighbour(event_ids)
        edit = document.accept_events(event_ids)
        self._say(edit, "No suggestion is selected")
        if edit is not None and len(event_ids) == 1 and after is not None:
            self._go_on(after)

    def _remove(self, event_ids: Sequence[str]) -> None:
        self._try(lambda: self._remove_them(event_ids))

    def _remove_them(self, event_ids: Sequence[str]) -> None:
        document = self._document
        if document is None:
            return
        dismissed = [event for event_id in event_ids if (event := document.event(event_id)) and event.suggested]
        after = self._neighbour(event_ids)
        self._say(document.remove_events(event_ids), "No event is selected")
        if len(event_ids) == 1 and dismissed and after is not None:
            self._go_on(after)

    def _neighbour(self, event_ids: Sequence[str]) -> Event | None:
        """The suggestion after one that is accepted or dismissed, so that a list is gone through without the mouse."""
        document = self._document
        one = document.event(event_ids[0]) if document is not None and len(event_ids) == 1 else None
        if document is None or one is None or not one.suggested:
            return None
        events = [e for e in document.events if e.suggested and (self.panel.passes(e) or e.id == one.id)]
        place = events.index(one)
        return events[place + 1] if place + 1 < len(events) else None

    def _go_on(self, event: Event) -> None:
        self._pick(event.id)
        self._select(event.id)

    def _say(self, edit: EventEdit | Edit | None, nothing: str) -> None:
        self._services.tell(nothing if edit is None else edit.text)

    def _try(self, call: Callable[[], object]) -> None:
        try:
            call()
        except SleepViewerError as error:
            self._services.trouble(str(error))
            self._show_marks()  # one that was dragged lies where it was

    # -- exporting

    def _ask_and_export(self) -> None:
        if self._session is None:
            return
        recording = self._session.night.recording
        path = dialogs.ask_events_path(
            self._services.window, recording.path.with_name(f"{recording.path.stem}-events.csv")
        )
        if path is not None:
            self.export(path)

    def export(self, path: Path) -> None:
        """Write the night's events to a file whose ending says the format."""
        if self._session is None:
            return
        night = self._session.night
        try:
            export_events(night, path, replace=True)
        except SleepViewerError as error:
            self._services.tell("")
            self._services.trouble(f"Not exported: {error}")
            return
        count = len(night.document.events)
        self._services.tell(f"{count} {'event' if count == 1 else 'events'} exported to {path.absolute()}")


def _beside(events: Sequence[Event], selected: str | None, epoch: int, direction: int) -> Event | None:
    """Return the event after or before the selected one where that is in the epoch, else after or before the epoch."""
    place = next((i for i, event in enumerate(events) if event.id == selected), None)
    if place is not None and events[place].epoch == epoch:
        place += direction
        return events[place] if 0 <= place < len(events) else None
    if direction > 0:
        return next((event for event in events if event.start_s >= epoch * EPOCH_S), None)
    return next((event for event in reversed(events) if event.start_s < epoch * EPOCH_S), None)


def _article(kind: str) -> str:
    return f"{'an' if kind[:1].lower() in 'aeio' else 'a'} {kind}"
