"""The page of the settings about who scores, and how often an automatic copy is made of it."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QFormLayout, QLabel, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from sleepviewer.app.shell.settings import LONGEST_AUTOSAVE_MIN, Settings
from sleepviewer.review.scorer import usual_scorer


class ScorerPage(QWidget):
    """Name of the scorer, blinding from the first look on, minutes between automatic copies."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.name = QLineEdit(settings.scorer, self)
        self.name.setAccessibleName("Who scores")
        self.name.setPlaceholderText(usual_scorer())
        self.minutes = QSpinBox(self)
        self.minutes.setAccessibleName("Minutes between automatic copies")
        self.minutes.setRange(1, LONGEST_AUTOSAVE_MIN)
        self.minutes.setSuffix(" min")
        self.minutes.setValue(settings.autosave_min)
        self.blind = QCheckBox("Begin nights blinded", self)
        self.blind.setChecked(settings.begins_blind)
        about_name = _note(
            "Your edits bear this name, and a night opens with the review of this name alone. It counts from the next "
            "night that is opened; File › Scorer… changes who scores the one that is open.",
            self,
        )
        about_blind = _note(
            "The model, the expert and other scorers are hidden from a night that has no edits yet, until you say that "
            "you are done (Review › Blinding).",
            self,
        )
        about_copies = _note(
            "Every edit is in the journal at once. The copy is a second safety; it counts from the next night too.",
            self,
        )
        form = QFormLayout()
        form.setVerticalSpacing(6)
        form.addRow("Who scores", self.name)
        form.addRow("", about_name)
        form.addRow("", self.blind)
        form.addRow("", about_blind)
        form.addRow("Automatic copy every", self.minutes)
        form.addRow("", about_copies)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addStretch(1)
        self.name.editingFinished.connect(self._keep_name)
        self.minutes.valueChanged.connect(self._keep_minutes)
        self.blind.toggled.connect(self._keep_blind)

    def _keep_name(self) -> None:
        name = self.name.text().strip()
        self._settings.scorer = "" if name == usual_scorer() else name
        self.name.setText(self._settings.scorer)

    def _keep_minutes(self, minutes: int) -> None:
        self._settings.autosave_min = minutes

    def _keep_blind(self, on: bool) -> None:
        self._settings.begins_blind = on


def _note(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setWordWrap(True)
    return label
