"""What other recordings would have made of an epoch: random changes that leave its stage as it is.

All work on scaled epochs, ``float32 [n, samples]``, and draw each epoch's change by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.models.normalisation import Epochs

Gains = NDArray[np.float64]

_KNOTS_HZ: Final = np.array([0.3, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 35.0])


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly epochs are changed; the defaults are those that the shipped weights were trained with.

    Attributes
    ----------
    polarity: share of epochs that are turned upside down (another reference).
    gain: standard deviation of the logarithm of the amplitude.
    filter_db: standard deviation of a random smooth filter, at knots from 0.3 to 35 Hz (other electrodes, amplifiers).
    noise: the most colored noise that is added to most epochs, as a share of the epoch's own standard deviation.
    loud: share of epochs that get louder noise instead, as a bad electrode adds it to a whole night.
    loud_noise: the most of it, in units of the night's spread (1 after scaling); the sum is scaled back as the night's
        own scaling would.
    stretch: the most that time is stretched or squeezed, as a share.
    artefacts: share of epochs that get a burst of muscle or a slow swing.
    """

    polarity: float = 0.5
    gain: float = 0.2
    filter_db: float = 2.5
    noise: float = 0.25
    loud: float = 0.3
    loud_noise: float = 1.2
    stretch: float = 0.05
    artefacts: float = 0.1

    def apply(self, epochs: Epochs, rate_hz: float, rng: np.random.Generator) -> Epochs:
        """Return changed copies."""
        x = self._stretched(epochs, rng)
        x = self._filtered(x, rate_hz, rng)
        n = len(x)
        x = x * np.exp(rng.normal(0, self.gain, (n, 1)))
        x[rng.random(n) < self.polarity] *= -1
        burst = np.flatnonzero(rng.random(n) < self.artefacts)
        for row in burst:
            _add_artefact(x[row], rate_hz, rng)
        return np.asarray(x, dtype=np.float32)

    def _stretched(self, epochs: Epochs, rng: np.random.Generator) -> Epochs:
        """Read every epoch faster or slower around its middle, mirrored beyond its ends."""
        n, length = epochs.shape
        factor = 1 + rng.uniform(-self.stretch, self.stretch, (n, 1))
        middle = (length - 1) / 2
        place = np.abs((np.arange(length) - middle) * factor + middle)
        place = np.minimum(place, 2 * (length - 1) - place)
        left = np.minimum(place.astype(np.intp), length - 2)
        share = (place - left).astype(np.float32)
        rows = np.arange(n)[:, None]
        return np.asarray((1 - share) * epochs[rows, left] + share * epochs[rows, left + 1], dtype=np.float32)

    def _filtered(self, epochs: Epochs, rate_hz: float, rng: np.random.Generator) -> Epochs:
        """Filter every epoch by a random smooth curve, and add noise whose spectrum falls with a random slope."""
        n, length = epochs.shape
        frequency = np.fft.rfftfreq(length, 1 / rate_hz)
        spectrum = np.fft.rfft(epochs) * random_filters(n, length, rate_hz, self.filter_db, rng)
        slope = rng.uniform(0, 1, (n, 1))
        shape = np.maximum(frequency, 0.5) ** -slope
        noise = np.fft.irfft(np.fft.rfft(rng.standard_normal((n, length), dtype=np.float32)) * shape, length)
        level = rng.uniform(0, self.noise, (n, 1)) * epochs.std(axis=1, keepdims=True)
        loud = rng.random((n, 1)) < self.loud
        level = np.where(loud, rng.uniform(0, self.loud_noise, (n, 1)), level)
        noise *= level / np.maximum(noise.std(axis=1, keepdims=True), 1e-9)
        rescaled = np.where(loud, 1 / np.sqrt(1 + level**2), 1)
        return np.asarray((np.fft.irfft(spectrum, length) + noise) * rescaled, dtype=np.float32)


def random_filters(n: int, length: int, rate_hz: float, spread_db: float, rng: np.random.Generator) -> Gains:
    """Return ``n`` random smooth gains ``[n, length // 2 + 1]`` for the spectra of epochs of ``length`` samples.

    They are drawn at a few knots from 0.3 to 35 Hz with a standard deviation of ``spread_db``, their mean being 0 dB.
    """
    frequency = np.fft.rfftfreq(length, 1 / rate_hz)
    knots = rng.normal(0, spread_db, (n, len(_KNOTS_HZ)))
    knots -= knots.mean(axis=1, keepdims=True)
    where = np.interp(np.log(np.maximum(frequency, _KNOTS_HZ[0])), np.log(_KNOTS_HZ), np.arange(len(_KNOTS_HZ)))
    left = np.minimum(where.astype(int), len(_KNOTS_HZ) - 2)
    share = where - left
    gain_db = (1 - share) * knots[:, left] + share * knots[:, left + 1]
    return np.asarray(10 ** (gain_db / 20))


def _add_artefact(x: Epochs, rate_hz: float, rng: np.random.Generator) -> None:
    """Add a second or a few of muscle noise or of a slow swing to an epoch ``[samples]``, in place."""
    width = min(int(rng.uniform(0.5, 5) * rate_hz), len(x))
    start = int(rng.integers(0, len(x) - width + 1))
    window = np.hanning(width)
    if rng.random() < 0.5:
        burst = rng.standard_normal(width)
    else:
        burst = np.sin(2 * np.pi * rng.uniform(0.3, 1.5) * np.arange(width) / rate_hz + rng.uniform(0, 2 * np.pi))
    x[start : start + width] += window * burst * rng.uniform(1, 5)
