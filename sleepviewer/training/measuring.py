"""What a model's stages of some nights agree with, by the very way in which it scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch

from sleepviewer.models.adaptation import typical_epochs
from sleepviewer.models.checkpoints import LoadedWeights, load_weights
from sleepviewer.models.night_model import NightModel
from sleepviewer.models.normalisation import Epochs
from sleepviewer.stages import StageArray
from sleepviewer.training.corrected import TuningNight, read_night
from sleepviewer.training.guard import Table, confusion_over

_BATCH: Final = 64


def stages_of(weights: LoadedWeights, nights: Sequence[Epochs]) -> list[StageArray]:
    """Return the stages, ``int8 [n]`` each, that a model gives to nights, ``float32 [n, samples]`` as it takes them.

    It adapts to each night and reads the context, as the engine does.
    """
    model = NightModel(weights)
    found = []
    for x in nights:
        model.adapt(x[typical_epochs(x)])
        batches = [model.batch(x[first : first + _BATCH]) for first in range(0, len(x), _BATCH)]
        proba = np.concatenate([batch[0] for batch in batches])
        if model.has_context:
            proba = model.night(torch.cat([batch[1] for batch in batches])).proba
        found.append(proba.argmax(axis=1).astype(np.int8))
    return found


def measure_nights(weights: Path, archives: Sequence[Path], *, whole_nights: bool = False) -> Table:
    """Return how well a file of weights agrees with the reviewed epochs of archives.

    Raises CheckpointError or ArchiveError where a file can't be read.
    """
    torch.set_num_threads(1)
    loaded = load_weights(weights)
    nights = [read_night(path, loaded.card, vouched=whole_nights) for path in archives]
    return table_of(loaded, nights)


def table_of(weights: LoadedWeights, nights: Sequence[TuningNight]) -> Table:
    """Return a model's figures over all labelled epochs of some nights."""
    return Table.of(confusion_over([night.y for night in nights], stages_of(weights, [night.x for night in nights])))
