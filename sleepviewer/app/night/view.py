"""The whole night on one clock axis: hypnograms, disagreements, hypnodensity, spectrogram, annotations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QColor, QPainter, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sleepviewer.app.night.arrangement import SCORER_PREFIX, Arrangement
from sleepviewer.app.night.density_row import HypnodensityRow
from sleepviewer.app.night.hypnogram_row import HypnogramRow
from sleepviewer.app.night.mouse_handler import NightHands
from sleepviewer.app.night.quality_row import QualityRow
from sleepviewer.app.night.row import NightRow
from sleepviewer.app.night.spectrogram_row import SpectrogramRow
from sleepviewer.app.night.text_rows import AnnotationRow, ClockRow, TickRow
from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.clock import hour_ticks
from sleepviewer.display.span import EPOCHS_PER_HOUR, Span, around
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.recording.base import Recording
from sleepviewer.review.comparison import scorer_names
from sleepviewer.review.document import Change, Document
from sleepviewer.review.navigation import disagreeing_epochs
from sleepviewer.stages import EPOCH_S, most_likely

_TOP_PX = 4
_USUAL_PAGE_PX = 860
_SHARE_OF_PAGE = 0.46
"""Of the page's height, what the rows take at most as long as nobody has resized any."""

_OTHERS = frozenset({"expert", "disagreements", "model", "hypnodensity"})
"""Rows that are not seen by who scores blind; those of further scorers are not there at all."""

_TRACES_PX = 220
"""What the traces keep in any case."""


