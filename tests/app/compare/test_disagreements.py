"""Agreement, the list of disagreements, the lines, suspect labels and the night's figures, in the window."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from click.testing import CliRunner
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from helpers.real_scoring import ScoredNight
from helpers.review_values import prediction_of, proba_of, truth_of
from sleepviewer.analysis.provenance import TrainingRecord
from sleepviewer.analysis.selection import ErrorFilter
from sleepviewer.analysis.shifts import Kind
from sleepviewer.analysis.statistics import STATISTIC_TITLES
from sleepviewer.app.compare.disagreements_feature import DisagreementsPart
from sleepviewer.app.compare.disagreements_panel import DisagreementsPanel
from sleepviewer.app.compare.disagreements_table import (
    BOUT,
    CONFIDENCE,
    DISTANCE,
    EDITED,
    EPOCH,
    HOUR,
    JUDGED,
    KIND,
    RANK,
    REFERENCE,
    SIGNAL,
    TIME,
)
from sleepviewer.app.main import settle
from sleepviewer.app.review.agreement_tab import AgreementTab
from sleepviewer.app.review.confusion_matrix import Shown
from sleepviewer.app.review.statistics_tab import NightTab
from sleepviewer.app.session import NightSession
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.background import Background
from sleepviewer.cli import main
from sleepviewer.hypnogram import Hypnogram, write_hypnogram
from sleepviewer.review.comparison import Pairing, document_statistics
from sleepviewer.review.navigation import EpochWalk
from sleepviewer.scoring.base import Prediction
from sleepviewer.simulation import SimulatedNight, simulate_night
from sleepviewer.stages import SCORED_STAGES, Stage

CONTROL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
HOURS = 2.0
N = 240


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> SimulatedNight:
    return simulate_night(tmp_path_factory.mktemp("simulated"), hours=HOURS)


def guess(truth: np.ndarray, seed: int = 0) -> Prediction:
    """A scoring that differs from the truth here and there, and is surer where it does not."""
    random = np.random.default_rng(seed)
    told = np.where(random.random(len(truth)) < 0.25, random.integers(0, 5, len(truth)), truth)
    certainties = np.where(told == truth, 0.8, 0.35 + 0.6 * random.random(len(truth)))
    return prediction_of(told.tolist(), certainties.tolist())


@pytest.fixture
def opened(window: MainWindow, simulated: SimulatedNight) -> MainWindow:
    assert window.open_path(simulated.psg_path, truth=simulated.hypnogram_path)
    window.resize(1366, 768)
    session_of(window).document.set_prediction(guess(simulated.stages))
    QApplication.processEvents()
    return window


@pytest.fixture
def listed(opened: MainWindow) -> MainWindow:
    """The list is in view, and the signal is measured."""
    opened.run_command("disagreements_panel")
    settle(opened)
    return opened


def session_of(window: MainWindow) -> NightSession:
    assert window.session is not None
    return window.session


def part_of(window: MainWindow) -> DisagreementsPart:
    (part,) = [part for part in window.parts if isinstance(part, DisagreementsPart)]
    return part


def panel_of(window: MainWindow) -> DisagreementsPanel:
    return part_of(window).panel


def differing(window: MainWindow) -> list[int]:
    document = session_of(window).document
    assert document.truth is not None
    assert document.prediction is not None
    return np.flatnonzero(document.truth.stages != document.prediction.stages).tolist()


def column(window: MainWindow, which: int) -> list[str]:
    model = panel_of(window).model
    return [str(model.index(row, which).data()) for row in range(model.rowCount())]


def agreement_of(window: MainWindow) -> AgreementTab:
    window.page.panel.show_matrix()
    return window.page.panel.agreement_tab


def night_of(window: MainWindow) -> NightTab:
    window.page.panel.setCurrentWidget(window.page.panel.night_tab)
    return window.page.panel.night_tab


# -- the same numbers everywhere


def by_command(*args: object) -> dict[str, object]:
    outcome = CliRunner().invoke(main, [*map(str, args), "--json"])
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def check_figures(tab: AgreementTab, told: dict, truth: np.ndarray, model: np.ndarray) -> None:
    """What the tab shows is what the command line prints and what scikit-learn computes."""
    from sklearn import metrics

    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    both = (truth >= 0) & (model >= 0)
    pair = truth[both], model[both]
    order = [0, 4, 1, 2, 3]  # W REM N1 N2 N3
    steps = [np.argsort(order)[stages] for stages in pair]
    theirs = {
        "accuracy": metrics.accuracy_score(*pair),
        "balanced_accuracy": metrics.balanced_accuracy_score(*pair),
        "kappa": metrics.cohen_kappa_score(*pair),
        "kappa_linear": metrics.cohen_kappa_score(*steps, weights="linear"),
        "kappa_quadratic": metrics.cohen_kappa_score(*steps, weights="quadratic"),
        "mcc": metrics.matthews_corrcoef(*pair),
        "macro_f1": metrics.f1_score(*pair, average="macro"),
    }
    figures = tab.figures
    for name, value in theirs.items():
        assert figures[name] == shown(told[name]) == shown(value), name
    assert figures["mgm"] == shown(told["mgm"])
    scores = metrics.precision_recall_fscore_support(*pair, labels=range(5), zero_division=np.nan)
    for name, values in zip(("precision", "recall", "f1"), scores, strict=False):
        for stage in SCORED_STAGES:
            assert figures[f"{name} {stage.label}"] == shown(told[name][stage.label])
            if not np.isnan(values[stage]):
                assert figures[f"{name} {stage.label}"] == shown(values[stage])
    counts = metrics.confusion_matrix(*pair, labels=range(5))
    assert told["confusion"] == counts.tolist()
    cells = [(row, column) for row in range(5) for column in range(5)]
    tab.choose(tab.pairing, Shown.COUNTS)
    assert [tab.matrix.cell_text(*cell) for cell in cells] == [str(counts[cell]) for cell in cells]
    for shares, how in ((Shown.ROWS, "true"), (Shown.COLUMNS, "pred")):
        with np.errstate(invalid="ignore"):
            expected = 100 * counts / counts.sum(axis=1 if how == "true" else 0, keepdims=True, dtype=float).clip(1e-12)
        tab.choose(tab.pairing, shares)
        empty = counts.sum(axis=1 if how == "true" else 0) == 0
        for row, column_ in cells:
            nothing = empty[row if how == "true" else column_]
            assert tab.matrix.cell_text(row, column_) == ("–" if nothing else f"{expected[row, column_]:.1f}")


def test_the_tabs_figures_are_the_command_lines_and_scikit_learns(opened: MainWindow, tmp_path: Path) -> None:
    document = session_of(opened).document
    assert document.truth is not None
    assert document.prediction is not None
    files = []
    for name, stages in (("truth", document.truth.stages), ("model", document.prediction.stages)):
        files.append(tmp_path / f"{name}.csv")
        write_hypnogram(Hypnogram(stages, document.truth.start, name), files[-1])
    told = by_command("compare", *files)
    check_figures(agreement_of(opened), told, document.truth.stages, document.prediction.stages)


@pytest.mark.real_data
def test_the_real_nights_figures_are_the_command_lines(
    window: MainWindow, real_night: Path, real_truth: Path, scored_real: ScoredNight
) -> None:
    assert window.open_path(real_night, truth=real_truth, labels=scored_real.path)
    told = by_command("compare", real_truth, scored_real.path)
    document = session_of(window).document
    assert document.truth is not None
    assert document.prediction is not None
    check_figures(agreement_of(window), told, document.truth.stages, document.prediction.stages)


@pytest.mark.real_data
def test_the_real_nights_lists_are_those_of_an_analysis(
    qtbot: QtBot, window: MainWindow, real_night: Path, real_truth: Path, scored_real: ScoredNight, tmp_path: Path
) -> None:
    outcome = CliRunner().invoke(main, ["analyse", str(scored_real.path), "--out", str(tmp_path / "analysis")])
    assert outcome.exit_code == 0, outcome.output

    def table(name: str) -> list[dict[str, str]]:
        with (tmp_path / "analysis" / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    assert window.open_path(real_night, truth=real_truth, labels=scored_real.path)
    tab = night_of(window)
    for row in table("statistics"):
        shown = tab.figures[row["scorer"].capitalize()]
        for name, text in shown.items():
            value = row[name]
            assert text == (f"{float(value):.{len(text.partition('.')[2])}f}" if value else "–"), name
    window.run_command("disagreements_panel")
    settle(window)
    rows = table("disagreements")
    for which, texts in {
        EPOCH: [row["epoch"] for row in rows],
        TIME: [row["clock"].rpartition("T")[2] for row in rows],
        REFERENCE: [row["truth"] for row in rows],
        JUDGED: [row["predicted"] for row in rows],
        CONFIDENCE: [f"{1 - float(row['doubt']):.2f}" for row in rows],
        DISTANCE: [row["distance"] for row in rows],
        HOUR: [str(int(row["hour"]) + 1) for row in rows],
        BOUT: [row["bout_epochs"] for row in rows],
        SIGNAL: [row["signal"] for row in rows],
    }.items():
        assert column(window, which) == texts, which
    assert [row["kind"] in text for row, text in zip(rows, column(window, KIND), strict=True)] == [True] * len(rows)
    window.run_command("suspect_labels")
    qtbot.waitUntil(lambda: "never saw" in panel_of(window).told)
    assert column(window, EPOCH) == [row["epoch"] for row in table("suspects")]
    assert column(window, RANK) == [row["rank"] for row in table("suspects")]


def test_figures_follow_each_edit(opened: MainWindow) -> None:
    tab = agreement_of(opened)
    tab.choose(Pairing.MODEL_LABELS)
    session = session_of(opened)
    before = float(tab.figures["accuracy"])
    assert session.document.accept_model(list(range(N))) is not None
    assert tab.figures["accuracy"] == "1.000" != f"{before:.3f}"
    opened.run_command("undo")
    assert tab.figures["accuracy"] == f"{before:.3f}"
    session.document.set_prediction(None)
    assert "nothing to compare yet" in tab.text
    assert set(tab.figures.values()) == {"–"}
    assert not tab.matrix.isVisible()


def test_the_nights_figures_are_those_of_the_reports(opened: MainWindow) -> None:
    session = session_of(opened)
    tab = night_of(opened)
    session.document.add_event("arousal", 3000, 3010)
    session.document.set_stage([0, 1], Stage.N1)
    expected = document_statistics(session.document)
    names = {"Expert": "expert", "Model": "model", "Yours": "corrected"}
    assert list(tab.figures) == list(names)
    counts = ("awakenings", "stage_shifts", "cycles", "arousals")
    for shown, name in names.items():
        for figure in STATISTIC_TITLES:
            value = expected[name][figure]
            text = "–" if value is None else f"{value:.{0 if figure in counts else 1}f}"
            assert tab.figures[shown][figure] == text, figure
    assert tab.figures["Expert"]["arousals"] == "1"


def test_further_scorers_have_columns_of_their_own(opened: MainWindow) -> None:
    session = session_of(opened)
    tab = night_of(opened)
    asleep, nothing = np.full(N, 2, np.int8), np.full(N, -1, np.int8)
    session.scorers = (Hypnogram(asleep, None, "a", "expert"), Hypnogram(nothing, None, "b", "bert"))
    assert list(tab.figures) == ["Expert", "Model", "expert", "bert"]
    assert tab.figures["expert"]["se_percent"] == "100.0"
    assert tab.figures["bert"]["trt_min"] == tab.figures["bert"]["unscored_min"] == "120.0"
    rest = [text for name, text in tab.figures["bert"].items() if name not in ("trt_min", "unscored_min")]
    assert set(rest) == {"–"}


# -- the matrix


def test_a_click_on_a_cell_lists_its_epochs_and_d_steps_through_them(qtbot: QtBot, opened: MainWindow) -> None:
    session, tab = session_of(opened), agreement_of(opened)
    document = session.document
    assert document.truth is not None
    assert document.prediction is not None
    pairs = list(zip(document.truth.stages.tolist(), document.prediction.stages.tolist(), strict=True))
    cell = max({pair for pair in pairs if pair[0] != pair[1]}, key=pairs.count)
    epochs = [epoch for epoch, pair in enumerate(pairs) if pair == cell]
    qtbot.mouseClick(tab.matrix, Qt.MouseButton.LeftButton, pos=tab.matrix.rect_of(*cell).center().toPoint())
    panel = panel_of(opened)
    assert panel.isVisible()
    assert panel.shown.tolist() == epochs
    assert f"{len(epochs)} of {len(differing(opened))} disagreements" in panel.summary
    assert "D steps through this list" in panel.summary
    session.go_to(0)
    for epoch in epochs[:3]:
        qtbot.keyClick(opened, Qt.Key.Key_D)
        assert session.epoch == epoch
        assert panel.table.currentIndex().row() == epochs.index(epoch)
    assert "3 of" in opened.status_line.text
    qtbot.keyClick(opened, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert session.epoch == epochs[1]


def test_the_matrix_is_picked_from_by_the_keyboard(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_M, CONTROL_SHIFT)
    tab = opened.page.panel.agreement_tab
    qtbot.waitUntil(tab.matrix.hasFocus)
    epoch = session_of(opened).epoch
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(tab.matrix, key)
    assert tab.matrix.cell == (2, 2)
    assert session_of(opened).epoch == epoch, "the arrows are the matrix's"
    assert "expert N2, model N2" in tab.matrix.accessibleDescription()
    qtbot.keyClick(tab.matrix, Qt.Key.Key_Return)
    document = session_of(opened).document
    assert document.truth is not None
    assert document.prediction is not None
    agreed = (document.truth.stages == 2) & (document.prediction.stages == 2)
    assert panel_of(opened).shown.tolist() == np.flatnonzero(agreed).tolist()
    assert "agreements" in panel_of(opened).summary
    assert not document.edited.any(), "Enter did not accept the model's stage"
    qtbot.keyClick(tab.matrix, Qt.Key.Key_W)
    assert document.corrected[epoch] == Stage.W, "letters stay the window's"


def test_a_cell_of_another_pair_is_listed_of_that_pair(opened: MainWindow) -> None:
    session, tab = session_of(opened), agreement_of(opened)
    session.document.set_stage([3, 4, 5], Stage.REM)
    tab.choose(Pairing.LABELS_EXPERT)
    assert session.document.truth is not None
    truth = int(session.document.truth.stages[4])
    tab.matrix.cell_picked.emit(truth, int(Stage.REM))
    panel = panel_of(opened)
    assert panel.pairing is Pairing.LABELS_EXPERT
    assert set(panel.shown.tolist()) <= {3, 4, 5}
    assert 4 in panel.shown
    assert column(opened, CONFIDENCE)[0] == "–", "the model has no part in it"
    assert [panel.model.headerData(c, Qt.Orientation.Horizontal) for c in (3, 4)] == ["Expert", "Final"]


# -- the list


def test_the_list_is_every_disagreement_with_what_is_known_of_it(listed: MainWindow) -> None:
    panel, epochs = panel_of(listed), differing(listed)
    assert panel.shown.tolist() == epochs
    assert panel.summary == f"All {len(epochs)} disagreements are listed. D steps through them."
    assert column(listed, EPOCH) == [str(epoch + 1) for epoch in epochs]
    found = part_of(listed)._comparison
    assert found is not None
    assert column(listed, SIGNAL) == [found.row(epoch).signal for epoch in epochs]
    assert "unknown" not in column(listed, SIGNAL)
    kinds = [text.split()[1] for text in column(listed, KIND)]
    assert kinds == [str(found.row(epoch).kind).split()[0] for epoch in epochs]
    assert column(listed, CONFIDENCE) == [f"{found.row(epoch).p_predicted:.2f}" for epoch in epochs]


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("kinds", frozenset(Kind) - {Kind.SHIFT}, ErrorFilter(kinds=frozenset(Kind) - {Kind.SHIFT})),
        ("confidence", (0.9, 1.0), ErrorFilter(confidence=(0.9, 1.0))),
        ("distance", (0, 1), ErrorFilter(distance=(0, 1))),
        ("hour", (1, 1), ErrorFilter(hour=(1, 1))),
        ("signal", "good", ErrorFilter(signal="good")),
        ("edited", True, ErrorFilter(edited=True)),
    ],
)
def test_filters_keep_what_they_say_and_d_follows(
    listed: MainWindow, field: str, value: object, wanted: ErrorFilter
) -> None:
    session, panel = session_of(listed), panel_of(listed)
    session.document.set_stage(differing(listed)[3:6], Stage.N3)
    found = part_of(listed)._comparison
    assert found is not None
    panel.boxes.choose(field, value)
    expected = wanted.epochs(found).tolist()
    assert panel.shown.tolist() == expected
    assert session.walk is not None
    assert session.walk.epochs.tolist() == expected
    listed.run_command("all_disagreements")
    assert session.walk is None
    assert panel.shown.tolist() == differing(listed)


def test_sorting_is_what_d_steps_through(qtbot: QtBot, listed: MainWindow) -> None:
    session, panel = session_of(listed), panel_of(listed)
    header = panel.table.horizontalHeader()
    for _ in range(2):
        at = QPoint(header.sectionViewportPosition(CONFIDENCE) + 8, 8)
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
    shown = [float(text) for text in column(listed, CONFIDENCE)]
    assert shown == sorted(shown, reverse=True)
    assert session.walk is not None
    assert session.walk.name == "by confidence, falling"
    session.go_to(differing(listed)[0] - 1 if differing(listed)[0] else 0)
    listed.setFocus()
    first = int(panel.shown[0])
    if session.epoch != first:
        qtbot.keyClick(listed, Qt.Key.Key_D)
    assert session.epoch in (first, int(panel.shown[1]))


def test_enter_goes_there_and_letters_stay_the_windows(qtbot: QtBot, listed: MainWindow) -> None:
    session, panel = session_of(listed), panel_of(listed)
    panel.table.setFocus()
    panel.table.selectRow(5)
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert session.epoch == differing(listed)[5]
    assert not session.document.edited.any()
    qtbot.keyClick(panel.table, Qt.Key.Key_2)
    assert session.document.corrected[session.epoch] == Stage.N2


def test_the_list_follows_edits_and_the_place_stays(qtbot: QtBot, listed: MainWindow) -> None:
    session, panel, epochs = session_of(listed), panel_of(listed), differing(listed)
    panel.boxes.choose("edited", False)
    qtbot.keyClick(listed, Qt.Key.Key_D)
    session.go_to(epochs[4])
    assert panel.table.currentIndex().row() == 4
    qtbot.keyClick(listed, Qt.Key.Key_3)
    assert epochs[4] not in panel.shown
    assert f"{len(epochs) - 1} of {len(epochs)}" in panel.summary
    qtbot.keyClick(listed, Qt.Key.Key_D)
    assert session.epoch == epochs[5], "D goes on where the edited one stood"
    listed.run_command("undo")
    assert panel.shown.tolist() == epochs
    panel.clear()
    session.go_to(epochs[7])
    session.document.set_stage([epochs[7]], Stage.W if session.document.corrected[epochs[7]] else Stage.N1)
    assert panel.table.currentIndex().row() == 7
    assert column(listed, EDITED)[7] == "yes"


def test_closing_the_panel_gives_d_back(listed: MainWindow) -> None:
    session = session_of(listed)
    panel_of(listed).boxes.choose("distance", (0, 1))
    assert session.walk is not None
    listed.run_command("disagreements_panel")
    assert not panel_of(listed).isVisible()
    assert session.walk is None
    listed.run_command("disagreements_panel")
    assert session.walk is not None, "the filter is there again, and D follows it"


def test_the_list_of_another_panel_is_left_alone_until_it_is_taken_back(listed: MainWindow) -> None:
    session, panel = session_of(listed), panel_of(listed)
    other = EpochWalk("look-alikes", np.array([3, 1]))
    session.set_walk(other)
    assert "D steps through another list, “look-alikes”" in panel.summary
    panel.boxes.choose("distance", (0, 1))
    session.document.set_stage([2], Stage.N1)
    assert session.walk is other
    panel.clear()
    assert session.walk is None


def test_a_panel_that_is_not_seen_does_nothing(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    part = part_of(opened)
    calls: list[str] = []
    monkeypatch.setattr(part, "_compare", lambda **_: calls.append("compare"))
    monkeypatch.setattr(part.panel, "show_epoch", lambda _: calls.append("epoch"))
    opened.run_command("next_epoch")
    opened.run_command("stage_n2")
    session_of(opened).document.set_prediction(prediction_of([1] * N))
    assert calls == []
    assert not any(work.running for work in part.findChildren(Background))


def test_the_list_is_exported_in_its_order(qtbot: QtBot, listed: MainWindow, tmp_path: Path) -> None:
    panel = panel_of(listed)
    panel.boxes.choose("kinds", frozenset({Kind.OTHER}))
    panel.table.sortByColumn(CONFIDENCE, Qt.SortOrder.DescendingOrder)
    part_of(listed).export(tmp_path / "list.csv")
    qtbot.waitUntil(lambda: "exported" in listed.status_line.text)
    with (tmp_path / "list.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) - 1 for row in rows] == panel.shown.tolist()
    assert {row["kind"] for row in rows} == {"confusion"}
    assert all(row["signal"] for row in rows)
    part_of(listed).export(tmp_path / "nowhere" / "list.csv")
    qtbot.waitUntil(lambda: "Not exported" in listed.info_bar.text)


def test_without_an_expert_the_panel_says_what_is_missing(window: MainWindow, simulated: SimulatedNight) -> None:
    assert window.open_path(simulated.psg_path)
    session_of(window).document.set_truth(None)
    window.run_command("disagreements_panel")
    panel = panel_of(window)
    assert "open an expert's hypnogram" in panel._empty.text()
    assert not len(panel.shown)
    session_of(window).document.set_prediction(prediction_of([2] * N))
    session_of(window).document.set_truth(truth_of([1] * 3 + [2] * (N - 3)))
    assert panel.shown.tolist() == [0, 1, 2]


def test_another_night_has_its_own_list(listed: MainWindow, tmp_path: Path) -> None:
    panel_of(listed).boxes.choose("distance", (0, 1))
    other = simulate_night(tmp_path, hours=0.2, seed=3)
    assert listed.open_path(other.psg_path, truth=other.hypnogram_path)
    assert not len(panel_of(listed).shown)
    assert session_of(listed).walk is None
    session_of(listed).document.set_prediction(guess(other.stages, 5))
    assert panel_of(listed).shown.tolist() == differing(listed)


def test_ten_thousand_disagreements_are_sorted_and_filtered_at_once(window: MainWindow, tmp_path: Path) -> None:
    from helpers.edf_files import Signal, write_edf

    n = 12_500
    path = write_edf(tmp_path / "long.edf", [Signal("EEG C4", 1, "uV", np.zeros(n * 30))], record_s=30)
    assert window.open_path(path)
    random = np.random.default_rng(0)
    truth = np.repeat(random.integers(0, 5, n), random.integers(2, 30, n))[:n]
    told = np.where(random.random(n) < 0.81, (truth + random.integers(1, 5, n)) % 5, truth)
    document = session_of(window).document
    document.set_truth(truth_of(truth.tolist()))
    document.set_prediction(Prediction(proba_of(told.tolist()), "fake", "1", "", ("EEG C4",), 0.0))
    window.run_command("disagreements_panel")
    settle(window)
    panel = panel_of(window)
    assert panel.model.rowCount() > 10_000
    acts: list[Callable[[], object]] = [
        lambda column=column: panel.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
        for column in range(EPOCH, EDITED + 1)
    ]
    choices = (("signal", "flat"), ("signal", None), ("kinds", frozenset({Kind.SHIFT})), ("kinds", None))
    acts += [lambda field=field, value=value: panel.boxes.choose(field, value) for field, value in choices]
    for act in acts:
        taken = []
        for _ in range(3):  # a machine that does something else at times is none of the list's fault
            started = perf_counter()
            act()
            QApplication.processEvents()
            taken.append(perf_counter() - started)
        assert min(taken) < 0.1


# -- line by line


def test_the_lines_show_what_differs_and_where_she_is(qtbot: QtBot, listed: MainWindow) -> None:
    session, panel, epochs = session_of(listed), panel_of(listed), differing(listed)
    qtbot.keyClick(listed, Qt.Key.Key_I, CONTROL_SHIFT)
    diff = panel.diff
    QApplication.processEvents()
    assert diff.isVisible()
    assert diff.lines == list(range(0, N, diff.line_epochs))
    session.go_to(epochs[-1])
    place = diff.cell_rect(epochs[-1])
    assert diff.viewport().rect().contains(place), "it scrolls to the current epoch"
    assert diff.accessibleDescription() == diff.words(epochs[-1])
    beside = place.translated(-place.width(), 0).center()
    qtbot.mouseClick(diff.viewport(), Qt.MouseButton.LeftButton, pos=beside)
    assert session.epoch == epochs[-1] - 1
    before = session.epoch
    qtbot.keyClick(diff, Qt.Key.Key_Up)
    assert session.epoch == before - diff.line_epochs
    qtbot.keyClick(diff, Qt.Key.Key_2)
    assert session.document.corrected[session.epoch] == Stage.N2
    grabbed = diff.viewport().grab().toImage()
    session.go_to(session.epoch + 1)
    assert diff.viewport().grab().toImage() != grabbed


def test_lines_that_agree_can_be_left_out(listed: MainWindow) -> None:
    session, panel = session_of(listed), panel_of(listed)
    listed.run_command("line_by_line")
    model = np.zeros(N, int)
    model[100] = 2
    session.document.set_truth(truth_of([0] * N))
    session.document.set_prediction(prediction_of(model.tolist()))
    panel._only_different.setChecked(True)
    (first,) = panel.diff.lines
    assert first <= 100 < first + panel.diff.line_epochs
    assert panel.diff.words(100) == "epoch 101: W, N2, + invented bout"
    assert panel.diff.cell_rect(3).isEmpty()


# -- suspect labels


def swapped(simulated: SimulatedNight, window: MainWindow) -> list[int]:
    """Give some epochs another label in the expert's hypnogram; the model knows better, and is sure."""
    truth = simulated.stages.copy()
    wrong = [30, 90, 150]
    for epoch in wrong:
        truth[epoch] = (truth[epoch] + 2) % 5
    session_of(window).document.set_truth(truth_of(truth.tolist()))
    session_of(window).document.set_prediction(prediction_of(simulated.stages.tolist()))
    return wrong


