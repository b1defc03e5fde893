"""Train the context of a shipped member so that it holds on a bad night, and find out within which limits it does.

The context learns from nights that are disturbed as whole nights (:mod:`sleepviewer.training.conditions`), through an
epoch model whose batch statistics are blended with the night's own as in scoring. The pass that is kept is the one
whose *worst* gain over the epoch model is best, among clean, noisy, and artifact-ridden nights of held-out subjects
and held-out nights of the other hospital.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from shipped_sources import JOINING, NOISE_LEVELS, SHAPE, Sources, in_order, noisy_night, validation_nights
from torch import Tensor, nn

from sleepviewer.analysis.calibration import expected_calibration_error, fit_temperature
from sleepviewer.models.adaptation import blend_statistics
from sleepviewer.models.card import Limit
from sleepviewer.models.context import SUMMARY_WIDTH, ContextModel
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.normalisation import Epochs
from sleepviewer.stages import N_STAGES, Stage, StageArray
from sleepviewer.training.augmentation import Augmentation
from sleepviewer.training.conditions import DisturbedNight, NightConditions
from sleepviewer.training.context_fold import summaries_of, window_batches, window_loss
from sleepviewer.training.data import LabelledNight
from sleepviewer.training.fold import NightLogits, figures
from sleepviewer.training.loop import Pick, Schedule, Scores, fit

NIGHT_STATISTICS: Final = 0.5
"""Share of the night's own batch statistics in scoring; chosen by the held-out subjects among 0, 0.5, 0.7 and 1."""
SHARES: Final = (0.25, 0.75)
"""Between which the share varies in training."""


@dataclass(frozen=True, slots=True)
class ContextEffort:
    """How much a context's training does: views of each Sleep-EDF and each UCDDB night, training epochs, limits."""

    views: int = 3
    ucddb_views: int = 4
    passes: int = 24
    finds_limits: bool = True


QUICK: Final = ContextEffort(views=1, passes=10, finds_limits=False)
"""For the folds of the leave-nights-out check."""

_ARTIFACTS: Final = NightConditions(noisy=0, gains=0.5, moving=1, off=1, gaps=1, lacking=0, short=0, filter_db=0)
_PIECES_MIN: Final = (5, 10, 20, 30, 60, 90)
CALIBRATION_MINUTES: Final = 60.0
"""On shorter pieces of the held-out nights κ falls by up to .1, and calibration with it."""
_MARGIN: Final = 1.1
"""How far beyond the farthest validation night a recording may lie and still count as like them."""

View = tuple[Tensor, Tensor]
"""Summaries ``[n_epochs, 65]``, NaN in gaps, and labels ``int64 [n_epochs]``, -1 where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadNight:
    """A night as a context reads it: ``summaries`` ``[n_epochs, 65]``, NaN in gaps; ``y`` ``int8 [n_epochs]``."""

    summaries: Tensor
    y: StageArray

    @property
    def scored(self) -> np.ndarray:
        """Which epochs count, ``bool [n_epochs]``."""
        return (self.y != Stage.UNKNOWN) & ~self.summaries.isnan().any(dim=1).numpy()


def read_night(model: EpochModel, x: Epochs, y: StageArray, clean: np.ndarray, share: float) -> ReadNight:
    """Fit a model to a night's clean epochs and return its summaries; rows of NaN in ``x`` are gaps."""
    there = np.isfinite(x).all(axis=1)
    fitted = blend_statistics(model, x[clean & there], share)
    summaries = torch.full((len(x), SUMMARY_WIDTH), torch.nan)
    summaries[torch.from_numpy(np.flatnonzero(there))] = summaries_of(fitted, x[there])
    return ReadNight(summaries, y)


def read_disturbed(model: EpochModel, night: DisturbedNight, share: float) -> ReadNight:
    """Read a disturbed night."""
    return read_night(model, night.x, night.y, night.clean, share)


def laid_out(read: ReadNight, places: np.ndarray) -> ReadNight:
    """Lay epochs on their places in the night; what lies between is a gap."""
    n = int(places[-1] - places[0]) + 1
    summaries, y = torch.full((n, SUMMARY_WIDTH), torch.nan), np.full(n, Stage.UNKNOWN, dtype=np.int8)
    at = places - places[0]
    summaries[torch.from_numpy(at)], y[at] = read.summaries, read.y
    return ReadNight(summaries, y)


def read_labelled(model: EpochModel, night: LabelledNight, share: float = NIGHT_STATISTICS) -> ReadNight:
    """Read a night of epochs that are all there, in their places."""
    read = read_night(model, night.x, night.y, np.ones(len(night.y), dtype=bool), share)
    return laid_out(read, night.epoch_index)


# -- what is validated


