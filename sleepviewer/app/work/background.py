"""Work beside the window: one call at a time in a thread of its own, whose answer is dropped once it is not wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

Work = Callable[[Callable[[], bool]], object]
"""Takes a function that tells whether the answer is still wanted (then False)."""


class Background(QObject):
    """Runs a call in the background; starting another one, or :meth:`cancel`, makes the answer unwanted.

    The call is given ``cancelled`` to look at from time to time. What it raises comes as ``failed`` and, like its
    answer, in the window's own thread; of what was cancelled nothing comes any more.
    """

    done = Signal(object)
    failed = Signal(object)
    _ended = Signal(object, object, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._wanted: threading.Event | None = None  # set when it is wanted no more
        self._thread: threading.Thread | None = None
        self._ended.connect(self._on_ended)

    @property
    def running(self) -> bool:
        """Whether an answer is being waited for."""
        return self._wanted is not None

    def start(self, work: Work) -> None:
        """Run ``work`` instead of whatever runs."""
        self.cancel()
        unwanted = self._wanted = threading.Event()

        def run() -> None:
            try:
                answer, error = work(unwanted.is_set), None
            except Exception as raised:  # it is told in the window's thread, where it is known what to make of it
                answer, error = None, raised
            if not unwanted.is_set():
                self._ended.emit(unwanted, answer, error)

        self._thread = threading.Thread(target=run, name=self._name, daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Want no answer any more."""
        if self._wanted is not None:
            self._wanted.set()
            self._wanted = None

    def close(self) -> None:
        """Want no answer any more, and wait for the thread to notice, so that it outlives nothing that it uses."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None

    def _on_ended(self, unwanted: threading.Event, answer: object, error: object) -> None:
        if unwanted is not self._wanted:
            return
        self._wanted = None
        if error is None:
            self.done.emit(answer)
        else:
            self.failed.emit(error)
