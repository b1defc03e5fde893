"""What the page of traces shows: derivations of the recorded channels, each with its filters, scale, colour and place.

A montage is a value: changing it makes another one. It is for the eye alone; engines get a signal of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sleepviewer.display.filters import Band, default_band, limited
from sleepviewer.errors import ChannelError
from sleepviewer.recording.base import Channel, Recording, Role, Samples


@dataclass(frozen=True, slots=True)
class Derivation:
    """``plus`` less the mean of the channels ``minus`` (labels); without any, the channel as it was recorded.

    A − B, linked mastoids (A − (M1 + M2)/2) and the average reference (A − mean of all, itself among them) are all of
    this form.
    """

    plus: str
    minus: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Labels of all the channels that it needs."""
        return (self.plus, *self.minus)

    @property
    def label(self) -> str:
        """As shown: ``C3``, ``C3 − M2``, ``C3 − (M1 + M2)/2``, ``C3 − mean of 6``."""
        if not self.minus:
            return self.plus
        if len(self.minus) == 1:
            return f"{self.plus} − {self.minus[0]}"
        if len(self.minus) == 2:
            return f"{self.plus} − ({self.minus[0]} + {self.minus[1]})/2"
        return f"{self.plus} − mean of {len(self.minus)}"


@dataclass(frozen=True, slots=True)
class Trace:
    """One lane of the page.

    Attributes
    ----------
    derivation: what is shown.
    band: its display filters.
    half_height: what half a lane's height stands for, in the channel's unit; None: what suits its role and signal.
    color: ``#rrggbb``, or None for the theme's.
    height: the lane's share of the page, relative to the others.
    visible: whether it is shown; a hidden one keeps its place.
    role: what it records, where the channel's name lets the program guess wrongly; None: as guessed.
    """

    derivation: Derivation
    band: Band
    half_height: float | None = None
    color: str | None = None
    height: float = 1.0
    visible: bool = True
    role: Role | None = None

    @property
    def label(self) -> str:
        """What is shown, as a name."""
        return self.derivation.label


@dataclass(frozen=True, slots=True)
class Montage:
    """Lanes from the top of the page to its bottom, under a name."""

    name: str
    traces: tuple[Trace, ...]

    @property
    def shown(self) -> tuple[Trace, ...]:
        """The lanes that are not hidden."""
        return tuple(trace for trace in self.traces if trace.visible)

    def with_trace(self, index: int, trace: Trace) -> Montage:
        """The same montage with another lane at a place."""
        return replace(self, traces=(*self.traces[:index], trace, *self.traces[index + 1 :]))

    def moved(self, places: Collection[int], to: int) -> Montage:
        """The same lanes with those of some places moved, in their order, before the lane that is at ``to`` now."""
        taken = [trace for i, trace in enumerate(self.traces) if i in places]
        above = [trace for i, trace in enumerate(self.traces[:to]) if i not in places]
        below = [trace for i, trace in enumerate(self.traces) if i >= to and i not in places]
        return replace(self, traces=(*above, *taken, *below))

    def without(self, places: Collection[int]) -> Montage:
        """The same montage without the lanes of some places."""
        return replace(self, traces=tuple(trace for i, trace in enumerate(self.traces) if i not in places))

    def fits(self, recording: Recording) -> tuple[bool, ...]:
        """Whether each lane can be shown of a recording: it has the channels, and they can be subtracted."""
        channels = _by_label(recording)
        return tuple(isinstance(_derived(channels, trace.derivation), Channel) for trace in self.traces)

    def fitting(self, recording: Recording) -> Montage:
        """The lanes that can be shown of a recording, their bands as its rates leave them."""
        return replace(
            self,
            traces=tuple(
                replace(trace, band=limited(trace.band, recording.channel(trace.derivation.plus).rate_hz))
                for trace, fits in zip(self.traces, self.fits(recording), strict=True)
                if fits
            ),
        )

    def with_scales_of(self, shown: Montage, recording: Recording) -> Montage:
        """The same montage with the gains and heights of ``shown``, which was made of it by :meth:`fitting`."""
        scales = iter(shown.traces)
        traces = []
        for trace, fits in zip(self.traces, self.fits(recording), strict=True):
            changed = next(scales, None) if fits else None
            if changed is not None:
                trace = replace(trace, half_height=changed.half_height, height=changed.height)
            traces.append(trace)
        return replace(self, traces=tuple(traces))


AS_RECORDED = "As recorded"


def as_recorded(recording: Recording) -> Montage:
    """Return every channel as it is in the file, in the file's order, filtered as is usual for its role."""
    return Montage(
        AS_RECORDED, tuple(Trace(Derivation(channel.label), default_band(channel)) for channel in recording.channels)
    )


def derived_channel(recording: Recording, derivation: Derivation) -> Channel:
    """Return what a derivation is: its label, and rate, unit and role of its first channel.

    Raises ChannelError where a channel is missing, or where the channels differ in rate or unit.
    """
    channel = _derived(_by_label(recording), derivation)
    if isinstance(channel, Channel):
        return channel
    raise ChannelError(channel)


def shown_channel(recording: Recording, trace: Trace) -> Channel:
    """Return what a lane shows: as :func:`derived_channel`, with the lane's role where it has one of its own.

    The role decides on the usual band and on the scale to start with. Raises ChannelError as that does.
    """
    channel = derived_channel(recording, trace.derivation)
    return channel if trace.role is None else replace(channel, role=trace.role)


def unfit(recording: Recording, derivation: Derivation) -> str | None:
    """Return a sentence that says why a recording can't show a derivation, or None where it can."""
    channel = _derived(_by_label(recording), derivation)
    return None if isinstance(channel, Channel) else channel


def _by_label(recording: Recording) -> dict[str, Channel]:
    return {channel.label: channel for channel in recording.channels}


def _derived(channels: Mapping[str, Channel], derivation: Derivation) -> Channel | str:
    """Return what a derivation of channels is, or a sentence that says why it can't be."""
    absent = [label for label in dict.fromkeys(derivation.channels) if label not in channels]
    if absent:
        return f"{derivation.label} needs {', '.join(absent)}, which this recording does not have."
    first = channels[derivation.plus]
    if set(derivation.minus) == {first.label}:
        return f"{first.label} less itself is nothing; choose another channel to subtract."
    for other in (channels[label] for label in derivation.minus):
        if other.rate_hz != first.rate_hz or other.unit != first.unit:
            return (
                f"{first.label} ({first.rate_hz:g} Hz, {first.unit or 'no unit'}) and {other.label} "
                f"({other.rate_hz:g} Hz, {other.unit or 'no unit'}) can't be subtracted from each other."
            )
    return replace(first, label=derivation.label)


def read_derivation(recording: Recording, derivation: Derivation, start_s: float, stop_s: float) -> Samples:
    """Read a window of a derivation; as :meth:`Recording.read`, NaN where one of its channels is.

    Raises ChannelError and RecordingError as that does. Whether the channels can be subtracted at all,
    :func:`derived_channel` says once; it is not asked here at every page.
    """
    samples = recording.read(derivation.plus, start_s, stop_s)
    if not derivation.minus:
        return samples
    return samples - _mean(recording.read(label, start_s, stop_s) for label in derivation.minus)


def _mean(signals: Iterable[Samples]) -> Samples:
    several = list(signals)
    total = several[0].copy()
    for samples in several[1:]:
        total += samples
    total /= len(several)
    return total
