"""AttnSleep computes what the published code computes."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sleepviewer.models.attnsleep import VARIANTS, AttnSleep

DATA = Path(__file__).parent / "data"
RATES = sorted(VARIANTS)


@pytest.fixture(scope="module", params=RATES)
def rate(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def model(rate: int) -> AttnSleep:
    model = AttnSleep(rate)
    model.load_state_dict(load_file(DATA / f"attnsleep_{rate}hz.safetensors"), strict=True)
    return model.eval()


@pytest.fixture(scope="module")
def reference(rate: int) -> dict[str, torch.Tensor]:
    with np.load(DATA / f"attnsleep_{rate}hz_io.npz") as archive:
        return {name: torch.from_numpy(archive[name]) for name in archive.files}


def test_features_agree_with_the_published_code(model: AttnSleep, reference: dict[str, torch.Tensor]) -> None:
    with torch.inference_mode():
        torch.testing.assert_close(model.features(reference["x"]), reference["features"], rtol=0, atol=1e-4)


def test_logits_of_the_published_features_agree(model: AttnSleep, reference: dict[str, torch.Tensor]) -> None:
    with torch.inference_mode():
        logits = model.fc(model.tce(reference["features"]).flatten(1))
        torch.testing.assert_close(logits, reference["logits"], rtol=0, atol=1e-4)


def test_logits_agree_with_the_published_code(model: AttnSleep, reference: dict[str, torch.Tensor]) -> None:
    """Within 1e-4, or, where more, within the published numbers' own rounding error.

    The reference's random weights saturate the attention in some epochs, which then magnify rounding: there the
    published single-precision logits are up to 8e-4 from the double-precision ones, and the order in which a machine
    adds matters.
    """
    with torch.inference_mode():
        exact = copy.deepcopy(model).double()(reference["x"].double())
        rounding = (reference["logits"] - exact).abs().amax(dim=1, keepdim=True)
        error = (model(reference["x"]) - reference["logits"]).abs()
    assert rounding.max() < 1e-3
    assert (error <= torch.clamp(2 * rounding, min=1e-4)).all()


def test_has_the_published_number_of_parameters() -> None:
    assert sum(p.numel() for p in AttnSleep(100).parameters()) == 522_805


def test_an_epoch_is_scored_alike_alone_and_in_a_batch(model: AttnSleep, reference: dict[str, torch.Tensor]) -> None:
    exact, x = copy.deepcopy(model).double(), reference["x"].double()
    with torch.inference_mode():
        alone = torch.cat([exact(epoch.unsqueeze(0)) for epoch in x])
        torch.testing.assert_close(alone, exact(x), rtol=0, atol=1e-9)


def test_dropout_acts_in_training_alone(model: AttnSleep, reference: dict[str, torch.Tensor]) -> None:
    x = reference["x"][:2]
    with torch.inference_mode():
        assert torch.equal(model(x), model(x))
        torch.manual_seed(0)
        training = AttnSleep(model.variant.rate_hz).train()
        assert not torch.equal(training(x), training(x))


def test_every_used_parameter_learns(rate: int) -> None:
    """Each gets a gradient, but for the convolution and the norm that the published attention never uses."""
    torch.manual_seed(0)
    model = AttnSleep(rate)
    model(torch.randn(4, 1, model.variant.n_samples)).square().sum().backward()
    idle = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    unused = ("self_attn.convs.0.weight", "self_attn.convs.0.bias", *(f"sublayer_output.0.norm.{p}_2" for p in "ab"))
    assert idle == {f"tce.layers.{layer}.{name}" for layer in range(2) for name in unused}
