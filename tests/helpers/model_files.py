"""Files of weights for the tests of models that nobody has trained."""

from __future__ import annotations

from pathlib import Path

import torch

from sleepviewer.models.card import ModelCard
from sleepviewer.models.checkpoints import CONTEXT_PREFIX, save_weights
from sleepviewer.models.context import ContextModel
from sleepviewer.models.family import CONTEXT_SUFFIX, build_epoch_model
from sleepviewer.models.shape import InputShape


def random_weights(path: Path, member: str, **card: object) -> Path:
    """Write weights of a member as they are before training; its context's head says something."""
    torch.manual_seed(0)
    values = {"name": member, "rate_hz": 100, "epoch_samples": 3000, "member": member} | card
    shape = InputShape(int(values["rate_hz"]), int(values["epoch_samples"]))
    state = dict(build_epoch_model(member, shape).state_dict())
    if member.endswith(CONTEXT_SUFFIX):
        context = ContextModel()
        torch.nn.init.normal_(context.head.weight)
        state |= {CONTEXT_PREFIX + name: tensor for name, tensor in context.state_dict().items()}
    save_weights(path, state, ModelCard(**values))
    return path
