"""Colours of the two themes, and the Qt palette made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from sleepviewer.app.shell.stage_colors import STAGE_COLORS, USUAL
from sleepviewer.packaged import resource
from sleepviewer.stages import Stage


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours, as ``#rrggbb``; those of the stages are one of ``stage_colors``."""

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
    stages: Mapping[Stage, str]

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
    stages=USUAL.light,
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
    stages=USUAL.dark,
)

THEMES: Final = {theme.name: theme for theme in (LIGHT, DARK)}


_STYLED: Final = "sleepviewer_styled"
"""Property of an application that has its style already."""


def system_theme() -> Theme:
    """Return the theme that the system asks for."""
    return DARK if QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark else LIGHT


def theme_named(name: str, stages: str = "usual") -> Theme:
    """Return a theme (``light``, ``dark``, or the system's for any other name) with a set of stage colours."""
    theme = THEMES.get(name) or system_theme()
    colors = STAGE_COLORS.get(stages, USUAL)
    return theme if colors is USUAL else replace(theme, stages=getattr(colors, theme.name))


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole application the theme's palette; windows are dressed one by one (:func:`dress`)."""
    # Both go through all widgets anew: only what changes is set.
    if not app.property(_STYLED):
        app.setStyle("Fusion")
        app.setProperty(_STYLED, True)
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
    if app.palette() != palette:
        app.setPalette(palette)


def dress(window: QWidget, theme: Theme) -> None:
    """Give a window, and all dialogs and menus that open from it, the theme's style sheet.

    The application's own sheet would do the same, but changing it takes three times as long: a third of a second with
    every panel open.
    """
    sheet = _style_sheet(theme)
    if window.styleSheet() != sheet:
        window.setStyleSheet(sheet)


