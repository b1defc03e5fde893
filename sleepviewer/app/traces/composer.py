"""Makes pages of a recording and a montage: reads the lanes, names and scales them, lays grid and times out.

Pages are read in the thread of a :class:`PageReader`, one after the other; only :meth:`Composer.blank` and
:meth:`Composer.known_half_height`, which read nothing, are called in the window's own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.app.traces.overview import Overview
from sleepviewer.app.traces.page import LaneLook, Missing, Page
from sleepviewer.app.traces.reader import NotWanted
from sleepviewer.display.filters import RAW
from sleepviewer.display.gain import starting_half_heights, usual_half_height
from sleepviewer.display.montage import Derivation, Montage, Trace, shown_channel
from sleepviewer.display.page import PageCache, PageTrace
from sleepviewer.display.style import Style
from sleepviewer.display.timebase import axis_times, epoch_borders, grid_lines, is_long, shows_context
from sleepviewer.errors import ChannelError, SleepViewerError
from sleepviewer.recording.base import Channel, Recording, Role
from sleepviewer.stages import EPOCH_S

GUIDE_UV: Final = 37.5
"""Lines at this distance from the middle are 75 µV apart, as much as a slow wave must have."""
_NOTHING: Final = PageTrace(np.empty(0, np.float32), np.empty(0, np.float32))
_FLIPPED: Final = (Role.EEG, Role.EOG)
_SOME_HALF_HEIGHT: Final = 100.0
_QUICK_S: Final = 0.2
"""A drive that takes longer for the first page is not asked for a dozen places more before that is shown."""
_ABSENT: Final = "not in this recording"
_NO_MEMORY: Final = "Memory does not suffice for this page; close other programs, or show a shorter one."


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A page as it was read.

    Attributes
    ----------
    failed: whether its samples can't be read.
    sentences: on what went wrong.
    unscaled: lanes at the usual scale of their role for the time being, since the drive is too slow to look at how
        large they are before the page is shown; :meth:`Composer.find_scales` does.
    """

    page: Page
    failed: bool
    sentences: tuple[str, ...]
    unscaled: tuple[Trace, ...] = ()


def _wanted() -> bool:
    return False


