"""Scorings of a night that are laid beside its own: a prediction that is kept, or one read from a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from sleepviewer.analysis.rivals import Contender
from sleepviewer.archive.archive import ScoringArchive, read_archive
from sleepviewer.archive.tracks import is_archive
from sleepviewer.errors import CheckpointError
from sleepviewer.files import sha256_of
from sleepviewer.hypnogram import Hypnogram, StageTrack, align, bouts_of
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.models.versions import MARK, SHIPPED, version_title
from sleepviewer.recording import Recording
from sleepviewer.review.night import load_truth
from sleepviewer.review.saving import scoring_of
from sleepviewer.scoring.base import Prediction
from sleepviewer.scoring.registry import plain_title
from sleepviewer.stages import EPOCH_S, Proba, most_likely


def contender_of(scoring: Prediction | Hypnogram, name: str = "") -> Contender:
    """Return a prediction or a hypnogram of a night as a contender, under its engine's or its scorer's name."""
    if isinstance(scoring, Prediction):
        return Contender(
            name or engine_title(scoring.engine), scoring.stages, scoring.proba, _origin(scoring), scoring.notes
        )
    return Contender(name or scoring.scorer or scoring.source, scoring.stages, None, scoring.source, scoring.notes)


def hypnogram_of(contender: Contender, recording: Recording) -> Hypnogram:
    """Return a contender's stages as a scorer's hypnogram, for a row of its own."""
    return Hypnogram(contender.stages, recording.start, contender.origin, contender.name, contender.notes)


def load_contender(recording: Recording, path: Path) -> Contender:
    """Read a second model's scoring from a file and lay it on the recording's epochs by clock time.

    Of a scoring archive (npz) it is what the model said, with its probabilities, not what an expert made of it; where
    no model has scored the archive, and of any hypnogram file, it is the labels.

    Raises ArchiveError, HypnogramError or AlignmentError, naming the file.
    """
    archive = read_archive(path) if is_archive(path) else None
    prediction = None if archive is None else scoring_of(archive)
    if archive is None or prediction is None:
        labels = contender_of(load_truth(recording, path), path.stem)
        if archive is None:
            return labels
        note = f"No model has scored {path.name}; its labels are shown."
        return Contender(labels.name, labels.stages, None, path.name, (note, *labels.notes))
    track = StageTrack(bouts_of(prediction.stages), archive.start, path.name, notes=archive.notes)
    laid = align(track, start=recording.start, n_epochs=recording.n_epochs, name=recording.name)
    proba = _laid(archive, recording)
    notes = laid.notes
    if not np.array_equal(most_likely(proba), laid.stages):
        notes = (*notes, f"The probabilities of {path.name} do not lie on the epochs of {recording.name}: not shown.")
        return Contender(path.stem, laid.stages, None, f"{path.name}, {_origin(prediction)}", notes)
    return Contender(path.stem, laid.stages, proba, f"{path.name}, {_origin(prediction)}", notes)


def engine_title(engine: str) -> str:
    """Return an engine's name as it is shown; one that is not known keeps its own."""
    if (title := plain_title(engine)) is not None:
        return title
    try:
        return version_title(engine)
    except CheckpointError:
        return engine


def is_other_version(before: Prediction, now: Prediction) -> bool:
    """Whether two scorings are of one model with different weights: before and after it was tuned."""
    same_member = before.engine.partition(MARK)[0] == now.engine.partition(MARK)[0]
    return same_member and before.weights_sha256 != now.weights_sha256


def version_name(prediction: Prediction) -> str:
    """Return which version of its model scored, as it is shown; its plain name where that can't be told."""
    if MARK not in prediction.engine and prediction.weights_sha256 == _shipped_sha256(prediction.engine):
        return version_title(f"{prediction.engine}{MARK}{SHIPPED}")
    return engine_title(prediction.engine)


@cache
def _shipped_sha256(member: str) -> str:
    """Return the SHA-256 of the weights of a member that come with the program, hashed once; nothing without any."""
    try:
        path = shipped_weights(member)
        return "" if path is None else sha256_of(path)
    except (OSError, CheckpointError):
        return ""


def _origin(prediction: Prediction) -> str:
    channels = ", ".join(prediction.channels)
    return f"{prediction.identity} on {channels}" if channels else prediction.identity


def _laid(archive: ScoringArchive, recording: Recording) -> Proba:
    """Return the archive's probabilities on the recording's epochs, ``float32 [n_epochs, 5]``, to whole epochs."""
    shift = 0
    if archive.start is not None and recording.start is not None:
        shift = round((archive.start - recording.start).total_seconds() / EPOCH_S)
    proba = np.full((recording.n_epochs, archive.night_proba.shape[1]), np.nan, dtype=np.float32)
    first, stop = max(shift, 0), min(shift + archive.n_epochs, recording.n_epochs)
    if first < stop:
        proba[first:stop] = archive.night_proba[first - shift : stop - shift]
    return proba
