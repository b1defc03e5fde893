"""Makes pages of a recording and a montage: reads the lanes, names and scales them, lays grid and times out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from sleepviewer.app.theme import Theme
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.app.traces.overview import Overview
from sleepviewer.app.traces.page import LaneLook, Missing, Page
from sleepviewer.display.filters import RAW
from sleepviewer.display.gain import starting_half_height
from sleepviewer.display.montage import Derivation, Montage, Trace, shown_channel
from sleepviewer.display.page import PageCache, PageTrace
from sleepviewer.display.timebase import axis_times, epoch_borders, grid_lines, is_long, shows_context
from sleepviewer.errors import ChannelError, SleepViewerError
from sleepviewer.recording.base import Channel, Recording, Role
from sleepviewer.stages import EPOCH_S

GUIDE_UV: Final = 37.5
"""Lines at this distance from the middle are 75 µV apart, as much as a slow wave must have."""
_NOTHING: Final = PageTrace(np.empty(0, np.float32), np.empty(0, np.float32))
_FLIPPED: Final = (Role.EEG, Role.EOG)


@dataclass(frozen=True, slots=True)
class Style:
    """What the user has switched: filters, guide lines, EEG negative up."""

    filters_on: bool = True
    guides: bool = False
    negative_up: bool = False


class Composer:
    """Pages of one recording; ``tell`` is called with a sentence where something can't be read."""

    def __init__(self, recording: Recording, overview: Overview, tell: Callable[[str], None]) -> None:
        self.recording = recording
        self._overview = overview
        self._tell = tell
        self._cache = PageCache(recording)
        self._channels: dict[tuple[Derivation, Role | None], Channel | None] = {}
        self.failed = False
        """Whether the last page that was asked for could not be read."""
        self._previewed = False
        self._starting: dict[tuple[object, ...], float] = {}

    def half_height(self, trace: Trace) -> float:
        """The scale of a lane: its own, or what suits its role and signal."""
        if trace.half_height is not None:
            return trace.half_height
        key = (trace.derivation, trace.band, trace.role)
        if key not in self._starting:
            try:
                self._starting[key] = starting_half_height(self.recording, trace)
            except SleepViewerError:
                self._starting[key] = 100.0  # drawing the page tells the trouble
        return self._starting[key]

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
    ) -> Page:
        """Read a page and put together all that is painted of it; ``most_times`` have room under it.

        With ``ahead``, an epoch more is read after it (1) or before it (-1), for the page that follows.
        """
        start, stop = layout.start_s, layout.stop_s
        lanes = [(trace, self._channel(trace)) for trace in montage.shown]
        traces, named = self._read(lanes, style, (start, stop), columns, ahead)
        return Page(
            epoch_s=epoch * EPOCH_S,
            epoch_is_narrow=is_long(start, stop),
            context_is_faint=shows_context(start, stop),
            lanes=tuple(
                self._look(trace, channel, style, name) for (trace, channel), name in zip(lanes, named, strict=True)
            ),
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
                self._tell(str(error))
        return self._channels[key]

    def _read(
        self,
        lanes: list[tuple[Trace, Channel | None]],
        style: Style,
        span: tuple[float, float],
        columns: int,
        ahead: int,
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
        self.failed = self._previewed = False
        try:
            for (trace, channel), band, there in zip(lanes, bands, from_overview, strict=True):
                if channel is None:
                    traces.append(_NOTHING)
                    named.append("not in this recording")
                elif there:
                    shown, is_true = self._overview.page((trace.derivation, band), start, stop, columns)
                    traces.append(shown)
                    named.append(band.text if is_true else "preview, unfiltered")
                    self._previewed |= not is_true
                else:
                    traces.append(self._cache.read(trace.derivation, start, stop, band, columns, ahead=ahead))
                    named.append(band.text)
        except SleepViewerError as error:
            self.failed = True
            # Better no traces than those of another page.
            traces, named = [_NOTHING] * len(lanes), [band.text for band in bands]
            self._tell(str(error))
        return traces, named

    def _look(self, trace: Trace, channel: Channel | None, style: Style, filtered: str) -> LaneLook:
        label = trace.derivation.label
        if channel is None:
            return LaneLook(label, trace.half_height or 100.0, "", filtered, trace.color)
        guides = style.guides and channel.is_voltage and channel.role is Role.EEG
        return LaneLook(
            label,
            self.half_height(trace),
            channel.unit,
            filtered,
            trace.color,
            negative_up=style.negative_up and channel.role in _FLIPPED,
            guide=GUIDE_UV if guides else None,
        )


def _missing(recording: Recording, start: float, stop: float) -> list[Missing]:
    """Stretches of a page without samples, with the words to write there."""
    ends = [(start, min(stop, 0.0), "before the recording"), (recording.duration_s, stop, "after the recording")]
    gaps = [(gap.start_s, gap.stop_s, f"gap of {gap.duration_s:.4g} s: nothing recorded") for gap in recording.gaps]
    return [
        Missing(max(first, start), min(last, stop), text)
        for first, last, text in ends + gaps
        if max(first, start) < min(last, stop)
    ]
