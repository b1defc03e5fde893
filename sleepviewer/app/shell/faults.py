"""What happens when the program itself is wrong: the error goes to the log, one dialog says so, and work goes on."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Final

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QLabel, QPushButton, QStyle, QVBoxLayout, QWidget

from sleepviewer.logs import debugging, log_error, log_file

QUIET_S: Final = 60.0
"""So long after a dialog was closed no other one opens: what is wrong in every picture would never let her work."""

_SENTENCE: Final = "Something went wrong inside SleepViewer. Your corrections are still here, as you left them."


class FaultKeeper(QObject):
    """Takes what nobody else took: errors of the window's thread, and of any other.

    Nothing is sent anywhere. One dialog is shown at a time; what comes while it is open is counted there, and what
    comes soon after it is told in the status line.

    ``tell`` shows a sentence in the status line; ``save_unsaved`` saves unsaved edits and returns False where it can't.
    """

    _heard = Signal()

    def __init__(self, window: QWidget, tell: Callable[[str], None], save_unsaved: Callable[[], bool]) -> None:
        super().__init__(window)
        self._window = window
        self._tell = tell
        self._save_unsaved = save_unsaved
        self._dialog: FaultDialog | None = None
        self._quiet_until = 0.0
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook, threading.excepthook = self._on_error, self._on_thread_error
        # Queued also from this thread: the dialog does not open in the middle of what failed.
        self._heard.connect(self._show, Qt.ConnectionType.QueuedConnection)

    @property
    def dialog(self) -> FaultDialog | None:
        """The dialog that is open."""
        return self._dialog

    def close(self) -> None:
        """Leave errors to whoever took them before."""
        sys.excepthook, threading.excepthook = self._hooks

    def _on_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._take(error, "in the window")

    def _on_thread_error(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            self._take(args.exc_value, f"in the thread {args.thread.name if args.thread else 'of no name'}")

    def _take(self, error: BaseException, where: str) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._window.close()
            return
        log_error(error, where)
        if debugging() and sys.stderr is not None:
            traceback.print_exception(error, file=sys.stderr)
        try:
            self._heard.emit()
        except RuntimeError:  # the window is gone: the log has it
            return

    def _show(self) -> None:
        if self._dialog is not None:
            self._dialog.count_another()
        elif time.monotonic() < self._quiet_until:
            self._tell("Another error was written to the log (Help › Show the log's folder)")
        else:
            dialog = self._dialog = FaultDialog(self._window)
            dialog.finished.connect(self._on_closed)
            dialog.save_asked.connect(self._save_and_close)
            while QApplication.overrideCursor() is not None:  # whoever set it may be what failed
                QApplication.restoreOverrideCursor()
            dialog.open()

    def _on_closed(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
        self._dialog = None
        self._quiet_until = time.monotonic() + QUIET_S

    def _save_and_close(self) -> None:
        if self._save_unsaved():
            self._window.close()


class FaultDialog(QDialog):
    """Says that the program was wrong, where that is written down, and that nothing is lost."""

    save_asked = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("fault")
        self.setWindowTitle("An error of the program")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._more = 0
        picture = QLabel(self)
        size = self.style().pixelMetric(QStyle.PixelMetric.PM_MessageBoxIconSize)
        picture.setPixmap(self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning).pixmap(size or 48))
        sentence = QLabel(_SENTENCE, self)
        font = sentence.font()
        font.setBold(True)
        sentence.setFont(font)
        path = log_file()
        self._folder = None if path is None else path.parent
        kept = "It could not be written to a log." if path is None else f"What happened was written to the log:\n{path}"
        self._text = QLabel(f"{kept}\nNothing was sent anywhere.", self)
        self._count = QLabel(self)
        for label in (sentence, self._text, self._count):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._count.hide()
        self.setAccessibleDescription(f"{_SENTENCE} {self._text.text()}")
        folder = QPushButton("Show the log's folder", self)
        folder.clicked.connect(lambda: show_folder(self._folder))
        folder.setEnabled(path is not None)
        save = QPushButton("Save and close", self)
        save.clicked.connect(self._ask_to_save)
        go_on = QPushButton("Keep working", self)
        go_on.clicked.connect(self.reject)
        go_on.setDefault(True)
        words = QVBoxLayout()
        words.addWidget(sentence)
        words.addWidget(self._text)
        words.addWidget(self._count)
        top = QHBoxLayout()
        top.addWidget(picture, alignment=Qt.AlignmentFlag.AlignTop)
        top.addSpacing(8)
        top.addLayout(words, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(folder)
        buttons.addStretch(1)
        buttons.addWidget(save)
        buttons.addWidget(go_on)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(16)
        layout.addLayout(top)
        layout.addLayout(buttons)
        self.setMinimumWidth(560)
        go_on.setFocus()

    @property
    def text(self) -> str:
        """All that it says."""
        return "\n".join((_SENTENCE, self._text.text(), self._count.text())).strip()

    def count_another(self) -> None:
        """Say that it was not the only one."""
        self._more += 1
        self._count.setText(f"{'One more error' if self._more == 1 else f'{self._more} more errors'} came since.")
        self._count.show()

    def _ask_to_save(self) -> None:
        self.accept()
        self.save_asked.emit()


def show_folder(folder: object) -> None:
    """Show a folder in the system's program for files; None shows nothing."""
    if folder is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
