"""Reads nights and hypnograms beside the window, which goes on painting; what is not certain is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from sleepviewer.app.files.reading_dialog import Readings
from sleepviewer.app.files.units_feature import UnitsController
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.info_bar import InfoBar
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.status_line import StatusLine
from sleepviewer.app.work.waiting import wait_for
from sleepviewer.errors import SleepViewerError
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.logs import log
from sleepviewer.recording import ToldUnit
from sleepviewer.review.night import Night, load_truth, set_truth
from sleepviewer.review.opening import open_night
from sleepviewer.review.scorer import usual_scorer
from sleepviewer.user_folders import home_folder


class OpeningController(QObject):
    """Between files and the window that shows what is in them; trouble is a sentence in the window's bar."""

    fingerprinted = Signal(str)
    """The open recording's hash is known; with a warning where the review is of other content, else empty."""
    _computed = Signal(object, str)

    def __init__(
        self,
        window: QWidget,
        settings: Settings,
        readings: Readings,
        units: UnitsController,
        bar: InfoBar,
        status: StatusLine,
        may_leave: Callable[[], bool],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._readings = readings
        self._units = units
        self._bar = bar
        self._status = status
        self._may_leave = may_leave
        self._session: NightSession | None = None
        self._busy = False
        self._computed.connect(self._on_computed)

    def set_session(self, session: NightSession) -> None:
        """Follow another night."""
        self._session = session

    @property
    def folder(self) -> Path:
        """Where to look for the next file: where the open night lies, else the last one, else at home."""
        if self._session is not None:
            return self._session.night.recording.path.parent
        recent = self._settings.recent
        return recent[0].parent if recent else home_folder()

    # -- nights

    def read_night(
        self,
        path: Path,
        *,
        truth: Path | None,
        labels: Path | None,
        scorer: str | None,
        units: tuple[ToldUnit, ...],
        reading: str | None,
    ) -> Night | None:
        """Read a night; None where that failed, was left, or the open night is not to be left."""
        if self._busy or not self._may_leave():
            return None

        def read(said: str | None) -> Night | None:
            return wait_for(
                self._window,
                f"Opening {path.name}…",
                lambda: open_night(
                    path,
                    truth_path=truth,
                    labels_path=labels,
                    scorer=scorer or self._set_scorer,
                    units=units,
                    reading=reading or said,
                ),
                drop=lambda late: late.recording.close(),
            )

        self._busy = True
        try:
            night = read(None) if truth is None else self._readings.read(truth, read)
        except SleepViewerError as error:
            self._bar.show_error(str(error))
            return None
        finally:
            self._busy = False
        if night is None:
            self._status.show_message(f"{path.name} was not opened")
            return None
        log.info("opened %s: %s, %d epochs", path.name, night.recording.format_name, night.recording.n_epochs)
        self._units.recall(night, units)
        return night

    @property
    def _set_scorer(self) -> str | None:
        """The scorer's name where the settings name another than who is logged in."""
        return self._settings.scorer if self._settings.scorer != usual_scorer() else None

    def make_demo(self) -> Path | None:
        """Return the simulated night, made where it is not there yet; None where that failed or was left."""
        from sleepviewer.simulation.demo import demo_recording

        try:
            return wait_for(self._window, "Simulating a night…", demo_recording)
        except SleepViewerError as error:
            self._bar.show_error(str(error))
            return None

    # -- hypnograms

    def open_truth(self, path: Path) -> None:
        """Lay an expert's hypnogram under the open night; by how much it was shifted is shown."""
        if self._session is None:
            return
        night = self._session.night

        def read(reading: str | None) -> Hypnogram | None:
            return wait_for(self._window, f"Opening {path.name}…", lambda: load_truth(night.recording, path, reading))

        try:
            truth = self._readings.read(path, read)
        except SleepViewerError as error:
            self._bar.show_error(str(error))
            return
        if truth is None:
            return
        set_truth(night, truth, path)
        self._bar.show_notes(truth.notes)
        self._status.show_message(f"Expert's hypnogram: {path.name}")

    # -- the hash

    def fingerprint(self) -> None:
        """Compute the open file's hash beside the work, for the first save and to know a foreign review by it."""
        if self._session is None:
            return
        night = self._session.night

        def compute() -> None:
            try:
                night.sha256  # noqa: B018  (cached by the property)
                warning = night.foreign_review
            except SleepViewerError:
                return  # saving meets the same trouble and says so
            self._computed.emit(night, warning)

        threading.Thread(target=compute, name="fingerprint", daemon=True).start()

    def _on_computed(self, night: Night, warning: str) -> None:
        if self._session is not None and self._session.night is night:
            self.fingerprinted.emit(warning)
