"""Intervals marked on the page of traces: events, artifacts, annotations, suggestions of a detector."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """An interval in seconds on the recording clock, over one lane or over all of them.

    Attributes
    ----------
    key: what the view's signals call it by; unique among the marks that are shown.
    text: written at its left upper corner.
    color: ``#rrggbb``.
    lane: label of the derivation that it lies on; None: over all lanes.
    suggested: drawn in a style of its own (dashed outline, hatched): nobody has confirmed it.
    movable: whether it can be moved and its ends dragged.
    selected: whether it is drawn as the chosen one.
    """

    key: str
    start_s: float
    stop_s: float
    text: str
    color: str
    lane: str | None = None
    suggested: bool = False
    movable: bool = False
    selected: bool = False
