"""Hands on the page of traces: timebase, gains, lanes, marks, drawing, the ruler, pictures of the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf, write_edf_plus_d
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.traces.layout import PageLayout
from sleepviewer.app.traces.marks import Grip, Marks
from sleepviewer.app.traces.page import Page
from sleepviewer.app.traces.view import TraceView
from sleepviewer.display.filters import RAW, Band
from sleepviewer.display.marks import Mark
from sleepviewer.display.montage import Derivation, Montage, Trace
from sleepviewer.display.timebase import TIMEBASES
from sleepviewer.recording import open_recording

RATE = 64.0
HOURS = 1.0
EPOCH = 40
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour: an EEG of 100-µV waves at 1 Hz, an EOG, an EMG, a saturation."""
    n = round(HOURS * 3600 * RATE)
    times = np.arange(n) / RATE
    rng = np.random.default_rng(0)
    return write_edf(
        tmp_path_factory.mktemp("hands") / "night.edf",
        [
            Signal("EEG C4", RATE, "uV", np.round(50 * np.sin(2 * np.pi * times), 1)),
            Signal("EOG left", RATE, "uV", np.round(rng.standard_normal(n) * 40, 1)),
            Signal("EMG chin", RATE, "uV", np.round(rng.standard_normal(n) * 10, 1)),
            Signal("SpO2", 1, "%", np.full(round(HOURS * 3600), 97.0)),
        ],
        record_s=30,
    )


@pytest.fixture
def view(qtbot: QtBot, night: Path) -> TraceView:
    shown = TraceView(LIGHT)
    qtbot.addWidget(shown)
    shown.resize(1200, 600)
    shown.show()
    shown.set_recording(open_recording(night))
    shown.show_epoch(EPOCH)
    return shown


def page_of(view: TraceView) -> tuple[Page, PageLayout]:
    assert view._page is not None
    assert view._layout is not None
    return view._page, view._layout


def at(view: TraceView, time_s: float, lane: int, value: float = 0.0) -> QPoint:
    """Where a time and an amplitude are in the window."""
    page, layout = page_of(view)
    y = layout.middle(lane) - value / page.lanes[lane].half_height * layout.half(lane)
    return QPointF(layout.x_of(time_s), y).toPoint()


def drag(qtbot: QtBot, view: TraceView, start: QPoint, stop: QPoint) -> None:
    qtbot.mousePress(view, LEFT, pos=start)
    qtbot.mouseMove(view, (start + stop) / 2)
    view.mouseMoveEvent(moved(view, (start + stop) / 2))
    view.mouseMoveEvent(moved(view, stop))
    qtbot.mouseRelease(view, LEFT, pos=stop)


def moved(view: TraceView, position: QPoint):  # type: ignore[no-untyped-def]
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    place = QPointF(position)
    return QMouseEvent(QEvent.Type.MouseMove, place, view.mapToGlobal(place), LEFT, LEFT, NONE)


def turn_wheel(view: TraceView, position: QPoint, steps: float, keys: Qt.KeyboardModifier = NONE) -> None:
    place = QPointF(position)
    turned = QPoint(0, round(120 * steps))
    phase = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(place, view.mapToGlobal(place), QPoint(), turned, Qt.MouseButton.NoButton, keys, phase, False)
    QApplication.sendEvent(view, event)


def half_heights(view: TraceView) -> list[float]:
    return [look.half_height for look in page_of(view)[0].lanes]


# -- timebase


@pytest.mark.parametrize("timebase", TIMEBASES)
def test_every_length_is_painted_with_the_epoch_in_its_middle(
    qtbot: QtBot, view: TraceView, timebase: float | None
) -> None:
    view.set_timebase(timebase)
    qtbot.waitUntil(lambda: view._overview is not None and not view._overview.building)
    view.grab()
    page, layout = page_of(view)
    assert page.epoch_s == EPOCH * 30
    if timebase is None:
        assert (layout.start_s, layout.stop_s) == (0, 3600)
    else:
        assert layout.stop_s - layout.start_s == timebase
        assert (layout.start_s + layout.stop_s) / 2 == EPOCH * 30 + 15
    for trace in page.traces:
        assert np.isfinite(trace.y).any()
        seen = trace.x[np.isfinite(trace.y)]
        beginning, end = max(0.0, -layout.start_s), min(layout.stop_s, 3600) - layout.start_s
        assert seen.min() <= beginning + 4
        assert seen.max() >= end - 4
    (extreme,) = {round(float(np.nanmax(page.traces[0].y)))}
    assert extreme == pytest.approx(50, abs=2)


