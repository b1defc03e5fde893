"""The ongoing EEG and EOG without its landmarks: noise with the spectrum that each stage has in real nights."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.simulation.cohort import Sleepers, background_gain
from sleepviewer.simulation.oscillations import (
    FRAME_S,
    HOP_S,
    RATE_HZ,
    Trace,
    coloured_noise,
    slow_noise,
    white_spectrum,
)
from sleepviewer.simulation.statistics import sleep_edf_statistics
from sleepviewer.simulation.timeline import Timeline
from sleepviewer.stages import N_STAGES, Stage

FloatArray = NDArray[np.float64]

FPZ_CZ: Final = "EEG Fpz-Cz"
PZ_OZ: Final = "EEG Pz-Oz"
EOG: Final = "EOG horizontal"
CHANNELS: Final = (FPZ_CZ, PZ_OZ, EOG)

# Standard deviation in µV of a whole night: Fpz-Cz as measured, the others by what the recordings' five minutes and the
# literature have, because the published band powers are of z-scored signals.
_NIGHT_SD_UV: Final = {FPZ_CZ: 15.2, PZ_OZ: 9.5, EOG: 32.0}

_BAND_CENTRES_HZ: Final = (2.0, 6.0, 10.0, 14.0, 22.0)
_SHARE_CENTRES_HZ: Final = (0.9, 3.0, 6.0, 10.0, 14.0, 22.0)

# Part of the real power that is left to the background around these frequencies, by stage (W, N1, N2, N3, REM): slow
# waves, spindles, alpha and eye movements are drawn as events and bring the rest.
_BACKGROUND_SHARE: Final = {
    FPZ_CZ: ((0.5, 0.7, 1.0, 0.7, 1.0, 0.9), (1.0, 1.0, 0.6, 1.0, 1.1, 1.0), (0.8, 1.15, 1.0, 1.0, 0.6, 0.95),
             (0.25, 0.9, 1.1, 0.9, 0.85, 0.9), (1.1, 1.1, 1.0, 1.0, 1.1, 1.0)),
    PZ_OZ: ((0.8, 0.8, 0.7, 0.3, 0.8, 0.8), (1.0, 1.0, 0.8, 0.9, 1.1, 1.0), (0.8, 0.9, 0.8, 0.9, 0.5, 0.95),
            (0.2, 0.8, 1.1, 0.9, 0.7, 1.0), (1.0, 1.0, 0.9, 0.9, 1.0, 1.0)),
    EOG: ((0.15, 0.15, 0.3, 0.5, 0.7, 0.5), (0.3, 0.8, 0.9, 1.0, 1.1, 0.6), (0.9, 0.8, 0.7, 0.9, 0.6, 0.6),
          (0.5, 1.0, 0.9, 0.8, 0.9, 0.6), (0.4, 0.4, 0.5, 0.7, 0.9, 0.6)),
}  # fmt: skip

# How much the log power wanders within a stage over a minute and over seconds, by stage.
_WANDER: Final = (0.7, 0.55, 0.5, 0.4, 0.5)
_FLICKER: Final = 0.4

_SHARED_WITH_FPZ: Final = {FPZ_CZ: 1.0, PZ_OZ: 0.35, EOG: 0.45}


def simulate_background(timeline: Timeline, rng: np.random.Generator, sleepers: Sleepers) -> dict[str, Trace]:
    """Simulate the background of the three fast channels, ``float32 [n_seconds * 100]`` in µV by channel."""
    n_frames = len(timeline) // HOP_S + 1
    weights = _stage_weights(timeline, n_frames)
    wander = weights.T @ np.array(_WANDER)
    shared = white_spectrum(n_frames, rng)
    traces = {}
    for channel in CHANNELS:
        power = np.exp(weights.T @ np.log(_stage_spectra(channel, sleepers)))
        power *= np.exp(_level_changes(n_frames, wander, rng))
        own = white_spectrum(n_frames, rng)
        share = np.float32(_SHARED_WITH_FPZ[channel])
        traces[channel] = coloured_noise(power, share * shared + np.sqrt(1 - share**2) * own)
    return traces


def _stage_weights(timeline: Timeline, n_frames: int) -> FloatArray:
    """How much of each stage a frame holds, ``[5, n_frames]``: the stage at its middle, softened by its neighbours."""
    middle = np.minimum(np.arange(n_frames) * HOP_S, len(timeline) - 1)
    pure = (timeline.stage[middle][None, :] == np.arange(N_STAGES)[:, None]).astype(float)
    padded = np.pad(pure, ((0, 0), (1, 1)), mode="edge")
    return np.asarray(0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:])


def _level_changes(n_frames: int, wander: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Changes of log power ``[n_frames, n_bins]`` in time: slow and fast ones, partly common to all bands."""
    bins = np.arange(FRAME_S * RATE_HZ // 2 + 1) / FRAME_S
    common, low, high = (slow_noise(n_frames, 60.0 / HOP_S, rng) for _ in range(3))
    is_low = np.interp(bins, (3.0, 12.0), (1.0, 0.0))
    slow = 0.7 * common[:, None] + 0.7 * (low[:, None] * is_low + high[:, None] * (1 - is_low))
    fast = _FLICKER * rng.standard_normal(n_frames)
    return np.asarray(wander[:, None] * slow + fast[:, None])


def _stage_spectra(channel: str, sleepers: Sleepers) -> FloatArray:
    """One-sided power density of the background by stage, ``[5, 201]`` in µV²/Hz at multiples of 0.25 Hz."""
    statistics = sleep_edf_statistics()
    fpz, bands = statistics["spectra"], statistics["band_powers"]["log_power"]
    bins = np.arange(FRAME_S * RATE_HZ // 2 + 1) / FRAME_S
    spectra = np.empty((N_STAGES, len(bins)))
    for s in range(N_STAGES):
        label = Stage(s).label
        level = np.interp(bins, fpz["freqs_hz"], np.log(fpz["uv2_per_hz"][label]))
        tilt = np.array(bands[channel][label]) - np.array(bands[FPZ_CZ][label])
        if channel == EOG:
            tilt[-1] = tilt[-2]  # these band powers were measured below 15 Hz only
        tilt = tilt + 2 * np.log(_NIGHT_SD_UV[channel] / _NIGHT_SD_UV[FPZ_CZ])
        share = np.interp(bins, _SHARE_CENTRES_HZ, np.log(_BACKGROUND_SHARE[channel][s]))
        spectra[s] = np.exp(level + np.interp(bins, _BAND_CENTRES_HZ, tilt) + share)
    # The amplifier's high-pass at 0.5 Hz, and the cassette's fall toward 50 Hz.
    return np.asarray(spectra * background_gain(bins, sleepers) * _high_pass(bins) + 1e-6)


def _high_pass(bins: FloatArray) -> FloatArray:
    """Power gain below the lowest frequency that the spectra were measured at."""
    return np.clip(bins / 0.5, 0, 1) ** 2
