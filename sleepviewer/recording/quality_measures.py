"""Measures of every second of a channel, from which :mod:`sleepviewer.recording.quality` decides what is bad.

A second's samples are projected, by least squares, on an offset and a slope, on 50 and 60 Hz (with the first and second
power of time, so that mains that are up to 0.3 Hz off are taken out as well), and on sines and cosines of 1 to 20 and
of 21 to 30 Hz. Each of these groups holds what the ones before it leave. The in-band RMS is that of the 1-to-20-Hz
group: amplifier noise, which is white, has little of its power there, and mains none. At rates at which 50 or 60 Hz lie
above half of the rate, their aliases are taken out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SECONDS: Final = 30
"""Seconds in an epoch."""

MAINS_HZ: Final = (50.0, 60.0)
LOWER_HZ: Final = (1, 5)
MIDDLE_HZ: Final = (6, 10)
UPPER_HZ: Final = (11, 16)
ABOVE_HZ: Final = (17, 30)
"""First and last frequency of groups of sines and cosines, a hertz apart."""

LEAST_RATE_HZ: Final = 16.0
"""Below this rate, there is no band to measure."""

RUN_S: Final = 0.01
RUN_SAMPLES: Final = 3
"""Equal samples in a row, at least, that are a run: FieldTrip's ``ft_artifact_clip`` takes 10 ms; two equal samples are
frequent in any digitized signal."""

_CHUNK: Final = 32
"""Epochs that are measured at a time: their samples fit into a processor's cache."""

_LINE_SHARE: Final = 0.05
"""Mains whose RMS is above this share of a second's peak-to-peak amplitude are taken out of the amplitude."""

LEAST_ALIAS_HZ: Final = 20.0
"""Mains whose alias is below this frequency are not looked for: they can't be told from an EEG, and a recorder that
samples at such a rate (64 Hz, for instance) filters them out before."""

_MAINS_ORDERS: Final = 4
"""Powers of time by which the mains are multiplied: with four, mains that are 0.3 Hz off are taken out to 0.1 %."""

_NEW_SHARE: Final = 0.02
"""Functions of which less than this share is new to the groups before are left out."""

_WAVES: Final = (np.cos, np.sin)


@dataclass(frozen=True, slots=True, eq=False)
class SecondMeasures:
    """Measures of seconds, ``float32 [n_seconds]`` each; NaN where a sample is missing.

    Attributes
    ----------
    rate_hz: the sampling rate.
    run: samples from which on equal ones are a run at this rate.
    level: RMS from 1 to 16 Hz, µV.
    lower, upper: mean square of a function of 1 to 5 Hz, and of 11 to 16 Hz, µV²; equal for white noise.
    power: mean square without offset, slope and mains, µV².
    fast: what of ``power`` is above 30 Hz, µV².
    line: RMS of the mains, µV.
    span: peak-to-peak amplitude without mains, µV.
    high, low: largest and smallest sample, µV.
    run_high, run_low: samples in the longest run of equal samples at ``high`` and at ``low``; 0 if it is no run.
    """

    rate_hz: float
    run: int
    level: Floats
    lower: Floats
    upper: Floats
    power: Floats
    fast: Floats
    line: Floats
    span: Floats
    high: Floats
    low: Floats
    run_high: Floats
    run_low: Floats


def measure_samples(samples: Floats, rate_hz: float, n_epochs: int) -> SecondMeasures:
    """Measure the seconds of ``n_epochs`` epochs of a recording, ``samples`` ``float32 [n]`` in µV at ``rate_hz``.

    Samples that are missing at the end are NaN, but for less than a second: there the last sample is repeated.
    """
    length = max(math.ceil(rate_hz - 1e-6), 1)
    seconds = n_epochs * SECONDS
    starts = np.floor(np.arange(seconds) * rate_hz + 1e-6).astype(np.intp)
    needed = int(starts[-1]) + length if seconds else 0
    found = _empty(seconds, rate_hz)
    step = _CHUNK * SECONDS
    for first in range(0, seconds, step):
        at = starts[first : first + step]
        begin, end = int(at[0]), int(at[-1]) + length
        part = samples[begin:end]
        if len(part) < end - begin:
            missing = end - begin - len(part)
            fill = part[-1] if len(part) and needed - len(samples) < rate_hz else np.nan
            part = np.concatenate([part, np.full(missing, fill, dtype=np.float32)])
        if length * len(at) == len(part):
            rows = part.reshape(len(at), length)
        else:
            rows = np.lib.stride_tricks.sliding_window_view(part, length)[at - begin]
        _measure(rows, found, first)
    return found


def measure_epochs(epochs: Floats, rate_hz: float) -> SecondMeasures:
    """Measure the seconds of epochs ``float32 [m, samples]`` in µV at ``rate_hz``."""
    n, samples = epochs.shape
    found = _empty(n * SECONDS, rate_hz)
    length = min(max(math.ceil(rate_hz - 1e-6), 1), samples)
    starts = np.minimum(np.floor(np.arange(SECONDS) * rate_hz + 1e-6).astype(np.intp), samples - length)
    for first in range(0, n, _CHUNK):
        part = epochs[first : first + _CHUNK]
        if samples == length * SECONDS:
            rows = part.reshape(-1, length)
        else:
            rows = np.lib.stride_tricks.sliding_window_view(part, length, axis=1)[:, starts].reshape(-1, length)
        _measure(rows, found, first * SECONDS)
    return found


