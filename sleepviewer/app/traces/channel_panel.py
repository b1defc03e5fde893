"""The panel of channels: which lanes the page has, in which order, and what each looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.shell.scrolled import scrolled
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.traces.channel_form import Change, LaneForm
from sleepviewer.app.traces.channel_table import LaneTable
from sleepviewer.display.filters import default_band
from sleepviewer.display.montage import Derivation, Montage, Trace, derived_channel
from sleepviewer.recording.base import Recording

FOR_THE_EYE = "For the eye only: models and exports get the recording itself, never filters or derivations."


@dataclass(frozen=True, slots=True)
class MontageChoice:
    """An entry of the list of montages: its name, the key that calls it, and whether it was saved by the user."""

    name: str
    key: int | None
    saved: bool


class ChannelPanel(QWidget):
    """Shows a montage and emits the one that an edit would make of it; keeps nothing itself."""

    edited = Signal(object)
    """The Montage that is to be shown."""
    chosen = Signal(str)
    """Name of the montage that is to be shown."""
    lane_selected = Signal(object)
    """Row of the selected lane in the montage, or None where there is not just one."""
    refused = Signal(str)
    """A sentence: why an edit can't be."""
    derivation_asked = Signal()
    save_asked = Signal()
    rename_asked = Signal()
    delete_asked = Signal()
    reset_asked = Signal()
    import_asked = Signal()
    export_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recording: Recording | None = None
        self._montage = Montage("", ())
        self.montages = QComboBox(self)
        self.montages.setAccessibleName("Montage")
        self.montages.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.montages.setMinimumContentsLength(12)
        self.save_button = QPushButton("Save…", self)
        self.save_button.setToolTip("Save what is shown as a montage of yours; Shift+F1 to Shift+F12 save it at a key")
        self.more_button = QToolButton(self)
        self.table = LaneTable(theme, self)
        self.up_button = QPushButton("Up", self)
        self.up_button.setToolTip("Move the selected lanes up (Ctrl+Up in the list; or drag them)")
        self.down_button = QPushButton("Down", self)
        self.down_button.setToolTip("Move the selected lanes down (Ctrl+Down in the list; or drag them)")
        self.add_button = QPushButton("Add…", self)
        self.add_button.setToolTip("Add a channel, a difference of channels, or one against the mean of several")
        self.remove_button = QPushButton("Remove", self)
        self.remove_button.setToolTip("Take the selected lanes out of the montage (Delete in the list)")
        self.form = LaneForm(theme, self)
        self.note = QLabel(FOR_THE_EYE, self)
        self.note.setWordWrap(True)
        self._build_menu()
        self._lay_out()
        self._connect()
        self.set_theme(theme)
        self._follow_selection()

    def _build_menu(self) -> None:
        menu = QMenu(self.more_button)
        self._rename = menu.addAction("Rename…", self.rename_asked.emit)
        self._delete = menu.addAction("Delete…", self.delete_asked.emit)
        menu.addSeparator()
        menu.addAction("Back to as recorded", self.reset_asked.emit)
        menu.addSeparator()
        menu.addAction("Import montages…", self.import_asked.emit)
        menu.addAction("Export montages…", self.export_asked.emit)
        self.more_button.setText("More")
        self.more_button.setMenu(menu)
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more_button.setToolTip("Rename, delete, back to as recorded, import, export")
        self.more_button.setAccessibleName("More about montages")

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.montages, 1)
        head.addWidget(self.save_button)
        head.addWidget(self.more_button)
        tools = QHBoxLayout()
        for button in (self.up_button, self.down_button, self.add_button, self.remove_button):
            button.setAutoDefault(False)
            # Four beside each other in a narrow dock: as wide as their words, no wider.
            button.setMinimumWidth(button.fontMetrics().horizontalAdvance(button.text()) + 18)
            tools.addWidget(button, 1)
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        self._line = line
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.table, 1)
        layout.addLayout(tools)
        layout.addWidget(line)
        form = scrolled(self.form)
        form.setMinimumHeight(90)
        layout.addWidget(form)
        layout.addWidget(self.note)
        self.setMinimumWidth(300)

    def _connect(self) -> None:
        self.montages.activated.connect(lambda i: self.chosen.emit(self.montages.itemData(i)))
        self.save_button.clicked.connect(self.save_asked)
        self.add_button.clicked.connect(self.derivation_asked)
        self.remove_button.clicked.connect(self.remove_selected)
        self.up_button.clicked.connect(lambda: self.table.move_selected(-1))
        self.down_button.clicked.connect(lambda: self.table.move_selected(1))
        self.table.moved.connect(self._move)
        self.table.remove_asked.connect(self.remove_selected)
        self.table.model_.shown_asked.connect(self._show_or_hide)
        self.table.selection_changed.connect(self._follow_selection)
        self.form.changed.connect(self._change)
        self.form.refused.connect(self.refused)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.table.model_.set_theme(theme)
        self.form.set_theme(theme)
        self.note.setStyleSheet(f"color: {theme.dim_text}")
        self._line.setStyleSheet(f"color: {theme.border}")

    # -- what is shown

    def show_montage(self, recording: Recording, montage: Montage) -> None:
        """Show a montage of a recording; what was selected stays so where the lanes are the same."""
        if (recording, montage) == (self._recording, self._montage):
            return
        rows = self.table.rows if len(montage.traces) == len(self._montage.traces) else []
        self._recording, self._montage = recording, montage
        self.table.model_.show_montage(recording, montage)
        if rows != self.table.rows:
            self.table.select(rows)
        self._follow_selection(quietly=True)

    def show_choices(self, choices: Sequence[MontageChoice], current: str, *, changed: bool) -> None:
        """Fill the list of montages; ``changed`` says that what is shown differs from the one of that name."""
        self.montages.clear()
        offered_last = max((i for i, choice in enumerate(choices) if not choice.saved), default=-1)
        for i, choice in enumerate(choices):
            key = "" if choice.key is None else f"  (F{choice.key})"
            # In place of the key, which no longer calls what is shown: a narrow dock has no room for both.
            note = ", changed" if changed and choice.name == current else key
            self.montages.addItem(f"{choice.name}{note}", choice.name)
            if i == offered_last and i + 1 < len(choices):
                self.montages.insertSeparator(self.montages.count())
        place = self.montages.findData(current)
        if place < 0:
            self.montages.insertItem(0, f"{current}, not saved", current)
            place = 0
        self.montages.setCurrentIndex(place)
        self.montages.setToolTip(
            f"{self.montages.currentText()}\nMontages: those offered for this recording, and those that you saved"
        )
        saved = any(choice.saved and choice.name == current for choice in choices)
        self._rename.setEnabled(saved)
        self._delete.setEnabled(saved)

    def select_rows(self, rows: Sequence[int]) -> None:
        """Select lanes by their rows in the montage."""
        self.table.select([row for row in rows if row < len(self._montage.traces)])

    @property
    def rows(self) -> list[int]:
        """Rows of the selected lanes."""
        return self.table.rows

    def _follow_selection(self, *, quietly: bool = False) -> None:
        rows = self.table.rows
        channels = self.table.model_.channels
        self.form.show_lanes([(self._montage.traces[row], channels[row]) for row in rows])
        for button in (self.up_button, self.down_button, self.remove_button):
            button.setEnabled(bool(rows))
        if not quietly:
            self.lane_selected.emit(rows[0] if len(rows) == 1 else None)

    # -- edits

    def _change(self, change: Change) -> None:
        montage = self._montage
        for row in self.table.rows:
            montage = montage.with_trace(row, change(montage.traces[row]))
        self._emit(montage)

    def _show_or_hide(self, rows: Sequence[int], visible: bool) -> None:
        montage = self._montage
        for row in rows:
            montage = montage.with_trace(row, replace(montage.traces[row], visible=visible))
        self._emit(montage)

    def _move(self, rows: Sequence[int], to: int) -> None:
        first = to - sum(row < to for row in rows)
        self._emit(self._montage.moved(rows, to), range(first, first + len(rows)))

    def remove_selected(self) -> None:
        """Take the selected lanes out of the montage."""
        rows = self.table.rows
        if rows:
            left = len(self._montage.traces) - len(rows)
            self._emit(self._montage.without(rows), [min(rows[0], left - 1)] if left else [])

    def add(self, derivations: Sequence[Derivation]) -> None:
        """Put lanes under the selected ones, or at the bottom, filtered as is usual."""
        if self._recording is None or not derivations:
            return
        traces = [Trace(d, default_band(derived_channel(self._recording, d))) for d in derivations]
        place = self.table.rows[-1] + 1 if self.table.rows else len(self._montage.traces)
        lanes = self._montage.traces
        montage = replace(self._montage, traces=(*lanes[:place], *traces, *lanes[place:]))
        self._emit(montage, range(place, place + len(traces)))

    def _emit(self, montage: Montage, rows: Sequence[int] | None = None) -> None:
        """Ask for a montage, and select other rows once it is shown; the last lane stays where it is."""
        if montage == self._montage:
            return
        if self._recording is not None and not montage.fitting(self._recording).shown:
            self.refused.emit("At least one lane of this recording stays on the page.")
            self.table.model_.show_montage(self._recording, self._montage)
            return
        self.edited.emit(montage)
        if rows is not None and montage == self._montage:
            self.select_rows(list(rows))
