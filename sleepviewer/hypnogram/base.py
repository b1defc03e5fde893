"""A scorer's stages: as a file tells them (:class:`StageTrack`) and on a recording's epochs (:class:`Hypnogram`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import numpy as np

from sleepviewer.stages import EPOCH_S, StageArray


@dataclass(frozen=True, slots=True)
class Bout:
    """A stretch of one stage, ``onset_s`` ≤ t < ``onset_s + duration_s`` from the track's start."""

    onset_s: float
    duration_s: float
    stage: int


@dataclass(frozen=True, slots=True)
class StageTrack:
    """What a hypnogram file says, before it is laid on any recording's epochs.

    ``start`` is the clock time of second 0, or None where the file does not tell it. ``start_time`` is then its time of
    day, where that much is known (an anonymised date): the track is laid on the recording by it. A track with neither
    (plain text) is taken to start with the recording. Notes say so. Bouts are in order and do not overlap.

    ``lengths_unsaid`` is how many stages a file lists whose length it does not say (taken to be 30 s), else 0.

    ``whole_only`` marks stages whose places in the night are not known, because epochs may have been cut off before
    they were written: they fit only a recording of exactly as many epochs.
    """

    bouts: tuple[Bout, ...]
    start: datetime | None
    source: str
    scorer: str = ""
    notes: tuple[str, ...] = ()
    start_time: time | None = None
    whole_only: bool = False
    lengths_unsaid: int = 0

    @property
    def duration_s(self) -> float:
        """Seconds from second 0 to the end of the last bout."""
        return max((b.onset_s + b.duration_s for b in self.bouts), default=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Hypnogram:
    """Stages per 30-s epoch on a recording's clock: epoch 0 begins with the recording (or with the track itself).

    ``stages`` is read-only ``int8 [n_epochs]``. ``notes`` are sentences for the user: by how much the source was
    shifted, what lay outside, which convention was used for numbers.
    """

    stages: StageArray
    start: datetime | None
    source: str
    scorer: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take a read-only int8 copy, so that the value is one."""
        stages = np.array(self.stages, dtype=np.int8)
        if stages.ndim != 1 or ((stages < -1) | (stages > 4)).any():
            raise ValueError("stages must be one-dimensional, with values -1 to 4")
        stages.flags.writeable = False
        object.__setattr__(self, "stages", stages)

    def __len__(self) -> int:
        return len(self.stages)

    def clock(self, epoch: int) -> datetime | None:
        """Clock time at which an epoch begins, or None without a start time."""
        return None if self.start is None else self.start + timedelta(seconds=epoch * EPOCH_S)
