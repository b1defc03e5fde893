"""The header of EDF, EDF+, BDF and BDF+ files.

Formats: Kemp et al. 1992 (EDF), Kemp & Olivan 2003 (EDF+), https://www.edfplus.info/specs/. Fields are decoded by
edfio; the layout of a data record and the checks against the file's size are done here, because edfio neither keeps
the gaps of a discontinuous file nor reads BDF lazily.
"""

from __future__ import annotations

import math
import re
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import edfio

from sleepviewer.errors import RecordingError

EDF_MAGIC: Final = b"0       "
BDF_MAGIC: Final = b"\xffBIOSEMI"

_FIXED: Final = 256  # bytes of the fixed part, and again per signal

# Beyond these a field is damaged: no sampling rate, no physical value and no start of a night looks like that.
_MAX_RATE_HZ: Final = 1e6
_MAX_PHYSICAL: Final = 1e20
_YEARS: Final = range(1800, 2800)


class HeaderFieldError(ValueError):
    """A field of an otherwise whole header can't be decoded."""


class CalibrationError(HeaderFieldError):
    """A field can't be decoded that does not touch where samples lie and when they were taken."""


@dataclass(frozen=True, slots=True)
class SignalHeader:
    """One signal of the header.

    ``offset`` is the signal's first byte within a data record, ``n_bytes`` its length there; ``gain`` and ``baseline``
    take digital values to physical ones (physical = digital × gain + baseline) and are None where the header's ranges
    allow no calibration.
    """

    label: str
    unit: str
    prefilter: str
    samples_per_record: int
    offset: int
    n_bytes: int
    gain: float | None
    baseline: float


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """What the header says, and how many whole data records the file really holds.

    ``annotation_channels`` are the byte ranges, within a record, of the annotation channels; the first of them is the
    timekeeping one.
    ``legacy_start`` is date and time of the header, to the second, or None where there is no such date.
    """

    format_name: str
    data_offset: int
    record_bytes: int
    record_s: float
    n_records: int
    bytes_per_sample: int
    signals: tuple[SignalHeader, ...]
    annotation_channels: tuple[tuple[int, int], ...]
    legacy_start: datetime | None
    simulated: bool
    notes: tuple[str, ...]

    @property
    def annotations(self) -> tuple[int, int] | None:
        """Byte range, within a record, of the first annotation channel (the timekeeping one), or None."""
        return self.annotation_channels[0] if self.annotation_channels else None

    @property
    def discontinuous(self) -> bool:
        """Whether the file says that it has gaps."""
        return self.format_name.endswith("+D")


