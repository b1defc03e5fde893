"""Reads pages in a thread of its own: a drive that takes its time holds up the picture, never the window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

Work = Callable[[Callable[[], bool]], object]
"""Takes a function that tells whether the answer is not wanted any more, to look at between two reads."""

PATIENCE_S: Final = 0.03
"""So long the window waits for a page on the spot: a quick drive has answered by then, and no mark has flickered."""

IMPATIENCE_S: Final = 0.008
"""So long it waits after a drive was slow: pages that are in memory are there by then."""

_LOOK_MS: Final = 4
"""Between two looks at whether an answer has come, while one is waited for."""


class NotWanted(Exception):
    """Raised by work that has found that its answer is not wanted any more."""


class Purpose(IntEnum):
    """What an answer is wanted for; of each, the newest alone, and the first of them before the others."""

    PAGE = 0
    MEASURE = 1
    SCALES = 2
    NEXT_PAGE = 3


class Asked:
    """Something that was asked for: its ``key``, and in the end its ``answer`` or ``error``."""

    def __init__(self, key: object, purpose: Purpose, work: Work) -> None:
        self.key = key
        self.purpose = purpose
        self.answer: object = None
        self.error: Exception | None = None
        self._work = work
        self._done = threading.Event()
        self._unwanted = threading.Event()
        self._since = time.monotonic()
        self.took_s = 0.0
        """Seconds from the asking to the answer."""

    @property
    def done(self) -> bool:
        """Whether the answer, or the error, is there."""
        return self._done.is_set()

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for it."""
        return not self._unwanted.is_set()

    def wait(self, seconds: float | None) -> bool:
        """Wait for the answer; return whether it is there."""
        return self._done.wait(seconds)

    def drop(self) -> None:
        """Want it no more."""
        self._unwanted.set()

    def carry_out(self) -> None:
        """Find the answer; called in the thread."""
        try:
            self.answer = self._work(self._unwanted.is_set)
        except NotWanted:  # nobody looks at it: kept, its traceback would hold half a page, and itself, for long
            self._unwanted.set()
        except Exception as error:  # it is raised where the answer is taken
            self.error = error
        self.took_s = time.monotonic() - self._since
        self._done.set()


class _Desk:
    """What lies between the window's thread, which asks, and the one that reads; it knows nothing of Qt.

    So the thread touches no object that the window may be destroying at that moment.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._waiting: dict[Purpose, Asked] = {}
        self._running: Asked | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def ask(self, key: object, purpose: Purpose, work: Work) -> Asked:
        with self._change:
            running, waiting = self._running, self._waiting.get(purpose)
            if running is not None and running.key == key and running.wanted:
                running.purpose = min(purpose, running.purpose)
                self._drop_waiting(purpose)
                return running
            if waiting is not None and waiting.key == key:
                return waiting
            if running is not None and (running.purpose is purpose or running.purpose is Purpose.NEXT_PAGE):
                running.drop()
            self._drop_waiting(purpose)
            asked = self._waiting[purpose] = Asked(key, purpose, work)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._serve, name="pages", daemon=True)
                self._thread.start()
            self._change.notify()
        return asked

    def close(self, wait_s: float) -> None:
        with self._change:
            self._closed = True
            for asked in (self._running, *self._waiting.values()):
                if asked is not None:
                    asked.drop()
            self._waiting.clear()
            self._change.notify()
        if self._thread is not None:
            self._thread.join(wait_s)

    def _drop_waiting(self, purpose: Purpose) -> None:
        if (older := self._waiting.pop(purpose, None)) is not None:
            older.drop()

    def _serve(self) -> None:
        while (asked := self._next()) is not None:
            asked.carry_out()
            with self._change:
                self._running = None

    def _next(self) -> Asked | None:
        with self._change:
            while not self._waiting and not self._closed:
                self._change.wait()
            if self._closed:
                return None
            self._running = self._waiting.pop(min(self._waiting))
            return self._running


class PageReader(QObject):
    """Answers one question at a time, the most urgent first; a newer question of a purpose takes the older one's place.

    What is being read when that happens goes on to its next look at whether it is wanted: a read itself can't be
    stopped. ``arrived`` comes for every answer that is still wanted, unless it was waited for and taken on the spot.
    """

    arrived = Signal(object)
    """An Asked."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = _Desk()
        self._outstanding: list[Asked] = []
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        self._look.setTimerType(Qt.TimerType.PreciseTimer)
        self._look.timeout.connect(self._deliver)
        self.slow = False
        """Whether the last page took longer than the window waits on the spot."""

    def ask(self, key: object, purpose: Purpose, work: Work) -> Asked:
        """Ask for something; what is being read under the same key already is taken over, for whatever purpose."""
        asked = self._desk.ask(key, purpose, work)
        if asked not in self._outstanding:
            self._outstanding.append(asked)
        self._look.start()
        return asked

    def wait(self, asked: Asked) -> bool:
        """Wait on the spot as long as a quick drive needs; return whether the answer is there and can be taken."""
        there = asked.wait(IMPATIENCE_S if self.slow else PATIENCE_S)
        if there and asked in self._outstanding:
            self._outstanding.remove(asked)
        return there

    def judge(self, asked: Asked) -> None:
        """Learn from a page that has come whether the drive is slow."""
        self.slow = asked.took_s > PATIENCE_S

    def close(self, wait_s: float = 0.0) -> None:
        """Answer nothing more; the read that is under way is waited for so long."""
        self._look.stop()
        self._outstanding.clear()
        self._desk.close(wait_s)

    def _deliver(self) -> None:
        there = [asked for asked in self._outstanding if asked.done]
        self._outstanding = [asked for asked in self._outstanding if asked.wanted and not asked.done]
        if not self._outstanding:
            self._look.stop()
        for asked in there:
            if asked.wanted:
                self.arrived.emit(asked)
