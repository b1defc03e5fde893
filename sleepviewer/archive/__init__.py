"""The npz formats: AttnSleep's (x, y, fs …) and SleepViewer's superset of it."""

from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive, write_archive
from sleepviewer.archive.build import build_archive, make_meta, trim_wake
from sleepviewer.archive.tracks import read_any_track

__all__ = [
    "NOT_CORRECTED",
    "ScoringArchive",
    "build_archive",
    "make_meta",
    "read_any_track",
    "read_archive",
    "trim_wake",
    "write_archive",
]
