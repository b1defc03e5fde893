"""A member of the family: features of one epoch, an encoder over them, five logits."""

from __future__ import annotations

from torch import Tensor, nn

from sleepviewer.models.afr import N_FEATURES
from sleepviewer.models.shape import InputShape
from sleepviewer.stages import N_STAGES


class EpochModel(nn.Module):
    """One epoch of one EEG channel in, five stage logits out.

    The parts keep the names that they have in the published AttnSleep code, whatever a member puts in their place:
    ``mrcnn`` makes the features ``[n, 30, d_model]`` of a signal ``[n, 1, n_samples]``, ``tce`` encodes them, ``fc``
    decides. So the published state dicts load as they are.
    """

    def __init__(self, shape: InputShape, front: nn.Module, encoder: nn.Module, d_model: int) -> None:
        super().__init__()
        self.shape = shape
        self.mrcnn = front
        self.tce = encoder
        self.fc = nn.Linear(N_FEATURES * d_model, N_STAGES)

    def features(self, x: Tensor) -> Tensor:
        """Return the recalibrated features ``[n, 30, d_model]`` of epochs ``[n, 1, n_samples]``."""
        out: Tensor = self.mrcnn(x)
        return out

    def decide(self, features: Tensor) -> Tensor:
        """Return the logits ``[n, 5]`` of features."""
        logits: Tensor = self.fc(self.tce(features).flatten(1))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``[n, 5]`` of epochs ``[n, 1, n_samples]``, in the order W, N1, N2, N3, REM."""
        return self.decide(self.features(x))
