"""A sequence network over the epoch model's features, and the plain smoother that it must beat.

Epochs without a summary (gaps, unusable signal) keep their place: rows of NaN, which the network reads as a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sleepviewer.models.afr import N_FEATURES
from sleepviewer.stages import N_STAGES, Proba, StageArray

SUMMARY_WIDTH: Final = 2 * N_FEATURES + N_STAGES
"""Width of an epoch's summary: mean and spread over time of its 30 features, and its five log-probabilities."""

CONTEXT_EPOCHS: Final = 200
"""The most epochs that the network reads at once; longer nights are read in windows that overlap by half."""

_HIDDEN: Final = 64
_DROPOUT: Final = 0.3


def summarise(features: Tensor, logits: Tensor) -> Tensor:
    """Return what the context reads of each epoch, ``[n, 65]``.

    ``features`` are the recalibrated ones, ``[n, 30, d_model]``, ``logits`` the epoch model's, ``[n, 5]``. Means and
    spreads do not depend on ``d_model``, so that one context serves every member and every length of input.
    """
    return torch.cat((features.mean(dim=2), features.std(dim=2), logits.log_softmax(dim=1)), dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """One place of a night as the network finds it, in each of the windows that see it.

    ``states`` ``float32 [2, n_windows, 64]`` are the GRU's after the epoch before it and, from the night's other end,
    after the epoch behind it; ``weights`` ``float32 [n_windows]`` how much each window counts, with the sum 1.
    """

    states: Tensor
    weights: Tensor


class ContextModel(nn.Module):
    """A bidirectional GRU over the epochs of a night that corrects the epoch model's log-probabilities.

    Takes summaries ``[n, length, 65]`` and returns logits ``[n, length, 5]``. A new model returns the epoch model's
    own: its last layer starts at zero. Rows of NaN are gaps: the GRU reads a learned vector in their place, and what is
    returned for them is finite and means nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(SUMMARY_WIDTH)
        self.embed = nn.Linear(SUMMARY_WIDTH, _HIDDEN)
        self.dropout = nn.Dropout(_DROPOUT)
        self.gru = nn.GRU(_HIDDEN, _HIDDEN, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * _HIDDEN, N_STAGES)
        self.gap = nn.Parameter(torch.zeros(_HIDDEN))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, summaries: Tensor) -> Tensor:
        """Return the corrected logits."""
        found, _ = self.gru(self._embedded(summaries))
        out: Tensor = summaries[..., -N_STAGES:].nan_to_num() + self.head(self.dropout(found))
        return out

    def _embedded(self, summaries: Tensor) -> Tensor:
        """Return what the GRU reads, ``[n, length, 64]``."""
        there = ~summaries.isnan().any(dim=-1)
        x = self.norm(summaries[there])
        x = self.dropout(torch.nn.functional.gelu(self.embed(self.dropout(x))))
        embedded = self.gap.repeat(*there.shape, 1)
        embedded[there] = x
        return embedded

    @torch.no_grad()
    def distance(self, summaries: Tensor) -> float:
        """Return how far a night's summaries ``[n_epochs, 65]`` are from those that the network was trained on.

        The root mean square, over the 65 values, of the night's mean in units of the training's standard deviation
        around the training's mean; 0 for a night without any.
        """
        there = summaries[~summaries.isnan().any(dim=-1)]
        if not len(there):
            return 0.0
        assert self.norm.running_mean is not None
        assert self.norm.running_var is not None
        away = (there.mean(dim=0) - self.norm.running_mean) / self.norm.running_var.sqrt()
        return float(away.square().mean().sqrt())

    @torch.no_grad()
    def night(self, summaries: Tensor) -> Tensor:
        """Return the logits ``[n_epochs, 5]`` of one night's summaries ``[n_epochs, 65]``, of any length.

        A night longer than :data:`CONTEXT_EPOCHS` is read in windows that overlap by half; where two windows see an
        epoch, each counts by how far the epoch is from its window's ends.
        """
        length = len(summaries)
        if length <= CONTEXT_EPOCHS:
            whole: Tensor = self(summaries.unsqueeze(0))[0] if length else summaries.new_empty(0, N_STAGES)
            return whole
        starts = _window_starts(length)
        windows = self(torch.stack([summaries[start : start + CONTEXT_EPOCHS] for start in starts]))
        place = torch.arange(CONTEXT_EPOCHS, dtype=windows.dtype, device=windows.device)
        weight = (torch.minimum(place, place.flip(0)) + 1).unsqueeze(1)
        total, weights = windows.new_zeros(length, N_STAGES), windows.new_zeros(length, 1)
        for start, window in zip(starts, windows, strict=True):
            total[start : start + CONTEXT_EPOCHS] += weight * window
            weights[start : start + CONTEXT_EPOCHS] += weight
        joined: Tensor = total / weights
        return joined

    @torch.no_grad()
    def surroundings(self, summaries: Tensor, place: int) -> Surroundings:
        """Return what the network reads on both sides of one epoch of a night's summaries ``[n_epochs, 65]``."""
        size = min(len(summaries), CONTEXT_EPOCHS)
        starts = [start for start in _window_starts(len(summaries)) if start <= place < start + size]
        found, _ = self.gru(self._embedded(torch.stack([summaries[start : start + size] for start in starts])))
        states = found.new_zeros(2, len(starts), _HIDDEN)
        for row, start in enumerate(starts):
            at = place - start
            if at > 0:
                states[0, row] = found[row, at - 1, :_HIDDEN]
            if at + 1 < size:
                states[1, row] = found[row, at + 1, _HIDDEN:]
        weights = states.new_tensor([min(place - start, size - 1 - place + start) + 1 for start in starts])
        return Surroundings(states, weights / weights.sum())

    def at(self, summaries: Tensor, around: Surroundings) -> Tensor:
        """Return the logits ``[n, 5]`` that each of the summaries ``[n, 65]`` would get in one place of a night.

        It is what :meth:`night` gives that place, by one step of the GRU in each direction: its neighbours are fixed.
        """
        n, n_windows = len(summaries), len(around.weights)
        x = self._embedded(summaries.unsqueeze(1)).repeat_interleave(n_windows, dim=0)
        found, _ = self.gru(x, around.states.repeat(1, n, 1))
        heads = self.head(self.dropout(found)).reshape(n, n_windows, N_STAGES)
        out: Tensor = summaries[:, -N_STAGES:] + (heads * around.weights.unsqueeze(1)).sum(dim=1)
        return out


def _window_starts(length: int) -> list[int]:
    """Return where the windows of a night begin."""
    last = max(length - CONTEXT_EPOCHS, 0)
    return [*range(0, last, CONTEXT_EPOCHS // 2), last]


@dataclass(frozen=True, slots=True, eq=False)
class TransitionSmoother:
    """A hidden Markov model of the stages' order, with the epoch model's probabilities as what is seen.

    ``transitions`` is ``float64 [5, 5]``, rows = from, each summing to 1; ``share`` ``float64 [5]`` how often each
    stage occurs, by which the probabilities are divided to become likelihoods.
    """

    transitions: NDArray[np.float64]
    share: NDArray[np.float64]

    @classmethod
    def fit(cls, nights: list[StageArray]) -> TransitionSmoother:
        """Count the transitions of scored neighbours in nights ``int8 [n_epochs]``; one is added to every count."""
        counts = np.ones((N_STAGES, N_STAGES))
        share = np.ones(N_STAGES)
        for stages in nights:
            before, after = stages[:-1].astype(int), stages[1:].astype(int)
            known = (before >= 0) & (after >= 0)
            np.add.at(counts, (before[known], after[known]), 1)
            share += np.bincount(stages[stages >= 0], minlength=N_STAGES)
        return cls(counts / counts.sum(axis=1, keepdims=True), share / share.sum())

    def smooth(self, proba: Proba) -> Proba:
        """Return the posterior probabilities ``float32 [n_epochs, 5]`` by the forward-backward recursion.

        Rows of NaN (unscored epochs) say nothing about their stage, and stay NaN. Rabiner 1989,
        doi 10.1109/5.18626, section III, with scaling.
        """
        seen = np.isfinite(proba).all(axis=1)
        likelihood = np.ones((len(proba), N_STAGES))
        likelihood[seen] = proba[seen] / self.share + 1e-9
        forward, backward = np.empty_like(likelihood), np.empty_like(likelihood)
        state = self.share
        for i, here in enumerate(likelihood):
            state = (state if i == 0 else state @ self.transitions) * here
            state = state / state.sum()
            forward[i] = state
        state = np.ones(N_STAGES)
        for i in range(len(likelihood) - 1, -1, -1):
            backward[i] = state
            state = self.transitions @ (state * likelihood[i])
            state = state / state.sum()
        posterior: NDArray[np.float64] = forward * backward
        posterior = posterior / posterior.sum(axis=1, keepdims=True)
        posterior[~seen] = np.nan
        return np.asarray(posterior, dtype=np.float32)
