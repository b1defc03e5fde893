"""The tool bar's pickers: which models are offered, and what is said of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox
from pytestqt.qtbot import QtBot

from helpers.places import DATA
from helpers.scoring_fakes import FakeChannel, FakeRecording, eeg
from sleepviewer.app.scoring.bar import ScoringBar
from sleepviewer.app.shell.settings import Settings
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.recording.base import Role
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.registry import EngineInfo, EngineSpec, list_engines

PUBLISHED = DATA / "attnsleep_100hz.safetensors"
CARD = {"rate_hz": 100, "normalisation": "none", "measured": {"ucddb018 kappa": 0.7}}


def picker(bar: ScoringBar) -> QComboBox:
    return next(box for box in bar.findChildren(QComboBox) if box.accessibleName() == "Scoring engine")


@pytest.fixture
def bar(qtbot: QtBot) -> ScoringBar:
    bar = ScoringBar()
    qtbot.addWidget(bar)
    bar.set_recording(FakeRecording({"EEG C4": FakeChannel(eeg(2)), "EOG left": FakeChannel(eeg(2))}))
    return bar


def test_the_engines_that_are_ready_are_offered_and_the_default_one_is_chosen(bar: ScoringBar) -> None:
    ready = [EngineSpec(info.id) for info in list_engines() if info.ready]
    assert [picker(bar).itemData(i) for i in range(picker(bar).count())] == ready
    assert bar.spec == EngineSpec()


def test_every_engine_says_how_well_it_did(bar: ScoringBar) -> None:
    box = picker(bar)
    box.setCurrentIndex(box.findText("YASA"))
    assert "κ 0.81 on ucddb018" in box.toolTip()
    assert "κ 0.81 on ucddb018" in box.itemData(box.currentIndex(), Qt.ItemDataRole.ToolTipRole)
    assert box.currentText() == "YASA"


def test_a_file_of_weights_offers_and_chooses_the_model_that_it_holds(bar: ScoringBar, tmp_path: Path) -> None:
    path = Path(shutil.copy(PUBLISHED, tmp_path / "mine.safetensors"))
    bar.add_weights(path)
    assert bar.spec == EngineSpec("attnsleep", path)
    assert picker(bar).currentText() == "AttnSleep · mine.safetensors"
    assert "not measured" in picker(bar).toolTip()
    assert "unknown origin" in picker(bar).toolTip()
    path.with_suffix(".json").write_text(json.dumps(CARD | {"member": "attnsleep-msmp+context"}), encoding="utf-8")
    bar.add_weights(path)
    assert bar.spec == EngineSpec("attnsleep-msmp+context", path)
    assert "κ 0.70 on ucddb018" in picker(bar).toolTip()


def test_what_the_card_of_unknown_weights_claims_is_said_to_be_its_claim(bar: ScoringBar, tmp_path: Path) -> None:
    path = Path(shutil.copy(PUBLISHED, tmp_path / "theirs.safetensors"))
    path.with_suffix(".json").write_text(json.dumps(CARD | {"member": "attnsleep"}), encoding="utf-8")
    bar.add_weights(path)
    assert "as its card says" in picker(bar).toolTip()
    assert picker(bar).toolTip().endswith("Weights: unknown origin")
    shipped = shipped_weights("attnsleep")
    assert shipped is not None
    bar.add_weights(shipped)
    assert picker(bar).toolTip().endswith("Weights: comes with SleepViewer")
    assert "as its card says" not in picker(bar).toolTip()


def test_the_others_are_offered_to_an_engine_that_uses_them_alone(bar: ScoringBar) -> None:
    bar.add_weights(PUBLISHED)
    assert bar.choice is not None
    assert bar.choice.labels == ("EEG C4",)
    uses_others = [info.id for info in list_engines() if info.uses_others]
    assert uses_others == ["ensemble", "yasa"]


def test_the_ensemble_gets_the_others_unless_they_are_switched_off(qtbot: QtBot) -> None:
    settings = Settings(remember=False)
    night = FakeRecording(
        {
            "EEG C4": FakeChannel(eeg(2)),
            "EOG left": FakeChannel(eeg(2), role=Role.EOG),
            "EMG chin": FakeChannel(eeg(2), role=Role.EMG),
        }
    )
    first, second = ScoringBar(settings), ScoringBar(settings)
    for bar in (first, second):
        qtbot.addWidget(bar)
        bar.set_recording(night)
    assert first.choice == ChannelChoice("EEG C4", "EOG left", "EMG chin")
    box = first.findChild(QCheckBox)
    assert isinstance(box, QCheckBox)
    assert box.accessibleName() == "+ EOG left, EMG chin"
    box.click()
    assert first.choice == ChannelChoice("EEG C4")
    third = ScoringBar(settings)
    qtbot.addWidget(third)
    third.set_recording(night)
    assert third.choice == ChannelChoice("EEG C4")


def test_unusable_signal_is_scored_only_where_it_is_asked_for(bar: ScoringBar) -> None:
    assert not bar.spec.score_unusable
    bar.score_unusable = True
    assert bar.spec == EngineSpec(score_unusable=True)


def test_long_names_do_not_widen_the_tool_bar(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    engines = [*list_engines(), EngineInfo("attnsleep", "A model of many words " * 5, ready=True)]
    monkeypatch.setattr("sleepviewer.app.scoring.bar.list_engines", lambda: engines)
    bar = ScoringBar()
    qtbot.addWidget(bar)
    assert picker(bar).maximumWidth() < 400
    assert picker(bar).view().minimumWidth() > picker(bar).maximumWidth()
