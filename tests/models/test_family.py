"""Every member of the family: shapes, gradients, seeds, files, and epochs that do not know of each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sleepviewer.errors import CheckpointError
from sleepviewer.models.card import ModelCard
from sleepviewer.models.checkpoints import CONTEXT_PREFIX, load_weights, save_weights
from sleepviewer.models.context import SUMMARY_WIDTH, ContextModel
from sleepviewer.models.costs import costs_of
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import MEMBERS, MemberName, all_names, build_epoch_model, title_of
from sleepviewer.models.night_model import NightModel, fold_norms
from sleepviewer.models.shape import InputShape

SHAPES = (InputShape(100, 3000), InputShape(125, 3750), InputShape(100, 500))
WHOLE = SHAPES[0]
UNUSED = ("self_attn.convs.0.weight", "self_attn.convs.0.bias", *(f"sublayer_output.0.norm.{p}_2" for p in "ab"))
"""What the published attention holds and never uses."""


@pytest.fixture(params=MEMBERS)
def member(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def build(member: str, shape: InputShape = WHOLE, seed: int = 0) -> EpochModel:
    torch.manual_seed(seed)
    return build_epoch_model(member, shape)


def used_once(model: EpochModel) -> EpochModel:
    """A model whose batch norms have seen something: their scales and offsets are not 1 and 0."""
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(10 * torch.randn(4, 1, model.shape.n_samples) + 1)
    return model.eval()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_five_logits_from_thirty_features_at_every_length(member: str, shape: InputShape) -> None:
    model = build(member, shape).eval()
    width = {3000: 80, 3750: 100, 500: 16}[shape.n_samples]
    with torch.inference_mode():
        features = model.features(torch.randn(2, 1, shape.n_samples))
        assert features.shape == (2, 30, width)
        assert model.decide(features).shape == (2, 5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_used_parameter_learns(member: str, shape: InputShape) -> None:
    model = build(member, shape)
    model(torch.randn(4, 1, shape.n_samples)).square().sum().backward()
    idle = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert all(name.endswith(UNUSED) for name in idle)
    assert bool(idle) == (member != "attnsleep-conformer")
    gradients = (parameter.grad for parameter in model.parameters() if parameter.grad is not None)
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)


def test_a_seed_decides_the_weights(member: str) -> None:
    one, again, other = build(member), build(member), build(member, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    assert not torch.equal(one.fc.weight, other.fc.weight)


@pytest.mark.parametrize("name", all_names())
def test_what_is_saved_is_loaded_as_it_was(name: str, tmp_path: Path) -> None:
    model, context = used_once(build(name)), ContextModel().eval()
    torch.nn.init.normal_(context.head.weight)
    state = dict(model.state_dict())
    if MemberName.parse(name).context:
        state |= {CONTEXT_PREFIX + key: tensor for key, tensor in context.state_dict().items()}
    save_weights(tmp_path / "w.safetensors", state, ModelCard(name, 100, 3000, member=name))
    loaded = load_weights(tmp_path / "w.safetensors")
    x = torch.randn(2, 1, 3000)
    with torch.inference_mode():
        torch.testing.assert_close(loaded.build()(x), model(x), rtol=0, atol=0)
        if (read := loaded.build_context()) is None:
            assert not MemberName.parse(name).context
        else:
            summaries = torch.randn(1, 7, 65)
            torch.testing.assert_close(read(summaries), context(summaries), rtol=0, atol=0)


def test_an_epoch_is_scored_alike_alone_and_in_a_batch(member: str) -> None:
    """In double precision, where the order of summation does not show."""
    model = used_once(build(member)).double()
    x = torch.randn(3, 1, 3000, dtype=torch.float64)
    with torch.inference_mode():
        alone = torch.cat([model(row) for row in x.split(1)])
        torch.testing.assert_close(alone, model(x), rtol=1e-9, atol=1e-9)


def test_folded_norms_compute_the_same(member: str) -> None:
    model = used_once(build(member)).double()
    x = torch.randn(2, 1, 3000, dtype=torch.float64)
    with torch.inference_mode():
        before = model(x)
        torch.testing.assert_close(fold_norms(model)(x), before, rtol=1e-9, atol=1e-9)


def test_folding_takes_every_norm_that_follows_a_convolution_in_a_stack() -> None:
    norms = [module for module in fold_norms(build("attnsleep").eval()).mrcnn.features1 if "Norm" in str(module)]
    assert norms == []


def test_without_a_context_single_epochs_are_all_there_is(member: str, tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", build(member).state_dict(), ModelCard(member, 100, 3000, member=member))
    model = NightModel(load_weights(tmp_path / "w.safetensors"))
    proba, summaries = model.batch(torch.randn(2, 3000).numpy())
    assert proba.shape == (2, 5)
    assert summaries.shape == (2, SUMMARY_WIDTH)  # for a map of the night; there is no context to read them
    assert not model.has_context


@pytest.mark.parametrize("name", all_names())
def test_sizes_are_those_of_the_parameters(name: str) -> None:
    parameters = sum(p.numel() for p in build(name).parameters())
    if MemberName.parse(name).context:
        parameters += sum(p.numel() for p in ContextModel().parameters())
    assert costs_of(name, WHOLE).parameters == parameters


def test_names_and_titles_tell_the_members_apart() -> None:
    assert [str(MemberName.parse(name)) for name in all_names()] == list(all_names())
    assert title_of("attnsleep+context") == "AttnSleep + context"
    assert len({title_of(name) for name in all_names()}) == len(all_names())
    for wrong in ("sleepnet", "attnsleep+context+context", "+context", ""):
        with pytest.raises(CheckpointError, match="there are: attnsleep"):
            MemberName.parse(wrong)


# -- files that are not what their card says


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_weights(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    return str(caught.value)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    save_weights(path, build("attnsleep").state_dict(), ModelCard("mine", 100, 3000))
    return path


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ({"member": "attnsleep-msmp"}, "lacks weights of attnsleep-msmp"),
        ({"member": "attnsleep+context"}, "lacks weights of attnsleep+context at 100 Hz: context.embed"),
        ({"member": "attnsleep", "epoch_samples": 500}, "other shapes than attnsleep"),
        ({"member": "attnsleep", "rate_hz": 125, "epoch_samples": 3750}, "other shapes than attnsleep at 125 Hz"),
        ({"member": "sleepnet"}, "no model called “sleepnet”"),
        ({"member": "attnsleep", "temperature": 0}, "temperature is no positive number"),
        ({"member": "attnsleep", "band_hz": [35, 0.3]}, "no rising pair"),
    ],
)
def test_weights_at_odds_with_their_card_are_refused(saved: Path, card: dict[str, object], words: str) -> None:
    content = {"rate_hz": 100, "epoch_samples": 3000, "normalisation": "none"} | card
    saved.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")
    assert words in refused(saved)


def test_a_context_beside_a_member_without_one_is_foreign(saved: Path) -> None:
    state = load_file(saved) | {CONTEXT_PREFIX + name: t for name, t in ContextModel().state_dict().items()}
    save_weights(saved, state, ModelCard("mine", 100, 3000))
    assert "none of attnsleep at 100 Hz: context." in refused(saved)


def test_a_damaged_card_in_the_file_is_a_sentence(saved: Path) -> None:
    raw = saved.read_bytes()
    saved.write_bytes(raw.replace(b'\\"rate_hz\\"', b'\\"rate_xx\\"', 1))
    assert "it lacks rate_hz" in refused(saved)
