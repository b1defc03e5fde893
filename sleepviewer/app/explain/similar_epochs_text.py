"""What the panel of look-alikes says: rows of its table, and in words whether an error is a kind or a stray."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.lookalikes import Embedding, LookAlike, Verdict, kinship
from sleepviewer.app.shell.epoch_table import EpochRow
from sleepviewer.display.clock import clock_text
from sleepviewer.recording.base import Recording
from sleepviewer.review.contenders import engine_title
from sleepviewer.scoring.base import Prediction
from sleepviewer.scoring.features import NightFeatures
from sleepviewer.stages import EPOCH_S, Stage, StageArray


def whose_text(engine: str, channel: str, features: NightFeatures, prediction: Prediction | None) -> str:
    """Say which model sees what on the map, and where the model's stages are another one's."""
    said = f"As {engine_title(engine)} sees {channel}."
    if prediction is None:
        return f"{said} The night is not scored yet (S)."
    if prediction.weights_sha256 != features.weights_sha256:
        said += f" The model's stages are {engine_title(prediction.engine)}'s, not its own."
    return said


def stages_text(recording: Recording, epoch: int, truth: StageArray, predicted: StageArray) -> str:
    """Say which epoch it is, when, and what it is labelled and predicted."""
    label, model = Stage(int(truth[epoch])), Stage(int(predicted[epoch]))
    return f"Epoch {epoch + 1} · {clock_text(recording, epoch * EPOCH_S)} · label {label.label} · model {model.label}"


def listed_rows(
    recording: Recording, epochs: Iterable[int] | NDArray[np.intp], truth: StageArray, predicted: StageArray
) -> list[EpochRow]:
    """Return rows of the open night's epochs."""
    return [_own_row(recording, int(epoch), truth, predicted, "") for epoch in epochs]


def lookalike_rows(
    recording: Recording, alike: Sequence[LookAlike], truth: StageArray, predicted: StageArray
) -> list[EpochRow]:
    """Return rows of look-alikes; those of other nights show the archive's name, and its stages."""
    rows = []
    for one in alike:
        distance = f"{one.distance:.2f}"
        if not one.night:
            rows.append(_own_row(recording, one.epoch, truth, predicted, distance))
            continue
        name = one.night.replace("\\", "/").rpartition("/")[2].removesuffix(".npz")
        cells = (str(one.epoch + 1), "—", one.truth, one.predicted, distance, name)
        rows.append(EpochRow(one.epoch, cells, one.night))
    return rows


def alike_text(
    epoch: int, alike: Sequence[LookAlike], truth: StageArray, predicted: StageArray, night: Embedding
) -> str:
    """Say what an epoch's look-alikes are labelled, and whether its error is a kind or a stray.

    Stages of the open night are read from ``truth`` and ``predicted`` (``int8 [n_epochs]``), which edits have changed
    since the look-alikes were found.
    """
    now = [
        one
        if one.night
        else LookAlike(one.night, one.epoch, one.distance, *(Stage(int(s[one.epoch])) for s in (truth, predicted)))
        for one in alike
    ]
    label, model = Stage(int(truth[epoch])), Stage(int(predicted[epoch]))
    found = kinship(now, label, model)
    name, all_of = f"Epoch {epoch + 1}", f"its {len(now)} look-alikes"
    labels = _counted([one.truth for one in now])
    known = labels and f" They are labelled {labels}."
    if found.verdict is Verdict.NOTHING:
        return f"{name}: none of {all_of} has both a label and a model's stage, so nothing is known of errors.{known}"
    whole = f"{100 * night.wrong.sum() / max(_judged(night), 1):.0f}\u00a0% of this night are wrong"
    wrong = f"{found.wrong} of {found.judged} look-alikes"
    if Stage.UNKNOWN in (label, model):
        return f"{name} has no label or no model's stage: {wrong} are wrong ({whole}).{known}"
    if label == model:
        return f"{name} is right ({label.label}): {wrong} are wrong ({whole}).{known}"
    return (
        f"{name}, {label.label} taken for {model.label}: {wrong} are wrong as well, {found.same} in the same way: "
        f"{found.verdict} ({whole}).{known}"
    )


def _own_row(recording: Recording, epoch: int, truth: StageArray, predicted: StageArray, distance: str) -> EpochRow:
    stages = (Stage(int(stages[epoch])) for stages in (truth, predicted))
    return EpochRow(epoch, (str(epoch + 1), clock_text(recording, epoch * EPOCH_S), *stages, distance, "this night"))


def _judged(night: Embedding) -> int:
    return int(((night.truth >= 0) & (night.predicted >= 0)).sum())


def _counted(stages: Iterable[Stage]) -> str:
    counts = Counter(stage for stage in stages if stage is not Stage.UNKNOWN)
    return ", ".join(f"{stage.label} ({count})" for stage, count in counts.most_common())
