"""The traces on the screen: every wave at its second, the right way up, at the size that its lane names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from helpers.edf_files import START, Signal, write_edf_plus_d
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.traces.layout import HALF_LANE, PageLayout
from sleepviewer.app.traces.page import Missing, Page
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


def shown_page(view: TraceView) -> tuple[Page, PageLayout]:
    assert view._page is not None
    assert view._layout is not None
    return view._page, view._layout


def points(view: TraceView, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of a lane's curve: seconds from the epoch's start, and height over the lane's centre in lanes."""
    page, layout = shown_page(view)
    trace = page.traces[row]
    return trace.x + (layout.start_s - page.epoch_s), trace.y * HALF_LANE / page.lanes[row].half_height


def texts(view: TraceView) -> list[tuple[str, str]]:
    return [(look.label, look.detail) for look in shown_page(view)[0].lanes]


def ground(view: TraceView, image: QImage, second: float) -> QColor:
    """The colour behind the traces at a second of the epoch, near the upper border, away from every line."""
    page, layout = shown_page(view)
    ratio = image.devicePixelRatio()
    return image.pixelColor(round(layout.x_of(page.epoch_s + second) * ratio), round((layout.plot.y() + 6) * ratio))


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
    ratio = image.devicePixelRatio()
    _, layout = shown_page(view)
    left, beside = layout.x_of(sum(PULSE_S) / 2), layout.x_of(PULSE_S[0] - 1.5)
    for row in range(len(RATES)):
        middle = layout.middle(row)
        reach = PULSE_UV / HALF_HEIGHT * layout.half(row)
        up, down = middle - reach, middle + reach
        assert is_trace(image, left * ratio, up * ratio)
        assert not is_trace(image, left * ratio, down * ratio)
        assert is_trace(image, beside * ratio, middle * ratio)
        assert not is_trace(image, beside * ratio, up * ratio)


def test_the_labels_name_the_half_height_and_its_unit(show: Callable[[int], TraceView]) -> None:
    view = show(EPOCH)
    assert texts(view)[0] == ("EEG 25", "±100 µV · unfiltered")
    view.set_filters_on(True)
    assert texts(view)[3] == ("EEG 256", "±100 µV · 0.3–35 Hz")
    assert "EEG 512 ±100 µV" in view.accessibleDescription()


def test_the_scale_bar_is_as_high_as_the_half_height_that_it_names(show: Callable[[int], TraceView]) -> None:
    view = show(EPOCH)
    _, layout = shown_page(view)
    image = view.grab().toImage()
    ratio = image.devicePixelRatio()
    column = [
        image.pixelColor(round((layout.gutter.right() - 6) * ratio), y)
        for y in range(int(layout.plot.height() * ratio))
    ]
    inked = np.flatnonzero([colour != QColor(LIGHT.panel) for colour in column])
    bars = np.split(inked, np.flatnonzero(np.diff(inked) > 1) + 1)
    assert len(bars) == len(RATES)
    for row, bar in enumerate(bars):
        assert bar[0] == pytest.approx(ratio * (layout.middle(row) - layout.half(row)), abs=1.5)
        assert bar[-1] == pytest.approx(ratio * (layout.middle(row) + layout.half(row)), abs=1.5)


def test_a_gain_step_scales_the_trace_by_what_the_label_says(show: Callable[[int], TraceView]) -> None:
    view = show(EPOCH)
    for direction, half_height in ((1, 50), (1, 20), (-1, 50), (-1, 100), (-1, 200)):
        view.change_gain(direction)
        for row in range(len(RATES)):
            assert texts(view)[row][1] == f"±{half_height} µV · unfiltered"
            _, height = points(view, row)
            assert np.nanmax(height) == pytest.approx(HALF_LANE * PULSE_UV / half_height, rel=1e-2)


@pytest.mark.parametrize("epoch", [0, EPOCH, 4])
def test_the_axis_tells_the_clock_of_what_is_above_it(show: Callable[[int], TraceView], epoch: int) -> None:
    page, layout = shown_page(show(epoch))
    ticks = dict(page.times)
    assert sorted(ticks) == [5.0 * i - 15 + 30 * epoch for i in range(13)]
    for second, text in ticks.items():
        assert text == f"{START + timedelta(seconds=second):%H:%M:%S}"
    assert (layout.start_s, layout.stop_s) == (30 * epoch - 15, 30 * epoch + 45)
    # The axis and the plot stand over each other and show the same minute.
    assert (layout.axis.x(), layout.axis.width()) == (layout.plot.x(), layout.plot.width())


@pytest.mark.parametrize(
    ("epoch", "missing"),
    [
        (0, [Missing(-15.0, 0.0, "before the recording")]),
        (EPOCH, [Missing(*GAP_S, "gap of 4 s: nothing recorded")]),
        (4, [Missing(DURATION_S, 165.0, "after the recording")]),
    ],
)
def test_what_was_not_recorded_is_marked_where_it_is_missing(
    show: Callable[[int], TraceView], epoch: int, missing: list[Missing]
) -> None:
    view = show(epoch)
    assert shown_page(view)[0].missing == tuple(missing)
    first, last = missing[0].start_s - 30 * epoch, missing[0].stop_s - 30 * epoch
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
