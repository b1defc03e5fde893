"""The window of a batch: asks for folders, and shows the nights as they get done. It may be closed meanwhile."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.batch.table import BatchModel, BatchTable
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.panel_widgets import as_primary, text_field
from sleepviewer.batch.running import Finished, Told


class BatchWindow(QDialog):
    """Emits what is wanted and shows what comes of it; it decides nothing."""

    start_requested = Signal()
    pause_requested = Signal(bool)
    cancel_requested = Signal()
    open_requested = Signal(object)
    """The line of a night that is to be opened."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Score a folder")
        self.setAcceptDrops(True)
        self.resize(760, 560)
        self._running = self._paused = False
        self._engine_name = ""
        self.nights = text_field("Folder of recordings", "drop a folder here, or choose one", self)
        self.out = text_field("Folder to write to", "another folder than the recordings'", self)
        self.engine = QLabel(self)
        self.engine.setToolTip("The model in the tool bar")
        self.signal = QCheckBox("Keep the signal in the archives, as training needs it", self)
        self.signal.setChecked(True)
        self.model = BatchModel()
        self.table = BatchTable(self.model, self)
        self.table.open_requested.connect(self.open_requested)
        self.progress = QProgressBar(self)
        self.progress.setAccessibleName("Progress of the batch")
        self.said = QLabel("Nights that were done before and are unchanged are kept.", self)
        self.said.setWordWrap(True)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.start_button = self._button("Start", "Score the nights that are not done yet")
        self.pause_button = self._button("Pause", "Begin no further night; the one being scored is finished")
        self.cancel_button = self._button("Cancel", "Give up the night that is being scored; what is done is kept")
        as_primary(self.start_button)
        self._lay_out()
        self._buttons.rejected.connect(self.reject)
        self.start_button.clicked.connect(self.start_requested)
        self.pause_button.clicked.connect(lambda: self.pause_requested.emit(not self._paused))
        self.cancel_button.clicked.connect(self.cancel_requested)
        self.nights.textChanged.connect(self._show_state)
        self.out.textChanged.connect(self._show_state)
        self._show_state()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = self._buttons.addButton(text, QDialogButtonBox.ButtonRole.ActionRole)
        button.setToolTip(tip)
        button.setAutoDefault(False)  # Enter opens the night that is chosen
        return button

    def _lay_out(self) -> None:
        form = QFormLayout()
        for title, line in (("Recordings in", self.nights), ("Write to", self.out)):
            row = QHBoxLayout()
            row.addWidget(line, 1)
            row.addWidget(self._chooser(line))
            form.addRow(title, row)
        form.addRow("Model", self.engine)
        form.addRow("", self.signal)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.progress)
        layout.addWidget(self.said)
        layout.addWidget(self._buttons)
        self._buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)

    def _chooser(self, line: QLineEdit) -> QPushButton:
        button = QPushButton("Choose…", self)
        button.setAccessibleName(f"Choose: {line.accessibleName()}")
        button.setAutoDefault(False)

        def choose() -> None:
            folder = dialogs.ask_folder(self, line.accessibleName(), Path(line.text() or self.nights.text()))
            if folder is not None:
                self.propose(folder) if line is self.nights else line.setText(str(folder))

        button.clicked.connect(choose)
        return button

    def propose(self, nights: Path, out: Path | None = None) -> None:
        """Propose a folder of recordings, and beside it one to write to."""
        self.nights.setText(str(nights))
        self.out.setText(str(out or nights.with_name(f"{nights.name}-scored")))

    # -- how it goes

    def show_engine(self, name: str) -> None:
        """Show who scores."""
        self._engine_name = name
        self.engine.setText(name)

    def begin(self) -> None:
        """Show that the nights are being looked for."""
        signal = "the signal is kept" if self.signal.isChecked() else "without the signal"
        self.engine.setText(f"{self._engine_name} · {signal}")
        self._running, self._paused = True, False
        self.model.show_nights(())
        self.progress.setRange(0, 0)
        self.said.setText("Looking for recordings…")
        self._show_state()

    def show_nights(self, nights: tuple[str, ...]) -> None:
        """Show the nights that there are."""
        self.model.show_nights(nights)
        self.model.set_running(True)
        self.progress.setRange(0, len(nights))
        self.progress.setFormat("%v of %m nights")
        self.progress.setValue(0)
        self.said.setText(f"0 of {len(nights)} nights")

    def show_told(self, told: Told) -> None:
        """Show what came of a night, and how far the batch is."""
        self.model.add(told.line)
        self.progress.setValue(told.done)
        self.said.setText(f"{progress_text(told)}{' · paused' if self._paused else ''}")

    def show_paused(self, on: bool) -> None:
        """Show that no further night begins, or that it goes on."""
        self._paused = on
        self.said.setText("Paused; the night that is being scored is finished first." if on else "Going on…")
        self._show_state()

    def show_finished(self, finished: Finished) -> None:
        """Say what came of the batch."""
        self._end(f"{'⚠ ' if finished.failed else ''}{finished.summary}.")

    def show_trouble(self, sentence: str) -> None:
        """Say why the batch did not begin, or broke."""
        self._end(f"⚠ {sentence}")

    def _end(self, said: str) -> None:
        self._running = self._paused = False
        self.engine.setText(self._engine_name)
        self.model.set_running(False)
        self.progress.setRange(0, max(self.progress.maximum(), 1))
        self.said.setText(said)
        self._show_state()

    def _show_state(self) -> None:
        named = bool(self.nights.text().strip() and self.out.text().strip())
        self.start_button.setEnabled(named and not self._running)
        self.pause_button.setEnabled(self._running)
        self.pause_button.setText("Go on" if self._paused else "Pause")
        self.cancel_button.setEnabled(self._running)
        self.signal.setVisible(not self._running)  # what is under way can't be changed, and is said beside the model
        for widget in (self.nights, self.out):
            widget.setEnabled(not self._running)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self._running and dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        folder = dropped_folder(event)
        if folder is not None and not self._running:
            event.acceptProposedAction()
            self.propose(folder)


def dropped_folder(event: QDropEvent) -> Path | None:
    """Return the first folder among what is being dropped, or None."""
    urls = event.mimeData().urls()
    return next((path for url in urls if url.isLocalFile() and (path := Path(url.toLocalFile())).is_dir()), None)


def progress_text(told: Told) -> str:
    """Return ``12 of 40 nights · 2 failed · 5 min left``."""
    said = [f"{told.done} of {told.total} nights"]
    said += [f"{told.failed} failed"] if told.failed else []
    if told.seconds_left is not None and told.done < told.total:
        minutes = round(told.seconds_left / 60)
        said.append("less than a minute left" if minutes < 1 else f"{minutes} min left")
    return " · ".join(said)
