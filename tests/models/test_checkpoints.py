"""Weights are loaded whole and safely, or refused in one sentence."""

from __future__ import annotations

import configparser
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers.places import DATA
from sleepviewer.errors import CheckpointError, OutputError
from sleepviewer.models.card import ModelCard, NamedRecordings
from sleepviewer.models.checkpoints import PUBLISHED_RATES_HZ, load_weights, save_weights
from sleepviewer.models.normalisation import Normalisation, normalise

REFERENCE = DATA / "attnsleep_100hz.safetensors"
State = dict[str, torch.Tensor]


@pytest.fixture
def state() -> State:
    return load_file(REFERENCE)


def refused(path: Path) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        load_weights(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert path.name in sentence
    return sentence


@pytest.mark.parametrize("rate", PUBLISHED_RATES_HZ)
def test_the_rate_follows_from_the_shapes(rate: int) -> None:
    loaded = load_weights(DATA / f"attnsleep_{rate}hz.safetensors")
    assert loaded.card.rate_hz == rate
    assert loaded.card.epoch_samples == rate * 30
    assert loaded.build().shape.rate_hz == rate


def test_weights_without_a_card_take_microvolts_and_say_so() -> None:
    loaded = load_weights(REFERENCE)
    assert loaded.card.normalisation is Normalisation.NONE
    assert "no card" in loaded.notes[0]


def test_a_card_is_read_from_the_metadata(tmp_path: Path, state: State) -> None:
    named = (NamedRecordings("d", "training", ("01",), ("n1",), ("ab",)), NamedRecordings(nights=("n2",)))
    card = ModelCard("mine", 100, 3000, Normalisation.ROBUST_NIGHT, "twenty nights", {"kappa": 0.7})
    card = replace(card, trained_on_recordings=named, held_out_recordings=named[1:])
    save_weights(tmp_path / "mine.safetensors", state, card)
    loaded = load_weights(tmp_path / "mine.safetensors")
    assert loaded.card == card
    assert loaded.notes == ()
    assert all(torch.equal(loaded.state[name], tensor) for name, tensor in state.items())


def test_a_card_beside_the_file_goes_before_the_metadata(tmp_path: Path, state: State) -> None:
    save_weights(tmp_path / "mine.safetensors", state, ModelCard("mine", 100, 3000))
    (tmp_path / "mine.json").write_text('{"name": "other", "rate_hz": 100, "normalisation": "zscore_epoch"}')
    card = load_weights(tmp_path / "mine.safetensors").card
    assert (card.name, card.normalisation) == ("other", Normalisation.ZSCORE_EPOCH)


def test_only_safetensors_are_written(tmp_path: Path, state: State) -> None:
    with pytest.raises(OutputError):
        save_weights(tmp_path / "mine.pt", state, ModelCard("mine", 100, 3000))


@pytest.mark.parametrize("prefix", ["", "module."])
def test_checkpoints_of_the_published_code_load(tmp_path: Path, state: State, prefix: str) -> None:
    path = tmp_path / "model_best.pth"
    content = {"arch": "AttnSleep", "epoch": 7, "state_dict": {prefix + name: t for name, t in state.items()}}
    torch.save(content, path)
    loaded = load_weights(path)
    assert loaded.card.normalisation is Normalisation.NONE
    assert loaded.state.keys() == state.keys()


def test_checkpoints_of_old_torch_versions_load(tmp_path: Path, state: State) -> None:
    torch.save({"state_dict": state}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert load_weights(tmp_path / "old.pth").state.keys() == state.keys()


def test_a_bare_state_dict_loads(tmp_path: Path, state: State) -> None:
    torch.save(state, tmp_path / "plain.pt")
    assert load_weights(tmp_path / "plain.pt").card.rate_hz == 100


def test_objects_in_a_checkpoint_are_refused_with_the_way_out(tmp_path: Path, state: State) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save({"state_dict": state, "config": configparser.ConfigParser()}, path)
    assert "save its state_dict alone" in refused(path)


def test_code_in_a_checkpoint_never_runs(tmp_path: Path) -> None:
    trap = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
            return Path.touch, (trap,)

    torch.save({"state_dict": {}, "config": Trap()}, tmp_path / "trap.pth")
    refused(tmp_path / "trap.pth")
    assert not trap.exists()


def test_a_pickle_called_safetensors_is_refused(tmp_path: Path, state: State) -> None:
    torch.save({"state_dict": state}, tmp_path / "weights.safetensors")
    assert "torch file" in refused(tmp_path / "weights.safetensors")


def test_a_header_as_long_as_a_pickle_begins_is_no_pickle(tmp_path: Path, state: State) -> None:
    """The first byte of a safetensors file is the lowest of its header's length: it may be any multiple of eight."""
    path = tmp_path / "weights.safetensors"
    for length in range(33):
        save_weights(path, state, ModelCard("a" * 8 * length, 100, 3000, member="attnsleep"))
        if path.read_bytes()[:1] == b"\x80":
            break
    assert path.read_bytes()[:1] == b"\x80"
    assert load_weights(path).card.rate_hz == 100


@pytest.mark.parametrize("keep", [0, 3, 100, 50_000, 2_000_000])
def test_a_file_cut_short_is_refused(tmp_path: Path, state: State, keep: int) -> None:
    torch.save(state, tmp_path / "whole.pt")
    for source, suffix in ((REFERENCE, ".safetensors"), (tmp_path / "whole.pt", ".pt")):
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(source.read_bytes()[:keep])
        refused(path)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    for name, content in (("a.txt", b"hello"), ("b.pt", b"hello"), ("c.safetensors", b"hello"), ("d.pt", b"\x80\x04.")):
        path = tmp_path / name
        path.write_bytes(content)
        refused(path)
    torch.save([1, 2], tmp_path / "list.pt")
    assert "no state_dict" in refused(tmp_path / "list.pt")
    refused(tmp_path / "absent.safetensors")
    refused(tmp_path)


def _without_a_bias(state: State) -> None:
    del state["fc.bias"]


def _with_a_stranger(state: State) -> None:
    state["stranger"] = torch.zeros(1)


def _of_another_shape(state: State) -> None:
    state["tce.norm.a_2"] = torch.zeros(81)


def _of_another_model(state: State) -> None:
    state["fc.weight"] = torch.zeros(5, 17)


def _not_a_number(state: State) -> None:
    state["fc.bias"] = torch.full((5,), torch.nan)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (_without_a_bias, "lacks"),
        (_with_a_stranger, "stranger"),
        (_of_another_shape, "shapes"),
        (_of_another_model, "another model"),
        (_not_a_number, "no numbers"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    tmp_path: Path, state: State, spoil: Callable[[State], None], word: str
) -> None:
    spoil(state)
    save_file(state, tmp_path / "spoilt.safetensors")
    assert word in refused(tmp_path / "spoilt.safetensors")


@pytest.mark.parametrize(
    ("card", "word"),
    [
        ("{", "can't be read"),
        ("[]", "no JSON object"),
        ('{"rate_hz": 100}', "lacks normalisation"),
        ('{"rate_hz": 100, "normalisation": "guess"}', "guess"),
        ('{"rate_hz": 125, "normalisation": "none", "epoch_samples": 3750}', "125 Hz"),
        ('{"rate_hz": 100, "normalisation": "none", "measured": 3}', "measured"),
        (
            '{"rate_hz": 100, "normalisation": "none", "trained_on_recordings": {}}',
            "“trained_on_recordings” is no list",
        ),
        ('{"rate_hz": 100, "normalisation": "none", "held_out_recordings": [{"nights": "n"}]}', "nights of “held_out_"),
    ],
)
def test_a_wrong_card_is_refused(tmp_path: Path, card: str, word: str) -> None:
    shutil.copy(REFERENCE, tmp_path / "w.safetensors")
    (tmp_path / "w.json").write_text(card)
    assert word in refused(tmp_path / "w.safetensors")


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    first = load_weights(REFERENCE).sha256
    assert re.fullmatch("[0-9a-f]{64}", first)
    shutil.copy(REFERENCE, tmp_path / "copy.safetensors")
    (tmp_path / "copy.json").write_text(json.dumps({"rate_hz": 100, "normalisation": "none"}))
    assert load_weights(tmp_path / "copy.safetensors").sha256 == first


def test_normalisation_scales_as_the_card_says() -> None:
    rng = np.random.default_rng(0)
    epochs = (rng.standard_normal((50, 3000)) * np.linspace(5, 80, 50)[:, None] + 12).astype(np.float32)
    epochs[7] = np.nan
    epochs[8] = 12
    whole = np.arange(50) != 7
    assert normalise(epochs, Normalisation.NONE) is epochs
    z = normalise(epochs, Normalisation.ZSCORE_EPOCH)
    np.testing.assert_allclose(np.delete(z, [7, 8], 0).mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(np.delete(z, [7, 8], 0).std(axis=1), 1, atol=1e-4)
    assert (z[8] == 0).all()
    robust = normalise(epochs, Normalisation.ROBUST_NIGHT)
    low, middle, high = np.quantile(robust[whole], (0.25, 0.5, 0.75))
    assert middle == pytest.approx(0, abs=1e-3)
    assert high - low == pytest.approx(1.349, abs=1e-3)
    for scaled in (z, robust):
        assert scaled.dtype == np.float32
        assert np.isnan(scaled[7]).all()
        assert np.isfinite(scaled[whole]).all()
