"""EDF, EDF+C, EDF+D, BDF and BDF+ recordings, read in windows from disk.

Samples come through ``np.fromfile`` and not through a memory map: a map of a file that shrinks, or that lies on a
stick that is pulled out, ends the process; a short read is an error that can be told. Resident memory stays at one
small block, whatever the file's size.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import RecordingError
from sleepviewer.recording import timeline as timelines
from sleepviewer.recording.annotations import Annotations
from sleepviewer.recording.base import Channel, FileStamp, Recording, Role, Samples
from sleepviewer.recording.edf_annotations import read_annotations
from sleepviewer.recording.edf_header import (
    CalibrationError,
    EdfHeader,
    HeaderFieldError,
    SignalHeader,
    read_header,
    start_of,
)
from sleepviewer.recording.mne_adapter import open_with_mne
from sleepviewer.recording.roles import guess_role
from sleepviewer.recording.timeline import Timeline
from sleepviewer.recording.units import parse_unit

_BLOCK_BYTES: Final = 8 << 20
_KEPT_BLOCK_BYTES: Final = 4 << 20
_MIN_TOLERANCE_S: Final = 1e-3  # writers round onsets to milliseconds
_MAX_DAYS: Final = 31  # a longer span of onsets is damage, and would ask for more memory than there is
_ONSET_BYTES: Final = 40
_DRIFT_STEPS: Final = 2  # a drifting clock is off by little more than one tolerance when a run ends
_TOLD_DRIFT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Calibrated:
    """Where a channel's bytes lie in a record, and what takes its digital values to the channel's unit."""

    channel: Channel
    per_record: int
    offset: int
    n_bytes: int
    gain: float
    baseline: float


def open_edf(path: Path) -> Recording:
    """Open an EDF or BDF file, whose first bytes were recognised.

    A header whose calibration breaks the standard (decimal commas, fractions for whole numbers) is given to MNE, which
    is more lenient, and a note says so. Raises RecordingError where the file can't be read.
    """
    try:
        # Before the header, so that a file that is replaced meanwhile is noticed.
        stamp = FileStamp.of(path)
        header = read_header(path)
    except CalibrationError as error:
        return _open_leniently(path, error)
    except HeaderFieldError as error:
        raise _damaged(path, error) from error
    except OSError as error:
        raise RecordingError(f"{path} can't be read: {error.strerror or error}.") from error
    return EdfRecording(path, header, stamp)


def _damaged(path: Path, error: HeaderFieldError) -> RecordingError:
    return RecordingError(f"{path.name} has a damaged header ({error}); export it again from its software.")


def _open_leniently(path: Path, error: CalibrationError) -> Recording:
    with path.open("rb") as file:
        marker = file.read(256)[192:197]
    if marker.endswith(b"+D"):
        # MNE would close the gaps.
        raise _damaged(path, error) from error
    note = (
        f"The header of {path.name} breaks the standard ({error}); it was read by MNE, which shows every channel at "
        "the highest rate of the file."
    )
    try:
        return open_with_mne(path, note)
    except RecordingError:
        raise _damaged(path, error) from error


class EdfRecording(Recording):
    """A recording in EDF, EDF+, BDF or BDF+."""

    def __init__(self, path: Path, header: EdfHeader, stamp: FileStamp) -> None:
        self.path = path
        self.stamp = stamp
        self.format_name = header.format_name
        self.simulated = header.simulated
        notes = list(header.notes)
        self._header = header
        self._timeline, self._first_onset_s, timeline_notes = _timeline_of(path, header)
        notes += timeline_notes
        self.start = start_of(header, self._first_onset_s)
        self.gaps = self._timeline.gaps()
        self.duration_s = self._timeline.duration_s
        calibrated, channel_notes = _channels_of(path, header)
        notes += channel_notes
        self._by_label = {c.channel.label: c for c in calibrated}
        self.channels = tuple(c.channel for c in calibrated)
        self.notes = tuple(notes)
        self._kept: tuple[int, int, NDArray[np.uint8]] = (0, 0, np.empty((0, header.record_bytes), np.uint8))

    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        """Read a window of one channel; see :meth:`Recording.read`."""
        source = self._by_label.get(label)
        if source is None:
            self.channel(label)  # raises, with the labels that there are
            raise AssertionError("a channel without samples")
        rate = source.channel.rate_hz
        first, stop = round(start_s * rate), round(stop_s * rate)
        out = np.full(max(0, stop - first), np.nan, dtype=np.float32)
        timeline = self._timeline
        begin, end = timeline.records_of(first, stop, rate, source.per_record)
        step = max(1, _BLOCK_BYTES // self._header.record_bytes)
        for block_begin in range(begin, end, step):
            block_end = min(end, block_begin + step)
            values = self._values(source, block_begin, block_end)
            for run, piece_begin, piece_end in timeline.runs(block_begin, block_end):
                since_run = (piece_begin - int(timeline.first_records[run])) * source.per_record
                at = timeline.place(run, rate) + since_run - first
                skip = (piece_begin - block_begin) * source.per_record
                count = (piece_end - piece_begin) * source.per_record
                low, high = max(0, -at), min(count, len(out) - at)
                if low < high:
                    out[at + low : at + high] = values[skip + low : skip + high]
        return out

    def annotations(self) -> Annotations:
        """Read the annotations of an EDF+ or BDF+ file; see :meth:`Recording.annotations`."""
        try:
            found = read_annotations(self.path, self._header, self._first_onset_s)
        except OSError as error:
            raise RecordingError(f"{self.path} can't be read any more: {error.strerror or error}.") from error
        self.check_unchanged()
        return found

    def _values(self, source: _Calibrated, begin: int, end: int) -> NDArray[np.float32]:
        """Samples of the records ``begin`` ≤ r < ``end`` in the channel's unit, ``float32 [n]``."""
        raw = self._block(begin, end)[:, source.offset : source.offset + source.n_bytes]
        digital: NDArray[np.signedinteger]
        if self._header.bytes_per_sample == 2:
            digital = np.ascontiguousarray(raw).view("<i2").ravel()
        else:
            # 24 bits into the upper three bytes of 32; shifting down again spreads the sign.
            wide = np.zeros((len(raw), source.per_record, 4), dtype=np.uint8)
            wide[:, :, 1:] = raw.reshape(len(raw), source.per_record, 3)
            digital = wide.view("<i4").ravel() >> 8
        # In 64 bits, so that a large baseline costs no precision.
        return (digital * source.gain + source.baseline).astype(np.float32)

    def _block(self, begin: int, end: int) -> NDArray[np.uint8]:
        """Raw records, ``uint8 [end - begin, record_bytes]``; the last small block is kept for the next channel."""
        kept_begin, kept_end, kept = self._kept
        if kept_begin <= begin and end <= kept_end:
            return kept[begin - kept_begin : end - kept_begin]
        size = self._header.record_bytes
        try:
            raw = np.fromfile(self.path, np.uint8, (end - begin) * size, offset=self._header.data_offset + begin * size)
        except OSError as error:
            raise RecordingError(f"{self.path} can't be read any more: {error.strerror or error}.") from error
        self.check_unchanged()  # after reading: what was read before a change is good
        if len(raw) < (end - begin) * size:
            raise RecordingError(
                f"{self.path} can't be read to its end any more; look after its disk, or copy it again."
            )
        block = raw.reshape(end - begin, size)
        if len(raw) <= _KEPT_BLOCK_BYTES:
            self._kept = (begin, end, block)
        return block


