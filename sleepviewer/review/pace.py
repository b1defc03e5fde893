"""How fast she reviews, from the times of her edits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from typing import Final

from sleepviewer.review.edits import Edit, EditKind

ASSUMED_PER_MINUTE: Final = 6.0
"""Epochs a minute until enough is measured: ten seconds for each, which is an assumption."""

PAUSE_S: Final = 90.0
"""Who has not changed anything for longer was not at work; such a gap is left out whole."""

_LEAST_STEPS: Final = 8
"""Fewer steps are no measurement."""


@dataclass(frozen=True, slots=True)
class Pace:
    """``per_minute`` epochs a minute, ``measured`` or else assumed, and the ``minutes`` of work behind."""

    per_minute: float
    measured: bool
    minutes: float


def measure_pace(edits: Iterable[Edit], since: datetime | None = None) -> Pace:
    """Return the pace of the edits of stages, and the minutes of work that went into those after ``since``.

    Time is counted from one edit to the next, and from ``since`` to the first one after it; pauses
    (:data:`PAUSE_S`) are left out. An edit is one step however many epochs it covers, and none where all of them were
    edited before: setting right what one just did takes time, and gets her no further. Edits whose time can't be read
    are passed over.
    """
    begin = None if since is None else since.timestamp()
    staged = (edit for edit in edits if edit.kind is EditKind.STAGE)
    timed = [(time, edit.epochs) for edit in staged if (time := _seconds(edit.time)) is not None]
    timed.sort()
    seen: set[int] = set()
    steps, seconds, spent = 0, 0.0, 0.0
    last = -inf
    for time, epochs in timed:
        gap = time - last
        if gap <= PAUSE_S:
            seconds += gap
            steps += not seen.issuperset(epochs)
        if begin is not None and time >= begin:
            worked = time - max(last, begin)
            spent += worked if worked <= PAUSE_S else 0.0
        seen.update(epochs)
        last = time
    measured = steps >= _LEAST_STEPS and seconds > 0
    return Pace(60 * steps / seconds if measured else ASSUMED_PER_MINUTE, measured, spent / 60)


@lru_cache(maxsize=10_000)
def _seconds(text: str) -> float | None:
    """Return a time in seconds since 1970, or None where it is none; kept, as all are asked for after every edit."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
