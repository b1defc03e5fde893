"""Asks which units channels are in, remembers what was said for each recording, and has it undone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QDialog, QWidget

from sleepviewer.app.feature import TracesAccess
from sleepviewer.app.files import units_dialog
from sleepviewer.app.files.units_bar import UnitsBar
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.work.background import Background
from sleepviewer.errors import ChannelError
from sleepviewer.recording import Recording, ToldUnit
from sleepviewer.recording.units_told import (
    RecordingAsTold,
    UnitQuestion,
    told_from_json,
    told_to_json,
    unit_questions,
)
from sleepviewer.review.night import Night, tell_units

_SETTING: Final = "units/told"
_MOST_RECORDINGS: Final = 200
_AFTER_PAINTING_MS: Final = 200
"""The first page is to be on the screen before anything is read beside it."""


class UnitsController(QObject):
    """Between the bar, the dialogs, the settings and the recording of the open night."""

    told = Signal(object)
    """The open night's recording is another one now: these channels (a set of labels) are in other units."""

    def __init__(self, traces: TracesAccess, bar: UnitsBar, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._traces = traces
        self._bar = bar
        self._settings = settings
        self._session: NightSession | None = None
        self._put_off: set[str] = set()
        self._looked: set[str] = set()
        self._open: list[UnitQuestion] = []
        self._work = Background("units", self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_AFTER_PAINTING_MS)
        self._soon.timeout.connect(self._look)
        self._work.done.connect(self._on_looked)
        bar.answered.connect(self._on_answered)
        bar.put_off.connect(self._on_put_off)
        traces.montage_shown.connect(self._soon.start)

    # -- the open night

    def recall(self, night: Night, units: Iterable[ToldUnit] = ()) -> None:
        """Give a night that was just opened what was said of its channels before; ``units`` were said for this time.

        What was said in the window counts more than what a saved review holds: it may have been taken back since.
        """
        explicit = tuple(units)
        kept = self._kept().get(_key(night.recording))
        if kept is not None:
            with suppress(ChannelError):  # damaged settings: then it is asked again
                tell_units(night, (*told_from_json(night.recording, kept), *explicit))
        if explicit:
            self._remember(night.recording)

    def set_session(self, session: NightSession) -> None:
        """Follow another night, or the same one after something was said of it."""
        if self._session is None or self._session.night is not session.night:
            self._put_off = set()
        self._work.cancel()
        self._session = session
        self._looked, self._open = set(), []
        self._bar.ask(None)
        session.channel_changed.connect(self._soon.start)
        self._soon.start()

    def close(self) -> None:
        """Look no further."""
        self._soon.stop()
        self._work.close()

    def settled(self, labels: Iterable[str | None], purpose: str) -> bool:
        """Ask about channels that are about to be used; False where an answer is refused, and nothing is to be done.

        ``purpose`` is what depends on the answer, at the beginning of a sentence.
        """
        wanted = {label for label in labels if label}
        while self._session is not None and wanted:
            questions = self._questions_about(wanted)
            if not questions:
                return True
            unit = units_dialog.ask_unit(self._window, questions[0], purpose)
            if unit is None:
                return False
            self._on_answered(questions[0], unit)
        return True

    def ask_all(self) -> None:
        """Show what is said of every channel, and take what is changed there."""
        if self._session is None:
            return
        recording = self._session.night.recording
        dialog = units_dialog.UnitsDialog(recording, _plain(recording), self._window)
        if dialog.exec() == QDialog.DialogCode.Accepted and dialog.units != recording.told_units:
            self.tell(dialog.units)

    def forget(self) -> None:
        """Take back what was said of this night's units."""
        self.tell(())

    @property
    def any_told(self) -> bool:
        """Whether something was said of the open night's units."""
        return self._session is not None and bool(self._session.night.recording.told_units)

    def tell(self, units: Iterable[ToldUnit]) -> None:
        """Have the open night's channels be in these units, in these alone, and remember it."""
        if self._session is None:
            return
        night = self._session.night
        before = set(night.recording.told_units)
        tell_units(night, units)
        self._remember(night.recording)
        self._put_off = set()
        self.told.emit({unit.label for unit in before ^ set(night.recording.told_units)})

    # -- asking

    def _questions_about(self, labels: set[str]) -> list[UnitQuestion]:
        """Return what is open about these channels; those that are alike in it are asked about together."""
        if self._session is None:
            return []
        known = [question for question in self._open if labels & set(question.labels)]
        if known or labels <= self._looked:
            return known
        return list(unit_questions(self._session.night.recording, labels))

    def _look(self) -> None:
        """Look in the background at the channels that are shown and the one that is scored."""
        if self._session is None:
            return
        recording = self._session.night.recording
        lanes = [trace.derivation for trace in self._traces.montage.shown]
        shown = {label for lane in lanes for label in (lane.plus, *lane.minus)}
        labels = shown | {self._session.night.channel or ""}
        if not labels <= self._looked:
            self._work.start(lambda _: (recording, labels, unit_questions(recording, labels)))

    def _on_looked(self, found: tuple[Recording, set[str], tuple[UnitQuestion, ...]]) -> None:
        recording, labels, questions = found
        if self._session is None or self._session.night.recording is not recording:
            return
        self._looked, self._open = labels, list(questions)
        self._show_next()

    def _show_next(self) -> None:
        waiting = (question for question in self._open if not self._put_off & set(question.labels))
        self._bar.ask(next(waiting, None))

    def _on_put_off(self, question: UnitQuestion) -> None:
        self._put_off |= set(question.labels)
        self._show_next()

    def _on_answered(self, question: UnitQuestion, unit: str) -> None:
        if self._session is not None:
            told = self._session.night.recording.told_units
            put_off = self._put_off
            self.tell((*told, *(ToldUnit(label, unit) for label in question.labels)))
            self._put_off = put_off

    # -- remembering

    def _kept(self) -> dict[str, Any]:
        return self._settings.get_json(_SETTING, {})

    def _remember(self, recording: Recording) -> None:
        """Keep what is told of a recording, that it is nothing, too, and forget those of long ago."""
        key = _key(recording)
        if key:
            others = [(name, value) for name, value in self._kept().items() if name != key]
            kept = dict([*others, (key, told_to_json(recording.told_units))][-_MOST_RECORDINGS:])
            self._settings.set_json(_SETTING, kept)


def _key(recording: Recording) -> str:
    """By what a recording is known: its name and stamp, wherever it lies; its hash would take reading all of it."""
    stamp = recording.stamp
    return "" if stamp is None else f"{recording.name}:{stamp.size}:{stamp.mtime_ns}"


def _plain(recording: Recording) -> Recording:
    return recording.as_in_file if isinstance(recording, RecordingAsTold) else recording
