"""The channels of Sleep-EDF that have one sample a second: breathing, chin muscle, temperature, event marker."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.simulation.oscillations import slow_noise
from sleepviewer.simulation.timeline import Timeline
from sleepviewer.stages import Stage

FloatArray = NDArray[np.float64]

# By stage: W, N1, N2, N3, REM.
_MUSCLE_TONE_UV: Final = np.array([3.0, 2.2, 1.8, 1.6, 0.75])
_BREATHS_PER_S: Final = np.array([0.27, 0.255, 0.245, 0.24, 0.26])
_BREATH_UNREST: Final = np.array([0.16, 0.08, 0.05, 0.03, 0.14])


def simulate_respiration(timeline: Timeline, rng: np.random.Generator) -> FloatArray:
    """Airflow at nose and mouth in the recorder's own units ``[n_seconds]``: even in N3, uneven in wake and REM."""
    n = len(timeline)
    unrest = _BREATH_UNREST[timeline.stage]
    rate = _BREATHS_PER_S[timeline.stage] * (1 + unrest * slow_noise(n, 8.0, rng))
    depth = np.clip(1 + 2 * unrest * slow_noise(n, 12.0, rng), 0.2, None)
    breath = np.sin(2 * np.pi * (np.cumsum(rate) + rng.random()))
    noise = (60 + 120 * timeline.arousal) * rng.standard_normal(n)
    return np.asarray(650 * depth * breath + noise)


def simulate_chin_muscle(timeline: Timeline, rng: np.random.Generator) -> FloatArray:
    """Rectified submental EMG in µV ``[n_seconds]``: high in wake, lowest in REM with short twitches."""
    n = len(timeline)
    tone = _MUSCLE_TONE_UV[timeline.stage] * np.exp(0.12 * slow_noise(n, 90.0, rng) + 0.05 * rng.standard_normal(n))
    tone += timeline.arousal * rng.uniform(0.5, 2.0, n)
    twitches = (timeline.stage == Stage.REM) & (rng.random(n) < 0.02)
    tone[twitches] += rng.uniform(0.3, 1.2, int(twitches.sum()))
    # The rectified signal passes a low-pass of 0.7 Hz, so that neighbouring seconds resemble each other.
    return np.convolve(np.pad(tone, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")


def simulate_temperature(timeline: Timeline, rng: np.random.Generator) -> FloatArray:
    """Rectal temperature in °C ``[n_seconds]``: falls after bedtime, lowest some five hours later."""
    n = len(timeline)
    hours = np.arange(n) / 3600.0
    course = 36.75 + 0.42 * np.cos(2 * np.pi * (hours + 1.0) / 12.5)
    return np.asarray(course + 0.03 * slow_noise(n, 600.0, rng) + 0.015 * rng.standard_normal(n))


def simulate_event_marker(timeline: Timeline, rng: np.random.Generator) -> FloatArray:
    """Level of the event button ``[n_seconds]``: the noise of its rest level, for nobody presses it."""
    return np.asarray(910 + 15 * rng.standard_normal(len(timeline)))
