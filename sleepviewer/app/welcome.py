"""What the window shows before a night is open: what to do first."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


class WelcomePage(QWidget):
    """Open, drop, or try the simulated night; recent recordings below."""

    open_requested = Signal()
    demo_requested = Signal()
    path_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel("<h1>SleepViewer</h1>", self)
        lead = QLabel(
            "Open an overnight EEG, have it scored, go through what the model is unsure of, correct it, export it.",
            self,
        )
        lead.setWordWrap(True)
        open_button = QPushButton("Open a recording…", self)
        open_button.setObjectName("primary")
        open_button.setToolTip("EDF, EDF+, BDF, BrainVision, FIF, EEGLAB, GDF (Ctrl+O)")
        open_button.clicked.connect(self.open_requested)
        demo_button = QPushButton("Try the simulated night", self)
        demo_button.clicked.connect(self.demo_requested)
        drop = QLabel("… or drop a file into this window. An expert's hypnogram beside it is found by its name.", self)
        drop.setWordWrap(True)
        self._recent = QVBoxLayout()
        buttons = QHBoxLayout()
        buttons.addWidget(open_button)
        buttons.addWidget(demo_button)
        buttons.addStretch(1)
        column = QVBoxLayout()
        for widget in (title, lead):
            column.addWidget(widget)
        column.addSpacing(12)
        column.addLayout(buttons)
        column.addWidget(drop)
        column.addSpacing(18)
        column.addLayout(self._recent)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        middle = QVBoxLayout()
        middle.addStretch(2)
        middle.addLayout(column)
        middle.addStretch(3)
        outer.addLayout(middle, 4)
        outer.addStretch(1)

    def show_recent(self, paths: list[Path]) -> None:
        """List recent recordings; a click asks to open one."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if paths:
            self._recent.addWidget(QLabel("Recent", self))
        for path in paths:
            button = QPushButton(f"{path.name}   ({path.parent})", self)
            button.setFlat(True)
            button.setStyleSheet("text-align: left; padding: 3px 6px;")
            button.clicked.connect(lambda _=False, p=str(path): self.path_requested.emit(p))
            self._recent.addWidget(button, alignment=Qt.AlignmentFlag.AlignLeft)