def tabular(font: QFont) -> QFont:
    """Return the font with figures of equal width, so that changing numbers do not jump."""
    font = QFont(font)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _style_sheet(theme: Theme) -> str:
    focus = f"border: 2px solid {theme.accent}"
    # Pictures of a style sheet can't be tinted: these are of a grey that is seen on both grounds.
    names = ("arrow_down", "arrow_up", "grey_close", "grey_float")
    down, up, close, floating = (resource("icons", f"{name}.svg").as_posix() for name in names)
    ink = "black" if theme.name == "dark" else "white"
    check = resource("icons", f"{ink}_check.svg").as_posix()
    return f"""
    QToolBar {{ background: {theme.window}; border: 0; spacing: 4px; padding: 3px 6px; }}
    QToolButton {{
        background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.border}; border-radius: 4px;
        padding: 3px 8px;
    }}
    QToolButton[popupMode="1"] {{ padding-right: 22px; }}
    QToolButton::menu-button {{ border: 0; width: 18px; }}
    QToolButton::menu-arrow {{ image: url("{down}"); width: 12px; height: 12px; }}
    QToolButton[autoRaise="true"] {{ background: transparent; border: 2px solid transparent; padding: 3px 6px; }}
    QToolButton:hover, QToolButton[autoRaise="true"]:hover {{
        background: {theme.selection}; color: {theme.selection_text};
    }}
    QToolButton:pressed, QToolButton:checked, QToolButton[autoRaise="true"]:checked {{ background: {theme.selection}; }}
    QToolButton:disabled {{ color: {theme.dim_text}; background: {theme.window}; }}
    QToolButton:focus {{ {focus}; padding: 2px 7px; }}
    QToolButton[popupMode="1"]:focus {{ padding-right: 21px; }}
    QToolButton[autoRaise="true"]:focus {{ {focus}; padding: 3px 6px; }}
    QMainWindow::separator {{ background: {theme.border}; width: 3px; height: 3px; }}
    QMainWindow::separator:hover {{ background: {theme.accent}; }}
    QDockWidget {{
        font-weight: 600; titlebar-close-icon: url("{close}"); titlebar-normal-icon: url("{floating}");
    }}
    QDockWidget::close-button, QDockWidget::float-button {{ border: 2px solid transparent; border-radius: 3px; }}
    QDockWidget::close-button:hover, QDockWidget::float-button:hover {{ background: {theme.selection}; }}
    QDockWidget::title {{ background: {theme.window}; padding: 5px 8px; text-align: left; }}
    QMenu::separator {{ height: 1px; background: {theme.border}; margin: 4px 8px; }}
    QStatusBar {{ border-top: 1px solid {theme.border}; }}
    QStatusBar::item {{ border: 0; }}
    QToolTip {{ color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.border}; padding: 3px; }}
    QTabWidget::pane {{ border: 0; border-top: 1px solid {theme.border}; }}
    QTabBar::tab {{ padding: 5px 10px; color: {theme.dim_text}; border: 0; border-bottom: 2px solid transparent; }}
    QTabBar::tab:selected {{ color: {theme.text}; border-bottom: 2px solid {theme.accent}; }}
    QTabBar::tab:hover {{ color: {theme.text}; }}
    QTabBar::tab:selected:focus {{ color: {theme.accent}; background: {theme.selection}; }}
    QHeaderView::section {{ background: {theme.window}; color: {theme.dim_text}; border: 0; padding: 3px 6px; }}
    QTableCornerButton::section {{ background: {theme.window}; border: 0; }}
    QTableView, QTreeView, QListView {{ border: 2px solid transparent; gridline-color: {theme.grid}; }}
    QTableView:focus, QTreeView:focus, QListView:focus {{ {focus}; }}
    QLineEdit, QPlainTextEdit, QTextBrowser, QKeySequenceEdit {{
        background: {theme.panel}; border: 1px solid {theme.border}; border-radius: 4px; padding: 3px 6px;
    }}
    QLineEdit:focus, QPlainTextEdit:focus, QTextBrowser:focus, QKeySequenceEdit:focus {{
        {focus}; padding: 2px 5px;
    }}
    QPushButton {{
        background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.border}; border-radius: 4px;
        padding: 5px 13px;
    }}
    QPushButton:hover {{ background: {theme.selection}; color: {theme.selection_text}; }}
    QPushButton:checked {{
        background: {theme.selection}; color: {theme.selection_text}; border: 2px solid {theme.accent};
        padding: 4px 12px;
    }}
    QPushButton:disabled {{ color: {theme.dim_text}; background: {theme.window}; }}
    QPushButton:focus {{ {focus}; padding: 4px 12px; }}
    QPushButton:flat {{ background: transparent; border: 2px solid transparent; padding: 4px 12px; }}
    QPushButton:flat:hover {{ background: {theme.selection}; }}
    QPushButton:flat:focus {{ {focus}; }}
    QPushButton#primary, QToolButton#primary {{
        background: {theme.accent}; color: {theme.accent_text}; border: 2px solid {theme.accent}; border-radius: 4px;
        padding: 4px 12px; font-weight: 600;
    }}
    QPushButton#primary:hover, QToolButton#primary:hover {{ border-color: {theme.text}; }}
    QPushButton#primary:disabled, QToolButton#primary:disabled {{
        background: {theme.border}; color: {theme.dim_text}; border-color: {theme.border};
    }}
    QPushButton#primary:focus, QToolButton#primary:focus {{ border-color: {theme.text}; }}
    QComboBox, QAbstractSpinBox {{
        background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.border}; border-radius: 4px;
        padding: 3px 6px;
    }}
    QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {theme.dim_text}; background: {theme.window}; }}
    QComboBox:focus, QAbstractSpinBox:focus {{ {focus}; padding: 2px 5px; }}
    QComboBox::drop-down {{ border: 0; width: 20px; }}
    QComboBox::down-arrow, QAbstractSpinBox::down-arrow {{ image: url("{down}"); width: 12px; height: 12px; }}
    QAbstractSpinBox::up-arrow {{ image: url("{up}"); width: 12px; height: 12px; }}
    QCheckBox::indicator, QTableView::indicator, QListView::indicator {{
        width: 12px; height: 12px; border: 1px solid {theme.dim_text}; border-radius: 3px; background: {theme.panel};
    }}
    QCheckBox::indicator:checked, QTableView::indicator:checked, QListView::indicator:checked {{
        background: {theme.accent}; border-color: {theme.accent}; image: url("{check}");
    }}
    QCheckBox::indicator:disabled, QTableView::indicator:disabled, QListView::indicator:disabled {{
        border-color: {theme.border}; background: {theme.window};
    }}
    QRadioButton::indicator {{
        width: 12px; height: 12px; border: 1px solid {theme.dim_text}; border-radius: 7px; background: {theme.panel};
    }}
    QRadioButton::indicator:checked {{
        width: 4px; height: 4px; border: 5px solid {theme.accent}; border-radius: 7px; background: {theme.panel};
    }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: 0; width: 16px; }}
    QTreeView::item {{ padding: 3px 2px; }}
    #palette {{ background: {theme.window}; border: 2px solid {theme.accent}; }}
    QCheckBox:focus, QRadioButton:focus {{ {focus}; }}
    QCheckBox, QRadioButton {{ border: 2px solid transparent; border-radius: 4px; }}
    QDialogButtonBox, QMessageBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QProgressBar {{ border: 1px solid {theme.border}; border-radius: 3px; text-align: center; }}
    QProgressBar::chunk {{ background: {theme.selection}; border-right: 2px solid {theme.accent}; }}
    """
