"""A model, corrected nights and nights of others that are tuned in seconds: 30-s epochs of 300 samples, at 10 Hz."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers import tiny_training
from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, write_archive
from sleepviewer.models.card import ModelCard
from sleepviewer.models.checkpoints import CONTEXT_PREFIX, save_weights
from sleepviewer.models.context import ContextModel
from sleepviewer.models.family import build_epoch_model
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.models.shape import InputShape
from sleepviewer.training.fine_tune import FineTuneRequest, TuningSettings
from sleepviewer.training.fold import initialise

RATE_HZ = 10
EPOCHS = 200
CARD = ModelCard("tiny", RATE_HZ, 300, Normalisation.ROBUST_NIGHT, night_statistics=0.5)
SETTINGS = TuningSettings(steps=60, learning_rate=2e-3, batch=16, replay=1, pull=0.0, hold=0.05)
"""So that a model that knows nothing learns in seconds."""


def write_base(folder: Path, member: str = "attnsleep", card: ModelCard = CARD) -> Path:
    """Write a model with its initial weights: it has seen nothing."""
    torch.manual_seed(0)
    model = build_epoch_model(member, InputShape(RATE_HZ, 300))
    initialise(model)
    state = dict(model.state_dict())
    if member.endswith("+context"):
        state |= {CONTEXT_PREFIX + name: tensor for name, tensor in ContextModel().state_dict().items()}
    path = folder / f"base-{member}.safetensors"
    save_weights(path, state, replace(card, member=member))
    return path


def write_corrected(path: Path, seed: int, y: np.ndarray | None = None, **others: Any) -> Path:
    """Write a night's archive; ``y`` are the labels where they are others than the signal's true stages.

    By default it is an expert's hypnogram; ``base`` and ``corrected`` (``int8 [n]``, -2 where nothing was said) say
    otherwise.
    """
    rng = np.random.default_rng(seed)
    true = tiny_training.stages(rng, EPOCHS)
    x = tiny_training.signal(true, rng)[:, :, None]
    labels = (true if y is None else y).astype(np.int32)
    corrected = others.get("corrected", np.full(EPOCHS, NOT_CORRECTED, dtype=np.int8))
    base = others.get("base", "truth")
    meta = {
        "format": "sleepviewer-archive",
        "version": 1,
        "base": base,
        "recording": {"name": f"{path.stem}.edf", "sha256": f"{seed:064x}"},
    }
    write_archive(
        path,
        ScoringArchive(
            x=x,
            y=labels,
            fs=float(RATE_HZ),
            ch_label="EEG",
            epoch_index=np.arange(EPOCHS, dtype=np.int32),
            y_expert=labels.astype(np.int8),
            y_model=labels.astype(np.int8),
            proba=np.full((EPOCHS, 5), np.nan, dtype=np.float32),
            edited=corrected != NOT_CORRECTED,
            meta=meta,
            night_expert=labels.astype(np.int8),
            night_proba=np.full((EPOCHS, 5), np.nan, dtype=np.float32),
            night_corrected=corrected,
            night_flagged=np.zeros(EPOCHS, dtype=bool),
        ),
    )
    return path


def write_others(folder: Path, nights: int = 2) -> Path:
    """Write a folder of other subjects' nights."""
    folder.mkdir()
    for number in range(nights):
        write_corrected(folder / f"other{number}.npz", 100 + number)
    return folder


def request(folder: Path, member: str = "attnsleep", **changes: Any) -> FineTuneRequest:
    """Return a request on one corrected night, with its files in a folder; ``changes`` are the request's."""
    given = {
        "archives": (write_corrected(folder / "corrected.npz", 1),),
        "base": str(write_base(folder, member)),
        "replay": write_others(folder / "others"),
        "settings": SETTINGS,
        "work": folder / "work",
    }
    return FineTuneRequest(**(given | changes))