def read_header(path: Path) -> EdfHeader:
    """Read the header of an EDF or BDF file.

    Raises RecordingError where the file is cut or holds no signal, HeaderFieldError where a field can't be decoded,
    and of these CalibrationError where a more lenient reader may be asked.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        raw = file.read(_FIXED)
        if len(raw) < _FIXED:
            raise _cut_in_header(path)
        n_signals = _whole(raw[252:256], "number of signals")
        if n_signals < 1:
            raise RecordingError(f"{path.name} holds no signals; choose another recording.")
        data_offset = _FIXED * (1 + n_signals)
        if data_offset > size:
            raise _cut_in_header(path)
        raw += file.read(data_offset - _FIXED)
    if len(raw) < data_offset:
        raise _cut_in_header(path)

    family = "BDF" if raw.startswith(BDF_MAGIC) else "EDF"
    bytes_per_sample = 3 if family == "BDF" else 2
    marker = _text(raw[192:236].decode("latin-1"))
    format_name = marker[:5] if marker[:5] in (f"{family}+C", f"{family}+D") else family

    labels = _columns(raw, n_signals, 0, 16)
    counts = [_whole(count, "number of samples per record") for count in _columns(raw, n_signals, 216, 8)]
    if min(counts) < 0:
        raise HeaderFieldError("a negative number of samples per record")
    # edfio, which decodes the rest, strips every kind of blank
    kept = [label.strip(b"\x00").decode("latin-1").strip() != f"{family} Annotations" for label in labels]
    if not any(k and c for k, c in zip(kept, counts, strict=True)):
        raise RecordingError(
            f"{path.name} holds annotations only and no signal; open it as a hypnogram beside its recording."
        )
    record_s = _number(raw[244:252], "duration of a record")
    if not (math.isfinite(record_s) and record_s > 0):
        raise RecordingError(
            f"{path.name} says that its data records last {record_s:g} seconds, so its sampling rates are unknown; "
            "export it again from the recording software."
        )

    if max(counts) / record_s > _MAX_RATE_HZ:
        raise _unreadable(raw[244:252], "duration of a record")

    record_bytes = sum(counts) * bytes_per_sample
    notes: list[str] = []
    stated_offset = raw[184:192].strip(b" \x00")
    if stated_offset != str(data_offset).encode():
        notes.append(
            f"{path.name} states a header of {_text(stated_offset.decode('latin-1')) or 'no'} bytes, but its "
            f"{n_signals} signals need {data_offset}; {data_offset} are used."
        )
    n_records, count_notes = _count_records(path, raw[236:244], size - data_offset, record_bytes)
    notes += count_notes
    fields = _edfio_header(raw.replace(b"\x00", b" "), family)  # some software fills up with zeros
    start, start_notes = _legacy_start(path, raw, fields)
    notes += start_notes
    signals, annotations = _layout(fields, kept, counts, bytes_per_sample)
    identification = raw[8:168].decode("latin-1")
    return EdfHeader(
        format_name=format_name,
        data_offset=data_offset,
        record_bytes=record_bytes,
        record_s=record_s,
        n_records=n_records,
        bytes_per_sample=bytes_per_sample,
        signals=signals,
        annotation_channels=annotations,
        legacy_start=start,
        simulated="SIMULATED" in identification.upper(),
        notes=tuple(notes),
    )


def _cut_in_header(path: Path) -> RecordingError:
    return RecordingError(f"{path.name} ends inside its header, so nothing of it can be read; copy it again.")


def _columns(raw: bytes, n_signals: int, before: int, width: int) -> list[bytes]:
    """Return one field of all signals; ``before`` is the width of the fields before it."""
    begin = _FIXED + before * n_signals
    return [raw[at : at + width] for at in range(begin, begin + width * n_signals, width)]


def _whole(field: bytes, what: str) -> int:
    value = _number(field, what)
    if value != int(value):
        raise _unreadable(field, what)
    return int(value)


def _number(field: bytes, what: str) -> float:
    try:
        value = float(field.strip(b" \x00"))
    except ValueError as error:
        raise _unreadable(field, what) from error
    if not math.isfinite(value):
        raise _unreadable(field, what)
    return value


def _unreadable(field: bytes, what: str) -> HeaderFieldError:
    return HeaderFieldError(f"{what}: “{_text(field.decode('latin-1'))}”")


def _text(latin_1: str) -> str:
    """Take a field that was decoded as Latin-1 for UTF-8 where it is that."""
    field = latin_1.strip(" \t\x00")
    with suppress(UnicodeDecodeError):
        field = field.encode("latin-1").decode("utf-8")
    return "".join(c if c.isprintable() else "?" for c in field)


def _count_records(path: Path, field: bytes, data_bytes: int, record_bytes: int) -> tuple[int, list[str]]:
    """Return the number of whole records in the file, and a note where the header says otherwise."""
    stated = _whole(field, "number of records")
    there, rest = divmod(data_bytes, record_bytes)
    if there == 0:
        if stated == 0 and rest == 0:
            raise RecordingError(f"{path.name} holds a header but no data records; choose another recording.")
        raise RecordingError(f"{path.name} ends before its first data record is whole; copy it again.")
    if stated == -1:
        return there, [
            f"{path.name} was not closed by the recorder (its number of records is −1); opened with the {there:,} "
            "whole records that it holds."
        ]
    if there < stated:
        return there, [
            f"{path.name} is cut: the header says {stated:,} records, the file holds {there:,}; "
            "opened as far as it is whole."
        ]
    if there > stated:
        return there, [f"{path.name} is longer than it says: {stated:,} records by the header, {there:,} opened."]
    if rest:
        return there, [f"{path.name} has {rest:,} bytes after its last record; they are left out."]
    return there, []


def _edfio_header(raw: bytes, family: str) -> edfio.Edf | edfio.Bdf:
    """Let edfio decode the header alone; Latin-1 keeps every byte for :func:`_text`."""
    with warnings.catch_warnings():
        # It warns that no data follow.
        warnings.simplefilter("ignore")
        try:
            if family == "BDF":
                return edfio.read_bdf(raw, header_encoding="latin-1")
            return edfio.read_edf(raw, header_encoding="latin-1")
        except (ValueError, ArithmeticError) as error:
            raise CalibrationError(str(error)) from error


def _layout(
    fields: edfio.Edf | edfio.Bdf, kept: list[bool], counts: list[int], bytes_per_sample: int
) -> tuple[tuple[SignalHeader, ...], tuple[tuple[int, int], ...]]:
    """Return the ordinary signals with their places in a record, and the places of the annotation channels."""
    signals: list[SignalHeader] = []
    annotations: list[tuple[int, int]] = []
    if len(fields.signals) != sum(kept):  # edfio takes another channel for annotations than this module does
        raise HeaderFieldError("the labels of the channels")
    ordinary = iter(fields.signals)
    offset = 0
    for is_signal, count in zip(kept, counts, strict=True):
        n_bytes = count * bytes_per_sample
        if is_signal:
            signals.append(_signal(next(ordinary), count, offset, n_bytes))
        elif count:
            annotations.append((offset, offset + n_bytes))
        offset += n_bytes
    return tuple(signals), tuple(annotations)


def _signal(field: Any, count: int, offset: int, n_bytes: int) -> SignalHeader:
    """Return one signal from edfio's view of its header."""
    try:
        physical, digital = field.physical_range, field.digital_range
    except ValueError as error:
        raise CalibrationError(f"calibration of “{_text(field.label)}”: {error}") from error
    gain: float | None = None
    baseline = 0.0
    plausible = all(abs(limit) <= _MAX_PHYSICAL for limit in physical)  # False for NaN as well
    if digital.max != digital.min and physical.max != physical.min and plausible:
        gain = (physical.max - physical.min) / (digital.max - digital.min)
        baseline = physical.min - digital.min * gain
    return SignalHeader(
        label=_text(field.label),
        unit=_text(field.physical_dimension),
        prefilter=_text(field.prefiltering),
        samples_per_record=count,
        offset=offset,
        n_bytes=n_bytes,
        gain=gain,
        baseline=baseline,
    )


