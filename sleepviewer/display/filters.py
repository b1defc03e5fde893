"""Zero-phase display filters for a page, in plain numpy.

scipy's filters are as good, but importing them takes longer than everything else between the start of the program and
the first painted trace; a page is short enough for one FFT. Engines never see a filtered signal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sleepviewer.display.bridging import bridge
from sleepviewer.recording.base import Channel, Role, Samples

MARGIN_S = 10.0
"""Seconds to read on both sides of a page that is filtered.

The filter takes the end of what it is given for the neighbour of its beginning. Over a real night's EEG in the band
0.3–35 Hz, that changes a page by 2 µV at most with 4 s on both sides, 0.1 µV with 8 s and 0.02 µV with these 10 s; a
high-pass of 0.1 Hz (respiration) reaches three times as far, and 10 s leave a fiftieth of a step in the signal.
"""

_ORDER = 8


@dataclass(frozen=True, slots=True)
class Band:
    """A pass band in hertz; None leaves that side open."""

    high_pass_hz: float | None
    low_pass_hz: float | None

    @property
    def text(self) -> str:
        """The band as shown beside a channel's name: ``0.3–35 Hz``."""
        if self.high_pass_hz is None and self.low_pass_hz is None:
            return "unfiltered"
        low = "0" if self.high_pass_hz is None else f"{self.high_pass_hz:g}"
        high = "∞" if self.low_pass_hz is None else f"{self.low_pass_hz:g}"
        return f"{low}–{high} Hz"


RAW = Band(None, None)

# AASM manual (version 2.6, technical specifications): recommended filters for display by kind of signal.
_BY_ROLE = {
    Role.EEG: Band(0.3, 35.0),
    Role.EOG: Band(0.3, 35.0),
    Role.EMG: Band(10.0, 100.0),
    Role.ECG: Band(0.3, 70.0),
    Role.RESPIRATION: Band(0.1, 15.0),
}


def default_band(channel: Channel) -> Band:
    """Return the display band for a channel by its role (AASM), or RAW where its rate is too low to hold one."""
    band = _BY_ROLE.get(channel.role, RAW)
    nyquist = channel.rate_hz / 2
    if band.high_pass_hz is None or band.high_pass_hz >= nyquist / 2:
        return RAW
    low_pass = band.low_pass_hz
    return Band(band.high_pass_hz, None if low_pass is None or low_pass >= nyquist * 0.9 else low_pass)


def apply_band(samples: Samples, rate_hz: float, band: Band) -> Samples:
    """Filter ``samples`` (``float32 [n]``) with zero phase; NaN (gaps) stay NaN, and are bridged for the filter only.

    The gain is that of a fourth-order Butterworth run forward and backward, 1 / (1 + (f/fc)^8): the named corners are
    the −6 dB corners (half the amplitude), and from 0.5 Hz to 20 Hz a band of 0.3–35 Hz shows at least 98 % of it.
    The filter wraps around: give it MARGIN_S seconds more on both sides than are shown (NaN before and after the
    recording will do; :mod:`sleepviewer.display.bridging` says what the filter sees there).
    """
    if band == RAW or samples.size < 2:
        return samples
    missing = np.isnan(samples)
    if missing.all():
        return samples
    any_missing = bool(missing.any())
    bridged = bridge(samples, missing, rate_hz) if any_missing else samples
    n_fft = _fast_length(samples.size)
    tail = np.full(n_fft - samples.size, bridged[-1], dtype=np.float32)
    # numpy's forward transform takes twice as long on float32 as on float64; back again single precision is quicker.
    padded = np.concatenate([bridged, tail], dtype=np.float64) if tail.size else bridged.astype(np.float64)
    spectrum = np.fft.rfft(padded).astype(np.complex64)
    spectrum *= _gain(n_fft, rate_hz, band)
    filtered = np.fft.irfft(spectrum, n_fft)[: samples.size]
    if any_missing:
        filtered[missing] = np.nan
    return filtered.astype(np.float32, copy=False)


@lru_cache(maxsize=64)
def _gain(n_fft: int, rate_hz: float, band: Band) -> NDArray[np.float32]:
    frequencies = np.fft.rfftfreq(n_fft, 1.0 / rate_hz)
    gain = np.ones_like(frequencies)
    if band.high_pass_hz is not None:
        with np.errstate(divide="ignore"):
            gain /= 1.0 + (band.high_pass_hz / frequencies) ** _ORDER
    if band.low_pass_hz is not None:
        gain /= 1.0 + (frequencies / band.low_pass_hz) ** _ORDER
    return gain.astype(np.float32)


def _fast_length(n: int) -> int:
    """Return the smallest length ≥ n of the form 2^a, 3·2^a or 5·2^a, on which an FFT is quick."""
    power = 1 << (n - 1).bit_length()
    return min(length for length in (power, power * 5 // 8, power * 3 // 4) if length >= n)
