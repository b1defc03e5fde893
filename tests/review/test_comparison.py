"""What the window compares is what the reports compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.review_values import document_of, prediction_of
from sleepviewer.analysis.provenance import Seen, TrainingRecord
from sleepviewer.recording import open_recording
from sleepviewer.review.comparison import (
    document_comparison,
    document_scorers,
    document_statistics,
    night_provenance,
    recording_signs,
)
from sleepviewer.review.lights import Lights
from sleepviewer.review.opening import open_night
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import Stage

TRUTH = [0, 0, 2, 2, 2, 4, 4, 0]
MODEL = [0, 2, 2, 2, 3, 4, 4, 0]


def test_the_document_is_compared_and_edits_are_in_it() -> None:
    document = document_of(8, truth=TRUTH, model=MODEL)
    found = document_comparison(document)
    assert found is not None
    assert found.epochs.tolist() == [1, 4]
    document.set_stage([4], Stage.N3)
    again = document_comparison(document)
    assert again is not None
    assert again.row(4).edited
    assert again.epochs.tolist() == [1, 4]
    corrected = document_comparison(document, against=document.labels)
    assert corrected is not None
    assert corrected.epochs.tolist() == [1]


def test_without_truth_or_model_there_is_no_comparison() -> None:
    assert document_comparison(document_of(8, truth=TRUTH)) is None
    assert document_comparison(document_of(8, model=MODEL)) is None


def test_statistics_follow_edits_lights_and_arousals() -> None:
    document = document_of(8, truth=TRUTH, model=MODEL)
    assert list(document_statistics(document)) == ["expert", "model"]
    document.set_stage([1], Stage.N1)
    document.set_lights(Lights(1))
    document.add_event("arousal", 60, 65)
    found = document_statistics(document)
    assert list(found) == ["expert", "model", "corrected"]
    assert found["corrected"]["N1_min"] == 0.5
    assert found["expert"]["trt_min"] == 3.5
    assert found["expert"]["arousals"] == 1
    assert list(document_scorers(document_of(3))) == ["corrected"]


def test_quality_and_provenance_of_an_open_night(tmp_path: Path) -> None:
    path = simulate_night(tmp_path, hours=0.1).psg_path
    with open_recording(path) as recording:
        assert recording_signs(recording, "EEG Fpz-Cz").measured.all()
        assert not recording_signs(recording, None).measured.any()
        assert not recording_signs(recording, "nothing").measured.any()
    night = open_night(path)
    with night.recording:
        assert night_provenance(night).seen is Seen.UNKNOWN
        night.document.set_prediction(prediction_of([0] * night.recording.n_epochs))
        learned = TrainingRecord("ab" * 32, "run", recordings=frozenset({night.sha256}))
        assert night_provenance(night, (learned,)).seen is Seen.TRAINED


def test_the_real_nights_figures_equal_scikit_learns(real_copy: Path) -> None:
    from sklearn.metrics import cohen_kappa_score, confusion_matrix

    night = open_night(real_copy)
    with night.recording:
        truth = night.document.truth
        assert truth is not None
        random = np.random.default_rng(0)
        told = np.where(random.random(len(truth)) < 0.2, random.integers(0, 5, len(truth)), truth.stages)
        night.document.set_prediction(prediction_of(told.tolist()))
        found = document_comparison(night.document, signs=recording_signs(night.recording, night.channel))
    assert found is not None
    assert found.agreement is not None
    both = truth.stages >= 0
    assert found.agreement.kappa == pytest.approx(cohen_kappa_score(truth.stages[both], told[both]))
    assert (found.confusion == confusion_matrix(truth.stages[both], told[both], labels=range(5))).all()
    assert found.signs.measured.all()
