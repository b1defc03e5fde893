"""The temporal context encoder (TCE) of AttnSleep: a Transformer over feature channels with causal convolutions.

Three habits of the published code decide whether its weights give its numbers, and are kept: :class:`LayerNorm`
divides by the unbiased standard deviation; the attention's residual is added to the *convolved* query, and the query
enters the attention without the norm; each attention holds a convolution that is never used. Parameters carry the
names of the published code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from sleepviewer.models.afr import N_FEATURES
from sleepviewer.models.shape import n_heads

_CAUSAL_KERNEL: Final = 7
_N_LAYERS: Final = 2
_FEED_FORWARD_WIDTH: Final = 120


class CausalConv1d(nn.Conv1d):
    """A convolution over the last axis that sees no later element; lengths stay as they are."""

    def __init__(self, channels: int, kernel: int = _CAUSAL_KERNEL) -> None:
        super().__init__(channels, channels, kernel)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (the base class's name)
        """Return the convolved tokens, shaped as they came."""
        return super().forward(functional.pad(input, (self.kernel_size[0] - 1, 0)))


class LayerNorm(nn.Module):
    """Layer normalisation over the last axis that divides by the unbiased standard deviation plus epsilon."""

    def __init__(self, width: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.a_2 = nn.Parameter(torch.ones(width))
        self.b_2 = nn.Parameter(torch.zeros(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised input."""
        spread = x.std(dim=-1, keepdim=True) + self.epsilon
        return self.a_2 * (x - x.mean(dim=-1, keepdim=True)) / spread + self.b_2


class CausalAttention(nn.Module):
    """Multi-head attention among the 30 feature channels; keys and values come from causal convolutions.

    A token is a feature channel, embedded by its ``d_model`` time points: attention is not over time.
    """

    def __init__(self, d_model: int, dropout: float) -> None:
        super().__init__()
        # The first of the three is never used; published weights hold it.
        self.convs = nn.ModuleList(CausalConv1d(N_FEATURES) for _ in range(3))
        self.linear = nn.Linear(d_model, d_model)
        self.dropout = dropout
        self.n_heads = n_heads(d_model)

    def forward(self, query: Tensor, source: Tensor) -> Tensor:
        """Return what ``query`` finds in ``source``, all ``[n, 30, d_model]``."""
        q, k, v = (split_heads(t, self.n_heads) for t in (query, self.convs[1](source), self.convs[2](source)))
        found = functional.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0)
        joined: Tensor = self.linear(found.transpose(1, 2).flatten(2))
        return joined


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Return ``[n, tokens, d_model]`` as ``[n, heads, tokens, d_model / heads]``."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them, for each token by itself."""

    def __init__(self, d_model: int, width: int, dropout: float) -> None:
        super().__init__()
        self.w_1 = nn.Linear(d_model, width)
        self.w_2 = nn.Linear(width, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed tokens, shaped as they came."""
        out: Tensor = self.w_2(self.dropout(functional.relu(self.w_1(x))))
        return out


class Residual(nn.Module):
    """Add what a function makes of the normalised input to the input."""

    def __init__(self, d_model: int, dropout: float) -> None:
        super().__init__()
        self.norm = LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Return ``x + dropout(function(norm(x)))``."""
        out: Tensor = x + self.dropout(function(self.norm(x)))
        return out


class EncoderLayer(nn.Module):
    """One layer of the temporal context encoder, ``[n, 30, d_model]`` to the same."""

    def __init__(self, d_model: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = CausalAttention(d_model, dropout)
        self.feed_forward = FeedForward(d_model, _FEED_FORWARD_WIDTH, dropout)
        self.sublayer_output = nn.ModuleList(Residual(d_model, dropout) for _ in range(2))
        self.conv = CausalConv1d(N_FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        """Return the encoded tokens."""
        query = self.conv(x)
        # The published layer attends with the query as it is; the norm's result goes unused.
        attended = self.sublayer_output[0](query, lambda _normed: self.self_attn(query, x))
        out: Tensor = self.sublayer_output[1](attended, self.feed_forward)
        return out


class ContextEncoder(nn.Module):
    """The temporal context encoder (TCE): two layers and a final normalisation, ``[n, 30, d_model]`` to the same."""

    def __init__(self, d_model: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(d_model, dropout) for _ in range(_N_LAYERS))
        self.norm = LayerNorm(d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Return the encoded features."""
        for layer in self.layers:
            x = layer(x)
        out: Tensor = self.norm(x)
        return out
