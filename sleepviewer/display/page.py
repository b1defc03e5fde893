"""A page of one channel as polyline points: filtered, centred, and at most two points per pixel column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sleepviewer.display.filters import Band, apply_band, margin_s
from sleepviewer.recording.base import Channel, Recording, Samples

_SAMPLES_PER_COLUMN = 4
"""Above this many samples a pixel column, minima and maxima replace the samples."""


@dataclass(frozen=True, slots=True, eq=False)
class PageTrace:
    """Points of one channel on a page: ``x`` s from the page's start, ``y`` in the channel's unit, NaN in gaps."""

    x: NDArray[np.float32]
    y: Samples


def read_page(
    recording: Recording, channel: Channel, start_s: float, stop_s: float, band: Band, columns: int
) -> PageTrace:
    """Read, filter and thin out one channel for a page of ``columns`` pixels.

    The filter sees :func:`margin_s` more on both sides; an unfiltered channel is drawn around its median, since an
    electrode's offset says nothing to a scorer.
    """
    rate = channel.rate_hz
    margin = margin_s(band)
    wide = recording.read(channel.label, start_s - margin, stop_s + margin)
    skip = round(start_s * rate) - round((start_s - margin) * rate)
    n = round(stop_s * rate) - round(start_s * rate)
    page = apply_band(wide, rate, band)[skip : skip + n]
    if band.high_pass_hz is None and not np.isnan(page).all():
        page = page - np.nanmedian(page)
    first_s = round(start_s * rate) / rate - start_s
    return thin(page, rate, first_s, columns)


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
