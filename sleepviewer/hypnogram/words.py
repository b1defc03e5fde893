"""From the words and numbers of a text file to stages, and from a file's bytes to its text."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from sleepviewer.errors import AmbiguousHypnogramError, HypnogramError
from sleepviewer.stages import EPOCH_S, Stage, stage_from_digit, stage_from_word

_NUMBER = re.compile(r"[+-]?\d+(\.0*)?([eE][+-]?\d+)?")
_HIGHEST_NUMBER = 9
"""Of R&K exports: numbers above REM's 5, up to 9, stand for movement, artefact or unscored."""

_MAX_BYTES: Final = 64 << 20
_EPOCH_LENGTH: Final = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(?:s|sec|seconds)?")
_LONGEST_EPOCH_S: Final = 120.0
_UNSCORED: Final = -2
"""YASA's number for an epoch without a score; -1 is its artefact."""

_Clock = TypeVar("_Clock", datetime, time)


class Numbers(StrEnum):
    """What the numbers of a file mean, where a person has to say it.

    AASM: 0 W, 1 N1, 2 N2, 3 N3, 4 REM. R_AND_K: 0 W, 1 N1, 2 N2, 3 and 4 N3, 5 REM. FIVE_IS_WAKE: 5 W, 1 N1, 2 N2,
    3 N3, 4 REM.
    """

    AASM = "aasm"
    R_AND_K = "r-and-k"
    FIVE_IS_WAKE = "five-is-wake"


MEANING: Final = {
    Numbers.AASM: "0 W, 1 N1, 2 N2, 3 N3, 4 REM",
    Numbers.R_AND_K: "0 W, 1 N1, 2 N2, 3 and 4 N3, 5 REM",
    Numbers.FIVE_IS_WAKE: "5 W, 1 N1, 2 N2, 3 N3, 4 REM",
}
"""What each of them says, as notes and questions put it."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a file says of one epoch or bout, and in which line (from 1)."""

    line: int
    text: str


def stages_of(
    words: Sequence[Word],
    source: str,
    durations_s: Sequence[float] | None = None,
    *,
    numbers: Numbers | None = None,
    unit: str = "line",
) -> tuple[list[int], tuple[str, ...]]:
    """Translate words and numbers to stages; notes say which convention numbers follow and how many words are empty.

    Where a 5 occurs, or letters stand for wake or REM beside the numbers, these follow R&K (Profusion): 4 = N3,
    5 = REM; with a 5, 6 to 9 are epochs without a stage. Else 3 = N3, 4 = REM, and the note counts the epochs that
    are REM only by that reading. ``durations_s`` are the words' own, where they do not last one epoch each. ``numbers``
    says which convention it is, where a person has told; ``unit`` what a word's line is called.

    Raises AmbiguousHypnogramError where the night begins with a 5 and has no 0: no night begins with REM sleep, so that
    5 is as likely wake; HypnogramError with file, line and word for the first word that is neither.
    """
    values = {word.text: _number(word.text) for word in words}
    digits = {number for number in values.values() if number is not None}
    lettered = any(number is None and stage_from_word(text) in (Stage.W, Stage.REM) for text, number in values.items())
    if numbers is None and not lettered:
        _ask_what_five_is(words, values, digits, source)
    stages: list[int] = []
    for word in words:
        if numbers is None or values[word.text] is None:
            stage = _stage_of(word.text, values[word.text], with_five=5 in digits, lettered=lettered)
        else:
            stage = _told(values[word.text] or 0, numbers)
        if stage is None:
            raise HypnogramError(
                f"{source}, {unit} {word.line}: “{word.text}” is no sleep stage; write W, N1, N2, N3, R or ? instead."
            )
        stages.append(int(stage))
    if numbers is not None:
        note = f"{source}: numbers were read as {MEANING[numbers]}, as was said."
        return stages, (note,) if digits else ()
    fours_s = sum(
        duration
        for word, duration in zip(words, durations_s or [EPOCH_S] * len(words), strict=True)
        if values[word.text] == Stage.REM
    )
    notes = _number_notes(digits, source, lettered=lettered, n_fours=fours_s / EPOCH_S)
    if empty := sum(not word.text for word in words):
        notes = (*notes, f"{source}: {empty} empty places were taken as epochs without a stage.")
    return stages, notes


def _ask_what_five_is(
    words: Sequence[Word], values: Mapping[str, int | None], digits: Collection[int], source: str
) -> None:
    first = next((values[word.text] for word in words if (values[word.text] or -1) >= 0), None)
    if first == 5 and 0 not in digits:
        raise AmbiguousHypnogramError(
            f"{source} begins with a 5 and has no 0: say whether 5 is REM sleep (R&K) or wake in it.",
            (Numbers.R_AND_K, Numbers.FIVE_IS_WAKE),
        )


def _told(number: int, numbers: Numbers) -> Stage | None:
    if numbers is Numbers.FIVE_IS_WAKE and number in (0, 5):
        return Stage.W if number == 5 else None
    if numbers is not Numbers.AASM and Stage.REM + 1 < number <= _HIGHEST_NUMBER:
        return Stage.UNKNOWN
    return stage_from_digit(number, r_and_k=numbers is Numbers.R_AND_K)


