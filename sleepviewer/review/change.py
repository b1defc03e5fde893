"""What can change in a document."""

from __future__ import annotations

from enum import Enum, auto


class Change(Enum):
    """What has changed in the document."""

    TRUTH = auto()
    PREDICTION = auto()
    PROVISIONAL = auto()
    EDITS = auto()
    BASE = auto()
    LIGHTS = auto()
    EVENTS = auto()
    SAVED = auto()
    BLINDING = auto()
    """Others' scorings are hidden, or shown again; what else changes by that is told after it."""
