"""Train a fold's context model over the features of its epoch model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sleepviewer.models.checkpoints import CONTEXT_PREFIX, load_weights, save_weights
from sleepviewer.models.context import ContextModel, summarise
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import CONTEXT_SUFFIX, MemberName
from sleepviewer.training.config import TrainingConfig
from sleepviewer.training.data import LabelledNight, TrainingSet
from sleepviewer.training.fold import (
    WEIGHTS_FILE,
    NightLogits,
    figures,
    finish_fold,
    held_out_nights,
    make_folder,
    name_of,
    protocols_of,
    read_result,
    train_fold,
    weights_of_stages,
    write_result,
)
from sleepviewer.training.folds import EPOCH_MODEL, Fold
from sleepviewer.training.loop import STATE_FILE, Batches, Schedule, Scores, fit

_WINDOWS_A_BATCH: Final = 16
_BATCH: Final = 512
_NO_LABEL: Final = -1


def train_context_fold(
    data: TrainingSet, fold: Fold, config: TrainingConfig, folder: Path, epoch_folder: Path | None = None
) -> dict[str, Any]:
    """Train the context model of one fold, and before it the epoch model where ``epoch_folder`` has none ready.

    The context reads the features of the honest pick of the epoch model, whose weights stay as they are, and is trained
    on the same training subjects. Its own pass is picked by both protocols, as the epoch model's is.
    """
    done = read_result(folder)
    if done is not None:
        return done
    make_folder(folder)
    if epoch_folder is None:
        epoch_folder = folder / EPOCH_MODEL
        train_fold(data, fold, config, epoch_folder)
    torch.set_num_threads(config.threads)
    loaded = load_weights(epoch_folder / WEIGHTS_FILE)
    epoch_model = loaded.build()
    started = time.perf_counter()
    summaries = {night.name: in_places(night, summaries_of(epoch_model, night.x)) for night in data.nights}
    held_out = held_out_nights(data, fold)
    torch.manual_seed(config.seed)
    context = ContextModel()

    def logits_of_nights(model: nn.Module, nights: Sequence[LabelledNight]) -> list[NightLogits]:
        assert isinstance(model, ContextModel)
        return [NightLogits(night, model.night(summaries[night.name]).numpy()[places(night)]) for night in nights]

    def evaluate(model: nn.Module) -> Scores:
        return {part: figures(logits_of_nights(model, nights)) for part, nights in held_out.items()}

    progress = fit(
        context,
        window_batches(
            [(summaries[night.name], _labels(night)) for night in data.of(fold.train)], config.context_window
        ),
        window_loss,
        evaluate,
        protocols_of(fold),
        Schedule(
            passes=config.context_passes,
            learning_rate=config.context_learning_rate,
            late_learning_rate=config.context_learning_rate / 10,
            drop_after=config.context_passes * 2 // 3,
            weight_decay=1e-4,
        ),
        folder=folder,
        seed=config.seed * 1009 + fold.index,
    )

    def logits_of(pick: str, nights: Sequence[LabelledNight]) -> list[NightLogits]:
        context.load_state_dict(progress.weights[pick])
        return logits_of_nights(context.eval(), nights)

    weights = weights_of_stages(data, fold, config)
    result = finish_fold(folder, fold, progress.rows, progress.picked, logits_of, held_out, weights)
    epoch_result = read_result(epoch_folder) or {}
    result |= {"seconds": round(time.perf_counter() - started + epoch_result.get("seconds", 0.0), 1)}
    card = replace(loaded.card, name=name_of(config.model, fold))
    save_member(folder / WEIGHTS_FILE, epoch_model, progress.weights["honest"], card, result["temperature"])
    write_result(folder, result)
    (folder / STATE_FILE).unlink(missing_ok=True)
    return result


def save_member(path: Path, epoch_model: EpochModel, context: dict[str, Tensor], card: Any, temperature: float) -> None:
    """Write an epoch model and its context as one file, under the card of both."""
    state = dict(epoch_model.state_dict()) | {CONTEXT_PREFIX + name: tensor for name, tensor in context.items()}
    member = MemberName.parse(card.member).base + CONTEXT_SUFFIX
    save_weights(path, state, replace(card, member=member, temperature=temperature))


@torch.no_grad()
def summaries_of(model: EpochModel, x: Any) -> Tensor:
    """Return a night's summaries ``[n, 65]`` from its epochs ``float32 [n, samples]``."""
    parts = []
    for first in range(0, len(x), _BATCH):
        features = model.features(torch.from_numpy(np.ascontiguousarray(x[first : first + _BATCH])).unsqueeze(1))
        parts.append(summarise(features, model.decide(features)))
    return torch.cat(parts)


def places(night: LabelledNight) -> NDArray[np.intp]:
    """Return where a night's epochs lie, counted from its first one, ``intp [n]``; missing epochs leave holes."""
    index = np.asarray(night.epoch_index, dtype=np.intp)
    return index - index[0] if len(index) else index


def in_places(night: LabelledNight, summaries: Tensor) -> Tensor:
    """Lay summaries ``[n, 65]`` on their places in the night, ``[n_epochs, 65]``: holes stay holes, rows of NaN."""
    where = places(night)
    laid = summaries.new_full((int(where[-1]) + 1 if len(where) else 0, summaries.shape[1]), torch.nan)
    laid[torch.from_numpy(where)] = summaries
    return laid


def _labels(night: LabelledNight) -> Tensor:
    where = places(night)
    labels = torch.full((int(where[-1]) + 1 if len(where) else 0,), _NO_LABEL)
    labels[torch.from_numpy(where)] = torch.from_numpy(night.y.astype(np.int64))
    return labels


def window_batches(nights: Sequence[tuple[Tensor, Tensor]], window: int) -> Batches:
    """Return a source of batches of windows ``[b, window, 65]`` and labels ``[b, window]``.

    Rows of NaN are gaps, labels of -1 do not count; both fill what lies beyond a night's end.

    Each pass cuts every night into windows from a random first epoch, so that no epoch is always at a window's edge.
    The first and the last are moved into the night, so that only a night shorter than a window is padded.
    """

    def batches(_number: int) -> Iterator[tuple[Tensor, Tensor]]:
        places = []
        for index, (summaries, _) in enumerate(nights):
            offset = int(torch.randint(0, window, ()))
            last = max(len(summaries) - window, 0)
            starts = {min(max(start, 0), last) for start in range(-offset, len(summaries), window)}
            places += [(index, start, min(start + window, len(summaries))) for start in sorted(starts)]
        order = [places[i] for i in torch.randperm(len(places)).tolist()]
        for first in range(0, len(order), _WINDOWS_A_BATCH):
            chosen = order[first : first + _WINDOWS_A_BATCH]
            x = [nights[index][0][start:stop] for index, start, stop in chosen]
            y = [nights[index][1][start:stop] for index, start, stop in chosen]
            if sum(int((~rows.isnan().any(dim=1)).sum()) for rows in x) < 2:
                continue  # one epoch alone has no spread to normalize a batch by
            yield (
                nn.utils.rnn.pad_sequence(x, batch_first=True, padding_value=float("nan")),
                nn.utils.rnn.pad_sequence(y, batch_first=True, padding_value=_NO_LABEL),
            )

    return batches


def window_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of windows; what lies beyond a night's end does not count."""
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=_NO_LABEL)
