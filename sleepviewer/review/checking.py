"""What is in a night's files, what is odd about them, and what the program did about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np

from sleepviewer.errors import SleepViewerError
from sleepviewer.recording.base import Channel, Recording, Role
from sleepviewer.recording.quality import BAD_KINDS, QualityKind, assess_recording, epoch_list
from sleepviewer.recording.roles import MIN_SCORING_RATE_HZ, propose_scoring_channel
from sleepviewer.recording.units import amplitude_notes, fitting_units
from sleepviewer.recording.units_told import lacks_unit
from sleepviewer.review.companions import LoadedReference, load_reference
from sleepviewer.review.night import load_truth

_WINDOW_S: Final = 600.0
_CLIPPED_SHARE: Final = 0.005
_MUCH_FLAT: Final = 0.1
_ASKED_OF: Final = (Role.EEG, Role.EOG, Role.EMG)


class Severity(IntEnum):
    """How bad a finding is; the numbers are the exit codes of ``sleepviewer check``."""

    FINE = 0
    ODD = 3
    UNUSABLE = 4

    @property
    def word(self) -> str:
        """As it is printed."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is odd: how bad it is, what it is about (a channel, ``recording``, ``hypnogram``), a sentence.

    ``epochs`` are the epochs that it concerns, from 0, where it concerns some.
    """

    severity: Severity
    about: str
    sentence: str
    epochs: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values; epochs are counted from 1."""
        found: dict[str, Any] = {"severity": self.severity.word, "about": self.about, "sentence": self.sentence}
        return found | ({"epochs": [epoch + 1 for epoch in self.epochs]} if self.epochs else {})


@dataclass(frozen=True, slots=True)
class Amplitude:
    """A channel's samples in numbers, in its unit: quartiles, extremes, shares of flat seconds and clipped samples.

    ``missing`` is the share of samples that are not there (gaps). All but that are None where none is there.
    """

    low: float | None
    quartile_1: float | None
    quartile_3: float | None
    high: float | None
    flat: float | None
    clipped: float | None
    missing: float

    @property
    def interquartile(self) -> float | None:
        """Width of the middle half."""
        return None if self.quartile_1 is None or self.quartile_3 is None else self.quartile_3 - self.quartile_1


