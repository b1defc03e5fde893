"""Spindles and slow waves found by YASA, as suggestions for an expert to look at.

The detectors read the recording itself, never the display's filters. They judge amplitudes in µV, so a channel whose
unit is not known is refused, not guessed at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import ChannelError, EngineError
from sleepviewer.recording.base import Channel, FileStamp, Recording, Role
from sleepviewer.recording.units import ToldUnit
from sleepviewer.scoring.base import CancelToken, Progress, ProgressCallback, no_progress
from sleepviewer.scoring.signals import NightSignal, read_signal
from sleepviewer.scoring.yasa_engine import yasa_calls, yasa_version
from sleepviewer.stages import EPOCH_S, Stage, StageArray

MIN_RATE_HZ: Final = 64.0
"""The detectors look at up to 30 Hz, which takes more than twice as many samples a second."""

_SEARCHED, _LEFT_OUT = 1, 0


class Detector(StrEnum):
    """What can be looked for, by the kind that the events get."""

    SPINDLES = "spindle"
    SLOW_WAVES = "slow wave"

    @property
    def many(self) -> str:
        """As shown: ``spindles``."""
        return f"{self.value}s"


@dataclass(frozen=True, slots=True, eq=False)
class DetectionRequest:
    """What to look for in which channels of a file; ``stages`` (``int8 [n_epochs]``) restricts it to N2 and N3.

    ``stamp`` is that of the recording that the caller has open: another file that took its place is a RecordingError.
    ``units`` is what was told of that recording's channels.
    """

    path: Path
    channels: tuple[str, ...]
    detectors: tuple[Detector, ...] = tuple(Detector)
    stages: StageArray | None = None
    stamp: FileStamp | None = None
    units: tuple[ToldUnit, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """An event that a detector found, in seconds on the recording clock."""

    kind: str
    start_s: float
    stop_s: float
    channel: str


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found, by whom (``yasa 0.8.1``), how long it took, and what a user should know about it.

    ``searched`` names every pair of channel and kind that was looked through, found or not.
    """

    found: tuple[Found, ...]
    searched: tuple[tuple[str, str], ...]
    detector: str
    seconds: float
    notes: tuple[str, ...] = ()


def detectable(recording: Recording) -> tuple[Channel, ...]:
    """Return the EEG channels that detectors can judge: voltages with enough samples a second.

    Raises ChannelError, with what is in the way, where there is none.
    """
    channels = [channel for channel in recording.channels if channel.role is Role.EEG]
    if not channels:
        raise ChannelError(
            f"No channel of {recording.name} is an EEG by its name, and spindles and slow waves are looked for in EEG."
        )
    for channel in channels:
        if not _refusal(recording, channel):
            return tuple(other for other in channels if not _refusal(recording, other))
    raise ChannelError(_refusal(recording, channels[0]))


def _refusal(recording: Recording, channel: Channel) -> str:
    """Say why a channel can't be searched; empty where it can."""
    if not channel.is_voltage:
        unit = f"is in {channel.unit}, which is no voltage" if channel.unit.strip() else "has no unit in the file"
        return (
            f"Channel “{channel.label}” of {recording.name} {unit}; spindles and slow waves are judged by their µV, "
            "so nothing was looked for there."
        )
    if channel.rate_hz < MIN_RATE_HZ:
        return (
            f"Channel “{channel.label}” of {recording.name} has {channel.rate_hz:g} samples a second; looking for "
            f"spindles and slow waves takes {MIN_RATE_HZ:g} or more."
        )
    return ""


