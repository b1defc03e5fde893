"""A dialog that arranges the night's rows: which are shown, in which order, how high."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.night.arrangement import Arrangement

if TYPE_CHECKING:
    from sleepviewer.app.night.view import NightView

_KEY = Qt.ItemDataRole.UserRole


class RowsDialog(QDialog):
    """The rows as a list: a tick shows a row, dragging or the buttons move it. What is done is seen at once."""

    def __init__(self, view: NightView, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Rows of the night")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._view = view
        self._filling = False
        self.list = QListWidget(self)
        self.list.setAccessibleName("Rows of the night, from the top")
        self.list.setDragDropMode(QListWidget.DragDropMode.InternalMove)
        self.up = QPushButton("Move &up", self)
        self.down = QPushButton("Move &down", self)
        self.height_percent = QSpinBox(self)
        self.height_percent.setRange(40, 400)
        self.height_percent.setSingleStep(10)
        self.height_percent.setSuffix(" %")
        self.height_percent.setAccessibleName("Height of the row")
        self.reset = QPushButton("As at the &first start", self)
        for button in (self.up, self.down, self.reset):
            button.setAutoDefault(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        side = QVBoxLayout()
        label = QLabel("&Height", self)
        label.setBuddy(self.height_percent)
        for widget in (self.up, self.down, label, self.height_percent):
            side.addWidget(widget)
        side.addStretch(1)
        side.addWidget(self.reset)
        body = QHBoxLayout()
        body.addWidget(self.list, 1)
        body.addLayout(side)
        layout = QVBoxLayout(self)
        layout.addLayout(body)
        layout.addWidget(buttons)
        buttons.rejected.connect(self.reject)
        self.up.clicked.connect(lambda: self._move(-1))
        self.down.clicked.connect(lambda: self._move(1))
        self.reset.clicked.connect(lambda: self._arrange(Arrangement()))
        self.list.itemChanged.connect(self._on_ticked)
        self.list.currentRowChanged.connect(self._show_current)
        self.list.model().rowsMoved.connect(lambda *_: self._on_dragged())
        self.height_percent.valueChanged.connect(self._on_height)
        self._fill()

    @property
    def _current(self) -> str | None:
        item = self.list.currentItem()
        return None if item is None else str(item.data(_KEY))

    def _fill(self, current: str | None = None) -> None:
        self._filling = True
        self.list.clear()
        for row in self._view.rows:
            item = QListWidgetItem(row.title)
            item.setData(_KEY, row.key)
            shown = row.key not in self._view.arrangement.hidden
            item.setCheckState(Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)
            self.list.addItem(item)
            if row.key == current:
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None:
            self.list.setCurrentRow(0)
        self._filling = False
        self._show_current()

    def _show_current(self) -> None:
        if self._filling:
            return
        row = next((row for row in self._view.rows if row.key == self._current), None)
        place = self.list.currentRow()
        self.up.setEnabled(place > 0)
        self.down.setEnabled(0 <= place < self.list.count() - 1)
        self.height_percent.setEnabled(row is not None and row.resizable)
        self._filling = True
        factor = 1.0 if row is None else self._view.arrangement.height_of(row.key)
        self.height_percent.setValue(round(100 * factor))
        self._filling = False

    def _arrange(self, arrangement: Arrangement) -> None:
        self._view.set_arrangement(arrangement, by_user=True)
        self._fill(self._current)

    def _move(self, places: int) -> None:
        if (key := self._current) is not None:
            keys = [row.key for row in self._view.rows]
            self._arrange(self._view.arrangement.moved(key, keys.index(key) + places, keys))

    def _on_ticked(self, item: QListWidgetItem) -> None:
        if not self._filling:
            shown = item.checkState() is Qt.CheckState.Checked
            self._view.set_arrangement(self._view.arrangement.shown(str(item.data(_KEY)), shown), by_user=True)

    def _on_dragged(self) -> None:
        if not self._filling:
            arrangement = self._view.arrangement
            keys = [str(self.list.item(place).data(_KEY)) for place in range(self.list.count())]
            for place, key in enumerate(keys):
                arrangement = arrangement.moved(key, place, keys)
            self._view.set_arrangement(arrangement, by_user=True)

    def _on_height(self, percent: int) -> None:
        if not self._filling and (key := self._current) is not None:
            self._view.set_arrangement(self._view.arrangement.resized(key, percent / 100), by_user=True)
