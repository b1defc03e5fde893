"""What the window is composed of beside the night page: each part brings its panel, its commands and its memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QWidget

from sleepviewer.app.files.reading_dialog import Readings
from sleepviewer.app.night.page import NightPage
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.actions import Actions
from sleepviewer.app.shell.panels import Panels
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.shell.welcome import WelcomePage
from sleepviewer.scoring.registry import EngineSpec

Commands = Mapping[str, Callable[[], object]]


class OpenPath(Protocol):
    """Opens a recording, with a saved review where one is named."""

    def __call__(self, path: Path, *, labels: Path | None = None) -> object:
        """Open it; trouble is shown, not raised."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a part may use of the window: never the window itself, never another part.

    ``tell`` shows a word in the status line, ``trouble`` a sentence where errors are shown; ``refresh`` has the window
    look again at which commands can be called (:meth:`Part.enabled`), ``restyle`` at which theme is chosen; ``check``
    shows a checkable command as on or off, ``open_path`` opens a recording as the menu does, ``open_as`` for a scorer
    who is named (their own review alone is taken up); ``engine`` is the one that is chosen in the tool bar,
    ``readings`` reads a hypnogram file as its user says where it is ambiguous.
    """

    window: QWidget
    page: NightPage
    panels: Panels
    settings: Settings
    actions: Actions
    tell: Callable[[str], None]
    trouble: Callable[[str], None]
    refresh: Callable[[], None]
    check: Callable[[str, bool], None]
    restyle: Callable[[], None]
    open_path: OpenPath
    engine: Callable[[], EngineSpec]
    open_as: Callable[[Path, str], object]
    welcome: WelcomePage
    readings: Readings


class Part(Protocol):
    """One concern of the window, in a module of its own."""

    def commands(self) -> Commands:
        """Commands of the key table that it carries out, by name."""

    def enabled(self) -> Mapping[str, bool]:
        """Its commands that can't be called just now (or can again); any other is enabled once a night is open."""

    def set_session(self, session: NightSession) -> None:
        """Follow another night."""

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""

    def close(self) -> None:
        """Remember what is to come back at the next start, and end what runs in the background."""
