"""Where on the recording clock the data records of an EDF or BDF file lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.recording.base import Gap

# Onset of a time-stamped annotation list: a sign and a decimal number, ended by 0x14, or by 0x15 before a duration.
_ONSET: Final = re.compile(rb"\x00*([+-]\d+(?:\.\d*)?)[\x14\x15]")


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Runs of data records without a gap between them, in the order of the file and of the clock.

    Attributes
    ----------
    record_s: duration of a data record in seconds.
    starts_s: ``float64 [n_runs]``, the clock time at which each run begins; the first is 0.
    first_records: ``int64 [n_runs + 1]``, number of each run's first record; the last entry is the number of records.
    overlaps: number of runs that begin before the run before them ends.
    """

    record_s: float
    starts_s: NDArray[np.float64]
    first_records: NDArray[np.int64]
    overlaps: int = 0

    @property
    def ends_s(self) -> NDArray[np.float64]:
        """Clock time at which each run ends, ``float64 [n_runs]``."""
        return self.starts_s + np.diff(self.first_records) * self.record_s

    @property
    def duration_s(self) -> float:
        """Seconds from the first sample to the end of the last, gaps included."""
        return float(self.ends_s[-1])

    def gaps(self) -> tuple[Gap, ...]:
        """Return the stretches between the runs."""
        ends, starts = self.ends_s[:-1].tolist(), self.starts_s[1:].tolist()
        return tuple(Gap(end, start) for end, start in zip(ends, starts, strict=True) if start > end)

    def records_of(self, first: int, stop: int, rate_hz: float, per_record: int) -> tuple[int, int]:
        """Return the range of records that hold the samples ``first`` ≤ i < ``stop`` of the clock at this rate."""
        margin = 1.0 / rate_hz
        run = int(np.searchsorted(self.ends_s, first / rate_hz - margin, side="right"))
        last = int(np.searchsorted(self.starts_s, stop / rate_hz + margin, side="left")) - 1
        if stop <= first or run > last:
            return 0, 0
        begin, end = int(self.first_records[run]), int(self.first_records[last])
        skipped = (first - self.place(run, rate_hz)) // per_record
        begin += min(max(0, skipped), int(self.first_records[run + 1]) - begin)
        used = -((self.place(last, rate_hz) - stop) // per_record)
        end += min(max(0, used), int(self.first_records[last + 1]) - end)
        return begin, max(begin, end)

    def place(self, run: int, rate_hz: float) -> int:
        """Return the index on the clock, at this rate, of the first sample of a run."""
        return round(float(self.starts_s[run]) * rate_hz)

    def time_of(self, sample: float, rate_hz: float) -> float:
        """Return when a sample lies on the clock, where each record is one sample; gaps before it count."""
        run = int(np.searchsorted(self.first_records, sample + 1e-6, side="right")) - 1
        run = min(max(run, 0), len(self.starts_s) - 1)
        return float(self.starts_s[run]) + (sample - float(self.first_records[run])) / rate_hz

    def runs(self, first_record: int, stop_record: int) -> Iterator[tuple[int, int, int]]:
        """Yield ``(run, begin, end)``: the pieces of a range of records that lie without a gap."""
        run = int(np.searchsorted(self.first_records, first_record, side="right")) - 1
        begin = first_record
        while begin < stop_record:
            end = min(stop_record, int(self.first_records[run + 1]))
            yield run, begin, end
            run, begin = run + 1, end


def continuous(n_records: int, record_s: float) -> Timeline:
    """Return the timeline of a file without gaps."""
    return Timeline(record_s, np.zeros(1), np.array([0, n_records], dtype=np.int64))


def from_onsets(onsets_s: NDArray[np.float64], record_s: float, tolerance_s: float) -> Timeline:
    """Return the timeline of records that begin at ``onsets_s`` (``float64 [n_records]``, any origin).

    A record continues a run where it begins within ``tolerance_s`` of where the run's own grid expects it, so that
    onsets rounded by the writer make no gaps, and a slow drift can't add up. Raises ValueError, with a sentence's end,
    where records do not follow each other in time: their samples can't be laid on one clock.
    """
    relative = onsets_s - onsets_s[0]
    backwards = np.flatnonzero(np.diff(relative) <= 0)
    if backwards.size:
        raise ValueError(f"record {backwards[0] + 2:,} does not begin after record {backwards[0] + 1:,}")
    # What is left after the even grid is constant within a run, and steps where a new run begins.
    steps = (relative - np.arange(len(relative)) * record_s).tolist()
    first_records, current = [0], steps[0]
    for record, step in enumerate(steps):
        if abs(step - current) > tolerance_s:
            first_records.append(record)
            current = step
    starts = relative[first_records]
    bounds = np.array([*first_records, len(relative)], dtype=np.int64)
    ends = starts + np.diff(bounds) * record_s
    return Timeline(record_s, starts, bounds, int((starts[1:] < ends[:-1]).sum()))


def first_onset(annotations: bytes) -> float | None:
    """Return the time of a record's first annotation list (its timekeeping), or None where it can't be read."""
    match = _ONSET.match(annotations)
    return None if match is None else float(match[1])


def record_onsets(annotations: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return each record's own onset in seconds, NaN where it can't be read.

    ``annotations`` is ``uint8 [n_records, n_bytes]``: the beginning of the first annotation channel in every record.
    """
    width, data = annotations.shape[1], annotations.tobytes()
    matches = (_ONSET.match(data, at, at + width) for at in range(0, len(data), width))
    return np.array([np.nan if match is None else float(match[1]) for match in matches])
