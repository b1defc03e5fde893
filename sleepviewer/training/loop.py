"""The one training loop: passes over batches, a look at the scores after each, and a state that outlives a kill.

After every pass all that the next one needs is written whole to ``state.pt``, and every pass draws its random numbers
from the seed and its own number: a training that is taken up again ends as one that was never broken.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sleepviewer.errors import TrainingError
from sleepviewer.files import atomic_writer

STATE_FILE: Final = "state.pt"
METRICS_FILE: Final = "metrics.jsonl"

Scores = Mapping[str, Mapping[str, float | None]]
"""Figures by set of epochs (``validation``, ``test``) and by name."""

Batches = Callable[[int], Iterable[tuple[Tensor, Tensor]]]
"""Pass number from 1 → batches of input and labels, both on the model's device; draws from torch's own generator."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the weights are changed: Adam with AMSGrad, its rate lowered once, and a running mean of the weights."""

    passes: int
    learning_rate: float
    late_learning_rate: float
    drop_after: int
    weight_decay: float
    weight_average: float = 0.0
    patience: int = 0


@dataclass(frozen=True, slots=True)
class Pick:
    """A pass to keep: the one whose ``figure`` of ``part`` is highest, the earliest of several."""

    part: str
    figure: str

    def value(self, scores: Scores) -> float:
        """Return the figure; an undefined one counts as the lowest."""
        value = scores[self.part][self.figure]
        return -1.0 if value is None else value


@dataclass(slots=True)
class Progress:
    """Where a training is: its metrics so far and, for each pick, the pass and the weights it keeps."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    picked: dict[str, int] = field(default_factory=dict)
    weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)


def fit(
    model: nn.Module,
    batches: Batches,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    evaluate: Callable[[nn.Module], Scores],
    picks: Mapping[str, Pick],
    schedule: Schedule,
    *,
    folder: Path,
    seed: int,
    patience_pick: str = "honest",
    bf16: bool = False,
) -> Progress:
    """Train a model, or go on where a training in this folder was broken, and return what was picked.

    Raises TrainingError where the state in the folder is of another training, the loss is no number any more, or a GPU
    has too little memory; OutputError where the disk is full.
    """
    optimizer = torch.optim.Adam(
        model.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, amsgrad=True
    )
    average = None
    if schedule.weight_average:
        mean = get_ema_multi_avg_fn(schedule.weight_average)  # type: ignore[no-untyped-call]
        average = AveragedModel(model, multi_avg_fn=mean, use_buffers=True)
    progress = _restore(folder / STATE_FILE, model, optimizer, average)
    if progress.rows:
        write_metrics(folder, progress.rows)  # a kill may have come between the state and its metrics
    while len(progress.rows) < schedule.passes and not _out_of_patience(progress, schedule, patience_pick):
        number = len(progress.rows) + 1
        started = time.perf_counter()
        torch.manual_seed(seed * 100_003 + number)
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate if number <= schedule.drop_after else schedule.late_learning_rate
        try:
            loss = _one_pass(model, average, optimizer, batches(number), loss_of, bf16=bf16)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                "The GPU has too little memory for this; lower “batch_size”, train fewer folds at a time, or set"
                " “device” to “cpu”."
            ) from error
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is no number in pass {number}; lower the learning rate, or look for epochs that are no EEG."
            )
        kept: nn.Module = model if average is None else average.module
        scores = evaluate(kept.eval())
        for name, pick in picks.items():
            best = progress.picked.get(name)
            if best is None or pick.value(scores) > pick.value(progress.rows[best - 1]):
                progress.picked[name] = number
                progress.weights[name] = {key: t.detach().cpu().clone() for key, t in kept.state_dict().items()}
        progress.rows.append(
            {"pass": number, "loss": loss, "seconds": round(time.perf_counter() - started, 3), **scores}
        )
        _save(folder, model, optimizer, average, progress)
    return progress


def _one_pass(
    model: nn.Module,
    average: AveragedModel | None,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    *,
    bf16: bool,
) -> float:
    """Change the weights by every batch once; return the mean loss."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bf16):
            loss = loss_of(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if average is not None:
            average.update_parameters(model)
            _keep_norm_vectors(average.module, model)
        total += loss.item() * len(x)
        count += len(x)
    if not count:
        raise TrainingError("There is no batch to train on.")
    return total / count


def _keep_norm_vectors(average: nn.Module, model: nn.Module) -> None:
    """Copy the vectors of spectral norms: the mean of directions is none, and would give another norm altogether."""
    current = dict(model.named_buffers())
    for name, buffer in average.named_buffers():
        if name.endswith(("._u", "._v")):
            buffer.copy_(current[name])


def _out_of_patience(progress: Progress, schedule: Schedule, pick: str) -> bool:
    if not schedule.patience or pick not in progress.picked:
        return False
    return len(progress.rows) - progress.picked[pick] >= schedule.patience


def _save(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, average: AveragedModel | None, progress: Progress
) -> None:
    """Write the state, then the metrics that it implies; each whole or not at all."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": None if average is None else average.state_dict(),
        "rows": json.dumps(progress.rows),
        "picked": progress.picked,
        "weights": progress.weights,
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with atomic_writer(folder / STATE_FILE) as file:
        file.write(buffer.getbuffer())
    write_metrics(folder, progress.rows)


def write_metrics(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write one JSON object a pass."""
    with atomic_writer(folder / METRICS_FILE) as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows).encode())


def _restore(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, average: AveragedModel | None) -> Progress:
    """Load the state of a broken training into its parts; nothing where there is none."""
    if not path.exists():
        return Progress()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols: what it can't read, it refuses
            state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        if average is not None:
            average.load_state_dict(state["average"])
        return Progress(json.loads(state["rows"]), state["picked"], state["weights"])
    except (RuntimeError, LookupError, ValueError, TypeError, AttributeError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0].strip().rstrip(":.") if str(error).strip() else type(error).__name__
        raise TrainingError(f"{path} is not the state of this training ({reason}); remove it to start anew.") from error
    except pickle.UnpicklingError as error:
        raise TrainingError(f"{path} is damaged or no state of a training; remove it to start anew.") from error
