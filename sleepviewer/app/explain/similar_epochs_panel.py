"""The panel “Look-alikes”: the map, what its symbols show, and the epochs that were picked from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QProgressBar, QVBoxLayout, QWidget

from sleepviewer.analysis.lookalikes import umap_is_there
from sleepviewer.app.explain.embedding_view import ColorBy, MapView
from sleepviewer.app.shell.epoch_table import EpochRow, EpochTable
from sleepviewer.app.shell.panel_widgets import button, picker, say, sentence_label
from sleepviewer.app.shell.theme import Theme

_COLORS: Final = ((ColorBy.ERROR, "Right or wrong"), (ColorBy.TRUTH, "Label"), (ColorBy.PREDICTED, "Model's stage"))
_HEADERS: Final = ("Epoch", "Time", "Label", "Model", "Distance", "Night")
_DISTANCE, _NIGHT = 4, 5
_LIST_ROWS: Final = 4


class MapPanel(QWidget):
    """Shows what MapPart gives it and says what the user wants; it computes nothing."""

    look_requested = Signal()
    cancel_requested = Signal()
    alike_requested = Signal()
    elsewhere_requested = Signal()
    all_requested = Signal()
    method_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = MapView(theme, self)
        self._look = button("Look", "See the epochs as the model in the tool bar does, in the background", self)
        self._colors = picker("What the symbols show", self)
        for color, text in _COLORS:
            self._colors.addItem(text, color)
        self._method = picker("How the epochs are laid on a plane", self)
        self._method.addItem("PCA", "pca")
        if umap_is_there():
            self._method.addItem("UMAP", "umap")
        self._method.setVisible(self._method.count() > 1)
        self._progress = QProgressBar(self)
        self._progress.setRange(0, 100)
        self._progress.setAccessibleName("Progress of looking at the epochs")
        self._cancel = button("Cancel", "Stop looking; what was found before stays", self)
        self._caption = sentence_label(self)
        self._said = sentence_label(self)
        self._all = button("End list", "Leave the list: D steps through all disagreements again", self)
        self._alike = button("Like this one", "List the epochs that look most like the current one (K)", self)
        self._elsewhere = button("In other nights…", "Look for them in a folder of scoring archives as well", self)
        self.table = EpochTable("Epochs picked from the map", _HEADERS, theme, self)
        for column in (_DISTANCE, _NIGHT):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.setMinimumHeight(_LIST_ROWS * self.table.verticalHeader().defaultSectionSize())
        self._lay_out()
        self._colors.activated.connect(lambda index: self.view.color_by(self._colors.itemData(index)))
        self._method.activated.connect(lambda index: self.method_chosen.emit(self._method.itemData(index)))
        self._look.clicked.connect(self.look_requested)
        self._cancel.clicked.connect(self.cancel_requested)
        self._alike.clicked.connect(self.alike_requested)
        self._elsewhere.clicked.connect(self.elsewhere_requested)
        self._all.clicked.connect(self.all_requested)
        self.show_progress(None)
        self.show_caption("")
        self.show_list("", ())

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._look, 0)
        top.addWidget(self._colors, 1)
        top.addWidget(self._method, 0)
        busy = QHBoxLayout()
        busy.addWidget(self._progress, 1)
        busy.addWidget(self._cancel, 0)
        buttons = QHBoxLayout()
        buttons.addWidget(self._alike, 1)
        buttons.addWidget(self._elsewhere, 1)
        buttons.addWidget(self._all, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addLayout(busy)
        layout.addWidget(self.view, 3)
        layout.addWidget(self._caption)
        layout.addLayout(buttons)
        layout.addWidget(self._said)
        layout.addWidget(self.table, 2)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.view.set_theme(theme)
        self.table.epochs.set_theme(theme)

    @property
    def text(self) -> str:
        """All that is said beside the map."""
        return "\n".join(label.text() for label in (self._caption, self._said) if not label.isHidden())

    @property
    def method(self) -> str:
        """How the epochs are laid on a plane."""
        return str(self._method.currentData())

    def choose_method(self, method: str) -> None:
        """Show which method lays the epochs on the plane."""
        self._method.setCurrentIndex(max(self._method.findData(method), 0))

    def choose_color(self, color: ColorBy) -> None:
        """Choose what the symbols show."""
        self._colors.setCurrentIndex(self._colors.findData(color))
        self.view.color_by(color)

    def show_progress(self, fraction: float | None, message: str = "") -> None:
        """Show that epochs are being looked at, or (None) that nothing runs. A fraction below 0 is not known."""
        running = fraction is not None
        self._progress.setVisible(running)
        self._cancel.setVisible(running)
        self._look.setEnabled(not running)
        self._elsewhere.setEnabled(not running)
        if fraction is not None:
            self._progress.setRange(0, 0 if fraction < 0 else 100)
            self._progress.setValue(round(100 * max(fraction, 0)))
            self._progress.setFormat(f"{message} · %p %" if message else "%p %")

    def show_caption(self, caption: str) -> None:
        """Say whose view of which channel the map shows."""
        say(self._caption, caption)

    def show_list(self, title: str, rows: Sequence[EpochRow], *, distances: bool = False) -> None:
        """Show epochs under a sentence, or (an empty title) none."""
        say(self._said, title)
        self._all.setVisible(bool(rows))
        self.table.setVisible(bool(rows))
        self.table.setColumnHidden(_DISTANCE, not distances)
        self.table.setColumnHidden(_NIGHT, not any(row.night for row in rows))
        self.table.show_rows(rows)
