"""Files that are no recording, each in its own way; every function makes one in a folder and returns its path."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers.edf_files import truncate, write_edf


def missing(folder: Path) -> Path:
    return folder / "absent.edf"


def directory(folder: Path) -> Path:
    (folder / "folder.edf").mkdir()
    return folder / "folder.edf"


def empty(folder: Path) -> Path:
    (folder / "empty.edf").touch()
    return folder / "empty.edf"


def text(folder: Path) -> Path:
    (folder / "text.edf").write_text("This is no recording, it is a letter.\n" * 40)
    return folder / "text.edf"


def cut_in_header(folder: Path) -> Path:
    night = write_edf(folder / "cut.edf", [(label, 100, "uV", np.zeros(6000)) for label in ("EEG C4", "EOG left")])
    return truncate(night, 300)


def without_an_epoch(folder: Path) -> Path:
    return write_edf(folder / "short.edf", [("EEG C4", 100, "uV", np.zeros(500))])


NO_RECORDING = (missing, directory, empty, text, cut_in_header)
