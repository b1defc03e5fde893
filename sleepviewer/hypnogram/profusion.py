"""Compumedics Profusion XML: how the Sleep Heart Health Study and others keep a hypnogram."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.parsers import expat

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.base import Bout, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.stages import EPOCH_S, Stage, stage_from_digit

_ROOT: Final = "CMPStudyConfig"
_STAGE: Final = (_ROOT, "SleepStages", "SleepStage")
_EPOCH_LENGTH: Final = (_ROOT, "EpochLength")
_NSRR_ROOT: Final = "PSGAnnotation"

_MAX_BYTES: Final = 64 << 20
_MAX_DEPTH: Final = 64
_MAX_WORD: Final = 100
_BLOCK_BYTES: Final = 1 << 16
_LONGEST_EPOCH_S: Final = 120.0


def read_profusion(path: Path) -> StageTrack:
    """Read the stages of a Profusion XML file, ``CMPStudyConfig/SleepStages/SleepStage``.

    The numbers are R&K: 0 W, 1, 2, 3 and 4 = N3, 5 REM; what is above 5 (movement, unscored) is an epoch without a
    stage, and a note counts them. An epoch lasts ``EpochLength`` seconds, 30 where the file does not say. The file has
    no clock, so the track is taken to start with the recording.

    Raises HypnogramError where the file can't be read, is no well-formed XML of this kind, holds what is no stage, or
    declares a document type: no recorder writes one, and entities declared there could fill the memory.
    """
    words = _read_words(path)
    if words.root == _NSRR_ROOT:
        raise HypnogramError(f"{path.name} holds NSRR's own annotations; choose the file that ends in -profusion.xml.")
    if words.root != _ROOT:
        raise HypnogramError(f"{path.name} is no Profusion file: it begins with “{words.root}”, not with “{_ROOT}”.")
    if not words.stages:
        raise HypnogramError(f"{path.name} holds no sleep stage; choose the file of a scored night.")
    epoch_s = _epoch_length(words.epoch_length, path)
    stages = [_stage_of(word, place, path) for place, word in enumerate(words.stages, 1)]
    bouts, _ = in_order((Bout(place * epoch_s, epoch_s, int(stage)) for place, stage in enumerate(stages)), path.name)
    return StageTrack(bouts, None, path.name, notes=_notes(stages, words.stages, epoch_s, path))


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


def _epoch_length(word: str, path: Path) -> float:
    try:
        seconds = float(word) if word else EPOCH_S
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= _LONGEST_EPOCH_S:
        raise HypnogramError(f"{path.name} says that its epochs last “{word}” seconds, which can't be.")
    return seconds


class _Words:
    """What the parser finds on its way: the root's name, the stages' texts, the epochs' length."""

    def __init__(self, path: Path) -> None:
        self.root = ""
        self.stages: list[str] = []
        self.epoch_length = ""
        self._path = path
        self._place: list[str] = []
        self._text: list[str] | None = None

    def parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        return parser

    def _refuse_doctype(self, *_: object) -> None:
        raise HypnogramError(
            f"{self._path.name} declares a document type, which no Profusion file does; it was not read, since such "
            "declarations can fill the memory."
        )

    def _start(self, tag: str, _: dict[str, str]) -> None:
        self.root = self.root or tag
        self._place.append(tag)
        if len(self._place) > _MAX_DEPTH:
            raise HypnogramError(f"{self._path.name} is nested more than {_MAX_DEPTH} levels deep; it was not read.")
        self._text = [] if tuple(self._place) in (_STAGE, _EPOCH_LENGTH) else None

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, _: str) -> None:
        word = "".join(self._text or ())[:_MAX_WORD].strip()
        if tuple(self._place) == _STAGE:
            self.stages.append(word)  # also an empty one: left out, it would move all that follow
        elif tuple(self._place) == _EPOCH_LENGTH:
            self.epoch_length = word
        self._place.pop()
        self._text = None


def _read_words(path: Path) -> _Words:
    words = _Words(path)
    parser = words.parser()
    n_bytes = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                n_bytes += len(block)
                if n_bytes > _MAX_BYTES:
                    raise HypnogramError(f"{path.name} is larger than {_MAX_BYTES >> 20} MB, which no hypnogram is.")
                parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise HypnogramError(f"{path.name} is damaged or no XML file ({error}); export it again.") from error
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error
    return words
