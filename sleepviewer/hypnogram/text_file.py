"""Plain text: one stage a line, 30 seconds each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sleepviewer.errors import HypnogramError
from sleepviewer.files import atomic_writer
from sleepviewer.hypnogram.base import Hypnogram, StageTrack
from sleepviewer.hypnogram.bouts import bouts_of
from sleepviewer.hypnogram.words import Word, one_line, read_lines, remarks_of, stages_of
from sleepviewer.stages import stage_labels


def read_text(path: Path) -> StageTrack:
    """Read a text file with one stage a line: letters, words or numbers.

    Lines that begin with ``#`` are comments; ``# start: 2002-01-01T23:00:00`` gives the clock time of the first
    stage and ``# scorer: name`` the scorer. Empty lines at either end are passed over; one in between is an epoch
    without a stage, since anything else would move all that follow.

    Raises HypnogramError where the file can't be read, is empty, or holds a word that is no stage.
    """
    lines = read_lines(path)
    comments = [line for line in lines if line.startswith("#")]
    words = [Word(number, line.strip()) for number, line in enumerate(lines, 1) if not line.startswith("#")]
    while words and not words[0].text:
        words.pop(0)
    while words and not words[-1].text:
        words.pop()
    if not words:
        raise HypnogramError(f"{path.name} holds no sleep stage; it should have one stage on every line.")
    stages, notes = stages_of(words, path.name)
    remarks = remarks_of(comments, path.name)
    bouts = bouts_of(np.array(stages, dtype=np.int8))
    notes = (*notes, *remarks.notes)
    return StageTrack(bouts, remarks.start, path.name, remarks.scorer, notes, start_time=remarks.start_time)


def write_text(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write one stage a line (W, N1, N2, N3, REM, ?) under comments with start, scorer and, if so, SIMULATED.

    Raises OutputError where the file can't be written.
    """
    lines = ["# sleep stages, one line for every 30 seconds"]
    if simulated:
        lines.append("# SIMULATED: this is no real night")
    if hypnogram.start is not None:
        lines.append(f"# start: {hypnogram.start.isoformat()}")
    if scorer := one_line(hypnogram.scorer):
        lines.append(f"# scorer: {scorer}")
    lines += stage_labels(hypnogram.stages)
    with atomic_writer(path) as file:
        file.write(("\n".join(lines) + "\n").encode())
