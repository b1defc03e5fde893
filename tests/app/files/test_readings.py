"""A hypnogram that can be read in more than one way is asked about in the window, once a session."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from sleepviewer.app.files.reading_dialog import ReadingDialog
from sleepviewer.app.night.feature import NightPart
from sleepviewer.app.window import MainWindow
from sleepviewer.hypnogram import readings_of
from sleepviewer.review.opening import open_night
from sleepviewer.stages import Stage

N, RATE = 8, 100
NUMBERS = [5, 5, 1, 2, 3, 4, 5, 5]
AS_WAKE = [0, 0, 1, 2, 3, 4, 0, 0]
AS_REM = [4, 4, 1, 2, 3, 3, 4, 4]


@pytest.fixture
def night(tmp_path: Path) -> Path:
    samples = np.round(np.random.default_rng(0).standard_normal(N * 30 * RATE) * 30, 1)
    return write_edf(tmp_path / "night.edf", [Signal("EEG C4", RATE, "uV", samples)], record_s=30)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere.txt"
    path.write_text("\n".join(map(str, NUMBERS)), encoding="utf-8")
    return path


class Answers:
    """Chooses a reading in the dialog, or (None) cancels it; remembers what it was asked."""

    def __init__(self) -> None:
        self.choose: str | None = "five-is-wake"
        self.asked: list[list[str]] = []

    def answer(self, dialog: ReadingDialog) -> int:
        self.asked.append([button.accessibleName() for button in dialog.choices.values()])
        if self.choose is None:
            return QDialog.DialogCode.Rejected
        dialog.choices[self.choose].setChecked(True)
        return QDialog.DialogCode.Accepted


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    answers = Answers()
    monkeypatch.setattr(ReadingDialog, "exec", lambda dialog: answers.answer(dialog))
    return answers


def stages(window: MainWindow) -> list[int] | None:
    assert window.session is not None
    truth = window.session.document.truth
    return None if truth is None else truth.stages.tolist()


def test_the_readings_say_what_each_would_mean(truth: Path) -> None:
    rem, wake = readings_of(truth, ("r-and-k", "five-is-wake"))
    assert rem.meaning == "0 W, 1 N1, 2 N2, 3 and 4 N3, 5 REM"
    assert rem.minutes[Stage.REM] == 2
    assert rem.minutes_text == "N1 0.5 min, N2 0.5 min, N3 1 min, REM 2 min"
    assert wake.minutes_text == "W 2 min, N1 0.5 min, N2 0.5 min, N3 0.5 min, REM 0.5 min"
    assert [reading.id for reading in readings_of(truth, ("edf", "five-is-wake"))] == ["five-is-wake"]


def test_open_truth_asks_and_reads_it_as_chosen(window: MainWindow, night: Path, truth: Path, answers: Answers) -> None:
    assert window.open_path(night)
    window.open_truth(truth)
    assert stages(window) == AS_WAKE
    assert answers.asked == [
        [
            "0 W, 1 N1, 2 N2, 3 and 4 N3, 5 REM: N1 0.5 min, N2 0.5 min, N3 1 min, REM 2 min",
            "5 W, 1 N1, 2 N2, 3 N3, 4 REM: W 2 min, N1 0.5 min, N2 0.5 min, N3 0.5 min, REM 0.5 min",
        ]
    ]
    assert "as was said" in window.info_bar.text


def test_nothing_is_chosen_for_her_and_cancelling_changes_nothing(
    qtbot: QtBot, window: MainWindow, night: Path, truth: Path, answers: Answers
) -> None:
    dialog = ReadingDialog("?", readings_of(truth, ("r-and-k", "five-is-wake")))
    qtbot.addWidget(dialog)
    assert dialog.reading is None
    assert not dialog._read.isEnabled()
    dialog.choices["r-and-k"].click()
    assert dialog._read.isEnabled()
    assert dialog.reading == "r-and-k"
    answers.choose = None
    assert window.open_path(night)
    window.open_truth(truth)
    assert stages(window) is None


def test_it_is_asked_once_while_the_file_stays_the_same(
    window: MainWindow, night: Path, truth: Path, answers: Answers
) -> None:
    assert window.open_path(night)
    window.open_truth(truth)
    answers.choose = "r-and-k"
    window.open_truth(truth)
    assert (stages(window), len(answers.asked)) == (AS_WAKE, 1)
    truth.write_text("\n".join(map(str, [*NUMBERS, ""])), encoding="utf-8")
    window.open_truth(truth)
    assert (stages(window), len(answers.asked)) == (AS_REM, 2)


def test_one_that_lies_beside_the_night_is_asked_about_when_it_is_opened(
    window: MainWindow, night: Path, truth: Path, answers: Answers
) -> None:
    beside = truth.rename(night.with_name("night-Hypnogram.txt"))
    opened = open_night(night)
    assert opened.ambiguous_truth is not None
    assert opened.ambiguous_truth[0] == beside
    assert any("was found by its name but not used" in note for note in opened.notes)
    assert window.open_path(night)
    assert stages(window) == AS_WAKE
    assert window.session is not None
    assert not any("not used" in note for note in window.session.night.notes)


def test_one_that_was_named_is_asked_about_before_the_night_is_shown(
    window: MainWindow, night: Path, truth: Path, answers: Answers
) -> None:
    answers.choose = None
    assert not window.open_path(night, truth=truth)
    assert window.session is None
    answers.choose = "r-and-k"
    assert window.open_path(night, truth=truth)
    assert stages(window) == AS_REM
    assert window.open_path(night, truth=truth, reading="five-is-wake")
    assert (stages(window), len(answers.asked)) == (AS_WAKE, 2)


def test_another_scorers_hypnogram_is_asked_about_too(
    window: MainWindow, night: Path, truth: Path, answers: Answers
) -> None:
    assert window.open_path(night)
    part = next(part for part in window.parts if isinstance(part, NightPart))
    assert part.add_scorer(truth)
    assert window.session is not None
    assert [scorer.stages.tolist() for scorer in window.session.scorers] == [AS_WAKE]
    answers.choose = None
    truth.write_text("\n".join(map(str, [*NUMBERS, ""])), encoding="utf-8")
    assert not part.add_scorer(truth)


def test_what_only_the_file_can_tell_is_a_sentence_and_no_question(
    window: MainWindow, night: Path, truth: Path, answers: Answers
) -> None:
    truth.write_text("W\n" * (N * 3), encoding="utf-8")
    assert window.open_path(night)
    window.open_truth(truth)
    assert answers.asked == []
    assert "epoch: 10 s" in window.info_bar.text
