"""The window “Train on corrected nights”: what to learn from, how it goes, and what came of it. It changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.retraining.nights_table import NightsTable
from sleepviewer.app.retraining.training_curves import TuningCurves
from sleepviewer.app.retraining.training_progress import TuningTrack
from sleepviewer.app.retraining.verdict_view import VerdictView
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.panel_widgets import as_primary, button, picker, sentence_label
from sleepviewer.app.shell.theme import Theme
from sleepviewer.review.contenders import engine_title

if TYPE_CHECKING:
    from sleepviewer.training.corrected_counts import NightCount
    from sleepviewer.training.fine_tune import FineTuneResult

_LEAD: Final = (
    "The model learns from epochs that you reviewed, in a process of its own with low priority; you can go on working. "
    "A quarter of them is kept aside to see whether it got better. Nothing scores otherwise until you activate it."
)
_SIMULATED, _OWN = range(2)
_SIZE: Final = (860, 600)


@dataclass(frozen=True, slots=True)
class BaseOffer:
    """A model that a training may begin with: its name as a request has it, and as it is shown."""

    name: str
    title: str


class RetrainingPanel(QDialog):
    """Two pages: what to learn from, and the training with its verdict. Closing the window stops nothing."""

    this_night_requested = Signal()
    files_requested = Signal()
    folder_requested = Signal()
    night_removed = Signal(object)
    whole_nights_toggled = Signal()
    start_requested = Signal()
    pause_requested = Signal()
    cancel_requested = Signal()
    back_requested = Signal()
    """To the nights, from a training that is over."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Train on corrected nights")
        self._busy = ""
        self.nights = NightsTable(self)
        self.base = picker("Model to begin with", self)
        self.replay = picker("Nights of other people to replay", self)
        self.replay.addItems(["Simulated nights (built in)", "A folder of your own archives"])
        self.folder = QLineEdit(self)
        self.folder.setAccessibleName("Folder of archives to replay")
        self.folder.setPlaceholderText("a folder of labelled archives of other subjects")
        self._choose = button("Choose…", "Choose the folder of archives to replay", self)
        self.whole_nights = QCheckBox("I went through these nights: what I left as it was scored counts too", self)
        self._why_not = sentence_label(self)
        self.start = button("Start the training", "Train in the background", self)
        as_primary(self.start)
        self.where = sentence_label(self)
        self.progress = QProgressBar(self)
        self.progress.setAccessibleName("Steps of the training")
        self.curves = TuningCurves(theme, self)
        self.pause = button("Pause", "Pause the training, or go on with it", self)
        self.cancel = button("Cancel…", "Stop and forget the training; the model is as it was", self)
        self.back = button("New training", "Choose nights for another training", self)
        self.verdict = VerdictView(self)
        self._lay_out()
        self._connect()
        self.resize(*_SIZE)
        self.show_setup()

    def _lay_out(self) -> None:
        add = QHBoxLayout()
        for text, tip, signal in (
            ("Add this night", "Add the saved review of the open night", self.this_night_requested),
            ("Add files…", "Add saved reviews", self.files_requested),
            ("Add a folder…", "Add all saved reviews of a folder", self.folder_requested),
        ):
            made = button(text, tip, self)
            made.clicked.connect(signal)
            add.addWidget(made)
        self._remove = button("Take off the list", "Take the night off the list; its file stays (Delete)", self)
        add.addWidget(self._remove)
        add.addStretch(1)
        folder = QHBoxLayout()
        folder.addWidget(self.replay)
        folder.addWidget(self.folder, 1)
        folder.addWidget(self._choose)
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.addRow("Begin with", self.base)
        form.addRow("Other people's nights", folder)
        start = QHBoxLayout()
        start.addWidget(self._why_not, 1)
        start.addWidget(self.start)
        lead = sentence_label(self)
        lead.setText(_LEAD)
        self._setup = QWidget(self)
        setup = QVBoxLayout(self._setup)
        setup.setContentsMargins(0, 0, 0, 0)
        setup.addWidget(lead)
        setup.addWidget(self.nights, 1)
        setup.addLayout(add)
        setup.addWidget(self.whole_nights)
        setup.addLayout(form)
        setup.addLayout(start)
        steering = QHBoxLayout()
        steering.addWidget(self.progress, 1)
        for each in (self.pause, self.cancel, self.back):
            steering.addWidget(each)
        self._training = QWidget(self)
        training = QVBoxLayout(self._training)
        training.setContentsMargins(0, 0, 0, 0)
        training.addWidget(self.where)
        training.addLayout(steering)
        training.addWidget(self.curves, 1)
        training.addWidget(self.verdict)
        layout = QVBoxLayout(self)
        layout.addWidget(self._setup)
        layout.addWidget(self._training)

    def _connect(self) -> None:
        self.nights.nights.chosen_changed.connect(self._show_state)
        self.nights.removed.connect(self.night_removed)
        self.nights.selectionModel().selectionChanged.connect(lambda *_: self._show_state())
        self._remove.clicked.connect(self._remove_selected)
        self.replay.currentIndexChanged.connect(lambda _: self._show_state())
        self.folder.textChanged.connect(lambda _: self._show_state())
        self._choose.clicked.connect(self._choose_folder)
        self.whole_nights.toggled.connect(lambda _: self.whole_nights_toggled.emit())
        self.start.clicked.connect(self.start_requested)
        self.pause.clicked.connect(self.pause_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        self.back.clicked.connect(self.back_requested)

    # -- what is chosen

    @property
    def paths(self) -> tuple[Path, ...]:
        """The archives that are listed."""
        return tuple(count.path for count in self.nights.nights.counts)

    @property
    def chosen(self) -> tuple[Path, ...]:
        """The archives to learn from."""
        return tuple(count.path for count in self.nights.nights.chosen)

    @property
    def base_name(self) -> str:
        """The model to begin with."""
        return str(self.base.currentData() or "")

    @property
    def replay_folder(self) -> Path | None:
        """The user's folder to replay, None for the simulated nights."""
        return Path(self.folder.text().strip()) if self.replay.currentIndex() == _OWN else None

    def offer_bases(self, offers: Sequence[BaseOffer], chosen: str) -> None:
        """Offer models to begin with."""
        _offer(self.base, offers, self.base_name or chosen)

    # -- the nights

    def show_setup(self) -> None:
        """Show what there is to learn from."""
        self._training.hide()
        self._setup.show()
        self._show_state()

    def show_counting(self) -> None:
        """Say that nights are being read."""
        self._busy = "Reading the nights…"
        self._show_state()

    def show_counts(self, counts: Sequence[NightCount]) -> None:
        """Show how much of each night was reviewed."""
        self._busy = ""
        self.nights.nights.show_counts(counts)

    def say_why_not(self, sentence: str) -> None:
        """Say what is in the way of what was just asked for."""
        self._why_not.setText(sentence)

    def _show_state(self) -> None:
        from sleepviewer.training.corrected_counts import why_not

        own = self.replay.currentIndex() == _OWN
        self.folder.setVisible(own)
        self._choose.setVisible(own)
        self._remove.setEnabled(self.nights.selectionModel().hasSelection())
        reason = self._busy or why_not(self.nights.nights.chosen)
        if not reason and own and not Path(self.folder.text().strip() or "/nowhere").is_dir():
            reason = "Choose the folder of archives to replay."
        self._why_not.setText(reason or _summary(self.nights.nights.chosen))
        self.start.setEnabled(not reason)

    def _remove_selected(self) -> None:
        row = self.nights.currentIndex().row()
        if 0 <= row < len(self.paths):
            self.night_removed.emit(self.paths[row])

    def _choose_folder(self) -> None:
        here = Path(self.folder.text().strip() or Path.home())
        folder = dialogs.ask_folder(self, "Choose a folder of archives to replay", here)
        if folder is not None:
            self.folder.setText(str(folder))

    # -- the training

    def show_training(self, track: TuningTrack, *, paused: bool = False, stopping: bool = False) -> None:
        """Show how it goes."""
        self._setup.hide()
        self._training.show()
        self.verdict.hide()
        self.back.hide()
        for each in (self.progress, self.pause, self.cancel):
            each.show()
            each.setEnabled(not stopping)
        self.pause.setText("Go on" if paused else "Pause")
        self.cancel.setText("Cancelling…" if stopping else "Cancel…")
        self.where.setText("Paused. " * paused + track.sentence)
        step = 0 if track.latest is None else track.latest.step
        self.progress.setRange(0, track.steps)  # without a step yet: busy
        self.progress.setValue(step)
        self.progress.setFormat("%v of %m steps")
        self.curves.show_track(track)

    def show_result(self, result: FineTuneResult, track: TuningTrack) -> None:
        """Show what came of it."""
        self._end(f"Trained from {engine_title(result.base)}: {track.steps} steps.", track)
        self.back.hide()
        self.verdict.show()
        self.verdict.show_result(result)
        self.adjust_height()

    def show_kept(self, title: str, *, night_open: bool) -> None:
        """Say that the model was kept, and what can be done with it."""
        self.verdict.show_kept(title, night_open=night_open)
        self.back.show()

    def show_trouble(self, sentence: str, track: TuningTrack) -> None:
        """Say why nothing came of it."""
        self._end(f"⚠ {sentence}", track)
        self.verdict.hide()
        self.back.show()

    def _end(self, said: str, track: TuningTrack) -> None:
        self._setup.hide()
        self._training.show()
        for each in (self.progress, self.pause, self.cancel):
            each.hide()
        self.where.setText(said)
        self.curves.show_track(track)

    def adjust_height(self) -> None:
        """Grow to what the verdict needs, where the screen has room for it."""
        room = self.screen().availableGeometry().height() - 60
        self.resize(self.width(), min(max(self.height(), self.minimumSizeHint().height()), room))

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.curves.set_theme(theme)


def _summary(counts: Sequence[NightCount]) -> str:
    """Say how much there is to learn from."""
    nights = "1 night" if len(counts) == 1 else f"{len(counts)} nights"
    reviewed, held = sum(count.reviewed for count in counts), sum(count.held_out for count in counts)
    return f"{nights}: {reviewed:,} reviewed epochs, {held:,} of them kept aside."


def _offer(box: QComboBox, offers: Sequence[BaseOffer], chosen: str) -> None:
    box.clear()
    for offer in offers:
        box.addItem(offer.title, offer.name)
    box.setCurrentIndex(max(0, box.findData(chosen)))
