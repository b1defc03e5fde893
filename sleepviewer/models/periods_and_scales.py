"""The multi-period and multi-scale stacks in the place of AttnSleep's two convolution branches.

They are the discriminators of HiFi-GAN (Kong, J. et al., NeurIPS 2020, arXiv 2010.05646) at about a sixteenth of
their width: channels grow 16, 32, 64, 128. The multi-scale stack is a kernel of 15 with stride 4, three grouped ones of
41 with stride 2 and one of 5: a total stride of 32. HiFi-GAN's first stride of 1 would cost several times as much for
nothing that scorers look at. These stacks hold no normalisation of activations; their weights are normalised and
start as torch's convolutions do, since the published N(0, .02) would let the signal fade from layer to layer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from sleepviewer.models.afr import N_FEATURES, Recalibration
from sleepviewer.models.mrcnn import N_FILTERS

_PERIODS: Final = (3, 5, 7)
_N_SCALES: Final = 3
_SLOPE: Final = 0.1
_CHANNELS: Final = (1, 16, 32, 64, 128)
# in, out, kernel, stride, groups
_SCALE_LAYERS: Final = (
    (1, 16, 15, 4, 1),
    (16, 32, 41, 2, 4),
    (32, 64, 41, 2, 8),
    (64, 128, 41, 2, 16),
    (128, 128, 5, 1, 1),
)


class PeriodStack(nn.Module):
    """Convolve every p-th sample with each other, ``[n, 1, time]`` to ``[n, 128, length]``."""

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        self.convs = nn.ModuleList(
            weight_norm(nn.Conv2d(n_in, n_out, (5, 1), (3, 1), (2, 0))) for n_in, n_out in pairwise(_CHANNELS)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the features; the signal is continued by reflection to a whole number of periods."""
        x = functional.pad(x, (0, -x.shape[2] % self.period), mode="reflect")
        x = x.reshape(len(x), 1, -1, self.period)
        for conv in self.convs:
            x = functional.leaky_relu(conv(x), _SLOPE)
        return x.flatten(2)


class ScaleStack(nn.Module):
    """Convolve the signal at one scale, ``[n, 1, time]`` to ``[n, 128, about time / 32]``."""

    def __init__(self, *, spectral: bool) -> None:
        super().__init__()
        norm = spectral_norm if spectral else weight_norm
        self.convs = nn.ModuleList(
            norm(nn.Conv1d(n_in, n_out, kernel, stride, kernel // 2, groups=groups))
            for n_in, n_out, kernel, stride, groups in _SCALE_LAYERS
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the features."""
        for conv in self.convs:
            x = functional.leaky_relu(conv(x), _SLOPE)
        return x


class PeriodsAndScales(nn.Module):
    """All six stacks joined along time, brought to ``d_model`` time points and recalibrated.

    Takes ``[n, 1, n_samples]`` and returns ``[n, 30, d_model]``.
    """

    def __init__(self, n_samples: int, d_model: int) -> None:
        super().__init__()
        self.periods = nn.ModuleList(PeriodStack(period) for period in _PERIODS)
        self.scales = nn.ModuleList(ScaleStack(spectral=scale == 0) for scale in range(_N_SCALES))
        self.pool = nn.AvgPool1d(4, 2, padding=2)
        self.join = nn.Linear(self._joined_length(n_samples), d_model)
        self.AFR = nn.Sequential(Recalibration(N_FILTERS, N_FEATURES))

    def forward(self, x: Tensor) -> Tensor:
        """Return the recalibrated features of all stacks."""
        features: Tensor = self.AFR(self.join(self._stacks(x)))
        return features

    def _stacks(self, x: Tensor) -> Tensor:
        found = [stack(x) for stack in self.periods]
        for stack in self.scales:
            found.append(stack(x))
            x = self.pool(x)
        return torch.cat(found, dim=2)

    def _joined_length(self, n_samples: int) -> int:
        """Return the length of all stacks together: 286 for 3,000 samples."""
        lengths = []
        for period in _PERIODS:
            length = -(-n_samples // period)
            for _ in pairwise(_CHANNELS):
                length = (length - 1) // 3 + 1
            lengths.append(length * period)
        scaled = n_samples
        for _ in range(_N_SCALES):
            length = scaled
            for _, _, _, stride, _ in _SCALE_LAYERS:
                length = (length - 1) // stride + 1
            lengths.append(length)
            scaled = scaled // 2 + 1
        return sum(lengths)