class NightView(QWidget):
    """The night's rows. A click or a drag asks to go to an epoch; the wheel zooms around the pointer."""

    go_to_requested = Signal(int)
    extend_requested = Signal(int)
    """The selected range is to be stretched to this epoch."""
    scorer_dropped = Signal(int)
    """A hypnogram that was added is to be taken away, by its place among them."""
    arrangement_changed = Signal(object)
    """Carries the Arrangement after the user changed it in the view itself."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("The whole night")
        self.setMouseTracking(True)
        self._theme = theme
        self._recording: Recording | None = None
        self._document: Document | None = None
        self._span = Span(0, 1)
        self._epoch = 0
        self._selected = range(1)
        self._page_height = _USUAL_PAGE_PX
        self._scale = 1.0
        self._arrangement = Arrangement()
        self.expert = HypnogramRow("expert", "Expert", theme)
        self.disagreements = TickRow("disagreements", "Disagreements", theme)
        self.model = HypnogramRow("model", "Model", theme)
        self.corrected = HypnogramRow("yours", "Yours", theme)
        self.density = HypnodensityRow("hypnodensity", "Hypnodensity", theme)
        self.spectrogram = SpectrogramRow("spectrogram", theme)
        self.quality = QualityRow("quality", theme)
        self.annotations = AnnotationRow("annotations", theme)
        self.clock = ClockRow("clock", theme)
        self.scorers: tuple[HypnogramRow, ...] = ()
        self._rows: dict[str, NightRow] = {}
        self._laid_out: list[NightRow] = []
        for row in (
            self.expert,
            self.disagreements,
            self.model,
            self.corrected,
            self.density,
            self.spectrogram,
            self.quality,
            self.annotations,
            self.clock,
        ):
            self._rows[row.key] = row
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, _TOP_PX, 0, 0)
        self._column.setSpacing(0)
        self._hands = NightHands(self)
        self.setToolTip(
            "Click or drag: go there. Shift: select a range. Wheel: zoom, with Shift: move. Ctrl+0: the whole night."
        )
        self._lay_out()

    # -- what is shown

    def set_night(self, recording: Recording, document: Document) -> None:
        """Show another night, whole."""
        self._recording, self._document = recording, document
        self.set_scorers(())
        self.annotations.show_annotations(recording, ())
        self.spectrogram.show_sentence("")
        self.quality.show_quality(None)
        for row in self._rows.values():
            row.set_gaps(self._gaps)
        self.show_whole_night()
        for change in (Change.TRUTH, Change.PREDICTION, Change.EDITS, Change.LIGHTS):
            self.on_change(change)
        self._lay_out()

    @property
    def recording(self) -> Recording | None:
        """The recording of the night that is shown."""
        return self._recording

    @property
    def n_epochs(self) -> int:
        """Epochs of the night, 0 without one."""
        return 0 if self._document is None else self._document.n_epochs

    @property
    def _gaps(self) -> tuple[tuple[float, float], ...]:
        gaps = () if self._recording is None else self._recording.gaps
        return tuple((gap.start_s / EPOCH_S, gap.stop_s / EPOCH_S) for gap in gaps)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        for row in self._rows.values():
            row.set_theme(theme)

    def set_scorers(self, scorers: Sequence[Hypnogram]) -> None:
        """Show hypnograms of further scorers, each in a row of its own below the expert's."""
        for row in self.scorers:
            del self._rows[row.key]
            row.hide()
            row.deleteLater()
        rows = []
        for number, (scorer, name) in enumerate(zip(scorers, scorer_names(scorers), strict=True), start=1):
            row = HypnogramRow(f"{SCORER_PREFIX}{number}", name, self._theme)
            row.show_stages(scorer.stages, empty_text="No epoch of this night is scored in it")
            row.setToolTip("\n".join((f"{name}: {scorer.source}", *scorer.notes)))
            row.set_gaps(self._gaps)
            row.set_span(self._span)
            row.set_selected(self._epoch, self._selected)
            row.set_lights(self.expert.lights)
            rows.append(row)
            self._rows[row.key] = row
        self.scorers = tuple(rows)
        self._lay_out()

    def show_selected(self, epoch: int, selected: range) -> None:
        """Move the cursor; a zoomed view follows it."""
        self._epoch, self._selected = epoch, selected
        if self._document is not None:
            self.set_span(self._span.containing(epoch, self._document.n_epochs))
        for row in self._rows.values():
            row.set_selected(epoch, selected)

    def on_change(self, change: Change) -> None:
        """Redraw the rows that a change of the document concerns."""
        document = self._document
        if document is None:
            return
        if change is Change.BLINDING:
            self._lay_out()
        if change is Change.LIGHTS:
            for row in self._rows.values():
                row.set_lights(document.lights)
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
            if self.disagreements.has_content != (self.disagreements in self._laid_out):
                self._lay_out()

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

    # -- the part of the night

    @property
    def span(self) -> Span:
        """The part of the night that is shown."""
        return self._span

    def set_span(self, span: Span) -> None:
        """Show another part of the night."""
        if span == self._span and self.clock.has_ticks:
            return
        self._span = span
        for row in self._rows.values():
            row.set_span(span)
        self._show_clock()

    def show_whole_night(self) -> None:
        """Undo all zooming."""
        if self._document is not None:
            self.set_span(Span(0, max(self._document.n_epochs, 1)))

    def show_hours(self, hours: float) -> None:
        """Zoom to so many hours around the current epoch."""
        if self._document is not None:
            self.set_span(around(self._epoch, hours * EPOCHS_PER_HOUR, self._document.n_epochs))

    def move_by(self, spans: float) -> None:
        """Show another part of a zoomed night, so many of its lengths later."""
        if self._document is not None:
            self.set_span(self._span.moved(spans * self._span.length, self._document.n_epochs))

    def _show_clock(self) -> None:
        if self._recording is not None:
            most = max(int(self.clock.plot_width / 90), 2)
            first_s, last_s = self._span.first * EPOCH_S, self._span.last * EPOCH_S
            self.clock.show_ticks(hour_ticks(self._recording, first_s, last_s, most))

    # -- the rows

    @property
    def arrangement(self) -> Arrangement:
        """Which rows are shown, in which order and how high."""
        return self._arrangement

    def set_arrangement(self, arrangement: Arrangement, *, by_user: bool = False) -> None:
        """Arrange the rows; ``by_user`` tells it to whoever keeps arrangements."""
        if arrangement != self._arrangement:
            self._arrangement = arrangement
            self._lay_out()
            if by_user:
                self.arrangement_changed.emit(arrangement)

    @property
    def rows(self) -> list[NightRow]:
        """All rows in their order, hidden ones too."""
        return [self._rows[key] for key in self._arrangement.ordered(self._rows)]

    @property
    def shown_rows(self) -> list[NightRow]:
        """The rows that are seen, from the top."""
        hidden = self._arrangement.hidden | (
            _OTHERS if self._document is not None and self._document.blinded else set()
        )
        return [row for row in self.rows if row.key not in hidden and row.has_content]

    @property
    def scale(self) -> float:
        """How many times their usual height the rows have, so that they fit the page."""
        return self._scale

    def set_available_height(self, height: int) -> None:
        """Take a part of a page of this height, within what keeps the rows legible."""
        self._page_height = height
        self._lay_out()

    def refresh_rows(self) -> None:
        """Look again at which rows have anything to show."""
        self._lay_out()

    def _lay_out(self) -> None:
        shown = self.shown_rows
        if self._laid_out != shown:
            for row in self._laid_out:
                self._column.removeWidget(row)
            self._laid_out = shown
            for row in shown:
                self._column.addWidget(row)
            for row in self._rows.values():
                row.setVisible(row in shown)
        self._scale = self._fitting_scale(shown)
        for row in shown:
            factor = self._scale * self._arrangement.height_of(row.key) if row.resizable else 1.0
            row.setFixedHeight(max(round(row.usual_height * factor), row.usual_height if not row.resizable else 24))

        self._column.activate()  # now, so that whatever is dragged knows where rows are

    def _fitting_scale(self, shown: Sequence[NightRow]) -> float:
        fixed = _TOP_PX + sum(row.usual_height for row in shown if not row.resizable)
        usual = sum(row.usual_height * self._arrangement.height_of(row.key) for row in shown if row.resizable)
        resized = any(self._arrangement.height_of(row.key) != 1.0 for row in shown)
        room = self._page_height - _TRACES_PX if resized else self._page_height * _SHARE_OF_PAGE
        scale = min(max(self._page_height / _USUAL_PAGE_PX, 0.72), 1.3)
        return scale if not usual else max(min(scale, (room - fixed) / usual), 0.4)

    def paint_night(self, painter: QPainter, rect: QRectF) -> None:
        """Paint the rows that are shown into a rectangle of any device, in its units: a picture, not the screen.

        Their heights keep their proportions; names and scales at the left are as wide as in the window, so scale the
        painter where the device has finer units.
        """
        painter.save()
        painter.fillRect(rect, QColor(self._theme.panel))
        painter.translate(rect.topLeft())
        shown = self.shown_rows
        stretch = rect.height() / max(sum(row.height() for row in shown), 1)
        for row in shown:
            height = row.height() * stretch
            row.paint(painter, rect.width(), height)
            painter.translate(0, height)
        painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_clock()
