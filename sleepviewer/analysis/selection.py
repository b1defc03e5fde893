"""Which disagreements to look at, and in which order: filters and sorting over a comparison's columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.order import Epochs
from sleepviewer.analysis.shifts import KINDS, Kind
from sleepviewer.stages import Stage


@dataclass(frozen=True, slots=True)
class ErrorFilter:
    """What a disagreement must be to be listed; None asks for nothing.

    Ranges are (least, most), both included: ``confidence`` the probability of the predicted stage (epochs without
    probabilities have none and fail), ``distance`` epochs to the nearest transition of the truth, ``hour`` whole hours
    of the night from 0, ``run`` the length of the run of errors. ``signal`` is a sign of poor signal, ``good`` or
    ``unknown``; ``edited`` whether the epoch was corrected by hand. Where ``truth`` and ``predicted`` are the same
    stage, the epochs are asked for in which both say so.
    """

    truth: Stage | None = None
    predicted: Stage | None = None
    kinds: frozenset[Kind] | None = None
    confidence: tuple[float, float] | None = None
    distance: tuple[int, int] | None = None
    hour: tuple[int, int] | None = None
    run: tuple[int, int] | None = None
    cycle: int | None = None
    signal: str | None = None
    edited: bool | None = None

    def epochs(self, comparison: Comparison) -> Epochs:
        """Return the disagreements that pass (or agreements, see above), in the order of the night."""
        agreed = self.truth is not None and self.truth == self.predicted
        epochs = np.flatnonzero(comparison.both & ~comparison.wrong) if agreed else comparison.epochs
        kept = np.ones(len(epochs), dtype=bool)
        for wanted, column in (
            (self.truth, comparison.truth),
            (self.predicted, comparison.predicted),
            (self.cycle, comparison.cycle),
            (self.edited, comparison.edited),
        ):
            if wanted is not None:
                kept &= column[epochs] == wanted
        for bounds, values in (
            (self.confidence, 1 - np.where(comparison.doubt < 0, np.nan, comparison.doubt)),
            (self.distance, comparison.distance),
            (self.hour, comparison.hour),
            (self.run, comparison.run_epochs),
        ):
            if bounds is not None:
                kept &= (values[epochs] >= bounds[0]) & (values[epochs] <= bounds[1])
        if self.kinds is not None:
            kept &= np.isin(comparison.kind[epochs], [KINDS.index(kind) for kind in self.kinds])
        if self.signal is not None:
            kept &= comparison.signs.described_as(self.signal)[epochs]
        return epochs[kept]


class SortBy(StrEnum):
    """By what a list of disagreements is sorted."""

    EPOCH = "epoch"
    PAIR = "pair"
    TRUTH = "truth"
    PREDICTED = "predicted"
    CONFIDENCE = "confidence"
    DISTANCE = "distance"
    RUN = "run"
    KIND = "kind"
    BOUT = "bout"
    SIGNAL = "signal"
    EDITED = "edited"


_KEYS: Final[Mapping[SortBy, Callable[[Comparison], NDArray[np.generic]]]] = {
    SortBy.EPOCH: lambda c: np.arange(len(c)),
    SortBy.PAIR: lambda c: c.truth.astype(int) * 8 + c.predicted,
    SortBy.TRUTH: lambda c: c.truth,
    SortBy.PREDICTED: lambda c: c.predicted,
    SortBy.CONFIDENCE: lambda c: 1 - c.doubt,
    SortBy.DISTANCE: lambda c: c.distance,
    SortBy.RUN: lambda c: c.run_epochs,
    SortBy.KIND: lambda c: c.kind,
    SortBy.BOUT: lambda c: c.bout_epochs,
    SortBy.SIGNAL: lambda c: np.unique(np.array(c.signal, dtype=str), return_inverse=True)[1],
    SortBy.EDITED: lambda c: c.edited,
}


def in_order(comparison: Comparison, epochs: Epochs, by: SortBy, *, descending: bool = False) -> Epochs:
    """Return epochs sorted; equal ones stay in the order that they have."""
    keys = np.asarray(_KEYS[by](comparison)[epochs], dtype=np.float64)
    return epochs[np.argsort(-keys if descending else keys, kind="stable")]
