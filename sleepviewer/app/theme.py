"""Colours of the two themes, and the Qt palette made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from sleepviewer.stages import Stage


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours, as ``#rrggbb``.

    Stage colours are warm for awake or dreaming and a deepening blue for sleep: their order survives
    colour-blindness and grey.
    """

    name: str
    window: str
    panel: str
    border: str
    text: str
    dim_text: str
    accent: str
    accent_text: str
    selection: str
    selection_text: str
    trace: str
    grid: str
    grid_strong: str
    epoch: str
    cursor: str
    warning: str
    warning_text: str
    error: str
    error_text: str
    stages: dict[Stage, str]

    def stage(self, stage: int) -> QColor:
        """Colour of a stage; UNKNOWN is drawn in the dim text's colour."""
        return QColor(self.stages.get(Stage(stage), self.dim_text))


LIGHT: Final = Theme(
    name="light",
    window="#f3f5f7",
    panel="#ffffff",
    border="#cfd6dd",
    text="#16202b",
    dim_text="#5a6775",
    accent="#1f6fc5",
    accent_text="#ffffff",
    selection="#d3e4f7",
    selection_text="#16202b",
    trace="#16202b",
    grid="#e7ebef",
    grid_strong="#cdd5dd",
    epoch="#eef4fb",
    cursor="#c2185b",
    warning="#fff3cd",
    warning_text="#5f4700",
    error="#fde0e0",
    error_text="#7d1616",
    stages={
        Stage.W: "#e39a1c",
        Stage.REM: "#d1495b",
        Stage.N1: "#8cc3ea",
        Stage.N2: "#3f86c9",
        Stage.N3: "#1f3f8f",
    },
)

DARK: Final = Theme(
    name="dark",
    window="#171c22",
    panel="#1e252d",
    border="#38434f",
    text="#e4eaf0",
    dim_text="#9aa8b6",
    accent="#4e9be6",
    accent_text="#0b1118",
    selection="#2c4258",
    selection_text="#ffffff",
    trace="#dfe7ee",
    grid="#29323c",
    grid_strong="#3a4654",
    epoch="#242e39",
    cursor="#ff7ab0",
    warning="#4a3b12",
    warning_text="#ffe7a8",
    error="#52232a",
    error_text="#ffd5d5",
    stages={
        Stage.W: "#ffc857",
        Stage.REM: "#ff6b6b",
        Stage.N1: "#9ad1f5",
        Stage.N2: "#4e9be6",
        Stage.N3: "#3f5fe0",
    },
)

THEMES: Final = {theme.name: theme for theme in (LIGHT, DARK)}


def system_theme() -> Theme:
    """Return the theme that the system asks for."""
    return DARK if QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark else LIGHT


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole application the theme's palette and style sheet."""
    app.setStyle("Fusion")
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, color in (
        (roles.Window, theme.window),
        (roles.WindowText, theme.text),
        (roles.Base, theme.panel),
        (roles.AlternateBase, theme.window),
        (roles.Text, theme.text),
        (roles.PlaceholderText, theme.dim_text),
        (roles.Button, theme.window),
        (roles.ButtonText, theme.text),
        (roles.BrightText, theme.text),
        (roles.ToolTipBase, theme.panel),
        (roles.ToolTipText, theme.text),
        (roles.Highlight, theme.selection),
        (roles.HighlightedText, theme.selection_text),
        (roles.Link, theme.accent),
        (roles.Mid, theme.border),
    ):
        palette.setColor(role, QColor(color))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.dim_text))
    app.setPalette(palette)
    app.setStyleSheet(_style_sheet(theme))


def tabular(font: QFont) -> QFont:
    """Return the font with figures of equal width, so that changing numbers do not jump."""
    font = QFont(font)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _style_sheet(theme: Theme) -> str:
    return f"""
    QToolBar {{ background: {theme.window}; border: 0; spacing: 6px; padding: 4px 6px; }}
    QMainWindow::separator {{ background: {theme.border}; width: 1px; height: 1px; }}
    QStatusBar {{ border-top: 1px solid {theme.border}; }}
    QStatusBar::item {{ border: 0; }}
    QToolTip {{ color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.border}; }}
    QTabWidget::pane {{ border: 0; border-top: 1px solid {theme.border}; }}
    QTabBar::tab {{ padding: 5px 10px; color: {theme.dim_text}; border: 0; }}
    QTabBar::tab:selected {{ color: {theme.text}; border-bottom: 2px solid {theme.accent}; }}
    QTabBar::tab:focus {{ color: {theme.accent}; }}
    QHeaderView::section {{ background: {theme.window}; color: {theme.dim_text}; border: 0; padding: 3px 6px; }}
    QTableCornerButton::section {{ background: {theme.window}; border: 0; }}
    QTableView {{ border: 0; gridline-color: {theme.grid}; }}
    QPushButton#primary, QToolButton#primary {{
        background: {theme.accent}; color: {theme.accent_text}; border: 1px solid {theme.accent}; border-radius: 4px;
        padding: 4px 12px; font-weight: 600;
    }}
    QPushButton#primary:disabled, QToolButton#primary:disabled {{
        background: {theme.border}; color: {theme.dim_text}; border-color: {theme.border};
    }}
    QPushButton#primary:focus, QToolButton#primary:focus {{ border: 2px solid {theme.text}; }}
    QProgressBar {{ border: 1px solid {theme.border}; border-radius: 3px; text-align: center; }}
    QProgressBar::chunk {{ background: {theme.accent}; }}
    """