def _legacy_start(path: Path, raw: bytes, fields: edfio.Edf | edfio.Bdf) -> tuple[datetime | None, list[str]]:
    """Return date and time of the header to the second, and notes on what is odd about them.

    EDF+ writes the date once more, with four digits of the year; that one is preferred. A date that was made anonymous
    is kept as the file gives it, because the time of day is real.
    """
    day, clock = _date(raw[168:176]), _time(raw[176:184])
    notes: list[str] = []
    try:
        plus_day = fields.recording.startdate
    except edfio.AnonymizedDateError:
        notes.append(f"The date of {path.name} was made anonymous; only the time of day counts.")
    except (ValueError, OverflowError):
        pass
    else:
        if plus_day.year in _YEARS:
            if day is not None and plus_day != day:
                notes.append(f"{path.name} gives two start dates, {day} and {plus_day}; {plus_day} is used.")
            day = plus_day
    if day is None or clock is None:
        what = "date" if day is None else "time"
        field = _text(raw[168:176].decode("latin-1") if day is None else raw[176:184].decode("latin-1"))
        return None, [f"{path.name} has no valid start {what} (“{field}”); times are shown from its beginning."]
    return datetime.combine(day, clock), notes


_THREE_NUMBERS: Final = re.compile(rb" ?(\d{1,2})[.:/' -] ?(\d{1,2})[.:/' -] ?(\d{1,2})[ \x00]*")


def _date(field: bytes) -> date | None:
    """Decode dd.mm.yy; 85 to 99 are years of the last century (EDF+)."""
    match = _THREE_NUMBERS.fullmatch(field)
    if match is None:
        return None
    day, month, year = (int(group) for group in match.groups())
    with suppress(ValueError):
        return date(year + (1900 if year >= 85 else 2000), month, day)
    return None


def _time(field: bytes) -> time | None:
    """Decode hh.mm.ss."""
    match = _THREE_NUMBERS.fullmatch(field)
    if match is None:
        return None
    hour, minute, second = (int(group) for group in match.groups())
    with suppress(ValueError):
        return time(hour, minute, second)
    return None


def start_of(header: EdfHeader, first_onset_s: float) -> datetime | None:
    """Return the clock time of the first sample: the header's, plus the first record's own onset."""
    if header.legacy_start is None:
        return None
    return header.legacy_start + timedelta(seconds=first_onset_s)
