"""How large a member is and how much it computes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sleepviewer.models.context import ContextModel
from sleepviewer.models.family import MemberName, build_epoch_model
from sleepviewer.models.shape import InputShape


@dataclass(frozen=True, slots=True)
class Costs:
    """``parameters`` of a member, and ``macs``: multiplications with addition for one epoch."""

    parameters: int
    macs: int


@cache
def costs_of(name: str, shape: InputShape) -> Costs:
    """Return a member's size and cost; that of a context counts for each epoch of a full window.

    MACs are those of convolutions, matrix products and attention, by torch's own counter (two operations each), and
    for the GRU, which it does not count, the products with its weights.
    """
    member = MemberName.parse(name)
    model = build_epoch_model(member.base, shape).eval()
    parameters, macs = _parameters(model), _macs(model, torch.zeros(1, 1, shape.n_samples))
    if member.context:
        context = ContextModel().eval()
        parameters += _parameters(context)
        gru = sum(weight.numel() for name, weight in context.gru.named_parameters() if name.startswith("weight"))
        dense = context.embed.weight.numel() + context.head.weight.numel()
        macs += gru + dense
    return Costs(parameters, macs)


def _parameters(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def _macs(model: nn.Module, x: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    return int(counter.get_total_flops()) // 2