class Composer:
    """Pages of one recording."""

    def __init__(self, recording: Recording, overview: Overview) -> None:
        self.recording = recording
        self._overview = overview
        self._cache = PageCache(recording)
        self._channels: dict[tuple[Derivation, Role | None], Channel | None] = {}
        self._sentences: list[str] = []
        self._failed = self._previewed = False
        self._starting: dict[tuple[object, ...], float] = {}

    def known_half_height(self, trace: Trace) -> float | None:
        """The scale of a lane: its own, or what suits its role and signal; None while its page was not read."""
        if trace.half_height is not None:
            return trace.half_height
        return self._starting.get(_scale_key(trace))

    def find_scales(self, traces: Sequence[Trace]) -> None:
        """Find the scales of lanes that suit their signals, and know them from now on."""
        new = [trace for trace in traces if self.known_half_height(trace) is None]
        try:
            found = starting_half_heights(self.recording, new) if new else []
        except SleepViewerError:
            found = [_SOME_HALF_HEIGHT] * len(new)  # drawing the page tells the trouble
        for trace, half_height in zip(new, found, strict=True):
            self._starting[_scale_key(trace)] = half_height

    def blank(
        self,
        montage: Montage,
        style: Style,
        epoch: int,
        layout: PageLayout,
        *,
        most_times: int,
        selected: int | None,
        theme: Theme,
        mark: str,
    ) -> Page:
        """Return the page without its traces, marked; nothing is read."""
        lanes = [(trace, self._channel(trace)) for trace in montage.shown]
        bands = [trace.band if style.filters_on else RAW for trace, _ in lanes]
        looks = [
            self._look(trace, channel, style, band.text, self.known_half_height(trace))
            for (trace, channel), band in zip(lanes, bands, strict=True)
        ]
        return replace(
            self._page(epoch, layout, looks, [_NOTHING] * len(looks), most_times, selected, theme), mark=mark
        )

    def page(
        self,
        montage: Montage,
        style: Style,
        epoch: int,
        layout: PageLayout,
        columns: int,
        *,
        most_times: int,
        selected: int | None,
        theme: Theme,
        ahead: int = 0,
        unwanted: Callable[[], bool] = _wanted,
    ) -> Reading:
        """Read a page and put together all that is painted of it; ``most_times`` have room under it.

        With ``ahead``, an epoch more is read after it (1) or before it (-1), for the page that follows. Raises
        NotWanted where ``unwanted`` says so between two lanes.
        """
        lanes = [(trace, self._channel(trace)) for trace in montage.shown]
        started = time.monotonic()
        traces, named = self._read(lanes, style, (layout.start_s, layout.stop_s), columns, ahead, unwanted)
        unscaled = [t for t, channel in lanes if channel is not None and self.known_half_height(t) is None]
        if not self._failed and time.monotonic() - started < _QUICK_S:
            self.find_scales(unscaled)
            unscaled = []
        looks = []
        for (trace, channel), name in zip(lanes, named, strict=True):
            scale = self.known_half_height(trace)
            if scale is None and channel is not None:
                scale = usual_half_height(self.recording, trace)
            looks.append(self._look(trace, channel, style, name, scale or _SOME_HALF_HEIGHT))
        sentences, self._sentences = tuple(self._sentences), []
        page = self._page(epoch, layout, looks, traces, most_times, selected, theme)
        return Reading(page, self._failed, sentences, () if self._failed else tuple(unscaled))

    def _page(
        self,
        epoch: int,
        layout: PageLayout,
        looks: list[LaneLook],
        traces: list[PageTrace],
        most_times: int,
        selected: int | None,
        theme: Theme,
    ) -> Page:
        start, stop = layout.start_s, layout.stop_s
        return Page(
            epoch_s=epoch * EPOCH_S,
            epoch_is_narrow=is_long(start, stop),
            context_is_faint=shows_context(start, stop),
            lanes=tuple(looks),
            traces=tuple(traces),
            missing=tuple(_missing(self.recording, start, stop)),
            grid=tuple(grid_lines(self.recording, start, stop, most_times)),
            borders=tuple(epoch_borders(start, stop)),
            times=tuple(axis_times(self.recording, start, stop, most_times)),
            selected=selected,
            theme=theme,
            # What was read before the building ended is a preview for all that.
            grows=self._previewed or self._overview.building,
        )

    def _channel(self, trace: Trace) -> Channel | None:
        """What a lane shows, or None (said once) where the recording does not have it."""
        key = (trace.derivation, trace.role)
        if key not in self._channels:
            try:
                self._channels[key] = shown_channel(self.recording, trace)
            except ChannelError as error:
                self._channels[key] = None
                self._sentences.append(str(error))
        return self._channels[key]

    def _read(
        self,
        lanes: list[tuple[Trace, Channel | None]],
        style: Style,
        span: tuple[float, float],
        columns: int,
        ahead: int,
        unwanted: Callable[[], bool],
    ) -> tuple[list[PageTrace], list[str]]:
        """Return the lanes' traces, and the filters that they are shown with, as text."""
        start, stop = span
        bands = [trace.band if style.filters_on else RAW for trace, _ in lanes]
        from_overview = [
            channel is not None and self._overview.suits(trace.derivation, stop - start, columns)
            for trace, channel in lanes
        ]
        if any(from_overview):
            wanted = [
                (t.derivation, band) for (t, _), band, there in zip(lanes, bands, from_overview, strict=True) if there
            ]
            self._overview.want(wanted, (start + stop) / 2)
        traces, named = [], []
        self._failed = self._previewed = False
        try:
            for (trace, channel), band, there in zip(lanes, bands, from_overview, strict=True):
                _stop_where(unwanted)
                if channel is None:
                    traces.append(_NOTHING)
                    named.append(_ABSENT)
                elif there:
                    shown, is_true = self._overview.page((trace.derivation, band), start, stop, columns)
                    traces.append(shown)
                    named.append(band.text if is_true else "preview, unfiltered")
                    self._previewed |= not is_true
                else:
                    traces.append(self._cache.read(trace.derivation, start, stop, band, columns, ahead=ahead))
                    named.append(band.text)
        except (SleepViewerError, MemoryError) as error:
            self._failed = True
            # Better no traces than those of another page.
            traces, named = [_NOTHING] * len(lanes), [band.text for band in bands]
            self._sentences.append(_NO_MEMORY if isinstance(error, MemoryError) else str(error))
        return traces, named

    def _look(
        self, trace: Trace, channel: Channel | None, style: Style, filtered: str, half_height: float | None
    ) -> LaneLook:
        label = trace.derivation.label
        if channel is None:
            return LaneLook(label, trace.half_height or _SOME_HALF_HEIGHT, "", _ABSENT, trace.color)
        guides = style.guides and channel.is_voltage and channel.role is Role.EEG
        return LaneLook(
            label,
            math.nan if half_height is None else half_height,
            channel.unit,
            filtered,
            trace.color,
            negative_up=style.negative_up and channel.role in _FLIPPED,
            guide=GUIDE_UV if guides else None,
        )


def _scale_key(trace: Trace) -> tuple[object, ...]:
    return trace.derivation, trace.band, trace.role


def _stop_where(unwanted: Callable[[], bool]) -> None:
    if unwanted():
        raise NotWanted


def _missing(recording: Recording, start: float, stop: float) -> list[Missing]:
    """Stretches of a page without samples, with the words to write there."""
    ends = [(start, min(stop, 0.0), "before the recording"), (recording.duration_s, stop, "after the recording")]
    gaps = [(gap.start_s, gap.stop_s, f"gap of {gap.duration_s:.4g} s: nothing recorded") for gap in recording.gaps]
    return [
        Missing(max(first, start), min(last, stop), text)
        for first, last, text in ends + gaps
        if max(first, start) < min(last, stop)
    ]
