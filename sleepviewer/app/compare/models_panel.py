"""The panel “Two models”: both beside the expert, who is right where, and the epochs of a group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from sleepviewer.analysis.agreement import Agreement
from sleepviewer.analysis.rivals import Duel, Group
from sleepviewer.app.compare.group_table import GroupTable
from sleepviewer.app.compare.stage_probabilities import Thoughts
from sleepviewer.app.shell.epoch_table import EpochRow, EpochTable
from sleepviewer.app.shell.panel_widgets import button, picker, say, sentence_label
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.stages import SCORED_STAGES

AGAINST: Final = ("Expert's hypnogram", "Final labels")
"""What the two can be measured by."""

_NEEDS_TWO: Final = (
    "Two scorings of this night are needed. Keep the model's (Ctrl+Shift+K) and score again with another model or "
    "other weights, or open a second one from an archive or a hypnogram file (Ctrl+Shift+R)."
)
_CAVEAT: Final = "Neighbouring epochs resemble each other, so that it is too small: a hint, no proof."
_LIST_ROWS: Final = 5
_HEADERS: Final = ("Epoch", "Time", "Label", "1st", "2nd", "Right")


class RivalsPanel(QWidget):
    """Shows a Duel and says what the user wants of it; it changes nothing itself."""

    chosen = Signal()
    """Other contenders, or another reference."""
    group_picked = Signal(object)
    """A Group, or None: D steps through all disagreements again."""
    epoch_picked = Signal(int)
    keep_requested = Signal()
    open_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._first = picker("First model", self)
        self._second = picker("Second model", self)
        self._against = picker("Measured by", self)
        self._against.addItems(AGAINST)
        self._keep = button("Keep this scoring", "Keep the model's scoring beside the next one (Ctrl+Shift+K)", self)
        self._open = button("Open a second…", "Open a second model's scoring from a file (Ctrl+Shift+R)", self)
        self._sentence = sentence_label(self)
        self._figures = sentence_label(self)
        self._figures.setTextFormat(Qt.TextFormat.RichText)
        self._figures.setFont(tabular(self._figures.font()))
        self.groups = GroupTable("Epochs by who is right", self)
        self._p = sentence_label(self)
        self._thoughts = Thoughts(self)
        self._list_title = sentence_label(self)
        self._all = button("End list", "Leave the list: D steps through all disagreements again", self)
        self.table = EpochTable("Epochs of the group", _HEADERS, theme, self)
        self.table.setMinimumHeight(_LIST_ROWS * self.table.verticalHeader().defaultSectionSize())
        self._lay_out()
        for box in (self._first, self._second, self._against):
            box.activated.connect(lambda _: self.chosen.emit())
        self._keep.clicked.connect(self.keep_requested)
        self._open.clicked.connect(self.open_requested)
        self._all.clicked.connect(lambda: self.group_picked.emit(None))
        self.groups.group_picked.connect(self.group_picked)
        self.table.picked.connect(self.epoch_picked)
        self.show_duel(None)
        self.show_list("", ())

    def _lay_out(self) -> None:
        pickers = QFormLayout()
        pickers.setHorizontalSpacing(12)
        pickers.setVerticalSpacing(4)
        pickers.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, box in (("First", self._first), ("Second", self._second), ("Against", self._against)):
            pickers.addRow(text, box)
        buttons = QHBoxLayout()
        buttons.addWidget(self._keep, 1)
        buttons.addWidget(self._open, 1)
        list_row = QHBoxLayout()
        list_row.addWidget(self._list_title, 1)
        list_row.addWidget(self._all, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(6)
        layout.addLayout(pickers)
        layout.addWidget(self._sentence)
        layout.addLayout(buttons)
        layout.addWidget(self._figures)
        layout.addWidget(self.groups)
        layout.addWidget(self._p)
        layout.addWidget(self._thoughts)
        layout.addLayout(list_row)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)

    # -- what is chosen

    @property
    def first(self) -> int:
        """Place of the first contender among those that are offered, -1 without any."""
        return self._first.currentIndex()

    @property
    def second(self) -> int:
        """Place of the second."""
        return self._second.currentIndex()

    @property
    def against_expert(self) -> bool:
        """Whether the two are measured by the expert's hypnogram; else by the final labels."""
        return self._against.currentIndex() == 0

    def measure_by_final_labels(self) -> None:
        """Measure the two by the final labels."""
        self._against.setCurrentIndex(1)

    def offer(self, names: Sequence[str], first: int, second: int) -> None:
        """Offer contenders, two of them chosen."""
        for box, place in ((self._first, first), (self._second, second)):
            box.clear()
            box.addItems(list(names))
            box.setCurrentIndex(place)
            box.setEnabled(len(names) > 0)

    # -- what is shown

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.table.epochs.set_theme(theme)

    @property
    def text(self) -> str:
        """All that is said above the list."""
        labels = (self._sentence, self._figures, self._p, self._list_title)
        said = [label.text() for label in labels if not label.isHidden()]
        return "\n".join((*said, self._thoughts.text))

    def show_duel(self, duel: Duel | None, sentence: str = "") -> None:
        """Show two contenders, with a sentence on what they are measured by, or (None) what is needed."""
        say(self._sentence, _NEEDS_TWO if duel is None and not sentence else sentence)
        for offer in (self._keep, self._open):
            offer.setVisible(duel is None)
        measured = duel is not None and any(duel.agreements)
        say(self._figures, _figures_html(duel) if duel is not None and measured else "")
        self.groups.setVisible(duel is not None)
        say(self._p, _p_text(duel) if duel is not None and measured else "")
        self._thoughts.setVisible(duel is not None)
        if duel is not None:
            self.groups.show_groups(
                [
                    (group, duel.title(group), len(duel.epochs(group)), _whole(duel, group))
                    for group in Group
                    if measured or group is Group.DIFFER
                ]
            )

    def show_epoch(self, duel: Duel | None, epoch: int) -> None:
        """Say what both think of the current epoch, and select it in the list."""
        if duel is not None:
            self._thoughts.show_lines([(who.name, who.says(epoch)) for who in (duel.first, duel.second)])
        if self.table.epochs.rows:
            self.table.select_epoch(epoch)

    def show_list(self, title: str, rows: Sequence[EpochRow]) -> None:
        """Show the epochs of a group that D steps through, or (an empty title) none."""
        say(self._list_title, title)
        self._all.setVisible(bool(title))
        self.table.show_rows(rows)
        self.table.setVisible(bool(title))
        if not title:
            self.groups.choose(None)


