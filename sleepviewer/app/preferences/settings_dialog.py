"""The settings: keys, looks, who scores, and forgetting everything."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.keys.command_table import KEY_TABLE
from sleepviewer.app.preferences.keys_page import KeysPage
from sleepviewer.app.preferences.scorer_page import ScorerPage
from sleepviewer.app.shell.actions import Actions
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.stage_colors import STAGE_COLORS
from sleepviewer.app.shell.theme import theme_named
from sleepviewer.stages import HYPNOGRAM_ORDER


class SettingsDialog(QDialog):
    """What is chosen here holds at once, and is kept."""

    keymap_changed = Signal(object)
    reset_asked = Signal()

    def __init__(self, settings: Settings, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.keys = KeysPage(actions.keymap, self)
        self.keys.keymap_changed.connect(self.keymap_changed)
        self.looks = LooksPage(settings, actions, self)
        self.scorer = ScorerPage(settings, self)
        self._reset = QPushButton("Forget everything…", self)
        self._reset.setToolTip("Keys, looks, scorer, arrangement, montages, recent files: as before the first start")
        self._reset.clicked.connect(self._ask_reset)
        tabs = QTabWidget(self)
        tabs.setAccessibleName("Kinds of settings")
        tabs.setDocumentMode(True)
        tabs.tabBar().setDrawBase(False)
        tabs.addTab(self.keys, "Keys")
        tabs.addTab(self.looks, "Looks")
        tabs.addTab(self.scorer, "Scorer")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        bottom = QHBoxLayout()
        bottom.addWidget(self._reset)
        bottom.addStretch(1)
        bottom.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.addWidget(tabs, 1)
        layout.addLayout(bottom)
        self.keys.start()
        self.resize(760, min(640, max(parent.height() - 40, 420)))

    def _ask_reset(self) -> None:
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self,
            "Forget everything",
            "Forget keys, looks, the arrangement of the window, montages and recent files? Nights and saved reviews "
            "stay as they are. What the open window holds ends with the program; the next start is like the first.",
            buttons.Yes | buttons.Cancel,
            buttons.Cancel,
        )
        if answer == buttons.Yes:
            self.reset_asked.emit()
            self.accept()


class LooksPage(QWidget):
    """Theme and stage colours, as in the menu View, with the colours to see."""

    def __init__(self, settings: Settings, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        for group, title in (("theme", "Theme"), ("stages", "Stage colours")):
            heading = QLabel(f"<b>{title}</b>", self)
            layout.addWidget(heading)
            buttons = QButtonGroup(self)
            for row in (row for row in KEY_TABLE if row.group == group):
                action = actions[row.command]
                button = QRadioButton(row.text, self)
                button.setToolTip(row.explanation)
                button.setAccessibleDescription(row.explanation)
                button.setChecked(action.isChecked())
                button.clicked.connect(lambda _=False, chosen=action: chosen.trigger())
                buttons.addButton(button)
                line = QHBoxLayout()
                line.addWidget(button)
                name = row.command.removeprefix("stages_")
                if name in STAGE_COLORS:
                    line.addStretch(1)
                    line.addWidget(_Swatches(settings, name, self))
                else:
                    line.addWidget(QLabel(row.explanation, self), 1)
                layout.addLayout(line)
            layout.addSpacing(14)
        layout.addStretch(1)


class _Swatches(QFrame):
    """The five colours of a set, each with its stage's name, on the ground of both themes."""

    def __init__(self, settings: Settings, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for ground in ("light", "dark"):
            theme = theme_named(ground, name)
            for stage in HYPNOGRAM_ORDER:
                swatch = QLabel(stage.label, self)
                swatch.setStyleSheet(
                    f"background: {theme.panel}; color: {theme.text}; border: 0; padding: 3px 6px;"
                    f"border-bottom: 6px solid {theme.stage(stage).name()};"
                )
                layout.addWidget(swatch)
