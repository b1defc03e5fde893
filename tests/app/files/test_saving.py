"""The window keeps what was said: no correction is written over, no old word stands beside a new one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.review_values import prediction_of
from sleepviewer.app.shell import dialogs
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.scoring_worker import ScoringWorker
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_path_of
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.process import ScoringRequest
from sleepviewer.scoring.registry import EngineSpec

N, RATE = 8, 100
START = datetime(2021, 3, 4, 22, 30)
MODEL = [0, 1, 2, 2, 3, 4, 4, 0]
CONTROL = Qt.KeyboardModifier.ControlModifier


def write_night(path: Path, seed: int = 0, start: datetime | None = START) -> Path:
    samples = np.round(np.random.default_rng(seed).standard_normal(N * 30 * RATE) * 30, 1)
    return write_edf(path, [Signal("EEG C4", RATE, "uV", samples)], start=start, record_s=30)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


def press(qtbot: QtBot, window: MainWindow, *keys: Qt.Key) -> None:
    for key in keys:
        qtbot.keyClick(window, key)


def test_two_windows_on_one_night_do_not_write_over_each_other(
    qtbot: QtBot, make_window: Callable[[], MainWindow], night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_window(), make_window()
    assert first.open_path(night)
    assert second.open_path(night, scorer="somebody else")  # the same scorer could not edit it
    first.run_command("stage_n3")
    assert first.save()
    second.run_command("next_epoch")
    second.run_command("stage_rem")
    assert second.session is not None
    theirs = save_path_of(second.session.night)  # a file of their own, not the first's
    assert theirs.name.startswith("night.somebody_else")
    shutil.copyfile(night.with_suffix(".npz"), theirs)
    asked: list[Path] = []
    monkeypatch.setattr(dialogs, "ask_save_path", lambda _, proposed: asked.append(proposed))
    assert not second.save()
    assert asked == [theirs.with_name(f"{theirs.stem}-2.npz")]
    assert "was not written over" in second.info_bar.text
    assert "not saved" in second.status_line.text
    assert open_night(night).document.corrected[0] == 3


def test_a_review_of_other_content_is_warned_of_and_not_written_over(
    qtbot: QtBot, make_window: Callable[[], MainWindow], night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = make_window()
    assert before.open_path(night)
    before.run_command("stage_n3")
    assert before.save()
    before.close()
    write_night(night, seed=1)
    after = make_window()
    assert after.open_path(night)
    qtbot.waitUntil(lambda: "made of another night.edf" in after.info_bar.text)
    monkeypatch.setattr(dialogs, "ask_save_path", lambda *_: None)
    after.run_command("stage_n1")
    assert not after.save()


def test_a_success_closes_an_old_error_and_a_failure_an_old_success(opened: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not opened.export(tmp_path / "file" / "x.csv")
    assert "Not exported" in opened.info_bar.text
    assert opened.export(tmp_path / "x.csv")
    assert opened.info_bar.text == ""
    assert "Exported to" in opened.status_line.text
    assert not opened.export(tmp_path / "file" / "x.csv")
    assert "Exported to" not in opened.status_line.text


def test_a_long_path_in_the_status_line_does_not_widen_the_window(opened: MainWindow) -> None:
    narrow = opened.minimumSizeHint().width()
    opened.status_line.show_message("Saved to /a/" + "very/" * 80 + "long/path.npz")
    assert opened.minimumSizeHint().width() == narrow
    assert "long/path.npz" in opened.status_line.text


def test_a_failing_scoring_thread_is_a_sentence(qtbot: QtBot, night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = ScoringWorker()

    def fail(*_: object) -> None:
        raise OSError("cannot allocate memory")

    monkeypatch.setattr(worker._process, "score", fail)
    with qtbot.waitSignal(worker.failed) as heard:
        worker.start(ScoringRequest(night, EngineSpec(), ChannelChoice("EEG C4")))
    assert "cannot allocate memory" in heard.args[0]
    worker.close()


def test_the_walk_by_doubt_says_when_it_is_through_and_begins_anew(qtbot: QtBot, opened: MainWindow) -> None:
    assert opened.session is not None
    opened.session.document.set_prediction(prediction_of(MODEL))
    press(qtbot, opened, *[Qt.Key.Key_U] * N)
    last = opened.session.epoch
    press(qtbot, opened, Qt.Key.Key_U)
    assert opened.session.epoch == last
    assert f"{N} epochs were passed over: U begins anew" in opened.status_line.text
    press(qtbot, opened, Qt.Key.Key_U)
    assert opened.session.epoch == opened.session.queue.order[0]


def test_accepting_where_there_is_nothing_to_accept_says_why(qtbot: QtBot, opened: MainWindow) -> None:
    assert opened.session is not None
    for modifier in (Qt.KeyboardModifier.NoModifier, CONTROL):
        qtbot.keyClick(opened, Qt.Key.Key_Return, modifier)
        assert "press S to score" in opened.status_line.text
    opened.session.document.set_prediction(prediction_of([-1, *MODEL[1:]]))
    press(qtbot, opened, Qt.Key.Key_Home, Qt.Key.Key_Return)
    assert "did not score here" in opened.status_line.text


def test_a_recording_without_a_start_shows_times_before_it_as_negative(window: MainWindow, tmp_path: Path) -> None:
    from sleepviewer.display.clock import clock_text

    nowhere = write_night(tmp_path / "nowhere.edf")
    patched = bytearray(nowhere.read_bytes())
    patched[168:184] = b"99.99.9999.99.99"
    nowhere.write_bytes(bytes(patched))
    recording = open_night(nowhere).recording
    assert recording.start is None
    assert [clock_text(recording, t) for t in (-15.0, 0.0, 75.0)] == ["-0:00:15", "+0:00:00", "+0:01:15"]


@pytest.mark.parametrize(
    ("typed", "chosen", "expected"),
    [
        ("labels", "EDF+ annotations (*.edf)", "labels.edf"),
        ("labels.npz", "EDF+ annotations (*.edf)", "labels.edf"),
        ("labels.v2", "Table (*.csv)", "labels.v2.csv"),
        ("labels.npz", "AttnSleep archive (*.npz)", "labels.npz"),
        ("labels.tsv", "Table (*.csv *.tsv)", "labels.tsv"),
        ("labels.yasa.txt", "One stage per line, YASA (*.yasa.txt)", "labels.yasa.txt"),
        ("labels.txt", "One stage per line, YASA (*.yasa.txt)", "labels.yasa.txt"),
        ("labels.yasa.txt", "JSON (*.json)", "labels.json"),
    ],
)
def test_an_export_gets_the_ending_of_its_format(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, chosen: str, expected: str
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / typed), chosen))
    assert dialogs.ask_export_path(window, tmp_path, chosen) == tmp_path / expected


def test_a_file_whose_ending_was_added_is_asked_about(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "night-Hypnogram.edf").touch()
    typed = str(tmp_path / "night-Hypnogram")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (typed, "EDF+ annotations (*.edf)"))
    buttons = QMessageBox.StandardButton
    for answer, expected in ((buttons.No, None), (buttons.Yes, tmp_path / "night-Hypnogram.edf")):
        monkeypatch.setattr(QMessageBox, "question", lambda *_, answer=answer: answer)
        assert dialogs.ask_export_path(window, tmp_path, "EDF+ annotations (*.edf)") == expected


def test_a_review_beside_that_can_not_be_written_any_more_is_saved_with_the_user(
    opened: MainWindow, night: Path, user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.run_command("stage_n2")
    assert opened.save()
    kept = night.with_suffix(".npz").read_bytes()
    monkeypatch.setattr("sleepviewer.review.saving.os.access", lambda *_: False)  # root may write everywhere
    opened.run_command("stage_n3")
    assert opened.save()
    assert opened.session is not None
    assert opened.session.night.saved_path is not None
    assert user_folders in opened.session.night.saved_path.parents
    assert night.with_suffix(".npz").read_bytes() == kept


def test_a_copy_of_a_night_elsewhere_has_its_own_review(
    make_window: Callable[[], MainWindow], night: Path, tmp_path: Path
) -> None:
    (tmp_path / "copy").mkdir()
    copied = Path(shutil.copy(night, tmp_path / "copy" / night.name))
    window = make_window()
    assert window.open_path(night)
    window.run_command("stage_n2")
    assert window.save()
    assert window.open_path(copied)
    assert window.session is not None
    assert window.session.document.edits == ()


def test_a_result_still_on_its_way_is_not_taken_for_the_next_nights(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = opened.findChild(ScoringWorker)
    assert isinstance(worker, ScoringWorker)
    asked: list[ScoringRequest] = []

    def score(request: ScoringRequest, *_: object) -> object:
        asked.append(request)
        return prediction_of([4] * N)

    monkeypatch.setattr(worker._process, "score", score)
    opened.run_command("score")
    assert worker._thread is not None
    worker._thread.join()  # done, but its signal has not been delivered
    assert opened.open_path(write_night(tmp_path / "next.edf", seed=3))
    opened.run_command("score")
    assert len(asked) == 1
    assert "running already" in opened.status_line.text
    qtbot.waitUntil(lambda: not opened.scoring)
    assert opened.session is not None
    assert opened.session.document.prediction is None
    opened.run_command("score")
    qtbot.waitUntil(lambda: opened.session is not None and opened.session.document.prediction is not None)
    assert len(asked) == 2


def test_a_file_that_changes_while_it_is_opened_is_told_and_not_half_shown(window: MainWindow, night: Path) -> None:
    opened = open_night(night)
    os.utime(night, ns=(0, 0))
    window.show_night(opened)
    assert "has changed since it was opened" in window.info_bar.text
    assert window.windowTitle().startswith("night.edf")


def test_a_dialog_that_names_no_format_keeps_the_typed_ending(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "foo.npz"), ""))
    assert dialogs.ask_export_path(window, tmp_path, "Scoring archive (*.npz)") == tmp_path / "foo.npz"
