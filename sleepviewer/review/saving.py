"""Save the review of a night, take a saved one up again, export labels; and keep any of these from being lost."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive, write_archive
from sleepviewer.archive.build import build_archive, make_meta
from sleepviewer.datasets.sleep_edf import find_truth
from sleepviewer.errors import ArchiveError, ChannelError, OutputError, RecordingError, ReviewInTheWayError
from sleepviewer.hypnogram import Hypnogram, write_hypnogram
from sleepviewer.recording import Recording
from sleepviewer.recording.base import FileStamp
from sleepviewer.recording.units_told import told_from_json, told_to_json
from sleepviewer.review.document import Base
from sleepviewer.review.event_files import events_of, write_events
from sleepviewer.review.events import Event
from sleepviewer.review.history import read_history
from sleepviewer.review.lights import Lights
from sleepviewer.review.night import Night, tell_units
from sleepviewer.review.undo import Undoable
from sleepviewer.scoring.base import Prediction

# -- places


def save_path_of(night: Night) -> Path:
    """Return where the review is to be saved: where it was before, else beside the recording.

    Where that folder is read-only, it is the user's data folder.
    """
    path = night.saved_path or night.recording.path.with_suffix(".npz")
    return path if os.access(path.parent, os.W_OK) else _path_in_user_folder(night.recording)


def review_places(recording: Recording) -> list[Path]:
    """Return the files in which a review of the recording may have been saved, the newest first.

    These are ``NAME.npz`` and, from saving under another name, ``NAME-2.npz`` … beside the recording, and the file in
    the user's data folder.
    """
    stem = recording.path.stem
    numbered = re.compile(rf"{re.escape(stem)}(-\d+)?")
    try:
        beside = [path for path in recording.path.parent.glob("*.npz") if numbered.fullmatch(path.stem)]
    except OSError:
        beside = []
    stamps = {path: stamp_of(path) for path in (*beside, _path_in_user_folder(recording))}
    there = {path: stamp.mtime_ns for path, stamp in stamps.items() if stamp is not None}
    return sorted(there, key=lambda path: there[path], reverse=True)


def _path_in_user_folder(recording: Recording) -> Path:
    """A name that tells two recordings of the same name apart by where they lie."""
    place = hashlib.sha256(str(recording.path.resolve()).encode()).hexdigest()[:8]
    folder = platformdirs.user_data_path("SleepViewer", appauthor=False) / "reviews"
    return folder / f"{recording.path.stem}-{place}.npz"


# -- writing


def make_archive(night: Night, *, trim_wake_min: float | None = None) -> ScoringArchive:
    """Return the night's archive: signal and labels for training, and all layers of the review.

    Raises ChannelError where no channel is chosen, or the chosen one's signal can't be had as epochs in µV.
    """
    if night.channel is None:
        raise ChannelError(f"No EEG channel of {night.recording.name} was recognised; choose the channel to export.")
    return _archive_with(night, night.channel, trim_wake_min)


def save_review(night: Night, path: Path, *, replace: bool = False) -> None:
    """Write the review, and remember it as saved.

    Where the signal can't be had (the channel does not suit, the recording is gone or changed), the review is saved
    without it, and a note says why. Raises ReviewInTheWayError, unless the user was asked (``replace``), where the file
    was there before and is not the one that this night's review was read from or last written to, is of a recording
    with other content, or holds a signal that can't be had any more; OutputError where it can't be written or is one of
    the night's own files.
    """
    _check_not_source(night, path)
    if not replace:
        _check_ours(night, path)
    try:
        archive = make_archive(night)
        night.recording.check_unchanged()
    except (ChannelError, RecordingError) as error:
        archive = _archive_with(night, None)
        if not replace and _signal_in(path):
            raise ReviewInTheWayError(
                f"{path} was not written over: it holds the signal, which can't be had any more ({error}) Save under "
                "another name."
            ) from error
        night.notes += (f"The review was saved without the signal, which training needs: {error}",)
    _make_folder(path.parent)
    write_archive(path, archive)
    night.saved_path, night.saved_stamp, night.reviewed_sha256 = path, stamp_of(path), None
    night.document.mark_saved()


def _check_ours(night: Night, path: Path) -> None:
    """Raise ReviewInTheWayError where saving would write over what this night's review was not read from."""
    if not path.exists():
        return
    if path != night.saved_path or stamp_of(path) != night.saved_stamp:
        raise ReviewInTheWayError(
            f"{path} was not written over: it has been changed, or made by another, since this night was opened. Save "
            "under another name, or open the night again to see what it holds."
        )
    with suppress(RecordingError):  # then nothing can be compared, and the signal's own trouble is told
        if night.foreign_review:
            raise ReviewInTheWayError(night.foreign_review)


def _signal_in(path: Path) -> bool:
    try:
        return path.is_file() and len(read_archive(path)) > 0
    except ArchiveError:
        return False


