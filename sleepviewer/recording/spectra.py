"""Spectra of epochs by Welch's method, and the share of their power in the bands of sleep EEG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BANDS_HZ: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 12.0), "sigma": (12.0, 16.0), "beta": (16.0, 30.0)}
)
"""Bands of sleep EEG in Hz, the lower edge in, the upper out."""

_WINDOW_S: Final = 4.0
_BATCH: Final = 64


def band_powers(epochs: Floats, rate_hz: float) -> Floats:
    """Return each band's share of the power between 0.5 and 30 Hz, ``float32 [n, 5]`` in the order of BANDS_HZ.

    ``epochs`` are ``float32 [n, samples]`` at ``rate_hz``. The shares are 0 where there is no power, NaN where a
    sample is missing.
    """
    edges = [*BANDS_HZ.values()]
    power = np.full((len(epochs), len(edges)), np.nan, np.float32)
    for rows, hz, density in _densities(epochs, rate_hz):
        total = density[:, (hz >= edges[0][0]) & (hz < edges[-1][1])].sum(axis=1)
        for column, (low, high) in enumerate(edges):
            power[rows, column] = _share(density[:, (hz >= low) & (hz < high)].sum(axis=1), total)
    return power


def epoch_spectra(
    epochs: Floats, rate_hz: float, *, highest_hz: float = 30.0
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return frequencies ``[k]`` up to ``highest_hz`` and each epoch's power in dB, ``float32 [n, k]``.

    Relative to the strongest, by Welch's method as the band powers; NaN where there is none.
    """
    hz, parts = np.empty(0), []
    for _, hz, density in _densities(epochs, rate_hz):
        parts.append(density[:, hz <= highest_hz])
    if not parts:
        return hz, np.empty((0, 0), np.float32)
    density = np.concatenate(parts).astype(np.float32)
    top = float(density.max(initial=0)) or 1.0
    decibels = np.full(density.shape, np.nan, np.float32)
    np.log10(density / top, out=decibels, where=density > 0)
    return hz[hz <= highest_hz], 10 * decibels


def _densities(epochs: Floats, rate_hz: float) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[Any]]]:
    """Yield some epochs, the frequencies, and the epochs' power at them, by Welch's method.

    Hann windows of 4 s that overlap by half, means removed (Welch 1967, doi 10.1109/TAU.1967.1161901).
    """
    width = min(round(_WINDOW_S * rate_hz), epochs.shape[1])
    window = np.hanning(width + 1)[:-1].astype(np.float32)
    hz = np.asarray(np.fft.rfftfreq(width, 1 / rate_hz), dtype=np.float64)
    for first in range(0, len(epochs), _BATCH):
        batch = epochs[first : first + _BATCH]
        views = np.lib.stride_tricks.sliding_window_view(batch, width, axis=1)[:, :: max(width // 2, 1)]
        spectrum = np.fft.rfft((views - views.mean(axis=2, keepdims=True)) * window, axis=2)
        yield slice(first, first + len(batch)), hz, (spectrum.real**2 + spectrum.imag**2).mean(axis=1)


def _share(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[Any]:
    share = np.zeros(len(whole), dtype=np.float32)
    np.divide(part, whole, out=share, where=(whole > 0) | np.isnan(whole))
    return share
