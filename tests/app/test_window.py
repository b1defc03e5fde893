"""The window: its keys, its sentences, and what it does when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QAction, QDropEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QLabel, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from helpers.edf_files import write_edf, write_edf_plus_d
from helpers.faulty_files import NO_RECORDING, missing, text, without_an_epoch
from helpers.night_files import RATE, write_stages
from helpers.review_values import prediction_of, proba_of
from helpers.window_nights import KEYPAD, N, corrected_of, session_of, write_night
from sleepviewer.app.files.export_dialog import ExportDialog
from sleepviewer.app.keys.command_table import KEY_TABLE
from sleepviewer.app.preferences.settings_dialog import SettingsDialog
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.command_palette import CommandPalette
from sleepviewer.app.shell.geometry import GUTTER_PX
from sleepviewer.app.shell.help_overlay import HelpOverlay
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.scoring_worker import ScoringWorker
from sleepviewer.hypnogram import read_track, to_hypnogram
from sleepviewer.review.document import Base
from sleepviewer.review.edits import NOT_CORRECTED, EditKind
from sleepviewer.scoring.base import Prediction, Progress
from sleepviewer.simulation import simulate_night

MODEL = [e % 5 for e in range(N)]
CHILDREN = Qt.FindChildOption.FindDirectChildrenOnly
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
MakeWindow = Callable[[], MainWindow]


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


def worker_of(window: MainWindow) -> ScoringWorker:
    worker = window.findChild(ScoringWorker)
    assert isinstance(worker, ScoringWorker)
    return worker


def say_no(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every dialog be cancelled; return the list of those that were asked."""
    asked: list[str] = []
    names = [name for name in dir(dialogs) if name.startswith("ask_") and name != "ask_about_unsaved"]
    for name in (*names, "show_about"):
        monkeypatch.setattr(dialogs, name, lambda *_, name=name: asked.append(name))
    for dialog in (HelpOverlay, CommandPalette, SettingsDialog, ExportDialog):
        monkeypatch.setattr(dialog, "exec", lambda *_, name=dialog.__name__: asked.append(name) or 0)
    monkeypatch.setattr(QDialog, "exec", lambda *_: 0)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("", False))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    return asked


# -- faults


@pytest.mark.parametrize("fault", [*NO_RECORDING, without_an_epoch])
def test_what_is_no_recording_gets_a_sentence_and_the_open_night_stays(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, fault: Callable[[Path], Path]
) -> None:
    folder = tmp_path / "faults"
    folder.mkdir()
    path = fault(folder)
    before = session_of(opened)
    qtbot.keyClick(opened, Qt.Key.Key_2)
    assert not opened.open_path(path)
    assert path.name in opened.info_bar.text
    assert "\n" not in opened.info_bar.text
    assert opened.session is before
    qtbot.keyClick(opened, Qt.Key.Key_Right)
    qtbot.keyClick(opened, Qt.Key.Key_3)
    assert corrected_of(opened) == {0: 2, 1: 3}


@pytest.mark.parametrize("fault", [*NO_RECORDING, without_an_epoch])
def test_what_is_no_recording_leaves_an_empty_window_up(
    window: MainWindow, tmp_path: Path, fault: Callable[[Path], Path]
) -> None:
    path = fault(tmp_path)
    assert not window.open_path(path)
    assert path.name in window.info_bar.text
    assert window.isVisible()
    assert window.session is None
    assert Settings().recent == []


def test_a_hypnogram_of_another_night_is_a_sentence(opened: MainWindow, tmp_path: Path) -> None:
    other = write_stages(tmp_path / "other.edf", [2] * 20, datetime(2022, 1, 1, 23))
    opened.open_truth(other)
    assert "other.edf" in opened.info_bar.text
    assert session_of(opened).document.truth is None


