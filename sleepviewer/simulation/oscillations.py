"""Building blocks of signals: noise of a given spectrum, rhythms that wax and wane, waves put at given times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Trace = NDArray[np.float32]

RATE_HZ = 100
"""Sampling rate of EEG and EOG."""

FRAME_S = 4
HOP_S = FRAME_S // 2


def slow_noise(n: int, correlation_s: float, rng: np.random.Generator, rate_hz: float = 1.0) -> FloatArray:
    """Noise ``[n]`` of unit variance that changes smoothly over about ``correlation_s`` seconds."""
    from scipy.interpolate import make_interp_spline

    knots = int(np.ceil(n / (rate_hz * correlation_s))) + 4
    spline = make_interp_spline(np.arange(knots), rng.standard_normal(knots), k=3)
    values = spline(1 + np.arange(n) / (rate_hz * correlation_s))
    return np.asarray(values / 0.83)  # cubic interpolation of white knots has this standard deviation on average


def per_sample(values: FloatArray) -> Trace:
    """Interpolate values per second ``[n_seconds]`` to samples ``float32 [n_seconds * 100]``."""
    n = len(values)
    times = (np.arange(n * RATE_HZ) + 0.5) / RATE_HZ - 0.5
    return np.interp(times, np.arange(n), values).astype(np.float32)


def coloured_noise(power: FloatArray, spectrum: NDArray[np.complex64]) -> Trace:
    """Shape white noise by a spectrum that changes with time.

    Parameters
    ----------
    power: one-sided power density in µV²/Hz of overlapping frames of 4 s, one every 2 s, ``[n_frames, 201]``.
    spectrum: complex white noise of unit variance, same shape; channels that share it are correlated.

    Returns
    -------
    ``float32 [(n_frames - 1) * 200]`` in µV. Sine windows overlapping by half keep the power constant.
    """
    n = FRAME_S * RATE_HZ
    gain = np.sqrt(power * (RATE_HZ * n / 2)).astype(np.float32)
    frames = np.fft.irfft(gain * spectrum, n=n, axis=1).astype(np.float32)
    frames *= np.sin(np.pi * (np.arange(n) + 0.5) / n).astype(np.float32)
    half = n // 2
    return np.asarray((frames[:-1, half:] + frames[1:, :half]).reshape(-1), dtype=np.float32)


def white_spectrum(n_frames: int, rng: np.random.Generator) -> NDArray[np.complex64]:
    """Complex Gaussian noise of unit variance, ``complex64 [n_frames, 201]``."""
    shape = (n_frames, FRAME_S * RATE_HZ // 2 + 1, 2)
    parts = rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(0.5))
    return np.asarray(parts.view(np.complex64)[..., 0])


def rhythm(n_seconds: int, frequency_hz: FloatArray, coherence_s: float, rng: np.random.Generator) -> Trace:
    """Oscillate around a frequency given per second, waxing and waning.

    Returns ``float32 [n_seconds * 100]`` of unit variance; ``coherence_s`` is how long a swell lasts.
    """
    in_phase = slow_noise(n_seconds * 10, coherence_s, rng, rate_hz=10.0)
    quadrature = slow_noise(n_seconds * 10, coherence_s, rng, rate_hz=10.0)
    at = np.arange(n_seconds * RATE_HZ) / (RATE_HZ / 10)
    grid = np.arange(n_seconds * 10)
    phase = np.cumsum(np.repeat(frequency_hz, RATE_HZ)) * (2 * np.pi / RATE_HZ)
    phase = np.remainder(phase, 2 * np.pi).astype(np.float32)
    wave = np.interp(at, grid, in_phase) * np.cos(phase) - np.interp(at, grid, quadrature) * np.sin(phase)
    return np.asarray(wave, dtype=np.float32)


def draw_onsets(rate_per_s: FloatArray, rng: np.random.Generator, apart_s: float = 0.0) -> FloatArray:
    """Draw when events begin, in seconds, from their rate in every second; at least ``apart_s`` lie between two."""
    seconds = np.flatnonzero(rng.random(len(rate_per_s)) < rate_per_s)
    onsets = seconds + rng.random(len(seconds))
    kept = []
    last = -np.inf
    for onset in onsets.tolist():
        if onset - last >= apart_s:
            kept.append(onset)
            last = onset
    return np.array(kept)


def add_waves(trace: Trace, onsets_s: FloatArray, waves: FloatArray) -> None:
    """Add waves ``[n_events, n_samples]`` to a trace in place, each from its onset; what lies outside is dropped."""
    if not len(onsets_s):
        return
    index = (onsets_s * RATE_HZ).round().astype(np.int64)[:, None] + np.arange(waves.shape[1])
    inside = (index >= 0) & (index < len(trace))
    np.add.at(trace, index[inside], waves[inside].astype(np.float32))
