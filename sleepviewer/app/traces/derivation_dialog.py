"""The dialog that makes derivations: what is shown, and what is subtracted from it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.montage import Derivation, derived_channel
from sleepviewer.errors import ChannelError
from sleepviewer.recording.base import Recording


class DerivationDialog(QDialog):
    """Two lists of channels with check boxes; each checked on the left less the mean of those checked on the right."""

    def __init__(
        self, recording: Recording, theme: Theme, plus: tuple[str, ...] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add derivations")
        self.resize(460, 460)
        self._recording = recording
        self._theme = theme
        self.plus = self._list("Channels to show", plus)
        self.minus = self._list("Channels whose mean is subtracted", ())
        self.verdict = QLabel(self)
        self.verdict.setWordWrap(True)
        self.verdict.setTextFormat(Qt.TextFormat.PlainText)
        self.verdict.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.verdict.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.buttons = QDialogButtonBox(self)
        self.buttons.addButton("Add", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        lists = QHBoxLayout()
        for title, channels in (("&Show", self.plus), ("&less the mean of", self.minus)):
            box = QGroupBox(title, self)
            column = QVBoxLayout(box)
            column.addWidget(channels)
            lists.addWidget(box)
        layout = QVBoxLayout(self)
        layout.addLayout(lists)
        layout.addWidget(self.verdict)
        layout.addWidget(self.buttons)
        self._judge()

    def _list(self, name: str, checked: tuple[str, ...]) -> QListWidget:
        channels = QListWidget(self)
        channels.setAccessibleName(name)
        channels.setSpacing(1)
        for channel in self._recording.channels:
            item = QListWidgetItem(channel.label, channels)
            item.setCheckState(Qt.CheckState.Checked if channel.label in checked else Qt.CheckState.Unchecked)
            unit = channel.unit or "no unit"
            item.setToolTip(f"{channel.label}: {channel.role.value}, {channel.rate_hz:g} Hz, {unit}")
        if channels.count():
            channels.setCurrentRow(0)
        channels.itemChanged.connect(self._judge)
        channels.itemActivated.connect(_toggle)
        return channels

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        """What the check boxes ask for."""
        minus = tuple(_checked(self.minus))
        return tuple(Derivation(plus, minus) for plus in _checked(self.plus))

    def _judge(self) -> None:
        """Say what will be added, or why it can't be."""
        text, ok = "", False
        derivations = self.derivations
        if not derivations:
            text = "Choose at least one channel to show."
        else:
            try:
                channels = [derived_channel(self._recording, derivation) for derivation in derivations]
            except ChannelError as error:
                text = str(error)
            else:
                ok = True
                text = "Adds " + ", ".join(channel.label for channel in channels[:6])
                text += f" and {len(channels) - 6} more." if len(channels) > 6 else "."
        self.verdict.setText(text)
        self.verdict.setStyleSheet("" if ok else f"color: {self._theme.error_text}")
        for button in self.buttons.buttons():
            if self.buttons.buttonRole(button) is QDialogButtonBox.ButtonRole.AcceptRole:
                button.setEnabled(ok)


def _checked(channels: QListWidget) -> list[str]:
    items = (channels.item(i) for i in range(channels.count()))
    return [item.text() for item in items if item.checkState() is Qt.CheckState.Checked]


def _toggle(item: QListWidgetItem) -> None:
    checked = item.checkState() is Qt.CheckState.Checked
    item.setCheckState(Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked)


def ask_derivations(
    parent: QWidget, recording: Recording, theme: Theme, plus: tuple[str, ...]
) -> tuple[Derivation, ...]:
    """Ask for derivations to add; ``plus`` are checked at the start."""
    dialog = DerivationDialog(recording, theme, plus, parent)
    try:
        return dialog.derivations if dialog.exec() else ()
    finally:
        dialog.deleteLater()
