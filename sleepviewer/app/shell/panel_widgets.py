"""Small parts that panels are made of: the keyboard reaches them by Tab alone, so that keys stay the night's."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QWidget


def picker(name: str, parent: QWidget) -> QComboBox:
    """Return a box to choose from, by its accessible name; it gets narrower than its texts where it must."""
    box = QComboBox(parent)
    box.setAccessibleName(name)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    return box


def button(text: str, tip: str, parent: QWidget) -> QPushButton:
    """Return a button with its tool tip."""
    made = QPushButton(text, parent)
    made.setToolTip(tip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setAutoDefault(False)
    return made


def text_field(name: str, placeholder: str, parent: QWidget) -> QLineEdit:
    """Return a field to write into, by its accessible name; the placeholder stands there while it is empty."""
    field = QLineEdit(parent)
    field.setAccessibleName(name)
    field.setPlaceholderText(placeholder)
    return field


def sentence_label(parent: QWidget) -> QLabel:
    """Return a label of as many lines as its text takes."""
    label = QLabel(parent)
    label.setWordWrap(True)
    return label


def say(label: QLabel, text: str) -> None:
    """Show a text, or nothing at all where it is empty."""
    label.setText(text)
    label.setVisible(bool(text))


def as_primary(button: QWidget) -> None:
    """Style a button as the default action of its dialog."""
    button.setObjectName("primary")
    button.style().polish(button)  # the style sheet was applied before the name was set
