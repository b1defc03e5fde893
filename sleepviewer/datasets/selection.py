"""Which epochs of a night go into a training archive: the published preparation of Sleep-EDF and SHHS, as one rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.archive.build import trim_wake
from sleepviewer.stages import SCORED_STAGES, Stage, StageArray

WAKE_MINUTES: Final = 30.0
"""Minutes of wake that are kept before the first and after the last epoch of sleep."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The epochs of a night that are kept, ``bool [N]``, and how many are not for which reason.

    ``unscored`` counts all epochs without a stage ('?', movement time), ``wake_trimmed`` the scored ones (all of them
    wake) farther than :data:`WAKE_MINUTES` from sleep.
    """

    kept: NDArray[np.bool_]
    unscored: int
    wake_trimmed: int


def select_epochs(stages: StageArray) -> Selection:
    """Choose the epochs to train on from a night's stages, ``int8 [N]``, UNKNOWN where there is none.

    As in the published preparation, epochs without a stage are taken out first; the 30 minutes are then counted in the
    60 epochs that remain next to sleep. This gives the published counts, epoch for epoch. A night without sleep has
    nothing to trim around: all its scored epochs are kept.
    """
    scored = np.asarray(stages) != Stage.UNKNOWN
    first, stop = trim_wake(stages, WAKE_MINUTES)
    near_sleep = np.zeros_like(scored)
    near_sleep[first:stop] = True
    return Selection(scored & near_sleep, int((~scored).sum()), int((scored & ~near_sleep).sum()))


def count_stages(stages: NDArray[np.integer]) -> dict[str, int]:
    """Return how many epochs each of the five stages has, by its label, in the order W, N1, N2, N3, REM."""
    return {stage.label: int((stages == stage).sum()) for stage in SCORED_STAGES}
