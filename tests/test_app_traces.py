"""The traces on the screen: every wave at its second, the right way up, at the size that its lane names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from edf_files import START, Signal, write_edf_plus_d
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from sleepviewer.app.theme import LIGHT
from sleepviewer.app.traces.view import TraceView
from sleepviewer.recording import open_recording

RATES = (25.0, 100.0, 128.0, 256.0, 512.0)
PULSE_S = (67.0, 67.4)
"""When the pulse is, in seconds from the start: seven seconds into the third epoch."""
PULSE_UV = 60.0
GAP_S = (75.0, 79.0)
N_RECORDS = 150
DURATION_S = N_RECORDS + GAP_S[1] - GAP_S[0]
EPOCH = 2
HALF_HEIGHT = 100.0
HALF_LANE = 0.45
"""Share of a lane's height that the named half height takes."""


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An EEG at each of several rates, flat but for one pulse upward, with one gap of four seconds after it."""
    channels = []
    for rate in RATES:
        samples = np.zeros(round(N_RECORDS * rate))
        samples[round(PULSE_S[0] * rate) : round(PULSE_S[1] * rate)] = PULSE_UV
        channels.append(Signal(f"EEG {rate:g}", rate, "uV", samples))
    onsets = [*range(75), *range(79, N_RECORDS + 4)]
    return write_edf_plus_d(tmp_path_factory.mktemp("traces") / "night.edf", onsets, channels)


@pytest.fixture
def show(qtbot: QtBot, night: Path) -> Callable[[int], TraceView]:
    """Shows an epoch of the night in a view of its own, without filters."""

    def shown(epoch: int) -> TraceView:
        view = TraceView(LIGHT)
        qtbot.addWidget(view)
        view.resize(1100, 700)
        view.show()
        view.set_recording(open_recording(night))
        view.set_filters_on(False)
        view.show_epoch(epoch)
        return view

    return shown


def points(view: TraceView, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of a lane's curve: seconds from the epoch's start, and height over the lane's centre in lanes."""
    x, y = view._lanes[row].curve.getData()
    return x, y + (row + 0.5)


def ground(view: TraceView, image: QImage, second: float) -> QColor:
    """The colour behind the traces at a second of the epoch, near the upper border, away from every line."""
    plot, ratio = view._plot, image.devicePixelRatio()
    x = plot.x() + (second + 15) / 60 * plot.width()
    return image.pixelColor(round(x * ratio), round((plot.y() + 6) * ratio))


@pytest.mark.parametrize(("row", "rate"), list(enumerate(RATES)))
def test_a_pulse_is_drawn_upward_at_its_second_and_size(
    show: Callable[[int], TraceView], row: int, rate: float
) -> None:
    x, height = points(show(EPOCH), row)
    assert np.nanmax(height) == pytest.approx(HALF_LANE * PULSE_UV / HALF_HEIGHT, abs=2e-3)
    assert np.nanmin(height) == pytest.approx(0, abs=2e-3)
    high = x[height > 0.15]
    column_s = 60 / 900
    assert high.min() == pytest.approx(PULSE_S[0] - 60, abs=1 / rate + 1e-3 if rate < 60 else column_s)
    assert high.max() == pytest.approx(PULSE_S[1] - 60 - 1 / rate, abs=1 / rate + 1e-3 if rate < 60 else column_s)
    assert high.min() >= PULSE_S[0] - 60 - 1e-3
    assert high.max() < PULSE_S[1] - 60
    assert (np.diff(x) >= 0).all()


@pytest.mark.parametrize(("row", "rate"), list(enumerate(RATES)))
def test_a_filter_moves_nothing_and_turns_nothing_over(show: Callable[[int], TraceView], row: int, rate: float) -> None:
    view = show(EPOCH)
    view.set_filters_on(True)
    x, height = points(view, row)
    centre = sum(PULSE_S) / 2 - 60 - 0.5 / rate
    inside = (x >= PULSE_S[0] - 60) & (x < PULSE_S[1] - 60)
    assert x[np.nanargmax(height)] == pytest.approx(centre, abs=0.25)
    assert np.median(height[inside]) > 0.15
    weights = np.where((np.abs(x - centre) < 1) & (height > 0.1), height, 0)
    assert np.nansum(weights * x) / np.nansum(weights) == pytest.approx(centre, abs=0.03)


