"""Waits for work that may take long, beside the window: it goes on painting, and Esc cancels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

T = TypeVar("T")

AT_ONCE_S: Final = 0.1
"""What is done by then is waited for on the spot: no event comes in between."""
SAID_AFTER_MS: Final = 200
"""After so much longer, a dialog says what is being done."""
_LOOK_MS: Final = 10


class _Job(Generic[T]):
    """The work in its thread; ``drop`` is called there with an answer that nobody waits for any more."""

    def __init__(self, work: Callable[[], T], drop: Callable[[T], None]) -> None:
        self.done = threading.Event()
        self.answer: T | None = None
        self.error: Exception | None = None
        self._work, self._drop = work, drop
        self._lock = threading.Lock()
        self._left = False
        threading.Thread(target=self._run, name="waited-for", daemon=True).start()

    def _run(self) -> None:
        try:
            answer = self._work()
        except Exception as error:  # it is raised where the answer is waited for
            self.error = error
        else:
            with self._lock:
                if not self._left:
                    self.answer = answer
            if self._left:
                self._drop(answer)
        self.done.set()

    def leave(self) -> None:
        with self._lock:
            self._left = True
        if self.answer is not None:
            self._drop(self.answer)


def wait_for(
    parent: QWidget, doing: str, work: Callable[[], T], drop: Callable[[T], None] = lambda _: None
) -> T | None:
    """Have work done in a thread, and return its answer, or None where the user cancelled.

    The window paints meanwhile but takes no keys; after a third of a second a dialog says what is being done, with a
    button (and Esc) that cancels. Work that can't be stopped goes on then, and ``drop`` gets what comes of it. Raises
    what the work raises.
    """
    job = _Job(work, drop)
    if not job.done.wait(AT_ONCE_S):
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            cancelled = _wait_beside(parent, doing, job)
        finally:
            QApplication.restoreOverrideCursor()
        if cancelled:
            job.leave()
            return None
    if job.error is not None:
        raise job.error
    return job.answer


def _wait_beside(parent: QWidget, doing: str, job: _Job[T]) -> bool:
    """Let Qt work until the job is done; return whether it was cancelled before that."""
    loop = QEventLoop()
    look, said = QTimer(), QTimer()
    look.timeout.connect(lambda: loop.quit() if job.done.is_set() else None)
    look.start(_LOOK_MS)
    said.setSingleShot(True)
    said.timeout.connect(loop.quit)
    said.start(SAID_AFTER_MS)
    # Keys that are pressed now wait for what they are meant for.
    loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    if job.done.is_set():
        return False
    dialog = WaitingDialog(doing, parent)
    dialog.rejected.connect(loop.quit)
    dialog.open()
    loop.exec()
    cancelled = not job.done.is_set()
    dialog.rejected.disconnect(loop.quit)
    dialog.close()
    dialog.deleteLater()
    return cancelled


class WaitingDialog(QDialog):
    """Says what is being done, and that it can be cancelled."""

    def __init__(self, doing: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("waiting")
        self.setWindowTitle("One moment")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        label = QLabel(doing, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        bar = QProgressBar(self)
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setAccessibleName(doing)
        cancel = QPushButton("Cancel (Esc)", self)
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(bar, 1)
        row.addWidget(cancel)
        layout = QVBoxLayout(self)
        layout.addWidget(label)
        layout.addLayout(row)
        self.setMinimumWidth(420)
