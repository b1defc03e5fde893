"""The band of the signal that a model sees, where its card names one; training and scoring share this function."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ORDER = 4


def band_pass(samples: NDArray[np.float32], rate_hz: float, band_hz: tuple[float, float]) -> NDArray[np.float32]:
    """Return the samples ``[..., n]`` filtered to a band along the last axis, without a shift in time.

    A Butterworth filter of 4th order run forth and back (scipy's ``sosfiltfilt``, odd continuation at the ends). An
    upper edge at or above nine tenths of half the rate is not filtered: the signal holds nothing to take away there.
    """
    from scipy.signal import butter, sosfiltfilt

    low, high = band_hz
    if high < 0.9 * rate_hz / 2:
        sections = butter(_ORDER, band_hz, btype="bandpass", fs=rate_hz, output="sos")
    else:
        sections = butter(_ORDER, low, btype="highpass", fs=rate_hz, output="sos")
    padding = min(round(3 * rate_hz / low), samples.shape[-1] - 1)
    return np.asarray(sosfiltfilt(sections, samples, axis=-1, padlen=padding), dtype=np.float32)
