"""Two models in the window: kept, opened from files, counted out, listed, stepped through, and live with edits."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.review_values import prediction_of, proba_of, truth_of
from sleepviewer.analysis.agreement import agreement
from sleepviewer.analysis.rivals import Contender, Group, side_by_side
from sleepviewer.app.compare.models_feature import RivalsPart
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.epoch_table import EpochRow, EpochTable
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.window import MainWindow
from sleepviewer.archive import build_archive, make_meta, write_archive
from sleepviewer.errors import AlignmentError
from sleepviewer.recording import open_recording
from sleepviewer.review.contenders import engine_title, load_contender
from sleepviewer.review.document import Base
from sleepviewer.review.navigation import EpochWalk
from sleepviewer.stages import Stage, StageArray

N, RATE = 12, 100
START = datetime(2021, 3, 4, 22, 30)
TRUTH = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, -1]
MODEL = [0, 0, 1, 2, 2, 2, 3, 3, 3, 4, 0, 0]
OTHER = [0, 1, 1, 1, 2, 2, 3, 3, 2, 4, 1, 1]
MODEL_META = {"engine": "yasa", "version": "0.8.1", "weights_sha256": "cd" * 32, "channels": ["EEG C4"]}


def write_night(path: Path, n: int = N, start: datetime = START) -> Path:
    samples = np.round(np.random.default_rng(1).standard_normal(n * 30 * RATE) * 20, 1)
    return write_edf(path, [Signal("EEG C4", RATE, "uV", samples)], start=start, record_s=30)


def write_scored(path: Path, night: Path, stages: list[int], *, model: bool = True) -> Path:
    """An archive of a night whose model says these stages, or (without a model) whose labels they are."""
    with open_recording(night) as recording:
        meta = make_meta(recording, model=MODEL_META if model else None, base="model" if model else "none")
        labels = np.array(stages, dtype=np.int8)
        archive = build_archive(
            recording, "EEG C4", labels, meta=meta, proba=proba_of(stages) if model else None, corrected=labels
        )
    write_archive(path, archive)
    return path


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    """A night with an expert's hypnogram and a model's scoring."""
    assert window.open_path(write_night(tmp_path / "night.edf"))
    document = session_of(window).document
    document.set_truth(truth_of(TRUTH))
    document.set_prediction(prediction_of(MODEL))
    return window


def session_of(window: MainWindow) -> NightSession:
    assert window.session is not None
    return window.session


def part_of(window: MainWindow) -> RivalsPart:
    part = window.findChild(RivalsPart)
    assert isinstance(part, RivalsPart)
    return part


def compared(window: MainWindow) -> RivalsPart:
    """Keep the model's scoring, score again otherwise, and show the panel."""
    part = part_of(window)
    window.run_command("keep_scoring")
    session_of(window).document.set_prediction(prediction_of(OTHER))
    window.run_command("two_models")
    QApplication.processEvents()
    return part


def groups_of(part: RivalsPart) -> dict[str, int]:
    model = part.panel.groups.model()
    return {model.index(row, 0).data(): int(model.index(row, 1).data()) for row in range(model.rowCount())}


def listed(part: RivalsPart) -> list[int]:
    return [row.epoch for row in part.panel.table.epochs.rows]


def pick(part: RivalsPart, row: int) -> None:
    part.panel.groups.clicked.emit(part.panel.groups.model().index(row, 0))


# -- values


def test_two_scorings_are_counted_out() -> None:
    first, second = (Contender(name, np.array(s, np.int8)) for name, s in (("a", MODEL), ("b", OTHER)))
    truth = np.array(TRUTH, np.int8)
    duel = side_by_side(first, second, truth)
    assert duel.epochs(Group.BOTH_RIGHT).tolist() == [0, 2, 4, 5, 7, 9]
    assert duel.epochs(Group.ONLY_FIRST).tolist() == [1, 8]
    assert duel.epochs(Group.ONLY_SECOND).tolist() == [3]
    assert duel.epochs(Group.BOTH_WRONG).tolist() == [6, 10]
    assert duel.epochs(Group.DIFFER).tolist() == [1, 3, 8, 10, 11]
    assert duel.both == N
    for measured, stages in zip(duel.agreements, (MODEL, OTHER), strict=True):
        assert measured is not None
        assert measured.as_dict() == agreement(truth, np.array(stages, np.int8)).as_dict()
    assert duel.tally is not None
    assert duel.tally.p_value == pytest.approx(1.0)
    assert duel.title(Group.ONLY_SECOND) == "Only b right"


