"""One scorer's stages per 30-s epoch; readers and writers, one file per format.

:func:`read_track` reads any of them, :func:`align` lays the result on a recording's epochs, :func:`write_hypnogram`
writes one.
"""

from __future__ import annotations

from pathlib import Path

from sleepviewer.errors import HypnogramError, OutputError
from sleepviewer.hypnogram.alignment import align, to_hypnogram
from sleepviewer.hypnogram.base import Bout, Hypnogram, StageTrack
from sleepviewer.hypnogram.bouts import bouts_of
from sleepviewer.hypnogram.csv_file import delimiter_of, read_csv, write_csv
from sleepviewer.hypnogram.edf_annotations import BDF_MAGIC, EDF_MAGIC, read_edf, write_edf
from sleepviewer.hypnogram.profusion import read_profusion
from sleepviewer.hypnogram.text_file import read_text, write_text

__all__ = [
    "Bout",
    "Hypnogram",
    "StageTrack",
    "align",
    "bouts_of",
    "read_csv",
    "read_edf",
    "read_profusion",
    "read_text",
    "read_track",
    "to_hypnogram",
    "write_csv",
    "write_edf",
    "write_hypnogram",
    "write_text",
]

_HEAD_BYTES = 4096


def read_track(path: Path) -> StageTrack:
    """Read a hypnogram file of any format, which its first bytes tell (EDF+, BDF+, XML), else its name and first line.

    Raises HypnogramError, with file and line where there is one.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error
    if head.startswith((EDF_MAGIC, BDF_MAGIC)):
        return read_edf(path)
    if path.suffix.lower() in (".edf", ".bdf"):
        raise HypnogramError(f"{path.name} is no EDF or BDF file, though its name says so; export it again.")
    if path.suffix.lower() == ".xml" or _looks_like_xml(head):
        return read_profusion(path)
    if path.suffix.lower() in (".csv", ".tsv") or _looks_like_table(head):
        return read_csv(path)
    return read_text(path)


def _looks_like_xml(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<?xml", b"<CMPStudyConfig", b"<!DOCTYPE"))


def _looks_like_table(head: bytes) -> bool:
    lines = head.decode("utf-8-sig", errors="replace").splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return delimiter_of(first.strip()) is not None


def write_hypnogram(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write a hypnogram in the format of the file name: ``.edf``, ``.csv``, ``.tsv`` or ``.txt``.

    Raises OutputError for another ending, and where the file can't be written.
    """
    writer = {".edf": write_edf, ".csv": write_csv, ".tsv": write_csv, ".txt": write_text}.get(path.suffix.lower())
    if writer is None:
        raise OutputError(f"{path} was not written: end the name of a hypnogram in .edf, .csv, .tsv or .txt.")
    writer(hypnogram, path, simulated=simulated)
