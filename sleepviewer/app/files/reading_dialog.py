"""The question how a hypnogram is to be read that can be read in more than one way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QRadioButton, QVBoxLayout, QWidget

from sleepviewer.errors import AmbiguousHypnogramError, RecordingError
from sleepviewer.hypnogram import Reading, readings_of
from sleepviewer.recording import FileStamp

_Read = TypeVar("_Read")


class ReadingDialog(QDialog):
    """The possible readings in words, none of them chosen for her; the chosen one is ``reading``."""

    def __init__(self, sentence: str, readings: Sequence[Reading], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readingDialog")
        self.setWindowTitle("How is this hypnogram to be read?")
        question = QLabel(sentence, self)
        question.setTextFormat(Qt.TextFormat.PlainText)
        question.setWordWrap(True)
        self._buttons = QDialogButtonBox(self)
        self._read = self._buttons.addButton("Read it so", QDialogButtonBox.ButtonRole.AcceptRole)
        self._read.setEnabled(False)
        self._buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(2)
        layout.addWidget(question)
        self.choices: dict[str, QRadioButton] = {}
        for place, reading in enumerate(readings, 1):
            choice = QRadioButton(f"&{place}  {reading.meaning}", self)
            choice.setAccessibleName(f"{reading.meaning}: {reading.minutes_text}")
            choice.toggled.connect(lambda _: self._read.setEnabled(True))
            night = QLabel(f"The night would be {reading.minutes_text}.", self)
            night.setTextFormat(Qt.TextFormat.PlainText)
            night.setWordWrap(True)
            night.setIndent(24)
            layout.addSpacing(6)
            layout.addWidget(choice)
            layout.addWidget(night)
            self.choices[reading.id] = choice
        layout.addSpacing(10)
        layout.addWidget(self._buttons)
        self.setMinimumWidth(600)

    @property
    def reading(self) -> str | None:
        """The chosen reading's name, if any."""
        return next((name for name, button in self.choices.items() if button.isChecked()), None)


def ask_reading(parent: QWidget, path: Path, error: AmbiguousHypnogramError) -> str | None:
    """Ask how a file is to be read; None where it is not said."""
    dialog = ReadingDialog(str(error), readings_of(path, error.choices), parent)
    return dialog.reading if dialog.exec() == QDialog.DialogCode.Accepted else None


class Readings:
    """Has files read as a person says where they are ambiguous, and remembers that until the program ends."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._said: dict[tuple[Path, FileStamp], str] = {}

    def read(self, path: Path, read: Callable[[str | None], _Read]) -> _Read | None:
        """Call ``read`` with the reading that was said of a file, or None; ask where it has to be said.

        Returns None where she does not say it. Raises what ``read`` raises, AmbiguousHypnogramError among it where no
        reading is known that would do.
        """
        try:
            return read(self.said_of(path))
        except AmbiguousHypnogramError as error:
            if not error.choices:
                raise
            chosen = ask_reading(self._window, path, error)
        if chosen is None:
            return None
        result = read(chosen)
        if (key := _key(path)) is not None:
            self._said[key] = chosen
        return result

    def said_of(self, path: Path) -> str | None:
        """Return what was said of a file as it is now, if anything."""
        key = _key(path)
        return None if key is None else self._said.get(key)


def _key(path: Path) -> tuple[Path, FileStamp] | None:
    try:
        return path.resolve(), FileStamp.of(path)
    except (OSError, RecordingError):
        return None
