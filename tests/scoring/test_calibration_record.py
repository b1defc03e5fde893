"""What is said of the worth of probabilities."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.review_values import prediction_of
from sleepviewer.files import sha256_of
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.scoring.base import Prediction
from sleepviewer.scoring.calibration_record import UNCALIBRATED, calibration_record
from sleepviewer.scoring.registry import DEFAULT_ENGINE, YASA


def scoring_of(engine: str, sha256: str) -> Prediction:
    return replace(prediction_of([2, 3]), engine=engine, weights_sha256=sha256)


def test_the_default_engine_is_calibrated_and_says_what_was_measured() -> None:
    path = shipped_weights(DEFAULT_ENGINE)
    assert path is not None
    card = peek_card(path)
    assert card is not None
    record = calibration_record(scoring_of(DEFAULT_ENGINE, sha256_of(path)))
    assert record.calibrated
    errors = dict(record.errors)
    assert errors["ucddb018"] == card.measured["ucddb018 ece"]
    ((where, expected, true),) = record.expectations
    assert (where, true) == ("ucddb018", card.measured["ucddb018 kappa"])
    assert f"κ {expected:.2f} expected, {true:.2f} true (ucddb018)" in record.sentence


@pytest.mark.parametrize(("engine", "sha256"), [(DEFAULT_ENGINE, "ab" * 32), (YASA, "ab" * 32), ("fake", "")])
def test_unknown_weights_and_yasa_are_an_estimate(engine: str, sha256: str) -> None:
    record = calibration_record(scoring_of(engine, sha256))
    assert not record.calibrated
    assert record.sentence == UNCALIBRATED
