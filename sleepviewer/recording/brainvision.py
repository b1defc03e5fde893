"""Where a BrainVision recording was paused: the times of its segments, which MNE leaves out.

The samples of all segments follow each other in the data file. A marker "New Segment" in the marker file stands at the
first sample of each, with the clock time at which it was recorded (BrainVision Core Data Format 1.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from sleepviewer.recording.timeline import Timeline

_MARKER_FILE: Final = re.compile(r"^MarkerFile=(.+)$", re.MULTILINE)
_NEW_SEGMENT: Final = re.compile(r"^Mk\d+=New Segment,[^,\n]*,(\d+),-?\d*,-?\d*(?:,(\d*))?\s*$", re.MULTILINE)
_MIN_TOLERANCE_S: Final = 1e-3
_CLOCK_SET_BACK_S: Final = 1.0  # a smaller step back is the drift between the amplifier's clock and the computer's
_MAX_PAUSE_S: Final = 31 * 86_400.0  # a longer one is a wrong date


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of samples without a pause: number of its first sample, and when that was recorded, if that is told."""

    first_sample: int
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments laid on the recording clock.

    Attributes
    ----------
    timeline: runs of samples; each "record" is one sample.
    undated: number of segments whose time is missing or absurd; they follow the one before without a gap.
    set_back: number of segments that would begin before the one before them ends; they follow it without a gap, and
        later segments are timed from them.
    lead_s: seconds of samples before the first segment that has a time.
    """

    timeline: Timeline
    undated: int = 0
    set_back: int = 0
    lead_s: float = 0.0


def read_segments(header: Path) -> tuple[Segment, ...]:
    """Return the segments that the marker file of a BrainVision header (``.vhdr``, ``.ahdr``) lists, in their order.

    There are none where it has no marker file, or one that can't be read.
    """
    try:
        named = _MARKER_FILE.search(_text(header))
        markers = header.with_suffix(".vmrk")
        if named is not None and (header.parent / named[1].strip()).is_file():
            markers = header.parent / named[1].strip()
        found = _NEW_SEGMENT.findall(_text(markers))
    except OSError:
        return ()
    by_sample: dict[int, Segment] = {}
    for position, date in found:
        first_sample = max(0, int(position) - 1)
        by_sample.setdefault(first_sample, Segment(first_sample, _time(date)))
    return tuple(by_sample[first_sample] for first_sample in sorted(by_sample))


def lay_out(segments: Iterable[Segment], n_samples: int, rate_hz: float) -> Segments:
    """Lay segments on the clock by their times, so that a pause between them is a gap."""
    tolerance_s = max(0.5 / rate_hz, _MIN_TOLERANCE_S)
    firsts, starts = [0], [0.0]
    origin: tuple[datetime, float] | None = None
    lead_s = 0.0
    undated = set_back = 0
    for segment in segments:
        if segment.first_sample >= n_samples:
            break
        without_pause_s = starts[-1] + (segment.first_sample - firsts[-1]) / rate_hz
        if segment.time is None:
            undated += segment.first_sample > 0
            continue
        if origin is None:
            origin = segment.time, without_pause_s
            lead_s = without_pause_s
            continue
        pause_s = origin[1] + (segment.time - origin[0]).total_seconds() - without_pause_s
        if pause_s > _MAX_PAUSE_S:
            undated += 1
        elif pause_s > tolerance_s:
            firsts.append(segment.first_sample)
            starts.append(without_pause_s + pause_s)
        elif pause_s < -_CLOCK_SET_BACK_S:
            set_back += 1
            origin = segment.time, without_pause_s  # what follows is timed by the clock as it was set
    bounds = np.array([*firsts, n_samples], dtype=np.int64)
    timeline = Timeline(1.0 / rate_hz, np.array(starts), bounds)
    return Segments(timeline, undated, set_back, lead_s)


def _text(path: Path) -> str:
    # Everything that is looked for is ASCII but a file's name, and that is seldom anything else.
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace("\r\n", "\n")


def _time(digits: str) -> datetime | None:
    """Return the time that ``YYYYMMDDhhmmssuuuuuu`` tells, or None."""
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S%f") if len(digits) == 20 else None
    except ValueError:
        return None
