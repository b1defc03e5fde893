"""A page of one derivation as polyline points: filtered, centred, and at most two points per pixel column."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.display.filters import Band, apply_band, margin_s
from sleepviewer.display.montage import Derivation, read_derivation
from sleepviewer.recording.base import Recording, Samples
from sleepviewer.stages import EPOCH_S

_SAMPLES_PER_COLUMN = 4
"""Above this many samples a pixel column, minima and maxima replace the samples."""

_KEPT_BYTES: Final = 8 << 20
_LEAST_TILED_HZ: Final = 20.0
"""Slower signals have so few samples that a page needs those beyond its own edges."""


@dataclass(frozen=True, slots=True, eq=False)
class PageTrace:
    """Points of one channel on a page: ``x`` s from the page's start, ``y`` in the channel's unit, NaN in gaps."""

    x: NDArray[np.float32]
    y: Samples


def read_page(
    recording: Recording,
    derivation: Derivation,
    start_s: float,
    stop_s: float,
    band: Band,
    columns: int,
    *,
    beyond: int = 0,
) -> PageTrace:
    """Read, filter and thin out one derivation for a page of ``columns`` pixels.

    ``beyond`` samples more are read on both sides, so that a line goes on to the page's edges.
    The filter sees :func:`margin_s` more on both sides; an unfiltered channel is drawn around its median, since an
    electrode's offset says nothing to a scorer.
    """
    rate = recording.channel(derivation.plus).rate_hz
    first, stop = round(start_s * rate) - beyond, round(stop_s * rate) + beyond
    page = read_filtered(recording, derivation, first / rate, stop / rate, band)
    if band.high_pass_hz is None and not np.isnan(page).all():
        page = page - np.nanmedian(page)
    first_s = first / rate - start_s
    return thin(page, rate, first_s, columns)


def read_filtered(recording: Recording, derivation: Derivation, start_s: float, stop_s: float, band: Band) -> Samples:
    """Read a window of a derivation and filter it, without the edges that a filter makes where its input ends."""
    rate = recording.channel(derivation.plus).rate_hz
    margin = margin_s(band)
    wide = read_derivation(recording, derivation, start_s - margin, stop_s + margin)
    skip = round(start_s * rate) - round((start_s - margin) * rate)
    n = round(stop_s * rate) - round(start_s * rate)
    return apply_band(wide, rate, band)[skip : skip + n]


def thin(samples: Samples, rate_hz: float, first_s: float, columns: int) -> PageTrace:
    """Keep the least and the greatest sample of every pixel column, in their order in time, where there are many.

    Returns the samples themselves up to 4 a column. A column with a NaN in it is drawn from its other samples.
    """
    n = samples.size
    per_bin = n // max(columns, 1)
    if per_bin < _SAMPLES_PER_COLUMN:
        return PageTrace((first_s + np.arange(n) / rate_hz).astype(np.float32), samples)
    n_bins = n // per_bin
    whole = samples[: n_bins * per_bin].reshape(n_bins, per_bin)
    missing = np.isnan(whole)
    any_missing = bool(missing.any())
    lows = (np.where(missing, np.inf, whole) if any_missing else whole).argmin(axis=1)
    highs = (np.where(missing, -np.inf, whole) if any_missing else whole).argmax(axis=1)
    places = np.stack([np.minimum(lows, highs), np.maximum(lows, highs)], axis=1)
    places += np.arange(0, n_bins * per_bin, per_bin)[:, None]
    kept = np.concatenate([places.ravel(), np.arange(n_bins * per_bin, n)])
    return PageTrace((first_s + kept / rate_hz).astype(np.float32), samples[kept])


class PageCache:
    """Pages as they were read last, so that a change of gain or a step back reads nothing; bounded in memory.

    Pages of whole epochs are kept as tiles of an epoch's length: the next page is half made of what this one shows,
    and two tiles are filtered together for little more than one, since most of that is the margin beside them.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._kept: OrderedDict[tuple[object, ...], PageTrace] = OrderedDict()
        self._bytes = 0

    def read(
        self, derivation: Derivation, start_s: float, stop_s: float, band: Band, columns: int, *, ahead: int = 0
    ) -> PageTrace:
        """As :func:`read_page`, from memory where it is there; ``ahead`` more tiles are read (before it, if negative).

        Only tiles of a high-passed signal can be put together: any other is drawn around its own page's median.
        """
        n = (stop_s - start_s) / EPOCH_S
        rate = self._recording.channel(derivation.plus).rate_hz
        if band.high_pass_hz is not None and n == int(n) and rate >= _LEAST_TILED_HZ:
            return self._tiled(derivation, start_s, int(n), band, columns, ahead)
        key = (derivation, start_s, stop_s, band, columns)
        page = self._found(key)
        if page is None:
            page = read_page(self._recording, derivation, start_s, stop_s, band, columns, beyond=1)
            self._keep(key, page)
        return page

    def _tiled(self, derivation: Derivation, start_s: float, n: int, band: Band, columns: int, ahead: int) -> PageTrace:
        width = columns // n

        def key(tile: int) -> tuple[object, ...]:
            return derivation, band, width, start_s + tile * EPOCH_S

        tiles = {tile: self._found(key(tile)) for tile in range(n)}
        missing = [tile for tile, trace in tiles.items() if trace is None]
        if missing:
            first, last = missing[0] + min(ahead, 0), missing[-1] + max(ahead, 0)
            for tile, trace in zip(
                range(first, last + 1),
                self._read_tiles(derivation, start_s + first * EPOCH_S, last + 1 - first, band, width),
                strict=True,
            ):
                self._keep(key(tile), trace)
                if tile in tiles:
                    tiles[tile] = trace
        whole = [trace for trace in tiles.values() if trace is not None]
        return PageTrace(
            np.concatenate([trace.x + np.float32(i * EPOCH_S) for i, trace in enumerate(whole)]),
            np.concatenate([trace.y for trace in whole]),
        )

    def _read_tiles(self, derivation: Derivation, start_s: float, n: int, band: Band, width: int) -> list[PageTrace]:
        """Read and filter ``n`` tiles at once, and thin out each for ``width`` pixels."""
        rate = self._recording.channel(derivation.plus).rate_hz
        samples = read_filtered(self._recording, derivation, start_s, start_s + n * EPOCH_S, band)
        edges = [round((start_s + i * EPOCH_S) * rate) for i in range(n + 1)]
        return [
            thin(
                samples[first - edges[0] : stop - edges[0]],
                rate,
                first / rate - (start_s + i * EPOCH_S),
                width,
            )
            for i, (first, stop) in enumerate(pairwise(edges))
        ]

    def _found(self, key: tuple[object, ...]) -> PageTrace | None:
        page = self._kept.get(key)
        if page is not None:
            self._kept.move_to_end(key)
        return page

    def _keep(self, key: tuple[object, ...], page: PageTrace) -> None:
        old = self._kept.pop(key, None)
        self._kept[key] = page
        self._bytes += page.x.nbytes + page.y.nbytes
        while old is not None or (self._bytes > _KEPT_BYTES and len(self._kept) > 1):
            gone = old if old is not None else self._kept.popitem(last=False)[1]
            self._bytes -= gone.x.nbytes + gone.y.nbytes
            old = None
