"""The panel “Consensus”: who is compared, how well they agree, and the epochs that are left to decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from sleepviewer.app.shell.epoch_table import EpochRow, EpochTable
from sleepviewer.app.shell.panel_widgets import button, say, sentence_label
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.review.adjudication import Adjudication

HEADERS: Final = ("Epoch", "Time", "Yours")
_NEEDS_TWO: Final = (
    "Two scorers of this night are needed, or more: open hypnograms (File › Add another scorer's hypnogram…), lay "
    "saved reviews beside (File › Show other scorers' reviews), or score the night."
)
_LIST_ROWS: Final = 6
_NAME_LETTERS: Final = 6


class AdjudicationPanel(QWidget):
    """Shows an Adjudication and says what the user wants of it; it changes nothing itself."""

    chosen = Signal()
    """Other scorers are ticked."""
    take_requested = Signal()
    reviews_requested = Signal()
    epoch_picked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes: list[QCheckBox] = []
        self._heading = QLabel("Scorers to compare", self)
        self._scorers = QVBoxLayout()
        self._scorers.setSpacing(2)
        self._reviews = button("Saved reviews", "Lay the reviews that others saved of this night beside yours", self)
        self._sentence = sentence_label(self)
        self._figures = sentence_label(self)
        self._figures.setFont(tabular(self._figures.font()))
        self._figures.setTextFormat(Qt.TextFormat.PlainText)
        self._take = button("Take the agreed", "Make it your own labels, as one edit", self)
        self._progress = QProgressBar(self)
        self._progress.setAccessibleName("Decided of the epochs that the scorers don't agree on")
        self._keys = sentence_label(self)
        self.table = EpochTable("Epochs to decide", HEADERS, theme, self)
        self.table.setMinimumHeight(_LIST_ROWS * self.table.verticalHeader().defaultSectionSize())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(6)
        layout.addWidget(self._heading)
        layout.addLayout(self._scorers)
        buttons = QHBoxLayout()
        buttons.addWidget(self._take, 1)
        buttons.addWidget(self._reviews)
        for widget in (self._sentence, self._figures):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        layout.addWidget(self._progress)
        layout.addWidget(self._keys)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)
        self._take.clicked.connect(self.take_requested)
        self._reviews.clicked.connect(self.reviews_requested)
        self.table.picked.connect(self.epoch_picked)
        self.show_adjudication(None)

    @property
    def ticked(self) -> tuple[int, ...]:
        """Places of the chosen scorers among those that are offered."""
        return tuple(place for place, box in enumerate(self._boxes) if box.isChecked())

    @property
    def text(self) -> str:
        """All that it says about the scorers."""
        labels = (self._sentence, self._figures, self._keys)
        texts = [*(label.text() for label in labels if not label.isHidden()), self._progress.text()]
        return "\n".join(text for text in texts if text)

    def offer(self, names: Sequence[str], ticked: Sequence[bool]) -> None:
        """Offer scorers, some of them chosen."""
        if [box.text() for box in self._boxes] != list(names):
            for box in self._boxes:
                self._scorers.removeWidget(box)
                box.hide()
                box.deleteLater()
            self._boxes = []
            for name in names:
                box = QCheckBox(name, self)
                box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                box.toggled.connect(lambda _: self.chosen.emit())
                self._scorers.addWidget(box)
                self._boxes.append(box)
        for box, on in zip(self._boxes, ticked, strict=True):
            box.blockSignals(True)
            box.setChecked(on)
            box.blockSignals(False)
        self._heading.setVisible(bool(names))

    def choose(self, places: Sequence[int]) -> None:
        """Tick some of the scorers, and no other."""
        self.offer([box.text() for box in self._boxes], [place in places for place in range(len(self._boxes))])
        self.chosen.emit()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.table.epochs.set_theme(theme)

    def show_adjudication(
        self, found: Adjudication | None, rows: Sequence[EpochRow] = (), decided: int = 0, taken: bool = False
    ) -> None:
        """Show how the chosen scorers agree and what is left to decide; ``taken`` says that the agreed epochs are."""
        there = found is not None
        for widget in (self._take, self._progress, self._keys, self.table):
            widget.setVisible(there)
        if found is None:
            say(self._sentence, _NEEDS_TWO)
            say(self._figures, "")
            self.table.show_rows(())
            return
        agreed, left = len(found.agreed), len(found.open_epochs)
        say(self._sentence, f"They agree on {agreed} epochs and don't on {left}.")
        say(self._figures, found.figures)
        self._take.setText("Taken: what all say" if taken else f"Take the {agreed} agreed")
        self._take.setEnabled(bool(agreed) and not taken)
        self._progress.setRange(0, max(left, 1))
        self._progress.setValue(decided if left else 1)
        self._progress.setFormat(f"{decided} of {left} decided" if left else "nothing to decide")
        keys = ", ".join(f"Alt+{place} {name}" for place, name in enumerate(found.names[:4], start=1))
        say(self._keys, f"{keys}; W 1 2 3 R any stage. D goes on, Alt+0 to the next undecided.")
        self.table.epochs.show_headers((*HEADERS, *map(_short, found.names)))
        self.table.show_rows(rows)


def _short(name: str) -> str:
    """A name that a column of stages has room for; the list of scorers has the whole one."""
    return name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 1]}…"
