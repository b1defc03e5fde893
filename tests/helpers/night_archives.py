"""Archives of nights with a planted truth and prediction, and what is read of the reports on them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from helpers.review_values import proba_of
from sleepviewer.archive.archive import FORMAT, NOT_CORRECTED, VERSION, ScoringArchive, write_archive
from sleepviewer.cli import main

N = 240
RATE = 50


def write_night(
    path: Path,
    seed: int = 0,
    *,
    truth: np.ndarray | None = None,
    predicted: np.ndarray | None = None,
    artefact: tuple[int, int] | None = None,
    weights: str = "ab" * 32,
    signal: bool = True,
    meta: dict[str, object] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Write an archive and return its truth and prediction."""
    random = np.random.default_rng(seed)
    if truth is None:
        truth = np.repeat(random.integers(0, 5, N), random.integers(2, 20, N))[:N].astype(np.int8)
    n = len(truth)
    if predicted is None:
        predicted = np.where(random.random(n) < 0.15, random.integers(0, 5, n), truth).astype(np.int8)
    proba = proba_of(predicted.tolist(), (0.5 + 0.49 * random.random(n)).tolist())
    labelled = np.flatnonzero(truth >= 0) if signal else np.empty(0, int)
    x = random.normal(scale=20, size=(n, 30 * RATE)).cumsum(axis=1).astype(np.float32) * 0.3
    if artefact is not None:
        x[slice(*artefact)] = np.clip(x[slice(*artefact)] * 60, -400, 400)
    everything = {
        "format": FORMAT,
        "version": VERSION,
        "recording": {"name": f"{path.stem}.edf", "sha256": "00" * 32, "start": "2024-01-01T22:30:00", "n_epochs": n},
        "model": {"engine": "tested", "version": "1", "weights_sha256": weights, "channels": ["EEG <Fpz>"]},
        "base": "truth",
    }
    write_archive(
        path,
        ScoringArchive(
            x=x[labelled][:, :, None] if signal else np.empty((0, 0, 1), np.float32),
            y=truth[labelled].astype(np.int32),
            fs=float(RATE) if signal else 0.0,
            ch_label="EEG <Fpz>",
            epoch_index=labelled.astype(np.int32),
            y_expert=truth[labelled],
            y_model=predicted[labelled],
            proba=proba[labelled],
            edited=np.zeros(len(labelled), bool),
            meta=everything | (meta or {}),
            night_expert=truth,
            night_proba=proba,
            night_corrected=np.full(n, NOT_CORRECTED, np.int8),
            night_flagged=np.zeros(n, bool),
        ),
    )
    return truth, predicted


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])