def _stage_of(text: str, number: int | None, *, with_five: bool, lettered: bool) -> Stage | None:
    if number is None:
        return stage_from_word(text)
    if with_five and Stage.REM + 1 < number <= _HIGHEST_NUMBER:
        return Stage.UNKNOWN
    if number == _UNSCORED:
        return Stage.UNKNOWN
    return stage_from_digit(number, r_and_k=with_five or lettered)


def _number_notes(digits: set[int], source: str, *, lettered: bool, n_fours: float) -> tuple[str, ...]:
    if not digits - {-1, _UNSCORED}:
        return ()
    if 5 in digits:
        return (f"{source}: numbers were read as 0 W, 1 N1, 2 N2, 3 and 4 N3, 5 REM, because a 5 occurs.",)
    if lettered:
        because = "because letters stand for wake or REM beside them"
        return (f"{source}: numbers were read as 0 W, 1 N1, 2 N2, 3 and 4 N3, {because}.",)
    note = f"{source}: numbers were read as 0 W, 1 N1, 2 N2, 3 N3, 4 REM, because no 5 occurs"
    if Stage.REM not in digits:
        return (f"{note}.",)
    count = f"{round(n_fours, 1):g} {'epoch was' if n_fours == 1 else 'epochs were'}"
    return (f"{note}; {count} read as “4 = REM”, and a file of R&K stages (4 = deep sleep) would need a 5 or letters.",)


def _number(text: str) -> int | None:
    """Return the whole number that a text writes (``2``, ``2.0``, ``2e+00``), or None."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return int(value) if value.is_integer() else None


def is_stage(text: str) -> bool:
    """Whether a text is a word for a stage or a number that may stand for one."""
    number = _number(text)
    return stage_from_word(text) is not None if number is None else -1 <= number <= _HIGHEST_NUMBER


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file: UTF-8, UTF-16 with its mark, or else Latin-1.

    Raises HypnogramError where the file can't be read, is larger than 64 MB or is no text.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise HypnogramError(f"{path.name} is larger than {_MAX_BYTES >> 20} MB, which no hypnogram is.")
        raw = path.read_bytes()
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error
    text = text_of(raw)
    if "\0" in text:
        raise HypnogramError(f"{path.name} is no text file, so it can't be read as a hypnogram.")
    return text.splitlines()


def text_of(raw: bytes) -> str:
    """Return the text of bytes: UTF-8, UTF-16 with its mark, or else Latin-1."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def one_line(text: str) -> str:
    """Return a text without control characters and line breaks, blanks single: what fits into a header field."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass(frozen=True, slots=True)
class Remarks:
    """What a text file's comment lines say: clock time of the first stage, scorer, notes on what was wrong there.

    ``start_time`` is the time of day alone, where there is no date beside it; ``epoch_s`` how long a line's stage
    lasts.
    """

    start: datetime | None = None
    start_time: time | None = None
    scorer: str = ""
    notes: tuple[str, ...] = ()
    epoch_s: float | None = None


def remarks_of(comments: Sequence[str], source: str) -> Remarks:
    """Understand ``# start: 2002-01-01T23:00:00``, ``# scorer: name``, ``# epoch: 20 s``; others are passed over."""
    start: datetime | None = None
    start_time: time | None = None
    scorer = ""
    epoch_s: float | None = None
    notes: list[str] = []
    for comment in comments:
        key, colon, value = comment.lstrip("# \t").partition(":")
        value = value.strip()
        if not colon or not value:
            continue
        if key.strip().lower() == "scorer":
            scorer = value
        elif key.strip().lower() == "epoch":
            epoch_s = _epoch_s(value)
            if epoch_s is None:
                notes.append(f"{source}: its epoch “{value}” is no length like “20 s” and was not used.")
        elif key.strip().lower() == "start":
            start, start_time = without_zone(clock_of(value)), without_zone(time_of_day(value))
            if start is None and start_time is None:
                notes.append(f"{source}: its start “{value}” is no date and time and was not used.")
    return Remarks(start, start_time, scorer, tuple(notes), epoch_s)


def _epoch_s(text: str) -> float | None:
    match = _EPOCH_LENGTH.fullmatch(text.lower())
    seconds = 0.0 if match is None else float(match[1])
    return seconds if 1 <= seconds <= _LONGEST_EPOCH_S else None


def clock_of(text: str) -> datetime | None:
    """Return the date and time that a text gives in ISO 8601, with its time zone if it has one, or None."""
    if len(text) < len("2002-01-01T23"):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def time_of_day(text: str) -> time | None:
    """Return the time of day that a text gives without a date (``22:30:00``), with its time zone if any, or None."""
    if ":" not in text:
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def without_zone(clock: _Clock | None) -> _Clock | None:
    """Return the local date and time, or time of day, of one that may have a time zone; None for None."""
    return None if clock is None else clock.replace(tzinfo=None)


def tells_time(start_time: time) -> bool:
    """Whether a time of day without a date tells anything: 00:00:00 is what files hold where it is not known."""
    return start_time != time()
