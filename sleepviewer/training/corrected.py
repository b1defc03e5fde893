"""Corrected nights as a fine-tuning takes them: the epochs as the model sees them, and which labels count.

Only a reviewed epoch has a label that counts: one to which the expert gave a stage (a correction, or the model's stage
accepted), or one that came with an expert's own hypnogram. What a model said and nobody touched is no label, unless the
user vouches for the whole night.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.archive.archive import ScoringArchive, read_archive
from sleepviewer.errors import ArchiveError, TrainingError
from sleepviewer.files import sha256_of
from sleepviewer.stages import EPOCH_S, Stage, StageArray

if TYPE_CHECKING:
    from sleepviewer.models.card import ModelCard
    from sleepviewer.models.normalisation import Epochs

_NO_LABEL: Final = int(Stage.UNKNOWN)


@dataclass(frozen=True, slots=True, eq=False)
class TuningNight:
    """One night as a model takes it.

    Attributes
    ----------
    name: the archive's, without its ending.
    subject: whose night it is, as far as that is known; else the name.
    x: ``float32 [n, samples]``, resampled, filtered and scaled as the model's card says.
    y: ``int8 [n]``, the reviewed stage, -1 where none counts.
    place: ``int32 [n]``, place of each epoch in the recording, rising.
    archive_sha256, recording_sha256: of the files; the latter is empty where the archive does not tell it.
    """

    name: str
    subject: str
    x: Epochs
    y: StageArray
    place: NDArray[np.int32]
    archive_sha256: str = ""
    recording_sha256: str = ""

    @property
    def reviewed(self) -> NDArray[np.bool_]:
        """Which epochs have a label that counts, ``bool [n]``."""
        return np.asarray(self.y != _NO_LABEL)

    def as_dict(self) -> dict[str, Any]:
        """Return what a card says of the night."""
        return {
            "name": self.name,
            "archive_sha256": self.archive_sha256,
            "recording_sha256": self.recording_sha256,
            "reviewed_epochs": int(self.reviewed.sum()),
        }


def reviewed_labels(archive: ScoringArchive, *, vouched: bool = False) -> StageArray:
    """Return the labels that count of the archive's epochs, ``int8 [n]``, -1 where none does.

    ``vouched``: the user says that the whole night was gone through, so that what was left stands as well.
    """
    labels = archive.y.astype(np.int8)
    if vouched or archive.meta.get("base", "truth") == "truth":  # an archive without meta holds an expert's stages
        return labels
    return np.where(archive.edited, labels, np.int8(_NO_LABEL))


def read_corrected(path: Path, card: ModelCard, *, vouched: bool = False) -> TuningNight:
    """Read an archive of a review, as the model of a card takes it.

    Raises ArchiveError where it can't be read or was saved without a signal, TrainingError where no epoch of it was
    reviewed.
    """
    night = read_night(path, card, vouched=vouched)
    if not night.reviewed.any():
        raise TrainingError(
            f"No epoch of {path.name} was reviewed: correct stages or accept the model's, or say that the whole night"
            " was gone through (--whole-nights)."
        )
    return night


def read_night(path: Path, card: ModelCard, *, vouched: bool = False) -> TuningNight:
    """Read an archive as the model of a card takes it, reviewed or not. Raises ArchiveError."""
    archive = read_archive(path)
    if not len(archive) or not archive.fs:
        raise ArchiveError(f"{path.name} was saved without a signal; open its recording and save the review again.")
    if archive.x.shape[1] != round(archive.fs * EPOCH_S):
        raise ArchiveError(f"{path.name} holds epochs that are not {EPOCH_S:g} s long.")
    recording, dataset = _mapping(archive, "recording"), _mapping(archive, "dataset")
    return TuningNight(
        name=path.stem,
        subject=str(dataset.get("subject") or path.stem),
        x=epochs_for(archive.x[:, :, 0], archive.fs, card),
        y=reviewed_labels(archive, vouched=vouched),
        place=archive.epoch_index,
        archive_sha256=sha256_of(path),
        recording_sha256=str(recording.get("sha256") or ""),
    )


def epochs_for(x: NDArray[np.float32], rate_hz: float, card: ModelCard) -> Epochs:
    """Return epochs ``float32 [n, samples]`` in µV that follow each other, as the model of a card takes them."""
    from sleepviewer.scoring.family_engine import night_epochs
    from sleepviewer.scoring.signals import NightSignal

    return night_epochs(NightSignal.of_epochs("", rate_hz, x), card)


def fingerprint_of(nights: tuple[TuningNight, ...]) -> str:
    """Return a SHA-256 of what all nights hold: other data have another."""
    digest = hashlib.sha256()
    for night in nights:
        digest.update(f"{night.name}\n{night.x.shape}\n".encode())
        for array in (night.x, night.y, night.place):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _mapping(archive: ScoringArchive, key: str) -> dict[str, Any]:
    value = archive.meta.get(key)
    return value if isinstance(value, dict) else {}
