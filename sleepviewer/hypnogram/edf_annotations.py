"""EDF+ annotations: how Sleep-EDF and many recorders keep a hypnogram."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import edfio

from sleepviewer.errors import HypnogramError, OutputError
from sleepviewer.files import atomic_writer
from sleepviewer.hypnogram.base import Bout, Hypnogram, StageTrack
from sleepviewer.hypnogram.bouts import bouts_of, in_order
from sleepviewer.hypnogram.edf_signal import signal_bouts, stage_signal
from sleepviewer.hypnogram.words import one_line, tells_time
from sleepviewer.stages import EPOCH_S, Stage, stage_from_word

BDF_MAGIC: Final = b"\xffBIOSEMI"
EDF_MAGIC: Final = b"0       "

# Sleep-EDF's words, which the EDF+ standard texts share.
_TEXTS: Final = {
    Stage.UNKNOWN: "Sleep stage ?",
    Stage.W: "Sleep stage W",
    Stage.N1: "Sleep stage 1",
    Stage.N2: "Sleep stage 2",
    Stage.N3: "Sleep stage 3",
    Stage.REM: "Sleep stage R",
}
_STANDARD: Final = "sleep stage"
_MOVEMENT: Final = "movement time"
_SCORER: Final = "Scorer: "
_LIKE_A_STAGE: Final = re.compile(r"stage|sleep|\b(?:s|n|nrem) ?-?[0-5]\b|^(?:n?rem|wake|awake|wach)\b")
_NAMED_WORDS: Final = 5
_FIRST_YEAR, _LAST_YEAR = 1985, 2084
_SCORER_LETTERS: Final = 30
"""What is left for the scorer of the 80 letters of a header field."""


def read_edf(path: Path) -> StageTrack:
    """Read the stages among the annotations of an EDF+ or BDF+ file, or of its hypnogram signal where it has one.

    Where one annotation begins with “Sleep stage”, these and “Movement time” are the stages, and every other
    annotation is passed over; else any word for a stage counts. Words passed over that look like stages are named in a
    note. R&K becomes AASM. A stage without a duration, or with one of 0 s, lasts until the next one, with a note. The
    start is the header's; where its date is anonymised or invalid, only the time of day is kept, and a note says so.

    Raises HypnogramError where the file is damaged, holds no stage, or a “Sleep stage” that does not exist.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        edf = _open(path)
        annotations = _annotations(edf, path)
        start, start_time, start_notes = _start(edf, path)
        scorer = _scorer(edf, annotations)
        signal = stage_signal(edf)
        signalled = None if signal is None else signal_bouts(signal, path)
    if signalled is not None:
        notes = (*start_notes, *signalled[1])
        return StageTrack(signalled[0], start, path.name, scorer, notes, start_time=start_time)
    entries, ignored_notes = _stage_entries(annotations, path)
    bouts, lasting_notes = _bouts(entries, path)
    ordered, overlap_notes = in_order(bouts, path.name)
    if not ordered:
        raise HypnogramError(f"{path.name} holds sleep stages, but each of them lasts 0 seconds.")
    reader_notes = tuple(dict.fromkeys(f"{path.name}: {warning.message}" for warning in caught))
    notes = (*reader_notes, *start_notes, *ignored_notes, *lasting_notes, *overlap_notes)
    return StageTrack(ordered, start, path.name, scorer, notes, start_time=start_time)


def _open(path: Path) -> edfio.Edf | edfio.Bdf:
    try:
        with path.open("rb") as file:
            is_bdf = file.read(len(BDF_MAGIC)) == BDF_MAGIC
        return edfio.read_bdf(path) if is_bdf else edfio.read_edf(path)
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error
    except Exception as error:  # a damaged header makes the parser fail in many ways
        raise HypnogramError(f"{path.name} is damaged or no EDF file ({error}); export it again.") from error


def _annotations(edf: edfio.Edf | edfio.Bdf, path: Path) -> Sequence[edfio.EdfAnnotation]:
    try:
        return edf.annotations
    except Exception as error:  # so does a damaged list of annotations
        raise HypnogramError(f"The annotations of {path.name} are damaged ({error}); export it again.") from error


def _start(edf: edfio.Edf | edfio.Bdf, path: Path) -> tuple[datetime | None, time | None, tuple[str, ...]]:
    """Return the start, or, without a valid date, the time of day alone."""
    with suppress(ValueError, OverflowError):
        return edf.startdatetime, None, ()
    dateless = f"{path.name} has no valid start date (anonymised?)"
    with suppress(ValueError):
        if tells_time(edf.starttime):
            return None, edf.starttime, (f"{dateless}, so only its time of day counts.",)
        return None, None, (f"{dateless} and 00:00:00 for its time, so its clock is not used.",)
    return None, None, (f"{dateless}, so its clock is not used.",)


def _scorer(edf: edfio.Edf | edfio.Bdf, annotations: Sequence[edfio.EdfAnnotation]) -> str:
    for annotation in annotations:
        if annotation.text.startswith(_SCORER):
            return annotation.text.removeprefix(_SCORER)
    try:
        code = edf.recording.investigator_technician_code
    except ValueError:
        return ""
    is_edf_plus = edf.local_recording_identification.startswith("Startdate ")
    return code.replace("_", " ") if is_edf_plus and code != "X" else ""


