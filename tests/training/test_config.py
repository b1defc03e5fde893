"""A training's settings: read from TOML, written whole, checked before anything begins."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from helpers.places import ROOT
from sleepviewer.errors import CheckpointError, TrainingError
from sleepviewer.training.config import TrainingConfig


def test_settings_come_back_from_their_file(tmp_path: Path) -> None:
    config = TrainingConfig(model="attnsleep-msmp+context", learning_rate=1e-5, class_weights=False, seed=2**40)
    path = tmp_path / "config.toml"
    path.write_text(config.to_toml(), encoding="utf-8")
    assert TrainingConfig.read(path) == config
    path.write_text("passes = 3\nlearning_rate = 1\n")
    assert TrainingConfig.read(path) == TrainingConfig(passes=3, learning_rate=1.0)


def test_the_defaults_are_the_published_ones() -> None:
    config = TrainingConfig()
    assert (config.passes, config.batch_size, config.folds) == (100, 128, 20)
    assert (config.learning_rate, config.late_learning_rate, config.drop_after) == (1e-3, 1e-4, 10)
    assert (config.weight_decay, config.class_weights, config.normalisation) == (1e-3, True, "none")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("passes = 0", "“passes” is 0, but must be more than 0."),
        ("learning_rate = -1.0", "“learning_rate” is -1.0, but must be more than 0."),
        ("late_learning_rate = nan", "“late_learning_rate” is nan, but must be more than 0."),
        ("learning_rate = inf", "“learning_rate” is inf, but must be more than 0."),
        ("seed = -1", "“seed” is -1, but must be 0 or more."),
        ("patience = -1", "“patience” is -1, but must be 0 or more."),
        ("weight_decay = -0.1", "“weight_decay” is -0.1, but must be 0 or more."),
        ("validation_share = 1.0", "“validation_share” is 1.0, but must lie between 0 and 1."),
        ("weight_average = 1.0", "“weight_average” is 1.0, but must lie from 0 to below 1."),
        ('normalisation = "soft"', "“normalisation” is “soft”, not one of none, zscore_epoch, robust_night."),
        ("passes = 2.5", "“passes” in config.toml is 2.5, but should be a whole number."),
        ("passes = true", "“passes” in config.toml is True, but should be a whole number."),
        ("class_weights = 1", "“class_weights” in config.toml is 1, but should be true or false."),
        ("model = 3", "“model” in config.toml is 3, but should be text."),
        ("epochs = 3", "config.toml holds “epochs”, which is no setting; there are: model, passes,"),
        ("passes =", "config.toml is no TOML"),
    ],
)
def test_settings_that_cannot_be_are_told(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError, match=f"^{re.escape(sentence)}"):
        TrainingConfig.read(path)


def test_files_and_models_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"gone.toml can't be read: No such file"):
        TrainingConfig.read(tmp_path / "gone.toml")
    with pytest.raises(CheckpointError, match=r"There is no model called “attn”; there are: attnsleep, "):
        TrainingConfig(model="attn")


def test_the_documentation_lists_every_setting_with_its_default() -> None:
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text, re.MULTILINE))
    written = dict(line.split(" = ") for line in TrainingConfig().to_toml().splitlines())
    assert documented == written
    assert list(documented) == [field.name for field in fields(TrainingConfig)]