def validation_sets(model: EpochModel, sources: Sources) -> dict[str, list[ReadNight]]:
    """Return the held-out nights as an epoch model reads them: clean, noisy, with artifacts, of the other hospital."""
    clean = validation_nights(sources)
    noisy = [noisy_night(night, NOISE_LEVELS[i % len(NOISE_LEVELS)]) for i, night in enumerate(clean)]
    sets = {"clean": [read_labelled(model, night) for night in clean]}
    sets["noise"] = [read_labelled(model, night) for night in noisy]
    rng = np.random.default_rng(77)
    disturbed = [_ARTIFACTS.apply(night.x, night.y, SHAPE.rate_hz, JOINING.band_hz, rng) for night in clean]
    sets["artifacts"] = [read_disturbed(model, night, NIGHT_STATISTICS) for night in disturbed]
    if sources.ucddb_validation:
        sets["other hospital"] = [read_labelled(model, night) for night in sources.ucddb_validation]
    return sets


def kappa(nights: list[ReadNight], context: ContextModel | None) -> float:
    """Return κ over all epochs of some nights, by the epoch model alone where there is no context."""
    return figures(logits_of(nights, context))["kappa"] or 0.0


def logits_of(nights: list[ReadNight], context: ContextModel | None) -> list[NightLogits]:
    """Return the logits of the nights' scored epochs."""
    found = []
    for night in nights:
        logits = night.summaries[:, -N_STAGES:] if context is None else context.night(night.summaries)
        rows = np.flatnonzero(night.scored)
        labelled = LabelledNight("", "", np.empty((0, 0), np.float32), night.y[rows], rows)
        found.append(NightLogits(labelled, logits.numpy()[rows]))
    return found


def temperature_of(nights: list[ReadNight], context: ContextModel | None) -> float:
    """Return what the logits of some nights are divided by to become calibrated."""
    found = logits_of(nights, context)
    logits = np.concatenate([night.logits for night in found])
    truth = np.concatenate([night.night.y for night in found])
    temperature = float(fit_temperature(logits, truth))
    proba = torch.from_numpy(logits / temperature).softmax(dim=1).numpy()
    print("temperature", temperature, "ECE", expected_calibration_error(proba, truth), figures(found), flush=True)
    return temperature


# -- the training


@dataclass(frozen=True, slots=True, eq=False)
class TrainedContext:
    """A context's weights, both temperatures, and the limits within which it was validated."""

    state: dict[str, Tensor]
    temperature: float
    epoch_temperature: float
    limits: Mapping[str, float]


def train_context(
    model: EpochModel, sources: Sources, folder: Path, effort: ContextEffort | None = None
) -> TrainedContext:
    """Train the context of an epoch model, or go on; the state of the training lies in ``folder``."""
    effort = effort or ContextEffort()
    held = validation_sets(model, sources)
    alone = {name: kappa(nights, None) for name, nights in held.items()}
    print("epoch model alone", json.dumps(alone), flush=True)
    torch.manual_seed(0)
    context = ContextModel()
    views: list[View] = []

    def batches(number: int) -> Iterator[tuple[Tensor, Tensor]]:
        if not views:  # not where the training is done already
            views.extend(make_views(model, sources, effort, np.random.default_rng(5)))
        rng = np.random.default_rng((11, number))
        stitched = [stitch(stages, views, rng) for stages in sources.hypnograms]
        return iter(window_batches(views + stitched, 100)(number))

    def evaluate(network: nn.Module) -> Scores:
        assert isinstance(network, ContextModel)
        found = {name: kappa(nights, network) for name, nights in held.items()}
        scores = {name: {"kappa": value} for name, value in found.items()}
        scores["choice"] = {"worst gain": min(found[name] - alone[name] for name in found)}
        print(json.dumps({name: next(iter(value.values())) for name, value in scores.items()}), flush=True)
        return scores

    progress = fit(
        context,
        batches,
        window_loss,
        evaluate,
        {"choice": Pick("choice", "worst gain")},
        Schedule(
            passes=effort.passes,
            learning_rate=2e-3,
            late_learning_rate=3e-4,
            drop_after=effort.passes * 2 // 3,
            weight_decay=1e-4,
            weight_average=0.98,
        ),
        folder=folder,
        seed=2,
    )
    context.load_state_dict(progress.weights["choice"])
    context.eval()
    return TrainedContext(
        progress.weights["choice"],
        temperature_of(held["clean"], context),
        temperature_of(held["clean"], None),
        limits_of(model, context, sources, held) if effort.finds_limits else {},
    )


