"""The part of the night that its rows show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sleepviewer.stages import EPOCH_S

SHORTEST: Final = 20.0
"""Epochs of the shortest span that can be zoomed to: ten minutes."""

EPOCHS_PER_HOUR: Final = 3600 / EPOCH_S


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the night that the rows show, in epochs from its start."""

    first: float
    last: float

    @property
    def length(self) -> float:
        """How many epochs it is long."""
        return self.last - self.first

    def x_of(self, epoch: float, width: float) -> float:
        """Pixel of an epoch's beginning in a row ``width`` pixels wide."""
        return (epoch - self.first) / (self.last - self.first) * width

    def epoch_at(self, x: float, width: float) -> int:
        """The epoch under a pixel."""
        return int(np.floor(self.place_at(x, width)))

    def place_at(self, x: float, width: float) -> float:
        """The place under a pixel, in epochs and parts of one."""
        return self.first + x / max(width, 1.0) * (self.last - self.first)

    def zoomed(self, factor: float, around: float, n_epochs: int) -> Span:
        """A span ``factor`` times as long around an epoch, at least ten minutes, at most the night."""
        length = min(max((self.last - self.first) * factor, SHORTEST), float(n_epochs))
        share = (around - self.first) / (self.last - self.first)
        return Span(around - share * length, around + (1 - share) * length).within(n_epochs)

    def moved(self, epochs: float, n_epochs: int) -> Span:
        """A span as long, so many epochs later, as far as there is a night."""
        return Span(self.first + epochs, self.last + epochs).within(n_epochs)

    def within(self, n_epochs: int) -> Span:
        """A span as long that does not reach beyond the night."""
        length = min(self.length, float(n_epochs))
        first = min(max(self.first, 0.0), n_epochs - length)
        return Span(first, first + length)

    def containing(self, epoch: int, n_epochs: int) -> Span:
        """The same length, centred on the epoch where that is outside."""
        if self.first <= epoch and epoch + 1 <= self.last:
            return self
        return around(epoch, self.length, n_epochs)


def around(epoch: int, length: float, n_epochs: int) -> Span:
    """A span of so many epochs with one in its middle, as far as there is a night."""
    length = min(length, float(max(n_epochs, 1)))
    middle = epoch + 0.5
    return Span(middle - length / 2, middle + length / 2).within(max(n_epochs, 1))
