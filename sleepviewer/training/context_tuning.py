"""Tuning the context over a tuned epoch model, where there are enough corrected nights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch.nn import functional

from sleepviewer.models.checkpoints import CONTEXT_PREFIX, LoadedWeights, StateDict
from sleepviewer.training.fine_tune import TuningSettings
from sleepviewer.training.norms import NightNorms
from sleepviewer.training.tuning_data import TuningData
from sleepviewer.training.tuning_steps import Stepper, divergence, summaries_of_night

_WINDOW: Final = 100
"""Epochs that the context reads at once; shorter nights are read whole."""


def tuned_context(
    base: LoadedWeights, stepper: Stepper, data: TuningData, settings: TuningSettings, pause: Callable[[], None]
) -> StateDict:
    """Return the tuned context's weights, under their names in the file.

    It reads what the tuned epoch model finds. Labels that count pull it to the expert; on replayed nights it is pulled
    to what the base's context said of the base's own epochs. Batch normalisation and dropout are fixed.
    """
    context, teacher, before = base.build_context(), base.build_context(), base.build()
    assert context is not None
    assert teacher is not None
    norms = NightNorms(before, base.card.night_statistics)
    corrected = [
        (stepper.summaries(night.x), torch.from_numpy(y.astype(np.int64)))
        for night, y in zip(data.nights, data.learned, strict=True)
    ]
    replayed = [
        (stepper.summaries(night.x), teacher.night(summaries_of_night(before, norms, night.x)).log_softmax(dim=1))
        for night in data.replay.replayed
    ]
    weights = torch.from_numpy(data.stage_weights)
    optimizer = torch.optim.Adam(context.parameters(), lr=settings.context_learning_rate)
    rng = np.random.default_rng((settings.seed, 19))
    for _ in range(settings.context_passes):
        for which, start in _windows([len(y) for _, y in corrected], rng):
            pause()
            optimizer.zero_grad(set_to_none=True)
            summaries, labels = (part[start : start + _WINDOW] for part in corrected[which])
            logits = context(summaries.unsqueeze(0))[0]
            counting = labels >= 0
            if counting.any():
                loss = functional.cross_entropy(logits[counting], labels[counting], reduction="none")
                (loss * weights[labels[counting]]).mean().backward()  # type: ignore[no-untyped-call]
            for _ in range(settings.replay):
                night = int(rng.integers(len(replayed)))
                first = int(rng.integers(max(len(replayed[night][0]) - _WINDOW, 0) + 1))
                read, said = (part[first : first + _WINDOW] for part in replayed[night])
                moved = divergence(context(read.unsqueeze(0))[0], said)
                (settings.hold / settings.replay * moved).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return {CONTEXT_PREFIX + name: tensor.detach() for name, tensor in context.state_dict().items()}


def _windows(lengths: Sequence[int], rng: np.random.Generator) -> list[tuple[int, int]]:
    """Cut every night into windows from a random first epoch, in random order: pairs of night and first epoch."""
    places = []
    for night, length in enumerate(lengths):
        last = max(length - _WINDOW, 0)
        offset = int(rng.integers(_WINDOW))
        places += [(night, start) for start in sorted({min(max(s, 0), last) for s in range(-offset, length, _WINDOW)})]
    return [places[i] for i in rng.permutation(len(places))]
