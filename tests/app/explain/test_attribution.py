"""Why this stage, in the window: shown under its channel, made once, dropped when she moves on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.explanations import explanation_of
from helpers.review_values import prediction_of, truth_of
from sleepviewer.app.explain.attribution_feature import ExplainPart
from sleepviewer.app.shell.theme import DARK
from sleepviewer.app.traces.evidence import strip_of
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.explain_worker import ExplainWorker
from sleepviewer.display.evidence import Evidence
from sleepviewer.errors import EngineError
from sleepviewer.scoring.base import CancelToken, Progress, ProgressCallback
from sleepviewer.scoring.explain import NIGHT_READY, Explanation, ExplanationRequest, StagePair
from sleepviewer.stages import Stage

N, RATE = 20, 100
MODEL = [int(Stage.N3)] * N
EXPERT = [int(Stage.N2)] * 10 + [int(Stage.N3)] * 10


class Asked:
    """Stands in for the worker's process: what it was asked, and answers at once or when it is let go."""

    def __init__(self) -> None:
        self.requests: list[ExplanationRequest] = []
        self.cancelled = 0
        self.go_on = Event()
        self.go_on.set()
        self.error: Exception | None = None

    def __call__(self, request: ExplanationRequest, tell: ProgressCallback, cancel: CancelToken) -> Explanation:
        self.requests.append(request)
        tell(Progress(NIGHT_READY, "ready"))
        while not self.go_on.wait(0.01):
            if cancel.cancelled:
                self.cancelled += 1
                cancel.check()
        if self.error is not None:
            raise self.error
        return explanation_of(request)

    @property
    def epochs(self) -> list[int]:
        return [request.epoch for request in self.requests]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(ExplainWorker, "_ask", lambda _, request, tell, cancel: asked(request, tell, cancel))
    monkeypatch.setattr("sleepviewer.app.explain.attribution_feature._PAUSE_MS", 20)
    return asked


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    rng = np.random.default_rng(0)
    channels = [
        Signal(label, RATE, "uV", np.round(rng.standard_normal(N * 30 * RATE) * 30, 1))
        for label in ("EEG C4", "EOG left")
    ]
    path = write_edf(tmp_path / "night.edf", channels, start=datetime(2021, 3, 4, 22, 30), record_s=30)
    assert window.open_path(path)
    return window


def score(window: MainWindow, engine: str = "attnsleep+context", stages: list[int] = MODEL) -> None:
    assert window.session is not None
    prediction = replace(prediction_of(stages), engine=engine, channels=("EEG C4",))
    window.session.document.set_prediction(prediction)
    window.session.document.set_truth(truth_of(EXPERT))


def shown(window: MainWindow) -> Evidence:
    evidence = window.page.traces.evidence
    assert evidence is not None
    return evidence


def said(window: MainWindow) -> str:
    return window.status_line._message.full_text


def part_of(window: MainWindow) -> ExplainPart:
    part = window.findChild(ExplainPart)
    assert isinstance(part, ExplainPart)
    return part


def wait_for_bars(qtbot: QtBot, window: MainWindow) -> Evidence:
    qtbot.waitUntil(lambda: not part_of(window).pending and shown(window).bars is not None)
    return shown(window)


def go_to(window: MainWindow, epoch: int) -> None:
    assert window.session is not None
    window.session.go_to(epoch)


def test_y_shows_and_hides_what_spoke_for_the_stage(opened: MainWindow, asked: Asked, qtbot: QtBot) -> None:
    score(opened)
    go_to(opened, 3)
    assert opened.page.traces.evidence is None
    assert not asked.requests
    opened.actions_["why"].trigger()
    assert shown(opened).busy
    assert "being worked out" in shown(opened).text
    evidence = wait_for_bars(qtbot, opened)
    assert (evidence.epoch, evidence.lane) == (3, "EEG C4")
    assert evidence.text == "▲ for N3   ▼ against N3 (expert: N2)   EEG C4, epoch 4"
    assert evidence.bars is not None
    assert np.abs(evidence.bars).max() == 1
    assert evidence.bars[48:56].tolist() == [1] * 4 + [-0.5] * 4
    assert said(opened) == "N3, not N2 (expert): 12–13 s speaks for it; 13–14 s speaks against it"
    assert opened.actions_["why"].isChecked()
    opened.actions_["why"].trigger()
    assert opened.page.traces.evidence is None
    assert not opened.actions_["why"].isChecked()
    go_to(opened, 4)
    qtbot.wait(60)
    assert asked.epochs == [3]


