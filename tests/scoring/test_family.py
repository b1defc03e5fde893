"""An engine of the family computes what the model computes, and makes do with the memory there is."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import resample_poly

from helpers.model_files import random_weights
from helpers.places import DATA
from helpers.scoring_fakes import CancelAfter, FakeChannel, FakeRecording, eeg
from sleepviewer.errors import ChannelError, CheckpointError, EngineError, ScoringCancelled
from sleepviewer.files import sha256_of
from sleepviewer.models.checkpoints import load_weights
from sleepviewer.models.context import SUMMARY_WIDTH, summarise
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import all_names
from sleepviewer.models.filtering import band_pass
from sleepviewer.scoring.base import ChannelChoice, Prediction, Progress
from sleepviewer.scoring.family_engine import FamilyEngine, choose_device

WEIGHTS = {rate: DATA / f"attnsleep_{rate}hz.safetensors" for rate in (100, 125)}
EEG = ChannelChoice("EEG")
N = 20


def by_hand(epochs: np.ndarray, rate: int = 100) -> np.ndarray:
    """The model applied to ``[n, samples]`` in µV."""
    with torch.inference_mode():
        x = torch.from_numpy(np.asarray(epochs, dtype=np.float32)).unsqueeze(1)
        return load_weights(WEIGHTS[rate]).build()(x).softmax(dim=1).numpy()


def engine(**options: object) -> FamilyEngine:
    return FamilyEngine("attnsleep", WEIGHTS[100], device="cpu", **options)


def fake(samples: np.ndarray, rate_hz: float = 100.0) -> FakeRecording:
    return FakeRecording({"EEG": FakeChannel(samples, rate_hz), "EOG": FakeChannel(samples, rate_hz)})


def assert_alike(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Equal but for single precision, which the reference's random weights magnify in a few epochs."""
    np.testing.assert_allclose(ours, theirs, atol=5e-3)
    assert np.median(np.abs(ours - theirs)) < 1e-5


def test_equals_the_model_applied_by_hand() -> None:
    samples = eeg(N)
    prediction = engine().score(fake(samples), EEG)
    assert_alike(prediction.proba, by_hand(samples.reshape(N, 3000)))
    np.testing.assert_allclose(prediction.proba.sum(axis=1), 1, atol=1e-5)


def test_the_night_is_resampled_as_one_piece() -> None:
    samples = eeg(N, 128.0)
    prediction = FamilyEngine("attnsleep", WEIGHTS[125], device="cpu").score(fake(samples, 128.0), EEG)
    whole = resample_poly(samples, 125, 128, padtype="line").reshape(N, 3750)
    assert_alike(prediction.proba, by_hand(whole, 125))


def test_the_cards_normalisation_is_applied(tmp_path: Path) -> None:
    shutil.copy(WEIGHTS[100], tmp_path / "z.safetensors")
    card = {"rate_hz": 100, "normalisation": "zscore_epoch", "name": "z"}
    (tmp_path / "z.json").write_text(json.dumps(card))
    samples = eeg(N)
    prediction = FamilyEngine("attnsleep", tmp_path / "z.safetensors", device="cpu").score(fake(samples), EEG)
    epochs = samples.reshape(N, 3000)
    z = (epochs - epochs.mean(axis=1, keepdims=True)) / epochs.std(axis=1, keepdims=True)
    assert_alike(prediction.proba, by_hand(z))
    assert [note for note in prediction.notes if "unknown origin" not in note] == []


def test_the_scoring_says_where_it_comes_from() -> None:
    prediction = FamilyEngine("attnsleep", WEIGHTS[100]).score(fake(eeg(N)), ChannelChoice("EEG", "EOG"))
    assert prediction.engine == "attnsleep"
    assert prediction.device == choose_device()
    assert prediction.weights_sha256 == sha256_of(WEIGHTS[100])
    assert prediction.channels == ("EEG",)
    assert any("no card" in note for note in prediction.notes)


def test_reads_the_chosen_channel_alone() -> None:
    recording = fake(eeg(N))
    engine().score(recording, ChannelChoice("EEG", "EOG"))
    assert set(recording.read_labels) == {"EEG"}


