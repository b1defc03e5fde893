"""Train one model for use: on all subjects but those that pick its pass."""

from __future__ import annotations

from pathlib import Path

from sleepviewer.models.normalisation import Normalisation
from sleepviewer.training.config import TrainingConfig
from sleepviewer.training.cross_validate import FoldTask, Tell, begin, run_fold, watched
from sleepviewer.training.data import load_training_set
from sleepviewer.training.folds import Fold, split_subjects


def train(data_path: Path, config: TrainingConfig, out: Path, *, tell: Tell = lambda _: None) -> Fold:
    """Train a model of a data set, or go on with one that was broken; return who was trained on and who validated.

    The folder is that of a fold (weights with their card, metrics, result) and says besides what the training was. Only
    the honest protocol is there: nobody is tested. ``tell`` is told where the training is, from another thread.

    Raises TrainingError for a folder of another training and data that can't be used, OutputError where it can't be
    written.
    """
    data = load_training_set(data_path, Normalisation(config.normalisation))
    fold = split_subjects(data.subjects, validation_share=config.validation_share, seed=config.seed)
    begin(out, data, config, (fold,))
    task = FoldTask(data_path.resolve(), config, fold, out.resolve())
    with watched([task], tell):
        run_fold(task, data)
    return fold
