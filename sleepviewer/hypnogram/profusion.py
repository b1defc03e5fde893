"""Compumedics Profusion XML: how the Sleep Heart Health Study and others keep a hypnogram."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.xml_file import elements
from sleepviewer.stages import EPOCH_S, Stage, stage_from_digit

PROFUSION_ROOT: Final = "CMPStudyConfig"
_STAGE: Final = (PROFUSION_ROOT, "SleepStages", "SleepStage")
_EPOCH_LENGTH: Final = (PROFUSION_ROOT, "EpochLength")
_MAX_WORD: Final = 100
_LONGEST_EPOCH_S: Final = 120.0


def read_profusion(path: Path) -> StageTrack:
    """Read the stages of a Profusion XML file, ``CMPStudyConfig/SleepStages/SleepStage``.

    The numbers are R&K: 0 W, 1, 2, 3 and 4 = N3, 5 REM; what is above 5 (movement, unscored) is an epoch without a
    stage, and a note counts them. An epoch lasts ``EpochLength`` seconds, 30 where the file does not say. The file has
    no clock, so the track is taken to start with the recording.

    Raises HypnogramError where the file can't be read, is no well-formed XML of this kind, holds what is no stage, or
    what :func:`sleepviewer.hypnogram.xml_file.elements` refuses.
    """
    words: list[str] = []
    length = ""
    for element in elements(path, (_STAGE[-1], _EPOCH_LENGTH[-1])):
        if len(element.place) == 1 and element.place != (PROFUSION_ROOT,):
            raise HypnogramError(
                f"{path.name} is no Profusion file: it begins with “{element.place[0]}”, not with “{PROFUSION_ROOT}”."
            )
        if element.place == _STAGE:
            words.append(element.text[:_MAX_WORD])  # also an empty one: left out, it would move all that follow
        elif element.place == _EPOCH_LENGTH:
            length = element.text[:_MAX_WORD]
    if not words:
        raise HypnogramError(f"{path.name} holds no sleep stage; choose the file of a scored night.")
    epoch_s = epoch_length(length, path)
    stages = [_stage_of(word, place, path) for place, word in enumerate(words, 1)]
    bouts, _ = in_order((Bout(place * epoch_s, epoch_s, int(stage)) for place, stage in enumerate(stages)), path.name)
    return StageTrack(bouts, None, path.name, notes=_notes(stages, words, epoch_s, path))


def _notes(stages: list[Stage], words: list[str], epoch_s: float, path: Path) -> tuple[str, ...]:
    notes = []
    if epoch_s != EPOCH_S:
        notes.append(f"{path.name} was scored in epochs of {epoch_s:g} s.")
    unusable = [word for word, stage in zip(words, stages, strict=True) if stage is Stage.UNKNOWN]
    if unusable:
        number = "1 epoch" if len(unusable) == 1 else f"{len(unusable)} epochs"
        named = ", ".join(sorted(set(unusable)))
        notes.append(f"{path.name}: {number} without a sleep stage (numbers beyond REM's 5: {named}).")
    return tuple(notes)


def _stage_of(word: str, place: int, path: Path) -> Stage:
    try:
        number = int(word)
    except ValueError:
        number = -1
    if number > Stage.REM + 1:
        return Stage.UNKNOWN
    stage = stage_from_digit(number, r_and_k=True)
    if stage is None or stage is Stage.UNKNOWN:
        raise HypnogramError(f"{path.name}, epoch {place}: “{word}” is no sleep stage; they are numbers from 0 on.")
    return stage


def epoch_length(word: str, path: Path) -> float:
    """Return the seconds of an epoch as a file says them, 30 where it does not; raise HypnogramError for nonsense."""
    try:
        seconds = float(word) if word else EPOCH_S
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= _LONGEST_EPOCH_S:
        raise HypnogramError(f"{path.name} says that its epochs last “{word}” seconds, which can't be.")
    return seconds