def test_room_is_left_under_the_channel_and_nowhere_else(opened: MainWindow, asked: Asked, qtbot: QtBot) -> None:
    score(opened)
    traces = opened.page.traces
    opened.run_command("why")
    evidence = wait_for_bars(qtbot, opened)
    layout = traces._layout
    assert layout is not None
    strip = strip_of(evidence, layout)
    assert layout.bottom(0) <= strip.top()
    assert strip.bottom() <= layout.edges[1]
    assert (strip.left(), strip.right()) == pytest.approx((layout.x_of(0), layout.x_of(30)))
    colors = {
        traces.grab().toImage().pixelColor(round(layout.x_of(at)), round(strip.bottom() - from_bottom)).name()
        for at, from_bottom in ((12.5, strip.height() * 0.45), (13.5, strip.height() * 0.29))
    }
    assert colors == {traces._theme.stage(Stage.N3).name(), traces._theme.stage(Stage.N2).name()}
    tip = traces.tooltip_at(QPoint(round(strip.center().x()), round(strip.center().y())))
    assert "what the model used, not what is right" in tip
    assert "-1: +0.50, +1: -0.25" in tip
    opened.run_command("why")
    without = traces._layout
    assert without is not None
    assert without.strip_rect.isEmpty()
    assert without.height(0) == without.height(1) > layout.height(0) == pytest.approx(layout.height(1))


def test_an_epoch_is_explained_once(opened: MainWindow, asked: Asked, qtbot: QtBot) -> None:
    score(opened)
    opened.run_command("why")
    for epoch in (1, 2, 1, 2):
        go_to(opened, epoch)
        assert wait_for_bars(qtbot, opened).epoch == epoch
    assert asked.epochs == [1, 2]
    opened.set_theme(DARK)
    assert shown(opened).color_for == DARK.stage(Stage.N3).name()
    assert asked.epochs == [1, 2]


def test_turning_pages_starts_nothing_and_moving_on_stops_what_runs(
    opened: MainWindow, asked: Asked, qtbot: QtBot
) -> None:
    score(opened)
    asked.go_on.clear()
    opened.run_command("why")
    for epoch in range(1, 8):
        go_to(opened, epoch)
        assert shown(opened).epoch == epoch
        assert shown(opened).busy
    qtbot.waitUntil(lambda: asked.epochs == [7])
    go_to(opened, 8)
    qtbot.waitUntil(lambda: asked.cancelled == 1)
    go_to(opened, 7)
    asked.go_on.set()
    assert wait_for_bars(qtbot, opened).epoch == 7


def test_her_own_stage_is_held_against_the_models(opened: MainWindow, asked: Asked, qtbot: QtBot) -> None:
    score(opened)
    opened.run_command("why")
    go_to(opened, 15)
    wait_for_bars(qtbot, opened)
    opened.run_command("stage_w")
    qtbot.waitUntil(lambda: "yours: W" in shown(opened).text and not part_of(opened).pending)
    assert [request.pair for request in asked.requests if request.epoch == 15] == [
        StagePair(Stage.N3, Stage.W, "second choice"),
        StagePair(Stage.N3, Stage.W, "yours"),
    ]


def test_what_cannot_be_explained_has_a_sentence(opened: MainWindow, asked: Asked, qtbot: QtBot) -> None:
    opened.run_command("why")
    assert "Score the night first" in shown(opened).text
    score(opened, "yasa")
    assert "YASA decides by features of whole epochs" in shown(opened).text
    assert said(opened) == shown(opened).text
    stages = list(MODEL)
    stages[5] = int(Stage.UNKNOWN)
    score(opened, stages=stages)
    go_to(opened, 5)
    assert "not scored: a gap, or no signal" in shown(opened).text
    qtbot.wait(60)
    assert 5 not in asked.epochs
    asked.error = EngineError("The scoring on show was made with other weights.")
    go_to(opened, 6)
    qtbot.waitUntil(lambda: "other weights" in shown(opened).text)
    assert not part_of(opened).pending
    opened.page.grab()  # a sentence is painted


def test_another_night_is_asked_for_anew(opened: MainWindow, asked: Asked, qtbot: QtBot, tmp_path: Path) -> None:
    score(opened)
    opened.run_command("why")
    wait_for_bars(qtbot, opened)
    rng = np.random.default_rng(1)
    signal = Signal("EEG C3", RATE, "uV", np.round(rng.standard_normal(N * 30 * RATE) * 30, 1))
    other = write_edf(tmp_path / "other.edf", [signal], start=datetime(2021, 3, 5, 22), record_s=30)
    assert opened.open_path(other)
    assert "Score the night first" in shown(opened).text
    score(opened)  # on a channel that this page does not have: it is shown at its foot
    assert wait_for_bars(qtbot, opened).lane == "EEG C4"
    assert [request.path.name for request in asked.requests] == ["night.edf", "other.edf"]
    layout = opened.page.traces._layout
    assert layout is not None
    assert layout.strip[0] == 0
