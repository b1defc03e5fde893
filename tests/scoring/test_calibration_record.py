"""What is said of the worth of probabilities."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.review_values import prediction_of
from sleepviewer.scoring.base import Prediction
from sleepviewer.scoring.calibration_record import UNCALIBRATED, calibration_record
from sleepviewer.scoring.recipe import possible_identities, shipped_recipe
from sleepviewer.scoring.registry import DEFAULT_ENGINE, YASA


def scoring_of(engine: str, sha256: str) -> Prediction:
    return replace(prediction_of([2, 3]), engine=engine, weights_sha256=sha256)


def test_the_default_engine_is_calibrated_and_says_what_was_measured() -> None:
    card = shipped_recipe().card
    for identity in possible_identities(shipped=True):
        record = calibration_record(scoring_of(DEFAULT_ENGINE, identity))
        assert record.calibrated
        assert record.valid
    errors = dict(record.errors)
    assert errors["ucddb018"] == card.measured["ucddb018 ece"]
    ((where, expected, true),) = record.expectations
    assert (where, true) == ("ucddb018", card.measured["ucddb018 kappa"])
    assert f"κ {expected:.2f} expected, {true:.2f} true (ucddb018)" in record.sentence


def test_a_recording_beyond_what_was_validated_is_said_to_be() -> None:
    (identity, *_) = possible_identities(shipped=True)
    scored = replace(scoring_of(DEFAULT_ENGINE, identity), unvalidated=("it is short", "it is odd"))
    record = calibration_record(scored)
    assert not record.valid
    assert record.sentence == "Not validated for this recording: it is short; it is odd."


@pytest.mark.parametrize(("engine", "sha256"), [(DEFAULT_ENGINE, "ab" * 32), (YASA, "ab" * 32), ("fake", "")])
def test_unknown_weights_and_yasa_are_an_estimate(engine: str, sha256: str) -> None:
    record = calibration_record(scoring_of(engine, sha256))
    assert not record.calibrated
    assert record.sentence == UNCALIBRATED
