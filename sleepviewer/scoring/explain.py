"""Why a stage: what in an epoch's 30 seconds spoke for the predicted stage, and against another one.

These are the values; :mod:`sleepviewer.scoring.attribution` computes them, with torch and captum. All of it is in
log-odds (natural logarithm) of the calibrated probabilities that the window shows. An attribution says what the model
made use of, not what is right.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import EngineError
from sleepviewer.models.family import all_names
from sleepviewer.recording.base import FileStamp
from sleepviewer.scoring.registry import ENSEMBLE, YASA, EngineSpec
from sleepviewer.stages import Proba, Stage

BIN_S: Final = 0.25
"""Length of a bin of attribution in seconds: half of the fine branch's first kernel."""
OCCLUSION_S: Final = 1.0
"""Length of the pieces that are taken away one after the other."""
NEIGHBOURS: Final = (-3, -2, -1, 1, 2, 3)
"""Which epochs beside the explained one are taken away one after the other."""
NIGHT_READY: Final = 0.5
"""Share of the progress at which the night is laid out and only the epoch itself is left."""

SECOND_CHOICE: Final = "second choice"

Shares = NDArray[np.float32]
"""Shares of log-odds."""


@dataclass(frozen=True, slots=True)
class StagePair:
    """The predicted stage, the other one, and who says that: ``expert``, ``yours``, or the model's second choice."""

    predicted: Stage
    against: Stage
    said_by: str = SECOND_CHOICE

    @property
    def text(self) -> str:
        """The pair in words: ``N3, not N2 (expert)``."""
        return f"{self.predicted.label}, not {self.against.label} ({self.said_by})"


def pair_of(proba: Proba, label: Stage = Stage.UNKNOWN, said_by: str = "expert") -> StagePair:
    """Return what to explain of one epoch's probabilities ``float32 [5]``.

    Against the likeliest stage stands the label, or the second likeliest where that is unknown or the same.
    """
    order = np.argsort(-proba, kind="stable")
    predicted = Stage(int(order[0]))
    if label in (Stage.UNKNOWN, predicted):
        return StagePair(predicted, Stage(int(order[1])))
    return StagePair(predicted, label, said_by)


@dataclass(frozen=True, slots=True)
class ExplanationRequest:
    """An epoch of a file to explain.

    ``weights_sha256`` is the hash of the weights that made the scoring on show, if any: other weights would explain
    another scoring, and are an EngineError. ``stamp`` is that of the recording that the caller has open.
    """

    path: Path
    spec: EngineSpec
    channel: str
    epoch: int
    pair: StagePair
    weights_sha256: str = ""
    stamp: FileStamp | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What spoke for an epoch's predicted stage. All figures are log-odds.

    Attributes
    ----------
    channel, epoch: what is explained; epochs count from 0.
    pair: the predicted stage and the other.
    for_predicted: share of each quarter of a second in the log-odds of the predicted stage against all others,
        ``float32 [120]``; above 0 it speaks for the stage. Integrated gradients.
    difference: the same for the predicted stage against the other one of the pair alone, ``float32 [120]``.
    occlusion: by how much ``difference``'s log-odds fall when a second is taken away, ``float32 [30]``.
    neighbours: by how much they fall when the night lacks the epoch at each of NEIGHBOURS, ``float32 [6]``; NaN where
        there is none, and for members without context.
    log_odds: of the predicted stage against the other, as the whole night is read.
    log_odds_alone: the same as the epoch model alone sees it.
    baseline_log_odds: the mean of it with the baseline in place of the epoch.
    completeness_error: by how much the shares of ``difference`` and of ``for_predicted``, summed up, miss the change
        of the log-odds from the baseline to the epoch; that of the two which misses more.
    agreement: Spearman's rank correlation of ``difference``, summed by seconds, with ``occlusion``; NaN where either
        is the same everywhere.
    baseline: what the epoch is compared with, in words.
    proba: the probabilities, ``float32 [5]``.
    engine, weights_sha256: the model.
    seconds: how long it took.
    """

    channel: str
    epoch: int
    pair: StagePair
    for_predicted: Shares
    difference: Shares
    occlusion: Shares
    neighbours: Shares
    log_odds: float
    log_odds_alone: float
    baseline_log_odds: float
    completeness_error: float
    agreement: float
    baseline: str
    proba: Proba
    engine: str
    weights_sha256: str
    seconds: float

    def by_second(self) -> Shares:
        """Return ``difference`` summed up by seconds, ``float32 [30]``."""
        return np.asarray(self.difference.reshape(-1, round(OCCLUSION_S / BIN_S)).sum(axis=1))

    def strongest(self, count: int = 3) -> tuple[list[int], list[int]]:
        """Return the seconds that spoke most for and most against the predicted stage, at most ``count`` each."""
        seconds = self.by_second()
        order = np.argsort(-seconds, kind="stable").tolist()
        return (
            [second for second in order[:count] if seconds[second] > 0],
            [second for second in order[::-1][:count] if seconds[second] < 0],
        )

    @property
    def text(self) -> str:
        """The explanation as one line: ``N3, not N2 (expert): 4–5 and 12–13 s speak for it``."""
        spoke_for, against = self.strongest()
        said = [
            f"{_listed(seconds)} {'speak' if len(seconds) > 1 else 'speaks'} {how}"
            for seconds, how in ((spoke_for, "for it"), (against, "against it"))
            if seconds
        ]
        return f"{self.pair.text}: {'; '.join(said) or 'no second speaks for or against it'}"

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready values; NaN as None, the epoch counted from 1."""
        values: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value = [_plain(number) for number in value.tolist()]
            elif isinstance(value, float):
                value = _plain(value)
            values[field.name] = value
        values["pair"] = {
            "predicted": self.pair.predicted.label,
            "against": self.pair.against.label,
            "said_by": self.pair.said_by,
        }
        return values | {
            "epoch": self.epoch + 1,
            "unit": "log-odds (natural logarithm)",
            "bin_s": BIN_S,
            "occlusion_s": OCCLUSION_S,
            "neighbour_offsets": list(NEIGHBOURS),
        }


def check_explainable(engine_id: str) -> None:
    """Raise EngineError, with the reason, for an engine that can't be explained second by second."""
    if engine_id in all_names() or engine_id == ENSEMBLE:
        return
    if engine_id == YASA:
        raise EngineError(
            "YASA decides by features of whole epochs and never sees the signal second by second, so what in the 30 "
            "seconds spoke for a stage can't be told; score with AttnSleep to see it."
        )
    raise EngineError(
        f"“{engine_id}” is no model of the AttnSleep family, and only those can be explained; score with one of them."
    )


def check_weights(request: ExplanationRequest, sha256: str) -> None:
    """Raise EngineError where other weights made the scoring on show."""
    if request.weights_sha256 and request.weights_sha256 != sha256:
        raise EngineError(
            f"The scoring on show was made with other weights of {request.spec.id} than those that are at hand; choose "
            "these weights in the tool bar, or score again."
        )


def _listed(seconds: list[int]) -> str:
    ordered = [f"{second}–{second + 1}" for second in sorted(seconds)]
    return f"{ordered[0] if len(ordered) == 1 else ', '.join(ordered[:-1]) + ' and ' + ordered[-1]} s"


def _plain(value: float) -> float | None:
    return round(value, 5) if np.isfinite(value) else None
