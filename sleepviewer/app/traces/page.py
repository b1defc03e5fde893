"""A page of traces as a value: all that is painted of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.page import PageTrace


@dataclass(frozen=True, slots=True)
class LaneLook:
    """How a lane is named, scaled and drawn.

    Attributes
    ----------
    label: the derivation.
    half_height: what half the lane's height stands for, in ``unit``; NaN while that is not known.
    filtered: the filter as it is named: ``0.3–35 Hz``, ``unfiltered``.
    color: of the trace, ``#rrggbb``; None for the theme's.
    negative_up: whether negative is drawn upward.
    guide: distance of two lines from the lane's middle, in ``unit``; None for no lines.
    """

    label: str
    half_height: float
    unit: str
    filtered: str
    color: str | None = None
    negative_up: bool = False
    guide: float | None = None

    @property
    def scale(self) -> str:
        """The scale as written: ``±100 µV``; ``…`` while it is not known."""
        if math.isnan(self.half_height):
            return "…"
        return f"±{self.half_height:g}{' ' + self.unit if self.unit else ''}"

    @property
    def detail(self) -> str:
        """The line under the name: ``±100 µV · 0.3–35 Hz``, with ``−↑`` before it where negative is up."""
        return f"{'−↑ ' if self.negative_up else ''}{self.scale} · {self.filtered}"


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch of the page without samples, in recording time, and the words to write there."""

    start_s: float
    stop_s: float
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What one page shows.

    Attributes
    ----------
    epoch_s: start of the current epoch, in recording time.
    epoch_is_narrow: whether the page is so long that the epoch is a mark over the traces, not the ground behind them.
    context_is_faint: whether what is beside the epoch is drawn fainter.
    grid: times of the grid's lines, and whether each is a strong one.
    borders: times at which epochs meet.
    times: what is written under the page: recording times and texts.
    grows: whether more of it is still to come.
    mark: why the traces are not, or may not be, what the file holds here: being read, can't be read; else empty.
    """

    epoch_s: float
    epoch_is_narrow: bool
    context_is_faint: bool
    lanes: tuple[LaneLook, ...]
    traces: tuple[PageTrace, ...]
    missing: tuple[Missing, ...]
    grid: tuple[tuple[float, bool], ...]
    borders: tuple[float, ...]
    times: tuple[tuple[float, str], ...]
    selected: int | None
    theme: Theme
    grows: bool = False
    mark: str = ""

    @property
    def labels(self) -> list[str]:
        """The lanes' names, from the top."""
        return [look.label for look in self.lanes]