def test_suspect_labels_are_ranked_and_what_is_unknown_is_said(
    qtbot: QtBot, listed: MainWindow, simulated: SimulatedNight
) -> None:
    wrong = swapped(simulated, listed)
    qtbot.keyClick(listed, Qt.Key.Key_U, CONTROL_SHIFT)
    panel = panel_of(listed)
    qtbot.waitUntil(lambda: "not known" in panel.told)
    assert "If it was, it can't tell" in panel.told
    assert sorted(panel.shown.tolist()) == wrong
    assert "All 3 suspect labels are listed. D steps through this list" in panel.summary
    session_of(listed).go_to(0)
    qtbot.keyClick(listed, Qt.Key.Key_D)
    assert session_of(listed).epoch == panel.shown[0]


def test_labels_that_the_model_has_learned_are_refused(
    qtbot: QtBot, listed: MainWindow, simulated: SimulatedNight, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = swapped(simulated, listed)
    night = session_of(listed).night
    learned = TrainingRecord("ab" * 32, "runs/mine", recordings=frozenset({night.sha256}))
    listed.run_command("suspect_labels")
    panel = panel_of(listed)
    qtbot.waitUntil(lambda: panel.shown.tolist() != [])
    part_of(listed).add_training(tmp_path)
    assert "is not the folder of a training" in listed.info_bar.text
    monkeypatch.setattr("sleepviewer.training.records.training_records", lambda folder: (learned,))
    part_of(listed).add_training(tmp_path)
    qtbot.waitUntil(lambda: "was trained on" in panel.told)
    assert "out-of-fold" in panel.told
    assert not len(panel.shown)
    assert panel._empty.text() == "No label is ranked."
    listed.run_command("all_disagreements")
    assert panel.shown.tolist() == wrong
