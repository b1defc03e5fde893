"""What can be changed of the selected lanes: role, filters, gain, height, colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QLabel, QWidget

from sleepviewer.app.shell.theme import Theme, tabular
from sleepviewer.app.traces.channel_colors import ColorButton
from sleepviewer.display.filters import LOWEST_HZ, NOTCHES_HZ, RAW, Band, limited, preset
from sleepviewer.display.gain import step
from sleepviewer.display.montage import Trace
from sleepviewer.display.montage_store import HEIGHTS, SCALES
from sleepviewer.recording.base import Channel, Role

Change = Callable[[Trace], Trace]
"""What becomes of a lane."""

_SEVERAL: Final = "several"
_NOTHING: Final = "—"
_FROM_AUTOMATIC: Final = 100.0
_USUAL, _RAW, _CUSTOM = range(3)
_HIGH_PASSES: Final = (0.05, 0.1, 0.3, 0.5, 1.0, 3.0, 5.0, 10.0, 20.0)
_LOW_PASSES: Final = (5.0, 10.0, 15.0, 20.0, 30.0, 35.0, 50.0, 70.0, 100.0, 150.0, 200.0)


class LaneForm(QWidget):
    """Fields for one lane or for several; an edit goes to all of them."""

    changed = Signal(object)
    """A Change, for every selected lane."""
    refused = Signal(str)
    """A sentence: such a filter can't be."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lanes: list[tuple[Trace, Channel | None]] = []
        self._title = QLabel(self)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self.role = _combo(self, "Role", "What the channel records: it decides on usual filters and gain")
        self.band = _combo(self, "Filters", "Usual for the role, none, or as set below")
        self.high_pass = _Spin(self, "High-pass", "off", " Hz", _through(_HIGH_PASSES), (LOWEST_HZ, 1000.0))
        self.low_pass = _Spin(self, "Low-pass", "off", " Hz", _through(_LOW_PASSES), (LOWEST_HZ, 1000.0))
        self.notch = _combo(self, "Notch", "Takes out the mains and their multiples, 2 Hz wide")
        self.gain = _Spin(self, "Gain: half the lane's height", "automatic", "", _next_scale, SCALES, prefix="±")
        self.height_ = _Spin(self, "Relative height", "", " ×", lambda v, d: v + 0.25 * d, HEIGHTS)
        self.color = ColorButton(theme, self)
        self.high_pass.setToolTip("Keeps what is faster than this; the arrows go through the usual corners")
        self.low_pass.setToolTip("Keeps what is slower than this; the arrows go through the usual corners")
        self.gain.setToolTip("What half the lane's height stands for; 0: what suits the role and the signal")
        self.height_.setToolTip("The lane's share of the page, relative to the others")
        self.color.setToolTip("Colour of the trace")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 4, 0, 0)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self._title)
        form.addRow("R&ole", self.role)
        form.addRow("Fi&lters", self.band)
        form.addRow("Pass band", _row(self.high_pass, QLabel("to", self), self.low_pass))
        form.addRow("&Notch", self.notch)
        form.addRow("&Gain", self.gain)
        form.addRow("Heigh&t", _row(self.height_, QLabel("Colour", self), self.color))
        for label, buddy in (("Pass band", self.high_pass), ("Heigh&t", self.height_)):
            for row in range(form.rowCount()):
                item = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
                widget = None if item is None else item.widget()
                if isinstance(widget, QLabel) and widget.text() == label:
                    widget.setBuddy(buddy)
        self.notch.addItem("off", None)
        for mains in NOTCHES_HZ:
            self.notch.addItem(f"{mains:g} Hz and multiples", mains)

    def _connect(self) -> None:
        self.role.activated.connect(self._set_role)
        self.band.activated.connect(self._set_band)
        self.notch.activated.connect(lambda _: self._filter("notch_hz", self.notch.currentData()))
        self.high_pass.picked.connect(lambda value: self._filter("high_pass_hz", value))
        self.low_pass.picked.connect(lambda value: self._filter("low_pass_hz", value))
        self.gain.picked.connect(lambda value: self._set(half_height=value))
        self.height_.picked.connect(lambda value: self._set(height=1.0 if value is None else value))
        self.color.picked.connect(lambda color: self._set(color=color))

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.color.set_theme(theme)

    def show_lanes(self, lanes: Sequence[tuple[Trace, Channel | None]]) -> None:
        """Show what the selected lanes have in common; ``several`` where they differ."""
        self._lanes = list(lanes)
        self.setEnabled(bool(lanes))
        traces = [trace for trace, _ in lanes]
        self._title.setText(_title(traces))
        self._title.setToolTip(", ".join(trace.label for trace in traces))
        for box in (self.role, self.band, self.notch):
            box.setPlaceholderText(_SEVERAL if lanes else _NOTHING)
        if not lanes:
            for box in (self.role, self.band, self.notch):
                box.setCurrentIndex(-1)
            for spin in (self.high_pass, self.low_pass, self.gain, self.height_):
                spin.show_values([])
            return
        self._show_role()
        self._show_band()
        self.high_pass.show_values([trace.band.high_pass_hz for trace in traces])
        self.low_pass.show_values([trace.band.low_pass_hz for trace in traces])
        self.notch.setCurrentIndex(_common(self.notch.findData(trace.band.notch_hz) for trace in traces))
        units = {channel.unit for _, channel in lanes if channel is not None}
        self.gain.setSuffix(f" {units.pop()}" if len(units) == 1 and "" not in units else "")
        self.gain.show_values([trace.half_height for trace in traces])
        self.height_.show_values([trace.height for trace in traces])
        colors = {trace.color for trace in traces}
        self.color.show_color(traces[0].color, several=len(colors) > 1)

    def _show_role(self) -> None:
        guesses = {channel.role.value for _, channel in self._lanes if channel is not None}
        self.role.clear()
        self.role.addItem(f"By its name: {guesses.pop()}" if len(guesses) == 1 else "By its name", None)
        for role in Role:
            self.role.addItem(role.value, role)
        self.role.setCurrentIndex(_common(_place_of(self.role, trace.role) for trace, _ in self._lanes))

    def _show_band(self) -> None:
        usual = {_usual(trace, channel).text for trace, channel in self._lanes}
        self.band.clear()
        self.band.addItem(f"Usual: {usual.pop()}" if len(usual) == 1 else "Usual for each role")
        self.band.addItem("Unfiltered")
        self.band.addItem("As set below")
        self.band.setCurrentIndex(_common(_kind(trace, channel) for trace, channel in self._lanes))

    # -- edits

    def _set(self, **values: object) -> None:
        self.changed.emit(lambda trace: replace(trace, **values))

    def _set_role(self, _: int) -> None:
        role = self.role.currentData()
        channels = dict(self._lanes)

        def change(trace: Trace) -> Trace:
            channel = channels.get(trace)
            was_usual = trace.band == _usual(trace, channel)
            other = replace(trace, role=role, half_height=None)
            # Its filters follow the role unless they were set by hand; its gain is found anew.
            return replace(other, band=_usual(other, channel)) if was_usual else other

        self.changed.emit(change)

    def _set_band(self, kind: int) -> None:
        channels = dict(self._lanes)
        if kind == _CUSTOM:
            self.high_pass.setFocus(Qt.FocusReason.OtherFocusReason)
            self.high_pass.selectAll()
            return

        def change(trace: Trace) -> Trace:
            return replace(trace, band=RAW if kind == _RAW else _usual(trace, channels.get(trace)))

        self.changed.emit(change)

    def _filter(self, corner: str, value: float | None) -> None:
        faults = [fault for trace, _ in self._lanes if (fault := replace(trace.band, **{corner: value}).fault)]
        if faults:
            self.refused.emit(faults[0])
            self.show_lanes(self._lanes)
            return
        self.changed.emit(lambda trace: replace(trace, band=replace(trace.band, **{corner: value})))


