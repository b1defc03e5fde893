"""The panel of disagreements: a list with filters, and both hypnograms line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedLayout,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.analysis.diff import LEGEND
from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.order import Epochs
from sleepviewer.app.compare.aligned_view import DiffView
from sleepviewer.app.compare.disagreements_filter import ErrorFilterBoxes
from sleepviewer.app.compare.disagreements_table import EPOCH, HOUR, RANK, TIME, DisagreementModel, DisagreementTable
from sleepviewer.app.shell.row_table import is_enter
from sleepviewer.app.shell.theme import Theme
from sleepviewer.recording.base import Recording
from sleepviewer.review.comparison import Pairing
from sleepviewer.review.navigation import EpochWalk

DISAGREEMENTS: Final = "Disagreements"
SUSPECTS: Final = "Suspect labels"
_IN_ORDER_OF_THE_NIGHT: Final = (EPOCH, TIME, HOUR)
_NO_EPOCHS: Final[Epochs] = np.empty(0, dtype=np.intp)


class DisagreementsPanel(QWidget):
    """Shows a comparison and says what the user wants of it; it changes nothing itself."""

    picked = Signal(int)
    """An epoch: go there."""
    compare_requested = Signal()
    """Another pairing, or suspect labels instead of disagreements: what is shown has to be worked out anew."""
    list_changed = Signal()
    """Other epochs are listed, or in another order."""
    list_wanted = Signal()
    """D is to step through this list, whatever it steps through now."""
    export_requested = Signal()
    training_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison: Comparison | None = None
        self._recording: Recording | None = None
        self._suspects: Epochs | None = None
        self._measured = False
        self._nothing = ""
        self._told_of: tuple[Epochs, str] = (_NO_EPOCHS, "")
        self._pairing = _box("Which two to compare", Pairing)
        self._mode = _box("What is listed", (DISAGREEMENTS, SUSPECTS))
        self._clear = QPushButton("Show all", self)
        self._clear.setToolTip("Take all filters away, in the order of the night; D steps through this list")
        self.boxes = ErrorFilterBoxes(self._mode, self)
        self._told = QLabel(self)
        self._summary = QLabel(self)
        self.model = DisagreementModel(theme)
        self.table = DisagreementTable(self.model, self)
        self._empty = QLabel(self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._export = QPushButton("Export…", self)
        self._export.setToolTip("Write this list as a table (CSV)")
        self._training = QPushButton("Training…", self)
        self._training.setToolTip("Name the folder of the training that the model comes from")
        self._only_different = QCheckBox("Only lines that differ", self)
        self._legend = QLabel(self)
        self.diff = DiffView(theme, self)
        for label in (self._told, self._summary, self._empty, self._legend):
            label.setWordWrap(True)
        for button in (self._clear, self._export, self._training):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAutoDefault(False)
        self._tabs = QTabWidget(self)
        self._tabs.setDocumentMode(True)
        self._tabs.tabBar().setDrawBase(False)
        self._tabs.setAccessibleName("Disagreements")
        self._lay_out()
        self._connect()
        self._told.hide()
        self._training.hide()
        self.show_comparison(None, None, measured=False, nothing="Open a night to see where two scorers differ.")

    def _lay_out(self) -> None:
        listed, lines = QWidget(self), QWidget(self)
        column = QVBoxLayout(listed)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.boxes)
        column.addWidget(self._told)
        column.addWidget(self._summary)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._empty)
        column.addLayout(self._stack, 1)
        column.addLayout(_row((self._export, 1), (self._training, 1)))
        column = QVBoxLayout(lines)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._legend)
        column.addWidget(self._only_different)
        column.addWidget(self.diff, 1)
        self._tabs.addTab(listed, "List")
        self._tabs.addTab(lines, "Line by line")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(_row((self._pairing, 1), (self._clear, 0)))
        layout.addWidget(self._tabs, 1)

    def _connect(self) -> None:
        self._pairing.activated.connect(lambda _: self.compare_requested.emit())
        self._mode.activated.connect(lambda _: self._change_mode())
        self._clear.clicked.connect(self.clear)
        self.boxes.changed.connect(self._list)
        self.model.ordered.connect(self._on_ordered)
        self.table.picked.connect(self.picked)
        self.diff.picked.connect(self.picked)
        self._export.clicked.connect(self.export_requested)
        self._training.clicked.connect(self.training_requested)
        self._only_different.toggled.connect(self.diff.show_only_different)
        self._tabs.currentChanged.connect(lambda _: self.compare_requested.emit())

    def event(self, event: QEvent) -> bool:
        # Else the window would take Enter for the model's stage of the epoch.
        if event.type() is QEvent.Type.ShortcutOverride and is_enter(event):
            event.accept()
            return True
        return super().event(event)

    # -- what is asked for

    @property
    def pairing(self) -> Pairing:
        """Which two are compared."""
        return Pairing(self._pairing.currentText())

    @property
    def asks_for_suspects(self) -> bool:
        """Whether suspect labels are listed, not all disagreements."""
        return self._mode.currentText() == SUSPECTS

    @property
    def shows_lines(self) -> bool:
        """Whether both hypnograms are shown line by line, not the list."""
        return self._tabs.currentIndex() == 1

    @property
    def list_name(self) -> str:
        """What the list is called; nothing where it is all disagreements of model and expert in the night's order."""
        column, falling = self.model.sorted_by
        words = [SUSPECTS.lower()] if self.asks_for_suspects else []
        words += [] if self.pairing is Pairing.MODEL_EXPERT else [str(self.pairing).lower()]
        words += self.boxes.words
        usual = (RANK,) if self.asks_for_suspects else _IN_ORDER_OF_THE_NIGHT
        if column not in usual or falling:
            words.append(self.model.order_words)
        return ", ".join(words)

    @property
    def shown(self) -> Epochs:
        """The epochs that are listed, from the top."""
        return self.model.epochs

    def list_cell(self, pairing: Pairing, truth: int, predicted: int) -> None:
        """List the epochs of a cell of a confusion matrix."""
        self._tabs.setCurrentIndex(0)
        self._pairing.setCurrentText(str(pairing))
        self._set_mode(DISAGREEMENTS)
        self.compare_requested.emit()
        self.boxes.choose_pair(truth, predicted)
        self.list_wanted.emit()

    def list_suspects(self) -> None:
        """List suspect labels."""
        self._tabs.setCurrentIndex(0)
        if not self.asks_for_suspects:
            self._set_mode(SUSPECTS)
            self.compare_requested.emit()
        self.list_wanted.emit()

    def choose_pairing(self, pairing: Pairing) -> None:
        """Compare another two."""
        self._pairing.setCurrentText(str(pairing))
        self.compare_requested.emit()

    def show_lines(self) -> None:
        """Show both hypnograms line by line, and give them the keyboard."""
        self._tabs.setCurrentIndex(1)
        self.diff.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def clear(self) -> None:
        """List all disagreements of model and expert, in the order of the night."""
        self._pairing.setCurrentText(str(Pairing.MODEL_EXPERT))
        self._set_mode(DISAGREEMENTS)
        self.table.sortByColumn(EPOCH, Qt.SortOrder.AscendingOrder)
        self.compare_requested.emit()
        self.boxes.clear()
        self.list_wanted.emit()

    def forget(self) -> None:
        """Ask for nothing in particular: another night comes."""
        self._pairing.setCurrentText(str(Pairing.MODEL_EXPERT))
        self._set_mode(DISAGREEMENTS)
        self.boxes.forget()
        self.table.sortByColumn(EPOCH, Qt.SortOrder.AscendingOrder)

    def _change_mode(self) -> None:
        self._set_mode(self._mode.currentText())
        self.compare_requested.emit()

    def _set_mode(self, mode: str) -> None:
        suspects = mode == SUSPECTS
        self._mode.setCurrentText(mode)
        if suspects == self.table.isColumnHidden(RANK):
            self.table.setColumnHidden(RANK, not suspects)
            self.table.sortByColumn(RANK if suspects else EPOCH, Qt.SortOrder.AscendingOrder)
        self._told.setVisible(suspects)
        self._training.setVisible(suspects)

    # -- what is shown

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.model.set_theme(theme)
        self.diff.set_theme(theme)

    def show_comparison(
        self,
        comparison: Comparison | None,
        recording: Recording | None,
        *,
        measured: bool,
        suspects: Epochs | None = None,
        told: str = "",
        nothing: str = "",
    ) -> None:
        """Show a comparison, or (None) why there is nothing; filters, sorting, place and row stay.

        ``measured`` says whether the signal's measures are in it; ``suspects`` are the suspect labels, most suspect
        first, None where they are not known (yet), and ``told`` says what is known of the model and these labels.
        """
        self._comparison, self._recording, self._measured = comparison, recording, measured
        self._suspects, self._nothing = suspects, nothing
        self._told.setText(told)
        if comparison is not None:
            self.boxes.show_comparison(comparison)
        pairing = self.pairing
        self._legend.setText(f"Above: {pairing.reference}. Below: {pairing.judged}.\n{LEGEND}")
        self.diff.show_comparison(comparison if self.shows_lines else None, recording)
        self._list()

    def show_epoch(self, epoch: int) -> None:
        """Follow the current epoch."""
        if self.shows_lines:
            self.diff.show_epoch(epoch)
        else:
            self.table.show_epoch(epoch)

    def _list(self) -> None:
        bar = self.table.verticalScrollBar()
        place = bar.value()
        if self.model.show(self._comparison, self._listed(), self._recording, self.pairing, measured=self._measured):
            bar.setValue(place)
        nothing = not self.model.rowCount()
        self._empty.setText(self._why_empty())
        self._stack.setCurrentWidget(self._empty if nothing else self.table)
        self._export.setEnabled(not nothing)
        before, self._told_of = self._told_of, (self.shown, self.list_name)
        if before[1] != self.list_name or not np.array_equal(before[0], self.shown):
            self.list_changed.emit()

    def _listed(self) -> Epochs:
        if self._comparison is None:
            return _NO_EPOCHS
        epochs = self.boxes.filter.epochs(self._comparison)
        if not self.asks_for_suspects:
            return epochs
        suspects = _NO_EPOCHS if self._suspects is None else self._suspects
        return suspects[np.isin(suspects, epochs)]

    def _why_empty(self) -> str:
        if self._comparison is None:
            return self._nothing
        if self.asks_for_suspects and self._suspects is None:
            return "No label is ranked."
        if self._total:
            return "Nothing passes the filters."
        return "No label is suspect." if self.asks_for_suspects else "They do not disagree anywhere."

    @property
    def _total(self) -> int:
        """How many there are without filters."""
        if self._comparison is None:
            return 0
        if self.asks_for_suspects:
            return 0 if self._suspects is None else len(self._suspects)
        wanted = self.boxes.filter
        if wanted.truth is not None and wanted.truth == wanted.predicted:
            return int(np.trace(self._comparison.confusion))
        return len(self._comparison.epochs)

    def _on_ordered(self) -> None:
        self._told_of = (self.shown, self.list_name)
        self.list_changed.emit()

    @property
    def summary(self) -> str:
        """What is said above the table."""
        return self._summary.text()

    @property
    def told(self) -> str:
        """What is said of the model and the labels that it judges."""
        return self._told.text()

    def show_walk(self, walk: EpochWalk | None, *, mine: bool) -> None:
        """Say how much is listed, and what D steps through: this list (``mine``), another one, or (None) all."""
        if self._comparison is None:
            self._summary.setText("")
            return
        wanted = self.boxes.filter
        agreed = wanted.truth is not None and wanted.truth == wanted.predicted
        what = "suspect labels" if self.asks_for_suspects else "agreements" if agreed else "disagreements"
        shown, total = len(self.shown), self._total
        said = f"All {total} {what} are listed." if shown == total else f"{shown} of {total} {what} are listed."
        if mine:
            steps = "D steps through this list, from top to bottom."
        elif walk is not None:
            steps = f"D steps through another list, “{walk.name}”; “Show all” takes it back."
        elif self.list_name:
            steps = "D steps through all disagreements, not through this list."
        else:
            steps = "D steps through them."
        self._summary.setText(f"{said} {steps}")


def _box(name: str, texts: Sequence[str] | type[Pairing]) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.addItems([str(text) for text in texts])
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box


def _row(*widgets: tuple[QWidget, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget, stretch in widgets:
        row.addWidget(widget, stretch)
    return row
