"""Save the review of a night and take a saved one up again; and keep either from being lost."""

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

from sleepviewer.archive.archive import ScoringArchive, read_archive, read_meta, write_archive
from sleepviewer.archive.build import build_archive, make_meta
from sleepviewer.errors import ArchiveError, ChannelError, OutputError, RecordingError, ReviewInTheWayError
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.recording import Recording
from sleepviewer.recording.base import FileStamp
from sleepviewer.recording.formats import base_name
from sleepviewer.recording.units_told import told_from_json, told_to_json
from sleepviewer.review.blinding import NOT_BLINDED, Blinding
from sleepviewer.review.companions import find_references
from sleepviewer.review.event_files import events_of
from sleepviewer.review.events import Event
from sleepviewer.review.history import read_history
from sleepviewer.review.lights import Lights
from sleepviewer.review.night import Night, tell_units
from sleepviewer.review.predictions import prediction_facts, prediction_of
from sleepviewer.review.scorer import name_in_files
from sleepviewer.review.state import Base
from sleepviewer.review.undo import Undoable
from sleepviewer.scoring.base import Prediction

# -- places


def save_path_of(night: Night) -> Path:
    """Return where the review is to be saved: where it was before, else beside the recording.

    Beside the recording that is ``NAME.npz``, or ``NAME.SCORER.npz`` where the first is another scorer's review. Where
    that folder is read-only, it is the user's data folder.
    """
    path = night.saved_path or _path_beside(night.recording, night.document.scorer)
    return (
        path
        if os.access(path.parent, os.W_OK)
        else _path_in_user_folder(night.recording, base_name(night.recording.path))
    )


def review_places(recording: Recording) -> list[Path]:
    """Return the files in which a review of the recording may have been saved, the newest first.

    These are ``NAME.npz``, ``NAME.SCORER.npz`` of each further scorer and, from saving under another name,
    ``NAME-2.npz`` … beside the recording, and the file in the user's data folder.
    """
    stems = (recording.path.stem, base_name(recording.path))  # the first keeps .fif of .fif.gz, as names once did
    named = re.compile(rf"(?P<stem>{'|'.join(map(re.escape, stems))})(\.(?P<scorer>[A-Za-z0-9_-]+?))?(-\d+)?")
    beside = []
    with suppress(OSError):
        for path in recording.path.parent.glob("*.npz"):
            found = named.fullmatch(path.stem)
            # Another recording may be called NAME.WORD: what is a scorer's review says so.
            if found and (
                found["scorer"] is None or _is_named_for_its_scorer(path, path.stem[len(found["stem"]) + 1 :])
            ):
                beside.append(path)
    kept = (_path_in_user_folder(recording, stem) for stem in stems)
    stamps = {path: stamp_of(path) for path in (*beside, *kept)}
    there = {path: stamp.mtime_ns for path, stamp in stamps.items() if stamp is not None}
    return sorted(there, key=lambda path: there[path], reverse=True)


def _is_named_for_its_scorer(path: Path, ending: str) -> bool:
    scorer = name_in_files(scorer_in(path))
    return ending == scorer or bool(re.fullmatch(rf"{re.escape(scorer)}-\d+", ending))


def _path_beside(recording: Recording, scorer: str) -> Path:
    usual = recording.path.with_name(f"{base_name(recording.path)}.npz")
    if scorer_in(usual) in ("", scorer):
        return usual
    return usual.with_name(f"{usual.stem}.{name_in_files(scorer)}.npz")


def _path_in_user_folder(recording: Recording, stem: str) -> Path:
    """A name that tells two recordings of the same name apart by where they lie."""
    place = hashlib.sha256(str(recording.path.resolve()).encode()).hexdigest()[:8]
    folder = platformdirs.user_data_path("SleepViewer", appauthor=False) / "reviews"
    return folder / f"{stem}-{place}.npz"


# -- writing


def make_archive(night: Night, *, signal: bool = True, hidden: bool = False) -> ScoringArchive:
    """Return the night's archive: signal and labels for training, and all layers of the review.

    Without ``signal`` it has the layers alone. What is hidden from a blinded scorer is in it only where that is to be
    (``hidden``), as in a review that is saved to be taken up again. Raises ChannelError where no channel is chosen, or
    the chosen one's signal can't be had as epochs in µV.
    """
    if not signal:
        return _archive_with(night, None, hidden=hidden)
    if night.channel is None:
        raise ChannelError(f"No EEG channel of {night.recording.name} was recognised; choose the channel to export.")
    return _archive_with(night, night.channel, hidden=hidden)


