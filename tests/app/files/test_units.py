"""The window asks which unit a channel is in, waits for the answer, remembers it and takes it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.review_values import prediction_of
from sleepviewer.app.files import units_dialog
from sleepviewer.app.files.units_dialog import UnitsDialog
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.scoring_worker import ScoringWorker
from sleepviewer.archive.archive import read_archive
from sleepviewer.recording import ToldUnit
from sleepviewer.recording.units_told import UnitQuestion
from sleepviewer.scoring.process import ScoringRequest

N, RATE = 8, 100
MILLIVOLTS = (ToldUnit("EEG C3", "mV"), ToldUnit("EEG C4", "mV"))
MakeWindow = Callable[[], MainWindow]


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Two EEG channels in millivolts, of which the file does not say so, and one that is certain."""
    rng = np.random.default_rng(0)
    channels = [
        Signal(label, RATE, unit, rng.normal(0, scale, N * 30 * RATE), physical=(-100 * scale, 100 * scale))
        for label, unit, scale in (("EEG C3", "", 0.03), ("EEG C4", "", 0.03), ("EOG left", "uV", 30))
    ]
    return write_edf(tmp_path / "night.edf", channels, record_s=30)


@pytest.fixture
def opened(qtbot: QtBot, window: MainWindow, night: Path) -> MainWindow:
    assert window.open_path(night)
    qtbot.waitUntil(lambda: bool(window.units_bar.text))
    return window


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[ScoringRequest]:
    """What is sent to the scoring process."""
    sent: list[ScoringRequest] = []
    monkeypatch.setattr(ScoringWorker, "start", lambda _, request: sent.append(request))
    return sent


def told(window: MainWindow) -> tuple[ToldUnit, ...]:
    assert window.session is not None
    return window.session.night.recording.told_units


def answer(monkeypatch: pytest.MonkeyPatch, unit: str | None) -> list[UnitQuestion]:
    """Have the question be answered; what was asked is in the list."""
    asked: list[UnitQuestion] = []

    def ask(_: object, question: UnitQuestion, __: str) -> str | None:
        asked.append(question)
        return unit

    monkeypatch.setattr(units_dialog, "ask_unit", ask)
    return asked


def test_channels_that_are_shown_are_asked_about_once_and_together(qtbot: QtBot, opened: MainWindow) -> None:
    assert opened.units_bar.text == (
        "The file gives no unit for “EEG C3” and “EEG C4”; their amplitude would fit mV. Take them as:"
    )
    assert list(opened.units_bar.buttons) == ["µV", "mV", "V", "as-is"]
    assert opened.units_bar.buttons["mV"].text() == "mV (fits)"
    assert told(opened) == ()
    opened.units_bar.buttons["mV"].click()
    assert told(opened) == MILLIVOLTS
    assert opened.units_bar.text == ""
    assert "“EEG C4” was taken as mV, as was said" in opened.info_bar.text
    qtbot.wait(400)
    assert opened.units_bar.text == ""


def test_the_question_takes_no_key_away(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_2)
    assert opened.session is not None
    assert opened.session.document.labels[0] == 2
    assert all(button.focusPolicy() == Qt.FocusPolicy.TabFocus for button in opened.units_bar.buttons.values())
    assert all(button.accessibleName() for button in opened.units_bar.buttons.values())


def test_the_answer_leaves_her_where_she_was_with_what_she_did(opened: MainWindow) -> None:
    session = opened.session
    assert session is not None
    opened.run_command("stage_n3")
    session.go_to(5)
    opened.units_bar.buttons["mV"].click()
    assert opened.session is not None
    assert opened.session is not session
    assert (opened.session.epoch, opened.session.document.labels[0]) == (5, 3)
    opened.run_command("undo")
    assert opened.session.document.labels[0] == -1


def test_the_pages_samples_and_scale_are_those_of_the_told_unit(opened: MainWindow) -> None:
    assert opened.session is not None
    before = opened.session.night.recording.read("EEG C4", 0, 30)
    opened.units_bar.buttons["mV"].click()
    recording = opened.page.traces._composer.recording
    assert recording is opened.session.night.recording
    np.testing.assert_allclose(recording.read("EEG C4", 0, 30), 1000 * before, rtol=1e-5)
    assert opened.scoring_bar.channel in ("EEG C3", "EEG C4")


def test_scale_bars_are_in_the_told_unit_and_a_scale_set_before_is_dropped(opened: MainWindow) -> None:
    traces = opened.page.traces
    lane = next(i for i, trace in enumerate(traces.montage.shown) if trace.derivation.plus == "EEG C4")
    other = next(i for i, trace in enumerate(traces.montage.shown) if trace.derivation.plus == "EOG left")
    for _ in range(20):
        traces.change_gain(1, lane)  # as large as 0.03 needs it
    traces.change_gain(1, other)
    kept = traces.montage.shown[other].half_height
    assert traces._composer.known_half_height(traces.montage.shown[lane]) < 10
    opened.units_bar.buttons["mV"].click()
    assert 30 <= traces._composer.known_half_height(traces.montage.shown[lane]) <= 500
    assert traces.montage.shown[other].half_height == kept


