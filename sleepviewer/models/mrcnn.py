"""Two convolution branches of different resolution (MRCNN), as AttnSleep has them.

Eldele, E. et al., "An Attention-Based Deep Learning Approach for Sleep Stage Classification With Single-Channel EEG",
IEEE TNSRE 2021, doi 10.1109/TNSRE.2021.3076234. Parameters carry the names of the published code.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

from sleepviewer.models.afr import N_FEATURES, Recalibration
from sleepviewer.models.shape import InputShape

N_FILTERS: Final = 128

_COARSE_KERNELS: Final = {125: 6}
"""The published code's kernel of the coarse branch's inner convolutions at 125 Hz; 7 at every other rate."""


class MultiResolutionCnn(nn.Module):
    """Two convolution branches (MRCNN), of half a second and of four seconds, joined along time and recalibrated.

    Takes ``[n, 1, n_samples]`` and returns ``[n, 30, width]``, where :func:`mrcnn_width` tells the width.
    """

    def __init__(self, shape: InputShape) -> None:
        super().__init__()
        coarse = _COARSE_KERNELS.get(shape.rate_hz, 7)
        self.features1 = nn.Sequential(
            nn.Conv1d(1, 64, 50, stride=6, padding=24, bias=False),
            nn.BatchNorm1d(64),
            nn.GELU(),
            nn.MaxPool1d(8, stride=2, padding=4),
            nn.Dropout(0.5),
            *_conv_block(64, N_FILTERS, kernel=8, padding=4),
            *_conv_block(N_FILTERS, N_FILTERS, kernel=8, padding=4),
            nn.MaxPool1d(4, stride=4, padding=2),
        )
        self.features2 = nn.Sequential(
            nn.Conv1d(1, 64, 400, stride=50, padding=200, bias=False),
            nn.BatchNorm1d(64),
            nn.GELU(),
            nn.MaxPool1d(4, stride=2, padding=2),
            nn.Dropout(0.5),
            *_conv_block(64, N_FILTERS, kernel=coarse, padding=3),
            *_conv_block(N_FILTERS, N_FILTERS, kernel=coarse, padding=3),
            nn.MaxPool1d(2, stride=2, padding=1),
        )
        self.dropout = nn.Dropout(0.5)
        self.AFR = nn.Sequential(Recalibration(N_FILTERS, N_FEATURES))

    def forward(self, x: Tensor) -> Tensor:
        """Return the recalibrated features of both branches."""
        joined = torch.cat((self.features1(x), self.features2(x)), dim=2)
        features: Tensor = self.AFR(self.dropout(joined))
        return features


def _conv_block(in_channels: int, out_channels: int, *, kernel: int, padding: int) -> tuple[nn.Module, ...]:
    """Return a convolution without bias, batch normalisation and GELU."""
    return (
        nn.Conv1d(in_channels, out_channels, kernel, padding=padding, bias=False),
        nn.BatchNorm1d(out_channels),
        nn.GELU(),
    )


def mrcnn_width(shape: InputShape) -> int:
    """Return how many time points both branches give together: 80 for 30 s at 100 Hz, 100 at 125 Hz, 16 for 5 s.

    It is counted and not tried on torch's meta device, whose first convolution imports 800 modules.
    """
    with torch.device("meta"):
        network = MultiResolutionCnn(shape)
    return sum(_length_after(branch, shape.n_samples) for branch in (network.features1, network.features2))


def _length_after(branch: nn.Sequential, length: int) -> int:
    """Return how many time points a branch makes of a signal."""
    for module in branch:
        if isinstance(module, nn.Conv1d | nn.MaxPool1d):
            kernel, stride, padding = (_number(size) for size in (module.kernel_size, module.stride, module.padding))
            length = (length + 2 * padding - kernel) // stride + 1
    return length


def _number(size: Any) -> int:
    """Return a size that torch keeps as a number or as a tuple of one."""
    return int(size[0] if isinstance(size, tuple) else size)
