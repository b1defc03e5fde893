"""How it looks and how it is reached: colours that all can tell apart, names for those who hear it, Tab everywhere."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from helpers.night_files import write_stages
from helpers.review_values import prediction_of
from helpers.window_nights import write_night
from sleepviewer.app.files.picture_dialog import PictureDialog
from sleepviewer.app.files.pictures import PictureSetup
from sleepviewer.app.keys.keymap import Keymap
from sleepviewer.app.preferences.settings_dialog import SettingsDialog
from sleepviewer.app.shell.command_palette import CommandPalette
from sleepviewer.app.shell.help_overlay import HelpOverlay
from sleepviewer.app.shell.icons import icon
from sleepviewer.app.shell.stage_colors import STAGE_COLORS
from sleepviewer.app.shell.theme import DARK, LIGHT, Theme, theme_named
from sleepviewer.app.window import MainWindow
from sleepviewer.packaged import resource
from sleepviewer.stages import Stage

Vector = NDArray[np.float64]

# -- colours. Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.

VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(color: str) -> Vector:
    """Linear RGB of ``#rrggbb``."""
    srgb = np.array(QColor(color).getRgbF()[:3])
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: Vector) -> Vector:
    """CIE L*a*b* of linear RGB, for D65."""
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def delta_e(a: str, b: str, vision: str) -> float:
    """How different two colours look to somebody (CIE 1976)."""
    return float(np.linalg.norm(lab(VISIONS[vision] @ linear(a)) - lab(VISIONS[vision] @ linear(b))))


