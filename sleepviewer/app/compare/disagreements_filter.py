"""Boxes that say which disagreements are listed: pair, kind, confidence, place, hour, signal, edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QSizePolicy, QWidget

from sleepviewer.analysis.diff import MARKS
from sleepviewer.analysis.errors import BOUNDARY_EPOCHS, FAR, Comparison, pair_text
from sleepviewer.analysis.selection import ErrorFilter
from sleepviewer.analysis.shifts import KINDS, Kind
from sleepviewer.analysis.signs import SIGNS
from sleepviewer.stages import SCORED_STAGES, Stage

Choice = tuple[str, Any]
"""What a box offers: a text, and the value that the filter gets."""

_BELOW_09: Final = float(np.nextafter(0.9, 0))
_BELOW_07: Final = float(np.nextafter(0.7, 0))
_BELOW_05: Final = float(np.nextafter(0.5, 0))

_BEFORE: Final = (-(2**15), -1)
"""Hours before lights off."""

_BOXES: Final[dict[str, tuple[str, str, tuple[Choice, ...]]]] = {
    "pair": ("Pair of stages", "Any pair", ()),
    "kinds": (
        "Kind of disagreement",
        "Any kind",
        (
            *((f"{MARKS[kind]} {kind}", frozenset({kind})) for kind in KINDS),
            ("all but shifts", frozenset(KINDS) - {Kind.SHIFT}),
        ),
    ),
    "confidence": (
        "The model's confidence",
        "Any confidence",
        (
            ("confidence 0.9 to 1", (0.9, 1.0)),
            ("confidence 0.7 to 0.9", (0.7, _BELOW_09)),
            ("confidence 0.5 to 0.7", (0.5, _BELOW_07)),
            ("confidence below 0.5", (0.0, _BELOW_05)),
        ),
    ),
    "distance": (
        "Distance to the nearest transition",
        "Any distance",
        (
            ("at a boundary", (0, BOUNDARY_EPOCHS - 1)),
            ("2 to 4 epochs off one", (BOUNDARY_EPOCHS, 4)),
            ("5 epochs off and more", (5, FAR)),
        ),
    ),
    "hour": ("Hour of the night", "Any hour", ()),
    "signal": (
        "Signal",
        "Any signal",
        tuple((f"signal {word}", word) for word in ("good", *SIGNS, "unknown")),
    ),
    "edited": ("Edited or not", "Edited or not", (("edited", True), ("not edited", False))),
}
"""By the filter's fields: what a box is called, what it says where it asks for nothing, and what it offers."""


class ErrorFilterBoxes(QWidget):
    """The boxes, two a line, and the filter that they make; ``first`` is a box of somebody else's that leads them."""

    changed = Signal()

    def __init__(self, first: QComboBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes: dict[str, QComboBox] = {}
        self._values: dict[str, list[Any]] = {}  # of the boxes' entries: Qt would make lists of tuples
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        grid.addWidget(first, 0, 0)
        first.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for place, (field, (name, _, choices)) in enumerate(_BOXES.items(), start=1):
            box = self._boxes[field] = QComboBox(self)
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            box.setMinimumContentsLength(8)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._values[field] = []
            self._offer(field, choices)
            box.activated.connect(lambda _: self.changed.emit())
            grid.addWidget(box, *divmod(place, 2))

    @property
    def filter(self) -> ErrorFilter:
        """What the boxes ask for."""
        values = {field: self._value(field) for field in self._boxes}
        pair = values.pop("pair")
        wanted = ErrorFilter(**values)
        return wanted if pair is None else replace(wanted, truth=Stage(pair[0]), predicted=Stage(pair[1]))

    @property
    def words(self) -> list[str]:
        """What the boxes ask for, in words; nothing where every disagreement passes."""
        words = [box.currentText() for box in self._boxes.values() if box.currentIndex() > 0]
        return [word.partition(" (")[0] for word in words]

    def choose(self, field: str, value: Any) -> None:
        """Have a box ask for a value that it offers, None for nothing."""
        if value != self._value(field):
            self._boxes[field].setCurrentIndex(self._values[field].index(value))
            self.changed.emit()

    def choose_pair(self, truth: int, predicted: int) -> None:
        """Ask for one pair of stages and nothing else; the same stage twice is the epochs that agree on it."""
        self._reset()
        pair = (truth, predicted)
        if pair not in self._values["pair"]:
            self._values["pair"].append(pair)
            self._boxes["pair"].addItem(pair_text(*pair))
        self._boxes["pair"].setCurrentIndex(self._values["pair"].index(pair))
        self.changed.emit()

    def clear(self) -> None:
        """Ask for nothing."""
        self._reset()
        self.changed.emit()

    def forget(self) -> None:
        """Ask for nothing, and offer no pairs and hours: another night has others."""
        self._reset()
        self._offer("pair", ())
        self._offer("hour", ())

    def show_comparison(self, comparison: Comparison) -> None:
        """Offer the pairs of stages that there are, the commonest first, and the hours of the night.

        What is asked for stays on offer, also where no epoch is left of it.
        """
        counts = comparison.confusion
        pairs = [(int(t), int(p)) for t in SCORED_STAGES for p in SCORED_STAGES if t != p and counts[t, p]]
        pairs.sort(key=lambda pair: (-counts[pair], pair))
        if (wanted := self._value("pair")) is not None and wanted not in pairs:
            pairs.append(wanted)
        self._offer("pair", [(f"{pair_text(*pair)} ({counts[pair]})", pair) for pair in pairs])
        found = np.unique(comparison.hour[comparison.epochs])
        hours = [(f"hour {hour + 1}", (hour, hour)) for hour in found[found >= 0].tolist()]
        if found.size and found[0] < 0:
            hours.insert(0, ("before lights off", _BEFORE))
        if (kept := self._value("hour")) is not None and kept not in [value for _, value in hours]:
            hours.append(("before lights off" if kept == _BEFORE else f"hour {kept[0] + 1}", kept))
        self._offer("hour", hours)

    def _value(self, field: str) -> Any:
        return self._values[field][max(self._boxes[field].currentIndex(), 0)]

    def _reset(self) -> None:
        for box in self._boxes.values():
            box.setCurrentIndex(0)

    def _offer(self, field: str, choices: Sequence[Choice]) -> None:
        box, wanted = self._boxes[field], self._value(field) if self._values[field] else None
        texts, values = [_BOXES[field][1], *(text for text, _ in choices)], [None, *(value for _, value in choices)]
        if texts == [box.itemText(i) for i in range(box.count())] and values == self._values[field]:
            return
        box.clear()
        box.addItems(texts)
        self._values[field] = values
        box.setCurrentIndex(values.index(wanted) if wanted in values else 0)
