"""Training one model for use: it learns, nobody is tested, and it goes on where it was broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.tiny_training import EPOCHS, SAMPLES, left_behind, outcome, rows, tiny, write_data
from sleepviewer.cli import main
from sleepviewer.errors import RunError, TrainingError
from sleepviewer.models.checkpoints import load_weights
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.training.cross_validate import cross_validate
from sleepviewer.training.data import load_training_set
from sleepviewer.training.fold import figures, predict
from sleepviewer.training.records import training_records
from sleepviewer.training.runs import read_run
from sleepviewer.training.train import train


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def learned(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was given the passes to learn the bands."""
    out = tmp_path_factory.mktemp("out") / "model"
    found = train(data, tiny(model="attnsleep-conformer", passes=6, normalisation="robust_night"), out)
    assert (len(found.fold.train), len(found.fold.validation), found.fold.test) == (5, 1, ())
    assert found.picked["validation"]["kappa"] == max(row["validation"]["kappa"] for row in rows(out))
    return out


def test_a_model_learns_and_scores_nights_that_it_never_saw(learned: Path, tmp_path: Path) -> None:
    unseen = load_training_set(write_data(tmp_path / "unseen", subjects=9), Normalisation.ROBUST_NIGHT)
    model = load_weights(learned / "weights.safetensors").build()
    kappa = figures(predict(model, unseen.of(["06", "07", "08"]), "cpu"))["kappa"]
    assert kappa is not None
    assert kappa > 0.9


def test_what_is_left_is_a_model_with_its_card_and_who_it_was_made_of(learned: Path) -> None:
    card = load_weights(learned / "weights.safetensors").card
    split = json.loads((learned / "data.json").read_text())["split"]
    result = json.loads((learned / "result.json").read_text())
    assert (card.name, card.member, card.normalisation) == ("attnsleep-conformer",) * 2 + ("robust_night",)
    assert (card.rate_hz, card.epoch_samples, card.temperature) == (100, SAMPLES, result["temperature"])
    assert card.trained_on == f"tiny, subjects {', '.join(split['train'])}"
    training, choice = card.trained_on_recordings
    assert (training.dataset, training.subjects, choice.subjects) == (
        "tiny",
        *map(tuple, (split["train"], split["validation"])),
    )
    assert set(training.nights) == {f"SC4{subject}{night}E0" for subject in split["train"] for night in (1, 2)}
    assert card.held_out_recordings == ()
    (record, _, _) = training_records(learned / "weights.safetensors")
    assert record.nights == training_records(learned)[0].nights - set(choice.nights)
    assert sorted(split["train"] + split["validation"]) == [f"{subject:02d}" for subject in range(6)]
    assert split["test"] == []
    assert all(row.keys() == {"pass", "loss", "validation"} for row in rows(learned))
    assert "published" not in result
    nights = {path.stem for path in (learned / "predictions" / "validation").iterdir()}
    assert nights == {f"SC4{subject}{night}E0" for subject in split["validation"] for night in (1, 2)}
    for path in (learned / "predictions" / "validation").iterdir():
        with np.load(path, allow_pickle=False) as npz:
            assert npz["logits"].shape == (EPOCHS, 5)
    assert json.loads((learned / "environment.json").read_text())["packages"]["torch"]
    assert left_behind(learned) == []


def test_a_training_of_another_kind_is_refused(
    data: Path, learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny(model="attnsleep-conformer", passes=6, normalisation="robust_night")
    with pytest.raises(TrainingError, match=r"holds a training of another kind \(a cross-validation, or a model alone"):
        cross_validate(data, config, learned)
    with pytest.raises(RunError, match=r"data.json is damaged or was not written by a cross-validation"):
        read_run(learned)
    monkeypatch.setattr("sleepviewer.training.cross_validate._run", lambda *_: None)
    cross_validate(data, config, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"holds a training of another kind"):
        train(data, config, tmp_path / "run")


def test_the_command_trains_a_model_with_context_and_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    settings = ["--set", "batch_size=32", "--set", "context_passes=1", "--validation-share", "0.4"]
    arguments = ["train", str(data), "--out", str(out), "--model", "attnsleep+context", "--passes", "1", *settings]
    first = CliRunner().invoke(main, arguments)
    assert (first.exit_code, first.stderr) == (0, "")
    sentence = f"{out / 'weights.safetensors'}: attnsleep+context, trained on 4 subjects; pass 1 of 1 was picked on 2 "
    assert first.stdout.startswith(sentence)
    assert load_weights(out / "weights.safetensors").build_context() is not None
    before = outcome(out)
    (out / "result.json").unlink()
    (out / "weights.safetensors").unlink()
    assert CliRunner().invoke(main, arguments).stdout == first.stdout
    assert outcome(out) == before
    other = CliRunner().invoke(main, [*arguments, "--seed", "2"])
    assert (other.exit_code, other.stderr.count("\n")) == (1, 1)
    assert "holds a run with another “seed”" in other.stderr