def is_trace(image: QImage, x: float, y: float) -> bool:
    """Whether the trace's colour is on a pixel or one of its neighbours."""
    ink = QColor(LIGHT.trace)
    near = [image.pixelColor(round(x) + dx, round(y) + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    return any(abs(c.red() - ink.red()) + abs(c.green() - ink.green()) + abs(c.blue() - ink.blue()) < 40 for c in near)


def test_the_pulse_is_seen_above_the_middle_of_its_lane_on_the_screen(show: Callable[[int], TraceView]) -> None:
    view = show(EPOCH)
    image = view.grab().toImage()
    plot = view._plot
    ratio = image.devicePixelRatio()
    lane_height = plot.height() / len(RATES)
    left = plot.x() + (sum(PULSE_S) / 2 - 60 + 15) / 60 * plot.width()
    beside = plot.x() + (PULSE_S[0] - 60 - 1.5 + 15) / 60 * plot.width()
    for row in range(len(RATES)):
        middle = plot.y() + (row + 0.5) * lane_height
        reach = HALF_LANE * PULSE_UV / HALF_HEIGHT * lane_height
        up, down = middle - reach, middle + reach
        assert is_trace(image, left * ratio, up * ratio)
        assert not is_trace(image, left * ratio, down * ratio)
        assert is_trace(image, beside * ratio, middle * ratio)
        assert not is_trace(image, beside * ratio, up * ratio)


def test_the_labels_name_the_half_height_and_its_unit(show: Callable[[int], TraceView]) -> None:
    view = show(EPOCH)
    assert view._labels._texts[0] == ("EEG 25", "±100 µV · unfiltered")
    view.set_filters_on(True)
    assert view._labels._texts[3] == ("EEG 256", "±100 µV · 0.3–35 Hz")
    assert "EEG 512 ±100 µV" in view._labels.accessibleDescription()


def test_the_scale_bar_is_as_high_as_the_half_height_that_it_names(show: Callable[[int], TraceView]) -> None:
    view = show(EPOCH)
    labels = view._labels
    image = labels.grab().toImage()
    ratio = image.devicePixelRatio()
    column = [image.pixelColor(round((labels.width() - 6) * ratio), y) for y in range(image.height())]
    inked = np.flatnonzero([colour != image.pixelColor(0, 0) for colour in column])
    bars = np.split(inked, np.flatnonzero(np.diff(inked) > 1) + 1)
    lane_height = image.height() / len(RATES)
    assert len(bars) == len(RATES)
    for row, bar in enumerate(bars):
        assert bar[0] == pytest.approx((row + 0.5 - HALF_LANE) * lane_height, abs=1.5)
        assert bar[-1] == pytest.approx((row + 0.5 + HALF_LANE) * lane_height, abs=1.5)


def test_a_gain_step_scales_the_trace_by_what_the_label_says(show: Callable[[int], TraceView]) -> None:
    view = show(EPOCH)
    for direction, half_height in ((1, 50), (1, 20), (-1, 50), (-1, 100), (-1, 200)):
        view.change_gain(direction)
        for row in range(len(RATES)):
            assert view._labels._texts[row][1] == f"±{half_height} µV · unfiltered"
            _, height = points(view, row)
            assert np.nanmax(height) == pytest.approx(HALF_LANE * PULSE_UV / half_height, rel=1e-2)


@pytest.mark.parametrize("epoch", [0, EPOCH, 4])
def test_the_axis_tells_the_clock_of_what_is_above_it(show: Callable[[int], TraceView], epoch: int) -> None:
    view = show(epoch)
    ticks = dict(view._axis._ticks)
    assert sorted(ticks) == [5.0 * i - 15 for i in range(13)]
    for second, text in ticks.items():
        assert text == f"{START + timedelta(seconds=30 * epoch + second):%H:%M:%S}"
    assert view._axis._span == (-15.0, 45.0)
    # The axis and the plot stand over each other and show the same minute.
    assert (view._axis.x(), view._axis.width()) == (view._plot.x(), view._plot.width())
    box = view._plot.getPlotItem().getViewBox()
    for second in (-15.0, 0.0, 30.0, 45.0):
        place = view._plot.mapFromScene(box.mapViewToScene(QPointF(second, -0.5))).x()
        assert place == pytest.approx((second + 15) / 60 * view._axis.width(), abs=2)


@pytest.mark.parametrize(
    ("epoch", "missing"),
    [
        (0, [(-15.0, 0.0, "before the recording")]),
        (EPOCH, [(GAP_S[0] - 60, GAP_S[1] - 60, "gap of 4 s: nothing recorded")]),
        (4, [(DURATION_S - 120, 45.0, "after the recording")]),
    ],
)
def test_what_was_not_recorded_is_marked_where_it_is_missing(
    show: Callable[[int], TraceView], epoch: int, missing: list[tuple[float, float, str]]
) -> None:
    view = show(epoch)
    assert view._backdrop._missing == missing
    assert view._veil._missing == missing
    first, last, _ = missing[0]
    for row in range(len(RATES)):
        x, height = points(view, row)
        drawn = x[np.isfinite(height)]
        assert not ((drawn > first + 1e-3) & (drawn < last - 1e-3)).any()
        column_s = max(60 / 900, 1 / RATES[row])
        for edge, side in ((first, drawn[drawn < first]), (last, drawn[drawn >= last - 1e-3])):
            if -15 < edge < 45:
                assert np.abs(side - edge).min() <= column_s + 1e-3
    image = view.grab().toImage()
    assert ground(view, image, (first + last) / 2 + 0.2) not in (QColor(LIGHT.epoch), QColor(LIGHT.panel))
    assert ground(view, image, 10.2) == QColor(LIGHT.epoch)
