"""Dialogs about units: the question before a channel is used, and the table of what was said of each channel."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.files.units_bar import answers_to
from sleepviewer.errors import ChannelError
from sleepviewer.recording import Recording, ToldUnit, with_told_units
from sleepviewer.recording.units_told import AS_IT_IS, VOLTAGES, UnitQuestion

_COLUMNS: Final = ("Channel", "The file says", "Take it as")
_BY_THE_FILE: Final = "as the file says"
_LEFT: Final = "left as it is, not asked again"


def ask_unit(parent: QWidget, question: UnitQuestion, purpose: str) -> str | None:
    """Ask which unit channels are in before they are used; None where it is not said, and nothing is to be done."""
    box = QMessageBox(parent)
    box.setObjectName("askUnit")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Which unit?")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"{question.sentence}\n\nTake {'them' if len(question.labels) > 1 else 'it'} as:")
    box.setInformativeText(
        f"{purpose} depends on it. The answer is remembered for this recording; File › Units of channels… changes it."
    )
    answers: dict[QAbstractButton, str] = {}
    for shown, unit in answers_to(question):
        answers[box.addButton(shown, QMessageBox.ButtonRole.ActionRole)] = unit
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.setEscapeButton(cancel)
    box.exec()
    return answers.get(box.clickedButton())


class UnitsDialog(QDialog):
    """Every channel, what the file says, and what it is taken as; what was chosen is in ``units``."""

    def __init__(self, recording: Recording, plain: Recording, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Units of channels")
        self.setObjectName("unitsDialog")
        told = {unit.label: unit.unit for unit in recording.told_units}
        intro = QLabel(
            "What a file says of its units can be missing or wrong. What you choose here counts for this recording "
            "alone, is remembered, and stands in the notes and in the saved review.",
            self,
        )
        intro.setWordWrap(True)
        self.table = QTableWidget(len(plain.channels), len(_COLUMNS), self)
        self.table.setAccessibleName("Units of channels")
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes from picker to picker
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self._pickers: dict[str, QComboBox] = {}
        for row, channel in enumerate(plain.channels):
            said = channel.file_unit.strip() or "no unit"
            for column, text in enumerate((channel.label, said)):
                self.table.setItem(row, column, QTableWidgetItem(text))
            if _can_be_told(plain, channel.label):
                self.table.setCellWidget(row, 2, self._picker(channel.label, told.get(channel.label, "")))
            else:
                self.table.setItem(row, 2, QTableWidgetItem("no voltage"))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        buttons = QDialogButtonBox(self)
        buttons.addButton(QDialogButtonBox.StandardButton.Ok)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        reset = buttons.addButton("All as the file says", QDialogButtonBox.ButtonRole.ResetRole)
        reset.clicked.connect(self.forget_all)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(intro)
        layout.addWidget(self.table, 1)
        layout.addWidget(buttons)
        row_px = self.table.verticalHeader().defaultSectionSize()
        self.resize(560, min(160 + row_px * len(plain.channels), 620))

    @property
    def units(self) -> tuple[ToldUnit, ...]:
        """What is told as the dialog stands."""
        return tuple(ToldUnit(label, unit) for label, box in self._pickers.items() if (unit := box.currentData()))

    def choose(self, label: str, unit: str) -> None:
        """Take a channel as a unit, as it is (``as-is``), or as the file says (nothing)."""
        picker = self._pickers[label]
        picker.setCurrentIndex(picker.findData(unit))

    def forget_all(self) -> None:
        """Take every channel as the file says."""
        for label in self._pickers:
            self.choose(label, "")

    def _picker(self, label: str, told: str) -> QComboBox:
        picker = QComboBox(self.table)
        picker.setAccessibleName(f"Take {label} as")
        picker.addItem(_BY_THE_FILE, "")
        for unit in VOLTAGES:
            picker.addItem(unit, unit)
        picker.addItem(_LEFT, AS_IT_IS)
        picker.setCurrentIndex(picker.findData(told))
        self._pickers[label] = picker
        return picker


def _can_be_told(recording: Recording, label: str) -> bool:
    try:
        with_told_units(recording, [ToldUnit(label, AS_IT_IS)])
    except ChannelError:
        return False
    return True
