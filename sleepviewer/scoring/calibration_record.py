"""What is known of whether a scoring's probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from sleepviewer.files import sha256_of
from sleepviewer.models.card import ModelCard
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.scoring.base import Prediction
from sleepviewer.scoring.recipe import possible_identities, shipped_recipe
from sleepviewer.scoring.registry import ENSEMBLE

UNCALIBRATED: Final = "The model's probabilities are not calibrated: an estimate, nothing that was measured."
NOT_VALIDATED: Final = "Not validated for this recording"

_ECE, _EXPECTED, _KAPPA = "ece", "expected_kappa", "kappa"


@dataclass(frozen=True, slots=True)
class CalibrationRecord:
    """Whether a temperature was fitted to an engine's probabilities on held-out nights, and what was measured of them.

    ``errors`` are the expected calibration errors (0 to 1) by where they were measured, ``expectations`` the expected
    and the true κ likewise; ``unvalidated`` says in clauses what takes the recording beyond what was validated.
    """

    calibrated: bool
    errors: tuple[tuple[str, float], ...] = ()
    expectations: tuple[tuple[str, float, float], ...] = ()
    unvalidated: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether an expected agreement may be shown: calibrated, and for a recording like the validated ones."""
        return self.calibrated and not self.unvalidated

    @property
    def sentence(self) -> str:
        """What an expectation that rests on the probabilities is worth."""
        if self.unvalidated:
            return f"{NOT_VALIDATED}: {'; '.join(self.unvalidated)}."
        if not self.calibrated:
            return UNCALIBRATED
        measured = [f"κ {said:.2f} expected, {true:.2f} true ({where})" for where, said, true in self.expectations]
        errors = ", ".join(f"{100 * error:.1f} % ({where})" for where, error in self.errors)
        measured += [f"calibration error {errors}"] if errors else []
        found = "; ".join(measured) or "nothing is known"
        return f"Expected from the model's calibrated probabilities; measured on held-out nights: {found}."


def calibration_record(prediction: Prediction) -> CalibrationRecord:
    """Return what is known of a scoring's probabilities: something only of engines that come with the program."""
    card = _shipped_card(prediction)
    record = CalibrationRecord(calibrated=False) if card is None else _record(card)
    return replace(record, unvalidated=prediction.unvalidated)


def _shipped_card(prediction: Prediction) -> ModelCard | None:
    """Return the card of the engine that scored, where it scored with the weights that come with the program."""
    if prediction.engine == ENSEMBLE:
        return shipped_recipe().card if prediction.weights_sha256 in _shipped_identities() else None
    path = shipped_weights(prediction.engine)
    return None if path is None or _hash(path) != prediction.weights_sha256 else peek_card(path)


@lru_cache(maxsize=1)
def _shipped_identities() -> frozenset[str]:
    return possible_identities(shipped=True)


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
