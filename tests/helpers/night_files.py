"""Writes small nights, hypnograms and saved reviews for the tests of what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from helpers.edf_files import Signal, write_edf
from helpers.review_values import prediction_of
from sleepviewer.hypnogram import Hypnogram, write_hypnogram
from sleepviewer.review.document import Base
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_review
from sleepviewer.stages import Stage

N, RATE = 20, 100
START = datetime(2021, 3, 4, 22, 30)
TRUTH = [0] * 5 + [1, 2, 2, 3, 3, 4, 2, 2, 1, 0, 0, 0, 0, 0, -1]
MODEL = [0] * 6 + [2, 2, 2, 3, 3, 4, 2, 1, 1, 0, 0, 0, 0, 0]


def write_night(path: Path, n: int = N, label: str = "EEG C4", *, seed: int | None = None) -> Path:
    """A night of noise in an EEG, and a flat EOG."""
    rng = np.random.default_rng(n if seed is None else seed)
    signals = [
        Signal(label, RATE, "uV", np.round(rng.standard_normal(n * 30 * RATE) * 30, 1)),
        Signal("EOG left", RATE, "uV", np.zeros(n * 30 * RATE)),
    ]
    return write_edf(path, signals, start=START, record_s=30)


def write_stages(path: Path, stages: Sequence[int], start: datetime | None = START) -> Path:
    """A hypnogram in the format of the file's name."""
    write_hypnogram(Hypnogram(np.array(stages, dtype=np.int8), start, "expert"), path)
    return path


def write_review(
    night: Path, path: Path | None = None, *, edits: dict[int, Stage] | None = None, channel: str | None = "EEG C4"
) -> Path:
    """The saved review of a night that a model has scored, with some labels corrected; by default beside the night."""
    opened = open_night(night, look_beside=False)
    try:
        opened.document.scorer = "Ada"
        opened.document.set_prediction(prediction_of(MODEL))
        opened.document.set_base(Base.MODEL)
        for epoch, stage in (edits or {}).items():
            opened.document.set_stage([epoch], stage)
        opened.channel = channel
        path = path or night.with_suffix(".npz")
        save_review(opened, path, replace=True)
    finally:
        opened.recording.close()
    return path


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder and the folders in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
