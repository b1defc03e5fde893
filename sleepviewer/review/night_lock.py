"""One window edits a night for one scorer: a lock that survives crashes, on any system and on network drives.

A lock is a small file that names its holder. Making it is exclusive (``O_EXCL``), which file systems of all kinds keep;
none of the kinds of locks that one system or one drive has and another has not are used. Of a holder on this machine it
is known whether it lives; one on another machine shows it by touching the file, and is taken for gone after two
minutes without.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sleepviewer.review.processes import start_of, this_machine
from sleepviewer.review.scorer import name_in_files, usual_scorer
from sleepviewer.review.state_folder import RecordingFacts, StateFolders, make_private

BEAT_S: Final = 20.0
"""Seconds between two touches of a lock that is held."""
STALE_S: Final = 120.0
"""Seconds without a touch after which a holder on another machine is taken for gone."""
_GUARD_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: ``machine`` tells hosts and their restarts apart, ``token`` the windows of one process."""

    user: str
    host: str
    machine: str
    pid: int
    started: str
    since: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def of_this_process(cls) -> Holder:
        """Return a new holder in this process."""
        pid = os.getpid()
        since = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(usual_scorer(), platform.node(), this_machine(), pid, start_of(pid) or "", since)

    @property
    def text(self) -> str:
        """The holder in words: ``alice on lab-3 (process 4711), since 22:14``."""
        if not self.host:
            return "somebody who is just opening it"
        try:
            at = datetime.fromisoformat(self.since).astimezone()
            today = at.date() == datetime.now().astimezone().date()
            since = f"{at:%H:%M}" if today else f"{at:%Y-%m-%d %H:%M}"
        except ValueError:
            since = "an unknown time"
        return f"{self.user} on {self.host} (process {self.pid}), since {since}"


_UNKNOWN: Final = Holder("", "", "", 0, "", "", "")
"""The holder of a lock that says nothing, as one that is being written this moment."""


class Lock:
    """One lock file and what this window knows of it."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self.path = path
        self._holder = holder
        self.is_held = False
        self.taken_over: Holder | None = None
        """The holder that was gone and whose lock this was."""

    def acquire(self) -> Holder | None:
        """Take the lock; return None where it is ours now, else who has it. Raises OSError where there can be none."""
        for _ in range(3):
            if self._make():
                return None
            other = read_holder(self.path)
            if other is None:  # released in between
                continue
            if is_alive(other, self.path):
                return other
            if self._take_over(other):
                return None
        return read_holder(self.path) or _UNKNOWN

    def _make(self) -> bool:
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_written(self._holder))
        self.is_held = True
        return True

    def _take_over(self, gone: Holder) -> bool:
        """Put our name in the place of one that is gone. A guard keeps two from doing so at the same time."""
        guard = self.path.with_name(self.path.name + "-takeover")
        try:
            os.close(os.open(guard, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        except FileExistsError:
            if _age_s(guard) > _GUARD_S:
                with suppress(OSError):
                    guard.unlink()
            return False
        try:
            if read_holder(self.path) != gone:
                return False
            part = self.path.with_name(f"{self.path.name}-{self._holder.token[:8]}")
            part.write_text(_written(self._holder), encoding="utf-8")
            part.replace(self.path)
        finally:
            with suppress(OSError):
                guard.unlink()
        self.is_held, self.taken_over = True, gone
        return True

    def beat(self) -> bool:
        """Show that we are alive; return whether the lock is still ours."""
        if not self.is_held:
            return False
        try:
            now = read_holder(self.path)
            if now is None:  # somebody has tidied up
                return self._make()
            if now.token != self._holder.token:
                self.is_held = False
                return False
            os.utime(self.path)
        except OSError:
            pass  # the drive is away: nobody else can take the lock there either
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self.is_held:
            self.is_held = False
            with suppress(OSError):
                now = read_holder(self.path)
                if now is not None and now.token == self._holder.token:
                    self.path.unlink()


class NightLock:
    """The locks of one night and scorer: in the user's state folder, and beside the recording for other machines.

    The one beside it is left out where that folder can't be written to. A thread touches what is held.
    """

    def __init__(self, facts: RecordingFacts, scorer: str, folders: StateFolders) -> None:
        holder = Holder.of_this_process()
        recording = Path(facts.path)
        beside = recording.with_name(f".{recording.name}.{name_in_files(scorer)}.sleepviewer-lock")
        self._folders = folders
        self._locks = [Lock(lock_path(facts, scorer, folders), holder), Lock(beside, holder)]
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._lost = False

    def acquire(self) -> Holder | None:
        """Take both; return None where the night is ours to edit, else who has it.

        Where no lock can be made at all (no folder can be written to), the night is ours.
        """
        with suppress(OSError):
            make_private(self._folders.locks)
        for lock in self._locks:
            try:
                other = lock.acquire()
            except OSError:
                continue
            if other is not None:
                self._release()
                return other
        self._lost = False
        self._thread = threading.Thread(target=self._beat, name="lock", daemon=True)
        self._thread.start()
        return None

    @property
    def taken_over(self) -> Holder | None:
        """The holder that was gone and whose lock was taken over."""
        return next((lock.taken_over for lock in self._locks if lock.taken_over is not None), None)

    @property
    def is_lost(self) -> bool:
        """Whether another machine has taken the night over, since this one slept or its drive was away."""
        return self._lost

    def release(self) -> None:
        """Give the night back."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._release()

    def _release(self) -> None:
        for lock in self._locks:
            lock.release()

    def _beat(self) -> None:
        while not self._end.wait(BEAT_S):
            self.beat()

    def beat(self) -> None:
        """Touch what is held, as the thread does all the time."""
        held = [lock for lock in self._locks if lock.is_held]
        still_ours = [lock.beat() for lock in held]
        self._lost = self._lost or not all(still_ours)


def lock_path(facts: RecordingFacts, scorer: str, folders: StateFolders) -> Path:
    """Return where a night's lock for a scorer is in the state folder."""
    return folders.locks / f"{facts.place_key}-{name_in_files(scorer)}.lock"


def living_holder(path: Path) -> Holder | None:
    """Return who holds a lock, None where nobody who lives does."""
    try:
        holder = read_holder(path)
        return holder if holder is not None and is_alive(holder, path) else None
    except OSError:
        return None


def read_holder(path: Path) -> Holder | None:
    """Return who holds a lock by its file; None where there is none. Raises OSError where it can't be read."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    try:
        values = json.loads(text)
        names = ("user", "host", "machine", "started", "since", "token")
        texts = {name: str(values[name]) for name in names}
        return Holder(pid=int(values["pid"]), **texts)
    except (ValueError, KeyError, TypeError):
        return _UNKNOWN


def is_alive(holder: Holder, path: Path) -> bool:
    """Whether a lock's holder still runs: known of this machine, of another one by the age of the last touch."""
    if holder.machine == this_machine():
        started = start_of(holder.pid)
        return started is not None and (not started or not holder.started or started == holder.started)
    return _age_s(path) < STALE_S


def _age_s(path: Path) -> float:
    """Return seconds since a file was touched, by the clock of the drive that it is on; 0 where it is gone."""
    try:
        touched = path.stat().st_mtime
    except OSError:
        return 0.0
    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            now = os.fstat(probe.fileno()).st_mtime
    except OSError:
        now = time.time()
    return now - touched


def _written(holder: Holder) -> str:
    return json.dumps(asdict(holder))
