"""What kind of error an error is: a boundary set somewhat earlier or later, or another stage."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.stages import Stage, StageArray

MAX_SHIFT: Final = 4
"""A boundary moved by so many epochs (2 minutes) at most is a shift; one moved further is another opinion."""


class Kind(StrEnum):
    """What became of a run of epochs with the same pair of stages.

    SHIFT: both have the boundary, one of them a few epochs later. MISSED: a whole bout of the truth is not in the
    prediction. INVENTED: a whole bout of the prediction is not in the truth. OTHER: anything else.
    """

    SHIFT = "shift"
    MISSED = "missed bout"
    INVENTED = "invented bout"
    OTHER = "confusion"


KINDS: Final = tuple(Kind)


@dataclass(frozen=True, slots=True)
class ErrorRun:
    """Neighbouring epochs ``start`` ≤ e < ``stop`` in which the same stage was taken for the same other.

    ``shift`` is 0 but for a SHIFT: by how many epochs the prediction's boundary is late (negative: early).
    """

    start: int
    stop: int
    truth: Stage
    predicted: Stage
    kind: Kind
    shift: int = 0

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class BoutShift:
    """A bout that both know, whose beginning or end was predicted elsewhere, in epochs; positive is later.

    ``start`` and ``stop`` are the truth's, epochs ``start`` ≤ e < ``stop``.
    """

    stage: Stage
    start: int
    stop: int
    onset: int
    offset: int

    @property
    def text(self) -> str:
        """The shift in words: ``REM of epochs 11 to 20: begins 2 epochs later, ends 2 epochs later``."""
        parts = [
            f"{verb} {abs(by)} epoch{'s' if abs(by) > 1 else ''} {'later' if by > 0 else 'earlier'}"
            for verb, by in (("begins", self.onset), ("ends", self.offset))
            if by
        ]
        return f"{self.stage.label} of epochs {self.start + 1} to {self.stop}: {', '.join(parts)}"


def error_runs(truth: StageArray, predicted: StageArray, *, max_shift: int = MAX_SHIFT) -> tuple[ErrorRun, ...]:
    """Return the runs of one pair of stages in which the two differ, in order, each with its kind.

    A run of at most ``max_shift`` epochs is a shift where the stages just outside it are agreed on and are the run's
    own two, one on each side: then what differs is only where the boundary between them lies. Epochs that either did
    not score belong to no run, and nothing is known beyond them.
    """
    truth, predicted = np.asarray(truth).astype(np.int64), np.asarray(predicted).astype(np.int64)
    n = len(truth)
    wrong = (truth != predicted) & (truth >= 0) & (predicted >= 0)
    pair = np.where(wrong, truth * 8 + predicted, -1)
    edges = np.concatenate(([0], np.flatnonzero(np.diff(pair)) + 1, [n])) if n else np.zeros(1, np.int64)
    runs = []
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if pair[start] < 0:
            continue
        t, p = int(truth[start]), int(predicted[start])
        before = (int(truth[start - 1]), int(predicted[start - 1])) if start else (-1, -1)
        after = (int(truth[stop]), int(predicted[stop])) if stop < n else (-1, -1)
        kind, shift = _kind(t, p, before, after, stop - start, max_shift)
        runs.append(ErrorRun(start, stop, Stage(t), Stage(p), kind, shift))
    return tuple(runs)


def _kind(
    t: int, p: int, before: tuple[int, int], after: tuple[int, int], length: int, max_shift: int
) -> tuple[Kind, int]:
    if length <= max_shift and before == (p, p) and after == (t, t):
        return Kind.SHIFT, length  # the truth has changed from p to t already, the prediction does it later
    if length <= max_shift and before == (t, t) and after == (p, p):
        return Kind.SHIFT, -length
    if before[0] not in (t, -1) and after[0] not in (t, -1) and before[1] == after[1] == p:
        return Kind.MISSED, 0
    if before[1] not in (p, -1) and after[1] not in (p, -1) and before[0] == after[0] == t:
        return Kind.INVENTED, 0
    return Kind.OTHER, 0


def kinds_by_epoch(runs: tuple[ErrorRun, ...], n: int) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int32]]:
    """Return of each epoch its kind (place in KINDS, -1 right or unscored), its run's shift, and its run's place."""
    kinds, shifts, places = np.full(n, -1, np.int8), np.zeros(n, np.int8), np.full(n, -1, np.int32)
    for place, run in enumerate(runs):
        kinds[run.start : run.stop] = KINDS.index(run.kind)
        shifts[run.start : run.stop] = run.shift
        places[run.start : run.stop] = place
    return kinds, shifts, places


def bout_shifts(truth: StageArray, runs: tuple[ErrorRun, ...]) -> tuple[BoutShift, ...]:
    """Return the truth's bouts whose beginning or end is shifted, in order.

    A shifted boundary ends one bout and begins the next, and so is told of both.
    """
    truth = np.asarray(truth)
    boundaries = {run.start if run.shift > 0 else run.stop: run.shift for run in runs if run.kind is Kind.SHIFT}
    if not boundaries:
        return ()
    edges = np.concatenate(([0], np.flatnonzero(np.diff(truth)) + 1, [len(truth)])).tolist()
    return tuple(
        BoutShift(Stage(int(truth[start])), start, stop, boundaries.get(start, 0), boundaries.get(stop, 0))
        for start, stop in pairwise(edges)
        if truth[start] >= 0 and (boundaries.get(start) or boundaries.get(stop))
    )