def test_keys_go_on_by_epochs_whatever_the_length(view: TraceView) -> None:
    for timebase in (5.0, 600.0):
        view.set_timebase(timebase)
        view.show_epoch(EPOCH + 1)
        assert page_of(view)[1].start_s == (EPOCH + 1.5) * 30 - timebase / 2


def test_zooming_goes_through_the_lengths_and_tells(view: TraceView) -> None:
    told: list[float | None] = []
    view.timebase_changed.connect(told.append)
    for _ in range(8):
        view.zoom(1)
    for _ in range(13):
        view.zoom(-1)
    assert told == [*TIMEBASES[6:], *reversed(TIMEBASES[:-1])]


def test_an_odd_length_is_refused(view: TraceView) -> None:
    with pytest.raises(ValueError, match="17"):
        view.set_timebase(17.0)


def test_a_short_page_scrolls_within_the_epoch_and_no_further(view: TraceView) -> None:
    view.set_timebase(10.0)
    for _ in range(20):
        view.scroll_page(1)
    assert page_of(view)[1].stop_s == EPOCH * 30 + 35
    for _ in range(40):
        view.scroll_page(-1)
    assert page_of(view)[1].start_s == EPOCH * 30 - 5
    view.show_epoch(EPOCH + 1)
    assert page_of(view)[1].start_s == (EPOCH + 1) * 30 + 10


def test_the_wheel_with_control_changes_the_length(view: TraceView) -> None:
    turn_wheel(view, at(view, EPOCH * 30, 0), -1, CONTROL)
    assert view.timebase == 120
    turn_wheel(view, at(view, EPOCH * 30, 0), 2, CONTROL)
    assert view.timebase == 30


def test_the_wheel_with_shift_scrolls(view: TraceView) -> None:
    before = page_of(view)[1].start_s
    turn_wheel(view, at(view, EPOCH * 30, 0), -1, SHIFT)
    assert page_of(view)[1].start_s > before


# -- long pages


def test_a_long_page_says_that_it_is_a_preview_until_it_is_read(qtbot: QtBot, view: TraceView) -> None:
    view.resize(500, 600)
    view.set_timebase(None)
    assert page_of(view)[0].grows
    said = [look.filtered for look in page_of(view)[0].lanes]
    assert said[0] in ("preview, unfiltered", "0.3–∞ Hz")
    assert said[3] == "unfiltered"
    qtbot.waitUntil(lambda: not page_of(view)[0].grows)
    assert [look.filtered for look in page_of(view)[0].lanes][:2] == ["0.3–∞ Hz", "0.3–∞ Hz"]


def test_turning_to_another_night_while_a_long_page_is_read_does_no_harm(
    qtbot: QtBot, view: TraceView, night: Path
) -> None:
    for _ in range(3):
        view.set_timebase(None)
        view.set_recording(open_recording(night))
        view.set_timebase(3600.0)
        view.show_epoch(7)
    view.close_recording()
    view.grab()
    assert view._page is None


