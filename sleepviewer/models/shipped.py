"""The weights that come with the program, and what files of weights say about themselves; nothing here loads torch."""

from __future__ import annotations

from pathlib import Path

from sleepviewer.errors import CheckpointError, SleepViewerError
from sleepviewer.models.card import ModelCard, card_json, parse_card
from sleepviewer.models.family import PUBLISHED_MEMBER
from sleepviewer.models.shape import InputShape
from sleepviewer.packaged import resource

_PUBLISHED_SHAPE = InputShape.whole_epoch(100)


def shipped_weights(name: str) -> Path | None:
    """Return the file of a member's weights that comes with the program, or None."""
    try:
        return resource("models", f"{name}.safetensors")
    except SleepViewerError:
        return None


def peek_card(path: Path) -> ModelCard | None:
    """Return the card of a file of weights; None where it has none, or one that can't be read.

    It is for lists and menus: whether the weights fit the card shows when they are loaded, and is told then.
    """
    plain = ModelCard(path.stem, _PUBLISHED_SHAPE.rate_hz, _PUBLISHED_SHAPE.n_samples)
    try:
        content = card_json(path)
        return None if content is None else parse_card(content, plain)
    except (OSError, ValueError, TypeError, KeyError, CheckpointError):
        return None


def member_of(path: Path) -> str:
    """Return which member a file of weights holds, by its card; without one it is the published model."""
    card = peek_card(path)
    return PUBLISHED_MEMBER if card is None else card.member