def contrast(a: str, b: str) -> float:
    """Contrast ratio as WCAG defines it, 1 to 21."""
    bright, dark = sorted((float(TO_XYZ[1] @ linear(c)) for c in (a, b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


GROUNDS = pytest.mark.parametrize("ground", ["light", "dark"])


@GROUNDS
@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("name", "least"), [("usual", 18), ("safe", 26), ("lightness", 28)])
def test_any_two_stages_are_told_apart(name: str, least: float, vision: str, ground: str) -> None:
    colors = getattr(STAGE_COLORS[name], ground)
    assert set(colors) == {Stage.W, Stage.REM, Stage.N1, Stage.N2, Stage.N3}
    for a, b in itertools.combinations(colors, 2):
        assert delta_e(colors[a], colors[b], vision) >= least, (a, b)


@GROUNDS
def test_one_set_is_in_order_of_lightness(ground: str) -> None:
    colors = getattr(STAGE_COLORS["lightness"], ground)
    order = [Stage.W, Stage.REM, Stage.N1, Stage.N2, Stage.N3]
    lightness = [float(lab(linear(colors[stage]))[0]) for stage in order]
    assert all(a - b > 6 for a, b in itertools.pairwise(lightness))


@GROUNDS
@pytest.mark.parametrize(("name", "least"), [("usual", 1.8), ("safe", 3.0), ("lightness", 3.0)])
def test_stages_stand_out_from_the_ground(name: str, least: float, ground: str) -> None:
    theme = theme_named(ground, name)
    assert min(contrast(color, theme.panel) for color in theme.stages.values()) >= least


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_text_is_legible(theme: Theme) -> None:
    for ink, ground in (
        (theme.text, theme.panel),
        (theme.text, theme.window),
        (theme.dim_text, theme.panel),
        (theme.dim_text, theme.window),
        (theme.accent_text, theme.accent),
        (theme.selection_text, theme.selection),
        (theme.warning_text, theme.warning),
        (theme.error_text, theme.error),
    ):
        assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast(theme.accent, theme.window) >= 3, "what has the focus is seen"


# -- icons


@pytest.mark.parametrize("path", sorted(resource("icons").glob("*.svg")), ids=lambda path: path.stem)
def test_icons_are_of_one_family(qtbot: QtBot, path: Path) -> None:
    drawing = path.read_text(encoding="utf-8")
    assert 'viewBox="0 0 24 24"' in drawing
    assert 'stroke-linecap="round"' in drawing
    assert len(drawing) < 1000
    image = icon(path.stem, "#ff0000").pixmap(QSize(24, 24)).toImage()
    colors = {
        image.pixelColor(x, y).name() for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 200
    }
    assert colors, "something is drawn"
    if "currentColor" in drawing:
        assert colors <= {f"#{red:02x}0000" for red in range(200, 256)}


def test_an_icon_is_sharp_at_any_scale_and_dim_where_it_can_not_be_used(qtbot: QtBot) -> None:
    save = icon("save", "#000000", "#cccccc")
    assert save.pixmap(QSize(24, 24), 2.0).size() == QSize(48, 48)

    def darkest(mode: QIcon.Mode) -> int:
        image = save.pixmap(QSize(24, 24), mode).toImage().convertToFormat(QImage.Format.Format_ARGB32)
        opaque = [image.pixelColor(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 250]
        return min(color.lightness() for color in opaque)

    assert darkest(QIcon.Mode.Normal) < 10
    assert darkest(QIcon.Mode.Disabled) > 190


# -- names, and the keyboard

INTERACTIVE = (QAbstractButton, QComboBox, QLineEdit, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QTabBar)


def interactive(root: QWidget) -> list[QWidget]:
    """Visible widgets that take clicks or keys, but for the inner parts of others.

    The two buttons in a dock's title are Qt's own and for the mouse: View › Panels and “Float or dock the panel” do the
    same by the keyboard.
    """
    found = []
    for widget in root.findChildren(QWidget):
        inner = isinstance(widget, QScrollBar) or isinstance(
            widget.parentWidget(), (QComboBox, QAbstractSpinBox, QTabBar)
        )
        inner |= isinstance(widget.parentWidget(), (QLineEdit, QAbstractItemView)) or widget.objectName().startswith(
            "qt_"
        )
        inner |= isinstance(widget, QTabBar) and widget.count() == 0
        if isinstance(widget, INTERACTIVE) and widget.isVisible() and not inner and widget.window() is root:
            found.append(widget)
    return found


def name_of(widget: QWidget) -> str:
    said = widget.accessibleName() or getattr(widget, "text", str)()
    if not said and isinstance(widget, QLineEdit):
        said = widget.placeholderText()
    if not said and isinstance(widget, QTabBar):
        said = " ".join(widget.tabText(i) for i in range(widget.count()))
    return said.replace("&", "").strip()


def described(widget: QWidget) -> str:
    return (
        f"{type(widget).__name__} “{name_of(widget)}” ({widget.objectName()}) in {type(widget.parentWidget()).__name__}"
    )


def nameless(root: QWidget) -> list[str]:
    return [described(widget) for widget in interactive(root) if len(name_of(widget)) < 2]


def unreached(root: QWidget) -> list[str]:
    """Enabled widgets that Tab does not come to."""
    root.activateWindow()
    seen: list[QWidget] = []
    for _ in range(400):
        QTest.keyClick(root.focusWidget() or root, Qt.Key.Key_Tab)
        focused = root.focusWidget()
        if focused is None or (seen and focused is seen[0]):
            break
        seen.append(focused)
    # A list's or a combo box's inner parts have the focus for it.
    seen += [parent for widget in seen if (parent := widget.parentWidget()) is not None]
    return [described(widget) for widget in interactive(root) if widget.isEnabled() and widget not in seen]


@pytest.fixture
def full(window: MainWindow, tmp_path: Path) -> MainWindow:
    """A window with everything in it: expert, model, edits, an error."""
    assert window.open_path(write_night(tmp_path / "night.edf"))
    window.open_truth(write_stages(tmp_path / "expert.edf", [e % 5 for e in range(40)]))
    assert window.session is not None
    window.session.document.set_prediction(prediction_of([2] * 40))
    window.open_path(tmp_path / "absent.edf")
    return window


def test_every_widget_of_the_welcome_page_has_a_name_and_is_reached_by_tab(window: MainWindow) -> None:
    assert nameless(window) == []
    assert unreached(window) == []


def test_every_widget_of_a_night_has_a_name_and_is_reached_by_tab(full: MainWindow) -> None:
    for name in full.panels.names:
        full.panels.show(name)
        QApplication.processEvents()
        for tab in range(full.page.panel.count() if name == "review" else 1):
            full.page.panel.setCurrentIndex(tab)
            QApplication.processEvents()
            assert nameless(full) == []
            assert unreached(full) == []


def test_every_widget_of_the_dialogs_has_a_name_and_is_reached_by_tab(qtbot: QtBot, full: MainWindow) -> None:
    from sleepviewer.app.preferences.feature import KeysPart

    (keys,) = [part for part in full.parts if isinstance(part, KeysPart)]
    shown: list[QDialog] = [
        HelpOverlay(Keymap(), full),
        CommandPalette(keys.entries(), full),
        SettingsDialog(full.settings, full.actions_, full),
        PictureDialog(PictureSetup(), "window", full),
    ]
    for dialog in shown:
        dialog.show()
        QApplication.processEvents()
        assert nameless(dialog) == []
        # The palette's list is moved through from its line.
        assert [said for said in unreached(dialog) if "Commands found" not in said] == []
        dialog.close()


@pytest.mark.parametrize("theme", ["theme_light", "theme_dark"])
def test_the_focus_is_seen(full: MainWindow, theme: str) -> None:
    full.actions_[theme].trigger()
    for widget in interactive(full):
        if not widget.isEnabled() or widget.focusPolicy() == Qt.FocusPolicy.NoFocus:
            continue
        full.setFocus()
        QApplication.processEvents()
        before = widget.grab().toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        assert widget.grab().toImage() != before, described(widget)


# -- scales of the display


@pytest.mark.parametrize(("scale", "size"), [("1", "1366x768"), ("1.5", "1366x768"), ("2", "1920x1080")])
def test_the_window_is_painted_at_every_scale(tmp_path: Path, scale: str, size: str) -> None:
    night = write_night(tmp_path / "night.edf")
    picture = tmp_path / "window.png"
    run = subprocess.run(
        [sys.executable, "-m", "sleepviewer", "view", str(night), "--screenshot", str(picture), "--size", size],
        env={**os.environ, "QT_SCALE_FACTOR": scale},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    image = QImage(str(picture))
    assert f"{image.width()}x{image.height()}" == size
    # The menu bar and the tool bar are there: something is written in the first tenth.
    top = image.copy(0, 0, image.width(), image.height() // 10)
    assert len({top.pixel(x, y) for x in range(0, top.width(), 3) for y in range(top.height())}) > 10
