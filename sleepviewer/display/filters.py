"""Zero-phase display filters for a page, in plain numpy.

scipy's filters are as good, but importing them takes longer than everything else between the start of the program and
the first painted trace; a page is short enough for one FFT. Engines never see a filtered signal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.display.bridging import bridge
from sleepviewer.recording.base import Channel, Role, Samples

_ORDER: Final = 8
_NOTCH_WIDTH_HZ: Final = 2.0
"""What a notch takes away at the least: half the amplitude at 1 Hz from the mains' frequency, on either side."""
_REACH: Final = 3.0
_NOTCH_REACH_S: Final = 2.0
LOWEST_HZ: Final = 0.01
"""Lowest corner that can be asked for; its filter reaches five minutes to both sides."""
NOTCHES_HZ: Final = (50.0, 60.0)
"""Frequencies of the mains."""


@dataclass(frozen=True, slots=True)
class Band:
    """A pass band in hertz; None leaves that side open.

    ``notch_hz`` takes out the mains: this frequency and its multiples, since what mains leave in a recording is seldom
    a pure sine.
    """

    high_pass_hz: float | None
    low_pass_hz: float | None
    notch_hz: float | None = None

    @property
    def text(self) -> str:
        """The band as shown beside a channel's name: ``0.3–35 Hz, notch 50 Hz``."""
        if self == RAW:
            return "unfiltered"
        parts = []
        if self.high_pass_hz is not None or self.low_pass_hz is not None:
            low = "0" if self.high_pass_hz is None else f"{self.high_pass_hz:g}"
            high = "∞" if self.low_pass_hz is None else f"{self.low_pass_hz:g}"
            parts.append(f"{low}–{high} Hz")
        if self.notch_hz is not None:
            parts.append(f"notch {self.notch_hz:g} Hz")
        return ", ".join(parts)

    @property
    def fault(self) -> str:
        """A sentence that says why there can be no such filter; empty where there can."""
        for name, corner in (("high-pass", self.high_pass_hz), ("low-pass", self.low_pass_hz)):
            if corner is not None and not LOWEST_HZ <= corner < math.inf:
                return f"A {name} of {corner:g} Hz can't be: corners begin at {LOWEST_HZ:g} Hz."
        if self.notch_hz is not None and self.notch_hz not in NOTCHES_HZ:
            return f"A notch of {self.notch_hz:g} Hz can't be: the mains have 50 or 60 Hz."
        if self.high_pass_hz is not None and self.low_pass_hz is not None and self.high_pass_hz >= self.low_pass_hz:
            return (
                f"The high-pass ({self.high_pass_hz:g} Hz) must be below the low-pass ({self.low_pass_hz:g} Hz), "
                "or nothing would be left."
            )
        return ""


RAW = Band(None, None)

# AASM manual (version 2.6, technical specifications): recommended filters for display by kind of signal.
_BY_ROLE = {
    Role.EEG: Band(0.3, 35.0),
    Role.EOG: Band(0.3, 35.0),
    Role.EMG: Band(10.0, 100.0),
    Role.ECG: Band(0.3, 70.0),
    Role.RESPIRATION: Band(0.1, 15.0),
}


def preset(role: Role) -> Band:
    """Return the display band that the AASM recommends for what a channel records; RAW where it recommends none."""
    return _BY_ROLE.get(role, RAW)


def default_band(channel: Channel) -> Band:
    """Return the display band for a channel by its role (AASM), as far as its rate can hold it."""
    return limited(preset(channel.role), channel.rate_hz)


def limited(band: Band, rate_hz: float) -> Band:
    """Return what is left of a band at a sampling rate, which is what is to be said beside the trace.

    A low-pass near half the rate or above takes nothing away; a notch there has nothing to take; and a high-pass from
    a quarter of the rate on would leave hardly any signal, so that it is not applied.
    """
    nyquist = rate_hz / 2
    high_pass, low_pass, notch = band.high_pass_hz, band.low_pass_hz, band.notch_hz
    return Band(
        None if high_pass is None or high_pass >= nyquist / 2 else high_pass,
        None if low_pass is None or low_pass >= nyquist * 0.9 else low_pass,
        None if notch is None or notch >= nyquist else notch,
    )


def margin_s(band: Band) -> float:
    """Return the seconds to read on both sides of a page that is filtered, which follow from the lowest corner.

    A filter takes the end of what it is given for the neighbour of its beginning. How far that is seen goes with the
    inverse of the corner: with three times the inverse (10 s at 0.3 Hz, 30 s at 0.1 Hz), a step in the signal changes
    what is shown by a seven-thousandth of its height at most, a lone notch's two seconds likewise.
    """
    corners = [corner for corner in (band.high_pass_hz, band.low_pass_hz) if corner is not None]
    reaches = [_REACH / corner for corner in corners]
    if band.notch_hz is not None:
        reaches.append(_NOTCH_REACH_S)
    return max(reaches, default=0.0)


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
    if band.notch_hz is not None:
        for mains in np.arange(band.notch_hz, rate_hz / 2, band.notch_hz):
            apart = (frequencies**2 - mains**2) ** 2
            gain *= apart / (apart + (frequencies * _NOTCH_WIDTH_HZ) ** 2)
    return gain.astype(np.float32)


def _fast_length(n: int) -> int:
    """Return the smallest length ≥ n of the form 2^a, 3·2^a or 5·2^a, on which an FFT is quick."""
    power = 1 << (n - 1).bit_length()
    return min(length for length in (power, power * 5 // 8, power * 3 // 4) if length >= n)
