"""Read stages from whatever file holds some."""

from __future__ import annotations

from pathlib import Path

from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram import bouts_of, read_track
from sleepviewer.hypnogram.base import StageTrack

_ZIP_MAGIC = b"PK"


def read_any_track(path: Path, reading: str | None = None) -> StageTrack:
    """Read a hypnogram file of any format, or the labels of a scoring archive (npz).

    ``reading`` says how to read a hypnogram file, where a person has said it (:func:`hypnogram.format_ids`).

    AttnSleep's own archives do not tell their epochs' places, so their track fits only a recording of as many epochs.

    Raises HypnogramError (AmbiguousHypnogramError where a person has to say how it is read) or ArchiveError, naming the
    file.
    """
    if not is_archive(path):
        return read_track(path, reading)
    archive = read_archive(path)
    return StageTrack(
        bouts=bouts_of(archive.night_labels),
        start=archive.start,
        source=path.name,
        scorer=str(archive.meta.get("scorer") or ""),
        notes=archive.notes,
        whole_only=not archive.meta,  # SleepViewer's archives always have some, AttnSleep's none
    )


def is_archive(path: Path) -> bool:
    """Whether a file is a scoring archive, by its first bytes or its name. Raises HypnogramError: it can't be read."""
    try:
        with path.open("rb") as file:
            zipped = file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error
    return zipped or path.suffix.lower() == ".npz"
