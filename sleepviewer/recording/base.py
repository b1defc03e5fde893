"""What a night on disk is: channels at their own rates, a clock, and gaps that are known.

:class:`Recording` is the interface that every reader implements and everything else reads through. Times inside a
recording are seconds on the *recording clock*: 0 is the first sample, gaps count, nothing is ever closed up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import ChannelError, RecordingError
from sleepviewer.recording.annotations import Annotations
from sleepviewer.recording.units import ToldUnit
from sleepviewer.stages import EPOCH_S

Samples = NDArray[np.float32]


class Role(StrEnum):
    """What a channel records, as guessed from its name."""

    EEG = "EEG"
    EOG = "EOG"
    EMG = "EMG"
    ECG = "ECG"
    RESPIRATION = "respiration"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a recording.

    ``label`` is unique within the recording (a repeated label gets `` (2)``, `` (3)`` …); ``file_label`` is what the
    file says. ``unit`` is the unit of the samples that :meth:`Recording.read` returns: ``µV`` for every voltage,
    else the file's own word (``file_unit``), which may be empty. ``n_samples`` counts the samples
    that the file holds; gaps hold none.
    """

    label: str
    file_label: str
    rate_hz: float
    n_samples: int
    unit: str
    file_unit: str
    role: Role
    prefilter: str = ""

    @property
    def is_voltage(self) -> bool:
        """Whether samples are in microvolts."""
        return self.unit == "µV"


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the recording clock without samples, ``start_s`` ≤ t < ``stop_s``."""

    start_s: float
    stop_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.stop_s - self.start_s


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells a file from another that took its place: its size in bytes and its time of change."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the stamp of a file as it is now. Raises OSError where it can't be looked at."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns)

    def check(self, path: Path) -> None:
        """Raise RecordingError where the file at ``path`` is not, or no longer, the one of this stamp."""
        try:
            now = FileStamp.of(path)
        except OSError as error:
            raise RecordingError(f"{path} can't be read any more: {error.strerror or error}.") from error
        if now != self:
            raise RecordingError(f"{path} has changed since it was opened; open it again.")


class Recording(ABC):
    """A night on disk, opened lazily. Readers set the attributes below and implement :meth:`read`.

    Attributes
    ----------
    path: the file.
    format_name: ``EDF``, ``EDF+C``, ``EDF+D``, ``BDF``, ``BrainVision`` …
    start: clock time of the first sample as the file gives it (naive local time), or None where it gives none.
    duration_s: seconds on the recording clock from the first sample to the end of the last, gaps included.
    channels: in the file's order, annotation channels left out.
    gaps: stretches without samples, in order.
    notes: sentences for the user about what was odd in the file and what was done about it.
    simulated: whether the header says that the night is simulated.
    stamp: the file as it was when it was opened, or None for a recording that is not in a file.
    told_units: what a person said of channels' units, where the file gives none or a wrong one.
    """

    path: Path
    format_name: str
    start: datetime | None
    duration_s: float
    channels: tuple[Channel, ...]
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    simulated: bool = False
    stamp: FileStamp | None = None
    told_units: tuple[ToldUnit, ...] = ()

    @abstractmethod
    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        """Read a window of one channel.

        Returns ``float32 [round(stop_s * rate) - round(start_s * rate)]`` in the channel's ``unit``. Samples in gaps,
        before the start or after the end of the recording are NaN: a window never shifts and never shrinks.

        Raises ChannelError for an unknown label, RecordingError where the file can't be read any more,
        or has changed since it was opened.
        """

    def annotations(self) -> Annotations:
        """Read the file's annotations, on the recording clock; none by default.

        They are read at every call, and there may be many thousands: call it in the background and keep what it gives.
        Damaged ones are left out, and a note tells. Raises RecordingError where the file can't be read any more.
        """
        return Annotations()

    def check_unchanged(self) -> None:
        """Raise RecordingError where the file has been changed, replaced or taken away since it was opened.

        Readers see to this whenever they read from disk; call it before anything is kept that belongs to the recording.
        """
        if self.stamp is not None:
            self.stamp.check(self.path)

    def close(self) -> None:  # noqa: B027  (most readers hold nothing open)
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    @property
    def n_epochs(self) -> int:
        """Number of whole 30-s epochs; a shorter rest at the end is not scored."""
        return int((self.duration_s + 1e-6) // EPOCH_S)

    def channel(self, label: str) -> Channel:
        """Return the channel of that label. Raises ChannelError, naming the channels that there are."""
        for channel in self.channels:
            if channel.label == label:
                return channel
        there = ", ".join(c.label for c in self.channels) or "none"
        raise ChannelError(f"{self.name} has no channel “{label}”; its channels are: {there}.")

    def clock(self, time_s: float) -> datetime | None:
        """Return the clock time of a recording time, or None where the file has no start time."""
        return None if self.start is None else self.start + timedelta(seconds=time_s)

    def read_epochs(self, label: str, first: int = 0, stop: int | None = None) -> Samples:
        """Read whole epochs ``first`` ≤ e < ``stop`` of one channel.

        Returns ``float32 [stop - first, 30 * rate]`` in the channel's unit, NaN where the recording has a gap. Raises
        ChannelError where 30 s are no whole number of samples at this rate.
        """
        channel = self.channel(label)
        stop = self.n_epochs if stop is None else stop
        samples = round(EPOCH_S * channel.rate_hz)
        if samples < 1 or abs(samples - EPOCH_S * channel.rate_hz) > 1e-3:
            raise ChannelError(
                f"Channel “{label}” of {self.name} has {channel.rate_hz:g} samples a second, which does not divide "
                "into 30-second epochs; choose another channel."
            )
        flat = self.read(label, first * EPOCH_S, stop * EPOCH_S)
        return flat.reshape(stop - first, samples)
