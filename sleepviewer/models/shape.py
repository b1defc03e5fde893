"""The shape of a model's input, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sleepviewer.stages import EPOCH_S

_MOST_HEADS: Final = 5


@dataclass(frozen=True, slots=True)
class InputShape:
    """How much signal a model sees of an epoch: ``n_samples`` at ``rate_hz``; all 30 s unless said otherwise."""

    rate_hz: int
    n_samples: int

    @classmethod
    def whole_epoch(cls, rate_hz: int) -> InputShape:
        """Return the shape of all 30 s at a rate."""
        return cls(rate_hz, round(rate_hz * EPOCH_S))

    @property
    def seconds(self) -> float:
        """Length of the input in seconds."""
        return self.n_samples / self.rate_hz


def n_heads(width: int) -> int:
    """Return the number of attention heads for tokens of a width: the published 5, or the most below that divide it."""
    return next(heads for heads in range(_MOST_HEADS, 0, -1) if width % heads == 0)