def _timeline_of(path: Path, header: EdfHeader) -> tuple[Timeline, float, list[str]]:
    """Return where the records lie, the first record's own onset in seconds, and notes."""
    even = timelines.continuous(header.n_records, header.record_s)
    if header.annotations is None:
        if header.discontinuous:
            raise RecordingError(
                f"{path.name} says that it has gaps ({header.format_name}) but not where; export it again."
            )
        return even, 0.0, []
    if header.discontinuous:
        timeline, first = _laid_out(path, header)
        return timeline, first, _gap_notes(path, timeline)
    first_onset = timelines.first_onset(_annotation_bytes(path, header, 0, 1).tobytes())
    if first_onset is None or abs(first_onset) > _MAX_DAYS * 86_400:
        return even, 0.0, []
    timeline, notes = _checked_continuity(path, header, even, first_onset)
    return timeline, first_onset, notes


def _tolerance_s(header: EdfHeader) -> float:
    """Seconds by which an onset may miss its place: half a sample of the fastest channel, or what writers round off."""
    fastest = max(s.samples_per_record for s in header.signals) / header.record_s
    return max(0.5 / fastest, _MIN_TOLERANCE_S)


def _laid_out(path: Path, header: EdfHeader) -> tuple[Timeline, float]:
    """Return where the records lie by the times of all of them, and the first one's onset in seconds.

    Raises RecordingError where they can't be read or can't be laid on one clock.
    """
    onsets = timelines.record_onsets(_annotation_bytes(path, header, 0, header.n_records))
    unreadable = np.flatnonzero(np.isnan(onsets))
    if unreadable.size:
        raise RecordingError(
            f"{path.name} has gaps, and the time of its record {unreadable[0] + 1:,} can't be read; export it again."
        )
    try:
        timeline = timelines.from_onsets(onsets, header.record_s, _tolerance_s(header))
    except ValueError as error:
        raise RecordingError(f"{path.name} can't be laid on one clock: {error}; export it again.") from error
    days = max(abs(float(onsets[0])), timeline.duration_s) / 86_400
    if days > _MAX_DAYS:
        raise RecordingError(
            f"{path.name} spans {days:,.0f} days by the times of its records, so these are damaged; export it again."
        )
    return timeline, float(onsets[0])


