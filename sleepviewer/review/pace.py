"""How fast she reviews, from the times of her edits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
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
    timed = sorted(
        (time, edit.epochs) for edit in edits if edit.kind is EditKind.STAGE and (time := _time_of(edit)) is not None
    )
    seen: set[int] = set()
    steps, seconds, since_s = 0, 0.0, 0.0
    last = None
    for time, epochs in timed:
        gap = PAUSE_S + 1 if last is None else (time - last).total_seconds()
        new = not seen.issuperset(epochs)
        if gap <= PAUSE_S:
            steps, seconds = steps + new, seconds + gap
        if since is not None and time >= since:
            waited = (time - since).total_seconds()
            from_there = waited if last is None or last < since else gap
            since_s += from_there if from_there <= PAUSE_S else 0.0
        seen.update(epochs)
        last = time
    measured = steps >= _LEAST_STEPS and seconds > 0
    return Pace(60 * steps / seconds if measured else ASSUMED_PER_MINUTE, measured, since_s / 60)


def _time_of(edit: Edit) -> datetime | None:
    try:
        time = datetime.fromisoformat(edit.time)
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
