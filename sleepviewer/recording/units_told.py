"""Units that a person has told, where a file gives none or a wrong one; and what is to be asked.

A unit is never guessed. Where a file gives none for a channel, or its amplitude fits no scalp recording in the unit
that the file gives, :func:`unit_questions` says what to ask; :func:`with_told_units` is the recording with the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from sleepviewer.errors import ChannelError, RecordingError
from sleepviewer.recording.annotations import Annotations
from sleepviewer.recording.base import Channel, Recording, Role, Samples
from sleepviewer.recording.roles import guess_role
from sleepviewer.recording.units import MICROVOLT, ToldUnit, fitting_units, interquartile_range, parse_unit

AS_IT_IS: Final = "as-is"
"""The answer that leaves a channel as the file gives it, and has nobody asked again."""

VOLTAGES: Final = ("µV", "mV", "V", "nV")
"""What a channel can be told to be in."""

_ASKED_WITHOUT_UNIT: Final = (Role.EEG, Role.EOG, Role.EMG)
_ASKED_BY_AMPLITUDE: Final = (Role.EEG, Role.EOG)
_LOOKS: Final = 12
_LOOK_S: Final = 30.0
"""A dozen pieces of half a minute, spread over the night, show a channel's amplitude without reading all of it."""


class RecordingAsTold(Recording):
    """A recording in which channels are in the units that a person told; everything else is the file's.

    A told channel's samples are in µV, whatever the file said: its plain numbers are taken to be in the told unit. A
    channel that was left as it is stays so, and a note says that too.
    """

    def __init__(self, recording: Recording, units: tuple[ToldUnit, ...]) -> None:
        self._file = recording
        self.path = recording.path
        self.format_name = recording.format_name
        self.start = recording.start
        self.duration_s = recording.duration_s
        self.gaps = recording.gaps
        self.simulated = recording.simulated
        self.stamp = recording.stamp
        self.told_units = units
        told = {unit.label: unit.unit for unit in units}
        voltages = {label: word for label, word in told.items() if word != AS_IT_IS}
        self._factors = {label: _factor(recording.channel(label), word) for label, word in voltages.items()}
        self.channels = tuple(
            _as_told(channel) if channel.label in voltages else channel for channel in recording.channels
        )
        self.notes = (*recording.notes, *(_note(recording.channel(label), word) for label, word in told.items()))

    @property
    def as_in_file(self) -> Recording:
        """The recording as the file gives it."""
        return self._file

    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        """Read a window of one channel; see :meth:`Recording.read`."""
        samples = self._file.read(label, start_s, stop_s)
        factor = self._factors.get(label, 1.0)
        return samples if factor == 1.0 else np.asarray(samples * np.float32(factor), dtype=np.float32)

    def annotations(self) -> Annotations:
        """Read the file's annotations; see :meth:`Recording.annotations`."""
        return self._file.annotations()

    def check_unchanged(self) -> None:
        """See :meth:`Recording.check_unchanged`."""
        self._file.check_unchanged()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def with_told_units(recording: Recording, units: Iterable[ToldUnit]) -> Recording:
    """Return the recording with these units and no others told; without any, as the file gives it.

    Of several units for one channel the last counts. Raises ChannelError for a channel that the recording does not
    have, that is measured in something else than a voltage, or a word that is no unit of :data:`VOLTAGES`.
    """
    plain = recording.as_in_file if isinstance(recording, RecordingAsTold) else recording
    told = tuple({unit.label: _checked(plain, unit) for unit in units}.values())
    return RecordingAsTold(plain, told) if told else plain


def parse_told(text: str) -> ToldUnit:
    """Return what ``LABEL=UNIT`` tells; UNIT is a voltage in any spelling, or ``as-is``.

    Raises ChannelError for anything else.
    """
    label, equals, word = text.rpartition("=")
    unit = _voltage_of(word)
    if not equals or not label.strip() or unit is None:
        raise ChannelError(
            f"“{text}” tells no unit; write it like “EEG C4=mV”, with {', '.join(VOLTAGES)} or {AS_IT_IS}."
        )
    return ToldUnit(label.strip(), unit)


def told_to_json(units: Iterable[ToldUnit]) -> dict[str, str]:
    """Return told units as JSON-ready values, as settings and reviews keep them."""
    return {unit.label: unit.unit for unit in units}


def told_from_json(recording: Recording, values: object) -> tuple[ToldUnit, ...]:
    """Return told units that were kept; what is damaged, or of a channel that is not there, is left out."""
    if not isinstance(values, Mapping):
        return ()
    there = {channel.label: channel for channel in recording.channels}
    pairs: list[tuple[Any, Any]] = list(values.items())
    return tuple(
        ToldUnit(label, word)
        for label, word in pairs
        if label in there and isinstance(word, str) and word in (*VOLTAGES, AS_IT_IS)
    )


# -- what to ask


