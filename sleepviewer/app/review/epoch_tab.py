"""The current epoch: what the expert, the model and the user say, with the model's five probabilities."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.display.clock import clock_text
from sleepviewer.review.document import Base
from sleepviewer.review.edits import NOT_CORRECTED
from sleepviewer.review.events import overlap_text
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import EPOCH_S, HYPNOGRAM_ORDER, Proba, Stage

_BASE_TEXTS = ((Base.TRUTH, "the expert's stage"), (Base.MODEL, "the model's stage"), (Base.NONE, "nothing (unscored)"))

_HIDDEN = "— hidden until you are done"


class EpochTab(QWidget):
    """Stage by stage what is said about the current epoch, and what an uncorrected epoch is exported as."""

    base_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel(self)
        font = QFont(self._title.font())
        font.setPointSizeF(font.pointSizeF() * 1.35)
        font.setWeight(QFont.Weight.DemiBold)
        self._title.setFont(tabular(font))
        self._time = QLabel(self)
        self._time.setFont(tabular(self._time.font()))
        self._says = {who: QLabel(self) for who in ("Expert", "Model", "Yours", "Exported as")}
        self._bars = ProbabilityBars(theme, self)
        self._bars_title = QLabel("What the model thinks", self)
        self._events = QLabel(self)
        self._events.setWordWrap(True)
        self._origin = QLabel(self)
        self._origin.setWordWrap(True)
        self._base = QComboBox(self)
        self._base.setAccessibleName("Label of uncorrected epochs")
        for base, text in _BASE_TEXTS:
            self._base.addItem(text, str(base))
        self._base.activated.connect(lambda index: self.base_chosen.emit(self._base.itemData(index)))
        self._base.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        says = QFormLayout()
        says.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        says.setHorizontalSpacing(18)
        for who, label in self._says.items():
            label.setTextFormat(Qt.TextFormat.RichText)
            says.addRow(who, label)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addWidget(self._title)
        layout.addWidget(self._time)
        layout.addLayout(says)
        layout.addWidget(self._events)
        layout.addSpacing(6)
        layout.addWidget(self._bars_title)
        layout.addWidget(self._bars)
        layout.addWidget(self._origin)
        layout.addStretch(1)
        layout.addWidget(QLabel("Where I say nothing, export", self))
        layout.addWidget(self._base)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self._bars.set_theme(theme)

    def show_session(self, session: NightSession) -> None:
        """Show the session's current epoch."""
        document, epoch = session.document, session.epoch
        self._title.setText(f"Epoch {epoch + 1} of {document.n_epochs}")
        start_s = epoch * EPOCH_S
        recording = session.night.recording
        self._time.setText(f"{clock_text(recording, start_s)} – {clock_text(recording, start_s + EPOCH_S)}")
        truth, prediction = document.truth, document.prediction
        nobody = _HIDDEN if document.blinded else "—"
        self._says["Expert"].setText(nobody if truth is None else self._stage_html(truth.stages[epoch]))
        if document.blinded:
            self._says["Model"].setText(_HIDDEN)
        elif prediction is None:
            self._says["Model"].setText("— press S to score" if document.proba is None else "— being scored")
        else:
            stage, certain = prediction.stages[epoch], prediction.confidence[epoch]
            sure = "" if np.isnan(certain) else f" · {certain:.2f}"
            self._says["Model"].setText(f"{self._stage_html(stage)}{sure}")
        corrected = int(document.corrected[epoch])
        flagged = bool(document.flagged[epoch])
        # Beside the flag there is no room for the keys.
        none = "—" if flagged else "— press W 1 2 3 R"
        yours = none if corrected == NOT_CORRECTED else self._stage_html(corrected)
        self._says["Yours"].setText(f"{yours} · flagged as uncertain" if flagged else yours)
        self._says["Exported as"].setText(self._stage_html(document.labels[epoch]))
        within = overlap_text(document.events_within(start_s, start_s + EPOCH_S), start_s, start_s + EPOCH_S)
        self._events.setText(within and f"Events: {within}")
        self._bars.show_proba(None if document.proba is None else document.proba[epoch])
        self._origin.setText("" if prediction is None else _origin_text(prediction))
        self._base.setEnabled(not document.blinded)
        for widget in (self._bars_title, self._bars):
            widget.setVisible(not document.blinded)
        for index, (base, _) in enumerate(_BASE_TEXTS):
            if base is document.base:
                self._base.setCurrentIndex(index)

    def _stage_html(self, stage: int) -> str:
        color = self._theme.stage(int(stage)).name()
        return f"<span style='color:{color}'>■</span> <b>{Stage(int(stage)).label}</b>"


def _origin_text(prediction: Prediction) -> str:
    where = f"on {', '.join(prediction.channels)} ({prediction.device})"
    return (
        f"{prediction.engine} {prediction.engine_version} {where}. "
        "The model reads the recording itself, not this filtered picture."
    )


class ProbabilityBars(QWidget):
    """The model's five probabilities as bars with their numbers."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._proba: Proba | None = None
        self.setFont(tabular(self.font()))
        self.setFixedHeight(len(HYPNOGRAM_ORDER) * 24)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Probabilities of the five stages")

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def show_proba(self, proba: Proba | None) -> None:
        """Show one epoch's probabilities (``float32 [5]``, NaN where unscored), or none."""
        self._proba = None if proba is None or np.isnan(proba).any() else proba
        said = [] if self._proba is None else [f"{s.label} {self._proba[s]:.2f}" for s in HYPNOGRAM_ORDER]
        self.setAccessibleDescription(", ".join(said))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        left, right = 44.0, self.width() - 46.0
        for row, stage in enumerate(HYPNOGRAM_ORDER):
            top = row * 24.0
            painter.setPen(QColor(self._theme.text))
            painter.drawText(QRectF(0, top, left - 8, 24), Qt.AlignmentFlag.AlignVCenter, stage.label)
            painter.fillRect(QRectF(left, top + 5, right - left, 14), QColor(self._theme.grid))
            if self._proba is None:
                continue
            share = float(self._proba[stage])
            painter.fillRect(QRectF(left, top + 5, (right - left) * share, 14), self._theme.stage(stage))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(right, top, 42, 24), flags, f"{share:.2f}")
