"""The steps of a fine-tuning: what changes the weights.

A step draws reviewed epochs of one corrected night, whose loss is the cross-entropy with the expert's stages and a KL
divergence from what the base said of them, and four times as many replayed epochs, whose loss is that divergence alone.
Batch normalisation keeps what scoring the night takes, and dropout is off.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sleepviewer.errors import TrainingError
from sleepviewer.models.checkpoints import CONTEXT_PREFIX, LoadedWeights, StateDict
from sleepviewer.models.context import summarise
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.normalisation import Epochs
from sleepviewer.training.fine_tune import TuningSettings
from sleepviewer.training.norms import NightNorms, Statistics
from sleepviewer.training.tuning_data import TuningData

_REPLAYED_NIGHTS: Final = 2
"""Replayed nights that a step draws from: each has batch statistics of its own."""
_CLIP: Final = 1.0
_BATCH: Final = 64


class Stepper:
    """An epoch model that is being tuned, and all that its steps need."""

    def __init__(self, base: LoadedWeights, data: TuningData, settings: TuningSettings) -> None:
        self.model = base.build()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)
        self._norms = NightNorms(self.model, base.card.night_statistics)
        self._data = data
        self._settings = settings
        self._weights = torch.from_numpy(data.stage_weights)
        self._rows = [np.flatnonzero(y >= 0) for y in data.learned]
        replayed = data.replay.replayed
        self._said = [log_probabilities(self.model, self._norms, night.x) for night in data.nights]
        self._replayed_said = [log_probabilities(self.model, self._norms, night.x) for night in replayed]

    def chunk(self, begin: int, stop: int, told: Callable[[int, float], None], pause: Callable[[], None]) -> float:
        """Do the steps from ``begin`` to ``stop``; return their mean loss on the reviewed epochs.

        The nights' batch statistics are taken anew at the beginning, and random numbers come from the seed and
        ``begin``: a chunk depends on the weights, Adam's memory and its number alone. ``told`` gets each step's number
        and loss, ``pause`` is called before each. Raises TrainingError where the loss is no number any more.
        """
        rng = np.random.default_rng((self._settings.seed, 17, begin))
        corrected = [self._norms.of_night(night.x) for night in self._data.nights]
        replayed = [self._norms.of_night(night.x) for night in self._data.replay.replayed]
        total = 0.0
        for step in range(begin, stop):
            pause()
            self.optimizer.zero_grad(set_to_none=True)
            loss = self._learn(rng, corrected)
            self._replay(rng, replayed)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP)
            self.optimizer.step()
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The loss is no number in step {step + 1}; lower the learning rate, or look for epochs that are no"
                    " EEG."
                )
            total += loss
            told(step + 1, loss)
        self._norms.restore()
        return total / (stop - begin)

    def _learn(self, rng: np.random.Generator, statistics: list[Statistics]) -> float:
        """Add the gradients of reviewed epochs, drawn from one night; return their cross-entropy."""
        counts = np.array([len(rows) for rows in self._rows])
        which = int(rng.choice(len(counts), p=counts / counts.sum()))
        drawn = rng.choice(self._rows[which], min(self._settings.batch, int(counts[which])), replace=False)
        night = self._data.nights[which]
        self._norms.use(statistics[which])
        logits = self.model(tensor_of(night.x[drawn]))
        labels = torch.from_numpy(night.y[drawn].astype(np.int64))
        learned = (functional.cross_entropy(logits, labels, reduction="none") * self._weights[labels]).mean()
        pull = self._settings.pull * divergence(logits, self._said[which][drawn])
        (learned + pull).backward()  # type: ignore[no-untyped-call]
        return float(learned.item())

    def _replay(self, rng: np.random.Generator, statistics: list[Statistics]) -> None:
        """Add the gradients of replayed epochs, drawn from two nights."""
        nights = self._data.replay.replayed
        chosen = rng.choice(len(nights), min(_REPLAYED_NIGHTS, len(nights)), replace=False)
        each = -(-self._settings.batch * self._settings.replay // len(chosen))
        for which in chosen.tolist():
            x = nights[which].x
            drawn = rng.choice(len(x), min(each, len(x)), replace=False)
            self._norms.use(statistics[which])
            moved = divergence(self.model(tensor_of(x[drawn])), self._replayed_said[which][drawn])
            (self._settings.hold / len(chosen) * moved).backward()  # type: ignore[no-untyped-call]

    def summaries(self, x: Epochs) -> Tensor:
        """Return what the context reads of a night, ``[n, 65]``, by the weights as they are now."""
        return summaries_of_night(self.model, self._norms, x)

    def state(self) -> dict[str, Any]:
        """Return what a later process needs to go on."""
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`. Raises what torch raises where it is not of this model."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._norms.keep_trained()


def divergence(logits: Tensor, said: Tensor) -> Tensor:
    """Return the mean KL divergence of what a model says from what the base said (log-probabilities ``[n, 5]``)."""
    return functional.kl_div(logits.log_softmax(dim=1), said, log_target=True, reduction="batchmean")


def tensor_of(x: Epochs) -> Tensor:
    """Return epochs ``float32 [n, samples]`` as a model takes them, ``[n, 1, samples]``."""
    return torch.from_numpy(np.ascontiguousarray(x)).unsqueeze(1)


@torch.no_grad()
def log_probabilities(model: EpochModel, norms: NightNorms, x: Epochs) -> Tensor:
    """Return what a model says of a night's epochs, ``[n, 5]``."""
    norms.use(norms.of_night(x))
    said = [model(tensor_of(x[i : i + _BATCH])).log_softmax(dim=1) for i in range(0, len(x), _BATCH)]
    norms.restore()
    return torch.cat(said)


@torch.no_grad()
def summaries_of_night(model: EpochModel, norms: NightNorms, x: Epochs) -> Tensor:
    """Return what the context reads of a night's epochs, ``[n, 65]``."""
    norms.use(norms.of_night(x))
    parts = []
    for first in range(0, len(x), _BATCH):
        features = model.features(tensor_of(x[first : first + _BATCH]))
        parts.append(summarise(features, model.decide(features)))
    norms.restore()
    return torch.cat(parts)


def context_of(state: StateDict) -> StateDict:
    """Return the context's part of a member's tensors, under their names in the file."""
    return {name: tensor for name, tensor in state.items() if name.startswith(CONTEXT_PREFIX)}
