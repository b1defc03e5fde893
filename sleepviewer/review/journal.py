"""The journal of a night: every step of its review is on the disk before the screen shows it.

One file for each night and scorer, JSON lines that are only ever added to: first a header with the whole review as it
was when the journal began, then a line a step. It needs no other file to be read, not even the saved review. Reading is
:mod:`sleepviewer.review.journal_reading`'s affair.
"""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

import sleepviewer
from sleepviewer.files import sync, sync_folder
from sleepviewer.review.journal_lines import make_line
from sleepviewer.review.marking import now
from sleepviewer.review.night import Night
from sleepviewer.review.scorer import name_in_files
from sleepviewer.review.state_folder import RecordingFacts, StateFolders, make_private
from sleepviewer.review.steps import Saved, Step, step_as_dict

FORMAT: Final = "sleepviewer-journal"
VERSION: Final = 1
ENDING: Final = ".jsonl"


class Safety(Enum):
    """Where the steps are that were not saved yet."""

    SAFE = auto()
    """In the journal, or there are none."""
    ELSEWHERE = auto()
    """In a journal among the temporary files, since the usual folder can't be written to."""
    UNSAFE = auto()
    """Some are in the program's memory alone."""


@dataclass(frozen=True, slots=True)
class JournalState:
    """How safe the steps are; where they are not, why (``reason``, a phrase) and what to do (``sentence``)."""

    safety: Safety = Safety.SAFE
    reason: str = ""
    sentence: str = ""


class Journal:
    """Keeps the steps of one open night: a :class:`~sleepviewer.review.steps.Recorder`.

    The file is made with the first step; nights that are only looked at leave none.
    """

    def __init__(self, night: Night, folders: StateFolders) -> None:
        self._night = night
        self._folders = folders
        self._lines: list[bytes] = []
        self._state = JournalState()
        self._copies: tuple[_Copy, _Copy] | None = None
        self.id = ""
        """What tells it from every other journal; empty where it has not begun."""

    @property
    def state(self) -> JournalState:
        """Whether everything is on the disk."""
        return self._state

    @property
    def path(self) -> Path | None:
        """The file that the steps are in; None where there is none yet."""
        copies = [] if self._copies is None else [copy for copy in self._copies if copy.is_there]
        return copies[0].path if copies else None

    # -- keeping

    def record(self, *steps: Step) -> None:
        """Write steps to the disk before they are taken; where that fails, :attr:`state` says so, nothing is lost."""
        if not self._lines:
            if all(isinstance(step, Saved) for step in steps):
                return
            self._begin(())
        for step in steps:
            self._add({"t": now(), **step_as_dict(step)})
        self._write()
        if isinstance(steps[-1], Saved):
            self._retire()

    def begin(self, continues: Sequence[str] = ()) -> None:
        """Begin anew with the review as it is, unsaved steps and all; ``continues`` are ids of journals it holds."""
        self._leave_copies()
        self._begin(continues)
        self._write()

    def note_sha256(self, sha256: str) -> None:
        """Write down the recording's hash, which is known some time after the night was opened."""
        if self._lines:
            self._add({"op": "sha256", "sha256": sha256})
            self._write()

    def retry(self) -> JournalState:
        """Try again to write what could not be written where it belongs; return the state after it."""
        if self._lines and self._state.safety is not Safety.SAFE:
            self._write()
        return self._state

    def _begin(self, continues: Sequence[str]) -> None:
        night, identity = self._night, uuid.uuid4().hex
        facts = RecordingFacts.of(night.recording, night.known_sha256)
        name = f"{self._name_in_files}-{identity[:8]}{ENDING}"
        folders = self._folders
        self._copies = _Copy(folders.journals / name), _Copy(folders.fallback / name)
        self._lines, self.id = [], identity
        self._add(
            {
                "format": FORMAT,
                "version": VERSION,
                "id": identity,
                "continues": list(continues),
                "recording": asdict(facts),
                "scorer": night.document.scorer,
                "software": f"SleepViewer {sleepviewer.__version__}",
                "host": platform.node(),
                "begun": now(),
                "unsaved": night.document.unsaved,
                "state": night.document.state.as_dict(),
            }
        )

    @property
    def _name_in_files(self) -> str:
        """What stands for the night and its scorer in names of files."""
        facts = RecordingFacts.of(self._night.recording, self._night.known_sha256)
        return f"{Path(facts.name).stem[:60]}-{facts.key}-{name_in_files(self._night.document.scorer)}"

    def _add(self, values: dict[str, Any]) -> None:
        self._lines.append(make_line(len(self._lines), values))

    def _write(self) -> None:
        """Bring the file up to date, the one among the temporary files where the usual one can't be."""
        assert self._copies is not None
        usual, temporary = self._copies
        try:
            usual.bring_up_to_date(self._lines)
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            self._state = JournalState()
            temporary.remove()
            return
        place = f"The journal of your edits can't be written to {usual.path.parent} ({reason})"
        try:
            temporary.bring_up_to_date(self._lines)
        except OSError as error:
            also = error.strerror or str(error)
            sentence = (
                f"{place}, nor to {temporary.path.parent} ({also}). Your latest edits are in this window alone: save "
                "the review now, under another name if need be (Ctrl+Shift+S). Writing is tried again all the time."
            )
            self._state = JournalState(Safety.UNSAFE, reason, sentence)
        else:
            sentence = (
                f"{place}. It is kept in {temporary.path.parent} instead, which a restart of the computer may empty: "
                "save the review soon (Ctrl+S). The usual folder is tried again all the time."
            )
            self._state = JournalState(Safety.ELSEWHERE, reason, sentence)

    # -- ending

    def retire(self) -> None:
        """Put the journal where the one before the last save is kept: nothing in it is needed any more."""
        if self._lines:
            self._retire()

    def _retire(self) -> None:
        path = self.path
        self._leave_copies()
        if path is not None:
            with suppress(OSError):  # then it stays; whoever finds it sees that all of it was saved
                move_to_previous(path, self._folders, self._name_in_files)

    def set_aside(self) -> Path | None:
        """Put the journal among those that were set aside; return where, None where there is none or it stays."""
        path = self.path
        self._leave_copies()
        if path is None:
            return None
        try:
            return move_aside(path, self._folders)
        except OSError:
            return None

    def close(self) -> None:
        """Let go of the file and leave it where it is, to be found when the night is opened again."""
        self._leave_copies()

    def _leave_copies(self) -> None:
        for copy in self._copies or ():
            copy.close()
        self._copies, self._lines, self._state, self.id = None, [], JournalState(), ""


