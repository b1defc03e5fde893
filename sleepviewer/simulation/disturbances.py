"""Disturbances of a recorded EEG: pulled electrodes, movements, noise, gains, rates, gaps and short recordings.

:data:`DISTURBANCES` is the table. Each row changes one channel of a night in memory and reports the epochs that it
touched, so that a scoring can be compared with the expert's inside and outside of them. The same seed gives the same
samples. :class:`DisturbedRecording` gives the result to anything that reads a recording.

Amplitudes are in µV or, where the description says ×, multiples of the night's robust spread (:func:`robust_spread`).
Stretches are shortened, and counts reduced, where they would touch more than half of a short recording.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.recording.base import Channel, Gap, Recording, Samples
from sleepviewer.stages import EPOCH_S

Signal = NDArray[np.floating[Any]]
"""One channel of a night in µV, ``[n_samples]``; NaN where the recording has a gap."""

Touched = NDArray[np.bool_]
"""Which epochs hold samples that a disturbance replaced, ``bool [n_epochs]``."""

Change = Callable[[Signal, float, np.random.Generator], tuple[Signal, Touched]]
"""A function of samples, sampling rate and random generator that returns new samples and the touched epochs."""

RANGE_UV: Final = 3200.0
"""Half the range of the recorder: what a disturbance adds is clipped here, or at the night's own largest value."""

_IQR_OF_NORMAL: Final = 1.349
"""Interquartile range of a normal distribution with a standard deviation of 1."""

_MOVEMENT_BAND_HZ: Final = (0.5, 20.0)
_MINUTE_S: Final = 60.0


class Kind(StrEnum):
    """What a disturbance concerns."""

    ARTIFACT = "artifact"
    """Some epochs are unusable; the others keep their samples."""
    NOISE = "noise"
    """Noise over the whole night."""
    AMPLIFIER = "amplifier"
    """Gain, polarity, offset, hum, clipping or resolution of the whole night."""
    RATE = "rate"
    """Another sampling rate."""
    LENGTH = "length"
    """Only a part of the night is there."""


