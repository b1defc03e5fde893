"""One scorer's stages per 30-s epoch; readers and writers, one file per format.

:func:`read_track` reads any of them, :func:`align` lays the result on a recording's epochs, :func:`write_hypnogram`
writes one.
"""

from __future__ import annotations

from sleepviewer.hypnogram.alignment import align, to_hypnogram
from sleepviewer.hypnogram.base import Bout, Hypnogram, StageTrack
from sleepviewer.hypnogram.bouts import bouts_of
from sleepviewer.hypnogram.csv_file import read_csv, write_csv
from sleepviewer.hypnogram.edf_annotations import read_edf, write_edf
from sleepviewer.hypnogram.formats import format_ids, read_track, write_hypnogram
from sleepviewer.hypnogram.profusion import read_profusion
from sleepviewer.hypnogram.readings import Reading, meaning_of, readings_of
from sleepviewer.hypnogram.text_file import read_text, write_text

__all__ = [
    "Bout",
    "Hypnogram",
    "Reading",
    "StageTrack",
    "align",
    "bouts_of",
    "format_ids",
    "meaning_of",
    "read_csv",
    "read_edf",
    "read_profusion",
    "read_text",
    "read_track",
    "readings_of",
    "to_hypnogram",
    "write_csv",
    "write_edf",
    "write_hypnogram",
    "write_text",
]
