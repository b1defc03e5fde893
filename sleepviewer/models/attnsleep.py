"""AttnSleep: one 30-s epoch of one EEG channel in, five stage logits out.

Eldele, E. et al., "An Attention-Based Deep Learning Approach for Sleep Stage Classification With Single-Channel EEG",
IEEE TNSRE 2021, doi 10.1109/TNSRE.2021.3076234. Parameters carry the names of the published code, so that its state
dicts load as they are. Input is in microvolts, not normalised, as the published model was trained.

Three of its habits decide whether published weights give the published numbers, and are kept: :class:`LayerNorm`
divides by the unbiased standard deviation; the attention's residual is added to the *convolved* query, and the query
enters the attention without the norm; each attention holds a convolution that is never used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from sleepviewer.stages import N_STAGES

N_FEATURES: Final = 30
"""Channels after feature recalibration; also the number of tokens that the encoder attends over."""

_N_FILTERS: Final = 128
_CAUSAL_KERNEL: Final = 7
_N_HEADS: Final = 5
_N_LAYERS: Final = 2
_FEED_FORWARD_WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class Variant:
    """What differs between the two published sampling rates.

    ``n_samples`` is the length of an epoch, ``d_model`` the number of time points after the convolutions, and
    ``coarse_kernel`` the kernel of the coarse branch's inner convolutions.
    """

    rate_hz: int
    n_samples: int
    d_model: int
    coarse_kernel: int


VARIANTS: Final = {
    100: Variant(rate_hz=100, n_samples=3000, d_model=80, coarse_kernel=7),
    125: Variant(rate_hz=125, n_samples=3750, d_model=100, coarse_kernel=6),
}
"""The published variants by sampling rate in Hz: Sleep-EDF (100) and SHHS (125)."""


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


class MultiResolutionCnn(nn.Module):
    """Two convolution branches (MRCNN), of half a second and of four seconds, joined along time and recalibrated.

    Takes ``[n, 1, n_samples]`` and returns ``[n, 30, d_model]``.
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.features1 = nn.Sequential(
            nn.Conv1d(1, 64, 50, stride=6, padding=24, bias=False),
            nn.BatchNorm1d(64),
            nn.GELU(),
            nn.MaxPool1d(8, stride=2, padding=4),
            nn.Dropout(0.5),
            *_conv_block(64, _N_FILTERS, kernel=8, padding=4),
            *_conv_block(_N_FILTERS, _N_FILTERS, kernel=8, padding=4),
            nn.MaxPool1d(4, stride=4, padding=2),
        )
        self.features2 = nn.Sequential(
            nn.Conv1d(1, 64, 400, stride=50, padding=200, bias=False),
            nn.BatchNorm1d(64),
            nn.GELU(),
            nn.MaxPool1d(4, stride=2, padding=2),
            nn.Dropout(0.5),
            *_conv_block(64, _N_FILTERS, kernel=variant.coarse_kernel, padding=3),
            *_conv_block(_N_FILTERS, _N_FILTERS, kernel=variant.coarse_kernel, padding=3),
            nn.MaxPool1d(2, stride=2, padding=1),
        )
        self.dropout = nn.Dropout(0.5)
        self.AFR = nn.Sequential(Recalibration(_N_FILTERS, N_FEATURES))

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

    def forward(self, query: Tensor, source: Tensor) -> Tensor:
        """Return what ``query`` finds in ``source``, all ``[n, 30, d_model]``."""
        q, k, v = (_split_heads(t) for t in (query, self.convs[1](source), self.convs[2](source)))
        found = functional.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0)
        joined: Tensor = self.linear(found.transpose(1, 2).flatten(2))
        return joined


def _split_heads(x: Tensor) -> Tensor:
    """Return ``[n, tokens, d_model]`` as ``[n, heads, tokens, d_model / heads]``."""
    return x.reshape(len(x), N_FEATURES, _N_HEADS, -1).transpose(1, 2)


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


class AttnSleep(nn.Module):
    """The whole model at 100 or 125 Hz.

    Parameters
    ----------
    rate_hz: 100 (epochs of 3,000 samples) or 125 (3,750).
    """

    def __init__(self, rate_hz: int = 100) -> None:
        super().__init__()
        self.variant = VARIANTS[rate_hz]
        self.mrcnn = MultiResolutionCnn(self.variant)
        self.tce = ContextEncoder(self.variant.d_model)
        self.fc = nn.Linear(N_FEATURES * self.variant.d_model, N_STAGES)

    def features(self, x: Tensor) -> Tensor:
        """Return the recalibrated features ``[n, 30, 80]`` (100 at 125 Hz) of epochs ``[n, 1, n_samples]`` in µV."""
        out: Tensor = self.mrcnn(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``[n, 5]`` of epochs ``[n, 1, n_samples]`` in µV, in the order W, N1, N2, N3, REM."""
        logits: Tensor = self.fc(self.tce(self.features(x)).flatten(1))
        return logits