@dataclass(frozen=True, slots=True, eq=False)
class Disturbed:
    """A disturbed channel, or a piece of it.

    Attributes
    ----------
    samples: ``[n_samples]`` in µV, of the data type of the night; NaN where a gap is.
    rate_hz: samples per second.
    touched: ``bool [n_epochs]``, the epochs whose samples were replaced.
    first_epoch: index in the night of the first epoch.
    """

    samples: Signal
    rate_hz: float
    touched: Touched
    first_epoch: int = 0

    @property
    def n_epochs(self) -> int:
        """Number of whole epochs."""
        return len(self.touched)

    @property
    def wholly_touched(self) -> Touched:
        """Touched epochs without those at the ends of each run, of which some samples may be left.

        At the recording's own ends nothing is left out.
        """
        padded = np.concatenate(([True], self.touched, [True]))
        return np.asarray(self.touched & padded[:-2] & padded[2:])


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A row of the table: one way in which a recording can be disturbed.

    Attributes
    ----------
    name: short name, as on the command line.
    kind: what it concerns.
    description: one line.
    change: function that changes the samples; None changes none.
    rate_hz: sampling rate afterwards; None keeps the night's.
    piece_min: length in minutes of the pieces that the night is cut into; None leaves it whole.
    share: share of the night, from its beginning, that is left.
    clips: whether the result is clipped at :data:`RANGE_UV`.
    electrode_off: whether the touched epochs hold no EEG, so that no stage can be given to them.
    random: whether the result depends on the seed.
    """

    name: str
    kind: Kind
    description: str
    change: Change | None = None
    rate_hz: float | None = None
    piece_min: float | None = None
    share: float = 1.0
    clips: bool = True
    electrode_off: bool = False
    random: bool = False

    def apply(self, samples: Signal, rate_hz: float, seed: int = 0) -> tuple[Disturbed, ...]:
        """Disturb one channel of a night.

        Parameters
        ----------
        samples: ``[n_samples]`` in µV, whole epochs; NaN where the recording has a gap.
        rate_hz: samples per second.
        seed: of the random numbers.

        Returns
        -------
        The disturbed channel; where ``piece_min`` is set, its pieces, those in the middle of the night first. Samples
        keep their data type, and their number where neither rate nor length changes. Empty where the night is
        shorter than one piece.
        """
        changed, touched = samples, untouched(samples, rate_hz)
        if self.change is not None:
            changed, touched = self.change(samples, rate_hz, np.random.default_rng(seed))
            if self.clips:
                limit = max(RANGE_UV, float(np.nanmax(np.abs(samples))))
                changed = np.clip(changed, -limit, limit)
            changed = np.where(np.isnan(samples), np.nan, changed).astype(samples.dtype)
        rate_after_hz = rate_hz
        if self.rate_hz is not None and self.rate_hz != rate_hz:
            changed, rate_after_hz = _resampled(changed, rate_hz, self.rate_hz, len(touched)), self.rate_hz
        whole = Disturbed(changed, rate_after_hz, touched)
        if self.piece_min is not None:
            length = round(self.piece_min * _MINUTE_S / EPOCH_S)
            return tuple(_piece(whole, start, start + length) for start in _piece_starts(len(touched), length))
        if self.share < 1.0:
            return (_piece(whole, 0, max(1, round(self.share * len(touched)))),)
        return (whole,)


class DisturbedRecording(Recording):
    """A disturbed channel in memory with the interface of a recording.

    It has that channel alone. Stretches of NaN are its gaps; name, format and clock are the source's.

    Parameters
    ----------
    source: the recording that the channel comes from.
    label: the channel.
    disturbed: its samples.
    """

    def __init__(self, source: Recording, label: str, disturbed: Disturbed) -> None:
        channel = source.channel(label)
        rate_hz = disturbed.rate_hz
        self.path = source.path
        self.format_name = source.format_name
        self.start = source.clock(disturbed.first_epoch * EPOCH_S)
        self.duration_s = disturbed.n_epochs * EPOCH_S
        self.simulated = source.simulated
        self.told_units = source.told_units
        self._samples: Samples = np.asarray(disturbed.samples, dtype=np.float32)
        missing = np.isnan(self._samples)
        self.channels = (
            Channel(
                label=label,
                file_label=channel.file_label,
                rate_hz=rate_hz,
                n_samples=int((~missing).sum()),
                unit=channel.unit,
                file_unit=channel.file_unit,
                role=channel.role,
                prefilter=channel.prefilter,
            ),
        )
        edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype(np.int8)))
        self.gaps = tuple(
            Gap(float(start / rate_hz), float(stop / rate_hz))
            for start, stop in zip(edges[::2], edges[1::2], strict=True)
        )

    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        """Read a window of the channel; see :meth:`Recording.read`."""
        rate_hz = self.channel(label).rate_hz
        start, stop = round(start_s * rate_hz), round(stop_s * rate_hz)
        window = np.full(max(0, stop - start), np.nan, dtype=np.float32)
        first, last = max(0, start), min(len(self._samples), stop)
        if first < last:
            window[first - start : last - start] = self._samples[first:last]
        return window


def robust_spread(samples: Signal) -> float:
    """Return the standard deviation of a normal distribution with the samples' interquartile range, NaN left out."""
    low, high = np.nanquantile(samples, (0.25, 0.75))
    return float(high - low) / _IQR_OF_NORMAL


