"""Reviewing in the order of doubt: the mode and its keys, the budget, the expectation, and the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QPushButton, QTableView
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.review_values import prediction_of, truth_of
from sleepviewer.analysis.review_plan import Budget, BudgetKind
from sleepviewer.app.review.budget_bar import BudgetBar, budget_from_json, budget_to_json
from sleepviewer.app.review.queue_tab import ReviewTab
from sleepviewer.app.session import NightSession
from sleepviewer.app.window import MainWindow
from sleepviewer.recording.quality import assess_epochs
from sleepviewer.review.edits import NOT_CORRECTED
from sleepviewer.review.review_queue import DEFAULT_BUDGET
from sleepviewer.stages import Stage

N = 24
DOUBTFUL = {20: 0.4, 4: 0.5, 12: 0.6}
"""Epochs that the model is unsure of, and how sure it is; the most doubtful first."""
CONTROL, KEYPAD = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.KeypadModifier
MakeWindow = Callable[[], MainWindow]


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    samples = np.round(np.random.default_rng(0).standard_normal(N * 30 * 100) * 30, 1)
    assert window.open_path(write_edf(tmp_path / "night.edf", [Signal("EEG C4", 100, "uV", samples)], record_s=30))
    return window


@pytest.fixture
def scored(opened: MainWindow) -> MainWindow:
    score(opened)
    return opened


def score(window: MainWindow) -> None:
    certain = [DOUBTFUL.get(epoch, 0.97) for epoch in range(N)]
    session_of(window).document.set_prediction(prediction_of([2] * N, certain))


def session_of(window: MainWindow) -> NightSession:
    assert window.session is not None
    return window.session


def tab_of(window: MainWindow) -> ReviewTab:
    tab = window.page.panel.review_tab
    window.page.panel.setCurrentWidget(tab)
    return tab


def corrected_of(window: MainWindow) -> dict[int, int]:
    layer = session_of(window).document.corrected
    return {int(e): int(layer[e]) for e in np.flatnonzero(layer != NOT_CORRECTED)}


def test_in_the_mode_one_key_accepts_or_corrects_and_goes_to_the_next_in_doubt(
    qtbot: QtBot, scored: MainWindow
) -> None:
    session = session_of(scored)
    qtbot.keyClick(scored, Qt.Key.Key_U, CONTROL)
    assert session.in_order
    assert session.epoch == 20
    assert "REVIEWING IN ORDER" in scored.status_line.text
    assert "Reviewing in order of doubt" in tab_of(scored).text
    qtbot.keyClick(scored, Qt.Key.Key_Return)
    assert session.epoch == 4
    qtbot.keyClick(scored, Qt.Key.Key_3)
    assert session.epoch == 12
    qtbot.keyClick(scored, Qt.Key.Key_1, KEYPAD)
    assert corrected_of(scored) == {20: Stage.N2, 4: Stage.N3, 12: Stage.N1}
    assert session.epoch not in (20, 4, 12, 13)


@pytest.mark.parametrize("end", ["esc", "command", "button"])
def test_without_the_mode_the_keys_are_as_before(qtbot: QtBot, scored: MainWindow, end: str) -> None:
    session = session_of(scored)
    scored.run_command("review_in_order")
    button = next(b for b in tab_of(scored).findChildren(QPushButton) if b.isCheckable())
    assert button.isChecked()
    assert scored.actions_["review_in_order"].isChecked()
    if end == "esc":
        qtbot.keyClick(scored, Qt.Key.Key_Escape)
    elif end == "command":
        qtbot.keyClick(scored, Qt.Key.Key_U, CONTROL)
    else:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not session.in_order
    assert not button.isChecked()
    assert not scored.actions_["review_in_order"].isChecked()
    assert "REVIEWING" not in scored.status_line.text
    assert "Reviewing in order" not in tab_of(scored).text
    qtbot.keyClick(scored, Qt.Key.Key_Return)
    assert session.epoch == 20, "Enter stays"
    qtbot.keyClick(scored, Qt.Key.Key_2, KEYPAD)
    assert session.epoch == 21, "the keypad goes along the night"


def test_undo_in_the_mode_goes_back_and_the_next_edit_on_to_what_waits(qtbot: QtBot, scored: MainWindow) -> None:
    session = session_of(scored)
    scored.run_command("review_in_order")
    qtbot.keyClick(scored, Qt.Key.Key_Return)
    assert session.epoch == 4
    qtbot.keyClick(scored, Qt.Key.Key_Z, CONTROL)
    assert session.epoch == 20
    qtbot.keyClick(scored, Qt.Key.Key_W)
    assert corrected_of(scored) == {20: Stage.W}
    assert session.epoch in (19, 21, 4)
    assert session.epoch == 4, "the epoch that was offered still waits"


def test_u_passes_over_in_the_mode_and_shift_u_comes_back(qtbot: QtBot, scored: MainWindow) -> None:
    session = session_of(scored)
    scored.run_command("review_in_order")
    qtbot.keyClick(scored, Qt.Key.Key_U)
    assert session.epoch == 4
    qtbot.keyClick(scored, Qt.Key.Key_U, Qt.KeyboardModifier.ShiftModifier)
    assert session.epoch == 20
    assert corrected_of(scored) == {}


def test_esc_cancels_a_scoring_before_it_ends_the_mode(qtbot: QtBot, scored: MainWindow) -> None:
    scored.run_command("review_in_order")
    scored.actions_["cancel_scoring"].setEnabled(True)
    for part in scored.parts:
        part.enabled()
    qtbot.keyClick(scored, Qt.Key.Key_Escape)
    assert session_of(scored).in_order


def test_esc_in_a_field_gives_the_keyboard_back_and_keeps_the_mode(qtbot: QtBot, scored: MainWindow) -> None:
    scored.run_command("review_in_order")
    (amount,) = tab_of(scored).findChildren(QDoubleSpinBox)
    amount.setFocus()
    qtbot.keyClick(amount, Qt.Key.Key_Escape)
    assert session_of(scored).in_order
    assert not amount.hasFocus()
    qtbot.keyClick(scored, Qt.Key.Key_Escape)
    assert not session_of(scored).in_order


def test_the_mode_needs_a_scoring_and_ends_with_the_night(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    assert not opened.actions_["review_in_order"].isEnabled()
    opened.run_command("review_in_order")
    assert not session_of(opened).in_order
    assert "press S" in opened.status_line.text
    assert "Score the night" in tab_of(opened).text
    score(opened)
    opened.run_command("review_in_order")
    assert session_of(opened).in_order
    assert opened.open_path(session_of(opened).night.recording.path)
    assert not session_of(opened).in_order
    assert not opened.actions_["review_in_order"].isChecked()
    assert "REVIEWING" not in opened.status_line.text


def test_an_epoch_that_the_model_did_not_score_is_not_accepted_and_not_left(qtbot: QtBot, opened: MainWindow) -> None:
    session = session_of(opened)
    session.document.set_prediction(prediction_of([2] * (N - 1) + [-1]))
    opened.run_command("review_in_order")
    session.go_to(N - 1)
    qtbot.keyClick(opened, Qt.Key.Key_Return)
    assert session.epoch == N - 1
    assert "set a stage yourself" in opened.status_line.text
    qtbot.keyClick(opened, Qt.Key.Key_1)
    assert session.epoch != N - 1


def test_the_table_lists_what_is_left_and_a_row_goes_there(qtbot: QtBot, scored: MainWindow) -> None:
    tab = tab_of(scored)
    (table,) = tab.findChildren(QTableView)
    model = table.model()

    def column(place: int) -> list[str]:
        return [model.index(row, place).data() for row in range(model.rowCount())]

    assert column(0)[:3] == ["21", "5", "13"]
    assert len(column(0)) == N
    gains = [float(gain) for gain in column(5)]
    assert gains == sorted(gains, reverse=True)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(model.index(1, 0)).center())
    session = session_of(scored)
    assert session.epoch == 4
    session.document.set_stage([4], Stage.W)
    assert "5" not in column(0)
    assert column(0)[0] in ("21", "4", "6"), "its neighbours rise"
    assert "edge" in {row[6] for row in zip(*[column(i) for i in range(7)], strict=True) if row[0] in ("4", "6")}


def test_expectation_and_progress_follow_the_budget_and_the_edits(qtbot: QtBot, scored: MainWindow) -> None:
    session, tab = session_of(scored), tab_of(scored)
    session.document.set_prediction(prediction_of([2] * 12 + [4] * 12, [0.6] * N))
    (kind,) = tab.findChildren(QComboBox)
    (amount,) = tab.findChildren(QDoubleSpinBox)
    kind.setCurrentIndex(kind.findData(BudgetKind.PERCENT))
    kind.activated.emit(kind.currentIndex())
    amount.setValue(25)
    assert session.queue.budget == Budget(BudgetKind.PERCENT, 25)
    assert "After 6 epochs more" in tab.text
    assert "0 of 6 reviewed" in tab.text
    assert "not calibrated: an estimate" in tab.text
    assert "60 % right" in tab.text
    assert "assumed" in tab.text
    for _ in range(6):
        scored.run_command("next_doubt")
        scored.run_command("accept")
    assert "6 reviewed: the budget is done" in tab.text
    assert "70 % right" in tab.text
    scored.run_command("undo")
    assert "5 of 6 reviewed" in tab.text


def test_the_end_of_the_budget_is_said_in_the_mode(qtbot: QtBot, scored: MainWindow) -> None:
    tab_of(scored).budget.budget_chosen.emit(Budget(BudgetKind.PERCENT, 8))
    scored.run_command("review_in_order")
    qtbot.keyClick(scored, Qt.Key.Key_Return)
    assert "budget" not in scored.status_line.text
    qtbot.keyClick(scored, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "The budget is done (8 %)" in scored.status_line.text)
    assert session_of(scored).in_order, "she may go on"


def test_the_agreement_with_the_expert_is_shown_beside_the_expected_one(scored: MainWindow) -> None:
    tab = tab_of(scored)
    assert "expert" not in tab.text
    session_of(scored).document.set_truth(truth_of([2] * 20 + [0] * 4))
    assert "By the expert's hypnogram now: κ 0.00" in tab.text
    session_of(scored).document.set_stage([20, 21, 22, 23], Stage.W)
    assert "By the expert's hypnogram now: κ 1.00" in tab.text


def test_the_table_follows_the_epoch_once_pages_rest(qtbot: QtBot, scored: MainWindow) -> None:
    (table,) = tab_of(scored).findChildren(QTableView)
    for epoch in (3, 4, 12):
        session_of(scored).go_to(epoch)

    def selected() -> list[str]:
        return [index.data() for index in table.selectionModel().selectedRows()]

    qtbot.waitUntil(lambda: selected() == ["13"])
    session_of(scored).document.accept_model([12])
    qtbot.waitUntil(lambda: selected() == [])


def test_a_second_engines_scoring_is_named(scored: MainWindow) -> None:
    document = session_of(scored).document
    assert document.prediction is not None
    assert "second opinion" not in tab_of(scored).text
    document.set_prediction(replace(document.prediction, engine="other"))
    assert "fake counts as a second opinion" in tab_of(scored).text


def test_a_hidden_tab_does_nothing_and_catches_up_when_it_is_seen(scored: MainWindow) -> None:
    tab = tab_of(scored)
    scored.page.panel.setCurrentIndex(0)
    (table,) = tab.findChildren(QTableView)
    session_of(scored).document.accept_model([20])
    assert table.model().rowCount() == N
    scored.page.panel.setCurrentWidget(tab)
    assert table.model().rowCount() == N - 1


def test_neighbours_are_kept_together_where_that_is_wanted(qtbot: QtBot, scored: MainWindow) -> None:
    session = session_of(scored)
    certain = [0.97] * N
    certain[8:11] = [0.6, 0.5, 0.55]
    session.document.set_prediction(prediction_of([2] * N, certain))
    assert session.queue.order[0] == 9
    (box,) = tab_of(scored).findChildren(QCheckBox)
    box.click()
    assert session.queue.order[:3].tolist() == [8, 9, 10]
    assert scored.actions_["review_together"].isChecked()
    scored.run_command("review_together")
    assert not box.isChecked()
    assert session.queue.order[0] == 9


def test_budget_and_grouping_are_remembered(make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window()
    window.page.panel.review_tab.budget_chosen.emit(Budget(BudgetKind.MINUTES, 35))
    window.run_command("review_together")
    window.close()
    window = make_window()
    samples = np.zeros(N * 30 * 100)
    assert window.open_path(write_edf(tmp_path / "night.edf", [Signal("EEG C4", 100, "uV", samples)], record_s=30))
    assert session_of(window).queue.budget == Budget(BudgetKind.MINUTES, 35)
    assert session_of(window).queue.together


@pytest.mark.parametrize(
    "kept", [{}, {"kind": "weeks", "amount": 3}, {"kind": "kappa", "amount": 7}, {"kind": "minutes"}, {"kind": []}]
)
def test_a_damaged_budget_is_the_usual_one(kept: dict[str, object]) -> None:
    assert budget_from_json(kept, DEFAULT_BUDGET) == DEFAULT_BUDGET


def test_a_budget_is_kept_as_it_is(qtbot: QtBot) -> None:
    bar = BudgetBar()
    qtbot.addWidget(bar)
    for budget in (Budget(BudgetKind.KAPPA, 0.93), Budget(BudgetKind.MINUTES, 45), Budget(BudgetKind.PERCENT, 12)):
        bar.show_budget(budget)
        assert bar.budget == budget_from_json(budget_to_json(budget), DEFAULT_BUDGET) == budget


def why_of(window: MainWindow) -> list[tuple[str, str, str]]:
    """Epoch, word and tool tip of each row of the queue."""
    model = tab_of(window).findChild(QTableView).model()
    last = model.columnCount() - 1
    return [
        (
            model.index(row, 0).data(),
            model.index(row, last).data(),
            model.index(row, last).data(Qt.ItemDataRole.ToolTipRole) or "",
        )
        for row in range(model.rowCount())
    ]


def test_poor_signal_is_a_reason_to_look(scored: MainWindow) -> None:
    samples = (np.random.default_rng(0).standard_normal((N, 3000)) * 30).astype(np.float32)
    samples[4, :500] = np.random.default_rng(1).standard_normal(500) * 900
    before = [epoch for epoch, _, _ in why_of(scored)]
    session_of(scored).quality = assess_epochs(samples, 100.0)
    rows = {epoch: (word, tip) for epoch, word, tip in why_of(scored)}
    assert list(rows) == before  # it says why, and changes no order
    assert rows["5"][0] == "signal"
    assert rows["5"][1].startswith("Poor signal: 5 s extreme amplitude")
    assert rows["21"][0] != "signal"
    session_of(scored).quality = None
    assert "signal" not in {word for _, word, _ in why_of(scored)}


def test_no_agreement_is_expected_beyond_what_was_validated(opened: MainWindow) -> None:
    session = session_of(opened)
    session.document.set_prediction(replace(prediction_of([2] * N, [0.9] * N), unvalidated=("it is short",)))
    text = tab_of(opened).text
    assert "not validated for this recording" in text
    assert "it is short" in text
    assert "κ" not in text.split("\n")[0]