def test_gaps_stay_unscored_and_leave_the_rest_as_it_was() -> None:
    samples = eeg(N)
    gapped = samples.copy()
    gapped[4 * 3000 + 10] = np.nan
    gapped[7 * 3000 : 12 * 3000] = np.nan
    prediction = engine(batch_size=2).score(fake(gapped), EEG)
    gone = [4, 7, 8, 9, 10, 11]
    assert np.flatnonzero(~prediction.scored).tolist() == gone
    rest = np.setdiff1d(np.arange(N), gone)
    assert_alike(prediction.proba[rest], by_hand(samples.reshape(N, 3000)[rest]))
    assert any("6 of 20" in note for note in prediction.notes)


def test_partial_results_add_up_to_the_whole() -> None:
    samples = eeg(N)
    samples[3000:3100] = np.nan
    told: list[Progress] = []
    prediction = engine(batch_size=6).score(fake(samples), EEG, told.append)
    parts = [progress for progress in told if progress.proba is not None]
    assert [part.first_epoch for part in parts] == [0, 6, 12, 18]
    np.testing.assert_array_equal(np.concatenate([part.proba for part in parts]), prediction.proba)
    assert [progress.fraction for progress in told] == sorted(progress.fraction for progress in told)
    assert told[-1].fraction == 1


@pytest.mark.parametrize("looks", [0, 1, 3])
def test_stops_before_any_batch(looks: int) -> None:
    told: list[Progress] = []
    with pytest.raises(ScoringCancelled):
        engine(batch_size=5).score(fake(eeg(N)), EEG, told.append, CancelAfter(looks))
    assert len([progress for progress in told if progress.proba is not None]) == max(0, looks - 1)


