"""What the window shows before a night is open: what to do first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from sleepviewer.app.keys.help_text import shown_keys
from sleepviewer.app.keys.keymap import Keymap
from sleepviewer.app.shell.icons import icon, themed
from sleepviewer.app.shell.theme import Theme
from sleepviewer.recording.formats import recording_titles
from sleepviewer.stages import HYPNOGRAM_ORDER, Stage

_WIDTH_PX = 620
_STEPS = (
    ("score", "scores the night in the background"),
    ("next_doubt", "goes to what the model is least sure of"),
    ("stage_w stage_n1 stage_n2 stage_n3 stage_rem", "set your stage"),
    ("save", "saves beside the recording"),
    ("help_keys", "shows all keys"),
)
"""Commands of the first quarter of an hour, and what their keys do."""

_STEPS_OF = {Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1}


_MOST_UNSAVED = 3


@dataclass(frozen=True, slots=True)
class UnsavedNight:
    """A recording with unsaved edits of a scorer, and what is said of it in one line."""

    path: Path
    scorer: str
    text: str


class WelcomePage(QWidget):
    """Open, drop, or try the simulated night; recent recordings below. Arrows and Tab move between its buttons."""

    open_requested = Signal()
    demo_requested = Signal()
    path_requested = Signal(str)
    unsaved_requested = Signal(str, str)
    """A recording that has unsaved edits, and their scorer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Welcome")
        self._theme: Theme | None = None
        self._band = _NightBand(self)
        title = QLabel("<h1>SleepViewer</h1>", self)
        lead = QLabel(
            "Open an overnight EEG, have it scored, go through what the model is unsure of, correct it, export it.",
            self,
        )
        lead.setWordWrap(True)
        self.open_button = _Button("Open a recording…", self)
        self.open_button.setObjectName("primary")
        self.open_button.setToolTip(recording_titles())
        self.open_button.clicked.connect(self.open_requested)
        self._demo = _Button("Try the simulated night", self)
        self._demo.setToolTip("No person's recording: for trying the program only")
        self._demo.clicked.connect(self.demo_requested)
        self._drop = _DropField(self)
        self._steps = QLabel(self)
        self._steps.setWordWrap(True)
        self._steps.setTextFormat(Qt.TextFormat.RichText)
        self._unsaved_title = QLabel(self)
        self._unsaved_title.setTextFormat(Qt.TextFormat.PlainText)
        self._unsaved_title.setWordWrap(True)
        self._unsaved_title.hide()
        self._unsaved = QVBoxLayout()
        self._unsaved.setSpacing(0)
        self._recent_title = QLabel("<b>Recent recordings</b>", self)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        self._lay_out(title, lead)
        self.show_keys(Keymap())

    def _lay_out(self, title: QLabel, lead: QLabel) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.open_button)
        buttons.addWidget(self._demo)
        buttons.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(8)
        for widget in (self._band, title, lead):
            column.addWidget(widget)
        column.addWidget(self._unsaved_title)
        column.addLayout(self._unsaved)
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addSpacing(8)
        column.addWidget(self._drop)
        column.addSpacing(10)
        column.addWidget(self._recent_title)
        column.addLayout(self._recent)
        column.addSpacing(10)
        column.addWidget(self._steps)
        holder = QWidget(self)
        holder.setMaximumWidth(_WIDTH_PX)
        holder.setLayout(column)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        middle = QVBoxLayout()
        middle.addStretch(2)
        middle.addWidget(holder)
        middle.addStretch(3)
        outer.addLayout(middle, 20)
        outer.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self._band.set_theme(theme)
        self._drop.set_theme(theme)
        self.open_button.setIcon(icon("open", theme.accent_text))
        self._demo.setIcon(themed("demo", theme))
        self._steps.setStyleSheet(f"color: {theme.dim_text};")
        for button in self._recent_buttons():
            button.setIcon(themed("hypnogram", theme))
        self._style_unsaved()

    def set_dragging(self, on: bool) -> None:
        """Show that a file which is held over the window can be let go."""
        self._drop.set_dragging(on)

    def show_keys(self, keymap: Keymap) -> None:
        """Say which keys come next, as they are set."""
        steps, keys = [], keymap.all()
        for commands, does in _STEPS:
            first = [keys[command][:1] for command in commands.split() if keys[command]]
            if first:
                steps.append(f"<b>{' '.join(map(shown_keys, first))}</b>&nbsp;{does}".replace(" ", "&nbsp;"))
        self._steps.setText("Then: " + " &nbsp;·&nbsp; ".join(steps))

    def show_recent(self, paths: list[Path]) -> None:
        """List recent recordings; a click asks to open one."""
        _empty(self._recent)
        self._recent_title.setVisible(bool(paths))
        for path in paths:
            button = _Button(f"{path.name}   ({path.parent})", self)
            button.setFlat(True)
            button.setStyleSheet("text-align: left;")
            button.setToolTip(str(path))
            button.clicked.connect(lambda _=False, p=str(path): self.path_requested.emit(p))
            if self._theme is not None:
                button.setIcon(themed("hypnogram", self._theme))
            self._recent.addWidget(button)

    def show_unsaved(self, nights: Sequence[UnsavedNight]) -> None:
        """Say that edits were found which were never saved, and of which nights; a click opens one."""
        _empty(self._unsaved)
        count = "a night" if len(nights) == 1 else f"{len(nights)} nights"
        self._unsaved_title.setText(f"⚠  Unsaved edits of {count} were found. Open it to see them:")
        if len(nights) > 1:
            self._unsaved_title.setText(f"⚠  Unsaved edits of {count} were found. Open one to see them:")
        self._unsaved_title.setVisible(bool(nights))
        for night in nights[:_MOST_UNSAVED]:
            button = _Button(night.text, self)
            button.setFlat(True)
            button.setStyleSheet("text-align: left;")
            button.setToolTip(str(night.path))
            button.clicked.connect(lambda _=False, n=night: self.unsaved_requested.emit(str(n.path), n.scorer))
            self._unsaved.addWidget(button)
        if len(nights) > _MOST_UNSAVED:
            rest = QLabel(f"and {len(nights) - _MOST_UNSAVED} more: sleepviewer recover --list", self)
            self._unsaved.addWidget(rest)
        self._style_unsaved()

    @property
    def unsaved_text(self) -> str:
        """What is said about unsaved edits; empty where there are none."""
        return "" if self._unsaved_title.isHidden() else self._unsaved_title.text()

    def _style_unsaved(self) -> None:
        if self._theme is not None:
            theme = self._theme
            self._unsaved_title.setStyleSheet(
                f"background: {theme.warning}; color: {theme.warning_text}; padding: 6px 10px; border-radius: 4px;"
            )
            for button in _buttons_of(self._unsaved):
                button.setIcon(themed("hypnogram", theme))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        buttons = [*_buttons_of(self._unsaved), self.open_button, self._demo, *self._recent_buttons()]
        step = _STEPS_OF.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        here = next((place for place, button in enumerate(buttons) if button.hasFocus()), -step if step > 0 else 0)
        buttons[min(max(here + step, 0), len(buttons) - 1)].setFocus(Qt.FocusReason.TabFocusReason)

    def _recent_buttons(self) -> list[QPushButton]:
        return _buttons_of(self._recent)


