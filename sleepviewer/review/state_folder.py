"""Where the program keeps what must survive it: journals, locks and automatic copies, in the user's own folders."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from sleepviewer.errors import ArchiveError
from sleepviewer.recording import Recording
from sleepviewer.review.scorer import name_in_files, usual_scorer


@dataclass(frozen=True, slots=True)
class StateFolders:
    """The folders below the user's state folder, and one for journals where that can't be written to."""

    root: Path
    fallback: Path

    @classmethod
    def of_user(cls) -> StateFolders:
        """Return those of whoever runs the program."""
        fallback = Path(tempfile.gettempdir()) / f"sleepviewer-journals-{name_in_files(usual_scorer())}"
        return cls(platformdirs.user_state_path("SleepViewer", appauthor=False), fallback)

    @property
    def journals(self) -> Path:
        """Journals of nights that are open, or whose edits were not saved."""
        return self.root / "journals"

    @property
    def previous(self) -> Path:
        """The journal before the last save, one for each night and scorer."""
        return self.journals / "previous"

    @property
    def aside(self) -> Path:
        """Journals that were set aside; nothing there is ever deleted."""
        return self.journals / "aside"

    @property
    def locks(self) -> Path:
        """Who has which night open."""
        return self.root / "locks"

    @property
    def autosaves(self) -> Path:
        """Automatic copies of reviews as archives."""
        return self.root / "autosaves"


def make_private(folder: Path) -> Path:
    """Make a folder that is the user's alone, and return it.

    Raises OSError where that can't be had, also where another user made it first (in a folder for all, as for
    temporary files).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "geteuid") and folder.stat().st_uid != os.geteuid():
        raise PermissionError(13, "the folder belongs to another user", str(folder))
    return folder


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """What a recording is known by: its place and stamp, and its content once the hash was computed (else empty)."""

    name: str
    path: str
    size: int
    mtime_ns: int
    n_epochs: int
    start: str | None
    sha256: str = ""

    @classmethod
    def of(cls, recording: Recording, sha256: str = "") -> RecordingFacts:
        """Return those of a recording that is open."""
        start = None if recording.start is None else recording.start.isoformat()
        stamp = recording.stamp
        return cls(
            recording.name,
            str(recording.path.resolve()),
            0 if stamp is None else stamp.size,
            0 if stamp is None else stamp.mtime_ns,
            recording.n_epochs,
            start,
            sha256,
        )

    @classmethod
    def from_dict(cls, values: Any) -> RecordingFacts:
        """Rebuild from what was written. Raises ArchiveError where the values describe no recording."""
        try:
            start = values["start"]
            facts = cls(
                str(values["name"]),
                str(values["path"]),
                int(values["size"]),
                int(values["mtime_ns"]),
                int(values["n_epochs"]),
                None if start is None else str(start),
                str(values["sha256"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArchiveError(f"The description of the recording is damaged ({error!r}).") from error
        if facts.n_epochs < 1:
            raise ArchiveError("The description of the recording is damaged: it has no epochs.")
        return facts

    @property
    def key(self) -> str:
        """What stands for it in names of files: its content, or its place and stamp until that is known."""
        if self.sha256:
            return self.sha256[:16]
        return "p" + hashlib.sha256(f"{self.path}\n{self.size}\n{self.mtime_ns}".encode()).hexdigest()[:15]

    @property
    def place_key(self) -> str:
        """What stands for its place in names of locks, whatever its content."""
        return hashlib.sha256(self.path.encode()).hexdigest()[:16]

    def is_at_the_place_of(self, other: RecordingFacts) -> bool:
        """Whether both are the same file, unchanged."""
        return (self.path, self.size, self.mtime_ns) == (other.path, other.size, other.mtime_ns)