def _empty(n: int, rate_hz: float) -> SecondMeasures:
    run = max(RUN_SAMPLES, math.ceil(RUN_S * rate_hz))
    return SecondMeasures(rate_hz, run, *(np.full(n, np.nan, dtype=np.float32) for _ in range(11)))


def _measure(rows: Floats, found: SecondMeasures, first: int) -> None:
    """Measure seconds ``float32 [n, length]`` and put what is found in place, from second ``first`` on."""
    n, length = rows.shape
    here = slice(first, first + n)
    high, low = rows.max(axis=1), rows.min(axis=1)
    if found.rate_hz < LEAST_RATE_HZ:
        found.level[here] = found.span[here] = high - low
        return
    found.high[here], found.low[here] = high, low
    centered = rows - rows.mean(axis=1, keepdims=True)
    functions = _functions(length, found.rate_hz)
    parts = [centered @ group for group in functions[:-1]]
    slope, curve, line, lower, middle, upper, above = (np.einsum("ij,ij->i", part, part) / length for part in parts)
    band = lower + middle + upper
    power = np.einsum("ij,ij->i", centered, centered) / length - slope - line
    found.level[here] = np.sqrt(band)
    found.lower[here] = lower / max(functions.lower.shape[1], 1)
    found.upper[here] = upper / max(functions.upper.shape[1], 1)
    found.power[here] = np.maximum(power, 0)
    found.fast[here] = np.maximum(power - curve - band - above, 0) if above.any() else 0
    found.line[here] = rms = np.sqrt(line)
    found.span[here] = span = high - low
    hum = np.flatnonzero(rms > _LINE_SHARE * span)
    if len(hum):
        left = centered[hum] - parts[2][hum] @ functions.hum.T
        found.span[first + hum] = left.max(axis=1) - left.min(axis=1)
    _measure_runs(rows, found, first)


def _measure_runs(rows: Floats, found: SecondMeasures, first: int) -> None:
    n, length = rows.shape
    here = slice(first, first + n)
    found.run_high[here] = found.run_low[here] = 0
    if length < found.run:
        return
    equal = rows[:, 1:] == rows[:, :-1]
    for _ in range(found.run - 2):
        equal = equal[:, 1:] & equal[:, :-1]
    among = np.flatnonzero(equal.any(axis=1))
    for extremes, runs in ((found.high, found.run_high), (found.low, found.run_low)):
        longest = _longest(rows[among] == extremes[first + among, None])
        runs[first + among] = np.where(longest >= found.run, longest, 0)


def _longest(there: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the length of the longest run of True of every row, ``bool [n, length]``."""
    places = np.arange(1, there.shape[1] + 1, dtype=np.int32)
    last_false = np.maximum.accumulate(np.where(there, 0, places), axis=1)
    return np.asarray((places - last_false).max(axis=1, initial=0))


class _Functions(NamedTuple):
    """Orthonormal functions of a second, ``float32 [length, k]`` each; every group holds what is new to those before.

    ``hum`` ``[length, k]`` are the mains themselves for the coefficients of ``mains``, with what they have of a slope.
    """

    slope: Floats
    curve: Floats
    mains: Floats
    lower: Floats
    middle: Floats
    upper: Floats
    above: Floats
    hum: Floats


@lru_cache(maxsize=16)
def _functions(length: int, rate_hz: float) -> _Functions:
    t = (np.arange(length) - (length - 1) / 2) / rate_hz
    turn = 2 * np.pi * t
    there = [hz for hz in MAINS_HZ if abs(hz - rate_hz * round(hz / rate_hz)) >= LEAST_ALIAS_HZ]
    mains = [f(turn * hz) * (2 * t) ** order for hz in there for order in range(_MAINS_ORDERS) for f in _WAVES]
    bands = [
        [f(turn * hz) for hz in range(first, last + 1) if hz < rate_hz / 2 for f in _WAVES]
        for first, last in (LOWER_HZ, MIDDLE_HZ, UPPER_HZ, ABOVE_HZ)
    ]
    known = np.full((length, 1), 1 / math.sqrt(length))
    groups, hum = [], known
    for functions in ([t], [t**2, t**3], mains, *bands):
        given = np.stack(functions, axis=1) if functions else np.empty((length, 0))
        given = given / np.maximum(np.linalg.norm(given, axis=0), 1e-9)
        new, sizes, mix = np.linalg.svd(given - known @ (known.T @ given), full_matrices=False)
        kept = sizes > _NEW_SHARE
        groups.append(new[:, kept])
        if functions is mains:
            hum = given @ (mix[kept].T / sizes[kept])
        known = np.concatenate([known, new[:, kept]], axis=1)
    return _Functions(*(np.ascontiguousarray(group, dtype=np.float32) for group in (*groups, hum)))