def make_views(model: EpochModel, sources: Sources, effort: ContextEffort, rng: np.random.Generator) -> list[View]:
    """Return every training night in its real order several times, each time in other conditions."""
    conditions = NightConditions()
    augmentation = Augmentation(loud=0)
    views: list[View] = []

    def view(night: LabelledNight, given: NightConditions) -> ReadNight:
        x = night.x
        if rng.random() < 0.5:
            parts = [augmentation.apply(x[i : i + 256], SHAPE.rate_hz, rng) for i in range(0, len(x), 256)]
            x = np.concatenate(parts)
        disturbed = given.apply(x, night.y, SHAPE.rate_hz, JOINING.band_hz, rng)
        read = read_disturbed(model, disturbed, rng.uniform(*SHARES))
        return laid_out(read, night.epoch_index[disturbed.rows]) if given.lacking == 0 else read

    for _ in range(effort.views):
        views += [_view_of(view(in_order(source, rng), conditions)) for source in sources.train]
    whole = replace(conditions, lacking=0, short=0)
    for _ in range(effort.ucddb_views):
        views += [_view_of(view(night, whole)) for night in sources.ucddb_train]
    return views


def _view_of(read: ReadNight) -> View:
    return read.summaries, torch.from_numpy(np.where(read.scored, read.y, -1).astype(np.int64))


def stitch(stages: StageArray, views: list[View], rng: np.random.Generator) -> View:
    """Return a night that follows a hypnogram with one view's features, drawn stage by stage, in runs where it can.

    Where the view has no epoch of a stage, there is a gap.
    """
    summaries, labels = views[int(rng.integers(len(views)))]
    known = labels.numpy()
    places = [np.flatnonzero(known == stage) for stage in range(N_STAGES)]
    rows = np.full(len(stages), -1, dtype=np.int64)
    previous = -2
    for i, stage in enumerate(stages):
        own = places[stage] if stage >= 0 else ()
        if not len(own):
            previous = -2
            continue
        following = previous + 1
        if previous >= 0 and following < len(known) and known[following] == stage and rng.random() < 0.9:
            rows[i] = following
        else:
            rows[i] = rng.choice(own)
        previous = int(rows[i])
    there = torch.from_numpy(rows >= 0)
    stitched = torch.full((len(stages), SUMMARY_WIDTH), torch.nan)
    stitched[there] = summaries[torch.from_numpy(rows)[there]]
    return stitched, torch.where(there, torch.from_numpy(stages.astype(np.int64)), -1)


# -- limits


def limits_of(
    model: EpochModel, context: ContextModel, sources: Sources, held: Mapping[str, list[ReadNight]]
) -> dict[str, float]:
    """Return within which limits a member was validated; see :class:`sleepviewer.models.card.Limit`."""
    changed, distances = [], []
    for name, nights in held.items():
        for night in nights:
            epoch, read = (logits_of([night], which)[0].logits.argmax(axis=1) for which in (None, context))
            changed.append(float((epoch != read).mean()))
            if name != "noise":
                distances.append(context.distance(night.summaries))
    pieces = piece_table(model, context, sources)
    print("pieces", json.dumps(pieces), flush=True)
    return {
        Limit.CONTEXT_MINUTES: _from_which(pieces, "context", "epoch model"),
        Limit.ADAPTATION_MINUTES: _from_which(pieces, "context", "context, not fitted"),
        Limit.CALIBRATION_MINUTES: CALIBRATION_MINUTES,
        Limit.CONTEXT_CHANGES: round(max(changed) * _MARGIN, 3),
        Limit.DISTANCE: round(max(distances) * _MARGIN, 3),
        Limit.UNUSABLE_SHARE: 0.3,
    }


def piece_table(model: EpochModel, context: ContextModel, sources: Sources) -> dict[str, dict[str, float]]:
    """Return κ over pieces of the held-out nights by their length in minutes, with and without context and fitting."""
    table: dict[str, dict[str, float]] = {}
    nights = validation_nights(sources)
    for minutes in _PIECES_MIN:
        n = round(minutes * 2)
        found: dict[str, list[NightLogits]] = {}
        for night in nights:
            for first in range(n // 2, len(night.y) - n, max(len(night.y) // 6, n)):
                x, y = night.x[first : first + n], night.y[first : first + n]
                everything = np.ones(n, dtype=bool)
                for words, share in (("", NIGHT_STATISTICS), (", not fitted", 0.0)):
                    read = [read_night(model, x, y, everything, share)]
                    found.setdefault("epoch model" + words, []).extend(logits_of(read, None))
                    found.setdefault("context" + words, []).extend(logits_of(read, context))
        table[str(minutes)] = {name: round(figures(rows)["kappa"] or 0.0, 3) for name, rows in found.items()}
    return table


def _from_which(pieces: Mapping[str, Mapping[str, float]], better: str, than: str) -> float:
    """Return from how many minutes on one way of scoring was never worse than another."""
    least = 0.0
    for minutes, row in pieces.items():
        if row[better] < row[than]:
            least = float(minutes) + 0.5
    return least
