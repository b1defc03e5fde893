"""A model fits its batch statistics to a night as far as its card says, and stays as it was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sleepviewer.models.adaptation import N_EPOCHS, blend_statistics, typical_epochs
from sleepviewer.models.card import ModelCard
from sleepviewer.models.checkpoints import load_weights, save_weights
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import build_epoch_model
from sleepviewer.models.night_model import NightModel
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.models.shape import InputShape

SHAPE = InputShape.whole_epoch(100)


@pytest.fixture(scope="module")
def model() -> EpochModel:
    torch.manual_seed(0)
    return build_epoch_model("attnsleep", SHAPE).eval()


def night(n: int = N_EPOCHS, scale: float = 3.0) -> np.ndarray:
    return np.asarray(scale * np.random.default_rng(0).standard_normal((n, SHAPE.n_samples)) + 1, dtype=np.float32)


def first_norm(model: EpochModel) -> nn.BatchNorm1d:
    return next(module for module in model.modules() if isinstance(module, nn.BatchNorm1d))


def mean_of(model: EpochModel) -> torch.Tensor:
    mean = first_norm(model).running_mean
    assert mean is not None
    return mean


def test_none_of_the_night_leaves_the_model_as_trained(model: EpochModel) -> None:
    adapted = blend_statistics(model, night(), 0.0)
    assert all(
        torch.equal(a, b) for a, b in zip(model.state_dict().values(), adapted.state_dict().values(), strict=True)
    )


def test_all_of_the_night_standardises_what_the_first_layer_finds(model: EpochModel) -> None:
    adapted = blend_statistics(model, night(), 1.0)
    found: list[torch.Tensor] = []
    handle = first_norm(adapted).register_forward_hook(lambda _m, inputs, _o: found.append(inputs[0]))
    with torch.no_grad():
        adapted(torch.from_numpy(night()).unsqueeze(1))
    handle.remove()
    torch.testing.assert_close(mean_of(adapted), found[0].mean(dim=(0, 2)), rtol=1e-3, atol=1e-4)


def test_half_lies_in_the_middle_and_the_trained_model_is_left_alone(model: EpochModel) -> None:
    before = mean_of(model).clone()
    whole, half = (mean_of(blend_statistics(model, night(), share)) for share in (1.0, 0.5))
    torch.testing.assert_close(half, (whole + before) / 2, rtol=1e-5, atol=1e-6)
    assert torch.equal(mean_of(model), before)


def test_a_short_night_counts_for_less(model: EpochModel) -> None:
    few = N_EPOCHS // 4
    quarter = mean_of(blend_statistics(model, night(few), 1.0))
    alone = mean_of(blend_statistics(model, np.tile(night(few), (4, 1)), 1.0))
    torch.testing.assert_close(quarter, 0.75 * mean_of(model) + 0.25 * alone, rtol=1e-3, atol=1e-4)


def test_one_epoch_is_enough(model: EpochModel) -> None:
    assert torch.isfinite(mean_of(blend_statistics(model, night(1), 0.5))).all()


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_scoring_does_what_the_card_says(model: EpochModel, tmp_path: Path, share: float) -> None:
    card = ModelCard(
        "mine", 100, 3000, Normalisation.ROBUST_NIGHT, member="attnsleep", night_statistics=share, temperature=2.0
    )
    save_weights(tmp_path / "w.safetensors", model.state_dict(), card)
    scorer = NightModel(load_weights(tmp_path / "w.safetensors"))
    plain, _ = scorer.batch(night(8))
    scorer.adapt(night())
    fitted, _ = scorer.batch(night(8))
    assert np.allclose(plain, fitted, atol=1e-6) == (share == 0)
    with torch.no_grad():
        expected = (blend_statistics(model, night(), share)(torch.from_numpy(night(8)).unsqueeze(1)) / 2).softmax(1)
    np.testing.assert_allclose(fitted, expected.numpy(), atol=1e-4)


def test_epochs_beyond_the_nights_usual_are_not_typical() -> None:
    rng = np.random.default_rng(0)
    epochs = rng.standard_normal((100, 3000)).astype(np.float32) * rng.uniform(0.7, 1.4, (100, 1)).astype(np.float32)
    epochs[3] *= 50
    epochs[4] *= 0.001
    epochs[5, 100] = 90.0
    assert np.flatnonzero(~typical_epochs(epochs)).tolist() == [3, 4, 5]
    assert typical_epochs(np.zeros((4, 3000), dtype=np.float32)).all()
