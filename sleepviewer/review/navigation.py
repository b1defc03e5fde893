"""Where to go next: disagreements, unscored epochs, transitions, lists of a panel (doubt: :mod:`.review_queue`)."""

from __future__ import annotations

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
        self._position = -1

    def step(self, current: int, direction: int) -> int | None:
        """Return the next (1) or previous (-1) epoch of the list, or None at its end."""
        place = np.flatnonzero(self.epochs == current)
        if place.size:
            self._position = int(place[0])
        elif self._position < 0 and direction < 0:
            self._position = len(self.epochs)
        position = self._position + direction
        if not 0 <= position < len(self.epochs):
            return None
        self._position = position
        return int(self.epochs[position])
