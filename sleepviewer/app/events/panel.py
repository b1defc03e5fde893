"""The panel of events: what to draw, the table, what is suggested, how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.events.suggest_button import SuggestButton
from sleepviewer.app.events.table import EventModel, EventTable
from sleepviewer.app.shell.row_table import is_enter
from sleepviewer.recording.base import Recording
from sleepviewer.review.event_counts import count_kinds
from sleepviewer.review.events import Event, EventKind, Origin
from sleepviewer.review.lights import Lights
from sleepviewer.stages import StageArray

_ORIGINS = (("All origins", None), ("Expert's", Origin.EXPERT), ("Suggested", Origin.SUGGESTED))
_EMPTY = (
    "No events yet.\n\nE, then a drag over a trace, draws one on it; with Alt or Shift held, over all of them. "
    "Ctrl+D looks for spindles and slow waves and suggests them."
)
_FILTERED = "No event of this kind and origin."


class EventsPanel(QWidget):
    """Shows a document's events and says what the user wants of them; it changes nothing itself."""

    picked = Signal(str)
    """An event's id: go there."""
    selection_changed = Signal()
    edit_requested = Signal(str, str, str)
    """An event's id, ``kind`` or ``text``, and what it is to be."""
    accept_requested = Signal(list)
    """Ids of suggestions to make the expert's own."""
    remove_requested = Signal(list)
    """Ids of events to delete, of suggestions to dismiss."""
    draw_toggled = Signal(bool)
    kind_chosen = Signal(str)
    suggest_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, theme_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._known_kinds: tuple[str, ...] = tuple(EventKind)
        self._quiet = False
        self._draw = QPushButton("Draw", self)
        self._draw.setCheckable(True)
        self._draw.setToolTip("Draw events of this kind by dragging over the traces (E)")
        self._kind = QComboBox(self)
        self._kind.setEditable(True)
        self._kind.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._kind.setObjectName("kind")
        self._kind.setAccessibleName("Kind of event to draw")
        self._kind.setToolTip("Kind of event to draw; any name can be typed (Shift+E)")
        self._only_kind = QComboBox(self)
        self._only_kind.setAccessibleName("Show events of this kind")
        self._only_kind.addItem("All kinds", None)
        self._only_origin = QComboBox(self)
        self._only_origin.setAccessibleName("Show events of this origin")
        for text, origin in _ORIGINS:
            self._only_origin.addItem(text, origin)
        for box in (self._only_kind, self._only_origin):
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._counts = QLabel(self)
        self._counts.setWordWrap(True)
        self._model = EventModel(theme_name)
        self.table = EventTable(self._model, lambda: self._known_kinds, self)
        self._empty = QLabel(_EMPTY, self)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._accept = QPushButton("Accept", self)
        self._accept.setToolTip("Make the selected suggestions your own (Enter)")
        self._remove = QPushButton("Delete", self)
        self._remove.setToolTip("Delete the selected events, dismiss the selected suggestions (Delete)")
        self._accept_all = QPushButton("Accept all shown", self)
        self._dismiss_all = QPushButton("Dismiss all shown", self)
        self.suggest = SuggestButton(self)
        self._progress = QProgressBar(self)
        self._progress.setRange(0, 100)
        self._progress.setAccessibleName("Progress of looking for events")
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setToolTip("Stop looking for events; nothing is changed")
        self._said = QLabel(self)
        self._said.setWordWrap(True)
        for button in (self._draw, self._accept, self._remove, self._accept_all, self._dismiss_all, self._cancel):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAutoDefault(False)
        self._lay_out()
        self._connect()
        self.show_progress(None)
        self._fill_kinds()
        self.show_events((), None, None)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(_row((self._draw, 0), (self._kind, 1)))
        layout.addLayout(_row((self._only_kind, 1), (self._only_origin, 1)))
        self._list = QStackedLayout()
        self._list.addWidget(self.table)
        self._list.addWidget(self._empty)
        layout.addLayout(self._list, 1)
        layout.addLayout(_row((self._accept, 1), (self._remove, 1)))
        layout.addLayout(_row((self._accept_all, 1), (self._dismiss_all, 1)))
        layout.addWidget(self._counts)
        search = _row((self.suggest, 0), (self._progress, 1), (self._cancel, 0))
        search.addStretch()
        layout.addLayout(search)
        layout.addWidget(self._said)

    def _connect(self) -> None:
        self._draw.toggled.connect(self.draw_toggled)
        self._kind.activated.connect(lambda _: self._choose_kind())
        line = self._kind.lineEdit()
        assert line is not None
        line.editingFinished.connect(self._choose_kind)
        line.returnPressed.connect(self._kind.clearFocus)
        self._only_kind.activated.connect(lambda _: self._filter())
        self._only_origin.activated.connect(lambda _: self._filter())
        self._model.edit_requested.connect(self.edit_requested)
        self.table.clicked.connect(lambda index: self.picked.emit(self._model.event_at(index.row()).id))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._on_selected())
        self.table.selectionModel().currentRowChanged.connect(lambda now, _: self._on_current(now.row()))
        self.table.accept_requested.connect(lambda: self.accept_requested.emit(self._suggested(self.selected)))
        self._accept.clicked.connect(lambda: self.accept_requested.emit(self._suggested(self.selected)))
        self._remove.clicked.connect(lambda: self.remove_requested.emit(self.selected))
        self._accept_all.clicked.connect(lambda: self.accept_requested.emit(self._suggested(self.shown)))
        self._dismiss_all.clicked.connect(lambda: self.remove_requested.emit(self._suggested(self.shown)))
        self.suggest.clicked.connect(self.suggest_requested)
        self._cancel.clicked.connect(self.cancel_requested)

    def event(self, event: QEvent) -> bool:
        # Else the window would take Enter for the model's stage of the epoch.
        if event.type() is QEvent.Type.ShortcutOverride and is_enter(event):
            event.accept()
            return True
        return super().event(event)

    # -- what is shown

    def set_theme(self, theme_name: str) -> None:
        """Show the kinds in other colours."""
        self._model.set_theme(theme_name)

    def show_events(
        self,
        events: Sequence[Event],
        recording: Recording | None,
        labels: StageArray | None,
        lights: Lights | None = None,
    ) -> None:
        """Show these events, and how many an hour of the sleep that the labels tell; what was selected stays so."""
        self._learn_kinds(event.kind for event in events)
        selected, bar = self.selected, self.table.verticalScrollBar()
        place, self._quiet = bar.value(), True
        if self._model.show_events(events, recording):
            self._select(selected)
            bar.setValue(place)
        self._quiet = False
        self.show_counts(events, labels, lights)
        self._show_list()
        self._on_selected()

    def show_counts(self, events: Sequence[Event], labels: StageArray | None, lights: Lights | None = None) -> None:
        """Say how many events there are of each kind, and how many an hour of the sleep that the labels tell."""
        counts = () if labels is None else count_kinds(events, labels, lights)
        self._counts.setText("\n".join(count.text for count in counts))
        self._counts.setVisible(bool(counts))
        kinds = [count.kind for count in counts]
        if kinds != [self._only_kind.itemData(i) for i in range(1, self._only_kind.count())]:
            wanted = self._only_kind.currentData()
            self._only_kind.clear()
            self._only_kind.addItem("All kinds", None)
            for kind in kinds:
                self._only_kind.addItem(kind, kind)
            self._only_kind.setCurrentIndex(max(self._only_kind.findData(wanted), 0))
            self._filter()

    def _filter(self) -> None:
        origin = self._only_origin.currentData()
        selected, quiet, self._quiet = self.selected, self._quiet, True
        if self._model.show_only(self._only_kind.currentData(), None if origin is None else Origin(origin)):
            self._select(selected)
        self._quiet = quiet
        self._show_list()
        self._on_selected()

    def _show_list(self) -> None:
        self._empty.setText(_FILTERED if self._model.events else _EMPTY)
        self._list.setCurrentWidget(self.table if self._model.rowCount() else self._empty)
        suggested = bool(self._suggested(self.shown))
        self._accept_all.setVisible(suggested)
        self._dismiss_all.setVisible(suggested)

    def say(self, sentence: str) -> None:
        """Show what came of looking for events, until the next time."""
        self._said.setText(sentence)
        self._said.setVisible(bool(sentence))

    def show_progress(self, fraction: float | None, message: str = "") -> None:
        """Show a running search, or (None) that none is running."""
        running = fraction is not None
        self._progress.setVisible(running)
        self._cancel.setVisible(running)
        self.suggest.setEnabled(not running)
        if fraction is not None:
            self.say(message)
            self._progress.setValue(round(100 * fraction))
        elif not self._said.text():
            self.say("")

    # -- kinds, and what is drawn

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are offered."""
        return self._known_kinds

    def offer_kinds(self, kinds: Sequence[str]) -> None:
        """Offer more kinds, those of earlier nights."""
        self._learn_kinds(kinds)

    def _learn_kinds(self, kinds: Iterable[str]) -> None:
        known = tuple(dict.fromkeys((*self._known_kinds, *kinds)))
        if known != self._known_kinds:
            self._known_kinds = known
            self._fill_kinds()

    def _fill_kinds(self) -> None:
        text = self._kind.currentText()
        self._kind.clear()
        self._kind.addItems(list(self._known_kinds))
        self._kind.setCurrentText(text or self._known_kinds[0])

    def show_drawing(self, on: bool, kind: str) -> None:
        """Show whether events are drawn, and of which kind."""
        self._learn_kinds((kind,))
        self._draw.blockSignals(True)
        self._draw.setChecked(on)
        self._draw.blockSignals(False)
        self._kind.setCurrentText(kind)

    def ask_for_kind(self) -> None:
        """Put the keyboard where the kind is typed or chosen."""
        self._kind.setFocus(Qt.FocusReason.ShortcutFocusReason)
        line = self._kind.lineEdit()
        assert line is not None
        line.selectAll()

    def _choose_kind(self) -> None:
        self.kind_chosen.emit(self._kind.currentText())

    # -- what is selected

    @property
    def selected(self) -> list[str]:
        """Ids of the selected events, in the table's order."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self._model.event_at(row).id for row in rows]

    @property
    def shown(self) -> list[str]:
        """Ids of the events that pass the filter, in the table's order."""
        return [event.id for event in self._model.rows]

    def passes(self, event: Event) -> bool:
        """Whether an event passes the filter."""
        return self._model.passes(event)

    def select(self, event_id: str | None) -> None:
        """Select an event alone, without going there; one that the filter hides, or None, selects nothing."""
        self._quiet = True
        self._select([] if event_id is None else [event_id])
        self._quiet = False
        self._on_selected()

    def _select(self, event_ids: Sequence[str]) -> None:
        selection = self.table.selectionModel()
        selection.clear()
        rows = [row for event_id in event_ids if (row := self._model.row_of(event_id)) is not None]
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row in rows:
            selection.select(self._model.index(row, 0), flags)
        if rows:
            selection.setCurrentIndex(self._model.index(rows[0], 0), QItemSelectionModel.SelectionFlag.NoUpdate)
            self.table.scrollTo(self._model.index(rows[0], 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    def _on_current(self, row: int) -> None:
        if not self._quiet and row >= 0 and self.table.hasFocus():
            self.picked.emit(self._model.event_at(row).id)

    def _on_selected(self) -> None:
        if self._quiet:
            return
        selected = self.selected
        suggested = self._suggested(selected)
        self._accept.setEnabled(bool(suggested))
        self._remove.setEnabled(bool(selected))
        self._remove.setText("Dismiss" if selected and len(suggested) == len(selected) else "Delete")
        self.selection_changed.emit()

    def _suggested(self, event_ids: Sequence[str]) -> list[str]:
        suggested = {event.id for event in self._model.events if event.suggested}
        return [event_id for event_id in event_ids if event_id in suggested]


def _row(*widgets: tuple[QWidget, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget, stretch in widgets:
        row.addWidget(widget, stretch)
    return row
