"""Compare the ensemble with YASA on the wake and N3 epochs of UCDDB nights that did not train its members.

    python tools/leave_nights_out.py DATA_FOLDER MODELS_FOLDER FOLD_FOLDER [FOLD_FOLDER …] [--without FOLDER]

A fold's folder holds members trained with other nights of UCDDB (``train_shipped_models.py --leave-out``); the nights
that chose the training epoch of the shipped members, but did not train them, are scored by those in MODELS_FOLDER.
With ``--without``, members that never saw UCDDB score all nights as well. The ensemble joins them as it ships.
κ is that of three classes, wake, N3 and anything else, over the epochs that were scored as wake or N3.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
import torch
from fit_ensemble import YASA, ucddb_night
from numpy.typing import NDArray
from shipped_sources import VALIDATION_UCDDB

from sleepviewer.models.shipped import peek_card
from sleepviewer.scoring.ensemble import pooled, weights_for
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.recipe import EnsembleRecipe
from sleepviewer.scoring.yasa_engine import OWN_RATE_HZ, score_signals
from sleepviewer.stages import Stage, StageArray

N_CLASSES: Final = 3
Counts = NDArray[np.int64]


def confusion(truth: StageArray, found: StageArray) -> Counts:
    """Return the confusion matrix of wake, N3 and the rest, ``int64 [3, 3]``, rows = truth."""
    counts = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
    np.add.at(counts, (_classes(truth), _classes(found)), 1)
    return counts


def _classes(stages: StageArray) -> NDArray[np.intp]:
    return np.where(stages == Stage.W, 0, np.where(stages == Stage.N3, 1, 2))


def kappa(counts: Counts) -> float:
    """Return Cohen's κ of a confusion matrix; NaN where it is not defined."""
    n = counts.sum()
    expected = float((counts.sum(axis=0) * counts.sum(axis=1)).sum() / n**2)
    return float("nan") if expected == 1 else float((np.trace(counts) / n - expected) / (1 - expected))


def left_out(folder: Path) -> set[str]:
    """Return the nights of UCDDB that the members in a folder neither learned from nor were chosen by."""
    card = peek_card(next(iter(sorted(folder.glob("*+context.safetensors")))))
    assert card is not None
    used = {night for named in card.trained_on_recordings for night in named.nights}
    return {night for night in ALL if night not in used}


ALL: Final = tuple(f"ucddb{number:03d}" for number in (2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14))


def main() -> None:
    """Score, print a table, and the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("folds", type=Path, nargs="+")
    parser.add_argument("--without", type=Path, help="members that were trained without UCDDB")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = EnsembleRecipe.read(arguments.models / "ensemble.json")
    folder_of = dict.fromkeys(VALIDATION_UCDDB, arguments.models)
    for fold in arguments.folds:
        folder_of |= dict.fromkeys(left_out(fold), fold)
    total: dict[str, Counts] = {}
    rows = {}
    for night in ALL:
        signal, truth = ucddb_night(arguments.data / "ucddb" / f"{night}_wake_n3.npz")
        yasa = score_signals({"EEG": signal}, signal.missing, at_most_hz=OWN_RATE_HZ)
        found = {"yasa": yasa.proba}
        for name, folder in {"ensemble": folder_of.get(night), "without UCDDB": arguments.without}.items():
            if folder is not None:
                engines = {m: FamilyEngine(m, folder / f"{m}.safetensors") for m in recipe.members}
                votes = {m: engine.score_signal(signal) for m, engine in engines.items()} | {YASA: yasa}
                votes = {m: votes[m] for m in recipe.weights}
                found[name] = pooled([vote.proba for vote in votes.values()], weights_for(votes, recipe), 1.0)
        known = (truth != Stage.UNKNOWN) & np.logical_and.reduce([np.isfinite(p).all(axis=1) for p in found.values()])
        counts = {n: confusion(truth[known], p[known].argmax(axis=1).astype(np.int8)) for n, p in found.items()}
        for name, matrix in counts.items():
            total[name] = total.get(name, np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)) + matrix
        rows[night] = {name: round(kappa(matrix), 3) for name, matrix in counts.items()}
        print(
            f"{night}  {int(known.sum()):4d} epochs  " + "  ".join(f"{n} {v:.3f}" for n, v in rows[night].items()),
            flush=True,
        )
    pool = {name: round(kappa(matrix), 3) for name, matrix in total.items()}
    print("pooled  " + "  ".join(f"{name} {value:.3f}" for name, value in pool.items()))
    print(json.dumps({"nights": rows, "pooled": pool}))


if __name__ == "__main__":
    sys.exit(main())