def _usual(trace: Trace, channel: Channel | None) -> Band:
    """The band that is usual for a lane's role, as far as its rate can hold it."""
    if channel is None:
        return preset(trace.role or Role.OTHER)
    return limited(preset(trace.role or channel.role), channel.rate_hz)


def _kind(trace: Trace, channel: Channel | None) -> int:
    if trace.band == RAW:
        return _RAW
    return _USUAL if trace.band == _usual(trace, channel) else _CUSTOM


def _common(places: Iterable[int]) -> int:
    """The place that all have, or -1."""
    several = set(places)
    return several.pop() if len(several) == 1 else -1


def _place_of(combo: QComboBox, role: Role | None) -> int:
    return next(i for i in range(combo.count()) if combo.itemData(i) == role)


def _title(traces: Sequence[Trace]) -> str:
    if not traces:
        return "No lane selected"
    return traces[0].label if len(traces) == 1 else f"{len(traces)} lanes selected"


def _combo(parent: QWidget, name: str, tip: str) -> QComboBox:
    combo = QComboBox(parent)
    combo.setAccessibleName(name)
    combo.setToolTip(tip)
    combo.setPlaceholderText(_SEVERAL)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    return combo


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for widget in widgets:
        row.addWidget(widget, 0 if isinstance(widget, QLabel) else 1)
    return row


