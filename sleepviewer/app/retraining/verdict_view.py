"""The guard's verdict: what it says, both tables before and after, and what is to become of the tuned model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sleepviewer.app.shell.panel_widgets import as_primary, button, say, sentence_label, text_field
from sleepviewer.app.shell.theme import tabular
from sleepviewer.stages import SCORED_STAGES

if TYPE_CHECKING:
    from sleepviewer.training.fine_tune import FineTuneResult
    from sleepviewer.training.guard import BeforeAfter, Table


class VerdictView(QWidget):
    """Shows a FineTuneResult; only what the guard offers can be kept."""

    keep_requested = Signal(str, str)
    """The name and the note that the user gives the new version."""
    discard_requested = Signal()
    activate_requested = Signal()
    score_requested = Signal()
    models_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head = sentence_label(self)
        self._reason = sentence_label(self)
        self._tables = QLabel(self)
        self._tables.setTextFormat(Qt.TextFormat.RichText)
        self._tables.setFont(tabular(self._tables.font()))
        self._tables.setAccessibleName("Agreement before and after the training")
        self._notes = sentence_label(self)
        self.name = text_field("Name of the version", "a word by which you will know it", self)
        self.name.setMaxLength(40)
        self.note = text_field("Note", "what it is for, whose nights", self)
        self.note.setMaxLength(200)
        self.keep = button("Keep as a new version", "Keep the tuned model; it scores once you activate it", self)
        as_primary(self.keep)
        self.discard = button("Discard", "Forget the tuned model; the model is as it was", self)
        self.activate = button("Activate", "From now on it scores wherever its model is asked for", self)
        self.score = button(
            "Score the open night with it",
            "Choose it in the tool bar and score; the earlier scoring stays as the second model",
            self,
        )
        self.models = button("Models and versions…", "Show all models and versions", self)
        self._lay_out()
        self.keep.clicked.connect(lambda: self.keep_requested.emit(self.name.text(), self.note.text()))
        self.discard.clicked.connect(self.discard_requested)
        self.activate.clicked.connect(self.activate_requested)
        self.score.clicked.connect(self.score_requested)
        self.models.clicked.connect(self.models_requested)
        self.show_kept("")

    def _lay_out(self) -> None:
        self._form = QWidget(self)
        form = QFormLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Name", self.name)
        form.addRow("Note", self.note)
        buttons = QHBoxLayout()
        for each in (self.keep, self.activate, self.score, self.models, self.discard):
            buttons.addWidget(each)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for part in (self._head, self._reason, self._tables, self._notes, self._form):
            layout.addWidget(part)
        layout.addLayout(buttons)

    @property
    def text(self) -> str:
        """All that it says, without markup of its own."""
        labels = (self._head, self._reason, self._tables, self._notes)
        return "\n".join(label.text() for label in labels if not label.isHidden())

    def show_result(self, result: FineTuneResult) -> None:
        """Show what came of a training that is not decided on yet."""
        verdict = result.verdict
        offered = verdict.offered
        head = "✓ Offered: the tuned model is better." if offered else "✕ Refused: the tuned model is not offered."
        say(self._head, f"<b>{head}</b>")
        say(self._reason, verdict.reason)
        say(self._tables, verdict_html(verdict.corrected, verdict.others))
        took = f"It took {result.seconds:.0f} s, {result.cpu_seconds:.0f} s of one core."
        say(self._notes, " ".join((*result.notes, took)))
        self._form.setVisible(offered)
        self.keep.setVisible(offered)
        self.discard.setVisible(True)
        for each in (self.activate, self.score, self.models):
            each.setVisible(False)

    def show_kept(self, title: str, *, night_open: bool = False) -> None:
        """Say under which name the model was kept, and what can be done with it now."""
        if title:
            say(self._head, f"<b>✓ Kept as {title}.</b> It scores nothing until you activate or choose it.")
        self._form.hide()
        self.keep.hide()
        self.discard.hide()
        for each in (self.activate, self.score, self.models):
            each.setVisible(bool(title))
        self.activate.setEnabled(True)
        self.score.setEnabled(night_open)

    def show_activated(self, title: str) -> None:
        """Say that it is the active one now."""
        say(self._head, f"<b>✓ {title} is active:</b> from now on it scores wherever its model is asked for.")
        self.activate.setEnabled(False)


def verdict_html(corrected: BeforeAfter, others: BeforeAfter) -> str:
    """Return both tables as one of HTML: κ, accuracy and F1 of every stage, before, after and the change."""
    return (
        "<table width='100%' cellspacing='0' cellpadding='2'>"
        + _rows("Held-out epochs of the corrected nights", corrected)
        + _rows("Other subjects", others)
        + "</table>"
    )


def _rows(title: str, both: BeforeAfter) -> str:
    heads = ("κ", "accuracy", *(f"F1 {stage.label}" for stage in SCORED_STAGES))
    before, after = _figures(both.before), _figures(both.after)
    change = [b - a for a, b in zip(before, after, strict=True)]
    lines = (
        ("before", [f"{value:.3f}" if math.isfinite(value) else "–" for value in before]),
        ("after", [f"{value:.3f}" if math.isfinite(value) else "–" for value in after]),
        ("change", [_signed(value) for value in change]),
    )
    head = "".join(f"<td align='right'>{name}</td>" for name in heads)
    html = f"<tr><td><b>{title}</b>, n = {both.after.epochs:,} epochs</td>{head}</tr>"
    for name, cells in lines:
        html += f"<tr><td>{name}</td>" + "".join(f"<td align='right'>{cell}</td>" for cell in cells) + "</tr>"
    return html


def _figures(table: Table) -> list[float]:
    return [table.kappa, table.accuracy, *(table.f1.get(stage.label, math.nan) for stage in SCORED_STAGES)]


def _signed(value: float) -> str:
    """Write a change with its sign and an arrow, so that it is seen without colours; – where there is none to tell."""
    if not math.isfinite(value):
        return "–"
    arrow = "=" if round(value, 3) == 0 else "▲" if value > 0 else "▼"
    return f"{arrow} {value:+.3f}".replace("-", "−") if arrow != "=" else "= 0.000"
