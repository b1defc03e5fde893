"""All that a fine-tuning learns from and is looked at with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import TrainingError
from sleepviewer.models.card import ModelCard
from sleepviewer.stages import N_STAGES, Stage, StageArray
from sleepviewer.training.corrected import TuningNight, fingerprint_of, read_corrected
from sleepviewer.training.fine_tune import FineTuneRequest
from sleepviewer.training.guard import HeldOut, hold_out, seed_of
from sleepviewer.training.replay import Replay, load_replay

_LEAST_TRAINED = 20
_LEAST_WEIGHT, _GREATEST_WEIGHT = 0.5, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class TuningData:
    """Corrected nights, how each is parted, and what is replayed."""

    nights: tuple[TuningNight, ...]
    parts: tuple[HeldOut, ...]
    replay: Replay

    @property
    def learned(self) -> list[StageArray]:
        """The labels to learn from of each corrected night, ``int8 [n]``, -1 elsewhere."""
        return [_only(night, part.train) for night, part in zip(self.nights, self.parts, strict=True)]

    @property
    def held_out(self) -> list[StageArray]:
        """The labels of the held-out epochs of each corrected night, ``int8 [n]``, -1 elsewhere."""
        return [_only(night, part.test) for night, part in zip(self.nights, self.parts, strict=True)]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all nights: other data have another."""
        return fingerprint_of((*self.nights, *self.replay.replayed, *self.replay.guards))

    @property
    def stage_weights(self) -> NDArray[np.float32]:
        """Each stage's weight in the loss, ``float32 [5]``: the root of how rare it is, between 0.5 and 2.

        The root, not the whole: κ counts stages as often as they occur, and a night with ten epochs of N1 shall not
        become one that finds N1 everywhere. A stage that does not occur weighs 1.
        """
        labels = np.concatenate([y[y >= 0] for y in self.learned])
        counts = np.bincount(labels, minlength=N_STAGES)
        usual = counts.sum() / max(int((counts > 0).sum()), 1)
        weights = np.where(counts > 0, np.sqrt(usual / np.maximum(counts, 1)), 1.0)
        return np.clip(weights, _LEAST_WEIGHT, _GREATEST_WEIGHT).astype(np.float32)


def load_tuning_data(request: FineTuneRequest, card: ModelCard) -> TuningData:
    """Read what a request names, as the model of a card takes it.

    Raises TrainingError where archives are named twice or hold too little that was reviewed, ArchiveError where one
    can't be used.
    """
    if not request.archives:
        raise TrainingError("Name at least one archive of a corrected night to learn from.")
    nights = tuple(read_corrected(path, card, vouched=request.whole_nights) for path in request.archives)
    known = [night.recording_sha256 or night.archive_sha256 for night in nights]
    twice = [sha256 for sha256, count in Counter(known).items() if count > 1]
    if twice:
        names = [night.name for night, sha256 in zip(nights, known, strict=True) if sha256 == twice[0]]
        raise TrainingError(f"{' and '.join(names)} are of the same recording; name each night once.")
    parts = tuple(hold_out(night.y, night.place, seed_of(night.recording_sha256 or night.name)) for night in nights)
    if (n := sum(int(part.train.sum()) for part in parts)) < _LEAST_TRAINED:
        raise TrainingError(
            f"Only {n} reviewed epochs are left to learn from, fewer than {_LEAST_TRAINED}; review more of the night."
        )
    return TuningData(nights, parts, load_replay(request.replay, card, nights))


def _only(night: TuningNight, which: NDArray[np.bool_]) -> StageArray:
    return np.where(which, night.y, np.int8(Stage.UNKNOWN))
