"""The command palette: every command and every recent recording, found by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QKeyEvent, QPainter, QPalette, QTextLayout
from PySide6.QtWidgets import (
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.keys.help_text import shown_keys
from sleepviewer.app.shell.fuzzy import Match, match

_ENTRY = Qt.ItemDataRole.UserRole
_PLACES = Qt.ItemDataRole.UserRole + 1
_MOST = 60
_OFF_NOT_NOW = 6.0
"""Off the score of what can't be called just now: below what fits as well, above what fits much worse."""
_MENU_PX = 64
_MARGIN_PX = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be called; ``why_not`` says why it can't be just now, ``checked`` how a switch stands."""

    title: str
    menu: str
    keys: tuple[str, ...]
    tip: str
    call: Callable[[], object]
    why_not: str = ""
    checked: bool | None = None
    icon: QIcon = field(default_factory=QIcon)


class CommandPalette(QDialog):
    """A line to type into and the list of what fits, best first. Enter chooses, Esc leaves."""

    def __init__(self, entries: Sequence[Entry], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setWindowTitle("Find a command")
        self.setObjectName("palette")
        self.chosen: Entry | None = None
        self._entries = entries
        self._line = QLineEdit(self)
        self._line.setPlaceholderText("A few letters of a command or a recent recording")
        self._line.setAccessibleName("Find a command")
        self._line.installEventFilter(self)
        self._line.textChanged.connect(self._fill)
        self._list = QListWidget(self)
        self._list.setAccessibleName("Commands found")
        self._list.setItemDelegate(_Delegate(self._list))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setUniformItemSizes(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrows reach it from the line
        self._list.currentItemChanged.connect(self._explain)
        self._list.itemClicked.connect(self._choose)
        self._said = QLabel(self)
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        layout = QVBoxLayout(self)
        layout.addWidget(self._line)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._said)
        self.resize(min(720, max(parent.width() - 40, 360)), min(460, max(parent.height() - 80, 260)))
        corner = parent.mapToGlobal(parent.rect().topLeft())
        self.move(corner.x() + (parent.width() - self.width()) // 2, corner.y() + min(70, parent.height() // 10))
        self._fill()

    @property
    def found(self) -> list[Entry]:
        """What fits, best first."""
        return [self._list.item(row).data(_ENTRY) for row in range(self._list.count())]

    @property
    def said(self) -> str:
        """What is said of the entry in hand."""
        return self._said.text()

    def _fill(self) -> None:
        query = self._line.text()
        found = [(m, entry) for entry in self._entries if (m := match(query, entry.title)) is not None]
        if query.strip():
            taken = {id(entry) for _, entry in found}
            # A command is also found by what it does, after those that are called so.
            words = query.lower().split()
            others = [e for e in self._entries if id(e) not in taken and all(w in e.tip.lower() for w in words)]
            found.sort(key=lambda pair: _OFF_NOT_NOW * bool(pair[1].why_not) - pair[0].score)
            found += [(Match(0.0, ()), entry) for entry in others]
        self._list.clear()
        for fits, entry in found[:_MOST] if query.strip() else found:
            item = QListWidgetItem(entry.title, self._list)
            item.setData(_ENTRY, entry)
            item.setData(_PLACES, fits.places)
            item.setToolTip(entry.tip)
            keys = f", {shown_keys(entry.keys)}" if entry.keys else ""
            said = f", not now: {entry.why_not}" if entry.why_not else ""
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.title}{keys}{said}")
        self._list.setCurrentRow(0)
        self._explain()

    def _explain(self) -> None:
        item: QListWidgetItem | None = self._list.currentItem()
        if item is None:
            self._said.setText("Nothing has these letters in this order")
            return
        entry: Entry = item.data(_ENTRY)
        self._said.setText(f"Not now: {entry.why_not}" if entry.why_not else entry.tip)

    def _choose(self) -> None:
        item: QListWidgetItem | None = self._list.currentItem()
        if item is None:
            return
        entry: Entry = item.data(_ENTRY)
        if not entry.why_not:
            self.chosen = entry
            self.accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._line and event.type() is QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
            page = max(self._list.height() // max(self._list.sizeHintForRow(0), 1) - 1, 1)
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page}
            if (step := steps.get(Qt.Key(event.key()))) is not None:
                row = min(max(self._list.currentRow() + step, 0), self._list.count() - 1)
                self._list.setCurrentRow(row)
                return True
        return super().eventFilter(watched, event)


class _Delegate(QStyledItemDelegate):
    """Menu and name at the left with the letters that were found in bold, keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, option.fontMetrics.height() + 11)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry: Entry = index.data(_ENTRY)
        palette = option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(option.rect, palette.color(QPalette.ColorRole.Highlight))
        ink = palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        dim = palette.color(QPalette.ColorRole.PlaceholderText)
        room = QRectF(option.rect).adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.save()
        painter.setFont(option.font)
        keys = f"not now: {entry.why_not}" if entry.why_not else shown_keys(entry.keys)
        keys_width = min(painter.fontMetrics().horizontalAdvance(keys) + 12, room.width() / 2)
        painter.setPen(dim)
        painter.drawText(room, middle | Qt.AlignmentFlag.AlignLeft, entry.menu)
        painter.setPen(dim if entry.why_not else ink)
        painter.drawText(
            room,
            middle | Qt.AlignmentFlag.AlignRight,
            painter.fontMetrics().elidedText(keys, Qt.TextElideMode.ElideRight, round(keys_width)),
        )
        left = room.left() + _MENU_PX
        icon_px = option.fontMetrics.height()
        if not entry.icon.isNull():
            mode = QIcon.Mode.Disabled if entry.why_not else QIcon.Mode.Normal
            place = QRectF(left, room.center().y() - icon_px / 2, icon_px, icon_px).toRect()
            entry.icon.paint(painter, place, mode=mode)
        left += icon_px + 8
        mark = "" if entry.checked is None else "✓ " if entry.checked else ""
        width = room.right() - keys_width - left
        self._draw_title(
            painter,
            option.font,
            mark,
            entry.title,
            index.data(_PLACES),
            QRectF(left, room.top(), width, room.height()),
            dim if entry.why_not else ink,
        )
        painter.restore()

    def _draw_title(
        self,
        painter: QPainter,
        font: QFont,
        mark: str,
        title: str,
        places: tuple[int, ...],
        rect: QRectF,
        ink: QColor,
    ) -> None:
        shown = painter.fontMetrics().elidedText(mark + title, Qt.TextElideMode.ElideRight, round(rect.width()))
        layout = QTextLayout(shown, font)
        bold = []
        for place in places:
            if place + len(mark) < len(shown):
                found = QTextLayout.FormatRange()
                found.start, found.length = place + len(mark), 1
                form = found.format
                form.setFontWeight(QFont.Weight.Bold)
                form.setFontUnderline(True)
                found.format = form
                bold.append(found)
        layout.setFormats(bold)
        layout.beginLayout()
        line = layout.createLine()
        layout.endLayout()
        painter.setPen(ink)
        layout.draw(painter, QRectF(rect.left(), rect.center().y() - line.height() / 2, 0, 0).topLeft())
