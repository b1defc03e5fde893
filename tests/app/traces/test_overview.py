"""The long pages of the window: what is drawn of a night that is read in the background."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.traces.overview import Overview
from sleepviewer.app.traces.view import TraceView
from sleepviewer.display.filters import RAW
from sleepviewer.display.montage import Derivation
from sleepviewer.recording import open_recording


@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_an_unfiltered_lane_lies_around_its_middle(qtbot: QtBot, tmp_path: Path, offset: float) -> None:
    rng = np.random.default_rng(0)
    samples = (offset + rng.normal(0, 40, 100 * 1200)).astype(np.float32)
    path = tmp_path / "night.edf"
    write_edf(path, [Signal("EEG C4", 100, "uV", samples)])
    with open_recording(path) as recording:
        overview = Overview(recording)
        lane = (Derivation("EEG C4"), RAW)
        overview.want([lane], 600.0)
        qtbot.waitUntil(lambda: not overview.building)
        page, is_true = overview.page(lane, 0.0, 1200.0, 500)
        overview.close()
    assert is_true
    assert abs(page.y.max() + page.y.min()) < 40
    assert abs(float(page.y[::2].mean() + page.y[1::2].mean())) < 4


def test_a_preview_read_just_before_the_building_ended_is_replaced(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "night.edf"
    write_edf(path, [Signal("EEG C4", 100, "uV", np.tile(np.arange(100.0), 1200))])
    finished = Overview.page
    before: list[None] = [None]

    def page(self: Overview, *lane_and_span: Any) -> Any:
        if not before:
            return finished(self, *lane_and_span)
        before.clear()
        preview, _ = finished(self, *lane_and_span)
        while self.building:  # without Qt's events: what the building tells is still to come
            time.sleep(0.005)
        return preview, False

    with open_recording(path) as recording:
        view = TraceView(LIGHT)
        qtbot.addWidget(view)
        view.resize(900, 300)
        view.show()
        view.set_recording(recording)
        monkeypatch.setattr(Overview, "page", page)
        view.set_timebase(None)
        qtbot.waitUntil(lambda: view._page is not None and "preview" not in view._page.lanes[0].filtered)
        view.close_recording()
