"""A data set that trains in seconds: short epochs of noise whose band is the stage, under Sleep-EDF's names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sleepviewer.training.config import TrainingConfig

RATE_HZ = 100
SAMPLES = 300
SUBJECTS = 6
NIGHTS = 2
EPOCHS = 24
BANDS = ((1, 3), (5, 8), (11, 15), (19, 25), (32, 45))
"""Of each stage, in Hz."""

TINY = TrainingConfig(passes=2, batch_size=32, folds=2, drop_after=100, seed=3, context_passes=2, context_window=15)


def tiny(**settings: Any) -> TrainingConfig:
    return replace(TINY, **settings)


def signal(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return epochs ``float32 [n, SAMPLES]`` of 20 µV with all their power in their stages' bands."""
    frequencies = np.fft.rfftfreq(SAMPLES, 1 / RATE_HZ)
    low, high = np.array(BANDS)[y].T
    spectrum = rng.normal(size=(len(y), len(frequencies), 2)) @ [1, 1j]
    spectrum *= (frequencies >= low[:, None]) & (frequencies <= high[:, None])
    x = np.fft.irfft(spectrum, SAMPLES)
    return (20 * x / x.std(axis=1, keepdims=True)).astype(np.float32)


def stages(rng: np.random.Generator, epochs: int = EPOCHS) -> np.ndarray:
    """Return stages ``int32`` that last a few epochs each; all five occur."""
    y = np.repeat(np.concatenate([rng.permutation(5) for _ in range(epochs)]), rng.integers(2, 5, 5 * epochs))
    return y[:epochs].astype(np.int32)


def write_night(folder: Path, subject: int, night: int, y: np.ndarray | None = None, **others: Any) -> Path:
    """Write a night as AttnSleep's preparation does, without its pickled headers."""
    rng = np.random.default_rng([subject, night])
    y = stages(rng) if y is None else y
    path = folder / f"SC4{subject:02d}{night}E0.npz"
    arrays: dict[str, Any] = {"x": signal(y, rng)[:, :, None], "y": y, "fs": float(RATE_HZ), "ch_label": "EEG Fpz-Cz"}
    np.savez(path, **(arrays | others))
    return path


def write_data(folder: Path, subjects: int = SUBJECTS) -> Path:
    folder.mkdir()
    for subject in range(subjects):
        for night in range(1, NIGHTS + 1):
            write_night(folder, subject, night)
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return the metrics of every pass, without the seconds."""
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name != "seconds"} for line in lines]


def outcome(run: Path) -> dict[str, Any]:
    """Return all that a run came to, by file: metrics, results, weights, predictions; without seconds."""
    found: dict[str, Any] = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.name == "metrics.jsonl":
            found[name] = rows(path.parent)
        elif path.name == "result.json":
            found[name] = json.loads(path.read_text(encoding="utf-8")) | {"seconds": None}
        elif path.suffix == ".safetensors":
            found[name] = path.read_bytes()
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as npz:
                found[name] = {key: (npz[key].dtype.str, npz[key].tolist()) for key in npz.files}
    return found


def left_behind(folder: Path) -> list[str]:
    """Return files that should not be there after a training: half-written ones, and states."""
    return sorted(path.name for path in folder.rglob("*") if path.suffix == ".part" or path.name == "state.pt")
