"""Where to go next: disagreements, unscored epochs, transitions, lists of a panel (doubt: :mod:`.review_queue`)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.order import disagreements, transitions
from sleepviewer.review.document import Document
from sleepviewer.stages import Stage

EpochArray = NDArray[np.intp]


def next_in(epochs: EpochArray, current: int, direction: int) -> int | None:
    """Return the nearest of the sorted ``epochs`` after (direction 1) or before (-1) ``current``, or None."""
    if direction > 0:
        later = epochs[epochs > current]
        return int(later[0]) if later.size else None
    earlier = epochs[epochs < current]
    return int(earlier[-1]) if earlier.size else None


def disagreeing_epochs(document: Document) -> EpochArray:
    """Epochs where the model and the expert's hypnogram differ; without one, the model and the corrected labels."""
    if document.prediction is None:
        return np.empty(0, dtype=np.intp)
    if document.truth is not None:
        reference = document.truth.stages
    else:
        reference = np.where(document.edited, document.corrected, int(Stage.UNKNOWN)).astype(np.int8)
    return disagreements(reference, document.prediction.stages).astype(np.intp)


def unscored_epochs(document: Document) -> EpochArray:
    """Epochs that would be exported without a stage."""
    return np.flatnonzero(document.labels == Stage.UNKNOWN)


def transition_epochs(document: Document) -> EpochArray:
    """Epochs that begin another stage than the one before, in the labels that would be exported."""
    return transitions(document.labels).astype(np.intp)


class EpochWalk:
    """A named list of epochs to step through in its own order, as a table shows them: ``N2 taken for N3``.

    Where the current epoch is in the list, a step goes to its neighbour there; else to the place that was left, or, in
    a list that was not stepped through yet, to its first or last epoch.
    """

    def __init__(self, name: str, epochs: EpochArray) -> None:
        self.name = name
        self.epochs = np.asarray(epochs, dtype=np.intp)
        self._position: float = -1  # a half lies between two places: what stood there is not in the list any more

    def renewed(self, name: str, epochs: EpochArray, current: int) -> EpochWalk:
        """Return a walk through a list that takes this one's place, as after an edit, at the place that this one has.

        Where the epoch of that place is not in the list any more, the next step goes to what came after (or before) it.
        """
        walk = EpochWalk(name, epochs)
        place = np.flatnonzero(self.epochs == current)
        position = float(place[0]) if place.size else self._position
        if position > -1:
            passed = np.flatnonzero(np.isin(walk.epochs, self.epochs[: math.floor(position) + 1]))
            # Back from before an empty list the place is behind its end, where no epoch stands.
            whole = position == math.floor(position) and position < len(self.epochs)
            stands = whole and bool(np.isin(self.epochs[int(position)], walk.epochs))
            walk._position = (float(passed[-1]) if passed.size else -1.0) + (0.0 if stands else 0.5)
        return walk

    def place(self, epoch: int) -> int | None:
        """Return an epoch's place in the list, counted from 0, or None where it is not in it."""
        place = np.flatnonzero(self.epochs == epoch)
        return int(place[0]) if place.size else None

    def step(self, current: int, direction: int) -> int | None:
        """Return the next (1) or previous (-1) epoch of the list, or None at its end."""
        place = np.flatnonzero(self.epochs == current)
        if place.size:
            self._position = int(place[0])
        elif self._position == -1 and direction < 0:
            self._position = len(self.epochs)
        position = math.floor(self._position) + 1 if direction > 0 else math.ceil(self._position) - 1
        if not 0 <= position < len(self.epochs):
            return None
        self._position = position
        return int(self.epochs[position])
