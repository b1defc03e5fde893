"""Train one model for use: on all subjects but those that pick its pass."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sleepviewer.models.normalisation import Normalisation
from sleepviewer.training.config import TrainingConfig
from sleepviewer.training.cross_validate import FoldTask, Tell, begin, run_fold, watched
from sleepviewer.training.data import load_training_set
from sleepviewer.training.folds import Fold, split_subjects


@dataclass(frozen=True, slots=True)
class Trained:
    """Who was trained on and who picked the pass, how many passes there were, and the metrics of the picked one."""

    fold: Fold
    passes: int
    picked: dict[str, Any]


def train(data_path: Path, config: TrainingConfig, out: Path, *, tell: Tell = lambda _: None) -> Trained:
    """Train a model of a data set, or go on with one that was broken.

    The folder is that of a fold (weights with their card, metrics, result) and says besides what the training was. Only
    the honest protocol is there: nobody is tested. ``tell`` is told where the training is, from another thread.

    Raises TrainingError for a folder of another training and data that can't be used, OutputError where it can't be
    written.
    """
    from sleepviewer.training.fold import read_result

    data = load_training_set(data_path, Normalisation(config.normalisation))
    fold = split_subjects(data.subjects, validation_share=config.validation_share, seed=config.seed)
    begin(out, data, config, (fold,))
    task = FoldTask(data_path.resolve(), config, fold, out.resolve())
    with watched([task], tell):
        run_fold(task, data)
    result = read_result(out)
    assert result is not None, "run_fold writes it, or raises"
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return Trained(fold, result["passes"], rows[result["honest"]["pass"] - 1])
