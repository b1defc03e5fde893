"""Bouts of one stage: made from stages per epoch, and put in order where a file's entries overlap."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout
from sleepviewer.stages import EPOCH_S, Stage, StageArray

_UNLABELLED: Final = -2
_DECIMALS: Final = 6
"""Times closer than a microsecond are one time."""

_LONGEST_S: Final = 1e7
"""No hypnogram lasts 115 days; a file that says so is damaged, or its times are no seconds."""


def bouts_of(stages: StageArray) -> tuple[Bout, ...]:
    """Return the runs of equal stages, ``int8 [n_epochs]``, as bouts from second 0 on."""
    stages = np.asarray(stages)
    return _runs(np.arange(len(stages) + 1, dtype=np.float64) * EPOCH_S, stages)


def in_order(bouts: Iterable[Bout], source: str) -> tuple[tuple[Bout, ...], tuple[str, ...]]:
    """Sort bouts, end overlaps and join neighbours of one stage; a note tells of seconds that two stages claimed.

    Of two scored bouts the one that begins later counts; UNKNOWN gives way to every scored bout.

    Raises HypnogramError where times lie so far out that they can't be seconds of a night.
    """
    ordered = sorted((b for b in bouts if b.duration_s > 0), key=lambda b: (b.stage != Stage.UNKNOWN, b.onset_s))
    if not ordered:
        return (), ()
    onsets = np.round([b.onset_s for b in ordered], _DECIMALS)
    stops = np.round([b.onset_s + b.duration_s for b in ordered], _DECIMALS)
    if max(abs(onsets).max(), abs(stops).max()) > _LONGEST_S:
        raise HypnogramError(f"{source} has stages more than 115 days from its start; its times should be in seconds.")
    edges = np.unique(np.concatenate((onsets, stops)))
    widths = np.diff(edges)
    labels = np.full(len(widths), _UNLABELLED, dtype=np.int8)
    disputed_s = 0.0
    firsts, lasts = np.searchsorted(edges, onsets), np.searchsorted(edges, stops)
    for bout, first, last in zip(ordered, firsts, lasts, strict=True):
        claimed = labels[first:last]
        disputed_s += widths[first:last][(claimed > Stage.UNKNOWN) & (claimed != bout.stage)].sum()
        claimed[:] = bout.stage
    if not disputed_s:
        return _runs(edges, labels), ()
    note = f"{source}: two stages claim the same time for {disputed_s:g} s in all; the one that begins later counts."
    return _runs(edges, labels), (note,)


def _runs(edges: NDArray[np.float64], labels: NDArray[np.int8]) -> tuple[Bout, ...]:
    """Return runs of equal labels between ``edges`` [n + 1] as bouts, unlabelled ones left out."""
    if not labels.size:
        return ()
    starts = np.concatenate(([0], np.flatnonzero(np.diff(labels)) + 1))
    stops = np.concatenate((starts[1:], [len(labels)]))
    return tuple(
        Bout(float(edges[start]), float(edges[stop] - edges[start]), int(labels[start]))
        for start, stop in zip(starts, stops, strict=True)
        if labels[start] != _UNLABELLED
    )