def test_without_a_reference_only_where_they_differ_is_known() -> None:
    first, second = (Contender(name, np.array(s, np.int8)) for name, s in (("a", MODEL), ("b", OTHER)))
    duel = side_by_side(first, second)
    assert duel.agreements == (None, None)
    assert not len(duel.epochs(Group.BOTH_RIGHT))
    assert len(duel.epochs(Group.DIFFER)) == 5
    unscored = side_by_side(first, second, np.full(N, -1, np.int8))
    assert unscored.agreements == (None, None)
    with pytest.raises(AlignmentError, match="a has 12 epochs and c 3"):
        side_by_side(first, Contender("c", np.zeros(3, np.int8)))


def test_a_contender_says_what_it_thinks() -> None:
    proba = proba_of([2, -1])
    proba[0] = (0.0, 0.1, 0.6, 0.3, 0.0)
    stages: StageArray = np.array([2, -1], np.int8)
    assert Contender("a", stages, proba).says(0) == "N2 0.60, else N3 0.30"
    assert Contender("a", stages, proba).says(1) == "?"
    assert Contender("a", stages).says(0) == "N2"
    assert engine_title("yasa") == "YASA"
    assert engine_title("attnsleep+context") == "AttnSleep + context"
    assert engine_title("somebody's") == "somebody's"


