"""Open a night with all that belongs to it, save its review, take a saved review up again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from sleepviewer.archive.archive import ScoringArchive, read_archive, write_archive
from sleepviewer.archive.build import build_archive, make_meta
from sleepviewer.archive.tracks import read_any_track
from sleepviewer.datasets.sleep_edf import find_truth
from sleepviewer.errors import ArchiveError, ChannelError, OutputError, RecordingError, SleepViewerError
from sleepviewer.files import sha256_of
from sleepviewer.hypnogram import Hypnogram, align, write_hypnogram
from sleepviewer.recording import Recording, open_recording, propose_scoring_channel
from sleepviewer.review.document import Base, Document
from sleepviewer.review.edits import Edit
from sleepviewer.scoring.base import Prediction


@dataclass(slots=True)
class Night:
    """A recording and the document about it.

    ``channel`` is the one that is scored and exported (None where no EEG was recognised and none chosen yet),
    ``saved_path`` the archive that holds the review, if any, ``notes`` what a user should know about the files.
    """

    recording: Recording
    document: Document
    channel: str | None
    saved_path: Path | None = None
    notes: tuple[str, ...] = ()
    _sha256: str | None = field(default=None, repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the recording's file; computed at the first call, which reads the file once.

        Raises RecordingError where the file can't be read any more.
        """
        if self._sha256 is None:
            try:
                self._sha256 = sha256_of(self.recording.path)
            except OSError as error:
                reason = error.strerror or error
                raise RecordingError(f"{self.recording.path} can't be read any more: {reason}.") from error
        return self._sha256


def open_night(
    path: Path, *, truth_path: Path | None = None, labels_path: Path | None = None, look_beside: bool = True
) -> Night:
    """Open a recording with its truth and, where there is one, the review that was saved of it.

    ``truth_path`` and ``labels_path`` name the expert's hypnogram and a saved review; with ``look_beside`` either is
    otherwise looked for by its name. Trouble with a file that was only found is a note, with one that was named an
    error: RecordingError, HypnogramError, AlignmentError, ArchiveError.
    """
    recording = open_recording(path)
    try:
        return _furnish(recording, truth_path, labels_path, look_beside=look_beside)
    except BaseException:
        recording.close()
        raise


def _furnish(recording: Recording, truth_path: Path | None, labels_path: Path | None, *, look_beside: bool) -> Night:
    if recording.n_epochs == 0:
        raise RecordingError(
            f"{recording.name} lasts {recording.duration_s:.3g} s, less than one 30-second epoch: there is nothing to "
            "score."
        )
    document = Document(recording.n_epochs, scorer=_user_name())
    night = Night(recording, document, propose_scoring_channel(recording), notes=recording.notes)
    if truth_path is not None:
        set_truth_from(night, truth_path)
    if labels_path is not None:
        restore_review(night, labels_path)
    if not look_beside:
        return night
    if truth_path is None and document.truth is None and (found := find_truth(recording.path)) is not None:
        _try_found(night, found, set_truth_from)
    if labels_path is None:
        there = [place for place in _review_places(recording) if place.is_file()]
        for place in sorted(there, key=lambda place: place.stat().st_mtime, reverse=True):
            if _try_found(night, place, restore_review):
                break
    return night


def _try_found(night: Night, path: Path, use: Callable[[Night, Path], None]) -> bool:
    """Use a file that was found by its name; where that fails, say so and go on without it."""
    try:
        use(night, path)
    except SleepViewerError as error:
        night.notes += (f"{path.name} was found by its name but not used: {error}",)
        return False
    return True


def load_truth(recording: Recording, path: Path) -> Hypnogram:
    """Read a hypnogram of any format and lay it on the recording's epochs by clock time."""
    return align(read_any_track(path), start=recording.start, n_epochs=recording.n_epochs, name=recording.name)


def set_truth_from(night: Night, path: Path) -> None:
    """Make a file the night's truth; what had to be shifted or left out is added to the notes."""
    truth = load_truth(night.recording, path)
    night.document.set_truth(truth)
    night.notes += truth.notes


# -- saving and taking up again


def default_save_path(recording: Recording) -> Path:
    """Return where a review is saved: beside the recording, or in the user's data folder where that is read-only."""
    beside = recording.path.with_suffix(".npz")
    return beside if os.access(recording.path.parent, os.W_OK) else _path_in_user_folder(recording)


def _review_places(recording: Recording) -> tuple[Path, Path]:
    """Where a review of the recording may have been saved, the likelier place first."""
    return recording.path.with_suffix(".npz"), _path_in_user_folder(recording)


def is_review_of(recording: Recording, path: Path) -> bool:
    """Whether a file is a saved review of a recording of this name, start and length."""
    try:
        _check_same_night(recording, read_archive(path), path)
    except ArchiveError:
        return False
    return True


def _path_in_user_folder(recording: Recording) -> Path:
    """A name that tells two recordings of the same name apart by where they lie."""
    place = hashlib.sha256(str(recording.path.resolve()).encode()).hexdigest()[:8]
    folder = platformdirs.user_data_path("SleepViewer", appauthor=False) / "reviews"
    return folder / f"{recording.path.stem}-{place}.npz"