def export_labels(night: Night, path: Path, *, trim_wake_min: float | None = None, replace: bool = False) -> None:
    """Write the labels that count in the format of the file's name: ``.npz`` for training, else a hypnogram.

    Raises what :func:`check_export_path` does, and OutputError where the file can't be written or its name ends in no
    format's ending.
    """
    check_export_path(night, path, replace=replace)
    if path.suffix.lower() == ".npz":
        write_archive(path, make_archive(night, trim_wake_min=trim_wake_min))
        if path == night.saved_path:
            night.saved_stamp = stamp_of(path)
        return
    recording, document = night.recording, night.document
    labels = Hypnogram(document.labels, recording.start, source=recording.name, scorer=document.scorer)
    write_hypnogram(labels, path, simulated=recording.simulated)


def export_events(night: Night, path: Path, *, replace: bool = False) -> None:
    """Write the night's events, the suggested ones as such: ``.edf`` as EDF+ annotations, ``.csv`` as a table.

    Raises what :func:`check_export_path` does, and OutputError where the file can't be written.
    """
    check_export_path(night, path, replace=replace)
    document, recording = night.document, night.recording
    write_events(document.events, path, start=recording.start, scorer=document.scorer, simulated=recording.simulated)


def check_export_path(night: Night, path: Path, *, replace: bool = False) -> None:
    """Raise OutputError where an export would destroy something.

    That is always the recording, the expert's hypnogram, and an archive (ReviewInTheWayError) with corrections, flags,
    events or lights that this night does not have; and, unless the user was asked (``replace``), whatever else is
    there, but for an archive that loses nothing.
    """
    _check_not_source(night, path)
    if not path.exists():
        return
    lost = _said_elsewhere(night, path)
    if lost:
        raise ReviewInTheWayError(
            f"{path} was not written over: it holds {lost} that this night does not. Choose another name."
        )
    if lost is None and not replace:
        raise OutputError(f"{path} is there already and was not written over; choose another name.")


def _said_elsewhere(night: Night, path: Path) -> str | None:
    """Name what an archive says that the night does not (empty: nothing); None where it is no archive."""
    try:
        archive = read_archive(path) if path.suffix.lower() == ".npz" else None
    except ArchiveError:
        archive = None
    if archive is None or not archive.meta:
        return None
    theirs, ours = archive.night_corrected, night.document.corrected
    said = (theirs != NOT_CORRECTED) | archive.night_flagged
    events = {_place(event) for event in events_of(archive)[0] if not event.suggested}
    lights = _lights_of(archive, path)[0]
    if len(theirs) == len(ours) and is_review_of(night, path):
        lights = Lights() if lights == night.document.lights else lights
        said = ((theirs != NOT_CORRECTED) & (theirs != ours)) | (archive.night_flagged & ~night.document.flagged)
        events -= {_place(event) for event in night.document.events}
    epochs = int(said.sum())
    counts = ((epochs, "corrected or flagged epochs"), (len(events), "events"))
    told = [f"{count} {what}" for count, what in counts if count]
    told += ["lights off and on"] if lights != Lights() else []
    return " and ".join(told)


def _place(event: Event) -> tuple[str, float, float, str | None]:
    return event.kind, event.start_s, event.stop_s, event.channel


def _archive_with(night: Night, channel: str | None, trim_wake_min: float | None = None) -> ScoringArchive:
    document = night.document
    truth, prediction = document.truth, document.prediction
    meta = make_meta(
        night.recording,
        scorer=document.scorer,
        base=str(document.base),
        model=None if prediction is None else _model_meta(prediction),
        edits=[edit.as_dict() for edit in document.history],
        recording_sha256=_sha256_of(night, needed=channel is not None),
    )
    meta["base_is_chosen"] = document.base_is_chosen
    meta["told_units"] = told_to_json(night.recording.told_units)
    meta["lights"] = document.lights.as_dict()
    meta["events"] = [event.as_dict() for event in document.events]
    meta["truth"] = None if truth is None else {"source": truth.source, "scorer": truth.scorer}
    return build_archive(
        night.recording,
        channel,
        document.labels,
        meta=meta,
        expert=None if truth is None else truth.stages,
        proba=None if prediction is None else prediction.proba,
        corrected=document.corrected,
        flagged=document.flagged,
        trim_wake_min=trim_wake_min,
    )


def _sha256_of(night: Night, *, needed: bool) -> str:
    """Return the recording's hash; nothing where it can't be had any more and is not needed."""
    try:
        return night.sha256
    except RecordingError:
        if needed:
            raise
        return ""


def stamp_of(path: Path) -> FileStamp | None:
    """Return the stamp of a file, or None where there is none."""
    try:
        return FileStamp.of(path)
    except OSError:
        return None


