"""The Conformer encoder: which tokens see each other, along which axis."""

from __future__ import annotations

import pytest
import torch

from sleepviewer.models.conformer import Axis, ConformerEncoder


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(1)


def encoder(axis: Axis) -> ConformerEncoder:
    torch.manual_seed(0)
    return ConformerEncoder(80, axis).eval()


@pytest.mark.parametrize("axis", Axis)
@pytest.mark.parametrize("width", [80, 100, 16])
def test_features_keep_their_shape_on_either_axis(axis: Axis, width: int) -> None:
    model = ConformerEncoder(width, axis).eval()
    assert model(torch.randn(2, 30, width)).shape == (2, 30, width)


def test_channels_are_the_tokens_unless_said_otherwise() -> None:
    assert ConformerEncoder(80).axis is Axis.CHANNELS


def test_a_token_is_a_channel_or_a_time_point() -> None:
    """What leaves the last block is normalised token by token: each has mean 0 along its own embedding."""
    x = torch.randn(2, 30, 80)
    with torch.inference_mode():
        by_channel, by_time = encoder(Axis.CHANNELS)(x), encoder(Axis.TIME)(x)
    assert by_channel.mean(dim=2).abs().max() < 1e-5
    assert by_channel.mean(dim=1).abs().max() > 1e-2
    assert by_time.mean(dim=1).abs().max() < 1e-5
    assert by_time.mean(dim=2).abs().max() > 1e-2


@pytest.mark.parametrize("axis", Axis)
def test_every_parameter_learns(axis: Axis) -> None:
    model = encoder(axis).train()
    model(torch.randn(3, 30, 80)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("axis", Axis)
def test_every_token_sees_every_other(axis: Axis) -> None:
    x = torch.randn(1, 30, 80)
    changed = x.clone()
    where = (0, 0) if axis is Axis.CHANNELS else (0, slice(None), 0)
    changed[where] += torch.randn_like(changed[where])
    with torch.inference_mode():
        difference = (encoder(axis)(changed) - encoder(axis)(x)).abs()
    assert (difference.amax(dim=2 if axis is Axis.CHANNELS else 1) > 1e-7).all()
