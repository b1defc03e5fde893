"""What a whole night may suffer: noise, movement, changing gain, electrodes off, gaps, stages that never come.

:mod:`sleepviewer.training.augmentation` changes each epoch by itself, as another recording would have shown it. A
context model reads nights, and a night is bad in one way for long: these changes are drawn once a night. It is then
scaled as scoring would scale it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.models.filtering import band_pass
from sleepviewer.models.normalisation import Epochs, Normalisation, normalise
from sleepviewer.stages import N_STAGES, Stage, StageArray
from sleepviewer.training.augmentation import random_filters

_LEAST_EPOCHS: Final = 20
_OFF_SPREAD: Final = 0.02
"""Spread of what an electrode that is off records, in units of the night's."""


@dataclass(frozen=True, slots=True, eq=False)
class DisturbedNight:
    """A night after :meth:`NightConditions.apply`.

    Attributes
    ----------
    x: ``float32 [n, samples]``, scaled anew; rows of unusable epochs are NaN.
    y: ``int8 [n]``, UNKNOWN where an epoch is not usable or nothing should be learned from it.
    clean: ``bool [n]``, the epochs that estimates of the whole night are made from.
    rows: ``intp [n]``, which rows of the night that was given these are.
    """

    x: Epochs
    y: StageArray
    clean: NDArray[np.bool_]
    rows: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class NightConditions:
    """How likely each kind of trouble is for a night, and how bad it may be.

    Attributes
    ----------
    filter_db: standard deviation of a random smooth filter over the whole night (other electrodes, amplifiers).
    noisy, noise: chance of noise, and the most of it in units of the night's spread; its spectrum falls with a random
        slope, and in half of the cases it fills a part of the night only.
    gains, gain: chance that the gain changes in the course of the night, and the most as a factor, either way.
    moving, movements: chance of movement artifacts, and the largest share of epochs that get one.
    movement: the most amplitude of movement, in units of the night's spread.
    off: chance that the electrode is off for a stretch, noticed four times of five.
    gaps: chance of stretches without samples.
    lacking: chance that a stage never comes.
    short: chance that only a piece of 10 minutes to 3 hours is there.
    """

    filter_db: float = 1.5
    noisy: float = 0.5
    noise: float = 1.2
    gains: float = 0.4
    gain: float = 2.0
    moving: float = 0.5
    movements: float = 0.15
    movement: float = 10.0
    off: float = 0.25
    gaps: float = 0.3
    lacking: float = 0.2
    short: float = 0.15

    def apply(
        self, x: Epochs, y: StageArray, rate_hz: float, band_hz: tuple[float, float], rng: np.random.Generator
    ) -> DisturbedNight:
        """Return a night ``[n, samples]`` in units of its own spread after one drawing of everything.

        What is added is filtered to ``band_hz``, as the night has been.
        """
        rows = self._kept(y, rng)
        x, y = x[rows].copy(), y[rows].copy()
        n = len(x)
        if self.filter_db:
            spectrum = np.fft.rfft(x) * random_filters(1, x.shape[1], rate_hz, self.filter_db, rng)
            x = np.fft.irfft(spectrum, x.shape[1]).astype(np.float32)
        if rng.random() < self.gains:
            x *= self._gain_over(n, rng)[:, None].astype(np.float32)
        if rng.random() < self.noisy:
            x += self._noise_over(x.shape, rate_hz, band_hz, rng)
        moved = np.zeros(n, dtype=bool)
        if rng.random() < self.moving:
            moved = rng.random(n) < rng.uniform(0, self.movements)
            for row in np.flatnonzero(moved):
                self._move(x[row], rate_hz, band_hz, rng)
        usable = np.ones(n, dtype=bool)
        learned = usable.copy()
        if rng.random() < self.off:
            stretch = _stretch(n, 0.3, rng)
            x[stretch] = rng.normal(0, _OFF_SPREAD, x[stretch].shape)
            learned[stretch] = False
            if rng.random() < 0.8:
                usable[stretch] = False
        if rng.random() < self.gaps:
            for _ in range(int(rng.integers(1, 8))):
                usable[_stretch(n, 0.04, rng)] = False
        if not usable.any():
            usable[:] = True
        clean = usable & learned & ~moved
        x[~usable] = np.nan
        y[~(usable & learned)] = Stage.UNKNOWN
        return DisturbedNight(normalise(x, Normalisation.ROBUST_NIGHT, clean), y, clean, rows)

    def _kept(self, y: StageArray, rng: np.random.Generator) -> NDArray[np.intp]:
        """Return the rows that are left of a night: all, those of all stages but one, or a piece."""
        rows = np.arange(len(y))
        if rng.random() < self.lacking:
            others = rows[y != rng.integers(N_STAGES)]
            rows = others if len(others) >= _LEAST_EPOCHS else rows
        if rng.random() < self.short and len(rows) > _LEAST_EPOCHS:
            length = min(int(np.exp(rng.uniform(np.log(_LEAST_EPOCHS), np.log(360)))), len(rows))
            first = int(rng.integers(0, len(rows) - length + 1))
            rows = rows[first : first + length]
        return rows

    def _gain_over(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return a gain for each epoch: a step, or a drift from one to another."""
        first, last = rng.uniform(-np.log(self.gain), np.log(self.gain), 2)
        if rng.random() < 0.5:
            return np.asarray(np.exp(np.linspace(first, last, n)))
        return np.asarray(np.exp(np.where(np.arange(n) < rng.integers(0, n), first, last)))

    def _noise_over(
        self, shape: tuple[int, ...], rate_hz: float, band_hz: tuple[float, float], rng: np.random.Generator
    ) -> Epochs:
        noise = rng.standard_normal(shape, dtype=np.float32)
        frequency = np.fft.rfftfreq(shape[1], 1 / rate_hz)
        spectrum = np.fft.rfft(noise) * np.maximum(frequency, 0.5) ** -rng.uniform(0, 1)
        noise = np.fft.irfft(spectrum, shape[1]).astype(np.float32)
        noise = band_pass(noise / noise.std(), rate_hz, band_hz) * np.float32(rng.uniform(0, self.noise))
        if rng.random() < 0.5:
            elsewhere = np.ones(shape[0], dtype=bool)
            elsewhere[_stretch(shape[0], 0.8, rng)] = False
            noise[elsewhere] = 0
        return noise

    def _move(self, x: Epochs, rate_hz: float, band_hz: tuple[float, float], rng: np.random.Generator) -> None:
        """Add a movement to an epoch ``[samples]``, in place."""
        width = min(int(rng.uniform(1, 15) * rate_hz), len(x))
        start = int(rng.integers(0, len(x) - width + 1))
        burst = np.zeros(len(x), dtype=np.float32)
        burst[start : start + width] = rng.standard_normal(width) * np.hanning(width)
        x += band_pass(burst, rate_hz, band_hz) * np.float32(rng.uniform(1, self.movement) * 2)


def _stretch(n: int, most: float, rng: np.random.Generator) -> slice:
    """Return a run of epochs of at most a share of the night, anywhere or, one time of four, at its end."""
    length = min(max(int(n * rng.uniform(0, most)), 1), n)
    start = n - length if rng.random() < 0.25 else int(rng.integers(0, n - length + 1))
    return slice(start, start + length)
