"""Writes small EDF, EDF+ and BDF files, sound ones and odd ones, byte by byte.

The package reads these formats and never writes signals, so the tests have a writer of their own; it shares no code
with the reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

START = datetime(2021, 3, 4, 22, 30, 15)
TENTHS = (-3276.8, 3276.7)
"""Physical range in which one digital step of EDF is exactly 0.1."""


class Signal(NamedTuple):
    """A channel to write: ``data`` are physical values in ``unit``, whole records of them at ``rate``."""

    label: str
    rate: float
    unit: str
    data: ArrayLike
    physical: tuple[float, float] = TENTHS
    digital: tuple[int, int] = (-32768, 32767)
    prefilter: str = ""


def _field(value: object, width: int) -> bytes:
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1")
    assert len(raw) <= width, f"{value!r} is wider than {width} bytes"
    return raw.ljust(width)


def _short(value: float) -> str:
    return f"{value:.8g}"[:8]


def write_edf(
    path: Path,
    channels: Sequence[Signal | tuple],
    *,
    start: datetime | None = START,
    record_s: float = 1.0,
    onsets: Sequence[float] | None = None,
    kind: str = "",
    bdf: bool = False,
    patient: str = "X X X X",
    recording: str | None = None,
    n_records: int | None = None,
) -> Path:
    """Write an EDF file (or BDF) and return its path.

    ``onsets`` (seconds from ``start``, one per record) adds a timekeeping channel; ``kind`` is the reserved field
    (``EDF+C``, ``EDF+D`` …); ``n_records`` is what the header says, by default the truth. ``start=None`` leaves date
    and time blank.
    """
    signals = [Signal(*channel) for channel in channels]
    per_record = [round(s.rate * record_s) for s in signals]
    counts = {len(np.asarray(s.data)) // n for s, n in zip(signals, per_record, strict=True)}
    assert len(counts) == 1, "all channels must last equally long"
    (n_true,) = counts
    width = 3 if bdf else 2
    blocks = [_digital(s, n, n_true, width) for s, n in zip(signals, per_record, strict=True)]
    labels = [s.label for s in signals]
    if onsets is not None:
        assert len(onsets) == n_true
        tals = [f"{onset:+.6f}".rstrip("0").rstrip(".").encode() + b"\x14\x14\x00" for onset in onsets]
        size = -(-max(map(len, tals)) // width) * width
        blocks.append(np.frombuffer(b"".join(t.ljust(size, b"\x00") for t in tals), np.uint8).reshape(n_true, size))
        family = "BDF" if bdf else "EDF"
        low, high = (-8388608, 8388607) if bdf else (-32768, 32767)
        signals.append(Signal(f"{family} Annotations", 0, "", [], (-1, 1), (low, high)))
        per_record.append(size // width)
        labels.append(f"{family} Annotations")
    if recording is None:
        recording = f"Startdate {start:%d-%b-%Y}".upper().replace("STARTDATE", "Startdate") + " X X X" if start else ""
    header = [
        b"\xffBIOSEMI" if bdf else b"0       ",
        _field(patient, 80),
        _field(recording, 80),
        _field(f"{start:%d.%m.%y}" if start else "", 8),
        _field(f"{start:%H.%M.%S}" if start else "", 8),
        _field(256 * (1 + len(signals)), 8),
        _field(kind, 44),
        _field(n_true if n_records is None else n_records, 8),
        _field(_short(record_s), 8),
        _field(len(signals), 4),
        *(_field(label, 16) for label in labels),
        *(_field("", 80) for _ in signals),
        *(_field(s.unit, 8) for s in signals),
        *(_field(_short(s.physical[0]), 8) for s in signals),
        *(_field(_short(s.physical[1]), 8) for s in signals),
        *(_field(s.digital[0], 8) for s in signals),
        *(_field(s.digital[1], 8) for s in signals),
        *(_field(s.prefilter, 80) for s in signals),
        *(_field(n, 8) for n in per_record),
        *(_field("", 32) for _ in signals),
    ]
    path.write_bytes(b"".join(header) + np.concatenate(blocks, axis=1).tobytes())
    return path


def _digital(signal: Signal, per_record: int, n_records: int, width: int) -> np.ndarray:
    """Bytes of a signal, ``uint8 [n_records, per_record * width]``."""
    (pmin, pmax), (dmin, dmax) = signal.physical, signal.digital
    data = np.asarray(signal.data, dtype=np.float64)[: n_records * per_record]
    gain = (pmax - pmin) / (dmax - dmin) if dmax != dmin and pmax != pmin else 0.0
    digital = np.round((data - pmin) / gain + dmin) if gain else data
    raw = digital.astype("<i4").view(np.uint8).reshape(n_records, per_record, 4)[:, :, :width]
    return raw.reshape(n_records, per_record * width)


def write_edf_plus_d(
    path: Path, onsets: Sequence[float], channels: Sequence[Signal | tuple], *, record_s: float = 1.0, **more: object
) -> Path:
    """Write a discontinuous EDF+ file whose records begin at ``onsets`` (seconds from the header's start)."""
    return write_edf(path, channels, onsets=onsets, record_s=record_s, kind="EDF+D", **more)  # type: ignore[arg-type]


def patch(path: Path, offset: int, raw: bytes) -> Path:
    """Overwrite bytes of a file, as damage does."""
    data = bytearray(path.read_bytes())
    data[offset : offset + len(raw)] = raw
    path.write_bytes(bytes(data))
    return path


def truncate(path: Path, size: int) -> Path:
    """Cut a file to so many bytes (from its end where negative)."""
    path.write_bytes(path.read_bytes()[:size])
    return path


def ramp(n: int, first: int = 0) -> np.ndarray:
    """Values in which every sample is told from its neighbours: multiples of 0.1 from −3000 to 3000, repeating."""
    return (np.arange(first, first + n) % 60_000 - 30_000) / 10.0
