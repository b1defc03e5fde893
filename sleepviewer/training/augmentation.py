"""What other recordings would have made of an epoch: random changes that leave its stage as it is.

All work on scaled epochs, ``float32 [n, samples]``, and draw each epoch's change by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sleepviewer.models.normalisation import Epochs

_KNOTS_HZ: Final = np.array([0.3, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 35.0])


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly epochs are changed; the defaults are those that the shipped weights were trained with.

    Attributes
    ----------
    polarity: share of epochs that are turned upside down (another reference).
    gain: standard deviation of the logarithm of the amplitude.
    filter_db: standard deviation of a random smooth filter, at knots from 0.3 to 35 Hz (other electrodes, amplifiers).
    noise: the most coloured noise that is added, as a share of the epoch's own standard deviation.
    stretch: the most that time is stretched or squeezed, as a share.
    artefacts: share of epochs that get a burst of muscle or a slow swing.
    """

    polarity: float = 0.5
    gain: float = 0.2
    filter_db: float = 2.5
    noise: float = 0.25
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
        knots = rng.normal(0, self.filter_db, (n, len(_KNOTS_HZ)))
        knots -= knots.mean(axis=1, keepdims=True)
        where = np.interp(np.log(np.maximum(frequency, _KNOTS_HZ[0])), np.log(_KNOTS_HZ), np.arange(len(_KNOTS_HZ)))
        left = np.minimum(where.astype(int), len(_KNOTS_HZ) - 2)
        share = where - left
        gain_db = (1 - share) * knots[:, left] + share * knots[:, left + 1]
        spectrum = np.fft.rfft(epochs) * 10 ** (gain_db / 20)
        slope = rng.uniform(0, 1, (n, 1))
        shape = np.maximum(frequency, 0.5) ** -slope
        noise = np.fft.irfft(np.fft.rfft(rng.standard_normal((n, length), dtype=np.float32)) * shape, length)
        level = rng.uniform(0, self.noise, (n, 1)) * epochs.std(axis=1, keepdims=True)
        noise *= level / np.maximum(noise.std(axis=1, keepdims=True), 1e-9)
        return np.asarray(np.fft.irfft(spectrum, length) + noise, dtype=np.float32)


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
