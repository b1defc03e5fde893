"""Theme, stage colours, full screen, and the window's arrangement."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.keys.help_text import shown_keys
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.stage_colors import STAGE_COLORS
from sleepviewer.app.shell.theme import Theme

_THEMES = ("system", "light", "dark")


class AppearancePart:
    """How the window looks and how its panels lie; the choice is kept in the settings."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._was_maximized = False
        self._show_choice()

    def commands(self) -> Commands:
        """Commands of the key table that it carries out, by name."""
        return {
            **{f"theme_{name}": partial(self._choose_theme, name) for name in _THEMES},
            **{f"stages_{name}": partial(self._choose_stages, name) for name in STAGE_COLORS},
            "full_screen": self._switch_full_screen,
            "float_panel": self._float_panel,
            "reset_window": self._reset_window,
        }

    def enabled(self) -> Mapping[str, bool]:
        """All of them can always be called."""
        return {}

    def set_session(self, session: NightSession) -> None:
        """Looks are the same for every night."""

    def set_theme(self, theme: Theme) -> None:
        """Show in the menus what was chosen, also where that was done elsewhere."""
        self._show_choice()

    def close(self) -> None:
        """Everything was kept when it was chosen."""

    def _choose_theme(self, name: str) -> None:
        self._services.settings.theme = name
        self._services.restyle()

    def _choose_stages(self, name: str) -> None:
        self._services.settings.stage_colors = name
        self._services.restyle()

    def _show_choice(self) -> None:
        settings, actions = self._services.settings, self._services.actions
        actions[f"theme_{settings.theme}"].setChecked(True)
        actions[f"stages_{settings.stage_colors}"].setChecked(True)
        actions["full_screen"].setChecked(self._services.window.isFullScreen())

    def _switch_full_screen(self) -> None:
        window = self._services.window
        if window.isFullScreen():
            (window.showMaximized if self._was_maximized else window.showNormal)()
            self._services.tell("")
        else:
            self._was_maximized = window.isMaximized()
            window.showFullScreen()
            key = shown_keys(self._services.actions.keymap.keys("full_screen")[:1])
            self._services.tell(f"Full screen: {key or 'View › Full screen'} goes back")
        self._services.actions["full_screen"].setChecked(window.isFullScreen())

    def _float_panel(self) -> None:
        dock = self._services.panels.in_hand()
        if dock is None:
            self._services.tell("No panel is shown: View › Panels shows them")
            return
        self._services.panels.float_or_dock(dock)
        self._services.tell(f"The panel “{dock.windowTitle()}” {'floats' if dock.isFloating() else 'is in the window'}")

    def _reset_window(self) -> None:
        self._services.panels.reset()
        self._services.tell("All panels are where they were at the first start")
