"""Signs of poor signal in each epoch and its band powers: what may explain an error.

The signs are those of :mod:`sleepviewer.recording.quality`, and muscle activity, which is described only: it makes no
epoch unusable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.recording.quality import QualityKind, SignalQuality, assess_epochs, nothing_assessed
from sleepviewer.recording.spectra import BANDS_HZ, band_powers

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

EMG: Final = "emg"
MUSCLE_SHARE: Final = 0.35
"""Share of an epoch's power above 30 Hz from which on it shows muscle activity."""

SIGNS: Final[Mapping[str, QualityKind | None]] = MappingProxyType(
    {
        "gap": QualityKind.GAP,
        "flat": QualityKind.FLAT,
        "clipped": QualityKind.CLIPPED,
        "extreme amplitude": QualityKind.EXTREME,
        "line noise": QualityKind.LINE_NOISE,
        EMG: None,
    }
)
"""The signs in words, and the kind of second that shows each of them; None for muscle activity."""


@dataclass(frozen=True, slots=True, eq=False)
class EpochSigns:
    """Signs of poor signal in a night's epochs.

    Attributes
    ----------
    power: each band's share of the power between 0.5 and 30 Hz, ``float32 [n, 5]`` in the order of BANDS_HZ; NaN where
        a sample is missing.
    quality: of the signal.
    measured: which epochs there was a signal of to measure, ``bool [n]``.
    """

    power: Floats
    quality: SignalQuality
    measured: Flags

    def __len__(self) -> int:
        return len(self.measured)

    @property
    def poor(self) -> Flags:
        """Which epochs show any sign; an epoch that was not measured does not."""
        return np.asarray(np.logical_or.reduce([self.sign(word) for word in SIGNS]))

    def share(self, word: str) -> Floats:
        """Return by how much each epoch shows a sign, ``float32 [n]``; NaN where that is not known.

        Share of the epoch's seconds; for ``emg`` of its power.
        """
        kind = SIGNS[word]
        if kind is None:
            return self.quality.muscle
        return np.where(self.measured, self.quality.share(kind), np.float32(np.nan))

    def sign(self, word: str) -> Flags:
        """Return which epochs show one of the SIGNS: in any of their seconds, or muscle from MUSCLE_SHARE on."""
        share = np.nan_to_num(self.share(word))
        return np.asarray(share >= MUSCLE_SHARE if SIGNS[word] is None else share > 0)

    def described_as(self, word: str) -> Flags:
        """Return which epochs are so by :meth:`words`: show one of the SIGNS, or are ``good`` or ``unknown``."""
        if word == "good":
            return np.asarray(self.measured & ~self.poor)
        return np.asarray(~self.measured) if word == "unknown" else self.sign(word)

    def words(self) -> list[str]:
        """Return each epoch's signal in words: its signs joined by “+”, ``good``, or ``unknown`` if not measured."""
        signs = {word: self.sign(word) for word in SIGNS}
        return [
            "+".join(word for word, there in signs.items() if there[i]) or ("good" if measured else "unknown")
            for i, measured in enumerate(self.measured)
        ]


def nothing_measured(n: int) -> EpochSigns:
    """Return the signs of epochs of which there is no signal."""
    power = np.full((n, len(BANDS_HZ)), np.nan, dtype=np.float32)
    return EpochSigns(power, nothing_assessed(n), np.zeros(n, dtype=bool))


def measure_signs(
    epochs: NDArray[np.float32], rate_hz: float, *, n: int, places: NDArray[Any] | None = None
) -> EpochSigns:
    """Measure epochs ``float32 [m, samples]`` in µV at ``rate_hz``, as recorded, and place them in a night of ``n``.

    ``places`` ``[m]`` are the epochs' places in the night (0 … m - 1 by default); other epochs are not measured.
    """
    signs = nothing_measured(n)
    if not len(epochs) or rate_hz <= 0 or epochs.shape[1] < 2 * max(round(rate_hz), 1):
        return signs
    at = np.arange(len(epochs)) if places is None else np.asarray(places)
    signs.power[at] = band_powers(epochs, rate_hz)
    signs.measured[at] = True
    return EpochSigns(signs.power, assess_epochs(epochs, rate_hz, n_epochs=n, places=at), signs.measured)