def measure_channel(recording: Recording, channel: Channel) -> Amplitude:
    """Read a channel in pieces of ten minutes and measure it; memory does not grow with the night.

    Quartiles are the medians of the pieces' own. A second is flat where it holds one value alone; a sample is clipped
    where it equals the one before at the channel's lowest or highest value. Raises RecordingError where the file can't
    be read.
    """
    quartiles: list[tuple[float, float]] = []
    extremes: dict[float, int] = {}
    n = there = flat = seconds = 0
    a_second = max(round(channel.rate_hz), 2)
    low, high = np.inf, -np.inf
    for start_s in np.arange(0.0, recording.duration_s, _WINDOW_S):
        stop_s = min(float(start_s) + _WINDOW_S, recording.duration_s)
        piece = recording.read(channel.label, float(start_s), stop_s)
        n += len(piece)
        values = piece[np.isfinite(piece)]
        if not len(values):
            continue
        there += len(values)
        quartiles.append((float(np.quantile(values, 0.25)), float(np.quantile(values, 0.75))))
        held = values[1:][np.diff(values) == 0]
        whole = values[: len(values) // a_second * a_second].reshape(-1, a_second)
        seconds += len(whole)
        flat += int((np.ptp(whole, axis=1) == 0).sum())
        for edge in (float(values.min()), float(values.max())):
            extremes[edge] = extremes.get(edge, 0) + int((held == edge).sum())
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    missing = 1 - there / n if n else 1.0
    if not there:
        return Amplitude(None, None, None, None, None, None, missing)
    first, third = (float(np.median([pair[k] for pair in quartiles])) for k in (0, 1))
    clipped = sum(extremes.get(edge, 0) for edge in {low, high}) / there
    return Amplitude(low, first, third, high, flat / max(seconds, 1), clipped, missing)


@dataclass(frozen=True, slots=True)
class Check:
    """What was found in a night: the amplitudes of its channels by label, and the findings, worst first."""

    amplitudes: dict[str, Amplitude]
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """The worst of the findings."""
        return max((finding.severity for finding in self.findings), default=Severity.FINE)


def check_recording(recording: Recording, truth_path: Path | None = None, reading: str | None = None) -> Check:
    """Look through a recording, every sample of it, and the hypnogram that is named or lies beside it.

    ``reading`` says how to read the hypnogram, where a person has said it.

    Raises RecordingError where the file can't be read to its end.
    """
    amplitudes = {channel.label: measure_channel(recording, channel) for channel in recording.channels}
    findings = [
        *_of_the_file(recording),
        *_of_channels(recording, amplitudes),
        *_of_signal_quality(recording),
        *_of_the_hypnogram(recording, truth_path, reading),
    ]
    return Check(amplitudes, tuple(sorted(findings, key=lambda finding: -finding.severity)))


def _of_the_file(recording: Recording) -> Iterator[Finding]:
    for note in recording.notes:
        yield Finding(Severity.ODD, "recording", note)
    if recording.n_epochs == 0:
        yield Finding(
            Severity.UNUSABLE, "recording", f"It lasts {recording.duration_s:.3g} s, less than one epoch of 30 s."
        )
    if propose_scoring_channel(recording) is None:
        yield Finding(
            Severity.UNUSABLE,
            "recording",
            f"No channel is recognised as an EEG in a voltage at {MIN_SCORING_RATE_HZ:g} Hz or more; choose one.",
        )


def _of_channels(recording: Recording, amplitudes: dict[str, Amplitude]) -> Iterator[Finding]:
    for channel in recording.channels:
        for sentence in _of_a_channel(channel, amplitudes[channel.label]):
            yield Finding(Severity.ODD, channel.label, sentence)


def _of_signal_quality(recording: Recording) -> Iterator[Finding]:
    """Yield the epochs of each EEG channel that engines leave unscored, kind by kind; gaps are the file's own notes."""
    for channel in recording.channels:
        if channel.role is not Role.EEG or not channel.is_voltage or channel.rate_hz < MIN_SCORING_RATE_HZ:
            continue
        quality = assess_recording(recording, channel.label)
        for kind in BAD_KINDS:
            epochs = quality.epochs_of(kind)
            if len(epochs) and kind is not QualityKind.GAP:
                sentence = (
                    f"“{channel.label}” has no usable signal in {len(epochs):,} of {len(quality):,} epochs: "
                    f"{kind.label} ({epoch_list(epochs)})."
                )
                yield Finding(Severity.ODD, channel.label, sentence, tuple(epochs.tolist()))


def _of_a_channel(channel: Channel, found: Amplitude) -> Iterator[str]:
    name, asked = f"“{channel.label}”", channel.role in _ASKED_OF
    if found.interquartile is None:
        yield f"{name} holds no sample."
        return
    if asked and lacks_unit(channel):
        yield _unit_sentence(channel, found.interquartile)
    elif channel.is_voltage and channel.role in (Role.EEG, Role.EOG):
        for note in amplitude_notes(found.interquartile, channel.label):
            yield f"{note} {_how_to_tell(channel)}"
    flat, clipped = found.flat or 0.0, found.clipped or 0.0
    if found.low == found.high:
        yield f"{name} is one value from beginning to end."
    elif asked and clipped > _CLIPPED_SHARE:
        yield f"{name} lies at the end of its range in {clipped:.1%} of its samples (clipped)."
    elif asked and flat > _MUCH_FLAT:
        yield f"{name} is flat in {flat:.0%} of its seconds."
    if channel.role is Role.EEG and channel.rate_hz < MIN_SCORING_RATE_HZ:
        yield f"{name} has {channel.rate_hz:g} Hz, too few to be scored."


def _unit_sentence(channel: Channel, spread: float) -> str:
    fitting = fitting_units(spread)
    guess = f"its amplitude would fit {' or '.join(fitting)}" if fitting else "its amplitude fits no unit of an EEG"
    return f"The file gives no unit for “{channel.label}”; {guess}. None is assumed. {_how_to_tell(channel)}"


def _how_to_tell(channel: Channel) -> str:
    return f'Say which it is with --unit "{channel.label}=mV", or in the window under File › Units of channels…'


def _of_the_hypnogram(recording: Recording, truth_path: Path | None, reading: str | None) -> Iterator[Finding]:
    if recording.n_epochs == 0:
        return
    loaded = load_reference(recording, reading) if truth_path is None else _named(recording, truth_path, reading)
    hypnogram_notes = () if loaded.hypnogram is None else loaded.hypnogram.notes
    for note in (*loaded.notes, *hypnogram_notes):
        yield Finding(Severity.ODD, "hypnogram", note)


def _named(recording: Recording, path: Path, reading: str | None) -> LoadedReference:
    try:
        return LoadedReference(path, load_truth(recording, path, reading))
    except SleepViewerError as error:
        return LoadedReference(path, None, error, (str(error),))
