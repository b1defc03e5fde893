"""The open night and archives' nights as what look-alikes are sought in."""

from __future__ import annotations

from typing import Final

import numpy as np

from sleepviewer.analysis.lookalikes import EmbeddedNight
from sleepviewer.review.document import Document
from sleepviewer.scoring.features import ArchiveNight, NightFeatures
from sleepviewer.stages import Stage, StageArray

OPEN_NIGHT: Final = ""
"""The open night's name among those that are looked in; the others have their archive's path."""


def stages_of(document: Document) -> tuple[StageArray, StageArray]:
    """Return each epoch's label (what was corrected, else the expert's stage) and the model's, ``int8 [n_epochs]``."""
    unknown = np.full(document.n_epochs, int(Stage.UNKNOWN), dtype=np.int8)
    truth = unknown if document.truth is None else document.truth.stages
    labels = np.where(document.edited, document.corrected, truth).astype(np.int8)
    return labels, unknown if document.prediction is None else document.prediction.stages


def open_night(document: Document, features: NightFeatures) -> EmbeddedNight:
    """Return the open night with its stages as they are now."""
    return EmbeddedNight(OPEN_NIGHT, features.values, *stages_of(document), features.weights_sha256)


def archived_night(night: ArchiveNight) -> EmbeddedNight:
    """Return an archive's night under the archive's path."""
    features = night.features
    return EmbeddedNight(str(night.path), features.values, night.truth, night.predicted, features.weights_sha256)
