"""The dialog before an export: as what the labels are written, and which epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.panel_widgets import as_primary
from sleepviewer.recording.formats import base_name
from sleepviewer.review.exporting import ExportOptions, Format, chosen_epochs, export_formats
from sleepviewer.review.night import Night
from sleepviewer.stages import Stage

_USUAL_WAKE_MIN: Final = 30


class ExportForm(QWidget):
    """Rows for the options of an export, of one night or of many."""

    changed = Signal()

    def __init__(self, options: ExportOptions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = QComboBox(self)
        self.kind.setAccessibleName("Format")
        for kind in export_formats():
            endings = ", ".join(ending.removeprefix(".") for ending in kind.endings)
            self.kind.addItem(f"{kind.export.title} ({endings})", str(kind))
        self.kind.setCurrentIndex(max(self.kind.findData(str(options.format)), 0))
        self._meaning = QLabel(self)
        self._meaning.setWordWrap(True)
        self.epochs = QComboBox(self)
        self.epochs.setAccessibleName("Which epochs")
        self.epochs.addItem("All that have a label", False)
        self.epochs.addItem("Only those corrected or accepted by hand", True)
        self.epochs.setCurrentIndex(int(options.only_edited))
        self.trim = QCheckBox("Keep only", self)
        self.trim.setAccessibleName("Leave out the wake that is far from sleep")
        self.trim.setChecked(options.trim_wake_min is not None)
        self.wake = QSpinBox(self)
        self.wake.setAccessibleName("Minutes of wake kept before and after sleep")
        self.wake.setRange(0, 600)
        self.wake.setSuffix(" min")
        self.wake.setValue(round(_USUAL_WAKE_MIN if options.trim_wake_min is None else options.trim_wake_min))
        trim = QHBoxLayout()
        trim.addWidget(self.trim)
        trim.addWidget(self.wake)
        trim.addWidget(QLabel("of wake around sleep", self))
        trim.addStretch()
        self.rows = form = QFormLayout(self)
        """Where a dialog may put rows of its own above these."""
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Format", self.kind)
        form.addRow("", self._meaning)
        form.addRow("Epochs", self.epochs)
        form.addRow("Wake", trim)
        self.kind.currentIndexChanged.connect(self._on_changed)
        self.epochs.currentIndexChanged.connect(self._on_changed)
        self.trim.toggled.connect(self._on_changed)
        self.wake.valueChanged.connect(self._on_changed)
        self._on_changed()

    @property
    def options(self) -> ExportOptions:
        """What was chosen."""
        kind = Format(self.kind.currentData())
        trim = self.wake.value() if self.trim.isChecked() and kind.has_signal else None
        return ExportOptions(kind, bool(self.epochs.currentData()), trim)

    def _on_changed(self) -> None:
        kind = Format(self.kind.currentData())
        self._meaning.setText(kind.export.note)
        self.trim.setEnabled(kind.has_signal)
        self.wake.setEnabled(kind.has_signal and self.trim.isChecked())
        self.changed.emit()


class ExportDialog(QDialog):
    """Asks for the options of the open night's export, and says how many epochs that makes."""

    def __init__(self, night: Night, options: ExportOptions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._night = night
        self.form = ExportForm(options, self)
        self._result = QLabel(self)
        self._result.setWordWrap(True)
        self._result.setMinimumWidth(420)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.export_button = self._buttons.addButton("Export…", QDialogButtonBox.ButtonRole.AcceptRole)
        as_primary(self.export_button)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        layout.addWidget(self._result)
        layout.addWidget(self._buttons)
        self.form.changed.connect(self._show)
        self._show()

    @property
    def options(self) -> ExportOptions:
        """What was chosen."""
        return self.form.options

    @property
    def said(self) -> str:
        """How many epochs are exported."""
        return self._result.text()

    def _show(self) -> None:
        document, options = self._night.document, self.options
        labels = document.labels
        written = chosen_epochs(labels, document.corrected, options) & (labels != Stage.UNKNOWN)
        count, edited = int(written.sum()), int((written & document.edited).sum())
        said = f"{count} of {document.n_epochs} epochs, {edited} of them corrected or accepted by hand."
        if options.format.has_signal:
            said += f" Signal: {self._night.channel or 'the channel in the tool bar'}; epochs with a gap are left out."
        elif options.only_edited:
            said += " The others stand as unscored."
        if not count:
            said = "⚠ No epoch to export: " + ("none was corrected." if options.only_edited else "none has a label.")
        self._result.setText(said)
        self.export_button.setEnabled(bool(np.any(written)))


def ask_export(night: Night, options: ExportOptions, window: QWidget) -> tuple[Path, ExportOptions] | None:
    """Ask as what the open night is exported, beginning with ``options``, and where to; None where it is not to be."""
    dialog = ExportDialog(night, options, window)
    try:
        if dialog.exec() == QDialog.DialogCode.Rejected:
            return None
        options = dialog.options
    finally:
        dialog.deleteLater()
    recording = night.recording.path
    proposed = recording.with_name(f"{base_name(recording)}-labels{options.format.endings[0]}")
    kind = dialogs.name_filter(options.format.export.title, options.format.endings)
    path = dialogs.ask_export_path(window, proposed, kind)
    return None if path is None else (path, options)
