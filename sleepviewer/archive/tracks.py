"""Stages from whatever file holds some: the table of hypnogram formats, and scoring archives besides."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sleepviewer.archive.archive import read_archive
from sleepviewer.hypnogram import bouts_of, formats, read_track
from sleepviewer.hypnogram.base import StageTrack
from sleepviewer.hypnogram.formats import Export, HypnogramFormat, head_of

_ZIP_MAGIC: Final = b"PK"


def _read_archive(path: Path) -> StageTrack:
    archive = read_archive(path)
    return StageTrack(
        bouts=bouts_of(archive.night_labels),
        start=archive.start,
        source=path.name,
        scorer=str(archive.meta.get("scorer") or ""),
        notes=archive.notes,
        whole_only=not archive.meta,  # SleepViewer's archives always have some, AttnSleep's none
    )


ARCHIVE: Final = HypnogramFormat(
    "archive",
    "Scoring archive, AttnSleep's archive",
    (".npz",),
    lambda head: head.raw.startswith(_ZIP_MAGIC) or head.ends_in(".npz"),
    _read_archive,
    (
        Export("archive", "Scoring archive", (".npz",), "Signal, labels, all layers, and who changed what when."),
        Export("attnsleep", "AttnSleep epochs", (".npz",), "Signal, labels and their places, for training; no names."),
    ),
    companion_words=(),  # saved reviews are found by their own rules
    known_by="zip",
    epochs="30 s",
    clock="date and time",
    tests=("archive/test_reading.py", "archive/test_build.py", "review/test_exporting.py"),
)
"""The row of npz files, whose reader the package of hypnograms can't import."""


def all_formats() -> tuple[HypnogramFormat, ...]:
    """Return the rows of all formats that hold stages: scoring archives, then the table of hypnogram formats."""
    return (ARCHIVE, *formats.FORMATS)


def read_any_track(path: Path, reading: str | None = None) -> StageTrack:
    """Read a hypnogram file of any format, or the labels of a scoring archive (npz).

    ``reading`` says how to read a hypnogram file, where a person has said it (:func:`hypnogram.format_ids`).

    AttnSleep's own archives do not tell their epochs' places, so their track fits only a recording of as many epochs.

    Raises HypnogramError (AmbiguousHypnogramError where a person has to say how it is read) or ArchiveError, naming the
    file.
    """
    return _read_archive(path) if is_archive(path) else read_track(path, reading)


def is_archive(path: Path) -> bool:
    """Whether a file is a scoring archive, by its first bytes or its name. Raises HypnogramError: it can't be read."""
    return ARCHIVE.recognizes(head_of(path))