def _checked_continuity(
    path: Path, header: EdfHeader, even: Timeline, first_onset: float
) -> tuple[Timeline, list[str]]:
    """Return where the records of a file lie whose header calls it continuous, and notes.

    The last record's onset tells at one read whether that is true; only where it is not, all of them are read. Times
    that go back and forth, or drift without a jump, show no gaps: the records then follow each other, as the header
    says, and a note tells where the clock is off by a second or more.
    """
    last_onset = timelines.first_onset(
        _annotation_bytes(path, header, header.n_records - 1, header.n_records).tobytes()
    )
    if last_onset is None:
        return even, []
    late_s = last_onset - first_onset - (header.n_records - 1) * header.record_s
    tolerance_s = _tolerance_s(header)
    if abs(late_s) <= tolerance_s:
        return even, []
    with suppress(RecordingError):
        timeline, _ = _laid_out(path, header)
        if not timeline.overlaps and any(gap.duration_s > _DRIFT_STEPS * tolerance_s for gap in timeline.gaps()):
            note = f"The header of {path.name} calls it continuous, but the times of its records show gaps."
            return timeline, [note, *_gap_notes(path, timeline)]
    if abs(late_s) < _TOLD_DRIFT_S:
        return even, []
    side = "later" if late_s > 0 else "earlier"
    return even, [
        f"By its own time, the last record of {path.name} begins {_span(abs(late_s))} {side} than the records before "
        "it last, but no gaps can be made out; the records are shown one after the other, and clock times may be wrong."
    ]


