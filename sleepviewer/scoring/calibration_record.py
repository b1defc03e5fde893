"""What is known of whether a scoring's probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from sleepviewer.files import sha256_of
from sleepviewer.models.card import ModelCard
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.scoring.base import Prediction

UNCALIBRATED: Final = "The model's probabilities are not calibrated: an estimate, nothing that was measured."

_ECE, _EXPECTED, _KAPPA = "ece", "expected_kappa", "kappa"


@dataclass(frozen=True, slots=True)
class CalibrationRecord:
    """Whether a temperature was fitted to a model's probabilities on held-out nights, and what was measured of them.

    ``errors`` are the expected calibration errors (0 to 1) by where they were measured, ``expectations`` the expected
    and the true κ likewise.
    """

    calibrated: bool
    errors: tuple[tuple[str, float], ...] = ()
    expectations: tuple[tuple[str, float, float], ...] = ()

    @property
    def sentence(self) -> str:
        """What an expectation that rests on the probabilities is worth."""
        if not self.calibrated:
            return UNCALIBRATED
        measured = [f"κ {said:.2f} expected, {true:.2f} true ({where})" for where, said, true in self.expectations]
        errors = ", ".join(f"{100 * error:.1f} % ({where})" for where, error in self.errors)
        measured += [f"calibration error {errors}"] if errors else []
        found = "; ".join(measured) or "nothing is known"
        return f"Expected from the model's calibrated probabilities; measured on nights held out: {found}."


def calibration_record(prediction: Prediction) -> CalibrationRecord:
    """Return what is known of a scoring's probabilities: something only of weights that come with the program."""
    path = shipped_weights(prediction.engine)
    if path is None or _hash(path) != prediction.weights_sha256:
        return CalibrationRecord(calibrated=False)
    card = peek_card(path)
    return CalibrationRecord(calibrated=False) if card is None else _record(card)


def _record(card: ModelCard) -> CalibrationRecord:
    figures: dict[str, dict[str, float]] = {}
    for name, value in card.measured.items():
        where, _, figure = name.rpartition(" ")
        figures.setdefault(where, {})[figure] = value
    return CalibrationRecord(
        calibrated=card.temperature != 1.0,
        errors=tuple((where, found[_ECE]) for where, found in figures.items() if _ECE in found),
        expectations=tuple(
            (where, found[_EXPECTED], found[_KAPPA])
            for where, found in figures.items()
            if _EXPECTED in found and _KAPPA in found
        ),
    )


@lru_cache(maxsize=16)
def _hash(path: Path) -> str:
    return sha256_of(path)
