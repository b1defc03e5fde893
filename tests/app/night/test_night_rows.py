"""The night's rows: zoom, range, lights, further scorers, spectrogram, and how the rows are arranged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.review_values import prediction_of
from sleepviewer.app.night.arrangement import USUAL_ORDER, Arrangement
from sleepviewer.app.night.feature import NightPart
from sleepviewer.app.night.row import NightRow
from sleepviewer.app.night.rows_dialog import RowsDialog
from sleepviewer.app.night.view import NightView
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.geometry import GUTTER_PX
from sleepviewer.app.shell.theme import DARK
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.background import Background
from sleepviewer.display.span import Span, around
from sleepviewer.hypnogram import Hypnogram, write_hypnogram
from sleepviewer.stages import Stage

N = 960  # eight hours
RATE = 100
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NO_MODIFIER = Qt.KeyboardModifier.NoModifier
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
MakeWindow = Callable[[], MainWindow]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(4)
    signals = [
        Signal("EEG C4", RATE, "uV", np.round(rng.standard_normal(N * 30 * RATE) * 20, 1)),
        Signal("EEG O2", RATE, "uV", np.round(rng.standard_normal(N * 30 * RATE) * 5, 1)),
    ]
    return write_edf(tmp_path_factory.mktemp("night") / "night.edf", signals, record_s=30)


@pytest.fixture
def opened(window: MainWindow, recording: Path) -> MainWindow:
    assert window.open_path(recording)
    window.resize(1366, 900)
    QApplication.processEvents()
    return window


def session_of(window: MainWindow) -> NightSession:
    assert window.session is not None
    return window.session


def part_of(window: MainWindow) -> NightPart:
    part = window.findChild(NightPart)
    assert part is not None
    return part


def x_of(view: NightView, epoch: float) -> int:
    return GUTTER_PX + round(view.span.x_of(epoch, view.clock.plot_width))


def mouse(
    row: QWidget,
    kind: QEvent.Type,
    at: QPoint,
    button: Qt.MouseButton = LEFT,
    keys: Qt.KeyboardModifier = NO_MODIFIER,
    held: Qt.MouseButton | None = None,
) -> None:
    """Send a mouse event to a row, as Qt does to the widget under the pointer."""
    buttons = button if held is None else held
    moved = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else button
    event = QMouseEvent(kind, QPointF(at), QPointF(row.mapToGlobal(at)), moved, buttons, keys)
    QApplication.sendEvent(row, event)


def drag(row: QWidget, points: list[QPoint], button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = NO_MODIFIER):
    mouse(row, QEvent.Type.MouseButtonPress, points[0], button, keys)
    for point in points[1:]:
        mouse(row, QEvent.Type.MouseMove, point, button, keys)
    mouse(row, QEvent.Type.MouseButtonRelease, points[-1], button, keys, Qt.MouseButton.NoButton)


def wheel(row: NightRow, x: int, turns: float, keys: Qt.KeyboardModifier = NO_MODIFIER, across: float = 0) -> None:
    at = QPointF(x, 5)
    angle = QPoint(round(across * 120), round(turns * 120))
    phase, no_button = Qt.ScrollPhase.NoScrollPhase, Qt.MouseButton.NoButton
    event = QWheelEvent(at, QPointF(row.mapToGlobal(at.toPoint())), QPoint(), angle, no_button, keys, phase, False)
    QApplication.sendEvent(row.parentWidget(), event)  # Qt hands on to the parent only what a real wheel sends


# -- spans


@settings(max_examples=200, deadline=None)
@given(
    n=st.integers(1, 3000),
    first=st.floats(0, 1),
    steps=st.lists(
        st.tuples(st.sampled_from(["zoom", "move", "go"]), st.floats(-5, 5), st.floats(0, 1)), min_size=1, max_size=20
    ),
)
def test_a_span_never_leaves_the_night(n: int, first: float, steps: list[tuple[str, float, float]]) -> None:
    span = Span(0, n)
    for what, amount, share in steps:
        if what == "zoom":
            span = span.zoomed(2.0**amount, span.first + share * span.length, n)
        elif what == "move":
            span = span.moved(amount * span.length, n)
        else:
            epoch = min(int(share * n), n - 1)
            span = span.containing(epoch, n)
            assert span.first - 1e-6 <= epoch <= span.last + 1e-6
        assert -1e-6 <= span.first < span.last <= n + 1e-6
        assert span.length >= min(20, n) - 1e-6


def test_an_hour_around_an_epoch() -> None:
    assert around(400, 120, N) == Span(340.5, 460.5)
    assert around(3, 120, N) == Span(0, 120)
    assert around(N - 1, 120, N) == Span(N - 120, N)
    assert around(3, 120, 50) == Span(0, 50)


# -- zoom, movement, range


def test_keys_zoom_to_hours_and_back(opened: MainWindow, qtbot: QtBot) -> None:
    view = opened.page.night
    session_of(opened).go_to(500)
    assert view.span == Span(0, N)
    qtbot.keyClick(opened, Qt.Key.Key_1, CONTROL)
    assert view.span == around(500, 120, N)
    qtbot.keyClick(opened, Qt.Key.Key_4, CONTROL)
    assert view.span == around(500, 480, N)
    before = view.span
    opened.run_command("night_later")
    assert view.span.first > before.first
    assert view.span.length == before.length
    opened.run_command("night_earlier")
    opened.run_command("night_earlier")
    assert view.span.first < before.first
    qtbot.keyClick(opened, Qt.Key.Key_0, CONTROL)
    assert view.span == Span(0, N)


def test_the_wheel_zooms_around_the_pointer_and_shift_moves(opened: MainWindow) -> None:
    view = opened.page.night
    x = x_of(view, 480)
    place = view.span.place_at(x - GUTTER_PX, view.clock.plot_width)
    for _ in range(8):
        wheel(view.expert, x, 1)
    assert view.span.length == pytest.approx(N * 0.8**8)
    assert view.span.place_at(x - GUTTER_PX, view.clock.plot_width) == pytest.approx(place)
    before = view.span
    wheel(view.density, x, -1, SHIFT)
    assert view.span.first == pytest.approx(before.first + 0.1 * before.length)
    wheel(view.density, x, 0, across=1)
    assert view.span.first == pytest.approx(before.first)
    for _ in range(40):
        wheel(view.expert, x, 1)
    assert view.span.length == 20
    for _ in range(80):
        wheel(view.expert, x, -1)
    assert view.span == Span(0, N)


def test_the_middle_button_pulls_the_night_along(opened: MainWindow) -> None:
    view = opened.page.night
    view.set_span(Span(300, 500))
    drag(view.model, [QPoint(600, 20), QPoint(500, 20)], MIDDLE)
    assert view.span.first == pytest.approx(300 + 100 / view.clock.plot_width * 200)
    assert session_of(opened).epoch == 0


def test_a_drag_goes_along_and_with_shift_selects_a_range(opened: MainWindow, qtbot: QtBot) -> None:
    view, session = opened.page.night, session_of(opened)
    xs = [x_of(view, epoch + 0.5) for epoch in (100, 200, 300)]
    drag(view.expert, [QPoint(x, 20) for x in xs])
    assert abs(session.epoch - 300) <= 1
    assert len(session.selected) == 1
    start = session.epoch
    drag(view.model, [QPoint(x_of(view, e + 0.5), 20) for e in (310, 330, 350)], keys=SHIFT)
    assert session.selected.start == start
    assert abs(session.selected.stop - 351) <= 1
    mouse(view.corrected, QEvent.Type.MouseButtonPress, QPoint(x_of(view, 250.5), 20), keys=SHIFT)
    assert abs(session.selected.start - 250) <= 1
    assert session.selected.stop == start + 1
    qtbot.keyClick(opened, Qt.Key.Key_2)
    assert session.document.corrected[session.selected.start : session.selected.stop].tolist() == [Stage.N2] * len(
        session.selected
    )
    assert len(session.document.edits) == 1


def test_dragging_over_the_edge_moves_a_zoomed_night(opened: MainWindow) -> None:
    view, session = opened.page.night, session_of(opened)
    view.set_span(Span(300, 420))
    edge = GUTTER_PX + round(view.clock.plot_width)
    drag(view.expert, [QPoint(edge - 20, 20), QPoint(edge + 30, 20), QPoint(edge + 31, 20)])
    assert view.span.first > 300
    assert view.span.length == pytest.approx(120)
    assert session.epoch >= 418


def test_moving_the_cursor_paints_no_row_anew(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    view = opened.page.night
    opened.grab()
    painted: list[str] = []
    original = NightRow._paint_content
    monkeypatch.setattr(NightRow, "_paint_content", lambda row: painted.append(row.key) or original(row))
    for epoch in range(100, 200, 5):
        session_of(opened).go_to(epoch)
        opened.page.night.grab()
    assert painted == []
    view.set_span(Span(0, 500))
    view.grab()
    assert set(painted) == {row.key for row in view.shown_rows}


def test_the_cursor_is_at_the_epoch_wherever_the_range_began(opened: MainWindow) -> None:
    view, session = opened.page.night, session_of(opened)
    for epoch, first, stop in ((300, 300, 400), (399, 300, 400)):
        view.show_selected(epoch, range(first, stop))
        image = view.clock.grab().toImage()
        color = QColor(opened.page.theme.cursor).rgb()
        x = GUTTER_PX + round(view.span.x_of(epoch, view.clock.plot_width))
        lines = [x for x in range(image.width()) if image.pixel(x, 2) == color]
        assert lines
        assert all(abs(line - x) <= 2 for line in lines)
    assert session.epoch == 0  # only the view was told


# -- lights


def test_l_marks_lights_off_and_again_takes_the_mark_away(opened: MainWindow, qtbot: QtBot) -> None:
    session = session_of(opened)
    session.go_to(40)
    qtbot.keyClick(opened, Qt.Key.Key_L)
    session.go_to(900)
    qtbot.keyClick(opened, Qt.Key.Key_L, SHIFT)
    assert (session.document.lights_off, session.document.lights_on) == (40, 900)
    assert "epoch 901" in opened.status_line.text
    assert all(row.lights == session.document.lights for row in opened.page.night.rows)
    qtbot.keyClick(opened, Qt.Key.Key_L)
    assert session.document.lights_off == 40
    assert "Lights off must be before lights on" in opened.status_line.text
    qtbot.keyClick(opened, Qt.Key.Key_L, SHIFT)
    assert session.document.lights_on is None
    opened.run_command("undo")
    assert session.document.lights_on == 900
    assert opened.isWindowModified()


def test_the_night_s_figures_are_those_between_the_lights(opened: MainWindow) -> None:
    session = session_of(opened)
    stages = np.zeros(N, np.int8)
    stages[100:800] = Stage.N2
    session.document.set_truth(Hypnogram(stages, None, "truth", "expert"))
    opened.page.panel.setCurrentWidget(opened.page.panel.night_tab)

    def figures() -> dict[str, str]:
        shown = opened.page.panel.night_tab.figures["Expert"]
        return {name: shown[name] for name in ("trt_min", "tst_min", "sol_min", "se_percent")}

    assert figures() == {"trt_min": "480.0", "tst_min": "350.0", "sol_min": "50.0", "se_percent": "72.9"}
    assert "recording's beginning" in opened.page.panel.night_tab._note.text()
    session.go_to(60)
    opened.run_command("lights_off")
    session.go_to(860)
    opened.run_command("lights_on")
    assert figures() == {"trt_min": "400.0", "tst_min": "350.0", "sol_min": "20.0", "se_percent": "87.5"}
    assert "23:00:15" in opened.page.panel.night_tab._note.text()


def test_what_is_outside_the_lights_is_dimmed(opened: MainWindow) -> None:
    view = opened.page.night
    view.density.show_proba(prediction_of([2] * N).proba)
    bright = view.density.grab().toImage()
    session_of(opened).go_to(480)
    opened.run_command("lights_off")
    dimmed = view.density.grab().toImage()
    inside, outside = (QPoint(x_of(view, epoch), view.density.height() // 2) for epoch in (700, 200))
    assert dimmed.pixelColor(inside) == bright.pixelColor(inside)
    assert dimmed.pixelColor(outside) != bright.pixelColor(outside)


# -- further scorers


def scorer_file(path: Path, stage: Stage, n: int = N) -> Path:
    write_hypnogram(Hypnogram(np.full(n, stage, np.int8), None, "other", path.stem), path)
    return path


def test_further_scorers_have_rows_of_their_own_and_can_go(opened: MainWindow, tmp_path: Path) -> None:
    part, view, session = part_of(opened), opened.page.night, session_of(opened)
    assert part.add_scorer(scorer_file(tmp_path / "anna.csv", Stage.N2))
    assert part.add_scorer(scorer_file(tmp_path / "bert.csv", Stage.N3))
    assert part.add_scorer(scorer_file(tmp_path / "bert.csv", Stage.N3))
    assert [row.title for row in view.scorers] == ["anna", "bert", "bert (2)"]
    assert [row.key for row in view.shown_rows][:4] == ["expert", "scorer-1", "scorer-2", "scorer-3"]
    assert all(row.isVisible() for row in view.scorers)
    assert session.document.truth is None
    assert not session.document.unsaved
    assert opened.actions_["drop_scorers"].isEnabled()
    view.scorer_dropped.emit(0)
    assert [row.title for row in view.scorers] == ["bert", "bert (2)"]
    opened.run_command("drop_scorers")
    assert view.scorers == ()
    assert not opened.actions_["drop_scorers"].isEnabled()


def test_trouble_with_a_scorer_is_a_sentence(opened: MainWindow, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("dozing\n" * N)
    assert not part_of(opened).add_scorer(bad)
    assert "bad.txt" in opened.info_bar.text
    assert opened.page.night.scorers == ()


def test_scorers_stay_with_their_night(opened: MainWindow, recording: Path, tmp_path: Path) -> None:
    assert part_of(opened).add_scorer(scorer_file(tmp_path / "anna.csv", Stage.N2))
    assert opened.open_path(recording)
    assert opened.page.night.scorers == ()


# -- the spectrogram


def test_the_spectrogram_is_of_the_scored_channel_and_read_under_the_pointer(opened: MainWindow, qtbot: QtBot) -> None:
    row = opened.page.night.spectrogram
    qtbot.waitUntil(lambda: row.spectrogram is not None)
    assert row.spectrogram is not None
    assert row.spectrogram.label == "EEG C4"
    # The first window would begin before the recording does.
    assert "nothing measured" in row.readout(0, 8, row.plot_width, row.height())
    low = row.readout(row.plot_width / 2, row.height() - 10, row.plot_width, row.height())
    assert "dB" in low
    assert "02:30:15" in low
    session_of(opened).choose_channel("EEG O2")
    qtbot.waitUntil(lambda: row.spectrogram is not None and row.spectrogram.label == "EEG O2")
    session_of(opened).choose_channel("EEG C4")
    assert row.spectrogram.label == "EEG C4", "kept in memory, without waiting"


def test_a_spectrogram_of_another_night_never_comes(
    window: MainWindow, qtbot: QtBot, recording: Path, tmp_path: Path
) -> None:
    short = write_edf(tmp_path / "short.edf", [Signal("EEG Cz", 100, "uV", np.arange(30_000) % 70)])
    for _ in range(3):
        assert window.open_path(recording)
        part_of(window)._start_work()
        assert window.open_path(short)
    row = window.page.night.spectrogram
    qtbot.waitUntil(lambda: row.spectrogram is not None)
    seen = []
    for _ in range(5):
        qtbot.wait(20)
        assert row.spectrogram is not None
        seen.append(row.spectrogram.label)
    assert set(seen) == {"EEG Cz"}


def test_the_background_drops_what_is_not_wanted(qtbot: QtBot) -> None:
    import threading

    work, answers, errors, go_on = Background("test"), [], [], threading.Event()
    work.done.connect(answers.append)
    work.failed.connect(errors.append)
    work.start(lambda _: go_on.wait(5) and "old")
    work.start(lambda cancelled: not cancelled())
    go_on.set()
    qtbot.waitUntil(lambda: answers == [True])
    work.start(lambda _: [][0])
    qtbot.waitUntil(lambda: bool(errors))
    assert isinstance(errors[0], IndexError)
    assert not work.running
    work.close()
    assert answers == [True]


# -- arranging rows

KEYS = st.sampled_from(USUAL_ORDER)


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["move", "hide", "show", "size"]), KEYS, st.floats(0, 9)), max_size=20),
    scorers=st.integers(0, 4),
)
def test_an_arrangement_keeps_every_row_and_comes_back(steps: list[tuple[str, str, float]], scorers: int) -> None:
    keys = [*USUAL_ORDER, *(f"scorer-{n}" for n in range(1, scorers + 1))]
    arrangement = Arrangement()
    for what, key, amount in steps:
        if what == "move":
            arrangement = arrangement.moved(key, int(amount), keys)
            assert arrangement.ordered(keys).index(key) == min(int(amount), len(keys) - 1)
        elif what == "size":
            arrangement = arrangement.resized(key, amount)
        else:
            arrangement = arrangement.shown(key, what == "show")
    assert sorted(arrangement.ordered(keys)) == sorted(keys)
    again = Arrangement.from_dict(arrangement.as_dict())
    assert again.ordered(USUAL_ORDER) == [key for key in arrangement.ordered(keys) if key in USUAL_ORDER]
    assert again.hidden == arrangement.hidden
    assert again.heights == arrangement.heights


@pytest.mark.parametrize(
    "values",
    [{}, {"order": 5, "hidden": None, "heights": [1]}, {"order": ["x", 3, "clock"], "heights": {"expert": "high"}}],
)
def test_a_damaged_arrangement_is_taken_as_far_as_it_makes_sense(values: dict) -> None:
    assert sorted(Arrangement.from_dict(values).ordered(USUAL_ORDER)) == sorted(USUAL_ORDER)


def test_rows_are_hidden_and_shown_by_the_menu_and_remembered(
    opened: MainWindow, make_window: MakeWindow, recording: Path
) -> None:
    view = opened.page.night
    assert opened.actions_["row_model"].isChecked()
    opened.actions_["row_model"].trigger()
    assert not view.model.isVisible()
    assert not opened.actions_["row_model"].isChecked()
    opened.close()
    again = make_window()
    assert not again.actions_["row_model"].isChecked()
    assert "model" in again.page.night.arrangement.hidden
    assert again.open_path(recording)
    again.actions_["row_model"].trigger()
    assert again.actions_["row_model"].isChecked()
    assert again.page.night.model.isVisible()
    again.run_command("rows_reset")
    assert again.page.night.arrangement == Arrangement()


def test_a_border_is_dragged_and_traces_keep_their_room(opened: MainWindow) -> None:
    view = opened.page.night
    before = view.expert.height()
    bottom = QPoint(400, view.expert.height() - 1)
    drag(view.expert, [bottom, bottom + QPoint(0, 15), bottom + QPoint(0, 30)])
    assert before + 10 < view.expert.height() < before + 60
    assert session_of(opened).epoch == 0, "dragging a border goes nowhere"
    for row in ("expert", "model", "yours", "spectrogram"):
        view.set_arrangement(view.arrangement.resized(row, 4.0), by_user=True)
    QApplication.processEvents()
    assert opened.page.traces.height() >= 150
    assert all(row.height() >= 16 for row in view.shown_rows)


def test_a_row_is_carried_by_its_name(opened: MainWindow) -> None:
    view = opened.page.night
    order = [row.key for row in view.shown_rows]
    start = QPoint(30, view.expert.y() + view.expert.height() // 2)
    below = view.model.y() + view.model.height() - 8
    drag(view, [start, QPoint(30, below - 4), QPoint(30, below)])
    QApplication.processEvents()
    now = [row.key for row in view.shown_rows]
    assert now.index("expert") == order.index("model")
    assert sorted(now) == sorted(order)
    assert view.expert.y() > view.model.y()
    assert session_of(opened).epoch == 0


def test_a_row_s_menu_moves_hides_and_sizes_it(opened: MainWindow) -> None:
    view = opened.page.night
    hands = view._hands

    def choose(row: NightRow, text: str) -> None:
        menu = hands.row_menu(row)
        action = next(action for action in menu.actions() if text in action.text())
        assert action.isEnabled()
        action.trigger()
        menu.deleteLater()

    choose(view.corrected, "Move up")
    assert [row.key for row in view.shown_rows][:3] == ["expert", "yours", "model"]
    choose(view.corrected, "Taller")
    assert view.arrangement.height_of("yours") == 1.25
    choose(view.corrected, "Usual height")
    assert view.arrangement.height_of("yours") == 1.0
    choose(view.corrected, "Hide")
    assert not view.corrected.isVisible()
    choose(view.expert, "Show “Yours”")
    assert view.corrected.isVisible()
    disabled = next(a for a in hands.row_menu(view.expert).actions() if a.text() == "Move up")
    assert not disabled.isEnabled()


def test_the_dialog_arranges_rows_with_the_keyboard_alone(opened: MainWindow) -> None:
    view = opened.page.night
    opened.run_command("rows_arrange")
    dialog = opened.findChild(RowsDialog)
    assert dialog is not None
    dialog.list.setCurrentRow(0)
    dialog.down.click()
    assert [row.key for row in view.rows][:2] == ["disagreements", "expert"]
    assert dialog.list.currentItem().text() == "Expert"
    dialog.height_percent.setValue(150)
    assert view.arrangement.height_of("expert") == 1.5
    dialog.list.currentItem().setCheckState(Qt.CheckState.Unchecked)
    assert "expert" in view.arrangement.hidden
    dialog.list.setCurrentRow(0)
    assert not dialog.height_percent.isEnabled()
    dialog.reset.click()
    assert view.arrangement == Arrangement()
    dialog.reject()


# -- pictures


def test_the_night_is_painted_on_any_device(opened: MainWindow) -> None:
    opened.set_theme(DARK)
    view = opened.page.night
    image = QImage(800, 500, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    view.paint_night(painter, QRectF(0, 100, 800, 300))
    painter.end()
    assert image.pixel(400, 50) == 0
    assert image.pixel(400, 450) == 0
    assert image.pixelColor(2, 250).name() == DARK.panel
    colors = {image.pixelColor(x, y).name() for x in range(GUTTER_PX, 780, 7) for y in range(102, 398, 3)}
    assert len(colors) > 3
    assert DARK.cursor in {image.pixelColor(x, 200).name() for x in range(GUTTER_PX - 2, GUTTER_PX + 6)}


# -- signal quality


def quality_night(tmp_path: Path, *, flat: bool) -> Path:
    rate, n = 100, 20
    samples = np.random.default_rng(0).normal(0, 20, n * 30 * rate)
    if flat:
        samples[5 * 30 * rate : 8 * 30 * rate] = np.random.default_rng(1).normal(0, 0.3, 3 * 30 * rate)
        samples[12 * 3000 : 12 * 3000 + 500] = np.random.default_rng(2).normal(0, 900, 500)
    return write_edf(tmp_path / "quality.edf", [("EEG C4-A1", rate, "uV", np.clip(samples, -3000, 3000).round(1))])


def test_epochs_without_a_usable_signal_have_a_row(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    assert window.open_path(quality_night(tmp_path, flat=True))
    row = window.page.night.quality
    qtbot.waitUntil(lambda: row.has_content, timeout=20_000)
    qtbot.waitUntil(row.isVisible)
    width = row.plot_width
    texts = {epoch: row.readout(width * (epoch + 0.5) / 20, 5, width, 16) for epoch in (0, 5, 7, 12)}
    assert texts[0] == ""
    assert texts[5] == "Epoch 6: flat or near-flat; not scored"
    assert texts[7] == "Epoch 8: flat or near-flat; not scored"
    assert texts[12] == "Epoch 13: 5 s extreme amplitude"
    window.actions_["row_quality"].trigger()
    assert not row.isVisible()


def test_a_clean_night_has_no_row_of_signal_quality(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    assert window.open_path(quality_night(tmp_path, flat=False))
    qtbot.wait(300)  # the work begins after the first painting
    qtbot.waitUntil(lambda: not any(work.running for work in part_of(window).findChildren(Background)), timeout=20_000)
    assert not window.page.night.quality.has_content
    assert not window.page.night.quality.isVisible()
