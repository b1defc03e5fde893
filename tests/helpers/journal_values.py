"""Nights, folders and journals for the tests of what survives."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from helpers.edf_files import Signal, write_edf
from sleepviewer.review.journal import Journal
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.review.recovery import Recovered, recoveries
from sleepviewer.review.state_folder import StateFolders

N = 8
START = datetime(2021, 3, 4, 22, 30)


def write_night(path: Path, seed: int = 0) -> Path:
    """Write a night of ``N`` epochs."""
    samples = np.round(np.random.default_rng(seed).standard_normal(N * 30 * 100) * 30, 1)
    return write_edf(path, [Signal("EEG C4", 100, "uV", samples)], start=START, record_s=30)


def folders_in(path: Path) -> StateFolders:
    return StateFolders(path / "state", path / "fallback")


def journaled(path: Path, folders: StateFolders) -> tuple[Night, Journal]:
    """Open a night as the window does: its steps are kept from now on."""
    night = open_night(path)
    journal = Journal(night, folders)
    night.document.set_recorder(journal)
    return night, journal


def after_crash(path: Path, folders: StateFolders) -> tuple[Night, list[Recovered]]:
    """Open a night again and look for what was not saved."""
    night = open_night(path)
    return night, recoveries(night, folders)
