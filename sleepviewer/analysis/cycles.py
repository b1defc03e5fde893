"""Sleep cycles: a stretch of NREM sleep and the REM sleep that closes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.stages import EPOCH_S, Stage, StageArray

MIN_NREM_MIN: Final = 15.0
MIN_REM_MIN: Final = 5.0
"""Feinberg & Floyd 1979 (doi 10.1111/j.1469-8986.1979.tb02991.x): a cycle has 15 minutes of NREM sleep and 5 of REM.
The first REM period may be shorter, and the last cycle may end without one."""

_EPOCH_MIN: Final = EPOCH_S / 60


@dataclass(frozen=True, slots=True)
class Cycle:
    """A sleep cycle, epochs ``start`` ≤ e < ``stop``; ``complete`` where REM sleep closes it."""

    start: int
    stop: int
    complete: bool


def sleep_cycles(stages: StageArray) -> tuple[Cycle, ...]:
    """Return the sleep cycles of a night, ``int8 [n_epochs]``, in order.

    A cycle begins with the first NREM epoch after the one before, takes what wake there is in it, and ends with the
    last REM epoch of its REM period. REM periods less than 15 minutes of NREM sleep apart are one. A last stretch of
    at least 15 minutes of NREM sleep without REM is a cycle that is not complete.
    """
    stages = np.asarray(stages)
    nrem = np.isin(stages, (Stage.N1, Stage.N2, Stage.N3))
    periods = _rem_periods(stages == Stage.REM, nrem)
    cycles: list[Cycle] = []
    begun = 0
    for start, stop in periods:
        before = np.flatnonzero(nrem[begun:start]) + begun
        long_enough = not cycles or np.count_nonzero(stages[start:stop] == Stage.REM) * _EPOCH_MIN >= MIN_REM_MIN
        if len(before) * _EPOCH_MIN >= MIN_NREM_MIN and long_enough:
            cycles.append(Cycle(int(before[0]), stop, True))
            begun = stop
    rest = np.flatnonzero(nrem[begun:]) + begun
    if len(rest) * _EPOCH_MIN >= MIN_NREM_MIN:
        cycles.append(Cycle(int(rest[0]), int(rest[-1]) + 1, False))
    return tuple(cycles)


def cycle_numbers(stages: StageArray) -> NDArray[np.int16]:
    """Return each epoch's cycle, counted from 1, ``int16 [n_epochs]``; 0 outside all cycles."""
    numbers = np.zeros(len(stages), dtype=np.int16)
    for number, cycle in enumerate(sleep_cycles(stages), 1):
        numbers[cycle.start : cycle.stop] = number
    return numbers


def _rem_periods(rem: NDArray[np.bool_], nrem: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Join REM epochs between which there are less than 15 minutes of NREM sleep."""
    epochs = np.flatnonzero(rem)
    if not epochs.size:
        return []
    slept = np.concatenate(([0], np.cumsum(nrem)))
    apart = (slept[epochs[1:]] - slept[epochs[:-1] + 1]) * _EPOCH_MIN >= MIN_NREM_MIN
    cuts = np.flatnonzero(apart) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(epochs, cuts)]