def n_epochs_of(samples: Signal, rate_hz: float) -> int:
    """Return the number of whole epochs."""
    return int((len(samples) / rate_hz + 1e-6) // EPOCH_S)


def untouched(samples: Signal, rate_hz: float) -> Touched:
    """Return false for every epoch, ``bool [n_epochs]``."""
    return np.zeros(n_epochs_of(samples, rate_hz), dtype=bool)


def changed_epochs(before: Signal, after: Signal, rate_hz: float) -> Touched:
    """Return which epochs hold a sample that differs, ``bool [n_epochs]``; NaN equals NaN."""
    n_epochs = n_epochs_of(before, rate_hz)
    starts = np.round(np.arange(n_epochs) * EPOCH_S * rate_hz).astype(np.int64)
    stop = round(n_epochs * EPOCH_S * rate_hz)
    differs = (before != after) & ~(np.isnan(before) & np.isnan(after))
    return np.asarray(np.logical_or.reduceat(differs[:stop], starts))


# Artifacts: some epochs are unusable.


def pulled_electrode(
    samples: Signal, rate_hz: float, rng: np.random.Generator, *, epochs: int, at_end: bool, peak_uv: float
) -> tuple[Signal, Touched]:
    """Replace the first or last epochs with white noise, uniform between ± ``peak_uv``."""
    n = round(min(epochs, n_epochs_of(samples, rate_hz) / 2) * EPOCH_S * rate_hz)
    return _replaced(samples, rate_hz, len(samples) - n if at_end else 0, rng.uniform(-peak_uv, peak_uv, n))


def electrode_off(
    samples: Signal,
    rate_hz: float,
    rng: np.random.Generator,
    *,
    minutes: float,
    noise_uv: float,
    at_end: bool = False,
) -> tuple[Signal, Touched]:
    """Replace a stretch in the middle or at the end with white noise; it begins in the middle of an epoch."""
    epochs = min(minutes * _MINUTE_S / EPOCH_S, n_epochs_of(samples, rate_hz) / 2)
    n_epochs = n_epochs_of(samples, rate_hz)
    first = int(n_epochs - epochs if at_end else (n_epochs - epochs) / 2) + 0.5
    start = round(first * EPOCH_S * rate_hz)
    n = len(samples) - start if at_end else round(epochs * EPOCH_S * rate_hz)
    return _replaced(samples, rate_hz, start, noise_uv * rng.standard_normal(n))


def movement_at_end(
    samples: Signal, rate_hz: float, rng: np.random.Generator, *, epochs: int, sd_uv: float
) -> tuple[Signal, Touched]:
    """Add movement to the last epochs."""
    n = round(min(epochs, n_epochs_of(samples, rate_hz) / 2) * EPOCH_S * rate_hz)
    changed = samples.copy()
    changed[-n:] += sd_uv * movement_noise(n, rate_hz, rng)
    return changed, changed_epochs(samples, changed, rate_hz)


def movements(
    samples: Signal, rate_hz: float, rng: np.random.Generator, *, count: int, seconds: float, sd_uv: float
) -> tuple[Signal, Touched]:
    """Add short movements, spread over the night."""
    n = round(seconds * rate_hz)
    changed = samples.copy()
    for start in _spread_starts(samples, rate_hz, count, n, rng):
        changed[start : start + n] += sd_uv * movement_noise(n, rate_hz, rng)
    return changed, changed_epochs(samples, changed, rate_hz)


def spikes(
    samples: Signal, rate_hz: float, rng: np.random.Generator, *, count: int, peak_uv: float
) -> tuple[Signal, Touched]:
    """Replace single samples with ± ``peak_uv``."""
    changed = samples.copy()
    places = np.array(_spread_starts(samples, rate_hz, count, 1, rng), dtype=np.intp)
    changed[places] = peak_uv * rng.choice((-1.0, 1.0), size=len(places))
    return changed, changed_epochs(samples, changed, rate_hz)


def gaps(
    samples: Signal, rate_hz: float, rng: np.random.Generator, *, count: int, longest_epochs: int
) -> tuple[Signal, Touched]:
    """Remove stretches of one to ``longest_epochs`` epochs' length that begin anywhere."""
    longest = round(longest_epochs * EPOCH_S * rate_hz)
    changed = samples.copy()
    for start in _spread_starts(samples, rate_hz, count, longest, rng):
        changed[start : start + round(rng.uniform(EPOCH_S * rate_hz, longest))] = np.nan
    return changed, changed_epochs(samples, changed, rate_hz)


# Noise over the whole night.


def white_noise(
    samples: Signal, rate_hz: float, rng: np.random.Generator, *, times_spread: float
) -> tuple[Signal, Touched]:
    """Add white noise."""
    changed = samples + times_spread * robust_spread(samples) * rng.standard_normal(len(samples))
    return changed, untouched(samples, rate_hz)


# The recorder: gain, offset, hum, clipping, resolution.


def gain(samples: Signal, rate_hz: float, _rng: np.random.Generator, *, factor: float) -> tuple[Signal, Touched]:
    """Multiply by a factor."""
    return factor * samples, untouched(samples, rate_hz)


def hum(
    samples: Signal, rate_hz: float, rng: np.random.Generator, *, peak_uv: float = 0.0, times_spread: float = 0.0
) -> tuple[Signal, Touched]:
    """Add a sine of 50 Hz with a random phase."""
    peak = peak_uv + times_spread * robust_spread(samples)
    phase = rng.uniform(0, 2 * np.pi)
    changed = samples + peak * np.sin(2 * np.pi * 50.0 * _seconds(samples, rate_hz) + phase)
    return changed, untouched(samples, rate_hz)


def drift(samples: Signal, rate_hz: float, _rng: np.random.Generator, *, total_uv: float) -> tuple[Signal, Touched]:
    """Add a straight line from 0 to ``total_uv``."""
    return samples + np.linspace(0.0, total_uv, len(samples)), untouched(samples, rate_hz)


def swings(
    samples: Signal, rate_hz: float, rng: np.random.Generator, *, peak_uv: float, frequency_hz: float
) -> tuple[Signal, Touched]:
    """Add a slow sine with a random phase."""
    phase = rng.uniform(0, 2 * np.pi)
    changed = samples + peak_uv * np.sin(2 * np.pi * frequency_hz * _seconds(samples, rate_hz) + phase)
    return changed, untouched(samples, rate_hz)


def step(samples: Signal, rate_hz: float, _rng: np.random.Generator, *, height_uv: float) -> tuple[Signal, Touched]:
    """Add a constant from the middle of the middle epoch to the end; that epoch is the touched one."""
    touched = untouched(samples, rate_hz)
    middle = len(touched) // 2
    touched[middle] = True
    changed = samples.copy()
    changed[round((middle + 0.5) * EPOCH_S * rate_hz) :] += height_uv
    return changed, touched


def clipping(
    samples: Signal, rate_hz: float, _rng: np.random.Generator, *, times_spread: float
) -> tuple[Signal, Touched]:
    """Clip at a distance from the median."""
    center, limit = float(np.nanmedian(samples)), times_spread * robust_spread(samples)
    return np.clip(samples, center - limit, center + limit), untouched(samples, rate_hz)


def quantization(
    samples: Signal, rate_hz: float, _rng: np.random.Generator, *, bits: int, step_times_spread: float
) -> tuple[Signal, Touched]:
    """Round to ``2**bits`` levels around the median; what lies beyond gets the outermost level."""
    center, size = float(np.nanmedian(samples)), step_times_spread * robust_spread(samples)
    levels = np.clip(np.round((samples - center) / size), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return center + size * levels, untouched(samples, rate_hz)


# Parts of the night.


def missing(
    samples: Signal, rate_hz: float, _rng: np.random.Generator, *, start: float, stop: float
) -> tuple[Signal, Touched]:
    """Remove whole epochs between two shares of the night."""
    n_epochs = n_epochs_of(samples, rate_hz)
    first, last = (round(round(share * n_epochs) * EPOCH_S * rate_hz) for share in (start, stop))
    return _replaced(samples, rate_hz, first, np.full(last - first, np.nan))


def movement_noise(n_samples: int, rate_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise of unit variance whose power falls as 1/frequency from 0.5 to 20 Hz, with nothing beyond."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    frequencies = np.fft.rfftfreq(n_samples, 1 / rate_hz)
    low, high = _MOVEMENT_BAND_HZ
    inside = (frequencies >= low) & (frequencies <= high)
    spectrum[~inside] = 0.0
    spectrum[inside] /= np.sqrt(frequencies[inside])
    noise = np.fft.irfft(spectrum, n_samples)
    return np.asarray(noise / noise.std())


def _replaced(samples: Signal, rate_hz: float, start: int, values: NDArray[np.float64]) -> tuple[Signal, Touched]:
    changed = samples.copy()
    changed[start : start + len(values)] = values
    return changed, changed_epochs(samples, changed, rate_hz)


def _seconds(samples: Signal, rate_hz: float) -> NDArray[np.float64]:
    return np.arange(len(samples)) / rate_hz


def _spread_starts(samples: Signal, rate_hz: float, count: int, length: int, rng: np.random.Generator) -> list[int]:
    """Return starts of ``count`` stretches of ``length`` samples, one anywhere in each of as many equal parts.

    There are fewer where they could touch more than half of the epochs, but at least one.
    """
    epochs_each = 1 + int(np.ceil((length - 1) / (EPOCH_S * rate_hz)))
    count = max(1, min(count, n_epochs_of(samples, rate_hz) // (2 * epochs_each)))
    part = len(samples) / count
    return [int(index * part + rng.uniform(0, max(0.0, part - length))) for index in range(count)]


def _resampled(samples: Signal, rate_hz: float, rate_after_hz: float, n_epochs: int) -> Signal:
    """Return the samples at another rate (polyphase filtering); gaps stay where they are."""
    from scipy.signal import resample_poly

    bad = np.isnan(samples)
    index = np.arange(len(samples))
    filled = np.interp(index, index[~bad], samples[~bad]) if bad.any() and not bad.all() else samples
    ratio = Fraction(rate_after_hz / rate_hz).limit_denominator(10_000)
    resampled = np.asarray(resample_poly(filled, ratio.numerator, ratio.denominator, padtype="line"))
    wanted = round(n_epochs * EPOCH_S * rate_after_hz)
    resampled = np.pad(resampled, (0, max(0, wanted - len(resampled))), mode="edge")[:wanted]
    source = np.minimum((np.arange(wanted) * rate_hz / rate_after_hz).astype(np.int64), len(samples) - 1)
    return np.where(bad[source], np.nan, resampled).astype(samples.dtype)


def _piece(whole: Disturbed, start: int, stop: int) -> Disturbed:
    """Return the epochs ``start`` ≤ e < ``stop`` of a night."""
    first, last = (round(epoch * EPOCH_S * whole.rate_hz) for epoch in (start, stop))
    return Disturbed(whole.samples[first:last], whole.rate_hz, whole.touched[start:stop], whole.first_epoch + start)


def _piece_starts(n_epochs: int, length: int) -> list[int]:
    """Return the first epochs of as many pieces as fit side by side around the middle, the middle ones first."""
    count = n_epochs // length
    margin = (n_epochs - count * length) // 2
    starts = [margin + index * length for index in range(count)]
    return sorted(starts, key=lambda start: abs(start + length / 2 - n_epochs / 2))


_HOUR_MIN: Final = 60.0

DISTURBANCES: Final[tuple[Disturbance, ...]] = (
    Disturbance(
        "pulled-last-2",
        Kind.ARTIFACT,
        "electrode pulled: white noise of ±3 mV in the last 2 epochs",
        partial(pulled_electrode, epochs=2, at_end=True, peak_uv=3000.0),
        random=True,
    ),
    Disturbance(
        "pulled-first",
        Kind.ARTIFACT,
        "electrode not yet on: white noise of ±3 mV in the first epoch",
        partial(pulled_electrode, epochs=1, at_end=False, peak_uv=3000.0),
        random=True,
    ),
    Disturbance(
        "movement-last-10",
        Kind.ARTIFACT,
        "movement in the last 10 epochs: 1/f, 0.5 to 20 Hz, SD 1 mV",
        partial(movement_at_end, epochs=10, sd_uv=1000.0),
        random=True,
    ),
    Disturbance(
        "movements-20",
        Kind.ARTIFACT,
        "20 movements of 10 s, SD 1 mV",
        partial(movements, count=20, seconds=10.0, sd_uv=1000.0),
        random=True,
    ),
    Disturbance(
        "movements-40-weak",
        Kind.ARTIFACT,
        "40 movements of 10 s, SD 300 µV",
        partial(movements, count=40, seconds=10.0, sd_uv=300.0),
        random=True,
    ),
    Disturbance(
        "spikes-30",
        Kind.ARTIFACT,
        "30 single samples of ±3 mV",
        partial(spikes, count=30, peak_uv=3000.0),
        random=True,
    ),
    Disturbance(
        "spike-10mv",
        Kind.ARTIFACT,
        "one sample of ±10 mV",
        partial(spikes, count=1, peak_uv=10_000.0),
        clips=False,
        random=True,
    ),
    Disturbance(
        "gaps-20",
        Kind.ARTIFACT,
        "20 gaps of 1 to 4 epochs' length",
        partial(gaps, count=20, longest_epochs=4),
        random=True,
    ),
    Disturbance(
        "off-150min",
        Kind.ARTIFACT,
        "electrode off for 150 min in the middle: noise of 0.3 µV",
        partial(electrode_off, minutes=150.0, noise_uv=0.3),
        electrode_off=True,
        random=True,
    ),
    Disturbance(
        "off-last-60min",
        Kind.ARTIFACT,
        "electrode off for the last 60 min: noise of 0.3 µV",
        partial(electrode_off, minutes=_HOUR_MIN, noise_uv=0.3, at_end=True),
        electrode_off=True,
        random=True,
    ),
    Disturbance(
        "off-30min-2uv",
        Kind.ARTIFACT,
        "electrode off for 30 min in the middle: noise of 2 µV",
        partial(electrode_off, minutes=30.0, noise_uv=2.0),
        electrode_off=True,
        random=True,
    ),
    *(
        Disturbance(
            f"noise-{times:.1f}",
            Kind.NOISE,
            f"white noise, SD {times:.1f} × the night's spread",
            partial(white_noise, times_spread=times),
            random=True,
        )
        for times in (0.5, 0.7, 1.0)
    ),
    *(
        Disturbance(
            f"gain-{factor:g}",
            Kind.AMPLIFIER,
            f"all values × {factor:g}",
            partial(gain, factor=factor),
            clips=False,
        )
        for factor in (0.2, 0.5, 2.0, 5.0)
    ),
    Disturbance("polarity", Kind.AMPLIFIER, "polarity reversed", partial(gain, factor=-1.0)),
    Disturbance("hum-30uv", Kind.AMPLIFIER, "hum of 50 Hz, 30 µV", partial(hum, peak_uv=30.0), random=True),
    Disturbance(
        "hum-3x", Kind.AMPLIFIER, "hum of 50 Hz, 3 × the night's spread", partial(hum, times_spread=3.0), random=True
    ),
    Disturbance("drift-2mv", Kind.AMPLIFIER, "drift of 2 mV over the night", partial(drift, total_uv=2000.0)),
    Disturbance(
        "swings-300uv",
        Kind.AMPLIFIER,
        "swings of ±300 µV at 0.05 Hz",
        partial(swings, peak_uv=300.0, frequency_hz=0.05),
        random=True,
    ),
    Disturbance("clipped-3x", Kind.AMPLIFIER, "clipped at ±3 × the spread", partial(clipping, times_spread=3.0)),
    Disturbance(
        "step-3mv", Kind.AMPLIFIER, "offset of 3 mV from the middle on", partial(step, height_uv=3000.0), clips=False
    ),
    Disturbance(
        "8-bit",
        Kind.AMPLIFIER,
        "8 bits instead of 16: steps of 0.1 × the night's spread",
        partial(quantization, bits=8, step_times_spread=0.1),
    ),
    *(
        Disturbance(f"rate-{rate_hz:g}", Kind.RATE, f"resampled to {rate_hz:g} Hz", rate_hz=rate_hz)
        for rate_hz in (64.0, 100.0, 200.0, 256.0, 512.0)
    ),
    Disturbance(
        "missing-middle",
        Kind.LENGTH,
        "gap in the middle half of the night",
        partial(missing, start=0.25, stop=0.75),
    ),
    Disturbance(
        "missing-first-half", Kind.LENGTH, "gap in the first half of the night", partial(missing, start=0.0, stop=0.5)
    ),
    Disturbance("cut-second-half", Kind.LENGTH, "recording ended after half the night", share=0.5),
    *(
        Disturbance(f"nap-{minutes:g}min", Kind.LENGTH, f"recordings of {minutes:g} min", piece_min=minutes)
        for minutes in (90.0, 30.0, 10.0)
    ),
)
"""The table of disturbances."""


def find_disturbances(names: tuple[str, ...]) -> tuple[Disturbance, ...]:
    """Return the rows of these names in the table's order; all rows where no name is given.

    Raises ValueError for an unknown name.
    """
    if unknown := sorted(set(names) - {row.name for row in DISTURBANCES}):
        known = ", ".join(row.name for row in DISTURBANCES)
        raise ValueError(f"unknown disturbance {', '.join(unknown)}; there are: {known}")
    return tuple(row for row in DISTURBANCES if not names or row.name in names)
