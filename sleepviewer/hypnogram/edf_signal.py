"""A hypnogram as a signal of an EDF file, one number an epoch: Polyman's, and the first Sleep-EDF's ``.hyp``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import edfio
import numpy as np

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.stages import Stage, stage_from_digit

_LABEL: Final = re.compile(r"hypnogram|sleep ?stages?|stages?", re.IGNORECASE)
_SHORTEST_S, _LONGEST_S = 5.0, 120.0
_HIGHEST: Final = 9
"""Numbers above REM's 5, up to 9, are movement and unscored."""


def stage_signal(edf: edfio.Edf | edfio.Bdf) -> edfio.EdfSignal | edfio.BdfSignal | None:
    """Return the signal that is a hypnogram by its name and its pace, one sample every 5 to 120 s; None without one."""
    for signal in edf.signals:
        rate = signal.sampling_frequency
        if _LABEL.fullmatch(signal.label.strip()) and 1 / _LONGEST_S <= rate <= 1 / _SHORTEST_S:
            return signal
    return None


def signal_bouts(signal: edfio.EdfSignal | edfio.BdfSignal, path: Path) -> tuple[tuple[Bout, ...], tuple[str, ...]]:
    """Return the bouts and notes of a hypnogram signal: 0 W, 1, 2, 3 and 4 = N3, 5 REM, 6 to 9 without a stage.

    Raises HypnogramError where a sample is no such number.
    """
    values = np.round(np.asarray(signal.data, dtype=np.float64))
    epoch_s = 1 / signal.sampling_frequency
    stages = [_stage(value) for value in values]
    if None in stages:
        place = stages.index(None)
        raise HypnogramError(f"{path.name}, epoch {place + 1}: {values[place]:g} is no sleep stage (0 to 9).")
    known = [int(stage) for stage in stages if stage is not None]
    bouts, _ = in_order((Bout(i * epoch_s, epoch_s, stage) for i, stage in enumerate(known)), path.name)
    if not bouts:
        raise HypnogramError(f"{path.name} holds a signal “{signal.label}” without a sample.")
    note = f"{path.name}: the signal “{signal.label}” was read as 0 W, 1 N1, 2 N2, 3 and 4 N3, 5 REM."
    return bouts, (note,)


def _stage(value: float) -> Stage | None:
    if Stage.REM + 1 < value <= _HIGHEST:
        return Stage.UNKNOWN
    return stage_from_digit(int(value), r_and_k=True) if np.isfinite(value) else None