def move_to_previous(path: Path, folders: StateFolders, night_and_scorer: str = "") -> Path:
    """Move a journal to where the one before the last save is kept, one for each night and scorer.

    These are taken from its name where they are not given. Raises OSError where that can't be done.
    """
    night_and_scorer = night_and_scorer or path.stem.rpartition("-")[0] or path.stem
    return _move(path, make_private(folders.previous) / f"{night_and_scorer}{ENDING}")


def move_aside(path: Path, folders: StateFolders) -> Path:
    """Move a journal among those that were set aside, which are never deleted; return where it is now.

    Raises OSError where that can't be done.
    """
    return _move(path, make_private(folders.aside) / path.name)


def _move(path: Path, target: Path) -> Path:
    """Move a file, to another disk as well; it is whole in one of both places at any moment."""
    try:
        path.replace(target)
    except OSError:
        part = target.with_name(f".{target.name}.part")
        with part.open("wb") as file:
            file.write(path.read_bytes())
            file.flush()
            sync(file.fileno())
        part.replace(target)
        path.unlink()
    sync_folder(target.parent)
    return target


class _Copy:
    """One file that holds the lines of a journal, as many as could be written so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None
        self._lines = 0
        self._size = 0

    @property
    def is_there(self) -> bool:
        """Whether it was made."""
        return self._size > 0

    def bring_up_to_date(self, lines: Sequence[bytes]) -> None:
        """Have all lines on the disk. Raises OSError where that fails; what was there before stays whole."""
        handle = self._open()
        block = b"".join(lines[self._lines :])
        if not block:
            return
        is_new = self._size == 0
        try:
            _write_all(handle, block)
            sync(handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, self._size)
            self.close()  # what a drive that has come back knows is another handle
            if is_new:
                with suppress(OSError):
                    self.path.unlink()
            raise
        if is_new:
            sync_folder(self.path.parent)
        self._lines, self._size = len(lines), self._size + len(block)

    def _open(self) -> int:
        """Return the file open at the end of what was written; made anew where somebody has taken it away."""
        if self._handle is not None and not self._is_at_its_place(self._handle):
            self.close()
        if self._handle is None:
            if not (self._size and self.path.exists()):
                self._lines = self._size = 0
                make_private(self.path.parent)
            flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
            handle = os.open(self.path, flags, 0o600)
            try:
                os.ftruncate(handle, self._size)
            except OSError:
                os.close(handle)
                raise
            self._handle = handle
        os.lseek(self._handle, self._size, os.SEEK_SET)
        return self._handle

    def _is_at_its_place(self, handle: int) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(handle)
        return (there.st_ino, there.st_dev, there.st_size) == (mine.st_ino, mine.st_dev, self._size)

    def remove(self) -> None:
        """Delete the file, since another one holds all that it does."""
        self.close()
        if self._size:
            with suppress(OSError):
                self.path.unlink()
            self._lines = self._size = 0

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None


def _write_all(handle: int, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[os.write(handle, left) :]