def _p_text(duel: Duel) -> str:
    if duel.tally is None or not duel.tally.apart:
        return "They are right and wrong in the same epochs."
    p = duel.tally.p_value
    said = f"{p:.3f}" if p >= 0.001 else "below 0.001"
    first, second = len(duel.tally.only_first), len(duel.tally.only_second)
    return f"McNemar's p for {first} against {second} is {said}. {_CAVEAT}"


def _whole(duel: Duel, group: Group) -> int:
    """Of how many epochs a group is a part."""
    return duel.both if group is Group.DIFFER else sum(len(duel.epochs(g)) for g in Group if g is not Group.DIFFER)


def _figures_html(duel: Duel) -> str:
    """Both contenders' figures, one below the other; the better of two figures is bold."""
    heads = ("κ", "accuracy", "macro-F1", "epochs")
    lines = [_figures(result) for result in duel.agreements]
    stages = [[math.nan if r is None else r.f1[stage.label] for stage in SCORED_STAGES] for r in duel.agreements]
    f1_heads = [stage.label for stage in SCORED_STAGES]
    return _table("", heads, lines, plain=3) + _table("F1", f1_heads, stages)


def _figures(result: Agreement | None) -> list[float]:
    if result is None:
        return [math.nan] * 4
    return [result.kappa, result.accuracy, result.macro_f1, result.epochs]


def _table(corner: str, heads: Sequence[str], lines: Sequence[Sequence[float]], plain: int | None = None) -> str:
    """``plain`` is the column that is a count and not better or worse."""

    def cell(row: int, column: int) -> str:
        value, other = lines[row][column], lines[1 - row][column]
        text = "–" if math.isnan(value) else f"{value:.0f}" if column == plain else f"{value:.3f}"
        better = column != plain and round(value, 3) > round(other, 3) if not math.isnan(value + other) else False
        return f"<td align='right'>&nbsp;{f'<b>{text}</b>' if better else text}&nbsp;</td>"

    head = "".join(f"<td align='right'>&nbsp;{name}&nbsp;</td>" for name in heads)
    rows = "".join(
        f"<tr><td>{who}&nbsp;</td>{''.join(cell(row, column) for column in range(len(heads)))}</tr>"
        for row, who in enumerate(("First", "Second"))
    )
    return f"<table width='100%'><tr><td>{corner}</td>{head}</tr>{rows}</table>"
