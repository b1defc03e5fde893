"""A short run of the fuzz harness: no damaged file makes a reader do anything but answer or refuse in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.fuzz_targets import Target, feed, mutated, targets, weights_target

INPUTS = 250
WEIGHTS = 40


@pytest.mark.filterwarnings("default")
def test_damaged_files_are_answered_or_refused(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for target in targets(seeds):
        _run(target, INPUTS, tmp_path)


@pytest.mark.filterwarnings("default")
def test_damaged_weights_are_loaded_or_refused(tmp_path: Path) -> None:
    _run(weights_target(tmp_path), WEIGHTS, tmp_path)


def _run(target: Target, inputs: int, folder: Path) -> None:
    random = np.random.default_rng(7)
    for seed in target.seeds:  # the sound ones themselves are read
        feed(target, seed, folder)
    for number in range(inputs):
        seed = target.seeds[int(random.integers(0, len(target.seeds)))]
        raw = mutated(seed, random, target.seeds)
        try:
            feed(target, raw, folder)
        except Exception as error:
            pytest.fail(f"{target.name}, input {number}: {type(error).__name__}: {error}")
