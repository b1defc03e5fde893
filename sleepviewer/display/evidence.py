"""Contributions of the samples of an epoch to its predicted stage, as the page of traces shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is shown of an explanation, or of why there is none.

    Attributes
    ----------
    epoch: which one it is about; on any other page it is not shown.
    lane: label of the lane that it belongs to; one that the page does not have has it at the page's foot.
    legend: what is written over the bars, piece by piece: a text and its colour, None for the theme's.
    bars: heights from -1 to 1 of the epoch's equal parts, above the line for the stage; None while there are none.
    color_for, color_against: of the bars above and below the line.
    busy: whether the bars are being computed.
    details: what the strip says when it is pointed at.
    """

    epoch: int
    lane: str
    legend: tuple[tuple[str, str | None], ...]
    bars: NDArray[np.float32] | None = None
    color_for: str = ""
    color_against: str = ""
    busy: bool = False
    details: str = ""

    @property
    def text(self) -> str:
        """The legend in one line."""
        return "   ".join(text for text, _ in self.legend)

    @property
    def is_sentence(self) -> bool:
        """Whether it says why there are no bars."""
        return self.bars is None and not self.busy