def detect(
    recording: Recording,
    request: DetectionRequest,
    progress: ProgressCallback = no_progress,
    cancel: CancelToken | None = None,
) -> Detection:
    """Look for spindles and slow waves, channel by channel, where there is signal and the stages allow it.

    A channel that can't be searched is a note where another can. Raises ChannelError where none can or no epoch is
    left to search, EngineError where YASA fails, ScoringCancelled.
    """
    started, cancel = time.perf_counter(), cancel or CancelToken()
    found: list[Found] = []
    searched: list[tuple[str, str]] = []
    notes: list[str] = []
    trouble: list[ChannelError] = []
    steps = max(len(request.channels) * len(request.detectors), 1)
    for place, label in enumerate(request.channels):
        cancel.check()
        progress(Progress(place / len(request.channels), f"reading {label}"))
        try:
            signal, epochs = _read(recording, label, request.stages)
        except ChannelError as error:
            trouble.append(error)
            continue
        notes.extend(signal.notes)
        for number, detector in enumerate(request.detectors):
            cancel.check()
            done = (place * len(request.detectors) + number + 0.3) / steps
            progress(Progress(done, f"{detector.many} in {label}"))
            with yasa_calls("YASA can't look for events in this night"):
                found.extend(_events(signal, epochs, detector))
            searched.append((label, str(detector)))
    cancel.check()
    if trouble and not searched:
        raise trouble[0]
    notes.extend(str(error) for error in trouble)
    progress(Progress(1.0, "done"))
    ordered = tuple(sorted(found, key=lambda event: (event.start_s, event.channel)))
    return Detection(
        ordered, tuple(searched), f"yasa {yasa_version()}", time.perf_counter() - started, tuple(dict.fromkeys(notes))
    )


def _read(recording: Recording, label: str, stages: StageArray | None) -> tuple[NightSignal, NDArray[np.bool_]]:
    """Return a channel's signal and which epochs of it to search, ``bool [n_epochs]``."""
    if sentence := _refusal(recording, recording.channel(label)):
        raise ChannelError(sentence)
    signal = read_signal(recording, label)
    epochs = ~signal.missing
    if stages is not None:
        if len(stages) != len(epochs):
            raise EngineError(f"{recording.name} has {len(epochs)} epochs, but stages were given for {len(stages)}.")
        epochs &= np.isin(stages, (int(Stage.N2), int(Stage.N3)))
    if not epochs.any():
        where = "whose label is N2 or N3 " if stages is not None else ""
        raise ChannelError(f"“{label}” of {recording.name} has no epoch {where}with a whole signal to look through.")
    return signal, epochs


def _events(signal: NightSignal, epochs: NDArray[np.bool_], detector: Detector) -> Iterable[Found]:
    """Return what a detector finds in the chosen epochs of one channel."""
    import yasa

    search: Callable[..., Any] = yasa.spindles_detect if detector is Detector.SPINDLES else yasa.sw_detect
    bounds = np.round(np.arange(len(epochs) + 1) * EPOCH_S * signal.rate_hz).astype(int)
    mask = np.repeat(np.where(epochs, _SEARCHED, _LEFT_OUT), np.diff(bounds))
    samples = signal.samples.astype(np.float64)
    n = min(len(mask), len(samples))
    rate_hz = int(signal.rate_hz) if float(signal.rate_hz).is_integer() else float(signal.rate_hz)
    result = search(
        samples[:n], sf=rate_hz, ch_names=[signal.label], hypno=mask[:n], include=(_SEARCHED,), verbose="ERROR"
    )
    if result is None:
        return
    table = result.summary()
    for start, stop in zip(table["Start"].tolist(), table["End"].tolist(), strict=True):
        # One that reaches into an epoch without signal was found, in part, in what the gap was filled with.
        first, last = int(start // EPOCH_S), min(int(stop // EPOCH_S), len(epochs) - 1)
        if start < stop and not signal.missing[first : last + 1].any():
            yield Found(str(detector), float(start), float(stop), signal.label)


def nothing_found(detection: Detection, *, restricted: bool) -> str:
    """Say that nothing was found, and where."""
    kinds = _listed([Detector(kind).many for kind in dict.fromkeys(kind for _, kind in detection.searched)], "or")
    channels = _listed(list(dict.fromkeys(channel for channel, _ in detection.searched)), "and")
    where = " in the epochs labelled N2 or N3" if restricted else ""
    return f"YASA found no {kinds} on {channels}{where}."


def _listed(words: Sequence[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
