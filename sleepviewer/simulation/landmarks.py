"""What a scorer looks for, put on top of the background: alpha, slow waves, spindles, eye movements, artefacts.

Each function adds one kind of event to the traces in place. Amplitudes are in µV; Fpz-Cz is the reference, the other
derivations see the same source weaker, stronger or upside down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sleepviewer.simulation import waves
from sleepviewer.simulation.background import EOG, FPZ_CZ, PZ_OZ
from sleepviewer.simulation.cohort import Sleepers
from sleepviewer.simulation.oscillations import Trace, add_waves, draw_onsets, per_sample, rhythm, slow_noise
from sleepviewer.simulation.timeline import Timeline
from sleepviewer.stages import Stage

FloatArray = NDArray[np.float64]
Traces = dict[str, Trace]


def add_landmarks(traces: Traces, timeline: Timeline, rng: np.random.Generator, sleepers: Sleepers) -> None:
    """Add every kind of landmark to the three fast channels, in place."""
    add_alpha(traces, timeline, rng, sleepers)
    add_theta(traces, timeline, rng)
    add_slow_waves(traces, timeline, rng, sleepers)
    add_k_complexes_and_spindles(traces, timeline, rng, sleepers)
    add_vertex_waves(traces, timeline, rng)
    add_blinks(traces, timeline, rng)
    add_slow_eye_movements(traces, timeline, rng)
    add_rapid_eye_movements(traces, timeline, rng)
    add_sawtooth_waves(traces, timeline, rng)
    add_movements(traces, timeline, rng)


def add_alpha(traces: Traces, timeline: Timeline, rng: np.random.Generator, sleepers: Sleepers) -> None:
    """Posterior alpha with closed eyes, in arousals, and in short remains in N1 and REM."""
    n = len(timeline)
    peak = rng.uniform(9.2, 10.4) + sleepers.alpha_hz
    awake = timeline.during(Stage.W)
    closed = awake * timeline.eyes_closed
    fading = 1 - 0.6 * timeline.drowsiness
    level = closed * fading + 0.15 * awake
    level += 0.5 * timeline.arousal * (1 - awake)
    remains = np.clip(slow_noise(n, 4.0, rng) - 1.0, 0, 1)
    level += remains * (0.7 * timeline.during(Stage.N1) + 0.45 * timeline.during(Stage.REM))
    waxing = np.clip(1 + 0.45 * slow_noise(n, 6.0, rng), 0.15, None)
    amplitude = per_sample(level * waxing)
    wave = rhythm(n, peak - 0.4 * timeline.drowsiness + 0.15 * slow_noise(n, 30.0, rng), 0.35, rng) * amplitude
    traces[PZ_OZ] += 8.5 * wave
    traces[FPZ_CZ] -= 3.0 * wave
    traces[EOG] -= 1.8 * wave


def add_theta(traces: Traces, timeline: Timeline, rng: np.random.Generator) -> None:
    """Bursts of 4 to 7 Hz in N1, weaker in REM and in drowsy wake."""
    n = len(timeline)
    bursts = np.clip(slow_noise(n, 3.0, rng) - 0.2, 0, 1.5)
    drowsy = timeline.during(Stage.W) * timeline.drowsiness
    light = timeline.during(Stage.N1) + 0.3 * timeline.during(Stage.REM) + 0.4 * drowsy
    wave = rhythm(n, 5.6 + 0.6 * slow_noise(n, 5.0, rng), 0.4, rng) * per_sample(bursts * light)
    traces[FPZ_CZ] += 5.5 * wave
    traces[PZ_OZ] += 3.5 * wave
    traces[EOG] += 2.5 * wave


def add_slow_waves(traces: Traces, timeline: Timeline, rng: np.random.Generator, sleepers: Sleepers) -> None:
    """Slow waves of 0.5 to 2 Hz above 75 µV, for the share of time that the timeline asks for."""
    from scipy.special import ndtri

    n = len(timeline)
    tenths = 10
    period = slow_noise(n * tenths, 1.3, rng, rate_hz=tenths)
    frequency = np.repeat(0.95 * np.exp(0.38 * period), 10)
    phase = 2 * np.pi * np.cumsum(frequency) / 100
    share = np.repeat(timeline.slow_wave_share, tenths)
    gate_level = slow_noise(n * tenths, 2.5, rng, rate_hz=tenths) - ndtri(np.clip(1 - share, 1e-6, 1 - 1e-6))
    gate = 1 / (1 + np.exp(np.clip(-gate_level / 0.2, -50, 50)))
    # The faster a slow wave, the smaller it is.
    depth = sleepers.slow_waves * (0.8 + 0.4 * share) * np.exp(-0.2 * period)
    height = 45.0 * depth * np.exp(0.2 * slow_noise(n * tenths, 1.1, rng, rate_hz=tenths)) * gate * (share > 1e-3)
    at = np.arange(n * 100) / 10.0
    envelope = np.interp(at, np.arange(n * tenths), height)
    wave = (envelope * (np.cos(phase) + 0.25 * np.cos(2 * phase + 0.7))).astype(np.float32)
    delayed = np.roll(wave, 4)  # slow waves travel from front to back
    traces[FPZ_CZ] += wave
    traces[PZ_OZ] += np.float32(0.42) * delayed
    traces[EOG] -= np.float32(0.28) * wave


def add_k_complexes_and_spindles(
    traces: Traces, timeline: Timeline, rng: np.random.Generator, sleepers: Sleepers
) -> None:
    """K-complexes, every other one with a spindle on it, and spindles of their own, in swells of about 50 seconds."""
    n = len(timeline)
    light, deep = timeline.during(Stage.N2), timeline.during(Stage.N3)
    k_onsets = draw_onsets(light * (1.3 / 60), rng, apart_s=4.0)
    k_waves = waves.k_complexes(rng.uniform(0.85, 1.2, len(k_onsets)))
    k_waves *= sleepers.slow_waves * rng.uniform(65, 125, len(k_onsets))[:, None]
    for channel, gain in ((FPZ_CZ, 1.0), (PZ_OZ, 0.45), (EOG, -0.25)):
        add_waves(traces[channel], k_onsets, gain * k_waves)
    swell = np.clip(1 + 0.9 * np.sin(2 * np.pi * np.arange(n) / 50 + 2 * slow_noise(n, 80.0, rng)), 0, None)
    own = draw_onsets(light * swell * (5.5 / 60) + deep * (2.5 / 60), rng, apart_s=2.5)
    onsets = np.sort(np.r_[own, k_onsets[rng.random(len(k_onsets)) < 0.5] + 0.9])
    frequency = rng.normal(13.1, 0.25) + rng.normal(0, 0.45, len(onsets))
    shapes = waves.spindles(rng.uniform(0.7, 1.9, len(onsets)), frequency.clip(11.3, 14.8), rng)
    shapes *= sleepers.spindles * rng.lognormal(np.log(19.0), 0.3, len(onsets))[:, None]
    for channel, gain in ((FPZ_CZ, 1.0), (PZ_OZ, 0.65), (EOG, 0.2)):
        add_waves(traces[channel], onsets, gain * shapes)


def add_vertex_waves(traces: Traces, timeline: Timeline, rng: np.random.Generator) -> None:
    """Vertex sharp waves in N1."""
    onsets = draw_onsets(timeline.during(Stage.N1) * (1.2 / 60), rng, apart_s=2.0)
    shapes = waves.vertex_waves(rng.uniform(0.8, 1.2, len(onsets))) * rng.uniform(30, 60, len(onsets))[:, None]
    add_waves(traces[FPZ_CZ], onsets, shapes)
    add_waves(traces[PZ_OZ], onsets, 0.3 * shapes)


def add_blinks(traces: Traces, timeline: Timeline, rng: np.random.Generator) -> None:
    """Blinks with open eyes: large at Fpz, small in the horizontal EOG."""
    open_eyes = timeline.during(Stage.W) * ~timeline.eyes_closed
    onsets = draw_onsets(open_eyes * 0.28 + timeline.during(Stage.W) * 0.015, rng, apart_s=0.5)
    shapes = waves.blinks(rng.uniform(0.22, 0.36, len(onsets))) * rng.lognormal(np.log(85), 0.3, len(onsets))[:, None]
    add_waves(traces[FPZ_CZ], onsets, shapes)
    add_waves(traces[EOG], onsets, shapes * rng.normal(0.35, 0.2, len(onsets))[:, None])
    add_waves(traces[PZ_OZ], onsets, 0.06 * shapes)


def add_slow_eye_movements(traces: Traces, timeline: Timeline, rng: np.random.Generator) -> None:
    """Slow rolling eye movements in N1 and in the drowsy wake before it."""
    n = len(timeline)
    drowsy = timeline.during(Stage.W) * timeline.eyes_closed * (0.15 + 0.85 * timeline.drowsiness)
    level = timeline.during(Stage.N1) + drowsy
    rolling = np.clip(0.6 + 0.6 * slow_noise(n, 12.0, rng), 0, 1.4)
    wave = rhythm(n, np.clip(0.33 + 0.06 * slow_noise(n, 10.0, rng), 0.18, 0.6), 3.5, rng) * per_sample(rolling * level)
    traces[EOG] += 55.0 * wave
    traces[FPZ_CZ] += 6.0 * wave


def add_rapid_eye_movements(traces: Traces, timeline: Timeline, rng: np.random.Generator) -> None:
    """Saccades: in bursts during phasic REM, and in wake, more with open eyes."""
    n = len(timeline)
    phasic = np.clip(slow_noise(n, 9.0, rng) + 0.1, 0, 1.5)
    awake = timeline.during(Stage.W)
    looking = awake * np.where(timeline.eyes_closed, 0.12 * (1 - timeline.drowsiness), 0.9)
    onsets = draw_onsets(np.clip(timeline.during(Stage.REM) * phasic * 0.8 + looking, 0, 0.95), rng, apart_s=0.35)
    shapes = waves.saccades(rng.uniform(0.04, 0.1, len(onsets)))
    in_wake = awake[onsets.astype(int)] > 0
    height = rng.lognormal(np.log(85), 0.45, len(onsets)) * np.where(in_wake, 1.25, 1.0)
    # Gaze that went one way comes back: neighbouring saccades tend to alternate.
    side = np.where(np.arange(len(onsets)) % 2 == 0, 1.0, -1.0) * np.where(rng.random(len(onsets)) < 0.75, 1.0, -1.0)
    shapes *= (height * side)[:, None]
    add_waves(traces[EOG], onsets, shapes)
    add_waves(traces[FPZ_CZ], onsets, shapes * rng.normal(0.10, 0.08, len(onsets))[:, None])
    vertical = rng.normal(0, 14, len(onsets)) * np.where(in_wake, 2.2, 0.6)
    add_waves(traces[FPZ_CZ], onsets, waves.saccades(rng.uniform(0.05, 0.12, len(onsets))) * vertical[:, None])


def add_sawtooth_waves(traces: Traces, timeline: Timeline, rng: np.random.Generator) -> None:
    """Trains of sawtooth waves in REM."""
    onsets = draw_onsets(timeline.during(Stage.REM) * (0.7 / 60), rng, apart_s=8.0)
    shapes = waves.sawtooth_waves(rng.uniform(2.0, 4.5, len(onsets)), rng.uniform(2.3, 3.6, len(onsets)))
    shapes *= rng.uniform(12, 22, len(onsets))[:, None]
    add_waves(traces[FPZ_CZ], onsets, shapes)
    add_waves(traces[PZ_OZ], onsets, 0.6 * shapes)


def add_movements(traces: Traces, timeline: Timeline, rng: np.random.Generator) -> None:
    """Body movements that swing all electrodes, and the muscle of arousals."""
    onsets = timeline.movements_s
    for channel, height in ((FPZ_CZ, 70.0), (PZ_OZ, 35.0), (EOG, 160.0)):
        shapes = waves.movements(rng.uniform(3.0, 9.0, len(onsets)), rng)
        add_waves(traces[channel], onsets, shapes * (height * rng.lognormal(0, 0.4, len(onsets)))[:, None])
        muscle = rng.standard_normal(len(traces[channel]), dtype=np.float32)
        traces[channel] += muscle * per_sample(timeline.arousal) * np.float32(height * 0.05)
