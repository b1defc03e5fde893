"""Which nights a batch has, where their archives go, and what is asked of each."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sleepviewer.datasets.sources import files_in
from sleepviewer.errors import BatchError, DatasetError
from sleepviewer.recording.formats import base_name, is_recording_name, recording_endings
from sleepviewer.review.companions import without_psg
from sleepviewer.scoring.base import Engine
from sleepviewer.scoring.registry import EngineSpec, make_engine

_GLOB: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of every night of a batch; small and picklable, it goes to the processes that score.

    Attributes
    ----------
    out: the folder of the archives and the manifest, absolute.
    spec: who scores.
    channel, eog, emg: labels that every night is asked for; those that are not named are proposed from the names.
    eeg_only: whether the engine gets the EEG alone.
    signal: whether archives hold the signal, which training needs.
    truth_patterns: names of the expert's hypnogram, see :func:`truth_names`; none has it found by its name.
    replace: whether archives that are there may be written over.
    make: makes the engine of a specification.
    """

    out: Path
    spec: EngineSpec = field(default_factory=EngineSpec)
    channel: str | None = None
    eog: str | None = None
    emg: str | None = None
    eeg_only: bool = False
    signal: bool = True
    truth_patterns: tuple[str, ...] = ()
    replace: bool = False
    make: Callable[[EngineSpec], Engine] = make_engine

    @property
    def asked(self) -> dict[str, Any]:
        """What a line of the manifest says was asked for, as JSON-ready values."""
        asked: dict[str, Any] = {"channel": self.channel, "eog": self.eog, "emg": self.emg, "signal": self.signal}
        switches = {"eeg_only": self.eeg_only, "score_unusable": self.spec.score_unusable}
        return asked | {name: True for name, on in switches.items() if on}


@dataclass(frozen=True, slots=True)
class Job:
    """One night of a batch.

    ``night`` is its name: the recording's place below the folder that the nights have in common, without its ending;
    ``file`` is the archive's place below the batch's folder. Where the manifest knows the recording under another
    stamp, ``known_sha256`` is its hash there: the same content is not scored again. ``listed`` says that the manifest
    knows the archive that lies there.
    """

    path: Path
    night: str
    file: str
    known_sha256: str = ""
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The nights of a batch in order, and what is asked of them; no recording has been opened yet."""

    wanted: Wanted
    jobs: tuple[Job, ...]


def plan(sources: Sequence[Path | str], wanted: Wanted) -> Plan:
    """Find the recordings of folders (and the folders in them), of patterns with ``*``, and single ones.

    Files of a folder are recordings by their ending, unless “hypnogram” is in their name; what is named by itself is
    taken as it is. Archives lie below the batch's folder as the recordings lie below the folder that all have in
    common. Raises BatchError where a name leads nowhere, a truth pattern can't be filled in, or there is no recording.
    """
    for pattern in wanted.truth_patterns:
        truth_names(Path("night.edf"), (pattern,))
    recordings: dict[Path, None] = {}
    roots: list[Path] = []
    for source in sources:
        found, root = _recordings_of(source)
        roots.append(root)
        recordings |= dict.fromkeys(found)
    if not recordings:
        named = ", ".join(str(source) for source in sources)
        raise BatchError(f"There is no recording ({', '.join(recording_endings())}) in {named}.")
    try:
        root = Path(os.path.commonpath(roots))
    except ValueError as error:  # on two drives
        raise BatchError("The nights lie on different drives; score each drive's into a folder of its own.") from error
    return Plan(wanted, _jobs(recordings, root))


def truth_names(recording: Path, patterns: Iterable[str]) -> list[str]:
    """Return the names that patterns give the expert's hypnogram of a recording.

    ``{name}`` stands for the recording's name, ``{stem}`` for that without its ending, ``{base}`` for that without
    ``-PSG``, ``{stem:.6}`` for its first six letters; a name may hold ``*`` and lead to another folder. Raises
    BatchError for a pattern with anything else in braces.
    """
    fields = {"name": recording.name, "stem": base_name(recording), "base": without_psg(recording)}
    names = []
    for pattern in patterns:
        try:
            names.append(pattern.format_map({field: glob.escape(text) for field, text in fields.items()}))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise BatchError(
                f"The pattern “{pattern}” can't be filled in; it may hold {{name}}, {{stem}} and {{base}} in braces."
            ) from error
    return names


def _recordings_of(source: Path | str) -> tuple[list[Path], Path]:
    """Return the recordings of a source, and the folder that they lie below, absolute."""
    path = Path(source)
    if path.is_dir():
        folder = path.resolve()
        try:
            return [there for there in files_in(folder) if is_recording_name(there)], folder
        except DatasetError as error:
            raise BatchError(str(error)) from error
    if path.exists():
        absolute = path.parent.resolve() / path.name
        return [absolute], absolute.parent
    text = str(source)
    if not _GLOB.search(text):
        raise BatchError(f"{source} is not there; name recordings, folders of them, or patterns like “nights/*.edf”.")
    fixed = Path(text[: next(match.start() for match in _GLOB.finditer(text))] + "x").parent.resolve()
    names = sorted(glob.glob(text, recursive=True))  # noqa: PTH207  (may begin anywhere)
    found = [Path(name).parent.resolve() / Path(name).name for name in names if Path(name).is_file()]
    return [there for there in found if is_recording_name(there)], fixed


def _jobs(recordings: Iterable[Path], root: Path) -> tuple[Job, ...]:
    """Give every night a name and a file of its own; those that differ in the ending alone keep it."""
    places = {path: path.relative_to(root) for path in recordings}
    times: dict[str, int] = {}
    for place in places.values():
        key = _without_ending(place).lower()
        times[key] = times.get(key, 0) + 1
    jobs = []
    for path, place in places.items():
        alone = times[_without_ending(place).lower()] == 1
        night = _without_ending(place) if alone else place.as_posix()
        jobs.append(Job(path, night, f"{night}.npz"))
    return tuple(jobs)


def _without_ending(place: Path) -> str:
    return place.with_name(base_name(place)).as_posix()