def _annotation_bytes(path: Path, header: EdfHeader, first: int, stop: int) -> NDArray[np.uint8]:
    """Beginning of the timekeeping channel in the records ``first`` ≤ r < ``stop``, ``uint8 [n, n_bytes]``, a copy."""
    assert header.annotations is not None
    begin, end = header.annotations
    # A map for this moment alone: it touches one page of every record instead of reading them whole.
    shape = (header.n_records, header.record_bytes)
    records = np.memmap(path, np.uint8, "r", offset=header.data_offset, shape=shape)
    return np.array(records[first:stop, begin : min(end, begin + _ONSET_BYTES)])


def _gap_notes(path: Path, timeline: Timeline) -> list[str]:
    notes = []
    gaps = timeline.gaps()
    if gaps:
        total = sum(gap.duration_s for gap in gaps)
        word = "1 gap" if len(gaps) == 1 else f"{len(gaps):,} gaps"
        notes.append(f"{path.name} has {word}, {_span(total)} in all; nothing is shown or scored there.")
    if timeline.overlaps:
        notes.append(
            f"In {path.name}, records overlap in time at {timeline.overlaps:,} "
            f"{'place' if timeline.overlaps == 1 else 'places'}; the later record is shown there."
        )
    return notes


def _span(seconds: float) -> str:
    """Return a duration as a person says it."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min {rest} s" if hours else f"{minutes} min {rest} s"


def _unique_labels(labels: Iterable[str]) -> list[str]:
    """Number repeated labels, `` (2)``, `` (3)`` …; an empty one becomes its place, ``channel 3``."""
    taken: set[str] = set()
    unique = []
    for place, label in enumerate(labels, start=1):
        name = base = label or f"channel {place}"
        repeat = 2
        while name in taken:
            name, repeat = f"{base} ({repeat})", repeat + 1
        taken.add(name)
        unique.append(name)
    return unique


def _channels_of(path: Path, header: EdfHeader) -> tuple[list[_Calibrated], list[str]]:
    """Return the channels in the file's order with their calibration, and notes about what was odd."""
    notes: list[str] = []
    empty = [s.label for s in header.signals if s.samples_per_record == 0]
    signals = [s for s in header.signals if s.samples_per_record]
    if empty:
        notes.append(f"{path.name} holds no samples for {_listed(empty)}; left out.")
    labels = _unique_labels(s.label for s in signals)
    renamed = [label for label, signal in zip(labels, signals, strict=True) if label != signal.label]
    if renamed:
        notes.append(f"{path.name} has channels without a name of their own; they are called {_listed(renamed)}.")
    calibrated = [_calibrated(header, signal, label) for label, signal in zip(labels, signals, strict=True)]
    raw = [c.channel.label for c, s in zip(calibrated, signals, strict=True) if s.gain is None]
    if raw:
        notes.append(f"{path.name} gives no calibration for {_listed(raw)}; shown as raw numbers, not in µV.")
    roles = (Role.EEG, Role.EOG, Role.EMG)
    named = [c.channel for c in calibrated if c.channel.label not in raw]
    unknown = [c.label for c in named if not c.unit and c.role in roles]
    if unknown:
        notes.append(f"{path.name} gives no unit for {_listed(unknown)}; none is assumed.")
    return calibrated, notes


def _calibrated(header: EdfHeader, signal: SignalHeader, label: str) -> _Calibrated:
    unit = parse_unit(signal.unit)
    without_calibration = signal.gain is None
    gain = 1.0 if signal.gain is None else signal.gain * unit.scale
    channel = Channel(
        label=label,
        file_label=signal.label,
        rate_hz=signal.samples_per_record / header.record_s,
        n_samples=signal.samples_per_record * header.n_records,
        unit="" if without_calibration else unit.name,
        file_unit=signal.unit,
        role=guess_role(signal.label, signal.unit),
        prefilter=signal.prefilter,
    )
    baseline = 0.0 if without_calibration else signal.baseline * unit.scale
    return _Calibrated(channel, signal.samples_per_record, signal.offset, signal.n_bytes, gain, baseline)


def _listed(labels: list[str]) -> str:
    return ", ".join(f"“{label}”" for label in labels)
