"""What the signal of an epoch is like: its band powers, and signs of artefacts.

The signs are measured on one channel as it was recorded, unfiltered, and are plain: they are there to explain errors
by poor signal, not to replace an artefact detector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BANDS_HZ: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 12.0), "sigma": (12.0, 16.0), "beta": (16.0, 30.0)}
)
"""Bands of sleep EEG in Hz, the lower edge in, the upper out."""

EMG_HZ: Final = (30.0, 100.0)
_MAINS_HZ: Final = ((48.0, 52.0), (58.0, 62.0))
_WINDOW_S: Final = 4.0
_FLAT_UV: Final = 1.0
"""A second whose signal stays within so many µV is flat: an EEG never is, an electrode that is off can be."""

_MOVEMENT_TIMES: Final = 6.0
"""A second that spans so many times the night's median second is movement."""

_RAIL_RUN: Final = 3
"""So many samples in a row at the night's own extreme are clipped; one alone is only its highest peak."""

_BATCH: Final = 64

LIMITS: Final[Mapping[str, float]] = MappingProxyType({"flat": 0.1, "clipped": 0.005, "movement": 0.1, "emg": 0.35})
"""From which share on a sign counts: of an epoch's seconds (flat, movement), samples (clipped), power (emg)."""


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """Measures of epochs, all ``[n]``; NaN where there is no signal.

    ``power`` is ``float32 [n, 5]``, each band's share of the power between 0.5 and 30 Hz in the order of BANDS_HZ;
    ``flat`` and ``movement`` are shares of an epoch's seconds, ``clipped`` of its samples, ``emg`` the share of power
    above 30 Hz (mains left out) in all from 0.5 Hz on.
    """

    power: Floats
    flat: Floats
    clipped: Floats
    emg: Floats
    movement: Floats

    def __len__(self) -> int:
        return len(self.flat)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which epochs have a signal to measure."""
        return np.asarray(np.isfinite(self.flat))

    @property
    def poor(self) -> NDArray[np.bool_]:
        """Which epochs show any sign of an artefact, by LIMITS; an epoch without a signal does not."""
        return np.asarray(np.logical_or.reduce([self.sign(name) for name in LIMITS]))

    def sign(self, name: str) -> NDArray[np.bool_]:
        """Return which epochs show one of the signs of LIMITS."""
        values: Floats = getattr(self, name)
        return np.asarray(np.nan_to_num(values) >= LIMITS[name])

    def told(self, word: str) -> NDArray[np.bool_]:
        """Return which epochs are told so by :meth:`words`: that show a sign, or are ``good`` or ``unknown``."""
        if word == "good":
            return np.asarray(self.measured & ~self.poor)
        return np.asarray(~self.measured & ~self.poor) if word == "unknown" else self.sign(word)

    def words(self) -> list[str]:
        """Return each epoch's signal in a word: the signs it shows, ``good``, or ``unknown`` without a signal."""
        signs = {name: self.sign(name) for name in LIMITS}
        measured = self.measured
        return [
            "+".join(name for name, there in signs.items() if there[i]) or ("good" if measured[i] else "unknown")
            for i in range(len(self))
        ]


def nothing_measured(n: int) -> Quality:
    """Return the quality of epochs without a signal."""
    nothing = np.full(n, np.nan, dtype=np.float32)
    return Quality(np.full((n, len(BANDS_HZ)), np.nan, dtype=np.float32), nothing, nothing, nothing, nothing)


def measure(epochs: NDArray[np.float32], rate_hz: float, *, n: int, places: NDArray[Any] | None = None) -> Quality:
    """Measure epochs ``float32 [m, samples]`` in µV at ``rate_hz``, and lay them on a night of ``n`` epochs.

    ``places`` ``[m]`` are the epochs' places in the night (0 … m - 1 by default); other epochs are not measured, nor
    are those with a gap (NaN).
    """
    quality = nothing_measured(n)
    places = np.arange(len(epochs)) if places is None else np.asarray(places)
    second = max(round(rate_hz), 1)
    if not len(epochs) or rate_hz <= 0 or epochs.shape[1] < 2 * second:
        return quality
    whole = np.isfinite(epochs).all(axis=1)
    if not whole.all():
        epochs, places = epochs[whole], places[whole]
        if not len(epochs):
            return quality
    seconds = epochs[:, : epochs.shape[1] // second * second].reshape(len(epochs), -1, second)
    spans = seconds.max(axis=2) - seconds.min(axis=2)
    median = float(np.median(spans))
    emg, power = _spectra(epochs, rate_hz)
    measured = Quality(
        power=power,
        flat=(spans < _FLAT_UV).mean(axis=1, dtype=np.float32),
        clipped=_clipped(epochs),
        emg=emg,
        movement=(spans > max(_MOVEMENT_TIMES * median, _FLAT_UV)).mean(axis=1, dtype=np.float32),
    )
    laid = {}
    for name in ("power", "flat", "clipped", "emg", "movement"):
        array = getattr(quality, name).copy()
        array[places] = getattr(measured, name)
        laid[name] = array
    return Quality(**laid)


def _clipped(epochs: NDArray[np.float32]) -> Floats:
    """Return the share of samples in runs at the night's highest or lowest value."""
    share = np.zeros(len(epochs), dtype=np.float32)
    highs, lows = epochs.max(axis=1), epochs.min(axis=1)
    top, bottom = highs.max(), lows.min()
    if top == bottom:  # flat, not clipped
        return share
    for epoch in np.flatnonzero((highs == top) | (lows == bottom)):
        for rail in (top, bottom):
            there = np.concatenate(([0], (epochs[epoch] == rail).view(np.int8), [0]))
            edges = np.flatnonzero(np.diff(there))
            lengths = edges[1::2] - edges[::2]
            share[epoch] += lengths[lengths >= _RAIL_RUN].sum() / epochs.shape[1]
    return share


def _spectra(epochs: NDArray[np.float32], rate_hz: float) -> tuple[Floats, Floats]:
    """Return the share of muscle's power, ``[n]``, and of the bands', ``[n, 5]``."""
    edges = [*BANDS_HZ.values()]
    emg, power = np.empty(len(epochs), np.float32), np.empty((len(epochs), len(edges)), np.float32)
    for rows, hz, density in _densities(epochs, rate_hz):
        mains = np.logical_or.reduce([(hz >= low) & (hz <= high) for low, high in _MAINS_HZ])
        fast = (hz >= EMG_HZ[0]) & (hz < EMG_HZ[1]) & ~mains
        total = density[:, (hz >= edges[0][0]) & (hz < edges[-1][1])].sum(axis=1)
        muscle = density[:, fast].sum(axis=1)
        emg[rows] = _share(muscle, total + muscle)
        for column, (low, high) in enumerate(edges):
            power[rows, column] = _share(density[:, (hz >= low) & (hz < high)].sum(axis=1), total)
    return emg, power


def epoch_spectra(
    epochs: NDArray[np.float32], rate_hz: float, *, highest_hz: float = 30.0
) -> tuple[NDArray[np.float64], Floats]:
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


def _densities(
    epochs: NDArray[np.float32], rate_hz: float
) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[Any]]]:
    """Yield some epochs, the frequencies, and the epochs' power at them, by Welch's method.

    Windows of 4 s, half of each in the next, by a Hann window, means removed (Welch 1967, doi
    10.1109/TAU.1967.1161901).
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
    np.divide(part, whole, out=share, where=whole > 0)
    return share