def make_archive(night: Night, *, trim_wake_min: float | None = None) -> ScoringArchive:
    """Return the night's archive: signal and labels for training, and all layers of the review.

    Raises ChannelError where no channel is chosen.
    """
    document = night.document
    if night.channel is None:
        raise ChannelError(f"No EEG channel of {night.recording.name} was recognised; choose the channel to export.")
    meta = make_meta(
        night.recording,
        scorer=document.scorer,
        base=str(document.base),
        model=None if document.prediction is None else _model_meta(document.prediction),
        edits=[edit.as_dict() for edit in document.edits],
        recording_sha256=night.sha256,
    )
    meta["truth"] = (
        None if document.truth is None else {"source": document.truth.source, "scorer": document.truth.scorer}
    )
    return build_archive(
        night.recording,
        night.channel,
        document.labels,
        meta=meta,
        expert=None if document.truth is None else document.truth.stages,
        proba=None if document.prediction is None else document.prediction.proba,
        corrected=document.corrected,
        flagged=document.flagged,
        trim_wake_min=trim_wake_min,
    )


def save_review(night: Night, path: Path) -> None:
    """Write the review, and remember its edits as saved.

    Raises OutputError where it can't be written or is the recording itself, ChannelError where no channel is chosen.
    """
    _check_not_recording(night.recording, path)
    archive = make_archive(night)
    _make_folder(path.parent)
    write_archive(path, archive)
    night.saved_path = path
    night.document.mark_saved()


def export_labels(night: Night, path: Path, *, trim_wake_min: float | None = None) -> None:
    """Write the labels that count in the format of the file's name: ``.npz`` for training, else a hypnogram.

    Raises OutputError where the file can't be written, is the recording itself, or its name ends in no format's ending.
    """
    _check_not_recording(night.recording, path)
    if path.suffix.lower() == ".npz":
        write_archive(path, make_archive(night, trim_wake_min=trim_wake_min))
        return
    recording, document = night.recording, night.document
    labels = Hypnogram(document.labels, recording.start, source=recording.name, scorer=document.scorer)
    write_hypnogram(labels, path, simulated=recording.simulated)


def restore_review(night: Night, path: Path) -> None:
    """Take a saved review up again: its corrections and their history, its truth and its model's scoring.

    A truth that the night already has stays. Raises ArchiveError where the archive is of another night or damaged;
    then nothing has changed.
    """
    archive = read_archive(path)
    _check_same_night(night.recording, archive, path)
    document = night.document
    edits = [Edit.from_dict(values, archive.n_epochs) for values in _sequence(archive.meta, "edits")]
    prediction = _prediction_of(archive) if np.isfinite(archive.night_proba).any() else None
    if document.truth is None and (archive.night_expert >= 0).any():
        origin = _mapping(archive.meta, "truth")
        document.set_truth(
            Hypnogram(
                archive.night_expert,
                night.recording.start,
                str(origin.get("source", path.name)),
                str(origin.get("scorer", "")),
            )
        )
    if prediction is not None:
        document.set_prediction(prediction)
    base = archive.meta.get("base")
    base = Base(base) if base in tuple(Base) else None
    document.restore(archive.night_corrected, archive.night_flagged, edits, base)
    if any(channel.label == archive.ch_label for channel in night.recording.channels):
        night.channel = archive.ch_label
    night.saved_path = path


def _check_same_night(recording: Recording, archive: ScoringArchive, path: Path) -> None:
    known = _mapping(archive.meta, "recording")
    if not known:
        raise ArchiveError(f"{path.name} does not say which recording it is of; open it with “Open truth” instead.")
    start = None if recording.start is None else recording.start.isoformat()
    same = archive.n_epochs == recording.n_epochs and known.get("start") == start
    if not same or known.get("name") != recording.name:
        raise ArchiveError(
            f"{path.name} is the review of {known.get('name')} ({archive.n_epochs} epochs from {known.get('start')}), "
            f"not of {recording.name} ({recording.n_epochs} epochs from {start})."
        )


def _model_meta(prediction: Prediction) -> dict[str, Any]:
    return {
        "engine": prediction.engine,
        "version": prediction.engine_version,
        "weights_sha256": prediction.weights_sha256,
        "channels": list(prediction.channels),
        "device": prediction.device,
        "seconds": prediction.seconds,
        "notes": list(prediction.notes),
    }


def _prediction_of(archive: ScoringArchive) -> Prediction:
    model = _mapping(archive.meta, "model")
    return Prediction(
        proba=archive.night_proba,
        engine=str(model.get("engine", "unknown")),
        engine_version=str(model.get("version", "")),
        weights_sha256=str(model.get("weights_sha256", "")),
        channels=tuple(str(c) for c in _sequence(model, "channels")),
        seconds=float(seconds) if isinstance(seconds := model.get("seconds"), (int, float)) else 0.0,
        device=str(model.get("device", "")),
        notes=tuple(str(n) for n in _sequence(model, "notes")),
    )


def _mapping(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = meta.get(key)
    return value if isinstance(value, Mapping) else {}


def _sequence(meta: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = meta.get(key)
    return value if isinstance(value, list) else ()


def _check_not_recording(recording: Recording, path: Path) -> None:
    """Keep the signal itself from being written over, under whatever name."""
    with suppress(OSError):
        if path.samefile(recording.path):
            raise OutputError(f"{path} is the recording itself and was not written over; choose another name.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} can't be made: {error.strerror or error}.") from error


def _user_name() -> str:
    return os.environ.get("USER") or os.environ.get("USERNAME") or ""