def _buttons_of(layout: QVBoxLayout) -> list[QPushButton]:
    items = (layout.itemAt(place) for place in range(layout.count()))
    return [button for item in items if item is not None and isinstance(button := item.widget(), QPushButton)]


def _empty(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.deleteLater()


class _Button(QPushButton):
    """A button that Enter presses too, and that leaves the arrows to the page."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setAutoDefault(True)
        self.setIconSize(QSize(18, 18))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _STEPS_OF:
            event.ignore()
        else:
            super().keyPressEvent(event)


class _DropField(QFrame):
    """Where a file can be dropped; any other place of the window takes it as well."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropField")
        self._theme: Theme | None = None
        self._dragging = False
        self._text = QLabel(
            "… or drop a recording anywhere in this window. An expert's hypnogram beside it is found by its name.", self
        )
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        # Two lines also on a low screen, where a label that wraps else gives way and is cut.
        self._text.setMinimumHeight(2 * self._text.fontMetrics().lineSpacing())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addWidget(self._text)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._paint()

    def set_dragging(self, on: bool) -> None:
        self._dragging = on
        self._paint()

    def _paint(self) -> None:
        if self._theme is None:
            return
        theme = self._theme
        line, ground = (theme.accent, theme.selection) if self._dragging else (theme.border, theme.panel)
        self.setStyleSheet(
            f"#dropField {{ border: 2px dashed {line}; border-radius: 8px; background: {ground}; }}"
            f"#dropField QLabel {{ color: {theme.dim_text}; }}"
        )


class _NightBand(QWidget):
    """A small hypnogram in the stages' colours, as an ornament."""

    _NIGHT = "WWW12233332221RR22333222RR112233222RRR2212RRRRW12RRRWW"

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme: Theme | None = None
        self.setFixedHeight(64)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        painter = QPainter(self)
        stage_of = {"W": Stage.W, "R": Stage.REM, "1": Stage.N1, "2": Stage.N2, "3": Stage.N3}
        stages = [stage_of[letter] for letter in self._NIGHT]
        wide, high = self.width() / len(stages), self.height() / len(HYPNOGRAM_ORDER)
        before = None
        for place, stage in enumerate(stages):
            y = (HYPNOGRAM_ORDER.index(stage) + 0.5) * high
            if before is not None and before != y:
                painter.setPen(QPen(QColor(self._theme.border), 1))
                painter.drawLine(QPointF(place * wide, before), QPointF(place * wide, y))
            painter.fillRect(QRectF(place * wide, y - 2.5, wide + 0.5, 5), self._theme.stage(stage))
            before = y
