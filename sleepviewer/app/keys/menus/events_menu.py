"""Commands of the menu Events."""

from __future__ import annotations

from typing import Final

from sleepviewer.app.keys.menus.row import KeyRow

ROWS: Final = (
    KeyRow(
        "draw_events",
        "Events",
        "Draw events",
        ("E",),
        tip="Draw events by dragging over a trace; with Alt or Shift, over all traces",
        checkable=True,
    ),
    KeyRow(
        "event_kind",
        "Events",
        "Choose the kind to draw…",
        ("Shift+E",),
        tip="Choose or type the kind of event that is drawn: arousal, artefact, spindle, K-complex or a name of yours",
    ),
    KeyRow(
        "next_event",
        "Events",
        "Next event",
        (".",),
        tip="Go to the next event of those that the panel shows",
        repeats=True,
        break_before=True,
        unless="there is no event",
    ),
    KeyRow(
        "previous_event",
        "Events",
        "Previous event",
        (",",),
        tip="Go to the previous event of those that the panel shows",
        repeats=True,
        unless="there is no event",
    ),
    KeyRow(
        "accept_event",
        "Events",
        "Accept the selected suggestion",
        ("Shift+Return", "Shift+Enter"),
        tip="Make the selected suggestion your own, and go to the next one",
        icon="accept",
        break_before=True,
        unless="no suggestion is selected",
    ),
    KeyRow(
        "delete_event",
        "Events",
        "Delete the selected event",
        ("Del",),
        tip="Delete the selected event, or dismiss the selected suggestion",
        icon="delete",
        unless="no event is selected",
    ),
    KeyRow(
        "suggest_events",
        "Events",
        "Suggest spindles and slow waves",
        ("Ctrl+D",),
        tip="Look for spindles and slow waves with YASA, in the background",
        icon="search",
        break_before=True,
        unless="they are being looked for already",
    ),
    KeyRow(
        "cancel_suggesting",
        "Events",
        "Cancel looking for events",
        (),
        tip="Stop looking for events; what the night had before stays",
        icon="stop",
        unless="nothing is being looked for",
    ),
    KeyRow(
        "export_events",
        "Events",
        "Export events…",
        ("Ctrl+Shift+E",),
        tip="Write the events as EDF+ annotations or as a table",
        icon="export",
        break_before=True,
        unless="there is no event",
    ),
)
