"""AttnSleep computes what the published code computes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from helpers.places import DATA
from sleepviewer.models.checkpoints import PUBLISHED_RATES_HZ
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import build_epoch_model
from sleepviewer.models.shape import InputShape


def attnsleep(rate_hz: int) -> EpochModel:
    return build_epoch_model("attnsleep", InputShape.whole_epoch(rate_hz))


@pytest.fixture(scope="module", params=PUBLISHED_RATES_HZ)
def rate(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def model(rate: int) -> EpochModel:
    model = attnsleep(rate)
    model.load_state_dict(load_file(DATA / f"attnsleep_{rate}hz.safetensors"), strict=True)
    return model.eval()


@pytest.fixture(scope="module")
def reference(rate: int) -> dict[str, torch.Tensor]:
    with np.load(DATA / f"attnsleep_{rate}hz_io.npz") as archive:
        return {name: torch.from_numpy(archive[name]) for name in archive.files}


@pytest.fixture(scope="module")
def exact(model: EpochModel) -> EpochModel:
    """The model in double precision: what it computes does not depend on the processor's kernels.

    The reference's random weights saturate the attention in some epochs, which then magnify rounding: single
    precision is there up to 1e-3 from double, the published code's as well as this one's, on every processor otherwise.
    """
    return copy.deepcopy(model).double()


def test_features_agree_with_the_published_code(exact: EpochModel, reference: dict[str, torch.Tensor]) -> None:
    """They reach 200, where single precision has steps of 1.5e-5."""
    with torch.inference_mode():
        features = exact.features(reference["x"].double())
    torch.testing.assert_close(features, reference["features"].double(), rtol=1e-5, atol=1e-4)


def test_logits_agree_with_the_published_code(exact: EpochModel, reference: dict[str, torch.Tensor]) -> None:
    with torch.inference_mode():
        error = (exact(reference["x"].double()) - reference["logits"]).abs().amax(dim=1)
    assert error.median() < 1e-4
    assert error.max() < 1e-3


def test_single_precision_decides_alike(
    model: EpochModel, exact: EpochModel, reference: dict[str, torch.Tensor]
) -> None:
    with torch.inference_mode():
        single, double = model(reference["x"]), exact(reference["x"].double())
    assert torch.equal(single.argmax(dim=1), double.argmax(dim=1))
    assert (single - double).abs().amax(dim=1).median() < 1e-4


def test_has_the_published_number_of_parameters() -> None:
    assert sum(p.numel() for p in attnsleep(100).parameters()) == 522_805


def test_an_epoch_is_scored_alike_alone_and_in_a_batch(model: EpochModel, reference: dict[str, torch.Tensor]) -> None:
    exact, x = copy.deepcopy(model).double(), reference["x"].double()
    with torch.inference_mode():
        alone = torch.cat([exact(epoch.unsqueeze(0)) for epoch in x])
        torch.testing.assert_close(alone, exact(x), rtol=0, atol=1e-9)


def test_dropout_acts_in_training_alone(model: EpochModel, reference: dict[str, torch.Tensor]) -> None:
    x = reference["x"][:2]
    with torch.inference_mode():
        assert torch.equal(model(x), model(x))
        torch.manual_seed(0)
        training = attnsleep(model.shape.rate_hz).train()
        assert not torch.equal(training(x), training(x))


def test_every_used_parameter_learns(rate: int) -> None:
    """Each gets a gradient, but for the convolution and the norm that the published attention never uses."""
    torch.manual_seed(0)
    model = attnsleep(rate)
    model(torch.randn(4, 1, model.shape.n_samples)).square().sum().backward()
    idle = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    unused = ("self_attn.convs.0.weight", "self_attn.convs.0.bias", *(f"sublayer_output.0.norm.{p}_2" for p in "ab"))
    assert idle == {f"tce.layers.{layer}.{name}" for layer in range(2) for name in unused}