def test_put_off_it_is_not_asked_again_until_the_channel_is_used(
    qtbot: QtBot, opened: MainWindow, requests: list[ScoringRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.units_bar.put_off.emit(opened.units_bar.question)
    assert opened.units_bar.text == ""
    opened.page.traces.montage_shown.emit()
    qtbot.wait(400)
    assert opened.units_bar.text == ""
    opened.scoring_bar.choose_channel("EEG C4")
    asked = answer(monkeypatch, None)
    opened.run_command("score")
    assert len(asked) == 1
    assert requests == []
    assert told(opened) == ()
    answer(monkeypatch, "mV")
    opened.scoring_bar.choose_channel("EEG C4")
    opened.run_command("score")
    assert [request.units for request in requests] == [MILLIVOLTS]


def test_a_certain_channel_is_scored_without_a_question(
    opened: MainWindow, requests: list[ScoringRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, None)
    opened.scoring_bar.choose_channel("EOG left")
    opened.run_command("score")
    assert asked == []
    assert len(requests) == 1


def test_export_waits_for_the_unit(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    exported: list[bool] = []
    monkeypatch.setattr(opened._saving, "ask_and_export", lambda: exported.append(True))
    opened.scoring_bar.choose_channel("EEG C4")
    asked = answer(monkeypatch, None)
    opened.run_command("export")
    assert (len(asked), exported) == (1, [])
    answer(monkeypatch, "as-is")
    opened.run_command("export")
    assert exported == [True]


def test_the_answer_is_remembered_saved_and_can_be_taken_back(
    qtbot: QtBot, opened: MainWindow, make_window: MakeWindow, night: Path
) -> None:
    assert not opened.actions_["units_forget"].isEnabled()
    opened.units_bar.buttons["mV"].click()
    opened.run_command("stage_n2")
    assert opened.save()
    archive = read_archive(night.with_suffix(".npz"))
    assert archive.meta["told_units"] == {"EEG C3": "mV", "EEG C4": "mV"}
    assert 10 < np.std(archive.x) < 100
    second = make_window()
    assert second.open_path(night)
    assert told(second) == MILLIVOLTS
    assert second.actions_["units_forget"].isEnabled()
    second.run_command("units_forget")
    assert told(second) == ()
    qtbot.waitUntil(lambda: bool(second.units_bar.text))
    third = make_window()  # the review on disk still says mV, but it was taken back since
    assert third.open_path(night)
    assert told(third) == ()


def test_a_review_brings_its_units_to_a_window_that_never_heard_of_them(opened: MainWindow, night: Path) -> None:
    opened.units_bar.buttons["mV"].click()
    opened.run_command("stage_n2")
    assert opened.save()
    opened.settings.set_json("units/told", {})
    assert opened.open_path(night)
    assert told(opened) == MILLIVOLTS


def test_another_file_under_the_name_is_asked_anew(opened: MainWindow, night: Path) -> None:
    opened.units_bar.buttons["mV"].click()
    night.write_bytes(night.read_bytes()[: -30 * RATE * 2 * 3] + bytes(30 * RATE * 2 * 3))
    assert opened.open_path(night)
    assert told(opened) == ()


def test_damaged_settings_tell_nothing(opened: MainWindow, night: Path) -> None:
    opened.units_bar.buttons["mV"].click()
    (key,) = opened.settings.get_json("units/told", {})
    for damage in ({key: 3}, {key: {"EEG C4": "kg", "EEG X": "mV", "EOG left": None}}, {"": {}}):
        opened.settings.set_json("units/told", damage)
        assert opened.open_path(night)
        assert told(opened) == ()


def test_a_scoring_made_before_the_unit_was_told_is_said_to_be_old(opened: MainWindow) -> None:
    assert opened.session is not None
    opened.session.document.set_prediction(replace(prediction_of([0] * N), channels=("EEG C4",)))
    opened.units_bar.buttons["mV"].click()
    assert "score again" in opened.status_line.text


def test_the_table_of_units_changes_and_takes_back(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def change(dialog: UnitsDialog) -> int:
        table = dialog.table
        seen.append([table.item(row, 1).text() for row in range(table.rowCount())])
        dialog.choose("EEG C3", "V")
        dialog.choose("EEG C4", "as-is")
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(UnitsDialog, "exec", change)
    opened.run_command("units")
    assert seen == [["no unit", "no unit", "uV"]]
    assert told(opened) == (ToldUnit("EEG C3", "V"), ToldUnit("EEG C4", "as-is"))

    def reset(dialog: UnitsDialog) -> int:
        dialog.forget_all()
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(UnitsDialog, "exec", reset)
    opened.run_command("units")
    assert told(opened) == ()


@pytest.mark.parametrize(("press", "answered"), [("mV (fits)", "mV"), ("Leave as they are", "as-is"), ("Cancel", None)])
def test_the_question_in_the_way_names_what_depends_on_it(
    qtbot: QtBot, opened: MainWindow, monkeypatch: pytest.MonkeyPatch, press: str, answered: str | None
) -> None:
    said: list[str] = []

    def execute(box: QMessageBox) -> int:
        said.extend((box.text(), box.informativeText()))
        assert box.defaultButton().text().replace("&", "") == "Cancel"  # Enter alone says nothing of a unit
        next(button for button in box.buttons() if button.text().replace("&", "") == press).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", execute)
    question = opened.units_bar.question
    assert question is not None
    assert units_dialog.ask_unit(opened, question, "Scoring") == answered
    assert said[0].startswith(question.sentence)
    assert said[1].startswith("Scoring depends on it.")
    QApplication.processEvents()
