"""Finding commands, seeing their keys, and setting them: the palette, the help overlay, the settings dialog."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.keys.command_table import KEY_TABLE
from sleepviewer.app.keys.keymap import Keymap
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme

if TYPE_CHECKING:
    from sleepviewer.app.shell.command_palette import Entry

# The dialogs are imported when they are first asked for: the window starts without them.


class KeysPart:
    """The keys as the user set them, and what shows them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._night_open = False
        services.actions.set_keymap(services.settings.keymap)

    def commands(self) -> Commands:
        """Commands of the key table that it carries out, by name."""
        return {"palette": self._find_command, "help_keys": self._show_keys, "settings": self._ask_settings}

    def enabled(self) -> Mapping[str, bool]:
        """All of them can always be called."""
        return {}

    def set_session(self, session: NightSession) -> None:
        """Commands that need a night can be called from now on."""
        self._night_open = True

    def set_theme(self, theme: Theme) -> None:
        """Dialogs are made anew each time, in the colours of the application."""

    def close(self) -> None:
        """Keys were kept when they were set."""

    # -- finding

    def entries(self) -> list[Entry]:
        """Everything that the palette offers: all commands, panels, and the recent recordings."""
        from sleepviewer.app.shell.command_palette import Entry

        actions = self._services.actions
        keys = actions.keymap.all()
        entries = [
            Entry(
                # An undo's menu entry says what it takes back.
                row.title if row.submenu else actions[row.command].text(),
                row.menu,
                keys[row.command],
                row.explanation,
                actions[row.command].trigger,
                actions.why_not(row.command, night_open=self._night_open),
                actions[row.command].isChecked() if row.checkable else None,
                actions[row.command].icon(),
            )
            for row in KEY_TABLE
            if row.command != "palette"
        ]
        panels = self._services.panels
        for name in panels.names:
            toggle = panels[name].toggleViewAction()
            why_not = "" if toggle.isEnabled() else "no night is open"
            said = (
                f"Panel: {toggle.text()}",
                "View",
                (),
                toggle.toolTip(),
                toggle.trigger,
                why_not,
                toggle.isChecked(),
            )
            entries.append(Entry(*said, actions["reset_window"].icon()))
        icon = actions["open"].icon()
        for path in self._services.settings.recent:
            call = partial(self._services.open_path, path)
            entries.append(Entry(path.name, "Recent", (), str(path), call, "", None, icon))
        return entries

    def _find_command(self) -> None:
        from sleepviewer.app.shell.command_palette import CommandPalette

        palette = CommandPalette(self.entries(), self._services.window)
        palette.exec()
        if palette.chosen is not None:
            palette.chosen.call()

    # -- seeing and setting

    def _show_keys(self) -> None:
        from sleepviewer.app.shell.help_overlay import HelpOverlay

        HelpOverlay(self._services.actions.keymap, self._services.window).exec()

    def _ask_settings(self) -> None:
        from sleepviewer.app.preferences.settings_dialog import SettingsDialog

        dialog = SettingsDialog(self._services.settings, self._services.actions, self._services.window)
        dialog.keymap_changed.connect(self.set_keymap)
        dialog.reset_asked.connect(self._reset)
        dialog.exec()

    def set_keymap(self, keymap: Keymap) -> None:
        """Set all keys, and keep them."""
        self._services.settings.keymap = keymap
        self._services.actions.set_keymap(keymap)

    def _reset(self) -> None:
        services = self._services
        services.settings.forget()
        services.actions.set_keymap(Keymap())
        services.panels.reset()
        services.restyle()
        services.tell("Everything that was remembered is forgotten; the next start is like the first")
