"""Automatic copies of the review as archives, in the user's state folder: never over a file that the user saved."""

from __future__ import annotations

from pathlib import Path

from sleepviewer.archive.archive import ScoringArchive, write_archive
from sleepviewer.errors import OutputError
from sleepviewer.review.night import Night
from sleepviewer.review.saving import archive_without_signal
from sleepviewer.review.scorer import name_in_files
from sleepviewer.review.state_folder import RecordingFacts, StateFolders, make_private


def autosave_path(night: Night, folders: StateFolders) -> Path:
    """Return where the automatic copy of a night's review lies; the one before it is beside it as ``NAME.npz~``."""
    facts = RecordingFacts.of(night.recording)  # without the hash, so that the name stays when that becomes known
    return folders.autosaves / f"{Path(facts.name).stem[:60]}-{facts.key}-{name_in_files(night.document.scorer)}.npz"


def autosave_archive(night: Night) -> ScoringArchive:
    """Return the review as it is now, without the signal: quick, and the recording is not read for it."""
    return archive_without_signal(night, night.known_sha256)


def write_autosave(archive: ScoringArchive, path: Path) -> None:
    """Write an automatic copy, keeping the one before it. Raises OutputError where it can't be written."""
    try:
        make_private(path.parent)
    except OSError as error:
        raise OutputError(f"The folder {path.parent} can't be made: {error.strerror or error}.") from error
    write_archive(path, archive, keep_previous=True)
