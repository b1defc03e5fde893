"""Plain text: one stage a line, 30 seconds each."""

from __future__ import annotations

from pathlib import Path

from sleepviewer.errors import HypnogramError
from sleepviewer.files import atomic_writer
from sleepviewer.hypnogram.base import Bout, Hypnogram, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.words import Numbers, Word, one_line, read_lines, remarks_of, stages_of
from sleepviewer.stages import EPOCH_S, Stage, stage_labels


def read_text(path: Path, numbers: Numbers | None = None) -> StageTrack:
    """Read a text file with one stage a line: letters, words or numbers.

    Lines that begin with ``#`` are comments; ``# start: 2002-01-01T23:00:00`` gives the clock time of the first
    stage, ``# scorer: name`` the scorer and ``# epoch: 20 s`` how long each lasts (30 s without it). Empty lines at
    either end are passed over; one in between is an epoch without a stage, since anything else would move all that
    follow.

    Raises HypnogramError where the file can't be read, is empty, or holds a word that is no stage;
    AmbiguousHypnogramError where its numbers can be read in two ways and ``numbers`` does not say in which.
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
    remarks = remarks_of(comments, path.name)
    epoch_s = remarks.epoch_s or EPOCH_S
    stages, notes = stages_of(words, path.name, [epoch_s] * len(words), numbers=numbers)
    bouts, _ = in_order((Bout(i * epoch_s, epoch_s, stage) for i, stage in enumerate(stages)), path.name)
    notes = (*notes, *remarks.notes)
    if epoch_s != EPOCH_S:
        notes = (*notes, f"{path.name} was scored in epochs of {epoch_s:g} s.")
    return StageTrack(
        bouts,
        remarks.start,
        path.name,
        remarks.scorer,
        notes,
        start_time=remarks.start_time,
        lengths_unsaid=0 if remarks.epoch_s else len(stages),
    )


def write_text(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write one stage a line (W, N1, N2, N3, REM, ?) under comments with start, scorer and, if so, SIMULATED.

    Raises OutputError where the file can't be written.
    """
    _write(hypnogram, stage_labels(hypnogram.stages), path, simulated=simulated)


def write_yasa(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write YASA's numbers (0 W, 1 N1, 2 N2, 3 N3, 4 REM, -2 unscored), one a line, under the same comments.

    ``numpy.loadtxt`` reads it. Raises OutputError where the file can't be written.
    """
    numbers = [str(-2 if stage == Stage.UNKNOWN else int(stage)) for stage in hypnogram.stages]
    _write(hypnogram, numbers, path, simulated=simulated)


def _write(hypnogram: Hypnogram, words: list[str], path: Path, *, simulated: bool) -> None:
    lines = ["# sleep stages, one line for every 30 seconds"]
    if simulated:
        lines.append("# SIMULATED: this is no real night")
    if hypnogram.start is not None:
        lines.append(f"# start: {hypnogram.start.isoformat()}")
    if scorer := one_line(hypnogram.scorer):
        lines.append(f"# scorer: {scorer}")
    with atomic_writer(path) as file:
        file.write(("\n".join([*lines, *words]) + "\n").encode())
