"""Least and greatest values of a derivation by stretches of the night, for pages that nobody reads sample by sample.

A pyramid's lowest level has a stretch for some dozens of samples, each level above it one for four of those below. A
page takes the level that has about one stretch a pixel column, so that an hour costs no more than a minute. It is
filled chunk by chunk while it is already being shown: first with a preview (a second of the signal here and there,
unfiltered), then with the filtered night itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.display.filters import Band
from sleepviewer.display.montage import Derivation, read_derivation
from sleepviewer.display.page import PageTrace, read_filtered
from sleepviewer.recording.base import Recording, Samples

BASE: Final = 32
"""Samples a stretch of the lowest level, where the night is not too long for that."""

_FACTOR: Final = 4
_LEVELS: Final = 5
_MOST_BINS: Final = 1 << 18
"""Stretches of a lowest level, at most: 2.8 MB a lane with all levels above it."""
_CHUNK_S: Final = 600.0
_PREVIEW_S: Final = 1.0
_PREVIEWS: Final = 600

Extremes = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Least and greatest values, ``float32 [n]`` each; NaN where a stretch has no sample."""


class Pyramid:
    """Extremes of ``n_samples`` samples at one rate, level by level; empty until it is filled."""

    def __init__(self, rate_hz: float, n_samples: int, base: int = BASE) -> None:
        self.rate_hz = rate_hz
        self.n_samples = n_samples
        self.base = base
        while n_samples / self.base > _MOST_BINS:
            self.base *= _FACTOR
        self._levels: list[Extremes] = []
        n = max(n_samples, 1)
        for level in range(_LEVELS):
            bins = -(-n // (self.base * _FACTOR**level))
            self._levels.append((np.full(bins, np.nan, np.float32), np.full(bins, np.nan, np.float32)))
        top = self.base * _FACTOR ** (_LEVELS - 1)
        self.chunk = max(round(_CHUNK_S * rate_hz / top), 1) * top
        """Samples that are filled in at once: whole stretches of the highest level."""
        self._filled = np.zeros(-(-n // self.chunk), dtype=bool)
        self._previewed = False

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(lows.nbytes + highs.nbytes for lows, highs in self._levels)

    @property
    def n_chunks(self) -> int:
        """Number of chunks of the night."""
        return self._filled.size

    def missing_chunks(self) -> list[int]:
        """Chunks that are not filled yet."""
        return np.flatnonzero(~self._filled).tolist()

    def is_filled(self, start_s: float, stop_s: float) -> bool:
        """Whether a window of the night is shown as it is, not as a preview."""
        first = max(int(start_s * self.rate_hz) // self.chunk, 0)
        return bool(self._filled[first : max(int(stop_s * self.rate_hz), 0) // self.chunk + 1].all())

    @property
    def has_preview(self) -> bool:
        """Whether what is not filled yet has been looked at here and there."""
        return self._previewed

    def put(self, chunk: int, samples: Samples) -> None:
        """Fill one chunk with its samples (``float32 [≤ chunk]``, NaN in gaps)."""
        at = chunk * self.chunk // self.base
        lows, highs = extremes(samples, self.base)
        for level in range(_LEVELS):
            if level:
                lows, highs = _of_four(lows, np.fmin), _of_four(highs, np.fmax)
                at //= _FACTOR
            for kept, new in zip(self._levels[level], (lows, highs), strict=True):
                kept[at : at + new.size] = new[: kept.size - at]
        self._filled[chunk] = True

    def put_preview(self, first_s: float, stop_s: float, low: float, high: float) -> None:
        """Let two values stand for a stretch of the night until it is filled."""
        for level, (lows, highs) in enumerate(self._levels):
            size = self.base * _FACTOR**level / self.rate_hz
            part = slice(int(first_s / size), math.ceil(stop_s / size))
            lows[part], highs[part] = low, high
        self._previewed = True

    def page(self, start_s: float, stop_s: float, columns: int) -> PageTrace:
        """Return a window of the night as two points a stretch; beyond the night's ends there are none."""
        per_column = (stop_s - start_s) * self.rate_hz / max(columns, 1)
        level = 0
        while level + 1 < _LEVELS and self.base * _FACTOR ** (level + 1) <= per_column:
            level += 1
        size = self.base * _FACTOR**level
        lows, highs = self._levels[level]
        first = min(max(int(start_s * self.rate_hz // size), 0), lows.size)
        stop = max(min(int(-(-stop_s * self.rate_hz // size)), lows.size), first)
        joined = max(int(per_column // size), 1)
        stop = min(first - (first - stop) // joined * joined, lows.size)  # the last stretch is whole, as all are
        low, high = lows[first:stop], highs[first:stop]
        if joined > 1:
            low, high = _joined(low, joined, np.fmin), _joined(high, joined, np.fmax)
            size *= joined
        n = low.size
        at = first * self.base * _FACTOR**level + np.arange(n) * size
        x = np.empty(2 * n, np.float32)
        y = np.empty(2 * n, np.float32)
        x[::2], x[1::2] = (at + size / 4) / self.rate_hz - start_s, (at + size * 3 / 4) / self.rate_hz - start_s
        y[::2], y[1::2] = low, high
        return PageTrace(x, y)


def extremes(samples: Samples, size: int) -> Extremes:
    """Return least and greatest of every ``size`` samples, and of the rest at the end; NaN only where all are NaN."""
    lows, highs = _joined(samples, size, np.minimum), _joined(samples, size, np.maximum)
    # minimum is far quicker than fmin, and passes every NaN on: only those stretches are looked at again.
    holes = np.flatnonzero(np.isnan(lows))
    for hole in holes.tolist() if holes.size < 64 else ():
        part = samples[hole * size : (hole + 1) * size]
        lows[hole], highs[hole] = np.fmin.reduce(part), np.fmax.reduce(part)
    if holes.size >= 64:
        lows, highs = _joined(samples, size, np.fmin), _joined(samples, size, np.fmax)
    return lows, highs


def _of_four(values: NDArray[np.float32], least: np.ufunc) -> NDArray[np.float32]:
    return _joined(values, _FACTOR, least)


def _joined(values: NDArray[np.float32], size: int, least: np.ufunc) -> NDArray[np.float32]:
    """Reduce every ``size`` values to one; what is left at the end makes one of its own."""
    whole = values.size // size * size
    joined: NDArray[np.float32] = least.reduce(values[:whole].reshape(-1, size), axis=1)
    if whole < values.size:
        joined = np.append(joined, least.reduce(values[whole:]))
    return joined


def empty_pyramid(recording: Recording, derivation: Derivation) -> Pyramid:
    """Return the pyramid for a derivation of a recording, to be filled."""
    rate = recording.channel(derivation.plus).rate_hz
    return Pyramid(rate, round(recording.duration_s * rate))


def fill_chunk(pyramid: Pyramid, recording: Recording, derivation: Derivation, band: Band, chunk: int) -> None:
    """Read, filter and fill in one chunk. Raises RecordingError where the file can't be read any more."""
    first = chunk * pyramid.chunk
    stop = min(first + pyramid.chunk, pyramid.n_samples)
    samples = read_filtered(recording, derivation, first / pyramid.rate_hz, stop / pyramid.rate_hz, band)
    pyramid.put(chunk, samples)


def fill_preview(
    lanes: list[tuple[Pyramid, Derivation, Band]],
    recording: Recording,
    start_s: float,
    stop_s: float,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Look at a second of the signal here and there in a window, for all lanes at once so that each block is read once.

    A high-passed lane is shown around its mean there, since that is where the filter will put it. It ends early where
    ``stopped`` says so.
    """
    step = max((stop_s - start_s) / _PREVIEWS, _PREVIEW_S)
    for place in range(math.ceil((stop_s - start_s) / step)):
        if stopped():
            return
        first = start_s + place * step
        for pyramid, derivation, band in lanes:
            samples = read_derivation(recording, derivation, first, first + _PREVIEW_S)
            low, high = np.fmin.reduce(samples, initial=np.nan), np.fmax.reduce(samples, initial=np.nan)
            if band.high_pass_hz is not None and low <= high:
                middle = float(samples.mean())
                middle = float(np.nanmean(samples)) if math.isnan(middle) else middle
                low, high = low - middle, high - middle
            pyramid.put_preview(first, first + step, float(low), float(high))
