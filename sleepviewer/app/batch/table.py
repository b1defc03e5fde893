"""The table of a batch: a row for each night, with what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from sleepviewer.app.shell.row_table import Index, RowModel, RowTable, is_enter
from sleepviewer.batch.manifest import Line

_NIGHT, _STATUS, _EPOCHS, _TST, _SE, _KAPPA, _REVIEW, _SECONDS = range(8)

_TIPS: Final = {
    _TST: "Total sleep time by the model, in hours and minutes",
    _SE: "Sleep efficiency by the model: TST as a share of the recording",
    _KAPPA: "Agreement with the expert's hypnogram, where one was found",
    _REVIEW: "Share of the night to review, most doubtful first, until κ is expected to be 0.90",
    _SECONDS: "Seconds that the night took: reading, scoring and writing",
}
_WIDEST: Final = {
    _STATUS: "✓ done before",
    _EPOCHS: "Epochs00",
    _TST: "00 h 00",
    _SE: "100.0 %",
    _KAPPA: "−0.00",
    _REVIEW: "Review 00",
    _SECONDS: "0000.0",
}
"""What each column must hold; the first has what is left."""
_ROOM_PX: Final = 16


class BatchTable(RowTable):
    """Nights of a batch; Enter or a double click opens one that is done."""

    open_requested = Signal(object)
    """The night's line."""

    def __init__(self, model: BatchModel, parent: QWidget | None = None) -> None:
        super().__init__("Nights of the folder, and what came of them", parent)
        self._nights = model
        self.setModel(model)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(_NIGHT, QHeaderView.ResizeMode.Stretch)
        for column, widest in _WIDEST.items():
            header.resizeSection(column, self.fontMetrics().horizontalAdvance(widest) + _ROOM_PX)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.doubleClicked.connect(lambda index: self._open(index.row()))

    def does(self, event: QKeyEvent) -> Callable[[], object] | None:
        """See :class:`RowTable`."""
        row = self.currentIndex().row()
        return (lambda: self._open(row)) if is_enter(event) and row >= 0 else None

    def _open(self, row: int) -> None:
        line = self._nights.line(row)
        if line is not None and "failed" not in line:
            self.open_requested.emit(line)


class BatchModel(RowModel):
    """Nights by their names, and their lines of the manifest as they come in."""

    HEADERS = ("Night", "Status", "Epochs", "TST", "SE", "κ", "Review", "s")

    def __init__(self) -> None:
        super().__init__()
        self._nights: tuple[str, ...] = ()
        self._row_of: dict[str, int] = {}
        self._lines: dict[int, Line] = {}
        self._next = 0
        self._running = False

    def show_nights(self, nights: Sequence[str]) -> None:
        """Show nights that nothing is known of yet."""
        self.beginResetModel()
        self._nights = tuple(nights)
        self._row_of = {night: row for row, night in enumerate(nights)}
        self._lines, self._next = {}, 0
        self.endResetModel()

    def add(self, line: Line) -> None:
        """Show what came of a night."""
        row = self._row_of.get(line["night"])
        if row is None:
            return
        self._lines[row] = line
        before = self._next
        while self._next in self._lines:
            self._next += 1
        self.tell_changed(row, row)
        self.tell_changed(before, min(self._next, len(self._nights) - 1))

    def set_running(self, running: bool) -> None:
        """Say of the first night that is not done that it is being scored, or that it waits."""
        self._running = running
        if self._next < len(self._nights):
            self.tell_changed(self._next, self._next)

    def line(self, row: int) -> Line | None:
        """Return what is known of a row's night."""
        return self._lines.get(row)

    def n_rows(self) -> int:
        return len(self._nights)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS.get(section)
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = index.row(), index.column()
        line = self._lines.get(row)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._nights[row] if column == _NIGHT else self._text(row, line, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(self._nights[row], line)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column in (_NIGHT, _STATUS) else Qt.AlignmentFlag.AlignRight
            return Qt.AlignmentFlag.AlignVCenter | side
        return None

    def _text(self, row: int, line: Line | None, column: int) -> str:
        if column == _STATUS:
            return self._status(row, line)
        if line is None or ("failed" in line and column != _SECONDS):
            return ""
        match column:
            case 2:
                return str(line.get("n_epochs", ""))
            case 3:
                minutes = line.get("tst_min")
                return "–" if minutes is None else f"{int(minutes) // 60} h {int(minutes) % 60:02d}"
            case 4:
                return _number(line.get("se_percent"), "{:.0f} %")
            case 5:
                return _number((line.get("agreement") or {}).get("kappa"), "{:.2f}")
            case 6:
                share = line.get("to_review")
                return "–" if share is None else f"{100 * share:.0f} %"
        return _number(line.get("seconds"), "{:.1f}")

    def _status(self, row: int, line: Line | None) -> str:
        if line is None:
            return "▶ scoring…" if self._running and row == self._next else "waiting"
        if "failed" in line:
            return "✕ failed"
        return "✓ done before" if "kept" in line else "✓ done"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _tip(night: str, line: Line | None) -> str:
    """The night in full, and the reason or the notes: they fit no cell."""
    if line is None:
        return night
    said = [night, *([line["failed"]] if "failed" in line else line.get("notes") or [])]
    return "\n".join(said)
