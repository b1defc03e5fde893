"""The ensemble: the weighted geometric mean of its members, who is left out and why, and what is said of a night."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp

from helpers.scoring_fakes import CancelAfter, FakeChannel, FakeRecording, eeg
from sleepviewer.errors import EngineError, ScoringCancelled
from sleepviewer.recording.base import Role
from sleepviewer.scoring.base import ChannelChoice, Prediction, Progress
from sleepviewer.scoring.ensemble import EnsembleEngine, pooled, weights_for
from sleepviewer.scoring.recipe import EnsembleRecipe, possible_identities, shipped_recipe
from sleepviewer.scoring.registry import EngineSpec, make_engine

EEG = ChannelChoice("EEG")
N = 40
LOUD = np.float32(3000.0)


def recording(samples: np.ndarray, rate_hz: float = 100.0) -> FakeRecording:
    n_epochs = round(len(samples) / rate_hz / 30)
    return FakeRecording(
        {
            "EEG": FakeChannel(samples, rate_hz),
            "EOG": FakeChannel(eeg(n_epochs, rate_hz, seed=1, microvolts=60), rate_hz, role=Role.EOG),
            "dead": FakeChannel(np.zeros_like(samples), rate_hz, role=Role.EOG),
        }
    )


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return eeg(N)


@pytest.fixture(scope="module")
def engine() -> EnsembleEngine:
    return EnsembleEngine(device="cpu")


@pytest.fixture(scope="module")
def plain(engine: EnsembleEngine, samples: np.ndarray) -> Prediction:
    return engine.score(recording(samples), EEG)


# -- the mean


def test_the_mean_is_that_of_the_logarithms() -> None:
    rng = np.random.default_rng(0)
    probas = [rng.dirichlet(np.ones(5), 30).astype(np.float32) for _ in range(3)]
    weights, temperature = [0.2, 0.3, 0.5], 0.7
    logs = sum(w * np.log(np.clip(p.astype(np.float64), 1e-4, 1)) for w, p in zip(weights, probas, strict=True))
    logs = logs / temperature
    expected = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    np.testing.assert_allclose(pooled(probas, weights, temperature), expected, atol=1e-6)


def test_a_row_that_one_member_lacks_is_the_others() -> None:
    one, two = np.full((3, 5), 0.2, np.float32), np.tile(np.array([0.6, 0.1, 0.1, 0.1, 0.1], np.float32), (3, 1))
    one[1] = one[2] = np.nan
    two[2] = np.nan
    found = pooled([one, two], [0.9, 0.1], 1.0)
    np.testing.assert_allclose(found[1], two[1], atol=1e-6)
    assert found[0, 0] < 0.3
    assert np.isnan(found[2]).all()


def test_a_members_zero_does_not_decide_for_all() -> None:
    sure = np.array([[0, 0, 1, 0, 0]], dtype=np.float32)
    other = np.array([[0.9, 0.025, 0.025, 0.025, 0.025]], dtype=np.float32)
    assert pooled([sure, other], [0.1, 0.9], 1.0)[0].argmax() == 0


# -- the engine


def test_it_is_the_pool_of_its_members_as_each_scores_alone(samples: np.ndarray, plain: Prediction) -> None:
    recipe = shipped_recipe()
    night = recording(samples)
    votes = {name: make_engine(EngineSpec(name)).score(night, EEG) for name in recipe.weights}
    weights = weights_for(votes, recipe)
    expected = pooled([vote.proba for vote in votes.values()], weights, recipe.card.temperature)
    np.testing.assert_allclose(plain.proba, expected, atol=1e-3)
    assert plain.engine == "ensemble"
    assert plain.channels == ("EEG",)
    assert plain.weights_sha256 in possible_identities(shipped=True)


def test_yasa_gets_the_eog_and_a_dead_one_is_left_out(
    engine: EnsembleEngine, samples: np.ndarray, plain: Prediction
) -> None:
    with_eog = engine.score(recording(samples), ChannelChoice("EEG", "EOG"))
    assert with_eog.channels == ("EEG", "EOG")
    assert not np.allclose(with_eog.proba, plain.proba, atol=1e-3)
    assert with_eog.weights_sha256 in possible_identities(shipped=True) - {plain.weights_sha256}
    dead = engine.score(recording(samples), ChannelChoice("EEG", "dead"))
    assert dead.channels == ("EEG",)
    assert any("not given “dead”" in note for note in dead.notes)
    np.testing.assert_allclose(dead.proba, plain.proba, atol=1e-6)


@pytest.mark.parametrize("rate_hz", [64.0])
def test_a_member_that_cannot_score_is_left_out_and_said(engine: EnsembleEngine, rate_hz: float) -> None:
    prediction = engine.score(recording(eeg(N, rate_hz), rate_hz), EEG)
    assert prediction.scored.all()
    assert any(note.startswith("YASA was left out of the ensemble:") for note in prediction.notes)
    assert "YASA was left out" in prediction.unvalidated
    assert any("not validated for this recording" in note for note in prediction.notes)


def test_a_recording_of_four_minutes_is_scored_without_yasa(engine: EnsembleEngine) -> None:
    prediction = engine.score(recording(eeg(8)), EEG)
    assert prediction.scored.all()
    assert "YASA was left out" in prediction.unvalidated
    assert any("only 4 minutes" in clause for clause in prediction.unvalidated)


def test_where_no_member_can_score_the_reasons_are_told(tmp_path: Path) -> None:
    recipe = EnsembleRecipe({"attnsleep+context": 0.5, "yasa": 0.5}, shipped_recipe().card)
    (tmp_path / "attnsleep+context.safetensors").write_bytes(b"no weights")
    with pytest.raises(EngineError, match=r"safetensors.*five minutes"):
        EnsembleEngine(recipe, folder=tmp_path).score(recording(eeg(8)), EEG)


def test_two_bad_epochs_leave_all_others_as_they_were(engine: EnsembleEngine, samples: np.ndarray) -> None:
    """What an artifact does to the batch statistics and the scaling is done to every epoch."""
    clean = engine.score(recording(samples), EEG)
    pulled = samples.copy()
    pulled[-2 * 3000 :] = np.random.default_rng(0).uniform(-LOUD, LOUD, 2 * 3000)
    found = engine.score(recording(pulled), EEG)
    assert np.flatnonzero(~found.scored).tolist() == [N - 2, N - 1]
    assert any("2 of 40 epochs" in note and "extreme" in note for note in found.notes)
    rest = slice(0, N - 12)  # YASA smooths over 7.5 minutes
    assert np.median(np.abs(found.proba[rest] - clean.proba[rest])) < 0.03
    assert (found.stages[rest] == clean.stages[rest]).mean() > 0.85  # noise is near the border of two stages


def test_unusable_epochs_are_scored_where_the_user_wants_it(samples: np.ndarray) -> None:
    pulled = samples.copy()
    pulled[-2 * 3000 :] = np.random.default_rng(0).uniform(-LOUD, LOUD, 2 * 3000)
    found = EnsembleEngine(device="cpu", score_unusable=True).score(recording(pulled), EEG)
    assert found.scored.all()
    assert any("2 epochs of “EEG” were scored although" in note for note in found.notes)


def test_probabilities_come_early_and_progress_never_goes_back(engine: EnsembleEngine, samples: np.ndarray) -> None:
    steps: list[Progress] = []
    prediction = engine.score(recording(samples), EEG, steps.append)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    first = next(i for i, step in enumerate(steps) if step.proba is not None)
    assert fractions[first] < 0.7
    np.testing.assert_array_equal(steps[-1].proba, prediction.proba)


def test_it_stops_when_it_is_cancelled(engine: EnsembleEngine, samples: np.ndarray) -> None:
    for looks in (0, 2, 5):
        with pytest.raises(ScoringCancelled):
            engine.score(recording(samples), EEG, cancel=CancelAfter(looks))


# -- how much each counts


def vote(changes: float = 0.0, unvalidated: tuple[str, ...] = ()) -> Prediction:
    proba = np.full((4, 5), 0.2, dtype=np.float32)
    return Prediction(proba, "x", "1", "", ("EEG",), 0.0, unvalidated=unvalidated, context_changes=changes)


def test_within_what_was_validated_the_weights_are_the_recipes() -> None:
    recipe = shipped_recipe()
    votes = {name: vote(0.2) for name in recipe.weights}
    assert weights_for(votes, recipe) == pytest.approx(list(recipe.weights.values()))
    assert sum(recipe.weights.values()) == pytest.approx(1)


def test_a_member_whose_context_strays_counts_for_less() -> None:
    recipe = shipped_recipe()
    first = recipe.members[0]
    for changes, share in ((0.25, 1.0), (0.35, 0.5), (0.45, 0.0), (0.9, 0.0)):
        votes = {name: vote(changes if name == first else 0.1) for name in recipe.weights}
        assert weights_for(votes, recipe)[0] == pytest.approx(share * recipe.weights[first])
    nobody = {name: vote(0.9) for name in recipe.members}
    assert len(set(weights_for(nobody, recipe))) == 1  # without YASA there is nobody better


def test_where_a_member_was_not_validated_yasa_counts_half() -> None:
    recipe = shipped_recipe()
    votes = {name: vote(unvalidated=("it is short",)) for name in recipe.weights}
    weights = dict(zip(recipe.weights, weights_for(votes, recipe), strict=True))
    assert weights["yasa"] == pytest.approx(sum(weights.values()) / 2)