def test_of_an_archive_it_is_what_its_model_said(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf")
    path = write_scored(tmp_path / "second.npz", night, OTHER)
    with open_recording(night) as recording:
        contender = load_contender(recording, path)
        labels = load_contender(recording, write_scored(tmp_path / "labels.npz", night, TRUTH, model=False))
    assert contender.name == "second"
    assert contender.stages.tolist() == OTHER
    np.testing.assert_array_equal(contender.proba, proba_of(OTHER))
    assert "yasa 0.8.1 (cdcdcdcdcdcd)" in contender.origin
    assert labels.proba is None
    assert labels.stages.tolist()[:-1] == TRUTH[:-1]
    assert labels.notes[0] == "No model has scored labels.npz; its labels are shown."


def test_an_archive_is_laid_on_the_night_by_its_clock(tmp_path: Path) -> None:
    """A part of the night that was recorded as a file of its own, two epochs later."""
    night = write_night(tmp_path / "night.edf")
    late = write_night(tmp_path / "late.edf", 5, START + timedelta(seconds=60))
    path = write_scored(tmp_path / "late.npz", late, [1, 1, 2, 2, 3])
    off = write_night(tmp_path / "off.edf", 5, START + timedelta(seconds=75))
    off_path = write_scored(tmp_path / "off.npz", off, [1, 1, 2, 2, 3])
    with open_recording(night) as recording:
        contender, between = load_contender(recording, path), load_contender(recording, off_path)
    assert contender.stages.tolist() == [-1, -1, 1, 1, 2, 2, 3, -1, -1, -1, -1, -1]
    assert contender.proba is not None
    assert np.isfinite(contender.proba).all(axis=1).nonzero()[0].tolist() == [2, 3, 4, 5, 6]
    assert between.stages.shape == (N,)


# -- in the window


def test_a_kept_scoring_stays_beside_the_next_one(opened: MainWindow) -> None:
    session, part = session_of(opened), part_of(opened)
    opened.run_command("keep_scoring")
    assert [row.title for row in opened.page.night.scorers] == ["fake"]
    opened.run_command("keep_scoring")
    assert len(session.scorers) == 1
    assert "kept already" in opened.status_line.text
    session.document.set_prediction(prediction_of(OTHER))
    opened.run_command("two_models")
    QApplication.processEvents()
    assert session.scorers[0].stages.tolist() == MODEL
    assert groups_of(part) == {
        "Both right": 6,
        "Only Model right": 1,
        "Only fake right": 2,
        "Both wrong": 2,
        "The two differ": 5,
    }
    assert "McNemar's p for 1 against 2 is 1.000" in part.panel.text
    assert "too small" in part.panel.text


def test_before_a_night_is_scored_there_is_nothing_to_keep(window: MainWindow, tmp_path: Path) -> None:
    assert window.open_path(write_night(tmp_path / "night.edf"))
    assert not window.actions_["keep_scoring"].isEnabled()
    part_of(window).keep()
    assert "press S to score" in window.status_line.text
    window.run_command("two_models")
    QApplication.processEvents()
    assert "Two scorings of this night are needed" in part_of(window).panel.text


def test_a_picked_group_is_listed_and_d_steps_through_it(opened: MainWindow, qtbot: QtBot) -> None:
    session, part = session_of(opened), compared(opened)
    pick(part, 3)
    assert listed(part) == [6, 10]
    assert session.walk is not None
    assert session.walk.name == "Both wrong"
    opened.activateWindow()
    opened.setFocus()
    qtbot.keyClick(opened, Qt.Key.Key_D)
    assert session.epoch == 6
    qtbot.keyClick(opened, Qt.Key.Key_D)
    assert session.epoch == 10
    qtbot.keyClick(opened, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert session.epoch == 6
    row = part.panel.table.epochs.rows[0]
    assert row.cells[0] == "7"
    assert row.cells[2:] == (Stage.N2, Stage.N3, Stage.N3, "none")
    assert "Model: N3 0.90, else W 0.03" in part.panel.text
    part.panel.table.clicked.emit(part.panel.table.model().index(1, 0))
    assert session.epoch == 10
    part.panel.group_picked.emit(None)
    assert session.walk is None
    assert listed(part) == []


def test_groups_are_picked_from_the_keyboard(opened: MainWindow, qtbot: QtBot) -> None:
    part = compared(opened)
    opened.activateWindow()
    part.panel.groups.setFocus()
    qtbot.waitUntil(part.panel.groups.hasFocus)
    qtbot.keyClick(part.panel.groups, Qt.Key.Key_Down)
    qtbot.keyClick(part.panel.groups, Qt.Key.Key_Down)
    walk = session_of(opened).walk
    assert walk is not None
    assert walk.name in groups_of(part)
    assert listed(part) == walk.epochs.tolist()
    qtbot.keyClick(part.panel.groups, Qt.Key.Key_2)
    assert session_of(opened).document.edits, "a digit sets the stage, whoever has the keyboard"


def test_another_list_takes_d_over(opened: MainWindow) -> None:
    part = compared(opened)
    pick(part, 0)
    session_of(opened).set_walk(EpochWalk("another", np.array([1])))
    assert listed(part) == []
    assert not part.panel.groups.selectionModel().hasSelection()


def test_a_closed_panel_gives_d_back(opened: MainWindow) -> None:
    part = compared(opened)
    pick(part, 0)
    opened.panels["rivals"].close()
    QApplication.processEvents()
    assert session_of(opened).walk is None
    assert listed(part) == []


def test_final_labels_are_followed_edit_by_edit(opened: MainWindow) -> None:
    session, part = session_of(opened), compared(opened)
    box = next(b for b in part.panel.findChildren(QComboBox) if b.accessibleName() == "Measured by")
    box.setCurrentIndex(1)
    box.activated.emit(1)
    pick(part, 3)
    assert listed(part) == [6, 10]
    session.document.set_stage([6], Stage.N3)
    assert groups_of(part)["Both wrong"] == 1
    assert groups_of(part)["Both right"] == 7
    assert listed(part) == [6, 10], "the list stays while she corrects it"
    assert part.panel.table.epochs.rows[0].cells[2] is Stage.N3
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert groups_of(part)["Both wrong"] == 2


def test_the_models_own_labels_do_not_prove_it_right(window: MainWindow, tmp_path: Path) -> None:
    assert window.open_path(write_night(tmp_path / "night.edf"))
    document = session_of(window).document
    document.set_prediction(prediction_of(MODEL))
    assert document.base is Base.MODEL
    part = compared(window)
    assert "No expert's hypnogram is open" in part.panel.text
    assert groups_of(part) == {"The two differ": 5}
    box = next(b for b in part.panel.findChildren(QComboBox) if b.accessibleName() == "Measured by")
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert "You have labelled no epoch yourself" in part.panel.text
    document.set_stage([3], Stage.N1)
    assert "Only epochs that you labelled yourself count" in part.panel.text
    assert groups_of(part)["Only Model right"] == 1
    assert groups_of(part)["Both right"] == 0


def test_any_two_scorings_are_chosen(opened: MainWindow, tmp_path: Path) -> None:
    part = part_of(opened)
    night = session_of(opened).night.recording.path
    assert part.open(write_scored(tmp_path / "before.npz", night, MODEL))
    assert part.open(write_scored(tmp_path / "after.npz", night, OTHER))
    QApplication.processEvents()
    assert [row.title for row in opened.page.night.scorers] == ["before", "after"]
    assert "Only after right" in groups_of(part)
    first = next(b for b in part.panel.findChildren(QComboBox) if b.accessibleName() == "First model")
    assert [first.itemText(i) for i in range(first.count())] == ["Model: fake", "before", "after"]
    first.setCurrentIndex(1)
    first.activated.emit(1)
    assert groups_of(part)["Only before right"] == 2
    assert "after: W 0.90, else N1 0.03" in part.panel.text
    first.setCurrentIndex(2)
    first.activated.emit(2)
    assert (part.panel.first, part.panel.second) == (2, 1), "who takes the other's scoring changes places with it"


def test_a_row_that_is_taken_away_is_compared_no_more(opened: MainWindow) -> None:
    part = compared(opened)
    pick(part, 0)
    opened.run_command("drop_scorers")
    assert "Two scorings of this night are needed" in part.panel.text
    assert session_of(opened).walk is None


def test_another_night_has_no_second_model_yet(opened: MainWindow, tmp_path: Path) -> None:
    part = compared(opened)
    pick(part, 0)
    assert opened.open_path(write_night(tmp_path / "next.edf"))
    QApplication.processEvents()
    assert session_of(opened).scorers == ()
    assert "Two scorings of this night are needed" in part.panel.text
    assert listed(part) == []


def test_trouble_with_a_file_is_told_and_changes_nothing(
    opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no")
    monkeypatch.setattr(dialogs, "ask_rival", lambda *_: broken)
    opened.run_command("open_rival")
    assert "broken.npz" in opened.info_bar.text
    assert session_of(opened).scorers == ()


def test_a_hidden_panel_does_nothing(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    part = compared(opened)
    opened.panels.show("review")
    QApplication.processEvents()
    calls: list[str] = []
    monkeypatch.setattr(part, "_refresh", lambda: calls.append("refresh"))
    monkeypatch.setattr(part.panel, "show_epoch", lambda *_: calls.append("epoch"))
    session_of(opened).go_to(3)
    session_of(opened).document.set_prediction(prediction_of(MODEL))
    assert calls == []
    opened.panels.show("rivals")
    QApplication.processEvents()
    assert calls == ["refresh"]


def test_epochs_of_other_nights_are_opened_and_not_gone_to(qtbot: QtBot) -> None:
    table = EpochTable("epochs", ("Epoch", "Time"), LIGHT)
    qtbot.addWidget(table)
    table.show_rows([EpochRow(4, ("5", "22:32:00")), EpochRow(4, ("5", "—"), "other.npz")])
    table.show()
    table.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    gone: list[int] = []
    opened: list[tuple[str, int]] = []
    table.picked.connect(gone.append)
    table.elsewhere_picked.connect(lambda night, epoch: opened.append((night, epoch)))
    at = table.visualRect(table.model().index(1, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at))
    assert gone == []
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened == [("other.npz", 4)]
    table.select_epoch(4)
    assert table.currentIndex().row() == 0
    assert gone == []
    table.select_epoch(9)
    assert not table.selectionModel().hasSelection()


def test_a_long_list_follows_the_epoch(qtbot: QtBot) -> None:
    table = EpochTable("epochs", ("Epoch", "Time"), LIGHT)
    qtbot.addWidget(table)
    table.resize(300, 200)
    table.show_rows([EpochRow(epoch, (str(epoch + 1), "—")) for epoch in range(200)])
    table.show()
    gone: list[int] = []
    table.picked.connect(gone.append)
    table.select_epoch(150)
    row = table.visualRect(table.model().index(150, 0))
    assert table.viewport().rect().contains(row)
    assert gone == []
