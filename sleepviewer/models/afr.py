"""Adaptive feature recalibration (AFR): weigh the convolutions' channels and reduce them to thirty.

Parameters carry the names of the published AttnSleep code, so that its state dicts load as they are.
"""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn
from torch.nn import functional

N_FEATURES: Final = 30
"""Channels after recalibration; also the number of tokens that the encoders attend over."""


class SqueezeExcitation(nn.Module):
    """Weigh channels by a gate computed from their means (Hu et al. 2018), ``[n, channels, time]`` to the same."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False),
            nn.ReLU(),
            nn.Linear(channels // reduction, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated channels."""
        gate: Tensor = self.fc(x.mean(dim=-1))
        return x * gate.unsqueeze(-1)


class Recalibration(nn.Module):
    """Adaptive feature recalibration (AFR): a residual block with a squeeze-and-excitation gate.

    Takes ``[n, in_channels, time]`` and returns ``[n, out_channels, time]``.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(in_channels, out_channels, 1)
        self.bn1 = nn.BatchNorm1d(out_channels)
        self.conv2 = nn.Conv1d(out_channels, out_channels, 1)
        self.bn2 = nn.BatchNorm1d(out_channels)
        self.se = SqueezeExcitation(out_channels)
        self.downsample = nn.Sequential(
            nn.Conv1d(in_channels, out_channels, 1, bias=False), nn.BatchNorm1d(out_channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the recalibrated features."""
        inner = functional.relu(self.bn1(self.conv1(x)))
        inner = self.se(self.bn2(self.conv2(inner)))
        return functional.relu(inner + self.downsample(x))
