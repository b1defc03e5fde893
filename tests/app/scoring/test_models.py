"""Models and versions in the window: listed, activated, compared, deleted; the next scoring is laid beside the last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.fake_tuning import verdict
from helpers.model_files import random_weights
from helpers.review_values import prediction_of, truth_of
from sleepviewer.app.compare.models_feature import RivalsPart
from sleepviewer.app.scoring.bar import ScoringBar
from sleepviewer.app.scoring.models_dialog import ModelsDialog
from sleepviewer.app.scoring.models_feature import ModelsPart
from sleepviewer.app.scoring.versions_table import rows_of
from sleepviewer.app.shell import dialogs
from sleepviewer.app.window import MainWindow
from sleepviewer.errors import VersionError
from sleepviewer.files import sha256_of
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.models.versions import ModelVersions, version_title
from sleepviewer.review.contenders import engine_title, version_name
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import Stage

MEMBER = "attnsleep+context"
TRUTH = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, -1]
BEFORE = [0, 0, 1, 2, 2, 2, 3, 3, 3, 4, 0, 0]
AFTER = [0, 1, 1, 1, 2, 2, 3, 3, 2, 4, 1, 0]


def add(parent: str = f"{MEMBER}@shipped", *, offered: bool = True, **lineage: Any) -> str:
    """Make a version of the default model, and return its name."""
    path = ModelVersions().new_path(MEMBER)
    about = {
        "parent": parent,
        "made": "2026-03-04T21:00:00+00:00",
        "nights": [{"name": "night-07", "reviewed_epochs": 960}],
        "verdict": verdict(offered=offered).as_dict(),
    }
    figures = {"held-out corrected epochs kappa": 0.89}
    random_weights(path, MEMBER, measured=figures, lineage=about | lineage)
    return path.stem


def dialog_of(window: MainWindow) -> ModelsDialog:
    window.run_command("models")
    part = window.findChild(ModelsPart)
    assert isinstance(part, ModelsPart)
    assert part.dialog is not None
    return part.dialog


def bar_of(window: MainWindow) -> QComboBox:
    bar = window.findChild(ScoringBar)
    assert isinstance(bar, ScoringBar)
    return next(box for box in bar.findChildren(QComboBox) if box.accessibleName() == "Scoring engine")


def offered(window: MainWindow) -> list[str]:
    box = bar_of(window)
    return [box.itemText(i) for i in range(box.count())]


def select(dialog: ModelsDialog, name: str) -> None:
    names = [row.name for row in dialog.table.versions.rows]
    dialog.table.selectRow(names.index(name))


def states(dialog: ModelsDialog) -> dict[str, str]:
    return {row.name: row.cells[1] for row in dialog.table.versions.rows}


# -- the manager


def test_every_version_says_what_it_comes_from(window: MainWindow) -> None:
    first = add(label="Older sleepers", note="our recorder")
    dialog = dialog_of(window)
    select(dialog, first)
    row = dialog.table.current
    assert row is not None
    assert row.cells[0] == "AttnSleep + context · v1 “Older sleepers”"
    assert row.cells[3:] == ("as shipped", "night-07", "0.790 → 0.890", "0.845 → 0.870")
    assert row.cells[2].startswith("2026-03-0")
    for said in ("Note: our recorder", "night-07 (960 reviewed epochs)", "one of your own versions"):
        assert said in dialog.text
    assert states(dialog)[f"{MEMBER}@shipped"] == "● active"


def test_activating_and_rolling_back_are_seen_in_the_tool_bar_at_once(window: MainWindow) -> None:
    first = add()
    dialog = dialog_of(window)
    assert "AttnSleep + context · v1" in offered(window), "made since the program started"
    select(dialog, first)
    dialog.activate.click()
    assert ModelVersions().get(MEMBER).name == first
    assert bar_of(window).currentText() == "Active: AttnSleep + context · v1"
    assert states(dialog)[first] == "● active"
    assert not dialog.activate.isEnabled()
    dialog.roll_back.click()
    assert ModelVersions().active(MEMBER) is None
    assert bar_of(window).currentText() == "AttnSleep + context"
    assert states(dialog)[f"{MEMBER}@shipped"] == "● active"


def test_a_refused_version_is_looked_at_and_never_activated(window: MainWindow) -> None:
    refused = add(offered=False)
    child = add(refused)
    dialog = dialog_of(window)
    select(dialog, refused)
    assert states(dialog)[refused] == "✕ refused"
    assert not dialog.activate.isEnabled()
    assert "κ did not rise" in dialog.text
    with pytest.raises(VersionError, match="refused and can't be activated"):
        ModelVersions().activate(refused)
    ModelVersions().activate(child)
    assert ModelVersions().roll_back(MEMBER).number == 0, "not to a refused parent"


def test_two_versions_are_compared_by_their_figures(window: MainWindow) -> None:
    first, second = add(), add()
    dialog = dialog_of(window)
    select(dialog, second)
    dialog.other.setCurrentIndex(dialog.other.findData(first))
    model = dialog.figures.model()
    assert dialog.figures.isVisible()
    assert [model.headerData(i, Qt.Orientation.Horizontal) for i in (1, 2)] == [
        version_title(v) for v in (first, second)
    ]
    assert [model.index(0, i).data() for i in range(4)] == ["held-out corrected epochs κ", "0.890", "0.890", "+0.000"]
    dialog.other.setCurrentIndex(0)
    assert not dialog.figures.isVisible()


def test_deleting_asks_and_moves_to_the_trash(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    first = add()
    ModelVersions().activate(first)
    dialog = dialog_of(window)
    select(dialog, first)
    monkeypatch.setattr(dialogs, "ask_whether", lambda *_: False)
    dialog.delete.click()
    assert ModelVersions().versions()
    monkeypatch.setattr(dialogs, "ask_whether", lambda *_: True)
    dialog.delete.click()
    assert ModelVersions().versions() == ()
    assert (ModelVersions().folder / "trash" / f"{first}.safetensors").exists()
    assert "is active in its place" in window.status_line.text
    assert bar_of(window).currentText() == "AttnSleep + context"
    select(dialog, f"{MEMBER}@shipped")
    assert not dialog.delete.isEnabled()


def test_a_damaged_version_is_told_and_can_be_deleted(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    name = add()
    path = ModelVersions().folder / f"{name}.safetensors"
    path.write_bytes(path.read_bytes()[:2000])
    dialog = dialog_of(window)
    select(dialog, name)
    assert states(dialog)[name] == "⚠ damaged"
    assert "can't be used" in dialog.text
    assert not dialog.activate.isEnabled()
    assert not dialog.score.isEnabled()
    monkeypatch.setattr(dialogs, "ask_whether", lambda *_: True)
    dialog.delete.click()
    assert name not in states(dialog)


def test_what_goes_wrong_is_told_in_the_window_of_models(window: MainWindow) -> None:
    name = add()
    dialog = dialog_of(window)
    select(dialog, name)
    (ModelVersions().folder / f"{name}.safetensors").unlink()
    dialog.activate.click()
    assert f"There is no model “{name}”" in dialog.text


def test_a_file_of_weights_stays_offered_when_versions_change(window: MainWindow, tmp_path: Path) -> None:
    bar = window.findChild(ScoringBar)
    assert isinstance(bar, ScoringBar)
    bar.add_weights(random_weights(tmp_path / "mine.safetensors", "attnsleep"))
    chosen = bar.spec
    add()
    bar.refresh_engines()
    assert bar.spec == chosen
    assert "AttnSleep · mine.safetensors" in offered(window)
    assert "AttnSleep + context · v1" in offered(window)


def test_the_rows_of_a_user_without_versions_are_what_came_with_the_program() -> None:
    rows = rows_of(ModelVersions())
    assert rows
    assert all(row.version is not None and row.version.number == 0 for row in rows)


# -- the next night


def scored(stages: list[int], engine: str, sha256: str) -> Prediction:
    return replace(prediction_of(stages), engine=engine, weights_sha256=sha256)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    samples = np.round(np.random.default_rng(1).standard_normal(12 * 3000) * 20, 1)
    return write_edf(tmp_path / "night.edf", [Signal("EEG C4", 100, "uV", samples)], record_s=30)


@pytest.fixture
def before(opened: MainWindow) -> MainWindow:
    """A night that the shipped model has scored, and an expert."""
    shipped = shipped_weights(MEMBER)
    assert shipped is not None
    assert opened.session is not None
    opened.session.document.set_truth(truth_of(TRUTH))
    opened.session.document.set_prediction(scored(BEFORE, MEMBER, sha256_of(shipped)))
    return opened


def rescore(
    window: MainWindow, stages: list[int] = AFTER, engine: str = f"{MEMBER}@v1", sha256: str = "cd" * 32
) -> None:
    assert window.session is not None
    window.session.document.set_prediction(scored(stages, engine, sha256))
    QApplication.processEvents()


def test_the_scoring_of_another_version_keeps_the_earlier_one_and_lists_what_changed(
    before: MainWindow, qtbot: QtBot
) -> None:
    rescore(before)
    session, part = before.session, before.findChild(RivalsPart)
    assert session is not None
    assert isinstance(part, RivalsPart)
    assert [scorer.scorer for scorer in session.scorers] == ["AttnSleep + context · as shipped"]
    assert session.scorers[0].stages.tolist() == BEFORE
    assert before.panels["rivals"].isVisible()
    assert session.walk is not None
    assert session.walk.epochs.tolist() == [1, 3, 8, 10]
    right = [row.cells[-1] for row in part.panel.table.epochs.rows]
    assert right == ["2nd", "1st", "2nd", "none"]
    before.setFocus()
    qtbot.keyClick(before, Qt.Key.Key_D)
    assert session.epoch == 1


def test_without_an_expert_her_own_labels_say_who_is_right(before: MainWindow) -> None:
    session, part = before.session, before.findChild(RivalsPart)
    assert session is not None
    assert isinstance(part, RivalsPart)
    session.document.set_truth(None)
    session.document.set_stage([1], Stage.W)
    session.document.set_stage([10], Stage.N1)
    rescore(before)
    assert not part.panel.against_expert
    assert [row.cells[-1] for row in part.panel.table.epochs.rows] == ["2nd", "—", "—", "1st"]


def test_a_review_in_the_order_of_doubt_is_not_disturbed(before: MainWindow) -> None:
    session = before.session
    assert session is not None
    session.set_in_order(True)
    rescore(before)
    assert len(session.scorers) == 1
    assert session.walk is None
    assert not before.panels["rivals"].isVisible()


def test_going_to_and_fro_between_versions_adds_no_row_each_time(before: MainWindow) -> None:
    session = before.session
    assert session is not None
    for _ in range(2):
        rescore(before, AFTER, f"{MEMBER}@v1", "cd" * 32)
        rescore(before, BEFORE, f"{MEMBER}@v2", "ef" * 32)
    assert sorted(scorer.scorer for scorer in session.scorers) == [
        "AttnSleep + context · as shipped",
        "AttnSleep + context · v1",
        "AttnSleep + context · v2",
    ]


def test_another_model_or_the_same_version_again_keeps_nothing_by_itself(before: MainWindow) -> None:
    session = before.session
    assert session is not None
    rescore(before, AFTER, "yasa", "cd" * 32)
    rescore(before, BEFORE, "yasa", "cd" * 32)
    assert session.scorers == ()
    assert session.walk is None


def test_versions_are_named_as_they_are_shown() -> None:
    assert engine_title(f"{MEMBER}@v2") == "AttnSleep + context · v2"
    assert version_name(scored(BEFORE, MEMBER, "ab" * 32)) == "AttnSleep + context", "weights of the user's own file"
    assert engine_title("somebody's@v2") == "somebody's@v2"
