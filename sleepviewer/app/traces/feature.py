"""What the keys do to the page of traces, and what of it is remembered."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces.view import TraceView
from sleepviewer.display.timebase import TIMEBASES, USUAL, text_of

_WHOLE_NIGHT = 0.0
"""Kept in the settings for the timebase of the whole night."""

_GOODBYE_S = 0.1
"""So long a read that is under way is waited for when the window closes."""


class TracesPart:
    """Timebase, gains, guide lines, polarity, ruler: commands of the page of traces."""

    def __init__(self, services: Services) -> None:
        self._services = services
        view = services.page.traces
        assert isinstance(view, TraceView)
        self._view = view
        settings = services.settings
        kept = settings.get_json("traces/timebase", USUAL)
        timebase = None if kept == _WHOLE_NIGHT else kept
        view.set_timebase(timebase if timebase in TIMEBASES else USUAL)
        for name, switch in (("guides", view.set_guides), ("negative_up", view.set_negative_up)):
            on = settings.get_json(f"traces/{name}", False)
            self._action(name).setChecked(on)
            switch(on)
        view.timebase_changed.connect(self._on_timebase)
        view.go_to_requested.connect(services.page.go_to_requested)
        view.measured.connect(services.tell)

    def commands(self) -> Commands:
        view = self._view
        return {
            "shorter_page": lambda: view.zoom(-1),
            "longer_page": lambda: view.zoom(1),
            "usual_page": lambda: view.set_timebase(USUAL),
            "scroll_right": lambda: view.scroll_page(1),
            "scroll_left": lambda: view.scroll_page(-1),
            "lane_gain_up": lambda: self._change_lane(1),
            "lane_gain_down": lambda: self._change_lane(-1),
            "gains_anew": view.reset_gains,
            "lane_above": lambda: view.step_lane(-1),
            "lane_below": lambda: view.step_lane(1),
            "guides": lambda: self._switch("guides"),
            "negative_up": lambda: self._switch("negative_up"),
            "ruler": lambda: self._switch("ruler"),
        }

    def enabled(self) -> Mapping[str, bool]:
        return {}

    def set_session(self, session: NightSession) -> None:
        """Nothing: the page shows the night already."""

    def set_theme(self, theme: Theme) -> None:
        """Nothing: the page has it already."""

    def close(self) -> None:
        self._view.close_recording(_GOODBYE_S)

    def _action(self, command: str) -> QAction:
        action = self._services.window.findChild(QAction, command)
        assert isinstance(action, QAction)
        return action

    def _switch(self, name: str) -> None:
        on = self._action(name).isChecked()
        if name == "ruler":
            self._view.set_ruler(on)
            self._services.tell("Ruler: drag over a trace to measure" if on else "")
            return
        (self._view.set_guides if name == "guides" else self._view.set_negative_up)(on)
        self._services.settings.set_json(f"traces/{name}", on)

    def _change_lane(self, direction: int) -> None:
        lane = self._view.selected_lane
        if lane is None:
            self._services.tell("Select a channel first: Alt+↑ ↓, or click its name")
        else:
            self._view.change_gain(direction, lane)

    def _on_timebase(self, seconds: float | None) -> None:
        self._services.settings.set_json("traces/timebase", _WHOLE_NIGHT if seconds is None else seconds)
        self._services.tell(f"Page: {text_of(seconds)}")