def test_words_that_are_no_stages_are_a_sentence(opened: MainWindow, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\n".join(["W", "N1", "asleep?", "dozing"]))
    opened.open_truth(words)
    assert "words.txt" in opened.info_bar.text
    assert "asleep?" in opened.info_bar.text
    assert session_of(opened).document.truth is None


def test_a_truth_stays_when_another_is_refused(opened: MainWindow, tmp_path: Path) -> None:
    opened.open_truth(write_stages(tmp_path / "expert.edf", [2] * N))
    opened.open_truth(tmp_path / "absent.csv")
    truth = session_of(opened).document.truth
    assert truth is not None
    assert truth.stages.tolist() == [2] * N


def test_notes_of_an_alignment_are_shown(opened: MainWindow, tmp_path: Path) -> None:
    opened.open_truth(write_stages(tmp_path / "late.edf", [2] * 10, datetime(2021, 3, 4, 22, 32)))
    assert "late.edf" in opened.info_bar.text
    truth = session_of(opened).document.truth
    assert truth is not None
    assert truth.stages.tolist() == [-1] * 4 + [2] * 10 + [-1] * (N - 14)


def test_a_simulated_night_says_so(window: MainWindow, tmp_path: Path) -> None:
    simulated = simulate_night(tmp_path, hours=0.25)
    assert window.open_path(simulated.psg_path)
    assert "This night is simulated" in window.info_bar.text
    assert session_of(window).document.truth is not None


# -- scoring


def test_cancelling_does_not_wait_for_the_engine_and_changes_nothing(qtbot: QtBot, opened: MainWindow) -> None:
    document = session_of(opened).document
    document.set_prediction(prediction_of(MODEL))
    before, edits = document.prediction, document.edits
    qtbot.keyClick(opened, Qt.Key.Key_S)
    assert opened.scoring
    qtbot.wait(700)  # the engine is being imported
    assert opened.scoring
    qtbot.keyClick(opened, Qt.Key.Key_Escape)
    # Within a second on a quiet machine; the engine's import alone takes several.
    qtbot.waitUntil(lambda: "cancelled" in opened.status_line.text, timeout=3000)
    assert document.prediction is before
    assert document.edits == edits
    assert before is not None
    assert document.proba is before.proba
    assert opened.info_bar.text == ""
    qtbot.waitUntil(lambda: not opened.scoring)


def test_what_an_engine_can_not_score_is_a_sentence(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    assert window.open_path(write_night(tmp_path / "short.edf", n=3))
    window.scoring_bar.choose_engine("yasa")  # which wants five minutes at least
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: window.info_bar.text != "", timeout=60_000)
    assert "short.edf" in window.info_bar.text
    assert session_of(window).document.prediction is None
    qtbot.waitUntil(lambda: not window.scoring)


def test_without_an_eeg_channel_it_asks_for_one(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path = write_edf(tmp_path / "legs.edf", [("Leg", RATE, "uV", np.zeros(N * 3000))], record_s=30)
    assert window.open_path(path)
    qtbot.keyClick(window, Qt.Key.Key_S)
    assert "choose the channel" in window.info_bar.text
    assert not window.scoring


def test_probabilities_that_come_in_fill_the_models_row(opened: MainWindow) -> None:
    worker, document = worker_of(opened), session_of(opened).document
    start_without_process(opened)
    before = opened.page.night.model.grab().toImage()
    worker.progressed.emit(Progress(0.5, "scoring", 10, proba_of([2] * 10)))
    assert document.proba is not None
    assert np.flatnonzero(np.isfinite(document.proba).all(axis=1)).tolist() == list(range(10, 20))
    assert opened.page.night.model.grab().toImage() != before
    worker.finished.emit(prediction_of([3] * N))
    assert document.prediction is not None
    assert document.proba.argmax(axis=1).tolist() == [3] * N


def start_without_process(window: MainWindow) -> None:
    """Begin to score with a worker that does nothing: the test emits its signals."""
    worker = worker_of(window)
    patch = pytest.MonkeyPatch()
    patch.setattr(worker, "start", lambda request: None)
    try:
        window.score()
    finally:
        patch.undo()


@pytest.mark.parametrize("n_other", [N, N + 5, N - 5])
def test_what_is_left_of_one_nights_scoring_does_not_reach_another(
    opened: MainWindow, tmp_path: Path, n_other: int
) -> None:
    """A thread's last signals may arrive when another night has been opened in between."""
    start_without_process(opened)
    assert opened.open_path(write_night(tmp_path / "other.edf", n=n_other))
    document = session_of(opened).document
    worker_of(opened).progressed.emit(Progress(0.9, "scoring", N - 4, proba_of([2] * 4)))
    assert document.proba is None
    worker_of(opened).finished.emit(prediction_of(MODEL))
    assert document.prediction is None
    assert document.base is Base.NONE
    worker_of(opened).failed.emit("other's fault")
    assert "other's fault" not in opened.info_bar.text


def test_a_scoring_that_fails_leaves_the_last_one(opened: MainWindow) -> None:
    document = session_of(opened).document
    document.set_prediction(prediction_of(MODEL))
    before: Prediction | None = document.prediction
    start_without_process(opened)
    worker_of(opened).progressed.emit(Progress(0.5, "scoring", 0, proba_of([2] * 10)))
    worker_of(opened).failed.emit("The scoring process stopped unexpectedly.")
    assert "stopped unexpectedly" in opened.info_bar.text
    assert document.prediction is before
    assert before is not None
    assert document.proba is before.proba


# -- unsaved edits


@pytest.mark.parametrize("answer", list(dialogs.Answer))
def test_closing_with_unsaved_edits_asks(
    qtbot: QtBot, opened: MainWindow, night: Path, monkeypatch: pytest.MonkeyPatch, answer: dialogs.Answer
) -> None:
    asked: list[int] = []

    def ask(_: object, edits: int, *__: object) -> dialogs.Answer:
        asked.append(edits)
        return answer

    monkeypatch.setattr(dialogs, "ask_about_unsaved", ask)
    qtbot.keyClick(opened, Qt.Key.Key_2)
    opened.close()
    assert asked == [1]
    assert opened.isVisible() == (answer is dialogs.Answer.STAY)
    assert night.with_suffix(".npz").exists() == (answer is dialogs.Answer.SAVE)


@pytest.mark.parametrize("answer", list(dialogs.Answer))
def test_opening_another_night_asks_too(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dialogs.Answer
) -> None:
    monkeypatch.setattr(dialogs, "ask_about_unsaved", lambda *_: answer)
    qtbot.keyClick(opened, Qt.Key.Key_2)
    there = write_night(tmp_path / "other.edf")
    assert opened.open_path(there) == (answer is not dialogs.Answer.STAY)
    name = "night.edf" if answer is dialogs.Answer.STAY else "other.edf"
    assert session_of(opened).night.recording.name == name
    assert name in opened.windowTitle()


def test_nothing_unsaved_asks_nothing(qtbot: QtBot, opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogs, "ask_about_unsaved", lambda *_: pytest.fail("asked"))
    qtbot.keyClick(opened, Qt.Key.Key_2)
    qtbot.keyClick(opened, Qt.Key.Key_Z, CONTROL)
    opened.close()
    assert not opened.isVisible()


def test_saving_never_writes_over_a_file_of_something_else(
    qtbot: QtBot, opened: MainWindow, night: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = night.with_suffix(".npz")
    np.savez(foreign, weights=np.zeros(3))
    before = foreign.read_bytes()
    asked = say_no(monkeypatch)
    qtbot.keyClick(opened, Qt.Key.Key_2)
    assert not opened.save()
    assert asked == ["ask_save_path"]
    assert session_of(opened).document.unsaved
    monkeypatch.setattr(dialogs, "ask_save_path", lambda *_: tmp_path / "mine.npz")
    assert opened.save()
    assert foreign.read_bytes() == before
    assert session_of(opened).night.saved_path == tmp_path / "mine.npz"


def test_a_save_that_fails_says_so_and_keeps_the_edits(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    qtbot.keyClick(opened, Qt.Key.Key_2)
    monkeypatch.setattr(dialogs, "ask_save_path", lambda *_: tmp_path / "file" / "x.npz")
    qtbot.keyClick(opened, Qt.Key.Key_S, CONTROL | SHIFT)
    assert "Not saved" in opened.info_bar.text
    assert opened.isWindowModified()
    monkeypatch.setattr(ExportDialog, "exec", lambda _: 1)
    monkeypatch.setattr(dialogs, "ask_export_path", lambda *_: tmp_path / "file" / "x.csv")
    qtbot.keyClick(opened, Qt.Key.Key_E, CONTROL)
    assert "Not exported" in opened.info_bar.text


# -- the key table


@pytest.mark.parametrize("scored", [False, True])
def test_every_command_can_be_called(opened: MainWindow, monkeypatch: pytest.MonkeyPatch, scored: bool) -> None:
    asked = say_no(monkeypatch)
    monkeypatch.setattr(opened, "open_demo", lambda: asked.append("demo"))
    monkeypatch.setattr(opened, "score", lambda: asked.append("score"))
    if scored:
        session_of(opened).document.set_prediction(prediction_of(MODEL))
    for row in KEY_TABLE:
        if row.command != "quit":
            opened.run_command(row.command)
    expected = {"ask_recording", "ask_truth", "ask_weights", "ask_save_path", "ask_rival", "ask_archives", "show_about"}
    assert set(asked) >= expected | {"demo", "score", "HelpOverlay", "CommandPalette", "SettingsDialog", "ExportDialog"}
    opened.run_command("quit")
    assert not opened.isVisible()


def press(qtbot: QtBot, window: MainWindow, key: str) -> None:
    """Press a key of the table."""
    combination = QKeySequence(key)[0]
    qtbot.keyClick(window, combination.key(), combination.keyboardModifiers())


def test_no_key_does_harm_before_a_night_is_open(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_no(monkeypatch)
    for row in KEY_TABLE:
        for key in row.keys:
            if row.command != "quit":
                press(qtbot, window, key)
    needs_none = {row.command for row in KEY_TABLE if window.actions_[row.command].isEnabled()}
    assert {"open", "open_demo", "quit", "help_keys", "about"} <= needs_none
    assert not needs_none & {"stage_w", "save", "score", "next_epoch", "clear", "undo", "cancel_scoring"}
    assert window.isVisible()
    assert window.session is None


# -- reviewing by the keyboard


def test_letters_go_on_with_a_alone_and_the_keypad_always(qtbot: QtBot, opened: MainWindow) -> None:
    session = session_of(opened)
    for key, modifier, epoch in (
        (Qt.Key.Key_W, Qt.KeyboardModifier.NoModifier, 0),
        (Qt.Key.Key_5, KEYPAD, 1),
        (Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, 1),
        (Qt.Key.Key_2, Qt.KeyboardModifier.NoModifier, 2),
        (Qt.Key.Key_R, Qt.KeyboardModifier.NoModifier, 3),
        (Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, 3),
        (Qt.Key.Key_1, Qt.KeyboardModifier.NoModifier, 3),
    ):
        qtbot.keyClick(opened, key, modifier)
        assert session.epoch == epoch
    assert corrected_of(opened) == {0: 4, 1: 2, 2: 4, 3: 1}


def test_the_switch_for_going_on_holds_for_the_next_night(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_A)
    assert opened.open_path(write_night(tmp_path / "other.edf"))
    qtbot.keyClick(opened, Qt.Key.Key_2)
    assert session_of(opened).epoch == 1


def test_a_stage_goes_to_the_whole_selected_range(qtbot: QtBot, opened: MainWindow) -> None:
    session = session_of(opened)
    session.go_to(5)
    for _ in range(3):
        qtbot.keyClick(opened, Qt.Key.Key_Right, SHIFT)
    assert session.selected == range(5, 9)
    assert f"6–9/{N}" in opened.status_line.text
    qtbot.keyClick(opened, Qt.Key.Key_3)
    assert corrected_of(opened) == dict.fromkeys(range(5, 9), 3)
    assert len(session.document.edits) == 1
    qtbot.keyClick(opened, Qt.Key.Key_Z, CONTROL)
    assert corrected_of(opened) == {}


def test_backspace_enter_and_q(qtbot: QtBot, opened: MainWindow) -> None:
    session = session_of(opened)
    session.document.set_prediction(prediction_of(MODEL))
    session.go_to(2)
    qtbot.keyClick(opened, Qt.Key.Key_Return)
    assert corrected_of(opened) == {2: 2}
    qtbot.keyClick(opened, Qt.Key.Key_Backspace)
    assert corrected_of(opened) == {}
    qtbot.keyClick(opened, Qt.Key.Key_Q)
    assert np.flatnonzero(session.document.flagged).tolist() == [2]
    assert "flagged" in opened.status_line.text
    session.extend_to(4)
    qtbot.keyClick(opened, Qt.Key.Key_Return, CONTROL)
    assert corrected_of(opened) == {2: 2, 3: 3, 4: 4}


def test_keys_that_go_places(qtbot: QtBot, opened: MainWindow) -> None:
    session = session_of(opened)
    for key, modifier, epoch in (
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, N - 1),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, N - 1),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, N - 11),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, N - 12),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 0),
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, 10),
        (Qt.Key.Key_N, Qt.KeyboardModifier.NoModifier, 11),
    ):
        qtbot.keyClick(opened, key, modifier)
        assert session.epoch == epoch