def test_the_batch_is_halved_until_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = eeg(N)
    expected = by_hand(samples.reshape(N, 3000))
    features = EpochModel.features

    def greedy(model: EpochModel, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return features(model, x)

    monkeypatch.setattr(EpochModel, "features", greedy)
    prediction = engine(batch_size=16).score(fake(samples), EEG)
    assert_alike(prediction.proba, expected)


def test_memory_that_holds_no_epoch_gives_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(model: EpochModel, x: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(EpochModel, "features", hungry)
    with pytest.raises(EngineError, match="Memory"):
        engine().score(fake(eeg(N)), EEG)


def test_a_device_without_memory_leaves_the_rest_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands in for a GPU that can hold the model and nothing else."""
    samples = eeg(N)
    features = EpochModel.features

    def no_room(model: EpochModel, x: torch.Tensor) -> torch.Tensor:
        if x.device.type == "meta":
            raise torch.OutOfMemoryError("out of memory")
        return features(model, x)

    moved = torch.nn.Module.to
    monkeypatch.setattr(EpochModel, "features", no_room)
    monkeypatch.setattr(EpochModel, "to", lambda model, device: model if device == "meta" else moved(model, device))
    prediction = FamilyEngine("attnsleep", WEIGHTS[100], device="meta", batch_size=4).score(fake(samples), EEG)
    monkeypatch.undo()
    assert prediction.device == "cpu"
    assert any("the rest was scored on the CPU" in note for note in prediction.notes)
    assert_alike(prediction.proba, by_hand(samples.reshape(N, 3000)))


@pytest.mark.parametrize(
    ("trouble", "said"),
    [("CUDA error: out of memory", "has no memory left"), ("CUDA driver version is insufficient", "can't be used")],
)
def test_a_device_that_can_not_take_the_model_is_left_for_the_cpu(
    monkeypatch: pytest.MonkeyPatch, trouble: str, said: str
) -> None:
    samples = eeg(N)
    moved = torch.nn.Module.to

    def to(model: EpochModel, device: str) -> object:
        if device == "meta":
            raise RuntimeError(trouble)
        return moved(model, device)

    monkeypatch.setattr(EpochModel, "to", to)
    prediction = FamilyEngine("attnsleep", WEIGHTS[100], device="meta", batch_size=4).score(fake(samples), EEG)
    assert prediction.device == "cpu"
    assert any(said in note and note.endswith(" on the CPU.") for note in prediction.notes)
    assert_alike(prediction.proba, by_hand(samples.reshape(N, 3000)))


def test_a_computer_without_a_working_driver_scores_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> bool:
        warnings.warn("CUDA initialization: The NVIDIA driver on your system is too old", stacklevel=2)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", no_driver)
    assert choose_device() in ("cpu", "mps")


# -- members, cards and contexts


@pytest.fixture
def without_shipped_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sleepviewer.scoring.family_engine.shipped_weights", lambda name: None)


@pytest.mark.parametrize("member", all_names())
def test_every_member_scores_with_a_file_of_its_weights(tmp_path: Path, member: str) -> None:
    path = random_weights(tmp_path / "w.safetensors", member)
    prediction = FamilyEngine(member, path, device="cpu").score(fake(eeg(5)), EEG)
    assert prediction.engine == member
    assert [note for note in prediction.notes if "unknown origin" not in note] == []
    np.testing.assert_allclose(prediction.proba.sum(axis=1), 1, atol=1e-5)


def test_weights_of_another_member_are_refused_by_name(tmp_path: Path) -> None:
    path = random_weights(tmp_path / "w.safetensors", "attnsleep+context")
    with pytest.raises(CheckpointError, match=r"holds the weights of attnsleep\+context, not of attnsleep;"):
        FamilyEngine("attnsleep", path).score(fake(eeg(3)), EEG)


def test_weights_trained_on_less_than_an_epoch_are_refused(tmp_path: Path) -> None:
    path = random_weights(tmp_path / "w.safetensors", "attnsleep", epoch_samples=500)
    with pytest.raises(CheckpointError, match="trained on 5 s of each epoch"):
        FamilyEngine("attnsleep", path).score(fake(eeg(3)), EEG)


def test_without_a_file_the_shipped_weights_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = random_weights(tmp_path / "w.safetensors", "attnsleep-msmp")
    monkeypatch.setattr("sleepviewer.scoring.family_engine.shipped_weights", {"attnsleep-msmp": path}.get)
    assert FamilyEngine("attnsleep-msmp").score(fake(eeg(3)), EEG).weights_sha256 == sha256_of(path)


@pytest.mark.usefixtures("without_shipped_weights")
def test_without_weights_says_how_to_give_them() -> None:
    with pytest.raises(EngineError, match=r"AttnSleep Conformer needs .* choose a \.safetensors file"):
        FamilyEngine("attnsleep-conformer").score(fake(eeg(N)), EEG)


def test_the_cards_band_and_temperature_are_applied(tmp_path: Path) -> None:
    path = random_weights(tmp_path / "w.safetensors", "attnsleep", band_hz=(0.3, 35.0), temperature=2.0)
    samples = eeg(N)
    prediction = FamilyEngine("attnsleep", path, device="cpu").score(fake(samples), EEG)
    filtered = band_pass(samples, 100.0, (0.3, 35.0)).reshape(N, 1, 3000)
    with torch.inference_mode():
        logits = load_weights(path).build()(torch.from_numpy(filtered))
    np.testing.assert_allclose(prediction.proba, (logits / 2).softmax(dim=1).numpy(), atol=1e-5)


def test_a_context_reads_the_scorable_epochs_in_order_after_all_batches(tmp_path: Path) -> None:
    path = random_weights(tmp_path / "w.safetensors", "attnsleep+context", temperature=1.5)
    samples = eeg(N)
    samples[3000:3100] = np.nan
    samples[7 * 3000 : 9 * 3000] = 0
    told: list[Progress] = []
    prediction = FamilyEngine("attnsleep+context", path, device="cpu", batch_size=6).score(
        fake(samples), EEG, told.append
    )
    parts = [progress for progress in told if progress.proba is not None]
    assert [part.first_epoch for part in parts] == [0, 6, 12, 18, 0]
    np.testing.assert_array_equal(parts[-1].proba, prediction.proba)
    assert [progress.fraction for progress in told] == sorted(progress.fraction for progress in told)
    assert told[-1].fraction == 1
    assert np.flatnonzero(~prediction.scored).tolist() == [1, 7, 8]
    weights = load_weights(path)
    model, context = weights.build(), weights.build_context()
    assert context is not None
    with torch.inference_mode():
        x = torch.from_numpy(samples.reshape(N, 1, 3000)[prediction.scored])
        features = model.features(x)
        logits = model.decide(features)
        scored = torch.tensor(prediction.scored)
        summaries = torch.full((N, SUMMARY_WIDTH), torch.nan)
        summaries[scored] = summarise(features, logits)
        night = context.night(summaries)[scored]  # gaps keep their places
    single = np.concatenate([part.proba for part in parts[:-1]])[prediction.scored]
    np.testing.assert_allclose(single, (logits / 1.5).softmax(dim=1).numpy(), atol=1e-5)
    np.testing.assert_allclose(prediction.proba[prediction.scored], (night / 1.5).softmax(dim=1).numpy(), atol=1e-4)


def test_bad_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError):
        FamilyEngine("attnsleep", tmp_path / "bad.safetensors").score(fake(eeg(N)), EEG)


def test_unfit_nights_are_refused() -> None:
    with pytest.raises(ChannelError, match="too few"):
        engine().score(fake(eeg(N, 1.0), 1.0), EEG)
    with pytest.raises(EngineError, match="shorter than one"):
        engine().score(fake(np.ones(100, dtype=np.float32)), EEG)


def test_a_channel_slower_than_the_model_is_told() -> None:
    prediction = engine().score(fake(eeg(N, 64.0), 64.0), EEG)
    assert any("nothing above 32 Hz" in note for note in prediction.notes)


def test_warm_up_changes_nothing() -> None:
    samples = eeg(3)
    warm = engine()
    warm.warm_up()
    assert_alike(warm.score(fake(samples), EEG).proba, by_hand(samples.reshape(3, 3000)))


# -- within which limits


def limited(tmp_path: Path, **limits: float) -> FamilyEngine:
    path = random_weights(tmp_path / "w.safetensors", "attnsleep+context", limits=limits)
    return FamilyEngine("attnsleep+context", path, device="cpu")


def beyond(prediction: Prediction) -> list[str]:
    assert any("not validated for this recording" in note for note in prediction.notes) == bool(prediction.unvalidated)
    return list(prediction.unvalidated)


def test_within_its_limits_nothing_is_said(tmp_path: Path) -> None:
    engine = limited(tmp_path, calibration_minutes=10, context_changes=1, distance=1e6, unusable_share=0.5)
    assert beyond(engine.score(fake(eeg(N)), EEG)) == []


def test_a_short_recording_is_scored_as_far_as_was_validated(tmp_path: Path) -> None:
    samples = eeg(N)
    plain = limited(tmp_path).score(fake(samples), EEG)
    short = limited(tmp_path, context_minutes=30, adaptation_minutes=30, calibration_minutes=30)
    prediction = short.score(fake(samples), EEG)
    assert beyond(prediction) == ["only 10 minutes could be scored (validated from 30)"]
    assert any("without its context and without fitting" in note for note in prediction.notes)
    assert not np.allclose(prediction.proba, plain.proba, atol=1e-3)


def test_a_context_that_strays_is_not_followed(tmp_path: Path) -> None:
    samples = eeg(N)
    followed = limited(tmp_path).score(fake(samples), EEG)
    alone = limited(tmp_path, context_minutes=60).score(fake(samples), EEG)
    assert (followed.stages != alone.stages).any()
    prediction = limited(tmp_path, context_changes=0.0).score(fake(samples), EEG)
    np.testing.assert_allclose(prediction.proba, alone.proba, atol=1e-6)
    assert any("scored epoch by epoch instead" in note for note in prediction.notes)
    assert beyond(prediction) == ["its epochs were scored one by one"]


def test_a_night_unlike_the_training_nights_and_one_that_is_mostly_unusable_are_said_to_be(tmp_path: Path) -> None:
    assert "unlike that of the training nights" in beyond(limited(tmp_path, distance=0.0).score(fake(eeg(N)), EEG))[0]
    samples = eeg(N)
    samples[: 12 * 3000] = 0
    (clause,) = beyond(limited(tmp_path, unusable_share=0.3).score(fake(samples), EEG))
    assert clause == "60% of it was not scored (validated up to 30%)"


def test_a_night_leaves_nothing_behind_for_the_next(tmp_path: Path) -> None:
    path = random_weights(
        tmp_path / "w.safetensors", "attnsleep", night_statistics=0.5, limits={"adaptation_minutes": 8}
    )
    engine = FamilyEngine("attnsleep", path, device="cpu")
    short = eeg(10, seed=4)
    before = engine.score(fake(short), EEG)
    engine.score(fake(eeg(N, microvolts=60)), EEG)
    np.testing.assert_array_equal(engine.score(fake(short), EEG).proba, before.proba)