def _stage_entries(
    annotations: Sequence[edfio.EdfAnnotation], path: Path
) -> tuple[list[tuple[edfio.EdfAnnotation, Stage]], tuple[str, ...]]:
    """Return the annotations that are stages, in order of time, and a note on those that only look like stages."""
    words = [" ".join(a.text.lower().split()) for a in annotations]
    standard = any(word.startswith(_STANDARD) for word in words)
    entries: list[tuple[edfio.EdfAnnotation, Stage]] = []
    ignored: Counter[str] = Counter()
    for annotation, word in zip(annotations, words, strict=True):
        stage = stage_from_word(word) if word else None
        if stage is not None and (not standard or word.startswith(_STANDARD) or word == _MOVEMENT):
            entries.append((annotation, stage))
        elif word.startswith(_STANDARD):
            raise HypnogramError(
                f"{path.name} holds “{annotation.text}” at {annotation.onset:g} s, which is no sleep stage; "
                "correct it where the file was made."
            )
        elif _LIKE_A_STAGE.search(word.replace("_", " ")) or (stage is not None and stage != Stage.UNKNOWN):
            ignored[annotation.text.strip()] += 1
    if not entries:
        raise HypnogramError(f"{path.name} holds no annotation that is a sleep stage; choose a hypnogram file.")
    return sorted(entries, key=lambda entry: entry[0].onset), _ignored_notes(ignored, path)


def _ignored_notes(ignored: Counter[str], path: Path) -> tuple[str, ...]:
    if not ignored:
        return ()
    named = ", ".join(f"“{text}” ({count})" for text, count in ignored.most_common(_NAMED_WORDS))
    named += ", …" if len(ignored) > _NAMED_WORDS else ""
    if ignored.total() == 1:
        return (f"{path.name}: 1 annotation that looks like a stage was passed over, because of its word: {named}.",)
    what = f"{ignored.total()} annotations that look like stages were passed over, because of their words"
    return (f"{path.name}: {what}: {named}.",)


def _bouts(entries: Sequence[tuple[edfio.EdfAnnotation, Stage]], path: Path) -> tuple[list[Bout], tuple[str, ...]]:
    """Return the bouts of stages in order of time; one without a duration ends where the next later one begins."""
    onsets = sorted({annotation.onset for annotation, _ in entries})
    until_next = {onset: later - onset for onset, later in pairwise(onsets)}
    bouts: list[Bout] = []
    open_ended = 0
    for annotation, stage in entries:
        duration = annotation.duration
        if duration is None or not duration > 0:
            duration = until_next.get(annotation.onset, EPOCH_S)
            open_ended += 1
        bouts.append(Bout(annotation.onset, duration, int(stage)))
    if not open_ended:
        return bouts, ()
    note = (
        f"{path.name}: {open_ended} {'stage has' if open_ended == 1 else 'stages have'} no duration, or one of 0 s; "
        f"each was taken to last until the next stage, the last for {EPOCH_S:g} s."
    )
    return bouts, (note,)


def write_edf(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write an EDF+C file of annotations in Sleep-EDF's words, one for every bout.

    The header has the start and, as its technician, the scorer; a name that does not fit there (letters beyond ASCII,
    underscores, more than 30 letters) is an annotation besides. ``simulated`` puts SIMULATED into the header.

    Raises OutputError where the file can't be written, there is no epoch, or EDF can't hold the date (only 1985 to
    2084).
    """
    if not len(hypnogram):
        raise OutputError(f"{path} was not written, because the hypnogram has no epoch.")
    annotations = [Annotation(b.onset_s, b.duration_s, _TEXTS[Stage(b.stage)]) for b in bouts_of(hypnogram.stages)]
    write_annotations(annotations, path, start=hypnogram.start, scorer=hypnogram.scorer, simulated=simulated)


class Annotation(NamedTuple):
    """A text at a time, in seconds from the file's start; without a duration where it is a moment."""

    onset_s: float
    duration_s: float | None
    text: str


def write_annotations(
    annotations: Sequence[Annotation],
    path: Path,
    *,
    start: datetime | None = None,
    scorer: str = "",
    simulated: bool = False,
) -> None:
    """Write an EDF+C file without signals; header, scorer and what is raised are as in :func:`write_edf`."""
    if start is not None and not _FIRST_YEAR <= start.year <= _LAST_YEAR:
        raise OutputError(f"{path} was not written, because EDF has no dates in {start.year}; write CSV instead.")
    if not annotations:
        raise OutputError(f"{path} was not written, because EDF+ has no file without an annotation; write CSV instead.")
    scorer = one_line(scorer)
    field = _header_word(scorer)
    entries = [edfio.EdfAnnotation(*annotation) for annotation in annotations]
    if scorer and (field == "X" or field.replace("_", " ") != scorer):
        entries.append(edfio.EdfAnnotation(0.0, None, f"{_SCORER}{scorer}"))
    edf = edfio.Edf(
        [],
        recording=edfio.Recording(
            startdate=None if start is None else start.date(),
            investigator_technician_code=field,
            equipment_code="SleepViewer",
            additional=("SIMULATED",) if simulated else (),
        ),
        starttime=None if start is None else start.time(),
        annotations=entries,
    )
    with atomic_writer(path) as file:
        file.write(edf.to_bytes())


def _header_word(scorer: str) -> str:
    """Return a name as an EDF+ header field can hold it: ASCII, underscores for blanks, X for nothing."""
    ascii_only = unicodedata.normalize("NFKD", scorer).encode("ascii", "ignore").decode()
    return "_".join(ascii_only.split())[:_SCORER_LETTERS] or "X"
