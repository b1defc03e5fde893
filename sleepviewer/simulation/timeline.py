"""The sleeper from second to second: stage, depth, eyes, arousals; every signal is driven by this."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sleepviewer.simulation.oscillations import slow_noise
from sleepviewer.stages import EPOCH_S, Stage, StageArray

FloatArray = NDArray[np.float64]

# A stage changes up to this long before or after the epoch's edge: sleepers do not know of epochs.
_EDGE_JITTER_S = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The state of the sleeper in every second, arrays ``[n_seconds]``.

    ``stage`` holds values of Stage; ``slow_wave_share`` (0 to 1) is how much of the time slow waves run;
    ``eyes_closed`` (bool) matters in wake only; ``arousal`` (0 to 1) is the strength of arousals and of body movements;
    ``drowsiness`` (0 to 1) grows in wake toward sleep.
    """

    stage: NDArray[np.int8]
    slow_wave_share: FloatArray
    eyes_closed: NDArray[np.bool_]
    arousal: FloatArray
    drowsiness: FloatArray
    movements_s: FloatArray

    def __len__(self) -> int:
        return len(self.stage)

    def during(self, *stages: Stage) -> FloatArray:
        """Return 1.0 in the seconds of these stages, else 0.0."""
        return np.isin(self.stage, stages).astype(float)


def make_timeline(stages: StageArray, rng: np.random.Generator) -> Timeline:
    """Draw the states that the stages ``int8 [n_epochs]`` leave open."""
    stage = _jittered_seconds(stages, rng)
    n = len(stage)
    movements = _draw_movements(stage, rng)
    arousal = np.zeros(n)
    for onset in movements:
        arousal[int(onset) : int(onset) + int(rng.integers(3, 9))] = 1.0
    for onset in np.flatnonzero(rng.random(n) < _arousal_rate(stage)):
        length = int(rng.integers(3, 10))
        arousal[onset : onset + length] = np.maximum(arousal[onset : onset + length], rng.uniform(0.4, 0.8))
    return Timeline(
        stage=stage,
        slow_wave_share=_slow_wave_share(stage, rng),
        eyes_closed=slow_noise(n, 25.0, rng) < np.where(np.arange(n) < 300, 0.2, 0.5),
        arousal=arousal,
        drowsiness=_drowsiness(stage),
        movements_s=movements,
    )


def _jittered_seconds(stages: StageArray, rng: np.random.Generator) -> NDArray[np.int8]:
    """Spread epochs over seconds ``int8 [n_seconds]``, each change of stage moved a little off the epoch's edge."""
    changes = np.flatnonzero(np.diff(stages)) + 1
    edges = changes * EPOCH_S + rng.uniform(-_EDGE_JITTER_S, _EDGE_JITTER_S, len(changes))
    bounds = np.r_[0, edges.round().astype(int), round(len(stages) * EPOCH_S)]
    return np.repeat(stages[np.r_[0, changes]], np.diff(bounds))


def _slow_wave_share(stage: NDArray[np.int8], rng: np.random.Generator) -> FloatArray:
    """Share of time with slow waves: over a fifth in N3, deepest early in the night, little in N2 and rising to N3."""
    n = len(stage)
    early = np.exp(-np.arange(n) / 9000.0)
    deep = 0.52 + 0.2 * early + 0.13 * slow_noise(n, 60.0, rng)
    near_deep = _smooth((stage == Stage.N3).astype(float), 150)
    light = 0.02 + 0.10 * near_deep + 0.02 * slow_noise(n, 60.0, rng)
    share = np.where(stage == Stage.N3, deep.clip(0.38, 0.9), np.where(stage == Stage.N2, light.clip(0.0, 0.18), 0.0))
    return _smooth(share, 5)


def _drowsiness(stage: NDArray[np.int8]) -> FloatArray:
    """How near sleep is in the two minutes to come: 1 just before it, 0 far from it."""
    asleep_from = np.flatnonzero(stage != Stage.W)
    seconds = np.arange(len(stage))
    following = np.searchsorted(asleep_from, seconds)
    next_sleep = np.append(asleep_from, len(stage) + 1000)[following]
    return np.asarray(np.clip(1 - (next_sleep - seconds) / 120.0, 0, 1))


def _draw_movements(stage: NDArray[np.int8], rng: np.random.Generator) -> FloatArray:
    """Onsets of body movements in seconds: at most awakenings, now and then in wake, seldom in sleep."""
    awakenings = np.flatnonzero((stage[1:] == Stage.W) & (stage[:-1] != Stage.W)) + 1
    rate = np.select([stage == Stage.W, stage == Stage.N1, stage == Stage.N3], [1 / 150, 1 / 400, 1 / 4000], 1 / 1200)
    spontaneous = np.flatnonzero(rng.random(len(stage)) < rate)
    return np.sort(np.r_[awakenings[rng.random(len(awakenings)) < 0.8], spontaneous]).astype(float)


def _arousal_rate(stage: NDArray[np.int8]) -> FloatArray:
    """Arousals per second of sleep, about ten an hour, fewer in deep sleep."""
    return np.select([stage == Stage.W, stage == Stage.N3], [0.0, 2 / 3600], 10 / 3600)


def _smooth(values: FloatArray, width: int) -> FloatArray:
    """Average over ``width`` neighbours; the ends repeat."""
    width = min(width, len(values))
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")
