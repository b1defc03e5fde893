"""Whole epochs from short segments: six real 5-s segments of one stage, joined without steps.

Where only the first seconds of every epoch can be had, a model for whole epochs is trained on these. They are purer
than real epochs, so some get a segment of a neighbour of another stage, as real epochs hold transitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.models.filtering import band_pass
from sleepviewer.models.normalisation import Epochs
from sleepviewer.stages import EPOCH_S, N_STAGES
from sleepviewer.training.data import LabelledNight

_NORMAL_IQR: Final = 1.349


@dataclass(frozen=True, slots=True)
class Joining:
    """How segments become epochs.

    ``reach`` is how many epochs before and after are looked at for segments of the same stage, ``impurity`` the chance
    that a segment is a neighbour's of whatever stage, ``band_hz`` the band that epochs are filtered to.
    """

    rate_hz: int = 100
    reach: int = 12
    impurity: float = 0.1
    band_hz: tuple[float, float] = (0.4, 32.0)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedNight:
    """A night's segments, and the centre and spread that scale it as a whole night's samples would."""

    night: LabelledNight
    middle: float
    spread: float


def prepare_night(night: LabelledNight, joining: Joining) -> SegmentedNight:
    """Measure a night's filtered signal: its median, and its interquartile range over that of a normal distribution."""
    joined = _join(night.x[: len(night.x) // 6 * 6].reshape(-1, 6, night.x.shape[1]))
    low, middle, high = np.quantile(band_pass(joined, joining.rate_hz, joining.band_hz), (0.25, 0.5, 0.75))
    return SegmentedNight(night, float(middle), float((high - low) / _NORMAL_IQR))


def join_epochs(source: SegmentedNight, rows: NDArray[np.intp], joining: Joining, rng: np.random.Generator) -> Epochs:
    """Return a whole epoch for each of a night's rows, ``float32 [n, 30 s]``, filtered and scaled.

    Each holds the row's own segment and others of its stage from its neighbourhood, in order of time.
    """
    night = source.night
    n_segments = round(EPOCH_S * joining.rate_hz / night.x.shape[1])
    chosen = np.stack([_choose(night, int(row), n_segments, joining, rng) for row in rows])
    filtered = band_pass(_join(night.x[chosen]), joining.rate_hz, joining.band_hz)
    return np.asarray((filtered - source.middle) / source.spread, dtype=np.float32)


def _choose(
    night: LabelledNight, row: int, n_segments: int, joining: Joining, rng: np.random.Generator
) -> NDArray[np.intp]:
    first, stop = max(0, row - joining.reach), min(len(night.y), row + joining.reach + 1)
    alike = first + np.flatnonzero(night.y[first:stop] == night.y[row])
    others = alike[alike != row]
    drawn = (
        rng.choice(others, n_segments - 1, replace=len(others) < n_segments - 1)
        if len(others)
        else np.full(n_segments - 1, row)
    )
    impure = rng.random(n_segments - 1) < joining.impurity
    drawn = np.where(impure, np.clip(row + rng.choice((-1, 1), n_segments - 1), 0, len(night.y) - 1), drawn)
    return np.sort(np.append(drawn, row))


def _join(segments: NDArray[np.float32]) -> Epochs:
    """Join segments ``[n, k, samples]`` to ``[n, k · samples]``, each moved to begin where the one before it ended."""
    n, k, length = segments.shape
    steps = segments[:, 1:, 0] - segments[:, :-1, -1]
    moved = segments.copy()
    moved[:, 1:] -= np.cumsum(steps, axis=1)[:, :, None]
    joined = moved.reshape(n, k * length)
    return np.asarray(joined - joined.mean(axis=1, keepdims=True), dtype=np.float32)


def draw_rows(
    nights: list[SegmentedNight], n: int, share: NDArray[np.float64], rng: np.random.Generator
) -> list[tuple[int, NDArray[np.intp]]]:
    """Draw epochs stage by stage, ``share`` ``[5]`` of each; return the night's number and its rows, night by night.

    Every night counts alike within a stage that it has.
    """
    drawn: list[list[NDArray[np.intp]]] = [[] for _ in nights]
    for stage in range(N_STAGES):
        places = [np.flatnonzero(night.night.y == stage) for night in nights]
        having = [i for i, rows in enumerate(places) if len(rows)]
        which = rng.choice(having, round(n * share[stage]))
        for i, count in zip(*np.unique(which, return_counts=True), strict=True):
            drawn[i].append(rng.choice(places[i], count))
    return [(i, np.concatenate(rows)) for i, rows in enumerate(drawn) if rows]
