"""How well two of the three hypnograms agree: figures and the confusion matrix."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy, QVBoxLayout, QWidget

from sleepviewer.analysis.agreement import Agreement, agreement
from sleepviewer.app.session import NightSession
from sleepviewer.app.theme import Theme, tabular
from sleepviewer.errors import AlignmentError
from sleepviewer.review.document import Document
from sleepviewer.stages import SCORED_STAGES, StageArray

_PAIRS = ("Model against expert", "Model against final labels", "Final labels against expert")


class AgreementTab(QWidget):
    """Accuracy, κ, macro-F1, F1 by stage and the confusion matrix of a chosen pair, on this night alone."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair = QComboBox(self)
        self._pair.addItems(_PAIRS)
        self._pair.setAccessibleName("Which two to compare")
        self._pair.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._figures = QLabel(self)
        self._figures.setTextFormat(Qt.TextFormat.RichText)
        self._figures.setFont(tabular(self._figures.font()))
        self._figures.setWordWrap(True)
        self._matrix = ConfusionMatrix(theme, self)
        self._session: NightSession | None = None
        self._pair.activated.connect(self._compare_again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(10)
        layout.addWidget(self._pair)
        layout.addWidget(self._figures)
        layout.addWidget(self._matrix)
        layout.addStretch(1)

    @property
    def text(self) -> str:
        """The figures as they are shown."""
        return self._figures.text()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._matrix.set_theme(theme)

    def _compare_again(self) -> None:
        if self._session is not None:
            self.show_session(self._session)

    def show_session(self, session: NightSession) -> None:
        """Compare the chosen pair."""
        self._session = session
        truth, other = _pair(session.document, self._pair.currentIndex())
        if truth is None or other is None:
            self._figures.setText(
                "There is nothing to compare yet: score the night (S), or open an expert's hypnogram."
            )
            self._matrix.show_agreement(None, "", "")
            return
        try:
            result = agreement(truth, other)
        except AlignmentError as error:
            self._figures.setText(str(error))
            self._matrix.show_agreement(None, "", "")
            return
        self._figures.setText(_figures_html(result))
        columns, rows = _PAIRS[self._pair.currentIndex()].lower().split(" against ")
        self._matrix.show_agreement(result, rows, columns)


def _pair(document: Document, index: int) -> tuple[StageArray | None, StageArray | None]:
    """Return the two hypnograms of a choice, the reference first."""
    truth = None if document.truth is None else document.truth.stages
    model = None if document.prediction is None else document.prediction.stages
    labels = document.labels
    return ((truth, model), (labels, model), (truth, labels))[index]


def _figures_html(result: Agreement) -> str:
    def number(value: float) -> str:
        return "–" if math.isnan(value) else f"{value:.3f}"

    labels = "".join(f"<td align='center'>&nbsp;{stage.label}&nbsp;</td>" for stage in SCORED_STAGES)
    values = "".join(f"<td align='center'>&nbsp;{number(result.f1[stage.label])}&nbsp;</td>" for stage in SCORED_STAGES)
    return (
        f"<p style='font-size:large'>κ <b>{number(result.kappa)}</b> &nbsp; "
        f"accuracy <b>{number(result.accuracy)}</b></p>"
        f"<p>macro-F1 <b>{number(result.macro_f1)}</b>, over the {result.epochs} epochs that both score</p>"
        f"<table><tr><td></td>{labels}</tr><tr><td>F1</td>{values}</tr></table>"
    )


class ConfusionMatrix(QWidget):
    """Counts of epochs; the shade of a cell is its share of its row."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._result: Agreement | None = None
        self._names = ("", "")
        self.setFixedHeight(210)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Confusion matrix")

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def show_agreement(self, result: Agreement | None, rows: str, columns: str) -> None:
        """Show a result, or (None) nothing; the names say who stands in the rows and who in the columns."""
        self._result, self._names = result, (rows, columns)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._result is None:
            return
        painter = QPainter(self)
        painter.setFont(tabular(self.font()))
        counts = self._result.confusion
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        left, top = 46.0, 42.0
        cell_w, cell_h = (self.width() - left - 2) / len(counts), (self.height() - top - 2) / len(counts)
        centre = Qt.AlignmentFlag.AlignCenter
        painter.setPen(QColor(self._theme.dim_text))
        painter.drawText(QRectF(0, 0, self.width(), 20), centre, f"rows: {self._names[0]} · columns: {self._names[1]}")
        for i, stage in enumerate(SCORED_STAGES):
            painter.setPen(QColor(self._theme.text))
            painter.drawText(QRectF(left + i * cell_w, 20, cell_w, 22), centre, stage.label)
            painter.drawText(QRectF(0, top + i * cell_h, left - 6, cell_h), centre, stage.label)
            for j in range(len(counts)):
                cell = QRectF(left + j * cell_w, top + i * cell_h, cell_w - 2, cell_h - 2)
                painter.fillRect(cell, QColor(self._theme.grid))
                shade = QColor(self._theme.accent)
                shade.setAlphaF(float(shares[i, j]) * 0.75)
                painter.fillRect(cell, shade)
                painter.setPen(QColor(self._theme.text))
                painter.drawText(cell, centre, str(counts[i, j]))
