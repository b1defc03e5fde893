"""The whole night on one clock axis: expert, model, corrected, hypnodensity."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sleepviewer.app.geometry import GUTTER_PX
from sleepviewer.app.night_rows import ClockRow, HypnodensityRow, HypnogramRow, NightRow, Span, TickRow
from sleepviewer.app.theme import Theme
from sleepviewer.display.clock import hour_ticks
from sleepviewer.recording.base import Recording
from sleepviewer.review.document import Change, Document
from sleepviewer.review.navigation import disagreeing_epochs
from sleepviewer.stages import EPOCH_S, most_likely


class NightView(QWidget):
    """The night's rows. A click or a drag asks to go to an epoch; the wheel zooms around the pointer."""

    go_to_requested = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("The whole night")
        self._recording: Recording | None = None
        self._document: Document | None = None
        self._span = Span(0, 1)
        self.expert = HypnogramRow("Expert", theme)
        self.disagreements = TickRow("Disagreements", theme)
        self.model = HypnogramRow("Model", theme)
        self.corrected = HypnogramRow("Yours", theme)
        self.density = HypnodensityRow("Hypnodensity", theme)
        self.clock = ClockRow(theme)
        self._rows: tuple[NightRow, ...] = (
            self.expert,
            self.disagreements,
            self.model,
            self.corrected,
            self.density,
            self.clock,
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(0)
        for row in self._rows:
            layout.addWidget(row)
        self.setToolTip("Click or drag: go there. Wheel: zoom. Ctrl+0: the whole night.")

    # -- what is shown

    def set_night(self, recording: Recording, document: Document) -> None:
        """Show another night, whole."""
        self._recording, self._document = recording, document
        gaps = tuple((gap.start_s / EPOCH_S, gap.stop_s / EPOCH_S) for gap in recording.gaps)
        for row in self._rows:
            row.set_gaps(gaps)
        self.show_whole_night()
        for change in (Change.TRUTH, Change.PREDICTION, Change.EDITS):
            self.on_change(change)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        for row in self._rows:
            row.set_theme(theme)

    def set_available_height(self, height: int) -> None:
        """Take about two fifths of a page of this height, within what keeps the rows legible."""
        scale = min(max(height / 860, 0.72), 1.3)
        for row in self._rows:
            row.set_scale(scale)

    def show_selected(self, epoch: int, selected: range) -> None:
        """Move the cursor; a zoomed view follows it."""
        if self._document is not None:
            self._set_span(self._span.containing(epoch, self._document.n_epochs))
        for row in self._rows:
            row.set_selected(selected)

    def show_whole_night(self) -> None:
        """Undo all zooming."""
        if self._document is not None:
            self._set_span(Span(0, max(self._document.n_epochs, 1)))

    def on_change(self, change: Change) -> None:
        """Redraw the rows that a change of the document concerns."""
        document = self._document
        if document is None:
            return
        if change is Change.TRUTH:
            truth = None if document.truth is None else document.truth.stages
            self.expert.show_stages(truth, empty_text="No expert's hypnogram: File › Open truth…")
        if change in (Change.PREDICTION, Change.PROVISIONAL):
            self._show_model(document)
        if change in (Change.EDITS, Change.BASE, Change.TRUTH, Change.PREDICTION):
            self._show_corrected(document)
        if change in (Change.TRUTH, Change.PREDICTION, Change.EDITS):
            epochs = disagreeing_epochs(document)
            counted = document.prediction is not None and (document.truth is not None or document.edited.any())
            self.disagreements.show_epochs(epochs, f"{len(epochs)} disagree" if counted else "")

    def _show_model(self, document: Document) -> None:
        proba = document.proba
        stages = None if proba is None else most_likely(proba)
        self.model.show_stages(stages, empty_text="Not scored yet: press S")
        self.density.show_proba(proba)

    def _show_corrected(self, document: Document) -> None:
        self.corrected.show_stages(
            document.labels,
            faint=~document.edited,
            marked=np.flatnonzero(document.edited),
            flagged=np.flatnonzero(document.flagged),
            empty_text="Nothing corrected yet: press W 1 2 3 R, or Enter to accept the model's stage",
        )

    def _set_span(self, span: Span) -> None:
        if span == self._span and self.clock.has_ticks:
            return
        self._span = span
        for row in self._rows:
            row.set_span(span)
        self._show_clock()

    def _show_clock(self) -> None:
        if self._recording is not None:
            most = max(int(self.clock.plot_width / 90), 2)
            first_s, last_s = self._span.first * EPOCH_S, self._span.last * EPOCH_S
            self.clock.show_ticks(hour_ticks(self._recording, first_s, last_s, most))

    # -- hands

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_clock()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._ask_for(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask_for(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._document is None:
            return
        width = self.clock.plot_width
        around = self._span.first + (event.position().x() - GUTTER_PX) / width * (self._span.last - self._span.first)
        around = min(max(around, self._span.first), self._span.last)
        factor = 0.8 ** (event.angleDelta().y() / 120)
        self._set_span(self._span.zoomed(factor, around, self._document.n_epochs))
        event.accept()

    def _ask_for(self, position: QPointF) -> None:
        epoch = self._span.epoch_at(position.x() - GUTTER_PX, self.clock.plot_width)
        if self._document is not None and position.x() >= GUTTER_PX:
            self.go_to_requested.emit(min(max(epoch, 0), self._document.n_epochs - 1))
