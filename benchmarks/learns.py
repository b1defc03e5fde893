"""Does every member of the family learn? Trains each on simulated nights and scores two that it never saw.

The last lines are one JSON object a member. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from sleepviewer.analysis.agreement import agreement
from sleepviewer.datasets.prepare import prepare_sleep_edf
from sleepviewer.models.checkpoints import load_weights
from sleepviewer.models.family import MEMBERS, all_names
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.simulation import simulate_night
from sleepviewer.training.config import TrainingConfig
from sleepviewer.training.data import TrainingSet, load_training_set
from sleepviewer.training.train import train

TARGET_KAPPA = 0.9
TARGET_S = 600.0
_FIRST_UNSEEN = 50
"""Number of the first night that no model sees; those for training count from 0."""


def main() -> None:
    """Simulate nights, train and score each member, print a table and the figures."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        seen = _nights(folder / "seen", range(args.nights), args.hours)
        unseen = _nights(folder / "unseen", range(_FIRST_UNSEEN, _FIRST_UNSEEN + args.unseen), args.hours)
        config = TrainingConfig(
            passes=args.passes,
            batch_size=args.batch_size,
            drop_after=max(1, args.passes * 2 // 3),
            normalisation=args.normalisation,
            validation_share=1 / args.nights,
            threads=args.threads,
        )
        test = load_training_set(unseen, Normalisation(args.normalisation))
        found = [_member(model, seen, test, config, folder) for model in args.model or (*MEMBERS, "attnsleep+context")]
    print()
    for result in found:
        print(json.dumps(result))
    if not all(result["reached"] for result in found):
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", choices=all_names(), help="a member; may be given several times")
    parser.add_argument("--nights", type=int, default=12, help="simulated nights to train on, one of them validates")
    parser.add_argument("--unseen", type=int, default=2, help="simulated nights to score")
    parser.add_argument("--hours", type=float, default=4.0, help="length of each")
    parser.add_argument("--passes", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--normalisation", choices=[how.value for how in Normalisation], default="robust_night")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    args = parser.parse_args()
    if not 2 <= args.nights <= _FIRST_UNSEEN or not 1 <= args.unseen <= 20:
        parser.error("there are 2 to 50 nights to train on and 1 to 20 to score")
    return args


def _nights(folder: Path, numbers: range, hours: float) -> Path:
    """Simulate nights, each of another subject, and prepare archives of their Fpz-Cz."""
    recordings = folder / "recordings"
    recordings.mkdir(parents=True)
    for number in numbers:
        simulate_night(recordings / f"SC4{number:02d}1E0-PSG.edf", seed=number, hours=hours)
    prepared = prepare_sleep_edf(recordings, folder / "archives")
    print(f"{len(prepared.lines)} simulated nights, {prepared.epochs} epochs: {prepared.stages}", flush=True)
    return prepared.folder


def _member(model: str, seen: Path, test: TrainingSet, config: TrainingConfig, folder: Path) -> dict[str, object]:
    """Train a member and score the nights that it never saw."""
    started = time.perf_counter()
    out = folder / model
    trained = train(seen, replace(config, model=model), out)
    seconds = time.perf_counter() - started
    truth = np.concatenate([night.y for night in test.nights])
    scored = _stages(out / "weights.safetensors", test)
    figures = agreement(truth, scored).as_dict()
    print(f"{model:<28} κ {figures['kappa']:.3f} on {len(test.nights)} unseen nights, {seconds:.0f} s", flush=True)
    return {
        "model": model,
        "kappa": round(figures["kappa"], 4),
        "accuracy": round(figures["accuracy"], 4),
        "macro_f1": round(figures["macro_f1"], 4),
        "validation_kappa": trained.picked["validation"]["kappa"],
        "seconds": round(seconds, 1),
        "passes": trained.passes,
        "epochs_unseen": len(truth),
        "reached": figures["kappa"] > TARGET_KAPPA and seconds <= TARGET_S,
    }


def _stages(weights: Path, test: TrainingSet) -> np.ndarray:
    """Return the stages that a member sees in nights, all after each other."""
    from sleepviewer.training.context_fold import summaries_of
    from sleepviewer.training.fold import predict

    loaded = load_weights(weights)
    model, context = loaded.build(), loaded.build_context()
    if context is None:
        logits = [night.logits for night in predict(model, test.nights, "cpu")]
    else:
        logits = [context.night(summaries_of(model, night.x)).numpy() for night in test.nights]
    return np.concatenate(logits).argmax(axis=1).astype(np.int8)


if __name__ == "__main__":
    main()