@dataclass(frozen=True, slots=True)
class UnitQuestion:
    """What is to be asked of channels that are alike in it.

    ``labels`` are the channels, ``file_unit`` what the file gives (empty: nothing), ``fitting`` the units in which
    their plain numbers would be a scalp recording.
    """

    labels: tuple[str, ...]
    file_unit: str
    fitting: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The question in words, without the answers."""
        names, many = _listed(self.labels), len(self.labels) > 1
        their = "their" if many else "its"
        fits = f"{their} amplitude would fit {' or '.join(self.fitting)}" if self.fitting else (
            f"{their} amplitude fits an EEG in no unit"
        )  # fmt: skip
        if not self.file_unit:
            return f"The file gives no unit for {names}; {fits}."
        return f"The file gives {self.file_unit} for {names}, but as such {their} amplitude is no EEG's; {fits}."

    @property
    def choices(self) -> tuple[str, ...]:
        """The units to offer: the usual three, and nV where it fits."""
        return tuple(unit for unit in VOLTAGES if unit != "nV" or unit in self.fitting)


def unit_questions(recording: Recording, labels: Iterable[str] | None = None) -> tuple[UnitQuestion, ...]:
    """Return what is to be asked about these channels (or all), those that are alike in one question.

    A channel is asked about where it is an EEG, EOG or EMG without a unit, or an EEG or EOG whose amplitude is not that
    of a scalp recording; never where something was told of it already. Reads pieces of half a minute, so that it
    belongs in the background. A channel that can't be read is not asked about: reading it tells what is wrong.
    """
    wanted = None if labels is None else set(labels)
    told = {unit.label for unit in recording.told_units}
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for channel in recording.channels:
        if channel.label in told or (wanted is not None and channel.label not in wanted):
            continue
        if (found := _asked(recording, channel)) is not None:
            alike.setdefault(found, []).append(channel.label)
    return tuple(UnitQuestion(tuple(same), *found) for found, same in alike.items())


def lacks_unit(channel: Channel) -> bool:
    """Whether a channel that is to be scored or judged by its amplitude is in no known unit."""
    return not channel.unit.strip()


def _asked(recording: Recording, channel: Channel) -> tuple[str, tuple[str, ...]] | None:
    """Return the file's unit and the fitting ones where a channel is to be asked about."""
    without = lacks_unit(channel) and channel.role in _ASKED_WITHOUT_UNIT
    if not without and not (channel.is_voltage and channel.role in _ASKED_BY_AMPLITUDE):
        return None
    try:
        spread = _spread(recording, channel)
    except RecordingError:
        spread = None
    if without:
        return "", () if spread is None else fitting_units(spread)
    if spread is None or MICROVOLT in fitting_units(spread):
        return None
    return channel.file_unit.strip(), fitting_units(spread / parse_unit(channel.file_unit).scale)


def _spread(recording: Recording, channel: Channel) -> float | None:
    """Return the median interquartile range of pieces of a channel; None where there is no signal in any."""
    spreads = []
    for place in range(_LOOKS):
        middle_s = recording.duration_s * (place + 0.5) / _LOOKS
        piece = recording.read(channel.label, max(middle_s - _LOOK_S / 2, 0.0), middle_s + _LOOK_S / 2)
        if np.isfinite(piece).any() and (spread := interquartile_range(piece)) > 0:
            spreads.append(spread)
    return float(np.median(spreads)) if spreads else None


def _checked(recording: Recording, unit: ToldUnit) -> ToldUnit:
    channel = recording.channel(unit.label)
    if unit.unit not in (*VOLTAGES, AS_IT_IS):
        raise ChannelError(
            f"“{unit.unit}” is no unit that “{unit.label}” can be told to be in; take one of {', '.join(VOLTAGES)}."
        )
    if _is_other_measure(channel):
        raise ChannelError(
            f"Channel “{unit.label}” of {recording.name} is in {channel.unit}, which is no voltage, and can't be told "
            f"to be in {unit.unit}."
        )
    return unit


def _is_other_measure(channel: Channel) -> bool:
    """Whether the file's unit is a word of something else than a voltage, as % or °C.

    “MV” is none: it may be meant as milli or as mega, which a person can tell.
    """
    return not channel.is_voltage and bool(channel.unit.strip()) and not channel.unit.strip().lower().endswith("v")


def _voltage_of(word: str) -> str | None:
    if word.strip().lower() == AS_IT_IS:
        return AS_IT_IS
    parsed = parse_unit(word)
    if not parsed.is_voltage:
        return None
    return next((name for name in VOLTAGES if parse_unit(name).scale == parsed.scale), None)


def _factor(channel: Channel, told: str) -> float:
    """What takes the samples as they are read to µV: the file's own factor is taken out again."""
    in_file = parse_unit(channel.file_unit).scale if channel.is_voltage else 1.0
    return parse_unit(told).scale / in_file


def _as_told(channel: Channel) -> Channel:
    # A word that is no known voltage had vetoed the role that the name tells.
    role = guess_role(channel.file_label) if channel.unit.strip() and not channel.is_voltage else channel.role
    return replace(channel, unit=MICROVOLT, role=role)


def _note(channel: Channel, told: str) -> str:
    said = f"the file says {channel.file_unit.strip()}" if channel.file_unit.strip() else "the file gives no unit"
    if told == AS_IT_IS:
        return f"“{channel.label}” was left as it is, as was said; {said}."
    return f"“{channel.label}” was taken as {told}, as was said; {said}."


def _listed(labels: tuple[str, ...]) -> str:
    names = [f"“{label}”" for label in labels]
    if len(names) > 3:
        names = [*names[:2], f"{len(names) - 2} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
