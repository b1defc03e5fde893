"""Several engines as one: members of the family with context, and YASA, by the weighted geometric mean.

The geometric mean of probabilities is the mean of their logarithms (a logarithmic opinion pool: Genest & Zidek 1986,
doi 10.1214/ss/1177013825). An engine that is sure where the others are not counts for more than in an arithmetic
mean, and one that runs away is held back by the others. Which engines, their weights, and the temperature of the
result come from ``resources/models/ensemble.json``; docs/experiments.md tells how they were chosen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sleepviewer import __version__
from sleepviewer.errors import EngineError, SleepViewerError
from sleepviewer.models.card import Limit
from sleepviewer.models.family import title_of
from sleepviewer.models.versions import ModelVersions
from sleepviewer.recording.base import Recording
from sleepviewer.scoring.base import (
    CancelToken,
    ChannelChoice,
    Prediction,
    Progress,
    ProgressCallback,
    no_progress,
    validity_notes,
)
from sleepviewer.scoring.family_engine import FamilyEngine, check_scorable, night_epochs, too_short, unusable_share
from sleepviewer.scoring.recipe import EnsembleRecipe, identity_of, shipped_recipe
from sleepviewer.scoring.registry import ENSEMBLE, ENSEMBLE_TITLE, YASA, YASA_TITLE
from sleepviewer.scoring.signals import NightSignal, read_signal
from sleepviewer.scoring.yasa_engine import YasaEngine
from sleepviewer.stages import EPOCH_S, Proba

if TYPE_CHECKING:
    from pathlib import Path

    from sleepviewer.models.card import ModelCard
    from sleepviewer.models.normalisation import Epochs

_LEAST: Final = 1e-4
"""Probabilities count as at least so much: a member's zero must not decide for all."""
_DONE_BY_MEMBERS: Final = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class _Vote:
    """What one engine said: its scoring, or why there is none."""

    name: str
    prediction: Prediction | None
    why_not: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Night:
    """A night as all members take it; what they share is made once."""

    recording: Recording
    channels: ChannelChoice
    signal: NightSignal
    cancel: CancelToken
    _epochs: dict[Any, Epochs] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def epochs_for(self, card: ModelCard) -> Epochs:
        """Return the night as a member's card wants it."""
        key = (card.rate_hz, card.epoch_samples, card.band_hz, card.normalisation)
        with self._making:
            if key not in self._epochs:
                self._epochs[key] = night_epochs(self.signal, card)
            return self._epochs[key]


