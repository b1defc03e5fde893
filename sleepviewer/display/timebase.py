"""How much of the night a page shows, and the lines and times that help to read it.

The page's length has nothing to do with the 30-s epoch that is scored: the page is centred on that epoch's middle,
whatever its length, so that one page more is always one epoch more.
"""

from __future__ import annotations

from typing import Final

from sleepviewer.display.clock import clock_text, hour_ticks
from sleepviewer.recording.base import Recording
from sleepviewer.stages import EPOCH_S

TIMEBASES: Final[tuple[float | None, ...]] = (
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1800.0,
    3600.0,
    None,
)
"""Lengths of a page in seconds; None is the whole night."""

USUAL: Final = 60.0
"""The epoch, and half an epoch on both sides."""

_LONG_S: Final = 180.0
"""Pages longer than this have grids and times at round minutes of the clock, shorter ones at seconds of the epoch."""

_BORDERS_S: Final = 600.0
"""Pages up to this length show where epochs meet."""


def stepped(timebase: float | None, direction: int) -> float | None:
    """Return the next longer (1) or shorter (-1) timebase, or the same at either end."""
    place = min(max(TIMEBASES.index(timebase) + direction, 0), len(TIMEBASES) - 1)
    return TIMEBASES[place]


def text_of(timebase: float | None) -> str:
    """Return ``20 s``, ``5 min``, ``1 h``, ``whole night``."""
    if timebase is None:
        return "whole night"
    if timebase < 120:
        return f"{timebase:g} s"
    return f"{timebase / 60:g} min" if timebase < 3600 else f"{timebase / 3600:g} h"


def page_span(timebase: float | None, epoch: int, scrolled_s: float, duration_s: float) -> tuple[float, float]:
    """Return first and last second of the page around an epoch, in recording time.

    ``scrolled_s`` moves the page on from the epoch's middle. Pages near the ends show what lies beyond them, empty.
    """
    if timebase is None:
        return 0.0, max(duration_s, EPOCH_S)
    middle = (epoch + 0.5) * EPOCH_S + scrolled_s
    return middle - timebase / 2, middle + timebase / 2


def shows_context(start_s: float, stop_s: float) -> bool:
    """Whether what is beside the epoch is drawn fainter: on pages where the epoch takes a good part of the width."""
    return stop_s - start_s <= _LONG_S


def is_long(start_s: float, stop_s: float) -> bool:
    """Whether a page is so long that an epoch is a sliver of it."""
    return stop_s - start_s > _BORDERS_S


def grid_lines(recording: Recording, start_s: float, stop_s: float, most: int) -> list[tuple[float, bool]]:
    """Return the times of the grid's lines, and whether each is a strong one: 1 s and 5 s, coarser on long pages.

    ``most`` strong lines at most on pages that follow the clock.
    """
    span = stop_s - start_s
    if span > _LONG_S:
        strong_ticks = [time for time, _ in hour_ticks(recording, start_s, stop_s, most)]
        fine = [(time, False) for time in _multiples(EPOCH_S, start_s, stop_s)] if span <= _BORDERS_S else []
        return fine + [(time, True) for time in strong_ticks]
    minor, ratio = (0.2, 5) if span <= 6 else (1.0, 5) if span <= 90 else (5.0, 6)
    first, last = _range(minor, start_s, stop_s)
    return [(k * minor, k % ratio == 0) for k in range(first, last + 1)]


def axis_times(recording: Recording, start_s: float, stop_s: float, most: int) -> list[tuple[float, str]]:
    """Return at most about ``most`` times to write under the page, with their texts."""
    span = stop_s - start_s
    if span > _LONG_S:
        return hour_ticks(recording, start_s, stop_s, most)
    steps = (1, 2, 5, 10, 15, 30) if span <= 6 else (5, 10, 15, 30)
    step = next((s for s in steps if span / s <= most), steps[-1])
    return [(time, clock_text(recording, time)) for time in _multiples(step, start_s, stop_s)]


def epoch_borders(start_s: float, stop_s: float) -> list[float]:
    """Return the times at which epochs meet, on pages that are short enough for lines there."""
    return _multiples(EPOCH_S, start_s, stop_s) if not is_long(start_s, stop_s) else []


def _multiples(step: float, start_s: float, stop_s: float) -> list[float]:
    first, last = _range(step, start_s, stop_s)
    return [k * step for k in range(first, last + 1)]


def _range(step: float, start_s: float, stop_s: float) -> tuple[int, int]:
    tolerance = 1e-9
    return -int(-(start_s / step - tolerance) // 1), int((stop_s / step + tolerance) // 1)
