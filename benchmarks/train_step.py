"""How many epochs a second each member of the family is trained on, by the program's own training loop.

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import machine, median, report

BATCH_SIZE = 128
_RATE_HZ = 100
_NIGHT_EPOCHS = 800
_WINDOW = 100


def main() -> None:
    """Measure, print a table and the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=6, help="batches in a pass")
    parser.add_argument("--passes", type=int, default=4, help="passes after one that is not counted")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help="epochs in a batch")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads on the CPU")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()

    import torch

    from sleepviewer.models.family import MEMBERS

    results: dict[str, dict[str, float]] = {}
    print(f"{'model':<22} {'where':<12} {'epochs/s':>9}")
    places = [("cpu", threads) for threads in options.threads]
    if torch.cuda.is_available():
        places.append(("cuda", max(options.threads)))
    for device, threads in places:
        torch.set_num_threads(threads)
        where = "gpu, bf16" if device == "cuda" else f"{threads} thread{'s' if threads > 1 else ''}"
        rates = {member: _epochs_per_second(member, device, options) for member in MEMBERS}
        if device == "cpu":  # the program trains contexts there alone
            rates["context"] = _context_epochs_per_second(options)
        for model, rate in rates.items():
            print(f"{model:<22} {where:<12} {rate:>9.1f}")
        results[where] = {model: round(rate, 1) for model, rate in rates.items()}
    report(
        {
            "benchmark": "train_step",
            "epochs_per_second": results,
            "batch_size": options.batch_size,
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "cores": os.cpu_count(),
            "platform": machine("torch"),
        },
        options.out,
    )


def _epochs_per_second(member: str, device: str, options: argparse.Namespace) -> float:
    """Train an epoch model on noise."""
    import numpy as np
    import torch
    from torch.nn import functional

    from sleepviewer.models.family import build_epoch_model
    from sleepviewer.models.shape import InputShape
    from sleepviewer.training.data import LabelledNight
    from sleepviewer.training.fold import epoch_batches, initialise
    from sleepviewer.training.loss import class_weights

    random, shape = np.random.default_rng(0), InputShape.whole_epoch(_RATE_HZ)
    n = options.batches * options.batch_size
    x = random.standard_normal((n, shape.n_samples), dtype=np.float32)
    y = random.integers(0, 5, n).astype(np.int8)
    night = LabelledNight("noise", "0", x, y, np.arange(n, dtype=np.int32))
    torch.manual_seed(0)
    model = build_epoch_model(member, shape)
    initialise(model)
    weights = torch.tensor(class_weights(np.bincount(y, minlength=5)), dtype=torch.float32, device=device)
    rows = _train(
        model.to(device),
        epoch_batches([night], options.batch_size, device),
        lambda logits, labels: functional.cross_entropy(logits.float(), labels, weight=weights),
        options,
        bf16=device == "cuda",
    )
    return n / median([row["seconds"] for row in rows[1:]])


def _context_epochs_per_second(options: argparse.Namespace) -> float:
    """Train a context on summaries that are noise."""
    import torch

    from sleepviewer.models.context import SUMMARY_WIDTH, ContextModel
    from sleepviewer.training.context_fold import window_batches, window_loss

    torch.manual_seed(0)
    nights = [
        (torch.randn(_NIGHT_EPOCHS, SUMMARY_WIDTH), torch.randint(0, 5, (_NIGHT_EPOCHS,)))
        for _ in range(options.batches)
    ]
    rows = _train(ContextModel(), window_batches(nights, _WINDOW), window_loss, options)
    return len(nights) * _NIGHT_EPOCHS / median([row["seconds"] for row in rows[1:]])


def _train(
    model: Any, batches: Any, loss: Any, options: argparse.Namespace, *, bf16: bool = False
) -> list[Mapping[str, Any]]:
    """Run the program's training loop with nothing to evaluate; return its rows, one a pass."""
    from sleepviewer.training.loop import Schedule, fit

    passes = options.passes + 1
    schedule = Schedule(
        passes=passes, learning_rate=1e-3, late_learning_rate=1e-4, drop_after=passes, weight_decay=1e-3
    )
    with tempfile.TemporaryDirectory() as folder:
        return fit(model, batches, loss, lambda _: {}, {}, schedule, folder=Path(folder), seed=0, bf16=bf16).rows


if __name__ == "__main__":
    main()
