"""Times as they are shown: the night's clock where the file has one, else the time since its start."""

from __future__ import annotations

from datetime import datetime

from sleepviewer.recording.base import Recording


def clock_text(recording: Recording, time_s: float) -> str:
    """Return ``02:26:00`` for a recording time: clock time, or ``+3:26:00`` elapsed where the file has no clock."""
    clock = recording.clock(time_s)
    if clock is not None:
        return f"{clock:%H:%M:%S}"
    return _elapsed(time_s)


def _elapsed(time_s: float) -> str:
    """Return the time since the recording's start, ``+3:26:00``; ``-0:01:00`` where a page begins before it."""
    seconds, sign = abs(round(time_s)), "-" if round(time_s) < 0 else "+"
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def local_time(time: str) -> str:
    """Return a UTC time (ISO 8601) as local date and time, ``2024-03-01 22:15:00``; other text unchanged."""
    try:
        return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return time


def hour_ticks(recording: Recording, first_s: float, last_s: float, most: int) -> list[tuple[float, str]]:
    """Return at most ``most`` round clock times between two recording times, as (recording time, ``HH:MM``)."""
    start = recording.start
    offset_s = 0.0 if start is None else start.hour * 3600 + start.minute * 60 + start.second + start.microsecond / 1e6
    span = max(last_s - first_s, 1.0)
    step = next((s for s in _TICK_STEPS_S if span // s + 1 <= most), _TICK_STEPS_S[-1])
    tick = -(-(first_s + offset_s) // step) * step
    ticks = []
    while tick - offset_s <= last_s:
        time_s = tick - offset_s
        clock = recording.clock(time_s)
        text = _elapsed(tick).removesuffix(":00") if clock is None else f"{clock:%H:%M}"
        ticks.append((time_s, text))
        tick += step
    return ticks


_TICK_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600)
