"""Integrated gradients and occlusion of one epoch, for the engines that torch runs.

Integrated gradients (Sundararajan, Taly & Yan 2017, arXiv 1703.01365) share the change of the log-odds between a
baseline and the epoch out among the samples; their sum is that change (completeness), up to the quadrature's error,
which is reported. Occlusion (Zeiler & Fergus 2014, doi 10.1007/978-3-319-10590-1_53) takes one second after the other
away. Both are captum's.

The baseline is not silence: to these models a flat line is wake, and against it every wave would speak for sleep. It
is the mean over a few epochs spread evenly over the same night.

What the model knows of the night stays as it is: the scaling and the band, the batch statistics that it took from the
night, and, for a member with context, what its neighbours say. Attention is no substitute for this: it is among the
30 feature channels, each of which holds the whole epoch, so that its weights say nothing about when.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from sleepviewer.errors import EngineError
from sleepviewer.models.night_model import NightModel
from sleepviewer.recording.base import Recording
from sleepviewer.scoring.base import CancelToken, Progress, ProgressCallback, no_progress
from sleepviewer.scoring.explain import (
    BIN_S,
    NEIGHBOURS,
    NIGHT_READY,
    OCCLUSION_S,
    Explanation,
    Shares,
    StagePair,
    pair_of,
)
from sleepviewer.scoring.family_engine import BATCH_SIZE, FamilyEngine, check_scorable
from sleepviewer.scoring.signals import read_signal
from sleepviewer.stages import EPOCH_S, Proba

if TYPE_CHECKING:
    from torch import Tensor

    from sleepviewer.models.context import Surroundings
    from sleepviewer.models.normalisation import Epochs

N_REFERENCES: Final = 8
"""Epochs that the baseline is the mean over."""
N_STEPS: Final = 16
"""Points of the Gauss-Legendre quadrature between each of them and the epoch."""
_AT_ONCE: Final = 16
"""Epochs in a batch; the token is looked at before each."""

_LogOdds = Callable[["Tensor"], "Tensor"]
"""Epochs ``[n, 1, n_samples]`` to log-odds ``[n]``."""


class NightExplainer:
    """One night laid out for a model, so that one epoch after the other can be explained; on the CPU.

    It holds the night as the model takes it, the model fitted to the night and, for a member with context, what the
    context reads of every epoch. :meth:`prepare` makes it.
    """

    def __init__(
        self,
        engine: str,
        weights_sha256: str,
        channel: str,
        epochs: Epochs,
        model: NightModel,
        summaries: Tensor | None,
    ) -> None:
        self.weights_sha256: Final = weights_sha256
        self._engine = engine
        self._channel = channel
        self._epochs = epochs
        self._model = model
        self._summaries = summaries
        self._scorable = np.flatnonzero(np.isfinite(epochs).all(axis=1))

    @classmethod
    def prepare(
        cls,
        engine: FamilyEngine,
        recording: Recording,
        channel: str,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> NightExplainer:
        """Lay a recording's night out, as for scoring.

        Raises EngineError, CheckpointError, ChannelError, RecordingError, ScoringCancelled.
        """
        cancel = cancel or CancelToken()
        progress(Progress(0.0, "reading"))
        check_scorable(recording, channel)
        signal = read_signal(recording, channel)
        weights, epochs = engine.model_input(signal)
        cancel.check()
        model = NightModel(weights)
        model.adapt(epochs[signal.clean])
        summaries = _summaries(model, epochs, progress, cancel) if model.has_context else None
        return cls(engine.id, weights.sha256, channel, epochs, model, summaries)

    def proba(self, epoch: int) -> Proba:
        """Return the probabilities of one epoch as the night is scored, ``float32 [5]``.

        Raises EngineError for an epoch that is not there or could not be scored.
        """
        import torch

        around = self._around(self._place(epoch))
        with torch.no_grad():
            logits = self._model.logits(self._tensor(epoch), around)
        return np.asarray(logits.softmax(dim=1)[0].numpy(), dtype=np.float32)

    def explain(
        self,
        epoch: int,
        pair: StagePair | None = None,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Explanation:
        """Explain one epoch, counted from 0; without a pair, the likeliest stage against the second likeliest.

        Raises EngineError for an epoch that is not there or could not be scored, ScoringCancelled.
        """
        import torch
        from captum.attr import IntegratedGradients, Occlusion

        started, cancel = time.perf_counter(), cancel or CancelToken()
        place = self._place(epoch)
        around = self._around(place)
        proba = self.proba(epoch)
        pair = pair or pair_of(proba)
        predicted, against = int(pair.predicted), int(pair.against)
        progress(Progress(NIGHT_READY, "looking at the epoch"))

        def logits(epochs: Tensor) -> Tensor:
            cancel.check()
            return self._model.logits(epochs, around)

        def difference(epochs: Tensor) -> Tensor:
            found = logits(epochs)
            return found[:, predicted] - found[:, against]

        def against_all(epochs: Tensor) -> Tensor:
            return _against_all(logits(epochs), predicted)

        x, references = self._tensor(epoch), self._references(place)
        at_once = max(_AT_ONCE, len(references))
        repeated = x.expand(len(references), -1, -1)
        shares, errors = [], []
        for number, log_odds in enumerate((difference, against_all)):
            by_sample = IntegratedGradients(log_odds).attribute(
                repeated, references, n_steps=N_STEPS, internal_batch_size=at_once
            )
            by_bin = _by_bin(by_sample.detach().mean(dim=0)[0])
            shares.append(by_bin)
            errors.append(float(by_bin.sum()) - (_mean(log_odds, x) - _mean(log_odds, references)))
            progress(Progress(NIGHT_READY + 0.2 * (number + 1), "looking at the epoch"))
        width = x.shape[-1] * OCCLUSION_S / EPOCH_S
        with torch.no_grad():
            taken = Occlusion(difference).attribute(
                repeated,
                sliding_window_shapes=(1, round(width)),
                strides=(1, round(width)),
                baselines=references,
                perturbations_per_eval=max(at_once // len(references), 1),
            )
            log_odds_here, baseline_log_odds = _mean(difference, x), _mean(difference, references)
            alone = self._model.logits(x)[0]
        occlusion = taken.mean(dim=0)[0, :: round(width)].numpy().astype(np.float32)
        by_second = shares[0].reshape(-1, round(OCCLUSION_S / BIN_S)).sum(axis=1)
        return Explanation(
            channel=self._channel,
            epoch=epoch,
            pair=pair,
            for_predicted=shares[1],
            difference=shares[0],
            occlusion=occlusion,
            neighbours=self._without_neighbours(epoch, pair, cancel),
            log_odds=log_odds_here,
            log_odds_alone=float(alone[predicted] - alone[against]),
            baseline_log_odds=baseline_log_odds,
            completeness_error=max(errors, key=abs),
            agreement=_rank_correlation(by_second, occlusion),
            baseline=_words(len(references), silent=not references.any()),
            proba=proba,
            engine=self._engine,
            weights_sha256=self.weights_sha256,
            seconds=time.perf_counter() - started,
        )

    def _place(self, epoch: int) -> int:
        """Return an epoch's place among those that were scored. Raises EngineError where it is not among them."""
        if not 0 <= epoch < len(self._epochs):
            raise EngineError(f"The night has {len(self._epochs)} epochs, so none is number {epoch + 1}.")
        place = int(np.searchsorted(self._scorable, epoch))
        if place == len(self._scorable) or self._scorable[place] != epoch:
            raise EngineError(
                f"Epoch {epoch + 1} of “{self._channel}” holds a gap or no signal and was not scored, so there is "
                "nothing to explain."
            )
        return place

    def _tensor(self, *epochs: int) -> Tensor:
        """Return epochs as ``float32 [n, 1, n_samples]``."""
        import torch

        return torch.from_numpy(self._epochs[list(epochs)]).unsqueeze(1)

    def _around(self, place: int) -> Surroundings | None:
        if self._summaries is None:
            return None
        return self._model.surroundings(self._summaries, int(self._scorable[place]))

    def _references(self, place: int) -> Tensor:
        """Return the baseline's epochs ``[n, 1, n_samples]``, never the explained one; silence where it is alone."""
        others = np.delete(self._scorable, place)
        if not len(others):
            return self._tensor(int(self._scorable[place])) * 0
        spread = np.linspace(0, len(others) - 1, min(N_REFERENCES, len(others)) + 2)[1:-1]
        return self._tensor(*others[np.unique(np.round(spread).astype(np.intp))].tolist())

    def _without_neighbours(self, epoch: int, pair: StagePair, cancel: CancelToken) -> Shares:
        """Return by how much the log-odds fall when the night lacks a neighbour, ``float32 [6]``."""
        import torch

        lost = np.full(len(NEIGHBOURS), np.nan, dtype=np.float32)
        if self._summaries is None:
            return lost
        whole = _difference(self._model.night_logits(self._summaries)[epoch], pair)
        for column, offset in enumerate(NEIGHBOURS):
            cancel.check()
            neighbour = epoch + offset
            if neighbour not in self._scorable:
                continue
            without = self._summaries.clone()
            without[neighbour] = torch.nan
            lost[column] = whole - _difference(self._model.night_logits(without)[epoch], pair)
        return lost


