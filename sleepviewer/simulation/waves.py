"""The shapes a scorer looks for, as ``[n_events, n_samples]`` at 100 Hz: spindles, K-complexes, blinks and the others.

Amplitudes are 1 at the highest point; the caller multiplies. Definitions follow the AASM manual.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sleepviewer.simulation.oscillations import RATE_HZ

FloatArray = NDArray[np.float64]

# The amplifier's high-pass of 0.5 Hz turns a gaze step into a decay of this time constant.
_HIGH_PASS_S = 1 / (2 * np.pi * 0.5)


def _times(length_s: float) -> FloatArray:
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def spindles(duration_s: FloatArray, frequency_hz: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Sleep spindles (0.5 to 2 s, 11 to 15 Hz) that wax and wane and slow down a little."""
    t = _times(2.0)[None, :]
    u = t / duration_s[:, None]
    skew = rng.uniform(0.8, 1.3, len(duration_s))[:, None]
    envelope = np.where(u < 1, np.sin(np.pi * np.clip(u, 0, 1) ** skew), 0)
    chirp = frequency_hz[:, None] * t - 0.25 * t**2
    return np.asarray(envelope * np.sin(2 * np.pi * (chirp + rng.random(len(duration_s))[:, None])))


def k_complexes(stretch: FloatArray) -> FloatArray:
    """K-complexes: a sharp negative wave, then a slower positive one, at least half a second long."""
    t = _times(2.0)[None, :] / stretch[:, None]
    negative = np.exp(-0.5 * ((t - 0.42) / np.where(t < 0.42, 0.075, 0.11)) ** 2)
    positive = 0.62 * np.exp(-0.5 * ((t - 0.86) / 0.17) ** 2)
    foot = 0.15 * np.exp(-0.5 * ((t - 0.2) / 0.07) ** 2)
    return np.asarray(foot + positive - negative)


def vertex_waves(stretch: FloatArray) -> FloatArray:
    """Vertex sharp waves of late N1: negative, shorter than half a second."""
    t = _times(0.8)[None, :] / stretch[:, None]
    negative = np.exp(-0.5 * ((t - 0.3) / 0.045) ** 2)
    return np.asarray(0.35 * np.exp(-0.5 * ((t - 0.48) / 0.08) ** 2) - negative)


def sawtooth_waves(duration_s: FloatArray, frequency_hz: FloatArray) -> FloatArray:
    """Trains of notched, triangular waves of 2 to 5 Hz that precede bursts of rapid eye movements."""
    t = _times(5.0)[None, :]
    u = np.clip(t / duration_s[:, None], 0, 1)
    cycle = np.remainder(frequency_hz[:, None] * t, 1.0)
    tooth = np.where(cycle < 0.7, cycle / 0.7, (1 - cycle) / 0.3) * 2 - 1
    return np.asarray(np.sin(np.pi * u) ** 0.7 * np.where(u < 1, tooth, 0))


def blinks(width_s: FloatArray) -> FloatArray:
    """Blinks: a third of a second up and down, with the small undershoot of the high-pass."""
    t = _times(1.4)[None, :]
    peak = 0.25
    lobe = np.exp(-0.5 * ((t - peak) / np.where(t < peak, 0.45, 0.65) / width_s[:, None] / 0.5) ** 2)
    undershoot = 0.3 * np.clip((t - peak - 0.15) / 0.1, 0, 1) * np.exp(-(t - peak) / _HIGH_PASS_S)
    return np.asarray(lobe - undershoot)


def saccades(rise_s: FloatArray) -> FloatArray:
    """Rapid eye movements: a step within some 50 ms that the high-pass lets decay."""
    t = _times(1.8)[None, :]
    step = np.clip(t / rise_s[:, None], 0, 1)
    return np.asarray(step * np.exp(-np.clip(t - rise_s[:, None], 0, None) / _HIGH_PASS_S))


def movements(duration_s: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Body movements: big slow swings of the electrodes with muscle over them."""
    t = _times(10.0)
    n = len(duration_s)
    u = np.clip(t[None, :] / duration_s[:, None], 0, 1)
    swing = np.zeros((n, len(t)))
    for low, high, share in ((0.4, 0.9, 0.7), (0.9, 2.0, 0.5), (2.0, 4.0, 0.25)):
        frequency = rng.uniform(low, high, n)[:, None]
        swing += share * np.sin(2 * np.pi * (frequency * t[None, :] + rng.random(n)[:, None]))
    muscle = 0.22 * rng.standard_normal((n, len(t)))
    return np.asarray(np.sin(np.pi * u) ** 0.6 * np.where(u < 1, swing + muscle, 0))