def save_review(night: Night, path: Path, *, replace: bool = False) -> None:
    """Write the review, and remember it as saved.

    Where the signal can't be had (the channel does not suit, the recording is gone or changed), the review is saved
    without it, and a note says why. Raises ReviewInTheWayError, unless the user was asked (``replace``), where the file
    was there before and is not the one that this night's review was read from or last written to, is of a recording
    with other content, or holds a signal that can't be had any more; OutputError where it can't be written or is one of
    the night's own files.
    """
    check_not_source(night, path)
    if not replace:
        _check_ours(night, path)
    try:
        archive = make_archive(night, hidden=True)
        night.recording.check_unchanged()
    except (ChannelError, RecordingError) as error:
        archive = make_archive(night, signal=False, hidden=True)
        if not replace and _signal_in(path):
            raise ReviewInTheWayError(
                f"{path} was not written over: it holds the signal, which can't be had any more ({error}) Save under "
                "another name."
            ) from error
        night.notes += (f"The review was saved without the signal, which training needs: {error}",)
    _make_folder(path.parent)
    write_archive(path, archive, keep_previous=True)
    night.saved_path, night.saved_stamp, night.reviewed_sha256 = path, stamp_of(path), None
    night.document.mark_saved(str(path))


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


def archive_without_signal(night: Night, sha256: str) -> ScoringArchive:
    """Return the night's archive without the signal; ``sha256`` is the recording's hash, empty where it is not known.

    The recording is not read for it.
    """
    return _archive_of(night, None, sha256, hidden=True)


def _archive_with(night: Night, channel: str | None, *, hidden: bool) -> ScoringArchive:
    return _archive_of(night, channel, _sha256_of(night, needed=channel is not None), hidden=hidden)


def _archive_of(night: Night, channel: str | None, sha256: str, *, hidden: bool) -> ScoringArchive:
    document = night.document
    truth, prediction, base = document.truth, document.prediction, document.base
    if hidden:
        truth, prediction, base = document.kept_truth, document.kept_prediction, document.kept_base
    meta = make_meta(
        night.recording,
        scorer=document.scorer,
        base=str(base),
        model=None if prediction is None else prediction_facts(prediction),
        edits=[edit.as_dict() for edit in document.history],
        recording_sha256=sha256,
    )
    meta["base_is_chosen"] = document.base_is_chosen
    meta["undone"] = [edit.as_dict() for edit in document.undone]
    meta["told_units"] = told_to_json(night.recording.told_units)
    meta["lights"] = document.lights.as_dict()
    meta["events"] = [event.as_dict() for event in document.events]
    meta["blinding"] = document.blinding.as_dict()
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


def check_not_source(night: Night, path: Path) -> None:
    """Keep the signal and the expert's hypnogram from being written over, under whatever name."""
    recording, hypnogram = night.recording.path, "the expert's hypnogram"
    beside = find_references(recording).paths
    sources = ((recording, "the recording itself"), *((found, hypnogram) for found in (night.truth_path, *beside)))
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
    edits, undone, damage = _edits_of(archive, path)
    lights, dark = lights_of(archive, path)
    events, lost = _events_of(archive, path)
    prediction = scoring_of(archive)
    blinding, forgotten = _blinding_of(archive, path)
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
        undone=undone,
        blinding=blinding,
    )
    _restore_units(night, archive)
    if any(channel.label == archive.ch_label for channel in night.recording.channels):
        night.channel = archive.ch_label
    sha256 = _mapping(archive.meta, "recording").get("sha256")
    night.reviewed_sha256 = sha256 if isinstance(sha256, str) and sha256 else None
    night.saved_path, night.saved_stamp = path, stamp
    night.notes += tuple(text for text in (note, damage, dark, lost, forgotten) if text)


def read_review(night: Night, path: Path) -> ScoringArchive:
    """Return a saved review of this night's recording. Raises ArchiveError where the file is none, or damaged."""
    archive = read_archive(path)
    _check_same_night(night, archive, path)
    return archive


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


def scorer_in(path: Path) -> str:
    """Return whose review a file is; empty where it does not say, or is none."""
    try:
        scorer = (read_meta(path) or {}).get("scorer")
    except ArchiveError:
        return ""
    return scorer if isinstance(scorer, str) else ""


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


def _edits_of(archive: ScoringArchive, path: Path) -> tuple[list[Undoable], list[Undoable], str]:
    """Return the history of edits, what redo holds, and a note (or nothing) where they can't be read."""
    done, undone = (_sequence(archive.meta, key) for key in ("edits", "undone"))
    try:
        return read_history(done, archive.n_epochs), read_history(undone, archive.n_epochs), ""
    except ArchiveError as error:
        return [], [], f"The corrections in {path.name} were taken up, but can't be undone: {error}"


def lights_of(archive: ScoringArchive, path: Path) -> tuple[Lights, str]:
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


def _blinding_of(archive: ScoringArchive, path: Path) -> tuple[Blinding, str]:
    """Return whether its scorer was blinded, and a note (or nothing) where that can't be read."""
    try:
        return Blinding.from_dict(archive.meta.get("blinding")), ""
    except ArchiveError:
        return NOT_BLINDED, f"Whether {path.name} was scored blind can't be read from it any more."


def scoring_of(archive: ScoringArchive) -> Prediction | None:
    """Return the model's scoring that an archive holds, of all epochs of its night; None where it holds none."""
    if not np.isfinite(archive.night_proba).any():
        return None
    return prediction_of(_mapping(archive.meta, "model"), archive.night_proba)


def _mapping(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = meta.get(key)
    return value if isinstance(value, Mapping) else {}


def _sequence(meta: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = meta.get(key)
    return value if isinstance(value, list) else ()
