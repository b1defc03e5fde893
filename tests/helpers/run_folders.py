"""Folders as a cross-validation leaves them, made without training anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

STAGES = ("W", "N1", "N2", "N3", "REM")
PROTOCOLS = ("honest", "published")


@dataclass(frozen=True)
class Night:
    name: str
    subject: str
    fold: int
    truth: np.ndarray
    logits: dict[str, np.ndarray]
    """By protocol."""


def make_nights(
    subjects: int = 6,
    folds: int = 3,
    epochs: int = 120,
    accuracy: float = 0.8,
    gain: float = 0.05,
    seed: int = 0,
    stages: tuple[int, ...] = (0, 1, 2, 3, 4),
) -> list[Night]:
    """Two nights a subject; ``gain`` is how much better the published pass is. The truths do not depend on accuracy."""
    nights = []
    for subject in range(subjects):
        for which in (1, 2):
            rng = np.random.default_rng([seed, subject, which])
            truth = rng.choice(stages, epochs).astype(np.int8)
            guess, wrong = rng.random(epochs), rng.choice(stages, epochs)
            noise = rng.normal(scale=0.7, size=(epochs, 5))
            logits = {}
            for protocol in PROTOCOLS:
                right = guess < accuracy + gain * (protocol == "published")
                logits[protocol] = noise.astype(np.float32)
                logits[protocol][np.arange(epochs), np.where(right, truth, wrong)] += 5
            nights.append(Night(f"SC4{subject:02}{which}E0", f"{subject:02}", subject % folds, truth, logits))
    return nights


def write_run(
    folder: Path,
    nights: list[Night],
    *,
    model: str = "attnsleep",
    dataset: str = "sleep-edf-20",
    n_epochs: int | None = None,
    temperature: float = 1.5,
    epoch_s: float | None = None,
    unfinished: tuple[int, ...] = (),
    other_weights: tuple[int, ...] = (),
) -> Path:
    """Write a run of the given nights; ``other_weights`` are the folds whose published counting gives others."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f"model = {json.dumps(model)}\nbatch_size = 128\npasses = 3\nseed = 7\n")
    _write_json(folder / "environment.json", {"torch": "2.6", "device": "cpu", "started": "2026-01-01T00:00:00"})
    subjects = {night.subject: night.fold for night in nights}
    numbers = sorted(set(subjects.values()))
    folds = [_fold(number, subjects, numbers) for number in numbers]
    truth = np.concatenate([night.truth for night in nights])
    stages = {label: int((truth == stage).sum()) for stage, label in enumerate(STAGES)}
    data = {"name": dataset, "n_epochs": len(truth) if n_epochs is None else n_epochs, "stages": stages}
    data |= {"folds": folds, "nights": {night.name: night.subject for night in nights}}
    _write_json(folder / "data.json", data | ({} if epoch_s is None else {"epoch_s": epoch_s}))
    for number in numbers:
        fold = folder / "folds" / f"fold_{number:02d}"
        fold.mkdir(parents=True)
        (fold / "metrics.jsonl").write_text("".join(json.dumps(_pass(number, i)) + "\n" for i in (1, 2, 3)))
        if number in unfinished:
            continue
        weights = [0.3, 0.72, 0.3, 0.2, 0.3]
        result = {"fold": number, "seconds": 240.0 + 60 * number, "passes": 3, "temperature": temperature}
        result |= {"honest": {"pass": 2}, "published": {"pass": 3}, "class_weights": weights}
        _write_json(
            fold / "result.json",
            result | {"class_weights_published": [0.3, 0.7, *weights[2:]] if number in other_weights else weights},
        )
        for night in nights:
            if night.fold == number:
                for protocol in PROTOCOLS:
                    write_prediction(fold / "predictions" / protocol / f"{night.name}.npz", night, protocol)
    return folder


def write_prediction(path: Path, night: Night, protocol: str, **others: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "logits": night.logits[protocol],
        "y_true": night.truth,
        "epoch_index": np.arange(10, 10 + len(night.truth), dtype=np.int32),
        "subject": np.array(night.subject),
    }
    np.savez_compressed(path, **(arrays | others))


def _fold(number: int, subjects: dict[str, int], numbers: list[int]) -> dict[str, Any]:
    validated = numbers[(numbers.index(number) + 1) % len(numbers)]
    parts: dict[str, list[str]] = {"test": [], "validation": [], "train": []}
    for subject, fold in subjects.items():
        parts["test" if fold == number else "validation" if fold == validated else "train"].append(subject)
    return {"fold": number, **parts}


def _pass(fold: int, number: int) -> dict[str, Any]:
    accuracy = 0.6 + 0.05 * number + 0.01 * fold
    score = {"accuracy": accuracy, "macro_f1": accuracy - 0.05, "kappa": accuracy - 0.1}
    return {"pass": number, "loss": 1 / number, "seconds": 20.0, "validation": score, "test": {**score, "kappa": None}}


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values))
