"""The window of models and versions: which there are, which is active, what each learned from; it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sleepviewer.app.scoring.versions_table import FiguresTable, VersionRow, VersionsTable
from sleepviewer.app.shell.panel_widgets import button, picker, say, sentence_label
from sleepviewer.models.versions import FigureRow

_SIZE: Final = (1080, 560)


class ModelsDialog(QDialog):
    """Shows the versions, and says what the user wants of the selected one."""

    activate_requested = Signal(str)
    roll_back_requested = Signal(str)
    """The member."""
    delete_requested = Signal(str)
    score_requested = Signal(str)
    compare_requested = Signal(str, str)
    retrain_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models and versions")
        self._night_open = False
        self._trouble = sentence_label(self)
        self.table = VersionsTable(self)
        self._about = sentence_label(self)
        self._about.setTextFormat(Qt.TextFormat.PlainText)
        self._about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.activate = button("Activate", "From now on it scores wherever its model is asked for", self)
        self.roll_back = button("Roll back", "Go back from the active version to the one that it was made from", self)
        self.score = button(
            "Score the open night with it",
            "Choose it in the tool bar and score; the earlier scoring stays as the second model",
            self,
        )
        self.delete = button("Delete…", "Move it into the folder “trash” beside the versions", self)
        self.retrain = button("Train on corrected nights…", "Make a new version", self)
        self.other = picker("Version to compare with", self)
        self.other.setMinimumContentsLength(24)
        self.figures = FiguresTable(self)
        self._figures_note = sentence_label(self)
        self._lay_out()
        self.resize(*_SIZE)
        self.table.chosen.connect(self._on_chosen)
        self.other.currentIndexChanged.connect(lambda _: self._compare())
        self.activate.clicked.connect(lambda: self._tell(self.activate_requested))
        self.score.clicked.connect(lambda: self._tell(self.score_requested))
        self.delete.clicked.connect(lambda: self._tell(self.delete_requested))
        self.roll_back.clicked.connect(self._roll_back)
        self.retrain.clicked.connect(self.retrain_requested)
        say(self._trouble, "")
        self._show_figures(False)

    def _lay_out(self) -> None:
        does = QHBoxLayout()
        for each in (self.activate, self.roll_back, self.score, self.delete):
            does.addWidget(each)
        does.addStretch(1)
        does.addWidget(self.retrain)
        compare = QHBoxLayout()
        compare.addWidget(QLabel("Compare it with", self))
        compare.addWidget(self.other)
        compare.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(self._trouble)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._about)
        layout.addLayout(does)
        layout.addLayout(compare)
        layout.addWidget(self.figures)
        layout.addWidget(self._figures_note)

    @property
    def text(self) -> str:
        """What is said of the selected version, and of its comparison."""
        labels = (self._trouble, self._about, self._figures_note)
        return "\n".join(label.text() for label in labels if not label.isHidden())

    def show_versions(self, rows: Sequence[VersionRow], *, night_open: bool) -> None:
        """Show all versions."""
        self._night_open = night_open
        say(self._trouble, "")
        self.table.show_rows(rows)
        self._on_chosen()

    def show_trouble(self, sentence: str) -> None:
        """Say what went wrong."""
        say(self._trouble, f"⚠ {sentence}" if sentence else "")

    def show_comparison(self, rows: Sequence[FigureRow], first: str, second: str) -> None:
        """Show the figures of two versions."""
        self.figures.show_figures(rows, first, second)
        say(
            self._figures_note,
            "From their cards, each measured when it was made, perhaps on other epochs. To measure both on the same "
            "nights: sleepviewer models compare A B --on night.npz.",
        )
        self._show_figures(True)

    def _on_chosen(self) -> None:
        row = self.table.current
        version = None if row is None else row.version
        say(self._about, "" if row is None else row.about)
        self.activate.setEnabled(version is not None and not version.active and not version.refused)
        self.roll_back.setEnabled(version is not None and version.active and version.number > 0)
        self.score.setEnabled(version is not None and self._night_open)
        self.delete.setEnabled(row is not None and (version is None or version.number > 0))
        self.other.blockSignals(True)
        before = self.other.currentData()
        self.other.clear()
        self.other.addItem("no other", "")
        for other in self.table.versions.rows:
            if version is not None and other.version is not None and other is not row:
                self.other.addItem(other.title, other.name)
        self.other.setCurrentIndex(max(0, self.other.findData(before)))
        self.other.setEnabled(self.other.count() > 1)
        self.other.blockSignals(False)
        self._compare()

    def _compare(self) -> None:
        row, other = self.table.current, str(self.other.currentData() or "")
        self._show_figures(False)
        if row is not None and other:
            self.compare_requested.emit(other, row.name)

    def _show_figures(self, shown: bool) -> None:
        self.figures.setVisible(shown)
        self._figures_note.setVisible(shown)

    def _roll_back(self) -> None:
        row = self.table.current
        if row is not None and row.version is not None:
            self.roll_back_requested.emit(row.version.member)

    def _tell(self, signal: object) -> None:
        row = self.table.current
        if row is not None:
            signal.emit(row.name)  # type: ignore[attr-defined]
