"""Files that belong to a recording and lie beside it: which hypnogram is its reference, found by its name and loaded.

The window, the command line and the Python interface all find and load it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sleepviewer.errors import AmbiguousHypnogramError, SleepViewerError
from sleepviewer.files import ending_of
from sleepviewer.hypnogram import Hypnogram, formats
from sleepviewer.recording import Recording
from sleepviewer.recording.formats import base_name, is_recording_name
from sleepviewer.review.night import Night, load_truth, not_used

# SC4001E0-PSG.edf and SC4001EC-Hypnogram.edf: study, subject, night and recorder are shared; what follows tells the
# two files, or the hypnogram's scorer, apart.
_SLEEP_EDF_PSG: Final = re.compile(r"(?P<night>[A-Z]{2}\d{4})\w{2}-PSG", re.IGNORECASE)
_PSG: Final = re.compile(r"[-_]PSG$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundReferences:
    """Hypnograms beside the recording ``name`` that belong to it by their names, all of the same rank."""

    name: str
    paths: tuple[Path, ...]

    @property
    def path(self) -> Path | None:
        """The hypnogram, or None where there is none or more than one."""
        return self.paths[0] if len(self.paths) == 1 else None

    @property
    def note(self) -> str:
        """A sentence where there is more than one, else nothing."""
        if len(self.paths) < 2:
            return ""
        names = ", ".join(path.name for path in self.paths)
        return (
            f"{len(self.paths)} hypnograms beside {self.name} fit its name ({names}); none was used. Choose one: "
            "File › Open truth…, or --truth."
        )


@dataclass(frozen=True, slots=True, eq=False)
class LoadedReference:
    """The reference hypnogram beside a recording, on its epochs.

    Attributes
    ----------
    path: the file, or None where there is none or more than one.
    hypnogram: its stages, or None where it can't be used.
    error: why it can't be used, if so.
    notes: a note where there are several files, or where the one can't be used.
    """

    path: Path | None = None
    hypnogram: Hypnogram | None = None
    error: SleepViewerError | None = None
    notes: tuple[str, ...] = ()


def without_psg(recording: Path) -> str:
    """Return a recording's name without its ending and without ``-PSG``."""
    return _PSG.sub("", base_name(recording))


def is_hypnogram_name(path: Path) -> bool:
    """Return whether a file is a hypnogram by its name: it has the ending of one, and is no recording by its name."""
    return bool(ending_of(path, formats.endings_of(formats.FORMATS))) and not is_recording_name(path)


def find_references(recording: Path) -> FoundReferences:
    """Find the hypnograms that lie beside a recording and are called as it is, in any format of the table.

    ``night.edf`` or ``night-PSG.edf`` has ``night-Hypnogram`` or ``night_hypnogram`` with any ending of a hypnogram
    file; a format may have other words and endings (``night-profusion.xml``, ``night.stg.txt``). Sleep-EDF's
    ``SC4001E0-PSG.edf`` and ``SC4001EC-Hypnogram.edf`` share their first six letters. Case does not matter. Names with
    a word come before those with the ending alone.
    """
    bases = {re.escape(base_name(recording)), re.escape(without_psg(recording))}
    if night := _SLEEP_EDF_PSG.fullmatch(base_name(recording)):
        bases.add(night["night"] + r"\w{2}")
    base = "|".join(sorted(bases))
    starts_alike = re.compile(base, re.IGNORECASE)
    try:
        there = [path for path in recording.parent.iterdir() if starts_alike.match(path.name)]
    except OSError:
        there = []
    beside = sorted(path for path in there if path.name != recording.name)
    for names in _ranked_names(base):
        if found := tuple(path for path in beside if any(_fits(path, *name) for name in names)):
            return FoundReferences(recording.name, found)
    return FoundReferences(recording.name, ())


def find_reference(recording: Path) -> Path | None:
    """Return the hypnogram that lies beside a recording, or None where there is none or more than one."""
    return find_references(recording).path


def load_reference(recording: Recording, reading: str | None = None) -> LoadedReference:
    """Load the hypnogram that lies beside a recording; ``reading`` says how, where a person has said it."""
    found = find_references(recording.path)
    if found.path is None:
        return LoadedReference(notes=(found.note,) if found.note else ())
    try:
        return LoadedReference(found.path, load_truth(recording, found.path, reading))
    except SleepViewerError as error:
        return LoadedReference(found.path, None, error, (not_used(found.path, error),))


def add_reference(night: Night, reading: str | None = None) -> None:
    """Use the hypnogram that lies beside the recording as the night's reference, unless its review brought one.

    What stands against it is a note: several files, one that can't be used, one that differs from the review's.
    """
    loaded, kept = load_reference(night.recording, reading), night.document.truth
    if loaded.path is None:
        night.notes += () if kept is not None else loaded.notes
        return
    night.notes += loaded.notes
    if loaded.hypnogram is None:
        if isinstance(loaded.error, AmbiguousHypnogramError) and loaded.error.choices and kept is None:
            night.ambiguous_truth = loaded.path, loaded.error
        return
    if kept is None:
        night.document.set_truth(loaded.hypnogram)
        night.document.settle_layers()
        night.truth_path = loaded.path
        night.notes += loaded.hypnogram.notes
    elif differing := int(np.sum(kept.stages != loaded.hypnogram.stages)):
        night.notes += (
            f"The saved review's reference ({kept.source}) is kept; {loaded.path.name} beside the recording differs "
            f"from it in {differing} epochs. File › Open truth… takes that one instead.",
        )


def _ranked_names(base: str) -> Iterator[list[tuple[str, tuple[str, ...]]]]:
    """Yield patterns of names without ending, each with the endings that go with it; the first ones count most."""
    yield [
        (rf"(?:{base})[-_](?:{'|'.join(map(re.escape, known.companion_words))})", known.endings)
        for known in formats.FORMATS
        if known.companion_words
    ]
    yield [(base, known.companion_endings) for known in formats.FORMATS]


def _fits(path: Path, pattern: str, endings: tuple[str, ...]) -> bool:
    ending = ending_of(path, endings)
    return bool(ending) and re.fullmatch(pattern, path.name[: -len(ending)], re.IGNORECASE) is not None
