"""Conformer blocks in the place of AttnSleep's Transformer layers.

Gulati, A. et al., "Conformer: Convolution-augmented Transformer for Speech Recognition", Interspeech 2020,
doi 10.21437/Interspeech.2020-3015: half a feed-forward step, self-attention, a convolution module (GLU, depth-wise
convolution, BatchNorm, Swish), half a feed-forward step, LayerNorm; every part with its norm first and a residual.

Two choices are ours. The tokens are, as in AttnSleep, the 30 feature channels, each embedded by its time points
(``Axis.CHANNELS``); ``Axis.TIME`` makes each time point a token embedded by its 30 features. There are no relative
positions: the depth-wise convolution sees the order of the tokens. Its kernel is AttnSleep's 7 rather than 31, since
there are only 30 channels.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from torch import Tensor, nn
from torch.nn import functional

from sleepviewer.models.afr import N_FEATURES
from sleepviewer.models.shape import n_heads
from sleepviewer.models.tce import split_heads

_N_BLOCKS: Final = 2
_EXPANSION: Final = 4
_KERNEL: Final = 7
_DROPOUT: Final = 0.1


class Axis(StrEnum):
    """What a token of the Conformer is."""

    CHANNELS = "channels"
    """A feature channel, embedded by its time points; what AttnSleep attends over."""
    TIME = "time"
    """A time point, embedded by its 30 features."""


class HalfStep(nn.Module):
    """A feed-forward network with Swish, ``[n, tokens, width]`` to the same; half of it is added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, _EXPANSION * width),
            nn.SiLU(),
            nn.Dropout(_DROPOUT),
            nn.Linear(_EXPANSION * width, width),
            nn.Dropout(_DROPOUT),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed tokens."""
        out: Tensor = self.layers(x)
        return out


class SelfAttention(nn.Module):
    """Multi-head self-attention with its norm first, ``[n, tokens, width]`` to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.projections = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(_DROPOUT)
        self.n_heads = n_heads(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return what each token finds in the others."""
        q, k, v = (split_heads(t, self.n_heads) for t in self.projections(self.norm(x)).chunk(3, dim=2))
        found = functional.scaled_dot_product_attention(q, k, v, dropout_p=_DROPOUT if self.training else 0.0)
        out: Tensor = self.dropout(self.out(found.transpose(1, 2).flatten(2)))
        return out


class ConvolutionModule(nn.Module):
    """Point-wise convolution with GLU, depth-wise convolution along the tokens, BatchNorm, Swish, point-wise."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.layers = nn.Sequential(
            nn.Conv1d(width, 2 * width, 1),
            nn.GLU(dim=1),
            nn.Conv1d(width, width, _KERNEL, padding=_KERNEL // 2, groups=width, bias=False),
            nn.BatchNorm1d(width),
            nn.SiLU(),
            nn.Conv1d(width, width, 1),
            nn.Dropout(_DROPOUT),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved tokens ``[n, tokens, width]``."""
        out: Tensor = self.layers(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return out


class ConformerBlock(nn.Module):
    """One block, ``[n, tokens, width]`` to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before = HalfStep(width)
        self.attention = SelfAttention(width)
        self.convolution = ConvolutionModule(width)
        self.after = HalfStep(width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the encoded tokens."""
        x = x + self.before(x) / 2
        x = x + self.attention(x)
        x = x + self.convolution(x)
        x = x + self.after(x) / 2
        out: Tensor = self.norm(x)
        return out


class ConformerEncoder(nn.Module):
    """Two Conformer blocks over the recalibrated features, ``[n, 30, d_model]`` to the same."""

    def __init__(self, d_model: int, axis: Axis = Axis.CHANNELS) -> None:
        super().__init__()
        self.axis = axis
        width = d_model if axis is Axis.CHANNELS else N_FEATURES
        self.blocks = nn.Sequential(*(ConformerBlock(width) for _ in range(_N_BLOCKS)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the encoded features."""
        if self.axis is Axis.TIME:
            out: Tensor = self.blocks(x.transpose(1, 2)).transpose(1, 2)
        else:
            out = self.blocks(x)
        return out
