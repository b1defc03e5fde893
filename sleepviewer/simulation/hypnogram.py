"""A plausible hypnogram: real nights' cycles and transitions, walked through by chance.

The night is a row of cycles. How long a cycle's NREM and REM periods last is drawn from what the first, second, … cycle
of real nights lasted; inside them a Markov chain runs whose transitions were counted in the same cycle and the same
third of its NREM period, or in its REM period. Deep sleep early and long REM periods toward morning come from there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.simulation.statistics import sleep_edf_statistics
from sleepviewer.stages import N_STAGES, Stage, StageArray

# Chance draws stay between these quantiles: the demo night is to be an ordinary one.
_ORDINARY = (0.15, 0.85)
_LATENCY_EPOCHS = (8, 60)
_LAST_WAKE_EPOCHS = (6, 20)


def simulate_hypnogram(n_epochs: int, seed: int = 0) -> StageArray:
    """Simulate the stages of ``n_epochs`` 30-s epochs, ``int8 [n_epochs]``; the same seed gives the same night.

    The night begins awake, falls asleep after 4 to 30 minutes (sooner where it is short), and ends awake where it is
    two hours or longer. Raises ValueError for fewer than one epoch.
    """
    if n_epochs < 1:
        raise ValueError("a night has at least one epoch")
    rng = np.random.default_rng([seed, 0])
    statistics = sleep_edf_statistics()["hypnograms"]
    quantiles = np.array(statistics["quantiles"])
    latency = _draw_length(statistics["latency_epochs"], quantiles, rng)
    latency = min(max(latency, _LATENCY_EPOCHS[0]), _LATENCY_EPOCHS[1], n_epochs // 6)
    last_wake = int(rng.integers(*_LAST_WAKE_EPOCHS)) if n_epochs >= 240 else 0
    night = [int(Stage.W)] * max(latency, 1)
    ordinal = 0
    while len(night) < n_epochs - last_wake:
        cycle = statistics["cycles"][min(ordinal, len(statistics["cycles"]) - 1)]
        night += _simulate_cycle(cycle, night[-1], quantiles, rng)
        ordinal += 1
    night = night[: n_epochs - last_wake] + [int(Stage.W)] * last_wake
    return np.array(night, dtype=np.int8)


def _draw_length(values: list[float], quantiles: NDArray[np.float64], rng: np.random.Generator) -> int:
    """Draw a length in epochs from the distribution that quantiles describe."""
    return round(float(np.interp(rng.uniform(*_ORDINARY), quantiles, values)))


def _simulate_cycle(
    cycle: dict[str, Any], before: int, quantiles: NDArray[np.float64], rng: np.random.Generator
) -> list[int]:
    """Simulate one cycle's NREM and REM period, one stage per epoch; ``before`` is the stage just before it."""
    n_nrem = _draw_length(cycle["nrem_epochs"], quantiles, rng)
    n_rem = max(_draw_length(cycle["rem_epochs"], quantiles, rng), 2)
    parts = np.array(cycle["nrem_transitions"], dtype=float)
    stage = before
    stages = []
    for counts, n_part in zip(parts, np.diff(np.linspace(0, n_nrem, len(parts) + 1).round().astype(int)), strict=True):
        run = _walk(_probabilities(counts, avoid=Stage.REM), stage, int(n_part), rng)
        stages += run
        stage = run[-1] if run else stage
    if before == Stage.W and Stage.W in stages[:1]:
        stages[0] = int(Stage.N1)
    rem = _probabilities(np.array(cycle["rem_transitions"], dtype=float))
    return [*stages, int(Stage.REM), *_walk(rem, int(Stage.REM), n_rem - 2, rng), int(Stage.REM)]


def _probabilities(counts: NDArray[np.float64], avoid: int | None = None) -> NDArray[np.float64]:
    """Turn transition counts ``[from, to]`` into probabilities; a stage never left in the data goes to N2."""
    counts = counts.copy()
    if avoid is not None:
        counts[:, avoid] = 0
    counts[counts.sum(axis=1) == 0, Stage.N2] = 1
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _walk(probabilities: NDArray[np.float64], stage: int, n: int, rng: np.random.Generator) -> list[int]:
    """Walk a Markov chain for ``n`` epochs, beginning with the step out of ``stage``."""
    steps = np.cumsum(probabilities, axis=1)
    stages = []
    for chance in rng.random(n):
        stage = min(int(np.searchsorted(steps[stage], chance, side="right")), N_STAGES - 1)
        stages.append(stage)
    return stages