def _through(corners: Sequence[float]) -> Callable[[float, int], float]:
    """Steps through usual corners, from whatever there is; off below the lowest."""

    def next_of(value: float, direction: int) -> float:
        if direction > 0:
            return next((c for c in corners if c > value * 1.001), value)
        return next((c for c in reversed(corners) if c < value * 0.999), 0.0)

    return next_of


def _next_scale(half_height: float, direction: int) -> float:
    """The next half height; from the automatic one on, a usual one for EEG."""
    return step(half_height, direction) if half_height > 0 else _FROM_AUTOMATIC


class _Spin(QDoubleSpinBox):
    """A number that may be off, or be several; its arrows go through steps of their own."""

    picked = Signal(object)
    """The value, or None where it was set to 0."""

    _DIFFERENT: Final = -1.0

    def __init__(
        self,
        parent: QWidget,
        name: str,
        off: str,
        unit: str,
        next_of: Callable[[float, int], float],
        limits: tuple[float, float],
        prefix: str = "",
    ) -> None:
        super().__init__(parent)
        self._off, self._next, self._limits = off, next_of, limits
        self.setLocale(QLocale.c())  # a point in every country, as on the page
        self.setFont(tabular(self.font()))
        self.setAccessibleName(name)
        self.setDecimals(4)
        self.setSuffix(unit)
        self.setPrefix(prefix)
        self.setKeyboardTracking(False)
        self.setMinimumWidth(70)
        self._range()
        self.valueChanged.connect(self._pick)

    def _range(self, *, different: bool = False) -> None:
        least = self._DIFFERENT if different else 0.0 if self._off else self._limits[0]
        self.setRange(least, self._limits[1])

    def show_values(self, values: Sequence[float | None]) -> None:
        """Show a value that all have, or that they differ, or that there is none."""
        one = len(set(values)) == 1
        self.blockSignals(True)
        self._range(different=not one)
        self.setSpecialValueText(self._off if one else _SEVERAL if values else _NOTHING)
        self.setValue((values[0] or 0.0) if one else self._DIFFERENT)
        self.blockSignals(False)

    def _pick(self, value: float) -> None:
        if value > self._DIFFERENT:
            self.picked.emit(None if value <= 0 and self._off else max(value, self._limits[0]))

    def textFromValue(self, value: float) -> str:
        return f"{value:.4f}".rstrip("0").rstrip(".")

    def stepBy(self, steps: int) -> None:
        value = self.value()
        for _ in range(abs(steps)):
            value = self._next(max(value, 0.0), 1 if steps > 0 else -1)
        self.setValue(value)
        self.selectAll()

    def event(self, event: QEvent) -> bool:
        # What a field does with these keys comes before the window's shortcuts: Enter would accept a stage.
        own = (
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_PageUp,
            Qt.Key.Key_PageDown,
            Qt.Key.Key_Home,
            Qt.Key.Key_End,
        )
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride and Qt.Key(event.key()) in own:
            event.accept()
            return True
        return super().event(event)
