"""How well two of the three hypnograms agree: figures and the confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from sleepviewer.analysis.agreement import Agreement, agreement, weighted_kappa
from sleepviewer.app.review.confusion_matrix import ConfusionMatrix, Shown
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.errors import AlignmentError
from sleepviewer.review.comparison import Pairing, paired
from sleepviewer.stages import SCORED_STAGES

_FIGURES: Final[tuple[tuple[str, str, Callable[[Agreement], float], str], ...]] = (
    ("kappa", "κ", lambda a: a.kappa, "Cohen's kappa: agreement beyond what chance would give"),
    ("accuracy", "Accuracy", lambda a: a.accuracy, "Share of epochs with the same stage"),
    (
        "kappa_linear",
        "κ, linear",
        lambda a: weighted_kappa(a.confusion),
        "Kappa weighted by the distance of the stages in the order W, REM, N1, N2, N3",
    ),
    (
        "balanced_accuracy",
        "Balanced acc.",
        lambda a: a.balanced_accuracy,
        "Balanced accuracy: mean recall of the stages, each counting alike",
    ),
    (
        "kappa_quadratic",
        "κ, quadratic",
        lambda a: weighted_kappa(a.confusion, power=2),
        "Kappa weighted by the squared distance of the stages in the order W, REM, N1, N2, N3",
    ),
    ("macro_f1", "Macro-F1", lambda a: a.macro_f1, "Mean F1 of the stages that occur"),
    ("mcc", "MCC", lambda a: a.mcc, "Matthews' correlation for several classes"),
    ("mgm", "MGm", lambda a: a.mgm, "Mean over the stages of √(sensitivity · specificity)"),
)
"""Figures by the names that the command line has for them: title, value, definition; laid out two a line."""

_BY_STAGE: Final[tuple[tuple[str, str, Callable[[Agreement], Mapping[str, float]], str], ...]] = (
    ("precision", "Precision", lambda a: a.precision, "Of the epochs so called, the share that the reference calls so"),
    ("recall", "Recall", lambda a: a.recall, "Of the reference's epochs of the stage, the share that was found"),
    ("f1", "F1", lambda a: a.f1, "Harmonic mean of precision and recall"),
)


class AgreementTab(QWidget):
    """The figures of a chosen pair, by stage as well, and its confusion matrix, on this night alone."""

    cell_picked = Signal(object, int, int)
    """A pairing, the reference's stage and the other's: list their epochs."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: NightSession | None = None
        self._pair = QComboBox(self)
        self._pair.addItems([str(pairing) for pairing in Pairing])
        self._pair.setAccessibleName("Which two to compare")
        self._said = QLabel(self)
        self._said.setWordWrap(True)
        self._cells: dict[str, QLabel] = {}
        self._figures = QWidget(self)
        self._lay_out_figures()
        self._shown = QComboBox(self)
        self._shown.addItems([str(shown) for shown in Shown])
        self._shown.setAccessibleName("What the confusion matrix shows")
        self.matrix = ConfusionMatrix(theme, self)
        self._walk = QLabel(self)
        self._walk.setWordWrap(True)
        for box in (self._pair, self._shown):
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._pair.activated.connect(self._compare_again)
        self._shown.activated.connect(lambda _: self.matrix.show_as(Shown(self._shown.currentText())))
        self.matrix.cell_picked.connect(lambda row, column: self.cell_picked.emit(self.pairing, row, column))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        for widget in (self._pair, self._said, self._figures, self._shown, self.matrix, self._walk):
            layout.addWidget(widget)
        layout.addStretch(1)

    def _lay_out_figures(self) -> None:
        column = QVBoxLayout(self._figures)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        pairs, stages = QGridLayout(), QGridLayout()
        for grid in (pairs, stages):
            grid.setVerticalSpacing(2)
            column.addLayout(grid)
        pairs.setHorizontalSpacing(6)
        for place, (name, title, _, definition) in enumerate(_FIGURES):
            row, side = divmod(place, 2)
            pairs.addWidget(self._label(title, definition, Qt.AlignmentFlag.AlignLeft), row, 3 * side)
            self._cells[name] = self._label("–", definition)
            self._cells[name].setAccessibleName(title)
            pairs.addWidget(self._cells[name], row, 3 * side + 1)
        pairs.setColumnStretch(1, 1)
        pairs.setColumnMinimumWidth(2, 14)
        pairs.setColumnStretch(4, 1)
        for column_, stage in enumerate(SCORED_STAGES, start=1):
            stages.addWidget(self._label(stage.label, f"By stage: {stage.label}"), 0, column_)
            stages.setColumnStretch(column_, 1)
        for row, (name, title, _, definition) in enumerate(_BY_STAGE, start=1):
            stages.addWidget(self._label(title, definition, Qt.AlignmentFlag.AlignLeft), row, 0)
            for column_, stage in enumerate(SCORED_STAGES, start=1):
                label = self._cells[f"{name} {stage.label}"] = self._label("–", definition)
                label.setAccessibleName(f"{title} of {stage.label}")
                stages.addWidget(label, row, column_)

    def _label(self, text: str, definition: str, side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignRight) -> QLabel:
        label = QLabel(text, self._figures)
        label.setFont(tabular(label.font()))
        label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        label.setToolTip(definition)
        return label

    # -- what is shown

    @property
    def pairing(self) -> Pairing:
        """Which two are compared."""
        return Pairing(self._pair.currentText())

    @property
    def text(self) -> str:
        """What is said above the figures."""
        return self._said.text()

    @property
    def figures(self) -> dict[str, str]:
        """The figures as they are shown, by the command line's names; those of a stage as ``f1 N2``."""
        return {name: label.text() for name, label in self._cells.items()}

    def choose(self, pairing: Pairing, shown: Shown = Shown.COUNTS) -> None:
        """Compare a pairing, and have the matrix say counts or shares."""
        self._pair.setCurrentText(str(pairing))
        self._shown.setCurrentText(str(shown))
        self.matrix.show_as(shown)
        self._compare_again()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.matrix.set_theme(theme)

    def _compare_again(self) -> None:
        if self._session is not None:
            self.show_session(self._session)

    def show_session(self, session: NightSession) -> None:
        """Compare the chosen pair."""
        self._session = session
        reference, judged = paired(session.document, self.pairing)
        result, said = None, "There is nothing to compare yet: score the night (S), or open an expert's hypnogram."
        if reference is not None and judged is not None:
            try:
                result = agreement(reference, judged)
            except AlignmentError as error:
                said = str(error)
        self._show(result, said)
        self._show_walk(session)

    def _show(self, result: Agreement | None, said: str) -> None:
        self._said.setText(said if result is None else f"Over the {result.epochs} epochs that both score:")
        for widget in (self._figures, self._shown):
            widget.setVisible(result is not None)
        self.matrix.show_agreement(result, self.pairing.reference, self.pairing.judged)
        for name, _, value, _ in _FIGURES:
            self._cells[name].setText("–" if result is None else _number(value(result)))
        for name, _, values, _ in _BY_STAGE:
            for stage in SCORED_STAGES:
                shown = "–" if result is None else _number(values(result)[stage.label])
                self._cells[f"{name} {stage.label}"].setText(shown)

    def _show_walk(self, session: NightSession) -> None:
        walk = session.walk
        if walk is not None:
            self._walk.setText(f"D steps through “{walk.name}”, {len(walk.epochs)} epochs.")
        else:
            self._walk.setText("A click on a cell lists its epochs, and D then steps through them.")


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
