"""A whole night of one channel as an engine needs it: continuous, plausible, at one rate.

Engines filter and resample the night as one piece, which needs a number for every sample. Samples that are missing
are filled in for the filter's sake, and the epochs they lie in are marked and never scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import ChannelError, UnitError
from sleepviewer.recording.base import Recording, Samples
from sleepviewer.recording.units import amplitude_notes, interquartile_range
from sleepviewer.recording.units_told import AS_IT_IS
from sleepviewer.stages import EPOCH_S


@dataclass(frozen=True, slots=True, eq=False)
class NightSignal:
    """One channel of a night, whole epochs of it.

    ``samples`` is ``float32 [round(n_epochs * 30 * rate_hz)]`` in µV without NaN; ``missing`` is ``bool [n_epochs]``,
    true where an epoch has a gap or no signal; ``notes`` are sentences for the user.
    """

    label: str
    rate_hz: float
    samples: Samples
    missing: NDArray[np.bool_]
    notes: tuple[str, ...]

    def at_rate(self, rate_hz: float) -> Samples:
        """Return the samples resampled to another rate, ``float32 [round(n_epochs * 30 * rate_hz)]`` in µV.

        The whole night is resampled as one piece, so that epochs have no edges: polyphase filtering with the ratio
        of the rates (scipy's ``resample_poly``), a straight line through the ends standing in for what lies beyond.
        """
        if rate_hz == self.rate_hz:
            return self.samples
        from scipy.signal import resample_poly

        ratio = Fraction(rate_hz / self.rate_hz).limit_denominator(10_000)
        resampled = resample_poly(self.samples, ratio.numerator, ratio.denominator, padtype="line")
        wanted = round(len(self.missing) * EPOCH_S * rate_hz)
        if len(resampled) < wanted:  # a rate that is no ratio of small numbers
            resampled = np.pad(resampled, (0, wanted - len(resampled)), mode="edge")
        return np.asarray(resampled[:wanted], dtype=np.float32)


def read_signal(recording: Recording, label: str) -> NightSignal:
    """Read all whole epochs of one channel.

    Raises ChannelError for a channel that is absent, is no voltage, or has no signal anywhere, UnitError for one whose
    unit nobody has told, RecordingError where the file can't be read.
    """
    channel = recording.channel(label)
    notes = list(_unit_notes(recording, label))
    samples = np.array(recording.read(label, 0.0, recording.n_epochs * EPOCH_S), dtype=np.float32)
    gap, flat = _missing_epochs(samples, channel.rate_hz, recording.n_epochs)
    if (gap | flat).all():
        raise ChannelError(
            f"Channel “{label}” of {recording.name} has no signal in any whole epoch; choose another channel."
        )
    for epochs, what in ((gap, "no samples in part or all of them (gaps)"), (flat, "a flat line")):
        if count := int(epochs.sum()):
            notes.append(f"{count} of {recording.n_epochs} epochs of “{label}” hold {what} and are not scored.")
    for epoch in np.flatnonzero(flat):
        start, stop = (round(e * EPOCH_S * channel.rate_hz) for e in (epoch, epoch + 1))
        samples[start:stop] = np.nan
    notes.extend(amplitude_notes(interquartile_range(samples), label))
    return NightSignal(label, channel.rate_hz, fill_gaps(samples), gap | flat, tuple(notes))


def _unit_notes(recording: Recording, label: str) -> tuple[str, ...]:
    """Return what is to be said about the unit. Raises ChannelError where it is no voltage, UnitError where unknown."""
    channel = recording.channel(label)
    if channel.is_voltage:
        return ()
    if channel.unit.strip():
        raise ChannelError(
            f"Channel “{label}” of {recording.name} is in {channel.unit}, which is no voltage; choose an EEG channel."
        )
    if any(told.label == label for told in recording.told_units):
        return (f"“{label}” has no unit; its values were given to the model as if they were µV.",)
    raise UnitError(
        f"The file gives no unit for “{label}” of {recording.name}, and none is assumed; say which it is "
        f'(--unit "{label}=mV", or {AS_IT_IS} to score its numbers as they are).'
    )


def _missing_epochs(samples: Samples, rate_hz: float, n_epochs: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which epochs hold NaN and which hold one value alone, ``bool [n_epochs]`` each."""
    starts = np.round(np.arange(n_epochs) * EPOCH_S * rate_hz).astype(np.int64)
    if not len(samples) or not n_epochs or starts[-1] >= len(samples):
        everything = np.ones(n_epochs, dtype=bool)
        return everything, ~everything
    gap = np.logical_or.reduceat(np.isnan(samples), starts)
    flat = np.maximum.reduceat(samples, starts) == np.minimum.reduceat(samples, starts)
    return gap, flat & ~gap


def fill_gaps(samples: Samples) -> Samples:
    """Return the samples with every run of NaN filled from its neighbourhood; all NaN becomes zeros.

    A run is filled with the signal before it and the signal after it, both mirrored at its edges, faded from the one
    into the other. That has no step for a filter to ring on, and keeps the neighbourhood's amplitude and spectrum, so
    that features averaged over minutes are not drawn towards silence.
    """
    bad = np.isnan(samples)
    if not bad.any():
        return samples
    if bad.all():
        return np.zeros_like(samples)
    filled = samples.copy()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], bad, [False])).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    limits = np.append(starts[1:], len(samples))
    for start, stop, limit in zip(starts, stops, limits, strict=True):
        length = int(stop - start)
        before = filled[max(0, start - length) : start][::-1]
        after = filled[stop : min(limit, stop + length)]
        if not len(before):
            filled[start:stop] = _to_and_fro(after, length)[::-1]
        elif not len(after):
            filled[start:stop] = _to_and_fro(before, length)
        else:
            fade = (np.arange(length, dtype=np.float32) + 0.5) / length
            filled[start:stop] = (1 - fade) * _to_and_fro(before, length) + fade * _to_and_fro(after, length)[::-1]
    return filled


def _to_and_fro(source: Samples, length: int) -> Samples:
    """Return ``length`` samples of the source read forth and back over and over."""
    index = np.arange(length) % (2 * len(source))
    return source[np.minimum(index, 2 * len(source) - 1 - index)]
