"""A member put together for scoring: epochs in, probabilities out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sleepviewer.models.adaptation import blend_statistics
from sleepviewer.models.checkpoints import LoadedWeights
from sleepviewer.models.context import Surroundings, summarise
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.normalisation import Epochs
from sleepviewer.stages import N_STAGES, Proba


def fold_norms(model: EpochModel) -> EpochModel:
    """Fold every batch norm that follows a convolution into its weights, in place, and return the model.

    In eval mode it is a fixed scale and offset; without it a night is scored in nine tenths of the time. Numbers differ
    by single precision's rounding.
    """
    for stack in [module for module in model.modules() if isinstance(module, nn.Sequential)]:
        for index, (convolution, norm) in enumerate(pairwise(stack)):
            if isinstance(convolution, nn.Conv1d) and isinstance(norm, nn.BatchNorm1d):
                stack[index] = fuse_conv_bn_eval(convolution, norm)
                stack[index + 1] = nn.Identity()
    return model


@dataclass(frozen=True, slots=True, eq=False)
class NightReading:
    """What the context made of a night.

    Attributes
    ----------
    proba: ``float32 [n_epochs, 5]``, NaN in gaps.
    changed: share of the epochs to which it gave another stage than the epoch model.
    distance: of the night from the training's, see :meth:`ContextModel.distance`.
    """

    proba: Proba
    changed: float
    distance: float


class NightModel:
    """An epoch model, the context over it where the member has one, and the temperature, in eval mode.

    The context stays on the CPU: it takes a hundredth of the time.
    """

    def __init__(self, weights: LoadedWeights) -> None:
        self._weights = weights
        self._epoch_model = fold_norms(weights.build()).requires_grad_(False)
        context = weights.build_context()
        self._context = None if context is None else context.requires_grad_(False)
        self._temperature = weights.card.temperature
        self._epoch_temperature = weights.card.epoch_temperature or weights.card.temperature
        self._device = "cpu"

    @property
    def has_context(self) -> bool:
        """Whether there is a context for :meth:`night`."""
        return self._context is not None

    def to(self, device: str) -> None:
        """Move the epoch model to another device."""
        self._epoch_model = self._epoch_model.to(device)
        self._device = device

    def adapt(self, epochs: Epochs) -> None:
        """Fit the model to a night's clean epochs, ``float32 [n, n_samples]``, as far as its card says.

        Without any it is as it was trained, whatever night it was fitted to before.
        """
        model = self._weights.build()
        share = self._weights.card.night_statistics
        if share and len(epochs):
            model = blend_statistics(model, epochs, share)
        self._epoch_model = fold_norms(model).requires_grad_(False).to(self._device)

    @torch.inference_mode()
    def batch(self, epochs: Epochs) -> tuple[Proba, Tensor]:
        """Return the epoch model's probabilities ``[n, 5]`` of epochs ``float32 [n, n_samples]``, and their summaries.

        The summaries ``[n, 65]`` are what :meth:`night` needs of each epoch.
        """
        features = self._epoch_model.features(torch.from_numpy(epochs).unsqueeze(1).to(self._device))
        logits = self._epoch_model.decide(features)
        return self._proba(logits, self._epoch_temperature), summarise(features, logits).cpu()

    @torch.inference_mode()
    def summaries(self, epochs: Epochs) -> Tensor:
        """Return the summaries ``[n, 65]`` of epochs ``float32 [n, n_samples]``, of members without a context too."""
        features = self._epoch_model.features(torch.from_numpy(epochs).unsqueeze(1).to(self._device))
        return summarise(features, self._epoch_model.decide(features)).cpu()

    @torch.inference_mode()
    def night(self, summaries: Tensor) -> NightReading:
        """Read a night's summaries ``[n_epochs, 65]``, rows of NaN where there is a gap, with the context."""
        assert self._context is not None
        proba = self._proba(self._context.night(summaries), self._temperature)
        there = ~summaries.isnan().any(dim=1).numpy()
        proba[~there] = np.nan
        before = summaries[:, -N_STAGES:].numpy()[there].argmax(axis=1)
        changed = float((proba[there].argmax(axis=1) != before).mean()) if there.any() else 0.0
        return NightReading(proba, changed, self._context.distance(summaries))

    def surroundings(self, summaries: Tensor, place: int) -> Surroundings | None:
        """Return what the context reads around one epoch of a night's summaries ``[n_epochs, 65]``; None without."""
        return None if self._context is None else self._context.surroundings(summaries, place)

    def logits(self, epochs: Tensor, around: Surroundings | None = None) -> Tensor:
        """Return the logits over the temperature, ``[n, 5]``, of epochs ``[n, 1, n_samples]``; gradients pass through.

        With ``around`` each epoch stands in that place of the night, and the context has read its neighbours.
        """
        features = self._epoch_model.features(epochs.to(self._device))
        logits = self._epoch_model.decide(features)
        if around is not None:
            assert self._context is not None
            logits = self._context.at(summarise(features, logits).cpu(), around)
        return logits / self._temperature

    @torch.no_grad()
    def night_logits(self, summaries: Tensor) -> Tensor:
        """Return the context's logits over the temperature, ``[n_epochs, 5]``, from ``[n_epochs, 65]``."""
        assert self._context is not None
        return self._context.night(summaries) / self._temperature

    @staticmethod
    def _proba(logits: Tensor, temperature: float) -> Proba:
        return np.array((logits.float() / temperature).softmax(dim=1).cpu().numpy(), dtype=np.float32)
