"""Notes for how long the window's thread answers to nothing, and what it was doing."""

from __future__ import annotations

import faulthandler
import re
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

_BEAT_MS = 10
_LOOK_S = 0.02
_DEPTH = 8
_PLACE = re.compile(r'File "(.*)", line (\d+) in (.*)')


@dataclass
class Stall:
    """A time without an answer.

    ``waited_ms`` of it the thread was ready to run and other processes had the cores (Linux tells; else 0): what is
    left, ``own_ms``, is the program's, or that of what it waited for (a thread, the X server). ``cpu_ms`` the thread
    itself computed.
    """

    ms: float
    waited_ms: float
    cpu_ms: float
    stack: str

    @property
    def own_ms(self) -> float:
        """What of it is the program's."""
        return self.ms - self.waited_ms

    def as_dict(self) -> dict[str, object]:
        """For a result, in whole milliseconds."""
        return {"ms": round(self.ms), "own_ms": round(self.own_ms), "cpu_ms": round(self.cpu_ms), "stack": self.stack}


class Watchdog(QObject):
    """A timer beats in the window's thread; a thread of its own looks at when it beat last."""

    def __init__(self, over_ms: float) -> None:
        super().__init__()
        self.stalls: list[Stall] = []
        self._over_ms = over_ms
        self._main = threading.main_thread().ident
        self._schedule = Path(f"/proc/self/task/{threading.main_thread().native_id}/schedstat")
        self._beaten = time.perf_counter()
        self._waited, self._cpu = self._queued_ms(), 1000 * time.thread_time()
        self._stack = ""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.beat)
        self._timer.start(_BEAT_MS)
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def beat(self) -> None:
        """Note that the window's thread is alive."""
        now, waited, cpu = time.perf_counter(), self._queued_ms(), 1000 * time.thread_time()
        ms = 1000 * (now - self._beaten)
        if ms > self._over_ms:
            self.stalls.append(Stall(ms, waited - self._waited, cpu - self._cpu, self._stack))
        self._beaten, self._waited, self._cpu, self._stack = now, waited, cpu, ""

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()
        self._stopped.set()

    def _queued_ms(self) -> float:
        """Time for which the window's thread has waited for a core, in ms."""
        try:
            return int(self._schedule.read_text().split()[1]) / 1e6
        except (OSError, IndexError, ValueError):
            return 0.0

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            late_ms = 1000 * (time.perf_counter() - self._beaten)
            if late_ms > self._over_ms / 2 and not self._stack:
                self._stack = _stack_of(self._main)


def _stack_of(thread: int | None) -> str:
    """Return where a thread is.

    By faulthandler, which reads the frames and holds none: a frame that is let go of here would take what it holds
    with it, a painter for example, and that must not end in any other thread than the window's.
    """
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        sections = file.read().split("\n\n")
    section = next((part for part in sections if f"0x{thread or 0:016x}" in part.partition("\n")[0]), "")
    places = [_PLACE.search(line) for line in section.splitlines()[1 : 1 + _DEPTH]]
    return " < ".join(f"{Path(p[1]).name}:{p[2]} {p[3]}" for p in places if p is not None)