def _summaries(model: NightModel, epochs: Epochs, progress: ProgressCallback, cancel: CancelToken) -> Tensor:
    """Return what the context reads of a night's epochs, ``float32 [n_epochs, 65]``; NaN in gaps."""
    import torch

    from sleepviewer.models.context import SUMMARY_WIDTH

    scorable = np.flatnonzero(np.isfinite(epochs).all(axis=1))
    found = torch.full((len(epochs), SUMMARY_WIDTH), torch.nan)
    for first in range(0, len(scorable), BATCH_SIZE):
        cancel.check()
        rows = scorable[first : first + BATCH_SIZE]
        found[rows] = model.summaries(np.ascontiguousarray(epochs[rows]))
        progress(Progress(NIGHT_READY * min((first + BATCH_SIZE) / len(scorable), 0.99), "reading the night"))
    return found


def _difference(logits: Tensor, pair: StagePair) -> float:
    return float(logits[int(pair.predicted)] - logits[int(pair.against)])


def _against_all(logits: Tensor, stage: int) -> Tensor:
    """Return the log-odds of a stage against all others, ``[n]``, from logits ``[n, 5]``."""
    others = [other for other in range(logits.shape[1]) if other != stage]
    return logits[:, stage] - logits[:, others].logsumexp(dim=1)


def _mean(log_odds: _LogOdds, epochs: Tensor) -> float:
    import torch

    with torch.no_grad():
        return float(log_odds(epochs).mean())


def _by_bin(by_sample: Tensor) -> Shares:
    """Return attributions ``[n_samples]`` summed up by quarters of a second, ``float32 [120]``."""
    n_bins = round(EPOCH_S / BIN_S)
    edges = np.round(np.arange(n_bins) * len(by_sample) / n_bins).astype(np.intp)
    return np.add.reduceat(by_sample.numpy().astype(np.float64), edges).astype(np.float32)


def _rank_correlation(a: Shares, b: Shares) -> float:
    from scipy.stats import spearmanr

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(spearmanr(a, b).statistic)


def _words(count: int, *, silent: bool) -> str:
    if silent:
        return "silence: the night has no other epoch"
    return "another epoch of the night" if count == 1 else f"{count} epochs spread evenly over the night"