class EnsembleEngine:
    """Score with all engines of a recipe; what can't run is left out, and said.

    Two threads share the work: the first member scores where its progress is seen, and YASA after it, while the other
    members score beside them.

    Parameters
    ----------
    recipe: None takes the one that comes with the program.
    folder: where the members' weights lie; None takes those of their active versions.
    device: as for :class:`FamilyEngine`.
    score_unusable: whether epochs with an unusable signal are scored all the same.
    """

    id: Final = ENSEMBLE
    title: Final = ENSEMBLE_TITLE

    def __init__(
        self,
        recipe: EnsembleRecipe | None = None,
        *,
        folder: Path | None = None,
        device: str | None = None,
        score_unusable: bool = False,
    ) -> None:
        self._recipe = recipe or shipped_recipe()
        self._folder = folder
        self._device = device
        self._score_unusable = score_unusable
        self._engines: dict[str, FamilyEngine] = {}
        self._yasa = YasaEngine(score_unusable=score_unusable)

    def warm_up(self) -> None:
        """Get every member ready."""
        for name in self._recipe.members:
            self._member(name).warm_up()
        if YASA in self._recipe.weights:
            self._yasa.warm_up()

    def score(
        self,
        recording: Recording,
        channels: ChannelChoice,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Prediction:
        """Score the whole night; EOG and EMG are given to YASA.

        Progress carries the first member's probabilities as they come, and in the end those of all. Raises EngineError
        where no member can score, ChannelError, CheckpointError, ScoringCancelled.
        """
        started = time.perf_counter()
        cancel = cancel or CancelToken()
        progress(Progress(0.0, "reading"))
        check_scorable(recording, channels.eeg)
        signal = read_signal(recording, channels.eeg, score_unusable=self._score_unusable)
        cancel.check()
        night = _Night(recording, channels, signal, cancel)
        votes = self._votes(night, progress)
        cancel.check()
        prediction = self._joined(votes, signal, time.perf_counter() - started)
        progress(Progress(1.0, "combined all members", 0, prediction.proba.copy()))
        return prediction

    def _votes(self, night: _Night, progress: ProgressCallback) -> list[_Vote]:
        first, *others = self._recipe.members
        with _half_of_the_threads(), ThreadPoolExecutor(1, "ensemble") as pool:
            beside: list[Future[_Vote]] = [pool.submit(self._vote, name, night, no_progress) for name in others]
            with_yasa = YASA in self._recipe.weights
            shown = _scaled(progress, _DONE_BY_MEMBERS * (0.6 if with_yasa else 1.0))
            votes = [self._vote(first, night, shown)]
            if with_yasa:
                progress(Progress(_DONE_BY_MEMBERS * 0.6, "scoring with YASA"))
                votes.append(self._vote(YASA, night, no_progress))
            progress(Progress(_DONE_BY_MEMBERS, "waiting for the other members"))
            votes += [future.result() for future in beside]
        return votes

    def _vote(self, name: str, night: _Night, progress: ProgressCallback) -> _Vote:
        """Have one engine score; what keeps it from that is kept, but for cancellation."""
        try:
            if name == YASA:
                prediction = self._yasa.score_beside(night.signal, night.recording, night.channels, night.cancel)
            else:
                engine = self._member(name)
                prediction = engine.score_signal(night.signal, progress, night.cancel, night.epochs_for(engine.card))
        except EngineError as error:
            return _Vote(name, None, str(error))
        except SleepViewerError as error:
            night.cancel.check()
            return _Vote(name, None, str(error))
        return _Vote(name, prediction)

    def _member(self, name: str) -> FamilyEngine:
        """Return a member's engine, with the weights of its active version at this moment."""
        active = ModelVersions().active(name) if self._folder is None else None
        key = name if active is None else active.name
        if key not in self._engines:
            path = None if active is None else active.path
            if self._folder is not None:
                path = self._folder / f"{name}.safetensors"
            self._engines[key] = FamilyEngine(
                name, path, name=key, device=self._device, score_unusable=self._score_unusable
            )
        return self._engines[key]

    def _joined(self, votes: list[_Vote], signal: NightSignal, seconds: float) -> Prediction:
        """Return the votes as one scoring. Raises EngineError where there is none."""
        there = [(vote, vote.prediction) for vote in votes if vote.prediction is not None]
        if not there:
            raise EngineError(" ".join(vote.why_not for vote in votes))
        order = {name: place for place, name in enumerate(self._recipe.weights)}
        there.sort(key=lambda pair: order[pair[0].name])
        weights = weights_for({vote.name: prediction for vote, prediction in there}, self._recipe)
        predictions = [prediction for _, prediction in there]
        left_out = [vote for vote in votes if vote.prediction is None]
        notes = [f"{title_of_engine(vote.name)} was left out of the ensemble: {vote.why_not}" for vote in left_out]
        unvalidated = [f"{title_of_engine(vote.name)} was left out" for vote in left_out]
        for prediction in predictions:
            notes += prediction.notes
            unvalidated += prediction.unvalidated
            if prediction.engine not in self._recipe.weights:
                unvalidated.append(f"{prediction.engine} is a version of yours")
        minutes = float((~signal.missing).sum()) * EPOCH_S / 60
        card = self._recipe.card
        beyond = tuple(dict.fromkeys((*unvalidated, *too_short(minutes, card), *unusable_share(signal, card))))
        channels = {label: None for prediction in predictions for label in prediction.channels}
        return Prediction(
            proba=pooled([prediction.proba for prediction in predictions], weights, self._recipe.card.temperature),
            engine=self.id,
            engine_version=__version__,
            weights_sha256=identity_of(prediction.weights_sha256 for prediction in predictions),
            channels=(signal.label, *(label for label in channels if label != signal.label)),
            seconds=seconds,
            device=next((p.device for p in predictions if p.device != "cpu"), "cpu"),
            notes=tuple(dict.fromkeys((*notes, *signal.notes, *validity_notes(beyond)))),
            unvalidated=beyond,
        )


def weights_for(predictions: Mapping[str, Prediction], recipe: EnsembleRecipe) -> list[float]:
    """Return how much each of the engines' scorings of one night counts, in their order.

    A member whose context changes more of the night than it did on nights like those that it learned from counts for
    less, down to nothing; where one was not validated for the recording, YASA counts at least half.
    """
    usual, most = (recipe.card.limits.get(limit, 1.0) for limit in (Limit.USUAL_CHANGES, Limit.CONTEXT_CHANGES))
    weights = {}
    for name, prediction in predictions.items():
        over = (prediction.context_changes - usual) / (most - usual) if most > usual else 0.0
        weights[name] = recipe.weights[name] * (1.0 - min(max(over, 0.0), 1.0))
    if YASA in weights and any(prediction.unvalidated for prediction in predictions.values()):
        weights[YASA] = max(weights[YASA], sum(weights.values()) - weights[YASA])
    if not any(weights.values()):  # no YASA, and no member to trust: all alike
        weights = dict.fromkeys(weights, 1.0)
    return list(weights.values())


def pooled(probas: list[Proba], weights: list[float], temperature: float) -> Proba:
    """Return the weighted geometric mean of probabilities ``float32 [n_epochs, 5]`` over a temperature.

    Where a row of one is NaN the others count alone; where all are, it stays NaN.
    """
    stacked = np.stack(probas).astype(np.float64)
    there = np.isfinite(stacked).all(axis=2)
    share = np.asarray(weights)[:, None] * there
    total = share.sum(axis=0)
    logs = np.log(np.clip(np.nan_to_num(stacked), _LEAST, 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (share[:, :, None] * logs).sum(axis=0) / total[:, None] / temperature
    mean -= mean.max(axis=1, keepdims=True)
    proba = np.exp(mean)
    return np.asarray(proba / proba.sum(axis=1, keepdims=True), dtype=np.float32)


def title_of_engine(name: str) -> str:
    """Return a member's name as it is shown."""
    return YASA_TITLE if name == YASA else title_of(name)


@contextmanager
def _half_of_the_threads() -> Iterator[None]:
    """Have torch use half of its threads for as long as two of its callers run: teams that wait for cores spin."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // 2))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _scaled(progress: ProgressCallback, share: float) -> ProgressCallback:
    def scaled(step: Progress) -> None:
        progress(replace(step, fraction=step.fraction * share))

    return scaled