def test_u_goes_by_doubt_over_what_was_not_reviewed(qtbot: QtBot, opened: MainWindow) -> None:
    session = session_of(opened)
    certainties = [0.9] * N
    certainties[30], certainties[7], certainties[12] = 0.3, 0.4, 0.5
    session.document.set_prediction(prediction_of(MODEL, certainties))
    visited = []
    for _ in range(3):
        qtbot.keyClick(opened, Qt.Key.Key_U)
        visited.append(session.epoch)
    assert visited == [30, 7, 12]
    qtbot.keyClick(opened, Qt.Key.Key_Home)
    qtbot.keyClick(opened, Qt.Key.Key_U, SHIFT)
    assert session.epoch == 7


def test_undo_goes_to_where_the_edit_was_and_names_the_next_one(qtbot: QtBot, opened: MainWindow) -> None:
    session = session_of(opened)
    session.go_to(20)
    qtbot.keyClick(opened, Qt.Key.Key_2)
    assert opened.actions_["undo"].text() == "Undo: unscored → N2, epoch 21"
    qtbot.keyClick(opened, Qt.Key.Key_Home)
    qtbot.keyClick(opened, Qt.Key.Key_Z, CONTROL)
    assert session.epoch == 20
    assert not opened.actions_["undo"].isEnabled()
    assert opened.actions_["redo"].text() == "Redo: unscored → N2, epoch 21"
    qtbot.keyClick(opened, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert corrected_of(opened) == {20: 2}


@pytest.mark.parametrize("tab", range(4))
def test_the_keyboard_is_the_windows_whatever_has_the_focus(qtbot: QtBot, opened: MainWindow, tab: int) -> None:
    session = session_of(opened)
    session.document.set_prediction(prediction_of(MODEL))
    panel = opened.page.panel
    panel.setCurrentIndex(tab)
    widgets = [*panel.currentWidget().findChildren(QTableView), panel.tabBar(), panel.currentWidget(), opened.page]
    for epoch, widget in enumerate(widgets):
        session.go_to(epoch)
        widget.setFocus()
        qtbot.keyClick(opened.focusWidget() or opened, Qt.Key.Key_3)
        qtbot.keyClick(opened.focusWidget() or opened, Qt.Key.Key_Right)
        assert session.epoch == epoch + 1
        assert corrected_of(opened)[epoch] == 3
        qtbot.keyClick(opened.focusWidget() or opened, Qt.Key.Key_End)
        assert session.epoch == N - 1


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_pressed_the_labels_stay_those_of_the_history(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    say_no(monkeypatch)
    opened.open_truth(write_stages(tmp_path / "expert.edf", MODEL[::-1]))
    document = session_of(opened).document
    document.set_prediction(prediction_of(MODEL, np.linspace(0.3, 0.9, N).tolist()))
    keys = [key for row in KEY_TABLE if row.command not in ("quit", "score") for key in row.keys]
    for key in np.random.default_rng(seed).choice(keys, 250):
        press(qtbot, opened, str(key))
    selected = session_of(opened).selected
    assert 0 <= selected.start < selected.stop <= N
    labels = np.array(MODEL[::-1])
    for edit in document.edits:
        if edit.kind is EditKind.STAGE:
            for epoch, stage in zip(edit.epochs, edit.after, strict=True):
                labels[epoch] = MODEL[::-1][epoch] if stage == NOT_CORRECTED else stage
    assert document.edits
    assert document.labels.tolist() == labels.tolist()
    assert opened.save()
    assert f"{len(document.history)} edit" in opened.status_line.text


# -- nights of all kinds


def with_a_gap(folder: Path) -> Path:
    samples = np.round(np.random.default_rng(0).standard_normal(20 * 30 * RATE) * 20, 1)
    onsets = [*np.arange(0, 300, 30), *np.arange(390.5, 690, 30)]
    return write_edf_plus_d(folder / "odd.edf", onsets, [("EEG C4", RATE, "uV", samples)], record_s=30)


def without_a_clock(folder: Path) -> Path:
    return write_edf(folder / "odd.edf", [("EEG C4", RATE, "uV", np.zeros(10 * 30 * RATE))], start=None)


def without_a_voltage(folder: Path) -> Path:
    return write_edf(folder / "odd.edf", [("SpO2", 1, "%", np.full(300, 97.0)), ("Position", 1, "", np.ones(300))])


def with_many_channels(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    signals = [(f"EEG {i}", 50, "uV", rng.standard_normal(2 * 30 * 50) * 30) for i in range(40)]
    return write_edf(folder / "odd.edf", signals, record_s=30)


def with_odd_rates(folder: Path) -> Path:
    signals = [("EEG C4", 128.5, "uV", np.zeros(10 * 3855)), ("Temp", 1 / 30, "C", np.full(10, 36.5))]
    return write_edf(folder / "odd.edf", signals, record_s=30)


def of_one_epoch(folder: Path) -> Path:
    return write_edf(folder / "odd.edf", [("EEG C4", RATE, "uV", np.zeros(45 * RATE))])


@pytest.mark.parametrize(
    "odd", [with_a_gap, without_a_clock, without_a_voltage, with_many_channels, with_odd_rates, of_one_epoch]
)
def test_odd_nights_are_shown_and_labelled(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, odd: Callable[[Path], Path]
) -> None:
    assert window.open_path(odd(tmp_path))
    document = session_of(window).document
    for key in ("Right", "End", "PgUp", "F", "+", "Home", "3", "F", "Ctrl+0", "D", "U", "N", "T"):
        press(qtbot, window, key)
        window.page.grab()
    assert corrected_of(window) == {0: 3}
    window.page.panel.setCurrentIndex(3)
    window.page.grab()
    assert window.export(tmp_path / "labels.csv")
    stages = to_hypnogram(read_track(tmp_path / "labels.csv")).stages
    assert stages[0] == 3
    assert document.labels[0] == 3


# -- the mouse


def test_a_click_on_the_night_goes_there(qtbot: QtBot, opened: MainWindow) -> None:
    row = opened.page.night.expert
    for epoch in (0, 17, N - 1):
        x = GUTTER_PX + (epoch + 0.5) / N * row.plot_width
        qtbot.mouseClick(row, Qt.MouseButton.LeftButton, pos=QPoint(round(x), row.height() // 2))
        assert session_of(opened).epoch == epoch
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton, pos=QPoint(20, 5))
    assert session_of(opened).epoch == N - 1


def test_a_row_of_the_list_goes_to_its_epoch(qtbot: QtBot, opened: MainWindow) -> None:
    session = session_of(opened)
    session.document.set_prediction(prediction_of(MODEL, [0.9 - 0.01 * e for e in range(N)]))
    panel = opened.page.panel
    panel.setCurrentWidget(panel.review_tab)
    (table,) = panel.review_tab.findChildren(QTableView)
    order = session.queue.order.tolist()
    centre = table.visualRect(table.model().index(2, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert session.epoch == order[2]
    qtbot.keyClick(opened, Qt.Key.Key_U)
    assert session.epoch == order[3]


def drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, mime, buttons, modifiers))


def test_a_file_that_is_dropped_is_opened(window: MainWindow, night: Path) -> None:
    drop(window, night)
    assert session_of(window).night.recording.name == "night.edf"


def test_a_file_that_is_no_recording_can_be_dropped_without_harm(opened: MainWindow, tmp_path: Path) -> None:
    drop(opened, text(tmp_path))
    assert "text.edf" in opened.info_bar.text
    assert session_of(opened).night.recording.name == "night.edf"


def test_a_hypnogram_that_is_dropped_becomes_the_reference_unless_the_scorer_is_blinded(
    opened: MainWindow, night: Path
) -> None:
    stages = [e % 5 for e in range(N)]
    for name in ("a.annot", "b.json", "other-Hypnogram.edf"):
        drop(opened, write_stages(night.with_name(name), stages))
        assert session_of(opened).night.recording.name == "night.edf"
        assert session_of(opened).night.truth_path == night.with_name(name)
        assert session_of(opened).document.truth is not None
    session_of(opened).document.blind()
    drop(opened, write_stages(night.with_name("c.annot"), stages))
    assert session_of(opened).night.truth_path == night.with_name("other-Hypnogram.edf")
    assert "BLINDED" in opened.status_line.text


# -- what it remembers


def test_recent_recordings_are_offered_the_last_one_first(
    qtbot: QtBot, make_window: MakeWindow, night: Path, tmp_path: Path
) -> None:
    window = make_window()
    other = write_night(tmp_path / "other.edf")
    gone = write_night(tmp_path / "gone.edf", n=2)
    for path in (night, gone, other, night):
        assert window.open_path(path)
    gone.unlink()
    window.close()
    window = make_window()
    assert Settings().recent == [night, other]
    buttons = [b for b in window.welcome.findChildren(QPushButton) if ".edf" in b.text()]
    assert [b.text().split()[0] for b in buttons] == ["night.edf", "other.edf"]
    qtbot.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    assert session_of(window).night.recording.name == "other.edf"


def test_the_theme_is_switched_and_remembered(make_window: MakeWindow, night: Path) -> None:
    window = make_window()
    assert window.open_path(night)
    light = window.page.grab().toImage()
    (dark,) = [a for a in window.findChildren(QAction) if a.text() == "Dark"]
    dark.trigger()
    assert Settings().theme == "dark"
    image = window.page.grab().toImage()
    assert image != light
    assert image.pixelColor(3, image.height() // 2).lightness() < 80
    window.close()
    window = make_window()
    assert window.open_path(night)
    (dark,) = [a for a in window.findChildren(QAction) if a.text() == "Dark"]
    assert dark.isChecked()
    image = window.page.grab().toImage()
    assert image.pixelColor(3, image.height() // 2).lightness() < 80


def test_a_message_can_be_closed(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    window.open_path(missing(tmp_path))
    assert window.info_bar.text
    (close,) = [b for b in window.info_bar.children() if getattr(b, "accessibleName", str)() == "Close this message"]
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert window.info_bar.text == ""


def test_the_window_stands_where_it_stood(make_window: MakeWindow) -> None:
    first = make_window()
    first.resize(790, 610)
    first.close()
    second = make_window()
    assert (second.width(), second.height()) == (790, 610)


def test_the_panel_follows_the_model_while_it_scores(opened: MainWindow) -> None:
    tab = opened.page.panel.epoch_tab
    texts = [label.text() for label in tab.findChildren(QLabel)]
    assert "— press S to score" in texts
    session_of(opened).document.add_provisional(0, proba_of([2]))
    texts = [label.text() for label in tab.findChildren(QLabel)]
    assert "— being scored" in texts
    assert "— press S to score" not in texts


def test_a_flag_has_room_in_the_panel(opened: MainWindow) -> None:
    opened.run_command("flag")
    labels = opened.page.panel.epoch_tab.findChildren(QLabel)
    assert "— · flagged as uncertain" in [label.text() for label in labels]


def test_texts_of_the_epoch_do_not_lie_over_each_other_in_a_low_panel(qtbot: QtBot, opened: MainWindow) -> None:
    session_of(opened).document.set_prediction(prediction_of(MODEL))
    dock = opened.panels["review"]
    dock.setFloating(True)
    dock.resize(302, 240)
    tab = opened.page.panel.epoch_tab
    qtbot.waitUntil(lambda: tab.height() > opened.page.panel.height())
    lines = sorted((child.geometry() for child in tab.findChildren(QWidget, options=CHILDREN)), key=QRect.top)
    lines = [line for line in lines if line.height() > 0]
    assert not [(a, b) for a, b in pairwise(lines) if a.intersects(b)]


def test_the_scoring_bar_is_seen_in_a_narrow_window(qtbot: QtBot, opened: MainWindow) -> None:
    """As on 1366 pixels at a scale of 150 %."""
    opened.resize(911, 512)
    qtbot.waitUntil(lambda: opened.width() <= 911)
    bar = opened.scoring_bar
    assert bar.isVisible()
    assert bar.mapTo(opened, bar.rect().topRight()).x() < opened.width()


def test_no_panel_is_higher_than_a_low_screen(opened: MainWindow) -> None:
    """1366 × 768 pixels at a scale of 150 %: else the line that says what is saved lies below the screen."""
    for name in opened.panels.names:
        opened.panels.show(name)
        assert opened.minimumSizeHint().height() <= 512, name
