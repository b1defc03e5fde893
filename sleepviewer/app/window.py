"""The main window: opens nights, starts scorings, saves reviews; what a night looks like is the night page's affair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QStatusTipEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.batch.feature import BatchPart
from sleepviewer.app.compare.consensus_feature import AdjudicationPart
from sleepviewer.app.compare.disagreements_feature import DisagreementsPart
from sleepviewer.app.compare.models_feature import RivalsPart
from sleepviewer.app.compare.scorers_feature import BLINDED, HIDDEN_COMMANDS, ScorersPart, begin_blind
from sleepviewer.app.events.feature import EventsPart
from sleepviewer.app.explain.attribution_feature import ExplainPart
from sleepviewer.app.explain.similar_epochs_feature import MapPart
from sleepviewer.app.feature import Part, Services
from sleepviewer.app.files.file_watch_feature import FilePart
from sleepviewer.app.files.folder_export_feature import ExportPart
from sleepviewer.app.files.opening_feature import OpeningController
from sleepviewer.app.files.pictures_feature import PicturesPart
from sleepviewer.app.files.reading_dialog import Readings
from sleepviewer.app.files.safety_feature import SafetyPart
from sleepviewer.app.files.saving_feature import SavingController
from sleepviewer.app.files.units_bar import UnitsBar
from sleepviewer.app.files.units_feature import UnitsController
from sleepviewer.app.keys.command_table import KEY_TABLE
from sleepviewer.app.night.feature import NightPart
from sleepviewer.app.page import NightPage
from sleepviewer.app.preferences.appearance_feature import AppearancePart
from sleepviewer.app.preferences.feature import KeysPart
from sleepviewer.app.retraining.feature import RetrainingPart
from sleepviewer.app.review.commands import ReviewCommands
from sleepviewer.app.review.feature import ReviewPart
from sleepviewer.app.review.history_feature import HistoryPart
from sleepviewer.app.scoring.bar import ScoringBar
from sleepviewer.app.scoring.feature import ScoringController
from sleepviewer.app.scoring.models_feature import ModelsPart
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.actions import Actions
from sleepviewer.app.shell.info_bar import InfoBar
from sleepviewer.app.shell.panels import Panels
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.status_line import StatusLine
from sleepviewer.app.shell.theme import Theme, apply_theme, dress, theme_named
from sleepviewer.app.shell.tool_bar import RecentMenu, make_tool_bar
from sleepviewer.app.shell.welcome import WelcomePage
from sleepviewer.app.traces.feature import TracesPart
from sleepviewer.app.traces.montage_feature import MontagePart
from sleepviewer.errors import ReadOnlyError
from sleepviewer.recording import ToldUnit
from sleepviewer.review.companions import is_hypnogram_name
from sleepviewer.review.document import Base, Change
from sleepviewer.review.night import Night
from sleepviewer.scoring.base import Prediction

_PANEL_PX = 340

PARTS: tuple[Callable[[Services], Part], ...] = (
    AppearancePart,
    KeysPart,
    PicturesPart,
    ExportPart,
    BatchPart,
    TracesPart,
    MontagePart,
    NightPart,
    EventsPart,
    ReviewPart,
    DisagreementsPart,
    ExplainPart,
    RivalsPart,
    MapPart,
    RetrainingPart,
    ModelsPart,
    HistoryPart,
    AdjudicationPart,
    SafetyPart,
    ScorersPart,
    FilePart,
)
"""In the order of their panels."""


class MainWindow(QMainWindow):
    """One night at a time, scored, reviewed and saved."""

    def __init__(self, settings: Settings | None = None, theme: Theme | None = None) -> None:
        super().__init__()
        self.setWindowTitle("SleepViewer")
        self.setAcceptDrops(True)
        self._settings = settings or Settings()
        self._theme = theme or theme_named(self._settings.theme, self._settings.stage_colors)
        self._session: NightSession | None = None
        self._commands: dict[str, Callable[[], object]] = {}
        self._table: dict[str, Callable[[], object]] | None = None
        self._review: ReviewCommands | None = None
        dress(self, self._theme)
        self._build()
        self._connect()
        self._show_state()
        self.resize(1366, 768)
        if (geometry := self._settings.geometry) is not None:
            self.restoreGeometry(geometry)

    # -- building

    def _build(self) -> None:
        self.actions_ = Actions(self, self.run_command)
        self.actions_.set_theme(self._theme)
        self.scoring_bar = ScoringBar(self._settings, self)
        self.info_bar = InfoBar(self._theme, self)
        self.units_bar = UnitsBar(self._theme, self)
        self._readings = Readings(self)
        self.welcome = WelcomePage(self)
        self.welcome.set_theme(self._theme)
        self.page = NightPage(self._theme, self)
        self.status_line = StatusLine(self)
        self._scoring = ScoringController(self.scoring_bar, self.status_line, self)
        self._saving = SavingController(lambda: self.scoring_bar.channel, self.info_bar, self.status_line, self)
        self._units = UnitsController(self.page.traces, self.units_bar, self._settings, self)
        self._opening = OpeningController(
            self,
            self._settings,
            self._readings,
            self._units,
            self.info_bar,
            self.status_line,
            self._saving.may_leave,
        )
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.welcome)
        self._stack.addWidget(self.page)
        centre = QWidget(self)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.info_bar)
        column.addWidget(self.units_bar)
        column.addWidget(self._stack, 1)
        self.setCentralWidget(centre)
        self.setStatusBar(self.status_line)
        self.addToolBar(make_tool_bar(self.actions_, self.scoring_bar, self))
        self._recent_menu = RecentMenu(self._settings, self.open_path, self)
        self.actions_.menus["File"].insertMenu(self.actions_["open_truth"], self._recent_menu)
        self.panels = Panels(self, self.actions_.menus["View"].addMenu("Panels"))
        review = self.panels.add("review", "Review", self.page.panel, Qt.DockWidgetArea.RightDockWidgetArea, shown=True)
        self._parts = self._build_parts()
        for part in self._parts:
            part.set_theme(self._theme)
        self.resizeDocks([review], [_PANEL_PX], Qt.Orientation.Horizontal)
        self.panels.settle()
        self.panels.hide_all()
        if (arrangement := self._settings.panels) is not None:
            self.panels.state = arrangement
        self.actions_["filters"].setChecked(True)
        self.welcome.show_recent(self._settings.recent)
        self.welcome.show_keys(self.actions_.keymap)
        self.welcome.open_button.setFocus()

    def _build_parts(self) -> tuple[Part, ...]:
        services = Services(
            window=self,
            page=self.page,
            panels=self.panels,
            settings=self._settings,
            actions=self.actions_,
            tell=self.status_line.show_message,
            trouble=self.info_bar.show_error,
            refresh=self._show_state,
            check=lambda command, on: self.actions_[command].setChecked(on),
            restyle=self._restyle,
            open_path=self.open_path,
            engine=lambda: self.scoring_bar.spec,
            open_as=lambda path, scorer: self.open_path(path, scorer=scorer),
            welcome=self.welcome,
            readings=self._readings,
        )
        return tuple(part(services) for part in PARTS)

    def _connect(self) -> None:
        self.welcome.open_requested.connect(lambda: self.run_command("open"))
        self.welcome.demo_requested.connect(lambda: self.run_command("open_demo"))
        self.welcome.path_requested.connect(lambda name: self.open_path(Path(name)))
        self.scoring_bar.score_requested.connect(self.score)
        self.scoring_bar.channel_chosen.connect(self._choose_channel)
        self.status_line.cancel_requested.connect(self.cancel_scoring)
        self.page.go_to_requested.connect(self._go_to)
        self.page.review_epoch_requested.connect(self._go_to_in_review)
        self.page.trouble.connect(self.info_bar.show_error)
        self.page.base_chosen.connect(self._choose_base)
        self._opening.fingerprinted.connect(self._on_fingerprint)
        self._scoring.started.connect(self.info_bar.hide_error)
        self._scoring.started.connect(self._show_state)
        self._scoring.ended.connect(self._show_state)
        self._scoring.trouble.connect(self.info_bar.show_error)
        self._scoring.scored.connect(self._on_scored)
        self._saving.saved.connect(self._show_state)
        self._units.told.connect(self._show_again)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    # -- commands

    def run_command(self, command: str) -> None:
        """Carry out a command of the key table."""
        call = self.command_table().get(command)
        if call is None:  # it needs a night, and none is open
            return
        if self._is_hidden(command):
            self.status_line.show_message(BLINDED)
            return
        try:
            call()
        except ReadOnlyError as error:
            self.info_bar.show_error(str(error))

    def _is_hidden(self, command: str) -> bool:
        """Whether a command would tell a blinded scorer what others say."""
        return command in HIDDEN_COMMANDS and self._session is not None and self._session.document.blinded

    def command_table(self) -> dict[str, Callable[[], object]]:
        """What carries out each command of the key table that can be called now."""
        if self._table is None:  # every key asks for it
            self._table = self._make_table()
        return self._table

    def _make_table(self) -> dict[str, Callable[[], object]]:
        own: dict[str, Callable[[], object]] = {
            "open": self._ask_and_open,
            "open_truth": self._ask_and_open_truth,
            "open_demo": self.open_demo,
            "save": self._saving.save,
            "save_as": self._saving.save_as,
            "export": self._ask_and_export,
            "units": self._units.ask_all,
            "units_forget": self._units.forget,
            "quit": self.close,
            "advance": self._set_advance,
            "gain_up": lambda: self.page.traces.change_gain(1),
            "gain_down": lambda: self.page.traces.change_gain(-1),
            "filters": lambda: self.page.traces.set_filters_on(self.actions_["filters"].isChecked()),
            "whole_night": self.page.night.show_whole_night,
            "score": self.score,
            "cancel_scoring": self.cancel_scoring,
            "score_unusable": self._set_score_unusable,
            "load_weights": self._ask_for_weights,
            "about": lambda: dialogs.show_about(self),
        }
        for part in self._parts:
            own |= part.commands()
        return self._commands | own

    @property
    def settings(self) -> Settings:
        """What it remembers."""
        return self._settings

    @property
    def parts(self) -> tuple[Part, ...]:
        """What it is composed of beside the night page."""
        return self._parts

    def _set_advance(self) -> None:
        if self._review is not None:
            self._review.advance = self.actions_["advance"].isChecked()

    def _set_score_unusable(self) -> None:
        self.scoring_bar.score_unusable = self.actions_["score_unusable"].isChecked()

    def _go_to(self, epoch: int) -> None:
        if self._session is not None:
            self._session.go_to(epoch)

    def _choose_base(self, base: str) -> None:
        if self._session is None:
            return
        try:
            self._session.document.set_base(Base(base))
        except ReadOnlyError as error:
            self.info_bar.show_error(str(error))
            self.page.panel.on_change(Change.BASE)

    def _choose_channel(self, label: str) -> None:
        if self._session is not None:
            self._session.choose_channel(label)

    def _go_to_in_review(self, epoch: int) -> None:
        if self._session is not None:
            self._session.queue.go_to(epoch)
            self._session.go_to(epoch)

    # -- opening

    @property
    def session(self) -> NightSession | None:
        """The open night."""
        return self._session

    def open_path(
        self,
        path: Path,
        *,
        truth: Path | None = None,
        labels: Path | None = None,
        scorer: str | None = None,
        units: tuple[ToldUnit, ...] = (),
        reading: str | None = None,
    ) -> bool:
        """Open a recording; trouble is shown as a sentence and leaves the open night as it is.

        With a ``scorer`` that scorer's own review alone is taken up. ``units`` were told of its channels, ``reading``
        says how the truth is to be read; what is not said is asked.
        """
        night = self._opening.read_night(path, truth=truth, labels=labels, scorer=scorer, units=units, reading=reading)
        if night is None:
            return False
        self.show_night(night)
        self._settings.add_recent(path)
        if night.ambiguous_truth is not None:
            self.open_truth(night.ambiguous_truth[0])
        return True

    def open_dropped(self, path: Path) -> None:
        """Open a recording, open a hypnogram as the open night's reference, or offer to score a folder."""
        if path.is_dir():
            next(part for part in self._parts if isinstance(part, BatchPart)).show_window(path)
        elif self._session is not None and is_hypnogram_name(path):
            if self._is_hidden("open_truth"):
                self.status_line.show_message(BLINDED)
            else:
                self.open_truth(path)
        else:
            self.open_path(path)

    def open_demo(self) -> None:
        """Open the simulated night."""
        path = self._opening.make_demo()
        if path is not None:
            self.open_path(path)

    def _ask_and_open(self) -> None:
        path = dialogs.ask_recording(self, self._opening.folder)
        if path is not None:
            self.open_path(path)

    def _ask_and_open_truth(self) -> None:
        path = dialogs.ask_truth(self, self._opening.folder)
        if path is not None:
            self.open_truth(path)

    def show_night(self, night: Night) -> None:
        """Show a night that was opened, and let go of the one before."""
        begin_blind(night, self._settings)
        self._show_session(NightSession(night, self))

    def _show_again(self, told: set[str]) -> None:
        """Show the open night anew where she was in it: some of its channels were told to be in other units."""
        old = self._session
        if old is None:
            return
        session = NightSession(old.night, self)
        session.scorers = old.scorers
        session.go_to(old.epoch)
        self._show_session(session)
        self.page.traces.reset_gains(told)  # a scale that was set for the numbers before suits them no more
        session.go_to(old.epoch)
        session.set_in_order(old.in_order)
        prediction = old.document.prediction
        if prediction is not None and told & set(prediction.channels):
            self.status_line.show_message("The model's stages were made before the unit was told: score again (S)")

    def _show_session(self, session: NightSession) -> None:
        night = session.night
        old, self._session = self._session, session
        if old is not None:
            old.end()
        self._scoring.set_session(self._session)
        self._review = ReviewCommands(
            self._session, self.status_line.show_message, lambda to_saved: dialogs.ask_whether_to_revert(self, to_saved)
        )
        self._commands = self._review.table()
        self._table = None
        self._set_advance()
        self._opening.set_session(self._session)
        self._saving.set_session(self._session)
        self._units.set_session(self._session)
        self.info_bar.show_notes(_told_of(night))
        with self.page.traces.composing_once():
            self.page.set_session(self._session)
            for part in self._parts:
                part.set_session(self._session)
        self.scoring_bar.set_recording(night.recording)
        if night.channel is not None:
            self.scoring_bar.choose_channel(night.channel)
        self._session.epoch_changed.connect(self._show_place)
        self._session.document_changed.connect(self._on_change)
        if old is not None:
            if old.night is not night:
                old.night.recording.close()
            old.deleteLater()
        self._stack.setCurrentWidget(self.page)
        self.setFocus()  # keys go to the night, not to a button that lies where one was on the welcome page
        self.panels.show_all()
        self.status_line.show_message("")
        self._show_state()
        self._opening.fingerprint()

    def _on_fingerprint(self, warning: str) -> None:
        if self._session is None:
            return
        self._session.fingerprinted.emit()
        if warning:
            night = self._session.night
            night.notes = (warning, *night.notes)
            self.info_bar.show_notes(_told_of(night))

    def open_truth(self, path: Path) -> None:
        """Lay an expert's hypnogram under the open night; by how much it was shifted is shown."""
        self._opening.open_truth(path)

    # -- scoring

    @property
    def scoring(self) -> bool:
        """Whether a night is being scored."""
        return self._scoring.running

    def warm_up_soon(self) -> None:
        """Prepare the engine in the background once the window stands."""
        self._scoring.warm_up_soon()

    def score(self) -> None:
        """Score the open night in the background; a unit that is not known is asked for first."""
        if self._is_hidden("score"):
            self.status_line.show_message(BLINDED)
            return
        choice = self.scoring_bar.choice
        channels = () if choice is None else (choice.eeg, choice.eog, choice.emg)
        if self.scoring or self._units.settled(channels, "Scoring"):
            self._scoring.score()

    def cancel_scoring(self) -> None:
        """Stop the running scoring, if any; what the night had before stays."""
        self._scoring.cancel()

    def _on_scored(self, prediction: Prediction) -> None:
        self.info_bar.hide_error()
        if prediction.notes:
            self.info_bar.show_notes(prediction.notes)

    def _ask_for_weights(self) -> None:
        path = dialogs.ask_weights(self)
        if path is not None:
            self.scoring_bar.add_weights(path)

    # -- saving

    def save(self) -> bool:
        """Save the review beside the recording (or where it was saved before); say where."""
        return self._saving.save()

    def save_unsaved(self) -> bool:
        """Save the review where it has unsaved edits; False where that fails."""
        return self._session is None or not self._session.document.unsaved or self.save()

    def _ask_and_export(self) -> None:
        if self._units.settled((self.scoring_bar.channel,), "The exported signal"):
            self._saving.ask_and_export()

    def export(self, path: Path) -> bool:
        """Write the labels that count to a file whose ending says the format."""
        return self._saving.export(path)

    # -- being a window

    def _on_change(self, change: Change) -> None:
        if change is Change.BLINDING:
            self.cancel_scoring()
            self.info_bar.show_notes(())
        if change is not Change.PROVISIONAL:
            self._show_state()

    def _show_place(self) -> None:
        """Bring up to date what follows the current epoch; menus and title follow the document alone."""
        self.status_line.show_session(self._session, self._saving.saved_at)

    def _show_state(self) -> None:
        """Bring title, status line, menu texts and enabled commands up to date."""
        session = self._session
        self._show_place()
        self.actions_.enable({row.command: session is not None for row in KEY_TABLE if row.needs_night})
        self.actions_["cancel_scoring"].setEnabled(self._scoring.running)
        self.actions_["units_forget"].setEnabled(self._units.any_told)
        for part in self._parts:
            self.actions_.enable(part.enabled())
        if session is None:
            return
        document, name = session.document, session.night.recording.name
        simulated = " (SIMULATED)" if session.night.recording.simulated else ""
        self.setWindowTitle(f"{name}{simulated}[*] — SleepViewer")
        self.setWindowModified(document.unsaved)
        for command, edit in (("undo", document.next_undo), ("redo", document.next_redo)):
            action = self.actions_[command]
            action.setEnabled(edit is not None)
            action.setText(command.capitalize() if edit is None else f"{command.capitalize()}: {edit.text}")
            action.setIconText(command.capitalize())

    def _restyle(self) -> None:
        self.set_theme(theme_named(self._settings.theme, self._settings.stage_colors))

    def _follow_system(self) -> None:
        if self._settings.theme == "system":
            self._restyle()

    def set_theme(self, theme: Theme) -> None:
        """Repaint everything in other colours."""
        self._theme = theme
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, theme)
        dress(self, theme)
        self.actions_.set_theme(theme)
        self.info_bar.set_theme(theme)
        self.units_bar.set_theme(theme)
        self.welcome.set_theme(theme)
        self.page.set_theme(theme)
        for part in self._parts:
            part.set_theme(theme)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            command = self.actions_.keypad_command(event)
            if command is not None:
                # Accepted as an override, the key comes again as a key press instead of calling a shortcut.
                if event.type() is QEvent.Type.KeyPress:
                    self.run_command(command)
                event.accept()
                return True
        if isinstance(event, QStatusTipEvent):
            # At the line's own place for messages: the usual one hides where she is.
            self.status_line.show_tip(event.tip())
            return True
        return super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.welcome.set_dragging(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.welcome.set_dragging(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.welcome.set_dragging(False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_dropped(paths[0])

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._saving.may_leave():
            event.ignore()
            return
        self._scoring.close()
        self._units.close()
        for part in self._parts:
            part.close()
        self._settings.geometry = self.saveGeometry()
        self._settings.panels = self.panels.state
        if self._session is not None:
            self._session.night.recording.close()
        event.accept()


def _told_of(night: Night) -> tuple[str, ...]:
    """What is to be said of a night; to a blinded scorer nothing that speaks of its expert and model."""
    notes = night.recording.notes if night.document.blinded else night.notes
    if night.recording.simulated:
        return ("This night is simulated: no person's recording, for trying the program only.", *notes)
    return notes
