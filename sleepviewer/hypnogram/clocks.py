"""Times of day in a row: seconds since the first, over midnight."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from typing import Final

_DAY_S: Final = 86400.0
_CLOCK: Final = re.compile(r"(\d{1,2})[:.](\d{2})[:.](\d{2})(?:[.,](\d{1,6})\d*)?")


def lenient_time(text: str) -> time | None:
    """Return a time of day as recorders write it (``22:30:00``, ``22.30.00``, ``1:02:03,500``), or None."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second = (int(match[k]) for k in (1, 2, 3))
    if hour > 23 or minute > 59 or second > 59:
        return None
    return time(hour, minute, second, int((match[4] or "0").ljust(6, "0")))


def seconds_of_day(moment: time) -> float:
    """Return the seconds since midnight."""
    return moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6


def since_first(moments: Iterable[time], *, slack_s: float = 0.0) -> list[float]:
    """Return seconds since the first of some times of day in order; one that goes back is of the next day.

    ``slack_s`` is by how much a time may go back and still be of the same day: events that are listed by their kind,
    or rounded, may lie a little before the one above them.
    """
    result: list[float] = []
    days = 0
    last_s = first_s = 0.0
    for place, moment in enumerate(moments):
        of_day_s = seconds_of_day(moment)
        if place == 0:
            first_s = of_day_s
        elif of_day_s < last_s - max(slack_s, 0.0):
            days += 1
        elif of_day_s > last_s + _DAY_S - max(slack_s, 0.0):  # back over midnight within the slack
            days -= 1
        last_s = of_day_s
        result.append(of_day_s + days * _DAY_S - first_s)
    return result
