"""The window and what survives it: found edits are shown, a night has one editor, and it says how safe edits are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from helpers.journal_values import write_night
from helpers.places import ROOT
from helpers.review_values import prediction_of
from sleepviewer.app.files.recovery_dialog import RecoveryDialog, Verdict
from sleepviewer.app.files.safety_feature import SafetyPart
from sleepviewer.app.shell import dialogs
from sleepviewer.app.window import MainWindow
from sleepviewer.cli import main
from sleepviewer.review.autosave import autosave_path
from sleepviewer.review.document import Base
from sleepviewer.review.night_lock import living_holder, lock_path
from sleepviewer.review.opening import open_night
from sleepviewer.review.state_folder import RecordingFacts, StateFolders

MODEL = [0, 1, 2, 2, 3, 4, 4, 0]
MakeWindow = Callable[[], MainWindow]


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


def part_of(window: MainWindow) -> SafetyPart:
    return next(part for part in window.parts if isinstance(part, SafetyPart))


def crash(window: MainWindow) -> None:
    """Let go of everything that a killed process would, and leave everything that it would."""
    part = part_of(window)
    assert part.journal is not None
    assert window.session is not None
    part.journal.close()
    window.session.document.set_recorder(None)
    part._journal = None
    if part._lock is not None:
        part._lock.release()
    part._lock = part._session = None
    part._timer.stop()


@pytest.fixture
def crashed(make_window: MakeWindow, night: Path) -> Path:
    """A night of which three edits and a scoring were never saved."""
    window = make_window()
    assert window.open_path(night)
    assert window.session is not None
    window.session.document.set_prediction(prediction_of(MODEL))
    for command in ("stage_n2", "next_epoch", "stage_rem", "flag"):
        window.run_command(command)
    crash(window)
    return night


def verdict(monkeypatch: pytest.MonkeyPatch, what: Verdict) -> list[RecoveryDialog]:
    shown: list[RecoveryDialog] = []

    def answer(dialog: RecoveryDialog) -> int:
        shown.append(dialog)
        dialog.verdict = what
        return 1

    monkeypatch.setattr(RecoveryDialog, "exec", answer)
    return shown


def test_found_edits_are_shown_taken_up_and_can_be_undone(
    qtbot: QtBot, make_window: MakeWindow, crashed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = verdict(monkeypatch, Verdict.TAKE_UP)
    window = make_window()
    assert window.open_path(crashed)
    qtbot.waitUntil(lambda: bool(shown))
    model = shown[0].table.model()
    rows = [[model.index(row, column).data() for column in (1, 2)] for row in range(model.rowCount())]
    assert rows == [["flag, epoch 2", "no"], ["unscored → REM, epoch 2", "no"], ["unscored → N2, epoch 1", "no"]]
    assert window.session is not None
    document = window.session.document
    assert document.corrected[:2].tolist() == [2, 4]
    assert document.prediction is not None
    assert "3 edits, not saved, safe in the journal" in window.status_line.text
    window.run_command("undo")
    assert not document.flagged.any()
    window.run_command("redo")
    assert window.save()
    assert "3 edits, saved" in window.status_line.text
    assert open_night(crashed).document.corrected[:2].tolist() == [2, 4]


def test_found_edits_set_aside_stay_on_the_disk(
    qtbot: QtBot, make_window: MakeWindow, crashed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = verdict(monkeypatch, Verdict.SET_ASIDE)
    window = make_window()
    assert window.open_path(crashed)
    qtbot.waitUntil(lambda: bool(shown))
    aside = StateFolders.of_user().aside
    assert len(list(aside.iterdir())) == 1
    assert str(aside) in window.status_line.text
    assert not window.actions_["recover"].isEnabled()


def test_found_edits_decided_later_wait_in_the_menu(
    qtbot: QtBot, make_window: MakeWindow, crashed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = verdict(monkeypatch, Verdict.LATER)
    window = make_window()
    assert window.open_path(crashed)
    qtbot.waitUntil(lambda: bool(shown))
    assert window.actions_["recover"].isEnabled()
    shown = verdict(monkeypatch, Verdict.TAKE_UP)
    window.run_command("recover")
    assert window.session is not None
    assert len(window.session.document.history) == 3


def test_the_first_page_tells_of_unsaved_edits_and_opens_their_night(
    qtbot: QtBot, make_window: MakeWindow, crashed: Path
) -> None:
    window = make_window()
    qtbot.waitUntil(lambda: "Unsaved edits of a night were found" in window.welcome.unsaved_text)
    window.welcome.unsaved_requested.emit(str(crashed), window.settings.scorer)
    assert window.session is not None
    assert window.session.night.recording.path == crashed


def test_a_second_window_is_read_only_says_who_has_it_and_edits_once_the_first_is_closed(
    make_window: MakeWindow, night: Path
) -> None:
    first, second = make_window(), make_window()
    assert first.open_path(night)
    assert second.open_path(night)
    assert second.session is not None
    assert "READ-ONLY" in second.page.notice.text
    assert "READ-ONLY" in second.status_line.text
    second.session.go_to(3)
    for command in ("stage_n2", "flag", "lights_off"):
        second.info_bar.hide_error()
        second.run_command(command)
        assert "in another window" in second.info_bar.text
    second.page.base_chosen.emit(str(Base.MODEL))
    assert second.session.document.state.says_the_same_as(open_night(night).document.state)
    assert not second.save()
    part_of(second).look()
    assert second.session.document.read_only
    first.run_command("stage_n1")
    assert first.save()
    first.close()
    part_of(second).look()
    assert not second.session.document.read_only
    assert second.session.epoch == 3
    assert second.session.document.corrected[0] == 1  # what the first one saved is seen
    assert second.page.notice.text == ""
    second.run_command("stage_n2")
    assert second.session.document.corrected[3] == 2


def test_another_scorer_opens_the_night_with_edits_of_their_own(
    make_window: MakeWindow, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_window(), make_window()
    assert first.open_path(night)
    first.run_command("stage_n1")
    assert first.save()
    assert second.open_path(night)
    monkeypatch.setattr(dialogs, "ask_scorer", lambda *_: "Dr. Ö")
    second.page.notice.buttons[0].click()
    assert second.session is not None
    document = second.session.document
    assert (document.scorer, document.read_only, len(document.history)) == ("Dr. Ö", "", 0)
    second.run_command("stage_n3")
    assert document.history[0].as_dict()["scorer"] == "Dr. Ö"


def test_an_edit_that_is_not_safe_is_told_until_it_is(opened_on_full: tuple[MainWindow, Callable[[], None]]) -> None:
    window, empty = opened_on_full
    window.run_command("stage_n2")
    assert window.session is not None
    assert window.session.document.corrected[0] == 2
    assert "NOT SAFE: no room" in window.status_line.text
    assert "NOT SAFE" in window.page.notice.text
    asked: list[tuple[object, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialogs, "ask_about_unsaved", lambda *a: asked.append(a) or dialogs.Answer.STAY)
        window.close()
    assert asked[0][2:] == ("no room", True)
    empty()
    part_of(window).look()
    assert window.page.notice.text == ""
    assert "safe in the journal" in window.status_line.text


@pytest.fixture
def opened_on_full(
    window: MainWindow, night: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[MainWindow, Callable[[], None]]:
    from sleepviewer.review.journal import _Copy

    real = _Copy.bring_up_to_date
    full = [True]

    def write(copy: _Copy, lines: list[bytes]) -> None:
        if full[0]:
            raise OSError(28, "no room")
        real(copy, lines)

    monkeypatch.setattr(_Copy, "bring_up_to_date", write)
    assert window.open_path(night)
    return window, lambda: full.__setitem__(0, False)


def test_kept_for_next_time_means_offered_next_time(
    qtbot: QtBot, make_window: MakeWindow, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_window()
    assert first.open_path(night)
    first.run_command("stage_n2")
    monkeypatch.setattr(dialogs, "ask_about_unsaved", lambda *_: dialogs.Answer.KEEP)
    first.close()
    shown = verdict(monkeypatch, Verdict.TAKE_UP)
    second = make_window()
    assert second.open_path(night)
    qtbot.waitUntil(lambda: bool(shown))
    assert second.session is not None
    assert second.session.document.corrected[0] == 2


def test_discarded_edits_are_aside_and_a_closed_night_is_free(make_window: MakeWindow, night: Path) -> None:
    window = make_window()
    assert window.open_path(night)
    assert window.session is not None
    facts = RecordingFacts.of(window.session.night.recording)
    folders = StateFolders.of_user()
    lock = lock_path(facts, window.session.document.scorer, folders)
    assert living_holder(lock) is not None
    window.run_command("stage_n2")
    window.close()
    assert len(list(folders.aside.iterdir())) == 1
    assert living_holder(lock) is None


def test_a_copy_is_written_after_a_scoring_and_can_be_opened(qtbot: QtBot, window: MainWindow, night: Path) -> None:
    assert window.open_path(night)
    assert window.session is not None
    window.run_command("stage_n2")
    window.session.document.set_prediction(prediction_of(MODEL))
    copy = autosave_path(window.session.night, StateFolders.of_user())
    qtbot.waitUntil(copy.exists)
    document = open_night(night, labels_path=copy, look_beside=False).document
    assert document.corrected[0] == 2
    assert document.prediction is not None
    assert not night.with_suffix(".npz").exists()


def test_a_save_keeps_the_review_before_it(window: MainWindow, night: Path) -> None:
    assert window.open_path(night)
    window.run_command("stage_n2")
    assert window.save()
    before = night.with_suffix(".npz").read_bytes()
    window.run_command("stage_n3")
    assert window.save()
    assert night.with_name("night.npz~").read_bytes() == before


def test_the_command_lists_prints_and_writes_unsaved_edits(crashed: Path, tmp_path: Path) -> None:
    run = CliRunner()
    listed = json.loads(run.invoke(main, ["recover", "--list", "--json"]).stdout)
    assert [entry["night"] for entry in listed["journals"]] == [str(crashed)]
    printed = run.invoke(main, ["recover", str(crashed)])
    assert "3 of 3 edits are not in the saved review" in printed.stdout
    out = tmp_path / "back.npz"
    assert run.invoke(main, ["recover", str(crashed), "--out", str(out)]).exit_code == 0
    assert open_night(crashed, labels_path=out).document.corrected[:2].tolist() == [2, 4]
    assert len(json.loads(run.invoke(main, ["recover", "--list", "--json"]).stdout)["journals"]) == 1


def test_no_kill_loses_an_edit_that_was_shown(tmp_path: Path) -> None:
    benchmark = ROOT / "benchmarks" / "kill_loss.py"
    out = tmp_path / "result.json"
    options = ["--kills", "6", "--window-share", "0.17", "--more", "0", "--workers", "3", "--out", str(out)]
    subprocess.run([sys.executable, str(benchmark), *options], check=True, capture_output=True)
    result = json.loads(out.read_text())
    assert (result["kills"], result["lost"], result["corrupt"]) == (6, 0, 0)
    assert result["edits"] > 30


@pytest.mark.parametrize(
    ("words", "unsafe", "answer"),
    [
        ("Save", "", dialogs.Answer.SAVE),
        ("Keep for next time", "", dialogs.Answer.KEEP),
        ("Set aside", "", dialogs.Answer.DISCARD),
        ("Cancel", "", dialogs.Answer.STAY),
        ("Discard", "no room", dialogs.Answer.DISCARD),
    ],
)
def test_every_way_of_leaving_unsaved_edits_has_a_button(
    qtbot: QtBot, words: str, unsafe: str, answer: dialogs.Answer
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    offered: list[str] = []

    def click() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        buttons = {button.text().replace("&", ""): button for button in box.buttons()}
        offered.extend(buttons)
        buttons[words].click()

    QTimer.singleShot(50, click)
    assert dialogs.ask_about_unsaved(parent, 3, unsafe, True) is answer
    assert ("Keep for next time" in offered) == (not unsafe)
