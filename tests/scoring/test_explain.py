"""What spoke for a stage: sums that come out, a landmark that is found, nights with gaps, cancelling, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from helpers.model_files import random_weights
from helpers.places import DATA
from helpers.scoring_fakes import CancelAfter, FakeChannel, FakeRecording, eeg, write_edf
from sleepviewer.cli import main
from sleepviewer.errors import ChannelError, EngineError, ScoringCancelled
from sleepviewer.models.context import SUMMARY_WIDTH, ContextModel
from sleepviewer.recording import open_recording
from sleepviewer.recording.base import FileStamp
from sleepviewer.scoring.attribution import N_REFERENCES, NightExplainer
from sleepviewer.scoring.base import CancelToken, ChannelChoice, Progress
from sleepviewer.scoring.explain import (
    NIGHT_READY,
    Explanation,
    ExplanationRequest,
    StagePair,
    check_explainable,
    pair_of,
)
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.process import ScoringProcess
from sleepviewer.scoring.registry import YASA, EngineSpec
from sleepviewer.stages import Stage

WEIGHTS = DATA / "attnsleep_100hz.safetensors"
N = 12


def fake(samples: np.ndarray, rate_hz: float = 100.0) -> FakeRecording:
    return FakeRecording({"EEG": FakeChannel(samples, rate_hz)})


@pytest.fixture(scope="module")
def with_context(tmp_path_factory: pytest.TempPathFactory) -> FamilyEngine:
    path = random_weights(tmp_path_factory.mktemp("weights") / "w.safetensors", "attnsleep+context", temperature=1.5)
    return FamilyEngine("attnsleep+context", path, device="cpu")


def prepared(engine: FamilyEngine, samples: np.ndarray) -> NightExplainer:
    return NightExplainer.prepare(engine, fake(samples), "EEG")


class LooksAt:
    """A model that knows N2 by the power of the one second that it looks at."""

    has_context = False

    def __init__(self, second: int) -> None:
        self._samples = slice(100 * second, 100 * second + 100)

    def logits(self, epochs: Tensor, around: None = None) -> Tensor:
        power = (epochs[:, 0, self._samples] ** 2).mean(dim=1)
        nothing = torch.zeros_like(power)
        return torch.stack((nothing, nothing, power, nothing, nothing), dim=1)


@pytest.mark.parametrize("second", [0, 12, 29])
def test_a_landmark_is_found_where_it_is(second: int) -> None:
    epochs = np.random.default_rng(second).standard_normal((N, 3000)).astype(np.float32)
    epochs[5, 100 * second : 100 * second + 100] *= 3
    explainer = NightExplainer("a", "ab", "EEG", epochs, LooksAt(second), None)  # type: ignore[arg-type]
    found = explainer.explain(5)
    assert found.pair.predicted is Stage.N2
    assert found.strongest() == ([second], [])
    outside = np.ones(120, dtype=bool)
    outside[4 * second : 4 * second + 4] = False
    for shares in (found.difference, found.for_predicted):
        assert (shares[outside] == 0).all()
        assert (shares[~outside] > 0).all()
    assert found.occlusion.argmax() == second
    assert np.count_nonzero(found.occlusion) == 1
    assert found.agreement == pytest.approx(1)
    np.testing.assert_allclose(found.occlusion[second], found.log_odds - found.baseline_log_odds, rtol=1e-4)
    assert abs(found.completeness_error) < 1e-4
    turned = explainer.explain(5, StagePair(Stage.N1, Stage.N2))
    assert turned.strongest() == ([], [second])
    assert f"{second}–{second + 1} s speaks against it" in turned.text


@pytest.mark.parametrize("member", ["attnsleep", "attnsleep+context"])
def test_the_shares_sum_up_to_the_change_of_the_log_odds(member: str) -> None:
    found = prepared(FamilyEngine(member, device="cpu"), eeg(N)).explain(2)
    assert found.difference.shape == found.for_predicted.shape == (120,)
    change = found.log_odds - found.baseline_log_odds
    assert abs(change) > 0.5
    assert abs(found.difference.sum() - change) <= abs(found.completeness_error) + 1e-5
    assert abs(found.completeness_error) < 0.05
    assert found.agreement > 0.5
    p = found.proba.astype(float)
    two = int(found.pair.predicted), int(found.pair.against)
    assert found.log_odds == pytest.approx(np.log(p[two[0]] / p[two[1]]), abs=1e-4)


def test_it_explains_the_scoring_that_is_shown(with_context: FamilyEngine) -> None:
    samples = eeg(N)
    samples[3 * 3000 : 3 * 3000 + 50] = np.nan
    scored = with_context.score(fake(samples), ChannelChoice("EEG"))
    explainer = prepared(with_context, samples)
    for epoch in (0, 2, 4, N - 1):
        np.testing.assert_allclose(explainer.proba(epoch), scored.proba[epoch], atol=1e-5)
    two = prepared(with_context, samples).explain(4)
    one = explainer.explain(4)
    np.testing.assert_array_equal(one.difference, two.difference)
    np.testing.assert_array_equal(one.neighbours, two.neighbours)


def test_neighbours_are_taken_away_one_by_one(with_context: FamilyEngine) -> None:
    samples = eeg(N)
    samples[3 * 3000 : 3 * 3000 + 50] = np.nan
    found = prepared(with_context, samples).explain(1)
    assert np.isnan(found.neighbours).tolist() == [True, True, False, False, True, False]
    without = samples.copy()
    without[:50] = np.nan
    less = prepared(with_context, without).explain(1, found.pair)
    assert found.neighbours[2] == pytest.approx(found.log_odds - less.log_odds, abs=1e-3)
    assert found.neighbours[2] != 0


def test_without_context_no_neighbour_counts() -> None:
    found = prepared(FamilyEngine("attnsleep", WEIGHTS, device="cpu"), eeg(3)).explain(1)
    assert np.isnan(found.neighbours).all()
    assert found.log_odds == pytest.approx(found.log_odds_alone, abs=1e-4)
    assert found.baseline == "2 epochs spread evenly over the night"


def test_a_night_of_one_epoch_is_compared_with_silence() -> None:
    found = prepared(FamilyEngine("attnsleep", WEIGHTS, device="cpu"), eeg(1)).explain(0)
    assert found.baseline.startswith("silence")
    assert np.isfinite(found.difference).all()


def test_the_baseline_leaves_the_epoch_itself_out() -> None:
    epochs = np.arange(30, dtype=np.float32)[:, None] * np.ones(3000, dtype=np.float32)
    explainer = NightExplainer("a", "ab", "EEG", epochs, LooksAt(0), None)  # type: ignore[arg-type]
    for place in range(30):
        levels = explainer._references(place)[:, 0, 0].tolist()
        assert len(levels) == len(set(levels)) == N_REFERENCES
        assert place not in levels


@pytest.mark.parametrize("length", [1, 2, 199, 200, 201, 350])
def test_a_place_of_the_night_has_the_logits_of_the_whole_night(length: int) -> None:
    torch.manual_seed(length)
    context = ContextModel().eval()
    torch.nn.init.normal_(context.head.weight)
    summaries = torch.randn(length, SUMMARY_WIDTH)
    whole = context.night(summaries)
    for place in {0, length // 3, length // 2, length - 1}:
        with torch.no_grad():
            here = context.at(summaries[[place, 0]], context.surroundings(summaries, place))
        np.testing.assert_allclose(here[0].numpy(), whole[place].numpy(), atol=1e-5)


def test_epochs_that_were_not_scored_are_refused(with_context: FamilyEngine) -> None:
    samples = eeg(N)
    samples[3 * 3000 : 3 * 3000 + 50] = np.nan
    samples[5 * 3000 : 6 * 3000] = 0
    explainer = prepared(with_context, samples)
    for epoch in (3, 5):
        with pytest.raises(EngineError, match=f"Epoch {epoch + 1} of “EEG” holds a gap or no signal"):
            explainer.explain(epoch)
    for epoch in (-1, N):
        with pytest.raises(EngineError, match="The night has 12 epochs"):
            explainer.explain(epoch)
    with pytest.raises(ChannelError, match="too few"):
        NightExplainer.prepare(with_context, fake(eeg(N, 1.0), 1.0), "EEG")


def test_it_can_be_stopped_at_any_time(with_context: FamilyEngine) -> None:
    for looks in (0, 1):
        with pytest.raises(ScoringCancelled):
            NightExplainer.prepare(with_context, fake(eeg(N)), "EEG", cancel=CancelAfter(looks))
    explainer = prepared(with_context, eeg(N))
    for looks in (0, 5, 14, 30):
        with pytest.raises(ScoringCancelled):
            explainer.explain(4, cancel=CancelAfter(looks))


def test_the_pair_is_the_models_against_the_experts() -> None:
    proba = np.array([0.1, 0.3, 0.5, 0.05, 0.05], dtype=np.float32)
    assert pair_of(proba) == StagePair(Stage.N2, Stage.N1, "second choice")
    assert pair_of(proba, Stage.N2) == pair_of(proba)
    assert pair_of(proba, Stage.REM) == StagePair(Stage.N2, Stage.REM, "expert")
    assert pair_of(proba, Stage.W, "yours").text == "N2, not W (yours)"


def test_only_the_family_can_be_explained() -> None:
    check_explainable("attnsleep-msmp+context")
    with pytest.raises(EngineError, match="YASA decides by features of whole epochs"):
        check_explainable(YASA)
    with pytest.raises(EngineError, match="“somebody” is no model"):
        check_explainable("somebody")


def test_the_child_keeps_the_night_until_another_is_asked_for(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "night.edf", {"EEG": (eeg(N), 100.0)})
    spec, pair = EngineSpec("attnsleep", WEIGHTS), StagePair(Stage.N2, Stage.N1)
    request = ExplanationRequest(path, spec, "EEG", 3, pair, stamp=FileStamp.of(path))
    token = CancelToken()
    told: list[Progress] = []
    with ScoringProcess() as process:
        first = process.explain(request, told.append, token)
        assert any(progress.message == "reading" for progress in told)
        told.clear()
        second = process.explain(ExplanationRequest(path, spec, "EEG", 4, pair), told.append)
        assert not any(progress.message == "reading" for progress in told)
        assert all(progress.fraction >= NIGHT_READY for progress in told if progress.fraction)
        wrong = ExplanationRequest(path, spec, "EEG", 4, pair, weights_sha256="another")
        with pytest.raises(EngineError, match="other weights of attnsleep"):
            process.explain(wrong)
        with pytest.raises(EngineError, match="YASA decides"):
            process.explain(ExplanationRequest(path, EngineSpec(YASA), "EEG", 4, pair))
        with open_recording(path) as recording:
            here = NightExplainer.prepare(FamilyEngine("attnsleep", WEIGHTS, device="cpu"), recording, "EEG")
        write_edf(path, {"EEG": (eeg(N, seed=7), 100.0)})
        other = process.explain(ExplanationRequest(path, spec, "EEG", 4, pair))
    assert isinstance(first, Explanation)
    assert (first.epoch, second.epoch) == (3, 4)
    np.testing.assert_allclose(first.difference, here.explain(3, pair).difference, atol=1e-3)
    assert not np.allclose(other.difference, second.difference)


def test_the_command_says_it_in_words_and_as_json(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "night.edf", {"EEG C4": (eeg(N), 100.0)})
    truth = tmp_path / "truth.txt"
    truth.write_text("W\n" * N)
    weights = random_weights(tmp_path / "w.safetensors", "attnsleep+context")
    arguments = ["explain", str(path), "--epoch", "3", "--weights", str(weights), "--truth", str(truth)]
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)
    assert (values["epoch"], values["engine"], values["channel"]) == (3, "attnsleep+context", "EEG C4")
    assert len(values["difference"]) == 120
    assert values["neighbours"][0] is None
    assert values["pair"]["said_by"] in ("expert", "second choice")
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0
    assert sum(" s " in line and "│" in line for line in shown.stdout.splitlines()) == 30
    assert "rank correlation with occlusion" in shown.stdout
    refused = CliRunner().invoke(main, ["explain", str(path), "--epoch", "3", "--engine", "yasa"])
    assert refused.exit_code == 1
    assert "YASA decides" in refused.stderr
    beyond = CliRunner().invoke(main, ["explain", str(path), "--epoch", "13", "--weights", str(weights)])
    assert "none is number 13" in beyond.stderr
