"""Which subjects are trained on, which pick the pass, which are tested: always whole subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sleepviewer.errors import TrainingError
from sleepviewer.packaged import resource

_ORDERS: Final = {"sleep-edf-20": ("20", 20), "sleep-edf-78": ("78", 78), "shhs": ("shhs", 329)}
"""Published orders of the subjects: part of the file's name, and for how many subjects it is."""

EPOCH_MODEL: Final = "epoch_model"
"""Folder of a fold in which its epoch model is trained, where the fold itself trains the context."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Three sets of subjects that have none in common; both nights of a subject are always together.

    Nobody is tested in the training of a model that is for use: ``test`` is empty then.
    """

    index: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def make_folds(
    subjects: Sequence[str], n_folds: int, *, order: str = "auto", validation_share: float = 0.2, seed: int = 0
) -> tuple[Fold, ...]:
    """Cut subjects into folds as published, and hold some of each fold's training subjects out for validation.

    The subjects, sorted, are brought into a published order (see :class:`TrainingConfig`) and cut by numpy's
    ``array_split``. Validation subjects are drawn from the rest by ``seed`` and the fold's number.

    Raises TrainingError where there are fewer than three subjects for a fold, or the order is of other subjects.
    """
    ordered = _in_order(sorted(set(subjects)), order)
    if not 2 <= n_folds <= len(ordered):
        raise TrainingError(f"{len(ordered)} subjects can't be cut into {n_folds} folds; choose from 2 to that many.")
    folds = []
    for index, part in enumerate(np.array_split(np.arange(len(ordered)), n_folds)):
        test = [ordered[i] for i in part]
        rest = [subject for subject in ordered if subject not in test]
        if len(rest) < 2:
            raise TrainingError("A fold needs at least one subject to train on and one for validation beside the test.")
        folds.append(Fold(index, *_hold_out(rest, validation_share, seed, index), tuple(test)))
    return tuple(folds)


def split_subjects(subjects: Sequence[str], *, validation_share: float = 0.2, seed: int = 0) -> Fold:
    """Return a fold that tests nobody: who is not held out for validation is trained on.

    Raises TrainingError where there are fewer than two subjects.
    """
    ordered = sorted(set(subjects))
    if len(ordered) < 2:
        raise TrainingError(
            f"A training needs at least one subject to train on and one for validation, but there is {len(ordered)}."
        )
    return Fold(0, *_hold_out(ordered, validation_share, seed, 0), ())


def _hold_out(subjects: Sequence[str], share: float, seed: int, index: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who is trained on and who picks the pass, both in the order given, at least one each."""
    held = max(1, min(round(share * len(subjects)), len(subjects) - 1))
    drawn = np.random.default_rng((seed, index)).permutation(len(subjects))[:held]
    validation = tuple(subjects[i] for i in sorted(drawn))
    return tuple(subject for subject in subjects if subject not in validation), validation


def _in_order(subjects: list[str], order: str) -> list[str]:
    if order == "auto":
        order = next((name for name, (_, n) in _ORDERS.items() if n == len(subjects)), "sorted")
    if order == "sorted":
        return subjects
    if order not in _ORDERS:
        raise TrainingError(f"There is no order of subjects called “{order}”; there are: {', '.join(_ORDERS)}, sorted.")
    part, wanted = _ORDERS[order]
    if len(subjects) != wanted:
        raise TrainingError(f"The order “{order}” is for {wanted} subjects, but there are {len(subjects)}.")
    permutation = np.load(resource("folds", f"r_permute_{part}.npy"), allow_pickle=False)
    return [subjects[int(i)] for i in permutation]
