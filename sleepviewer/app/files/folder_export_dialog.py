"""The dialog that exports a folder of reviews: asks what and where to, and stays open to say how it goes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.files.export_dialog import ExportForm
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.panel_widgets import as_primary, text_field
from sleepviewer.review.export_folder import FolderExport, FolderExported


class FolderExportDialog(QDialog):
    """Emits what is wanted, and shows what comes of it; closing it stops what runs."""

    export_requested = Signal(FolderExport)
    stop_requested = Signal()

    def __init__(self, wanted: FolderExport, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export a folder of reviews")
        self.setMinimumWidth(560)
        self._running = False
        self.reviews = _filled("Folder of saved reviews", str(wanted.sources[0]), "", self)
        self.recordings = _filled("Folder of the recordings", str(wanted.recordings or ""), "beside each review", self)
        self.out = _filled("Folder to write to", str(wanted.out), "another folder than these", self)
        self.form = ExportForm(wanted.options, self)
        self.only_reviewed = QCheckBox("Only nights in which somebody has corrected a label", self)
        self.only_reviewed.setChecked(wanted.only_reviewed)
        self.replace = QCheckBox("Write over files that are there", self)
        self.note = QLabel("Edits that are not saved yet are not exported.", self)
        self.progress = QProgressBar(self)
        self.progress.setAccessibleName("Progress of the export")
        self.said = QLabel(self)
        self.said.setWordWrap(True)
        self.reasons = QPlainTextEdit(self)
        self.reasons.setAccessibleName("Nights that were left out or failed, and why")
        self.reasons.setReadOnly(True)
        self.reasons.setTabChangesFocus(True)
        self.reasons.setFixedHeight(7 * self.fontMetrics().lineSpacing())
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.export_button = self._buttons.addButton("Export", QDialogButtonBox.ButtonRole.ActionRole)
        self.stop_button = self._buttons.addButton("Stop", QDialogButtonBox.ButtonRole.ActionRole)
        as_primary(self.export_button)
        self.export_button.setDefault(True)
        self._lay_out()
        self._buttons.rejected.connect(self.reject)
        self.export_button.clicked.connect(lambda: self.export_requested.emit(self.wanted))
        self.stop_button.clicked.connect(self.stop_requested)
        for line in (self.reviews, self.recordings, self.out):
            line.textChanged.connect(self._show_state)
        self.progress.hide()
        self.reasons.hide()
        self._show_state()

    def _lay_out(self) -> None:
        rows = (("Reviews in", self.reviews), ("Recordings in", self.recordings), ("Write to", self.out))
        order: list[QWidget] = []
        for place, (title, line) in enumerate(rows):
            button = self._chooser(line)
            row = QHBoxLayout()
            row.addWidget(line, 1)
            row.addWidget(button)
            self.form.rows.insertRow(place, title, row)
            order += [line, button]
        order += [self.form.kind, self.form.epochs, self.form.trim, self.form.wake, self.only_reviewed, self.replace]
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        for widget in (self.only_reviewed, self.replace, self.note, self.progress, self.said, self.reasons):
            layout.addWidget(widget)
        layout.addWidget(self._buttons)
        for before, after in pairwise(order):
            self.setTabOrder(before, after)
        self.reviews.setFocus()

    def _chooser(self, line: QLineEdit) -> QPushButton:
        button = QPushButton("Choose…", self)
        button.setAccessibleName(f"Choose: {line.accessibleName()}")
        button.setAutoDefault(False)

        def choose() -> None:
            folder = dialogs.ask_folder(self, line.accessibleName(), Path(line.text() or self.reviews.text()))
            if folder is not None:
                line.setText(str(folder))

        button.clicked.connect(choose)
        return button

    @property
    def wanted(self) -> FolderExport:
        """What was asked for."""
        recordings = self.recordings.text().strip()
        return FolderExport(
            (Path(self.reviews.text().strip()),),
            Path(self.out.text().strip()),
            self.form.options,
            Path(recordings) if recordings else None,
            only_reviewed=self.only_reviewed.isChecked(),
            replace=self.replace.isChecked(),
        )

    # -- how it goes

    def show_progress(self, done: int, total: int, night: str) -> None:
        """Show that ``night`` is being exported, after ``done`` of ``total``."""
        if not self._running:
            self._running = True
            self.reasons.hide()
            self._show_state()
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(f"{done} of {total} nights")
        self.said.setText(night)

    def show_result(self, result: FolderExported) -> None:
        """Say what came of it, and which nights were left out or failed, and why."""
        failed = [f"✕ {night}: {reason}" for night, reason in result.failed.items()]
        left_out = [f"– {night}: {reason}" for night, reason in result.left_out.items()]
        self._end(f"{'⚠ ' if failed or not result.nights else ''}{result.summary}.", [*failed, *left_out])

    def show_trouble(self, sentence: str) -> None:
        """Say why nothing was exported."""
        self._end(f"⚠ {sentence}", [])

    def _end(self, said: str, reasons: list[str]) -> None:
        self._running = False
        self.said.setText(said)
        self.reasons.setPlainText("\n".join(reasons))
        self.reasons.setVisible(bool(reasons))
        self._show_state()

    def _show_state(self) -> None:
        self.progress.setVisible(self._running)
        self.stop_button.setEnabled(self._running)
        named = bool(self.reviews.text().strip() and self.out.text().strip())
        self.export_button.setEnabled(named and not self._running)

    def reject(self) -> None:
        """Close it, and stop what runs; Esc and the window's own button come here too."""
        self.stop_requested.emit()
        super().reject()


def _filled(name: str, text: str, placeholder: str, parent: QWidget) -> QLineEdit:
    field = text_field(name, placeholder, parent)
    field.setText(text)
    return field
