"""A whole night of one channel as an engine needs it: continuous, plausible, at one rate.

Engines filter and resample the night as one piece, which needs a number for every sample. Missing samples are filled
in for the filter's sake, and the epochs they lie in are marked and never scored; so are epochs whose signal is unusable
(see :mod:`sleepviewer.recording.quality`), unless the user wants them scored anyway. Single bad seconds of a usable
epoch are filled in as well, so that neither they nor a filter's ringing after them changes what surrounds them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import ChannelError, UnitError
from sleepviewer.recording.base import Recording, Samples
from sleepviewer.recording.quality import BAD_KINDS, QualityKind, SignalQuality, assess, assess_epochs
from sleepviewer.recording.quality_measures import SECONDS
from sleepviewer.recording.units import amplitude_notes, interquartile_range, usual_gain
from sleepviewer.recording.units_told import AS_IT_IS
from sleepviewer.stages import EPOCH_S

NO_SIGNAL: Final = frozenset({QualityKind.GAP, QualityKind.FLAT})
"""What makes an epoch of an EOG or EMG unusable: eyes and muscles do move far beyond their usual amplitude."""
UNUSABLE: Final = frozenset(BAD_KINDS)
"""What makes an epoch of an EEG unusable."""
_FILLED: Final = frozenset({QualityKind.EXTREME, QualityKind.FLAT, QualityKind.LINE_NOISE})
"""Seconds that are filled in where their epoch is usable; a clipped one still holds most of its EEG."""


@dataclass(frozen=True, slots=True, eq=False)
class NightSignal:
    """One channel of a night, whole epochs of it.

    Attributes
    ----------
    label, rate_hz: of the channel.
    samples: ``float32 [round(n_epochs * 30 * rate_hz)]`` in µV without NaN.
    missing: ``bool [n_epochs]``, true where an epoch is not scored: it has a gap, or its signal is unusable.
    notes: sentences for the user.
    quality: of the signal as it was recorded; None counts every epoch as clean.
    """

    label: str
    rate_hz: float
    samples: Samples
    missing: NDArray[np.bool_]
    notes: tuple[str, ...] = ()
    quality: SignalQuality | None = None

    @classmethod
    def of_epochs(cls, label: str, rate_hz: float, epochs: NDArray[np.float32]) -> Self:
        """Return the signal of single epochs ``[n, samples]`` in µV without gaps, as an archive holds them."""
        samples = np.ascontiguousarray(epochs, dtype=np.float32)
        quality = assess_epochs(samples, rate_hz)
        return cls(label, rate_hz, samples.reshape(-1), np.zeros(len(samples), dtype=bool), quality=quality)

    @property
    def clean(self) -> NDArray[np.bool_]:
        """Which epochs estimates of the whole night may use, ``bool [n_epochs]``: all that are there if none is clean.

        An artifact in them would change the scaling of every other epoch.
        """
        there = ~self.missing
        clean = there if self.quality is None else there & self.quality.clean
        return clean if clean.any() else there

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


def read_signal(
    recording: Recording, label: str, *, unusable: frozenset[QualityKind] = UNUSABLE, score_unusable: bool = False
) -> NightSignal:
    """Read all whole epochs of one channel.

    Epochs whose signal is of an ``unusable`` kind are not scored; with ``score_unusable`` only those without samples.

    Raises ChannelError for a channel that is absent, is no voltage, or has no signal anywhere, UnitError for one whose
    unit nobody has told, RecordingError where the file can't be read.
    """
    channel = recording.channel(label)
    notes = _unit_notes(recording, label)
    samples = np.array(recording.read(label, 0.0, recording.n_epochs * EPOCH_S), dtype=np.float32)
    if score_unusable:
        unusable = frozenset({QualityKind.GAP})
    signal = prepare_signal(
        samples, label, channel.rate_hz, recording.n_epochs, unusable=unusable, in_uv=channel.is_voltage
    )
    quality = signal.quality
    assert quality is not None
    if signal.missing.all():
        sentence = (
            f"Channel “{label}” of {recording.name} has no usable signal in any whole epoch "
            f"({_kinds_found(quality)}); choose another channel."
        )
        raise ChannelError(" ".join((sentence, *(note for note in signal.notes if "implausibly" in note))))
    if score_unusable and (count := int((~quality.usable & ~signal.missing).sum())):
        notes += (f"{count} epochs of “{label}” were scored although their signal is unusable.",)
    return replace(signal, notes=(*notes, *signal.notes))


def prepare_signal(
    samples: Samples,
    label: str,
    rate_hz: float,
    n_epochs: int,
    *,
    unusable: frozenset[QualityKind] = UNUSABLE,
    in_uv: bool = True,
) -> NightSignal:
    """Return samples ``float32 [n]`` in µV, NaN in gaps, as engines take them; ``samples`` is changed in place.

    Where the unit is not known (``in_uv`` False) the night's own spread is taken for that of an EEG, so that quality is
    judged relative to it alone. Notes say which epochs are not scored, and whether the amplitude is implausible.
    """
    quality = assess(samples if in_uv else samples * usual_gain(samples), rate_hz, n_epochs)
    missing = np.isin(quality.kinds, list(unusable))
    notes = list(quality.notes(label, unusable))
    clean = _clean_samples(samples, quality, rate_hz)
    if np.isfinite(clean).any() and np.nanmax(clean) > np.nanmin(clean):
        notes.extend(amplitude_notes(interquartile_range(clean), label))
    _blank(samples, quality, missing, rate_hz, unusable & _FILLED)
    return NightSignal(label, rate_hz, fill_gaps(samples), missing, tuple(notes), quality)


def _kinds_found(quality: SignalQuality) -> str:
    return ", ".join(f"{count} × {kind.label}" for kind, count in quality.counts().items() if count)


def _clean_samples(samples: Samples, quality: SignalQuality, rate_hz: float) -> Samples:
    """Return the samples of the clean epochs; all where none is clean."""
    if not quality.clean.any():
        return samples
    width = round(EPOCH_S * rate_hz)
    whole = len(samples) // width
    return np.asarray(samples[: whole * width].reshape(whole, width)[quality.clean[:whole]].reshape(-1))


def _blank(
    samples: Samples,
    quality: SignalQuality,
    missing: NDArray[np.bool_],
    rate_hz: float,
    filled: frozenset[QualityKind],
) -> None:
    """Put NaN, in place, where :func:`fill_gaps` shall fill in: epochs that are not scored, bad seconds of others."""
    bad = np.isin(quality.seconds, list(filled))
    bad[missing] = True
    for second in np.flatnonzero(bad.reshape(-1)):
        start, stop = (round(s * rate_hz * EPOCH_S / SECONDS) for s in (second, second + 1))
        samples[start:stop] = np.nan


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
