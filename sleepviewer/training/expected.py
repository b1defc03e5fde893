"""How long a training will take on this machine, from a few steps of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import torch
from torch.nn import functional

from sleepviewer.models.family import MemberName, build_epoch_model
from sleepviewer.models.shape import InputShape
from sleepviewer.stages import N_STAGES
from sleepviewer.training.config import TrainingConfig
from sleepviewer.training.fold import check_length, choose_device

_STEPS: Final = 3
_CONTEXT_SHARE: Final = 0.05
"""What a context model adds, as a share of its epoch model's training; it is small beside that."""


def expected_seconds(config: TrainingConfig, shape: InputShape, n_epochs: int, *, at_once: int = 1) -> float:
    """Return about how long a cross-validation takes, from a few batches of random signal trained and looked at.

    ``at_once`` is how many folds are trained at the same time; whether the machine has cores for all is up to the user.
    """
    torch.set_num_threads(config.threads)
    device = choose_device(config.device)
    check_length(config.model, shape)
    model = build_epoch_model(config.model, shape).to(device)
    size = min(config.batch_size, n_epochs)
    x, y = torch.randn(size, 1, shape.n_samples, device=device), torch.arange(size, device=device) % N_STAGES
    optimizer = torch.optim.Adam(model.parameters(), amsgrad=True)

    def learn() -> None:
        functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    @torch.no_grad()
    def look() -> None:
        model(x)

    learning = _seconds(learn, device)
    model.eval()
    looking = _seconds(look, device)
    tested = n_epochs / config.folds
    held_out = (n_epochs - tested) * config.validation_share + tested
    a_pass = ((n_epochs - held_out) * learning + held_out * looking) / size
    share = 1 + _CONTEXT_SHARE * MemberName.parse(config.model).context
    return a_pass * config.passes * share * config.folds / min(at_once, config.folds)


def _seconds(step: Callable[[], None], device: str) -> float:
    """Return the time of one step, the fastest of a few after one that is not counted."""
    times = []
    for _ in range(_STEPS + 1):
        started = time.perf_counter()
        step()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times[1:])