def _check_not_source(night: Night, path: Path) -> None:
    """Keep the signal and the expert's hypnogram from being written over, under whatever name."""
    recording, hypnogram = night.recording.path, "the expert's hypnogram"
    sources = ((recording, "the recording itself"), (night.truth_path, hypnogram), (find_truth(recording), hypnogram))
    for source, what in sources:
        with suppress(OSError):
            if source is not None and path.samefile(source):
                raise OutputError(f"{path} is {what} and was not written over; choose another name.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} can't be made: {error.strerror or error}.") from error


# -- taking up again


def restore_review(night: Night, path: Path) -> None:
    """Take a saved review up again: its corrections and their history, its truth and its model's scoring.

    Where the history is damaged, the corrections are taken up without it and a note says so. Raises ArchiveError where
    the archive is of another night or damaged otherwise; then nothing has changed.
    """
    stamp = stamp_of(path)
    archive = read_archive(path)
    note = _check_same_night(night, archive, path)
    document = night.document
    edits, damage = _edits_of(archive, path)
    lights, dark = _lights_of(archive, path)
    events, lost = _events_of(archive, path)
    prediction = _prediction_of(archive) if np.isfinite(archive.night_proba).any() else None
    if (archive.night_expert >= 0).any():
        origin = _mapping(archive.meta, "truth")
        source, scorer = str(origin.get("source", path.name)), str(origin.get("scorer", ""))
        document.set_truth(Hypnogram(archive.night_expert, night.recording.start, source, scorer))
    if prediction is not None:
        document.set_prediction(prediction)
    base = archive.meta.get("base")
    base = Base(base) if base in tuple(Base) else None
    is_chosen = archive.meta.get("base_is_chosen") is True
    document.restore(
        archive.night_corrected,
        archive.night_flagged,
        edits,
        base,
        base_is_chosen=is_chosen,
        lights=lights,
        events=events,
    )
    _restore_units(night, archive)
    if any(channel.label == archive.ch_label for channel in night.recording.channels):
        night.channel = archive.ch_label
    sha256 = _mapping(archive.meta, "recording").get("sha256")
    night.reviewed_sha256 = sha256 if isinstance(sha256, str) and sha256 else None
    night.saved_path, night.saved_stamp = path, stamp
    night.notes += tuple(text for text in (note, damage, dark, lost) if text)


def _restore_units(night: Night, archive: ScoringArchive) -> None:
    """Take up the units that were told when the review was made; what is told by now of a channel counts more."""
    recording = night.recording
    kept = told_from_json(recording, archive.meta.get("told_units"))
    with suppress(ChannelError):  # kept of a file that had other units: then it is asked again
        tell_units(night, (*kept, *recording.told_units))


def is_review_of(night: Night, path: Path) -> bool:
    """Whether a file is a saved review of this night's recording."""
    try:
        _check_same_night(night, read_archive(path), path)
    except ArchiveError:
        return False
    return True


def _check_same_night(night: Night, archive: ScoringArchive, path: Path) -> str:
    """Return a note (or nothing) on a review of this recording; raise ArchiveError where it is of another.

    A recording that was renamed is known by its content.
    """
    recording, known = night.recording, _mapping(archive.meta, "recording")
    if not known:
        raise ArchiveError(f"{path.name} does not say which recording it is of; open it with “Open truth” instead.")
    start = None if recording.start is None else recording.start.isoformat()
    same = archive.n_epochs == recording.n_epochs and known.get("start") == start
    if same and known.get("name") == recording.name:
        return ""
    if same and known.get("sha256") == night.sha256:
        return f"{path.name} was made of this recording when it was called {known.get('name')}."
    raise ArchiveError(
        f"{path.name} is the review of {known.get('name')} ({archive.n_epochs} epochs from {known.get('start')}), "
        f"not of {recording.name} ({recording.n_epochs} epochs from {start})."
    )


def _edits_of(archive: ScoringArchive, path: Path) -> tuple[list[Undoable], str]:
    """Return the history of edits, and a note (or nothing) where it can't be read."""
    try:
        return read_history(_sequence(archive.meta, "edits"), archive.n_epochs), ""
    except ArchiveError as error:
        return [], f"The corrections in {path.name} were taken up, but can't be undone: {error}"


def _lights_of(archive: ScoringArchive, path: Path) -> tuple[Lights, str]:
    """Return lights off and on, and a note (or nothing) where they can't be read; older archives have none."""
    try:
        return Lights.from_dict(archive.meta.get("lights", {}), archive.n_epochs), ""
    except ArchiveError as error:
        return Lights(), f"Lights off and on were not taken up from {path.name}: {error}"


def _events_of(archive: ScoringArchive, path: Path) -> tuple[tuple[Event, ...], str]:
    """Return the events, and a note (or nothing) on those that can't be read; older archives have none."""
    events, damaged = events_of(archive)
    if not damaged:
        return events, ""
    return events, f"{damaged} of the events in {path.name} are damaged and were left out; saving drops them for good."


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
