"""What the window is composed of beside the night page: each part brings its panel, its commands and its memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from PySide6.QtCore import QRectF, QSize, SignalInstance
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QWidget

from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.actions import Actions
from sleepviewer.app.shell.notice_bar import NoticeBar
from sleepviewer.app.shell.panels import Panels
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.shell.welcome import WelcomePage
from sleepviewer.display.evidence import Evidence
from sleepviewer.display.mark_layers import MarkBook
from sleepviewer.display.montage import Montage
from sleepviewer.display.span import Span
from sleepviewer.display.style import Style
from sleepviewer.scoring.registry import EngineSpec

_Read = TypeVar("_Read")

Commands = Mapping[str, Callable[[], object]]


class TracesAccess(Protocol):
    """What features may use of the page of traces."""

    @property
    def interval_drawn(self) -> SignalInstance:
        """Start and stop in seconds, and the label of the channel; empty for all channels."""

    @property
    def mark_moved(self) -> SignalInstance:
        """A mark's key, and its new start and stop in seconds."""

    @property
    def mark_picked(self) -> SignalInstance:
        """The key of a mark that was clicked."""

    @property
    def montage_shown(self) -> SignalInstance:
        """Emitted when other channels are shown."""

    @property
    def montage(self) -> Montage:
        """The montage that is shown."""

    @property
    def scales(self) -> tuple[str, ...]:
        """What half the height of each channel stands for: ``±100 µV``."""

    @property
    def timebase(self) -> float | None:
        """Seconds on a page; None for the whole night."""

    @property
    def page_style(self) -> Style:
        """Filters, guide lines and polarity."""

    @property
    def evidence(self) -> Evidence | None:
        """The explanation that is shown, if any."""

    def set_evidence(self, evidence: Evidence | None) -> None:
        """Show an explanation, or none."""

    def set_drawing(self, on: bool) -> None:
        """Let drags over the traces draw intervals."""

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colors."""

    def paint_page(self, painter: QPainter, rect: QRectF) -> None:
        """Paint the page into a rectangle."""


class RowsAccess(Protocol):
    """What features may use of the rows of the whole night."""

    @property
    def span(self) -> Span:
        """The part of the night that is shown."""

    def sizeHint(self) -> QSize:
        """Size that the rows ask for."""

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colors."""

    def paint_night(self, painter: QPainter, rect: QRectF) -> None:
        """Paint the rows into a rectangle."""


class PageAccess(Protocol):
    """What features may use of the page of an open night.

    The features of the rows, of the traces and of the review panel have the widget itself: it is a class of theirs.
    """

    @property
    def go_to_requested(self) -> SignalInstance:
        """The number of an epoch, counted from 0."""

    @property
    def trouble(self) -> SignalInstance:
        """A sentence on what could not be read."""

    @property
    def cell_picked(self) -> SignalInstance:
        """Pairing, row and column of the confusion matrix."""

    @property
    def theme(self) -> Theme:
        """The colors that are shown."""

    @property
    def notice(self) -> NoticeBar:
        """The strip above the night."""

    @property
    def night(self) -> RowsAccess:
        """The rows of the whole night."""

    @property
    def traces(self) -> TracesAccess:
        """The page of traces."""

    @property
    def marks(self) -> MarkBook:
        """Layers of marks on the page of traces."""

    @property
    def panel(self) -> QWidget:
        """The review panel."""

    def font(self) -> QFont:
        """The font of the page."""

    def show_matrix(self) -> None:
        """Show the confusion matrix in the review panel."""


class ReadingAccess(Protocol):
    """Reads a hypnogram file as its user specifies where it is ambiguous."""

    def read(self, path: Path, read: Callable[[str | None], _Read]) -> _Read | None:
        """Return what ``read`` returns, called with the chosen reading; None where the user chooses none."""


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
    page: PageAccess
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
    readings: ReadingAccess


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
