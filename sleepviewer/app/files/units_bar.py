"""The strip that asks which unit channels are in, where their file does not tell."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from sleepviewer.app.shell.theme import Theme
from sleepviewer.recording.units_told import AS_IT_IS, UnitQuestion


def answers_to(question: UnitQuestion) -> tuple[tuple[str, str], ...]:
    """Return the answers that can be given, as they are shown and by the word that they are kept under."""
    units = tuple((f"{unit} (fits)" if unit in question.fitting else unit, unit) for unit in question.choices)
    return (*units, ("Leave as they are" if len(question.labels) > 1 else "Leave as it is", AS_IT_IS))


class UnitsBar(QFrame):
    """One question with its answers; it takes no keys away, waits for ever, and can be closed."""

    answered = Signal(object, str)
    """The UnitQuestion, and the unit or ``as-is``."""
    put_off = Signal(object)
    """The UnitQuestion is not to be asked again while this night is open."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("unitsBar")
        self.setAccessibleName("Question about a channel's unit")
        self.question: UnitQuestion | None = None
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._buttons: list[QPushButton] = []
        close = QToolButton(self)
        close.setText("✕")
        close.setAutoRaise(True)
        close.setAccessibleName("Ask another time")
        close.setToolTip("Ask another time; until then no unit is assumed")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self._put_off)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(12, 4, 6, 4)
        self._layout.addWidget(self._label)
        self._layout.addWidget(close)
        self.set_theme(theme)
        self.hide()

    @property
    def text(self) -> str:
        """What is asked, or nothing where the bar is closed."""
        return "" if self.isHidden() else self._label.text()

    @property
    def buttons(self) -> dict[str, QPushButton]:
        """The answers' buttons by the word that they stand for."""
        return {str(button.property("unit")): button for button in self._buttons}

    def ask(self, question: UnitQuestion | None) -> None:
        """Ask a question in place of the one before, or none."""
        self.question = question
        for button in self._buttons:
            button.deleteLater()
        self._buttons = []
        self.setVisible(question is not None)
        if question is None:
            return
        self._label.setText(f"{question.sentence} Take {'them' if len(question.labels) > 1 else 'it'} as:")
        for shown, unit in answers_to(question):
            button = QPushButton(shown, self)
            button.setProperty("unit", unit)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(f"Take {', '.join(question.labels)} as {unit}")
            button.clicked.connect(lambda _=False, unit=unit: self.answered.emit(question, unit))
            self._layout.insertWidget(self._layout.count() - 1, button)
            self._buttons.append(button)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.setStyleSheet(
            f"#unitsBar {{ background: {theme.warning}; }} "
            f"#unitsBar QLabel, #unitsBar QToolButton {{ color: {theme.warning_text}; }}"
        )

    def _put_off(self) -> None:
        self.put_off.emit(self.question)