def test_a_gap_is_a_gap_on_a_long_page_too(qtbot: QtBot, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples = np.round(rng.standard_normal(3000 * 64) * 30, 1)
    onsets = [*range(1200), *range(1800, 3600)]
    path = write_edf_plus_d(tmp_path / "gap.edf", onsets, [Signal("EEG C4", RATE, "uV", samples)])
    view = TraceView(LIGHT)
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()
    view.set_recording(open_recording(path))
    view.set_timebase(None)
    qtbot.waitUntil(lambda: not page_of(view)[0].grows)
    page, layout = page_of(view)
    (missing,) = page.missing
    assert (missing.start_s, missing.stop_s) == (1200, 1800)
    trace = page.traces[0]
    assert np.isnan(trace.y[(trace.x > 1205) & (trace.x < 1795)]).all()
    assert np.isfinite(trace.y[(trace.x < 1195) | (trace.x > 1805)]).all()
    image = view.grab().toImage()
    column = [image.pixelColor(round(layout.x_of(1320)), y).name() for y in range(5, 250)]
    assert column.count(LIGHT.grid_strong) > 200
    view.close_recording()


# -- gains


def test_a_gain_of_all_and_of_one_lane(view: TraceView) -> None:
    told: list[Montage] = []
    view.montage_changed.connect(told.append)
    start = half_heights(view)
    assert start[:3] == [100, 200, 50]
    view.change_gain(1)
    assert half_heights(view)[:3] == [50, 100, 20]
    view.change_gain(-1, 2)
    assert half_heights(view)[:3] == [50, 100, 50]
    assert [trace.half_height for trace in told[-1].traces][:3] == [50, 100, 50]
    assert view.montage is told[-1]
    view.reset_gains()
    assert half_heights(view) == start
    assert {trace.half_height for trace in view.montage.traces} == {None}


def test_the_wheel_changes_the_gain_of_the_lane_under_it(view: TraceView) -> None:
    turn_wheel(view, at(view, EPOCH * 30, 1), 1)
    assert half_heights(view)[:3] == [100, 100, 50]
    for _ in range(4):  # a fine wheel
        turn_wheel(view, at(view, EPOCH * 30, 2), -0.25)
    assert half_heights(view)[:3] == [100, 100, 100]


def test_a_gain_changes_no_other_property_of_a_hidden_lane(view: TraceView) -> None:
    traces = view.montage.traces
    hidden = replace(view.montage, traces=(traces[0], replace(traces[1], visible=False), *traces[2:]))
    view.set_montage(hidden)
    view.change_gain(1, 1)
    assert view.montage.traces[1] == hidden.traces[1]
    assert view.montage.traces[2].half_height == 20


# -- montage


def test_a_montage_decides_on_order_heights_colours_and_derivations(view: TraceView) -> None:
    view.set_montage(
        Montage(
            "two",
            (
                Trace(Derivation("EMG chin"), RAW, 20.0, color="#ff0000", height=1.0),
                Trace(Derivation("SpO2"), RAW, visible=False),
                Trace(Derivation("EEG C4", ("EOG left",)), Band(0.3, 20.0), 100.0, height=3.0),
            ),
        )
    )
    page, layout = page_of(view)
    assert page.labels == ["EMG chin", "EEG C4 − EOG left"]
    assert layout.edges[1] - layout.edges[0] == pytest.approx(layout.plot.height() / 4)
    assert page.lanes[0].color == "#ff0000"
    assert page.lanes[1].filtered == "0.3–20 Hz"
    image = view.grab().toImage()
    reds = sum(
        image.pixelColor(round(layout.x_of(EPOCH * 30 + 10)), y).name() == "#ff0000"
        for y in range(round(layout.edges[1]))
    )
    assert reds > 0


def test_a_lane_that_the_recording_lacks_is_told_and_the_others_are_drawn(view: TraceView) -> None:
    told: list[str] = []
    view.trouble.connect(told.append)
    view.set_montage(Montage("odd", (Trace(Derivation("EEG F3"), RAW), Trace(Derivation("EEG C4"), RAW))))
    page, _ = page_of(view)
    assert len(told) == 1
    assert "EEG F3" in told[0]
    assert page.lanes[0].filtered == "not in this recording"
    assert np.isfinite(page.traces[1].y).any()
    view.show_epoch(EPOCH + 1)
    view.change_gain(1)
    assert len(told) == 1
    view.grab()


def test_a_page_without_a_lane_is_painted(view: TraceView) -> None:
    view.set_montage(Montage("none", ()))
    view.grab()
    view.change_gain(1)
    view.step_lane(1)
    assert view.selected_lane is None


# -- lanes


def test_lanes_are_selected_by_name_and_by_step(qtbot: QtBot, view: TraceView) -> None:
    told: list[int | None] = []
    view.lane_selected.connect(told.append)
    _, layout = page_of(view)
    before = view.grab().toImage()
    qtbot.mouseClick(view, LEFT, pos=QPoint(60, round(layout.middle(2))))
    assert view.selected_lane == 2
    assert view.grab().toImage() != before
    view.step_lane(1)
    view.step_lane(1)
    assert view.selected_lane == 3
    view.step_lane(-1)
    view.select_lane(None)
    view.step_lane(-1)
    assert told == [2, 3, 2, None, 3]


def test_a_selected_lane_that_goes_is_no_longer_selected(view: TraceView) -> None:
    view.select_lane(3)
    view.set_montage(replace(view.montage, traces=view.montage.traces[:2]))
    assert view.selected_lane is None


def test_a_lane_tells_its_scale_in_every_way(view: TraceView, monkeypatch: pytest.MonkeyPatch) -> None:
    _, layout = page_of(view)
    place = QPoint(40, round(layout.middle(0)))
    monkeypatch.setattr(type(view.screen()), "physicalSize", lambda _: QSizeF(300, 200))
    monkeypatch.setattr(type(view.screen()), "size", lambda _: (QPoint(0, 0) and None) or _size(1500, 1000))
    text = view.tooltip_at(place)
    assert "200 µV high" in text
    # 1000 pixels are 200 mm: 50 a centimetre.
    assert f"{100 / layout.half(0) * 50:.3g} µV/cm" in text
    assert "0.3–∞ Hz" in text
    monkeypatch.setattr(type(view.screen()), "physicalSize", lambda _: QSizeF(0, 0))
    assert "/cm" not in view.tooltip_at(place)
    assert view.tooltip_at(at(view, EPOCH * 30, 0)) == ""


def _size(width: int, height: int):  # type: ignore[no-untyped-def]
    from PySide6.QtCore import QSize

    return QSize(width, height)


# -- polarity and guide lines


def test_negative_up_turns_eeg_and_eog_alone_and_says_so(view: TraceView) -> None:
    view.set_negative_up(True)
    page, _ = page_of(view)
    assert [look.negative_up for look in page.lanes] == [True, True, False, False]
    assert page.lanes[0].detail == "−↑ ±100 µV · 0.3–∞ Hz"
    assert "−↑" in view.accessibleDescription()


def test_guide_lines_stand_at_their_amplitude_on_eeg_lanes(view: TraceView) -> None:
    view.set_guides(True)
    page, layout = page_of(view)
    assert [look.guide for look in page.lanes] == [37.5, None, None, None]
    image = view.grab().toImage()
    for sign in (1, -1):
        y = at(view, EPOCH * 30, 0, 37.5 * sign).y()
        row = [image.pixelColor(x, y + d).name() for x in range(round(layout.plot.left()), 1180) for d in (-1, 0, 1)]
        assert row.count(LIGHT.accent) > 300


# -- marks


def mark(key: str, start: float, stop: float, **more: object) -> Mark:
    return Mark(key, EPOCH * 30 + start, EPOCH * 30 + stop, key, "#d1495b", **more)  # type: ignore[arg-type]


def test_marks_are_painted_on_their_lane_or_on_all(view: TraceView) -> None:
    before = view.grab().toImage()
    view.set_marks([mark("one", 5, 8, lane="EOG left"), mark("all", 20, 22)])
    after = view.grab().toImage()
    _, layout = page_of(view)

    def changed(second: float, lane: int) -> bool:
        x = round(layout.x_of(EPOCH * 30 + second))
        rows = range(round(layout.edges[lane]) + 2, round(layout.edges[lane + 1]) - 2)
        return sum(before.pixelColor(x, y) != after.pixelColor(x, y) for y in rows) > len(rows) / 2

    assert [changed(6.5, lane) for lane in range(4)] == [False, True, False, False]
    assert [changed(21, lane) for lane in range(4)] == [True] * 4
    assert not any(changed(12, lane) for lane in range(4))


def test_a_suggestion_and_a_selected_mark_look_different(view: TraceView) -> None:
    pictures = []
    for more in ({}, {"suggested": True}, {"selected": True}):
        view.set_marks([mark("a", 5, 12, **more)])
        pictures.append(view.grab().toImage())
    assert all(pictures[i] != pictures[j] for i, j in ((0, 1), (0, 2), (1, 2)))


def test_a_mark_on_a_lane_that_is_not_shown_is_not_there(qtbot: QtBot, view: TraceView) -> None:
    before = view.grab().toImage()
    view.set_marks([mark("gone", 5, 8, lane="EEG F3")])
    assert view.grab().toImage() == before
    with qtbot.assertNotEmitted(view.mark_picked):
        qtbot.mouseClick(view, LEFT, pos=at(view, EPOCH * 30 + 6, 0))


def test_a_click_picks_the_shortest_mark_there(qtbot: QtBot, view: TraceView) -> None:
    view.set_marks([mark("long", 0, 20), mark("short", 5, 8, lane="EOG left")])
    with qtbot.waitSignal(view.mark_picked) as picked:
        qtbot.mouseClick(view, LEFT, pos=at(view, EPOCH * 30 + 6, 1))
    assert picked.args == ["short"]
    with qtbot.waitSignal(view.mark_picked) as picked:
        qtbot.mouseClick(view, LEFT, pos=at(view, EPOCH * 30 + 6, 0))
    assert picked.args == ["long"]
    with qtbot.assertNotEmitted(view.mark_picked):
        qtbot.mouseClick(view, LEFT, pos=at(view, EPOCH * 30 + 25, 0))


@pytest.mark.parametrize(
    ("hold", "let_go", "expected"),
    [(10.0, 14.0, (12.0, 16.0)), (8.0, 6.0, (6.0, 12.0)), (12.0, 15.0, (8.0, 15.0)), (8.0, 20.0, (11.95, 12.0))],
)
def test_a_movable_mark_is_moved_and_its_ends_dragged(
    qtbot: QtBot, view: TraceView, hold: float, let_go: float, expected: tuple[float, float]
) -> None:
    view.set_marks([mark("a", 8, 12, movable=True, selected=True)])
    with qtbot.waitSignal(view.mark_moved) as told:
        drag(qtbot, view, at(view, EPOCH * 30 + hold, 1), at(view, EPOCH * 30 + let_go, 1))
    key, start, stop = told.args
    assert key == "a"
    assert (start - EPOCH * 30, stop - EPOCH * 30) == pytest.approx(expected, abs=0.12)


def test_a_mark_that_is_not_movable_stays(qtbot: QtBot, view: TraceView) -> None:
    view.set_marks([mark("a", 8, 12)])
    with qtbot.assertNotEmitted(view.mark_moved):
        drag(qtbot, view, at(view, EPOCH * 30 + 10, 1), at(view, EPOCH * 30 + 20, 1))


def test_ten_thousand_marks_are_found_quickly_and_rightly(view: TraceView) -> None:
    many = Marks([Mark(str(i), i * 0.36, i * 0.36 + 0.2, "", "#000000") for i in range(10_000)])
    assert {m.key for m in many.within(100.0, 101.0)} == {
        str(i) for i in range(10_000) if i * 0.36 + 0.2 >= 100 and i * 0.36 <= 101
    }
    page, layout = page_of(view)
    held = many.at(QPointF(at(view, 1200.1, 0)), layout, page.labels)
    assert held is not None
    assert held[1] is Grip.BODY
    view.set_marks(many.all)
    view.set_timebase(None)
    view.grab()


# -- drawing


def test_a_drag_draws_an_interval_on_its_lane(qtbot: QtBot, view: TraceView) -> None:
    view.set_drawing(True)
    for first, last in ((3.0, 9.5), (9.5, 3.0)):
        with qtbot.waitSignal(view.interval_drawn) as told:
            drag(qtbot, view, at(view, EPOCH * 30 + first, 1), at(view, EPOCH * 30 + last, 2))
        start, stop, lane = told.args
        assert lane == "EOG left"
        assert (start - EPOCH * 30, stop - EPOCH * 30) == pytest.approx((3.0, 9.5), abs=0.06)


def test_nothing_is_drawn_by_a_click_or_while_drawing_is_off(qtbot: QtBot, view: TraceView) -> None:
    with qtbot.assertNotEmitted(view.interval_drawn):
        drag(qtbot, view, at(view, EPOCH * 30 + 3, 1), at(view, EPOCH * 30 + 9, 1))
        view.set_drawing(True)
        qtbot.mouseClick(view, LEFT, pos=at(view, EPOCH * 30 + 6, 1))


def test_while_drawing_a_click_picks_a_mark_and_a_drag_over_it_draws(qtbot: QtBot, view: TraceView) -> None:
    view.set_drawing(True)
    view.set_marks([mark("a", 5, 10, movable=True)])
    with qtbot.waitSignal(view.mark_picked) as picked:
        qtbot.mouseClick(view, LEFT, pos=at(view, EPOCH * 30 + 7, 1))
    assert picked.args == ["a"]
    with qtbot.waitSignal(view.interval_drawn), qtbot.assertNotEmitted(view.mark_moved):
        drag(qtbot, view, at(view, EPOCH * 30 + 7, 1), at(view, EPOCH * 30 + 9, 1))


def test_an_interval_ends_at_the_page(qtbot: QtBot, view: TraceView) -> None:
    view.set_drawing(True)
    start = at(view, EPOCH * 30 + 40, 1)
    with qtbot.waitSignal(view.interval_drawn) as told:
        drag(qtbot, view, start, start + QPoint(900, 0))
    assert told.args[1] == EPOCH * 30 + 45


# -- the ruler


def test_the_ruler_measures_between_two_points(qtbot: QtBot, view: TraceView) -> None:
    view.set_filters_on(False)
    view.set_ruler(True)
    with qtbot.waitSignal(view.measured) as told:
        drag(qtbot, view, at(view, EPOCH * 30 + 5.25, 0, 50), at(view, EPOCH * 30 + 5.75, 0, -50))
    (text,) = told.args
    seconds = float(text.removeprefix("EEG C4: ").split(" s")[0])
    assert seconds == pytest.approx(0.5, abs=0.07)
    assert f"{1 / seconds:.2g}"[:2] in text
    assert "Δ −" in text
    difference = float(text.split("Δ −")[1].split(" µV")[0])
    assert difference == pytest.approx(100, abs=3)
    assert float(text.split("peak to peak ")[1].split(" µV")[0]) == pytest.approx(100, abs=3)
    assert "Slow waves over 75 µV: 30.0 s of this epoch, 100 % (N3 from 20 %)" in text


def test_the_ruler_follows_negative_up(qtbot: QtBot, view: TraceView) -> None:
    view.set_negative_up(True)
    view.set_ruler(True)
    with qtbot.waitSignal(view.measured) as told:
        drag(qtbot, view, at(view, EPOCH * 30 + 5, 0, 0), at(view, EPOCH * 30 + 6, 0, 40))
    assert "Δ −" in told.args[0]


def test_the_ruler_stays_until_the_page_turns_or_it_is_put_away(qtbot: QtBot, view: TraceView) -> None:
    view.set_ruler(True)
    before = view.grab().toImage()
    drag(qtbot, view, at(view, EPOCH * 30 + 5, 1), at(view, EPOCH * 30 + 9, 1))
    measured = view.grab().toImage()
    assert measured != before
    view.show_epoch(EPOCH + 1)
    view.show_epoch(EPOCH)
    assert view.grab().toImage() == before
    drag(qtbot, view, at(view, EPOCH * 30 + 5, 1), at(view, EPOCH * 30 + 9, 1))
    view.set_ruler(False)
    assert view.grab().toImage() == before


def test_the_ruler_on_what_is_no_voltage_says_nothing_of_slow_waves(qtbot: QtBot, view: TraceView) -> None:
    view.set_ruler(True)
    with qtbot.waitSignal(view.measured) as told:
        drag(qtbot, view, at(view, EPOCH * 30 + 5, 3), at(view, EPOCH * 30 + 9, 3))
    assert "Slow" not in told.args[0]
    assert "%" in told.args[0]


# -- going there, pictures


def test_a_double_click_asks_to_go_to_the_epoch(qtbot: QtBot, view: TraceView) -> None:
    view.set_timebase(None)
    with qtbot.waitSignal(view.go_to_requested) as told:
        qtbot.mouseDClick(view, LEFT, pos=at(view, 1815, 0))
    assert told.args == [60]


def test_a_page_is_painted_ahead_and_shown_the_same(qtbot: QtBot, view: TraceView) -> None:
    view.grab()
    qtbot.waitUntil(lambda: len(view._prepared) == 2)
    view.show_epoch(EPOCH + 1)
    ahead = view.grab().toImage()
    view._prepared.clear()
    assert view.grab().toImage() == ahead


def test_memory_for_painted_pages_is_bounded(qtbot: QtBot, view: TraceView) -> None:
    for epoch in range(EPOCH, EPOCH + 12):
        view.show_epoch(epoch)
        view.grab()
        QApplication.processEvents()
        assert len(view._prepared) <= 3


@pytest.mark.parametrize("scale", [1, 3])
def test_the_page_is_painted_into_an_image_of_any_density(view: TraceView, scale: int) -> None:
    image = QImage(800 * scale, 400 * scale, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.scale(scale, scale)
    view.paint_page(painter, QRectF(0, 0, 800, 400))
    painter.end()
    layout = view._lay_out(QRectF(0, 0, 800, 400), EPOCH)
    y = round(layout.middle(0) * scale)
    x = range(round(layout.plot.left() * scale), round(layout.plot.right() * scale))
    inked = sum(image.pixelColor(i, y).lightness() < 140 for i in x)
    assert inked > 50  # a wave of 1 Hz crosses its middle twice a second
    assert image.pixelColor(1, 1).name() == LIGHT.panel


def test_the_page_is_painted_as_vectors(view: TraceView, tmp_path: Path) -> None:
    from PySide6.QtGui import QPdfWriter

    path = tmp_path / "page.pdf"
    writer = QPdfWriter(str(path))
    writer.setResolution(96)
    painter = QPainter(writer)
    view.paint_page(painter, QRectF(0, 0, 700, 400))
    painter.end()
    assert path.read_bytes()[:4] == b"%PDF"
    assert path.stat().st_size > 10_000
