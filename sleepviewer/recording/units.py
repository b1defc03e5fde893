"""Units of measurement as files write them, and the factor that takes a voltage to microvolts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MICROVOLT: Final = "µV"

PLAUSIBLE_IQR_UV: Final = (1.0, 2000.0)
"""Interquartile ranges in µV beyond which a channel is hardly a scalp recording in the unit that it claims."""

_USUAL_IQR_UV: Final = 20.0

# Both code points of mu (U+00B5 and U+03BC) and the letter u occur. A capital M is left out on purpose: "MV" may be
# meant as milli or be a real mega, and a unit is never guessed.
_TO_MICROVOLTS: Final[dict[str, float]] = {
    "V": 1e6,
    "v": 1e6,
    "mV": 1e3,
    "mv": 1e3,
    "nV": 1e-3,
    "nv": 1e-3,
    **dict.fromkeys((mu + v for mu in ("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}", "u") for v in "Vv"), 1.0),
    "UV": 1.0,
    **dict.fromkeys(("muV", "mcV", "mkV", "microV"), 1.0),
    "milliV": 1e3,
    "nanoV": 1e-3,
}
_WORDS: Final[dict[str, float]] = {
    "volt": 1e6,
    "volts": 1e6,
    "millivolt": 1e3,
    "millivolts": 1e3,
    "microvolt": 1.0,
    "microvolts": 1.0,
    "nanovolt": 1e-3,
    "nanovolts": 1e-3,
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it is shown, and the factor from the file's values to values in that unit."""

    name: str
    scale: float

    @property
    def is_voltage(self) -> bool:
        """Whether values times ``scale`` are microvolts."""
        return self.name == MICROVOLT


@dataclass(frozen=True, slots=True)
class ToldUnit:
    """What a person said of a channel: its values are in ``unit`` (µV, mV …), or it is left ``as-is``."""

    label: str
    unit: str


def parse_unit(text: str) -> Unit:
    """Return the unit that a file's word stands for.

    Every known spelling of a voltage becomes µV with its factor; any other word is kept as it is, with the factor 1.
    An empty word stays empty: it is never taken for microvolts.
    """
    word = text.strip(" \t\x00")
    scale = _TO_MICROVOLTS.get(word, _WORDS.get(word.lower()))
    return Unit(word, 1.0) if scale is None else Unit(MICROVOLT, scale)


def fitting_units(spread: float) -> tuple[str, ...]:
    """Return the units in which an interquartile range of plain numbers would be that of a scalp recording."""
    least, most = PLAUSIBLE_IQR_UV
    return tuple(
        name for name, scale in (("µV", 1.0), ("mV", 1e3), ("V", 1e6), ("nV", 1e-3)) if least <= spread * scale <= most
    )


def interquartile_range(samples: NDArray[np.float32]) -> float:
    """Return the width of the middle half of the values, NaN left out; what a few artefacts do not change."""
    low, high = np.nanquantile(samples, (0.25, 0.75))
    return float(high - low)


def usual_gain(samples: NDArray[np.float32]) -> np.float32:
    """Return by what samples of unknown unit, of any shape, are multiplied to have an EEG's usual spread in µV."""
    spread = interquartile_range(samples) if np.isfinite(samples).any() else 0.0
    return np.float32(_USUAL_IQR_UV / spread if spread > 0 else 1.0)


def amplitude_notes(spread_uv: float, label: str) -> tuple[str, ...]:
    """Return a sentence where a channel's interquartile range is not that of a scalp recording in µV, else nothing."""
    least, most = PLAUSIBLE_IQR_UV
    if least <= spread_uv <= most:
        return ()
    word = "small" if spread_uv < least else "large"
    return (
        f"The values of “{label}” are implausibly {word} for µV (interquartile range {spread_uv:.3g}): "
        "the file's unit or scale may be wrong, and the stages with it.",
    )
