"""The dialog before a picture: what it shows, how large, how fine, in which colours."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.files.pictures import PictureSetup, What

_WHATS = (
    (What.BOTH, "The night and the page"),
    (What.PAGE, "The page"),
    (What.NIGHT, "The night"),
    (What.WINDOW, "The window as it is"),
)
_SIZES = (("1366 × 768", 1366, 768), ("1920 × 1080", 1920, 1080), ("A4 across", 1123, 794), ("Half a page", 680, 420))
_THEMES = (("window", "As the window"), ("light", "Light, for paper"), ("dark", "Dark"))


class PictureDialog(QDialog):
    """Shows the last picture's setup; what was chosen is in ``setup`` and ``theme``."""

    def __init__(self, setup: PictureSetup, theme: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save a picture")
        self.copy_asked = False
        self._window_size = (parent.width(), parent.height())
        self._what = _combo("What the picture shows", _WHATS, setup.what, self)
        self._theme = _combo("Colours of the picture", _THEMES, theme, self)
        self._usual = QComboBox(self)
        self._usual.setAccessibleName("Usual sizes")
        self._usual.addItem("Usual sizes…")
        for title, *_ in _SIZES:
            self._usual.addItem(title)
        self._width = _number("Width", setup.width, 320, 8000, " px", self)
        self._height = _number("Height", setup.height, 200, 8000, " px", self)
        self._dpi = _number("Dots an inch", setup.dpi, 48, 1200, " dpi", self)
        self._result = QLabel(self)
        self._result.setWordWrap(True)
        self._usual.activated.connect(self._take_size)
        self._what.currentIndexChanged.connect(self._show)
        for box in (self._width, self._height, self._dpi):
            box.valueChanged.connect(self._show)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        save = self._buttons.addButton("Save…", QDialogButtonBox.ButtonRole.AcceptRole)
        copy = self._buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        save.setObjectName("primary")
        save.style().polish(save)  # it was given its looks under no name
        save.setDefault(True)
        copy.setToolTip("Copy the picture to the clipboard instead")
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        copy.clicked.connect(self._copy)
        self._lay_out()
        self._show()

    def _lay_out(self) -> None:
        size = QHBoxLayout()
        for widget in (self._width, QLabel("×", self), self._height, self._usual):
            size.addWidget(widget)
        form = QFormLayout()
        form.addRow("Shows", self._what)
        form.addRow("Size at 100 %", size)
        form.addRow("PNG with", self._dpi)
        form.addRow("Colours", self._theme)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._result)
        layout.addWidget(self._buttons)

    @property
    def setup(self) -> PictureSetup:
        """What was chosen."""
        what = What(self._what.currentData())
        width, height = self._width.value(), self._height.value()
        if what is What.WINDOW:
            width, height = self._window_size
        return PictureSetup(what, width, height, self._dpi.value())

    @property
    def theme(self) -> str:
        """``window``, ``light`` or ``dark``."""
        return str(self._theme.currentData())

    def _take_size(self, index: int) -> None:
        if index > 0:
            _, width, height = _SIZES[index - 1]
            self._width.setValue(width)
            self._height.setValue(height)
            self._usual.setCurrentIndex(0)

    def _show(self) -> None:
        setup = self.setup
        is_window = setup.what is What.WINDOW
        for widget in (self._width, self._height, self._usual, self._theme):
            widget.setEnabled(not is_window)
        pixels, (across, down) = setup.pixels, setup.centimetres
        dots = f"{pixels.width()} × {pixels.height()} pixels"
        said = f"PNG: {dots}. SVG and PDF: {across:.1f} × {down:.1f} cm, as lines and text."
        if setup.too_large:
            said = f"⚠ A PNG would have {dots}: take fewer dots an inch, or save SVG or PDF."
        self._result.setText(said)

    def _copy(self) -> None:
        self.copy_asked = True
        self.accept()


def _combo(name: str, choices: tuple[tuple[str, str], ...], chosen: str, parent: QWidget) -> QComboBox:
    combo = QComboBox(parent)
    combo.setAccessibleName(name)
    for value, text in choices:
        combo.addItem(text, str(value))
    combo.setCurrentIndex(max(combo.findData(str(chosen)), 0))
    return combo


def _number(name: str, value: int, least: int, most: int, unit: str, parent: QWidget) -> QSpinBox:
    box = QSpinBox(parent)
    box.setAccessibleName(name)
    box.setRange(least, most)
    box.setSuffix(unit)
    box.setValue(value)
    return box
