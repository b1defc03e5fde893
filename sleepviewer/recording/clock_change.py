"""Nights in which the clocks are changed.

The rule: a recording's clock starts at the time that the file gives and runs on evenly, as the recorder's samples do.
It is never set forward or back, whatever the clock on the wall did, so that epochs stay 30 s long and hypnograms made
of the same recording stay on their epochs. What was written down by the wall's clock after a change is an hour off.
"""

from __future__ import annotations

from datetime import timedelta

from sleepviewer.recording.base import Recording


def clock_change_note(recording: Recording) -> str:
    """Return a sentence where the clocks of this computer's time zone were changed during the recording; else nothing.

    The recording may come from another time zone: the sentence says which one was asked.
    """
    if recording.start is None:
        return ""
    try:
        first, last = recording.start.astimezone(), (recording.start + timedelta(seconds=recording.duration_s))
        before, after = first.utcoffset(), last.astimezone().utcoffset()
    except (OverflowError, ValueError, OSError):  # a date that the system can't place
        return ""
    if before is None or after is None or before == after:
        return ""
    minutes = round(abs((after - before).total_seconds()) / 60)
    by = "an hour" if minutes == 60 else f"{minutes} minutes"
    way = "forward" if after > before else "back"
    return (
        f"In the night of {recording.name} the clocks were set {way} by {by} ({first.tzname()}, the time zone of this "
        "computer). Times here run on from the recording's start without a jump; what was noted by the clock on the "
        f"wall after the change is {by} off."
    )
