"""The night's multitaper spectrogram of one channel: power by time and frequency, in dB.

Percival & Walden 1993, chapter 7; for sleep: Prerau et al. 2017, Physiology 32, 60–92, whose resolution of 1 Hz is used
here. A window of ten seconds every five suits rows in which an epoch is a few pixels wide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.display.tapers import slepian_tapers
from sleepviewer.recording.base import Recording

WINDOW_S: Final = 10.0
STEP_S: Final = 5.0
LOWEST_HZ: Final = 0.5
HIGHEST_HZ: Final = 30.0
TIME_HALFBANDWIDTH: Final = 5.0
"""NW: a resolution of 2 NW / window = 1 Hz."""

N_TAPERS: Final = 9
"""2 NW − 1, those whose energy lies within the bandwidth."""

_BIN_STEP: Final = 2  # bins lie 0.1 Hz apart, far closer than the resolution; every other one is kept
_USED_RATE_HZ: Final = 80.0  # samples a second that are enough for 30 Hz; the work grows with them
_FEWEST_SAMPLES: Final = 80  # of a window; slower channels are no EEG
_CHUNK_WINDOWS: Final = 60
_MARGIN_S: Final = 5.0  # read beside a chunk, so that a change of rate leaves no edge in it
_LIMITS_PERCENT: Final = (2.0, 98.0)


class Cancelled(Exception):
    """The spectrogram is not wanted any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectrogram:
    """Power of a channel by time and frequency.

    Attributes
    ----------
    label: the channel.
    unit: unit of the channel's samples; power is in dB relative to 1 unit²/Hz.
    step_s: seconds between the middles of windows; window k is taken to stand for ``step_s`` from ``k * step_s``.
    frequencies_hz: ``float64 [n_frequencies]``.
    power_db: ``float32 [n_windows, n_frequencies]``, NaN where there is a gap, no power, or no such frequency.
    limits_db: the 2nd and 98th percentile of all power: what the palette spans, whatever an artefact does.
    """

    label: str
    unit: str
    step_s: float
    frequencies_hz: NDArray[np.float64]
    power_db: NDArray[np.float32]
    limits_db: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        """Find the limits, here and not when painting: the median of a million values takes a moment."""
        object.__setattr__(self, "limits_db", _robust_limits(self.power_db))

    def at(self, time_s: float, frequency_hz: float) -> float | None:
        """Power in dB at a moment of the recording clock, or None where there is none."""
        window = int(time_s // self.step_s)
        if not 0 <= window < len(self.power_db):
            return None
        value = float(self.power_db[window, int(np.argmin(np.abs(self.frequencies_hz - frequency_hz)))])
        return value if np.isfinite(value) else None

    def columns(self, first_s: float, last_s: float, n_columns: int) -> NDArray[np.float32]:
        """Mean dB of each of so many columns between two times, ``float32 [n_columns, n_frequencies]``.

        A column narrower than a window's step shows the window that it lies in; blank ones are NaN.
        """
        n = len(self.power_db)
        edges = np.linspace(first_s, last_s, n_columns + 1) / self.step_s
        begin = np.floor(edges).astype(int)
        low, high = max(int(begin[0]), 0), min(max(int(begin[-1]), int(begin[-2]) + 1), n)
        means = np.full((n_columns, self.power_db.shape[1]), np.nan, dtype=np.float32)
        if low >= high:
            return means
        known = np.isfinite(self.power_db[low:high])
        # One blank window more, for columns that begin after the end.
        powers = np.pad(np.where(known, self.power_db[low:high], np.float32(0)), ((0, 1), (0, 0)))
        counted = np.pad(known, ((0, 1), (0, 0))).view(np.uint8)
        places = np.clip(begin[:-1] - low, 0, high - low)
        total = np.add.reduceat(powers, places, axis=0)
        count = np.add.reduceat(counted, places, axis=0, dtype=np.int32)
        there = (count > 0) & ((begin[:-1] >= 0) | (begin[1:] > 0))[:, None]
        np.divide(total, count, out=means, where=there, casting="same_kind")
        return means


def compute_spectrogram(
    recording: Recording, label: str, *, cancelled: Callable[[], bool] = lambda: False
) -> Spectrogram:
    """Compute the spectrogram of a whole recording, a chunk of five minutes at a time.

    Windows that touch a gap or the recording's ends are blank, as are frequencies that the channel's rate does not
    hold. Raises Cancelled soon after ``cancelled`` says so; ChannelError and RecordingError as reading does.
    """
    channel = recording.channel(label)
    halving = max(1, int(channel.rate_hz // _USED_RATE_HZ))
    rate_hz = channel.rate_hz / halving
    n_window = round(WINDOW_S * rate_hz)
    bins = np.arange(round(LOWEST_HZ * WINDOW_S), round(HIGHEST_HZ * WINDOW_S) + 1, _BIN_STEP)
    there = bins <= n_window // 2 - 1
    n_windows = int(np.ceil(recording.duration_s / STEP_S))
    power_db = np.full((n_windows, len(bins)), np.nan, dtype=np.float32)
    if there.any() and n_window >= _FEWEST_SAMPLES:
        tapers = slepian_tapers(n_window, TIME_HALFBANDWIDTH, N_TAPERS)
        for first, windows in _windows(recording, label, n_windows, n_window, halving):
            if cancelled():
                raise Cancelled
            power = _power(windows, tapers, rate_hz)[:, bins[there]]
            with np.errstate(divide="ignore", invalid="ignore"):
                decibels = 10 * np.log10(power)
            decibels[~np.isfinite(decibels)] = np.nan  # a flat line has no power at all
            power_db[first : first + len(windows), np.flatnonzero(there)] = decibels
    return Spectrogram(label, channel.unit, STEP_S, bins / WINDOW_S, power_db)


def _windows(
    recording: Recording, label: str, n_windows: int, n_window: int, halving: int
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield the first window's number and ``float64 [n, n_window]``; window k is centred on (k + ½) × STEP_S."""
    rate_hz = recording.channel(label).rate_hz
    for first in range(0, n_windows, _CHUNK_WINDOWS):
        stop = min(first + _CHUNK_WINDOWS, n_windows)
        begin_s = (first + 0.5) * STEP_S - WINDOW_S / 2 - _MARGIN_S
        end_s = (stop - 0.5) * STEP_S + WINDOW_S / 2 + _MARGIN_S
        samples = recording.read(label, begin_s, end_s).astype(np.float64)
        samples, used_hz = _fewer(samples, halving), rate_hz / halving
        starts = [round((_MARGIN_S + k * STEP_S) * used_hz) for k in range(stop - first)]
        starts = [min(start, len(samples) - n_window) for start in starts]
        yield first, np.stack([samples[start : start + n_window] for start in starts])


def _fewer(samples: NDArray[np.float64], halving: int) -> NDArray[np.float64]:
    """Keep one sample of so many, after taking away what is too fast for that; NaN stay where they were."""
    if halving == 1:
        return samples
    samples = samples[: len(samples) // halving * halving]
    absent = np.isnan(samples)
    if absent.all():
        return samples[::halving]
    filled = np.where(absent, 0.0, samples - samples[~absent].mean())
    spectrum = np.fft.rfft(filled)[: len(filled) // halving // 2 + 1]
    fewer = np.fft.irfft(spectrum, len(filled) // halving) / halving
    fewer[absent.reshape(-1, halving).any(axis=1)] = np.nan
    return fewer


def _power(windows: NDArray[np.float64], tapers: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """One-sided power density, ``float64 [n_windows, n_bins]``: the mean over the tapers, NaN where a sample is."""
    place = np.linspace(-1, 1, windows.shape[1])
    centred = windows - windows.mean(axis=1, keepdims=True)
    trend = np.einsum("ij,j->i", centred, place) / np.sum(place**2)  # no matrix product: see tapers.py
    centred -= trend[:, None] * place
    power = np.zeros((len(windows), windows.shape[1] // 2 + 1))
    for taper in tapers:  # one at a time keeps the memory at a few megabytes
        spectrum = np.fft.rfft(centred * taper, axis=1)
        power += spectrum.real**2 + spectrum.imag**2
    return power * (2 / (rate_hz * len(tapers)))


def _robust_limits(power_db: NDArray[np.float32]) -> tuple[float, float]:
    known = power_db[np.isfinite(power_db)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, _LIMITS_PERCENT).tolist()
    return low, max(high, low + 1.0)
