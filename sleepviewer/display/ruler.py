"""What the ruler measures: between two points, and the seconds of slow waves in an epoch.

AASM manual: slow waves are of 0.5–2 Hz and more than 75 µV from peak to peak; an epoch with 20 % of them is N3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.display.filters import Band
from sleepviewer.display.montage import Derivation
from sleepviewer.display.page import PageTrace, read_filtered
from sleepviewer.recording.base import Recording, Samples
from sleepviewer.stages import EPOCH_S

SLOW_WAVE_UV: Final = 75.0
SLOW_WAVE_S: Final = (0.5, 2.0)
"""Shortest and longest duration of a slow wave: 2 Hz and 0.5 Hz."""
N3_SHARE: Final = 0.2

_BAND: Final = Band(0.3, 4.0)
"""Slow waves stay whole in it (98 % at 0.5 Hz and at 2 Hz); faster waves riding on them make no crossings of zero."""
_BESIDE_S: Final = 3.0
"""Seconds beside the epoch that are looked at, so that a wave over its border is found."""
_LEAST_RATE_HZ: Final = 10.0

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What lies between two points of a lane: seconds, and amplitudes in ``unit``."""

    seconds: float
    difference: float
    peak_to_peak: float | None
    unit: str

    @property
    def frequency_hz(self) -> float | None:
        """Of a wave that takes as long as the ruler is; None for no time at all."""
        return 1.0 / self.seconds if self.seconds > 0 else None

    @property
    def text(self) -> str:
        """``0.83 s · 1.20 Hz · Δ −85.2 µV · peak to peak 132 µV``."""
        unit = f" {self.unit}" if self.unit else ""
        parts = [f"{self.seconds:.2f} s"]
        if self.frequency_hz is not None:
            parts.append(f"{self.frequency_hz:.3g} Hz")
        parts.append(f"Δ {self.difference:+.3g}{unit}".replace("-", "−"))
        if self.peak_to_peak is not None:
            parts.append(f"peak to peak {self.peak_to_peak:.3g}{unit}")
        return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class SlowWaves:
    """The slow waves of an epoch that starts at ``epoch_s``, as intervals in recording time."""

    epoch_s: float
    intervals: tuple[Interval, ...]

    @property
    def seconds(self) -> float:
        """Seconds of the epoch that they take."""
        return sum(stop - start for start, stop in self.intervals)

    @property
    def text(self) -> str:
        """``Slow waves over 75 µV: 7.2 s of this epoch, 24 % (N3 from 20 %)``."""
        share = self.seconds / EPOCH_S
        return (
            f"Slow waves over {SLOW_WAVE_UV:g} µV: {self.seconds:.1f} s of this epoch, {100 * share:.0f} % "
            f"(N3 from {100 * N3_SHARE:.0f} %)"
        )


def measure(trace: PageTrace, unit: str, first: tuple[float, float], last: tuple[float, float]) -> Measurement:
    """Measure between two points of a page, (seconds from its start, amplitude); the trace gives the peaks between."""
    start, stop = sorted((first[0], last[0]))
    # A thinned trace keeps the extremes of every column, so that peaks are those of all samples.
    inside = trace.y[(trace.x >= start) & (trace.x <= stop)]
    inside = inside[np.isfinite(inside)]
    peaks = float(inside.max() - inside.min()) if inside.size else None
    return Measurement(stop - start, last[1] - first[1], peaks, unit)


def slow_waves(recording: Recording, derivation: Derivation, epoch: int) -> SlowWaves | None:
    """Find the slow waves of an epoch; None where a derivation is no voltage, or too slow to hold any.

    They are looked for in the signal of 0.3–4 Hz, whatever the lane is filtered with. Raises RecordingError.
    """
    channel = recording.channel(derivation.plus)
    if not channel.is_voltage or channel.rate_hz < _LEAST_RATE_HZ:
        return None
    start, stop = epoch * EPOCH_S, (epoch + 1) * EPOCH_S
    samples = read_filtered(recording, derivation, start - _BESIDE_S, stop + _BESIDE_S, _BAND)
    first = round((start - _BESIDE_S) * channel.rate_hz) / channel.rate_hz
    found = [(first + begin, first + end) for begin, end in find_slow_waves(samples, channel.rate_hz)]
    clipped = ((max(begin, start), min(end, stop)) for begin, end in found)
    return SlowWaves(start, tuple((begin, end) for begin, end in clipped if begin < end))


def find_slow_waves(samples: Samples, rate_hz: float) -> list[Interval]:
    """Return where slow waves are in a signal around zero (``float32 [n]`` µV, NaN in gaps), in seconds, in order.

    A wave goes from one crossing of zero to the next but one, upward first or downward first; it counts where it lasts
    0.5 to 2 s and has more than 75 µV from peak to peak. Seconds that belong to two such waves count once.
    """
    found: list[Interval] = []
    finite = np.isfinite(samples)
    edges = np.flatnonzero(np.diff(finite, prepend=False, append=False)).tolist()
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        part = samples[first:stop]
        places = _crossings(part)
        for begin, end in zip(places, places[2:], strict=False):
            seconds = (end - begin) / rate_hz
            wave = part[int(begin) : int(end) + 2]
            if SLOW_WAVE_S[0] <= seconds <= SLOW_WAVE_S[1] and wave.max() - wave.min() > SLOW_WAVE_UV:
                found.append(((first + begin) / rate_hz, (first + end) / rate_hz))
    return _united(found)


def _crossings(samples: Samples) -> list[float]:
    """Places, in samples, at which a signal crosses zero."""
    above = samples > 0
    before: NDArray[np.intp] = np.flatnonzero(above[1:] != above[:-1])
    low, high = samples[before], samples[before + 1]
    places: list[float] = (before + low / (low - high)).tolist()
    return places


def _united(intervals: list[Interval]) -> list[Interval]:
    united: list[Interval] = []
    for start, stop in sorted(intervals):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], stop))
        else:
            united.append((start, stop))
    return united
