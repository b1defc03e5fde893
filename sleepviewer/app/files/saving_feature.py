"""Saves and exports the open night, says what came of it, and lets nobody leave unsaved edits unasked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.info_bar import InfoBar
from sleepviewer.app.shell.status_line import StatusLine
from sleepviewer.errors import ReviewInTheWayError, SleepViewerError
from sleepviewer.review.exporting import ExportOptions, Format, export_labels
from sleepviewer.review.journal import Safety
from sleepviewer.review.saving import save_path_of, save_review


class SavingController(QObject):
    """Between the document of the open night and the files that it is written to."""

    saved = Signal()

    def __init__(self, channel: Callable[[], str | None], bar: InfoBar, status: StatusLine, window: QWidget) -> None:
        """``channel`` says which channel's signal an archive is to hold."""
        super().__init__(window)
        self._channel = channel
        self._bar = bar
        self._status = status
        self._window = window
        self._session: NightSession | None = None
        self._export_options = ExportOptions(Format.ARCHIVE)
        self.saved_at = ""
        """When the open night was saved last since it was opened, ``HH:MM``; empty where it was not."""

    def set_session(self, session: NightSession) -> None:
        """Follow another night."""
        self._session, self.saved_at = session, ""

    # -- saving

    def save(self) -> bool:
        """Save the review beside the recording (or where it was saved before); say where."""
        return self._session is not None and self._save_to(self._session, save_path_of(self._session.night))

    def save_as(self, proposed: Path | None = None) -> bool:
        """Ask where to save the review, and save it there."""
        if self._session is None:
            return False
        path = dialogs.ask_save_path(self._window, proposed or save_path_of(self._session.night))
        return path is not None and self._save_to(self._session, path, replace=True)

    def _save_to(self, session: NightSession, path: Path, *, replace: bool = False) -> bool:
        night = session.night
        if night.document.read_only:
            self._bar.show_error(night.document.read_only)
            return False
        night.channel = self._channel()
        notes_before = night.notes
        try:
            save_review(night, path, replace=replace)
        except ReviewInTheWayError as error:
            self._bar.show_error(str(error))
            return self.save_as(_free_name(path))
        except SleepViewerError as error:
            self._show_failure(f"Not saved: {error} {_still(session)}")
            return False
        self._bar.hide_error()
        if night.notes != notes_before:
            self._bar.show_notes(night.notes[len(notes_before) :])
        self.saved_at = f"{datetime.now():%H:%M}"
        self._status.show_message(f"Saved to {path.absolute()}")
        self.saved.emit()
        return True

    def may_leave(self) -> bool:
        """Ask about unsaved edits; False means stay."""
        session = self._session
        if session is None or session.document.read_only or not session.document.unsaved:
            return True
        unsafe = session.safety.reason if session.safety.safety is Safety.UNSAFE else ""
        edits, journaled = len(session.document.history), session.is_journaled
        answer = dialogs.ask_about_unsaved(self._window, edits, unsafe, journaled)
        session.is_discarded = answer is dialogs.Answer.DISCARD
        return self.save() if answer is dialogs.Answer.SAVE else answer is not dialogs.Answer.STAY

    # -- exporting

    def ask_and_export(self) -> None:
        """Ask what to write of the labels that count and where, and write it."""
        if self._session is None:
            return
        from sleepviewer.app.files.export_dialog import ask_export

        asked = ask_export(self._session.night, self._export_options, self._window)
        if asked is not None:
            path, self._export_options = asked
            self.export(path, self._export_options)

    def export(self, path: Path, options: ExportOptions | None = None) -> bool:
        """Write the labels that count; without ``options`` all of them, as what the file's name ends in."""
        if self._session is None:
            return False
        self._session.night.channel = self._channel()
        try:
            line = export_labels(self._session.night, path, options=options, replace=True)
        except SleepViewerError as error:
            self._show_failure(f"Not exported: {error}")
            return False
        self._bar.hide_error()
        self._status.show_message(f"Exported to {path.absolute()}: {line['epochs']} epochs, {line['edited']} corrected")
        return True

    def _show_failure(self, sentence: str) -> None:
        """Show an error, and no older success beside it."""
        self._status.show_message("")
        self._bar.show_error(sentence)


def _still(session: NightSession) -> str:
    """Say where the edits are that could not be saved."""
    if session.is_journaled and session.safety.safety is not Safety.UNSAFE:
        where = "Your edits are still here and in the journal, from where they come back"
    else:
        where = "Your edits are still here"
    return f"{where}; save under another name, or write the labels as CSV with File › Export…"


def _free_name(path: Path) -> Path:
    """Return a name beside ``path`` that no file has: ``night-2.npz``."""
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(name for name in numbered if not name.exists())
