"""One real night through the real window: scored, reviewed by the keyboard, saved, taken up again, exported."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

import edfio
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar
from pytestqt.qtbot import QtBot

from sleepviewer.app.files import export_dialog
from sleepviewer.app.window import MainWindow
from sleepviewer.review.edits import NOT_CORRECTED
from sleepviewer.stages import Stage

pytestmark = pytest.mark.real_data

CONTROL = Qt.KeyboardModifier.ControlModifier
KEYPAD = Qt.KeyboardModifier.KeypadModifier
MakeWindow = Callable[[], MainWindow]


def test_a_night_is_scored_reviewed_saved_taken_up_and_exported(
    qtbot: QtBot, make_window: MakeWindow, real_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window()
    assert window.open_path(real_copy)
    assert window.session is not None
    session, document = window.session, window.session.document
    assert document.truth is not None
    assert document.truth.source == "ucddb018-Hypnogram.edf"

    # Score.
    qtbot.keyClick(window, Qt.Key.Key_S)
    assert window.scoring
    qtbot.waitUntil(lambda: document.prediction is not None, timeout=120_000)
    qtbot.waitUntil(lambda: not window.scoring)
    assert document.prediction is not None
    model, truth = document.prediction.stages, document.truth.stages
    assert document.prediction.scored.all()

    # From disagreement to disagreement.
    expected = np.flatnonzero((model != truth) & (truth >= 0))
    for place in expected[expected > 0][:3]:
        qtbot.keyClick(window, Qt.Key.Key_D)
        assert session.epoch == place
    shown = window.status_line.text
    assert f"expert {Stage(truth[session.epoch]).label}" in shown
    assert f"model {Stage(model[session.epoch]).label}" in shown

    # Five stages by the keyboard on five epochs; letters stay, the keypad goes on.
    session.go_to(200)
    for key, modifier, epoch_after in (
        (Qt.Key.Key_R, Qt.KeyboardModifier.NoModifier, 200),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 201),
        (Qt.Key.Key_2, Qt.KeyboardModifier.NoModifier, 201),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 202),
        (Qt.Key.Key_3, KEYPAD, 203),
        (Qt.Key.Key_0, KEYPAD, 204),
        (Qt.Key.Key_1, KEYPAD, 205),
    ):
        qtbot.keyClick(window, key, modifier)
        assert session.epoch == epoch_after
    assert document.corrected[200:206].tolist() == [4, 2, 3, 0, 1, NOT_CORRECTED]

    # Two taken back, the rest saved.
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL)
    corrected = document.corrected.copy()
    assert corrected[200:206].tolist() == [4, 2, 3, *[NOT_CORRECTED] * 3]
    assert "3 edits, not saved" in window.status_line.text
    assert window.isWindowModified()
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL)
    assert real_copy.with_suffix(".npz").is_file()
    assert "3 edits, saved" in window.status_line.text
    assert not window.isWindowModified()
    window.close()
    assert not window.isVisible()

    # Taken up again.
    window = make_window()
    assert window.open_path(real_copy)
    assert window.session is not None
    again = window.session.document
    assert again.edits == document.edits
    assert len(again.edits) == 3
    np.testing.assert_array_equal(again.corrected, corrected)
    assert "3 edits, saved" in window.status_line.text
    assert again.truth is not None
    assert again.prediction is not None
    np.testing.assert_array_equal(again.truth.stages, truth)
    np.testing.assert_array_equal(again.prediction.proba, document.prediction.proba)

    # Exported, and read by numpy alone.
    out = tmp_path / "train.npz"
    monkeypatch.setattr(export_dialog, "ask_export", lambda night, options, window: (out, options))
    qtbot.keyClick(window, Qt.Key.Key_E, CONTROL)
    assert window.info_bar.text == ""
    check_training_file(out, real_copy, np.where(corrected == NOT_CORRECTED, truth, corrected))


def check_training_file(path: Path, recording: Path, labels: np.ndarray) -> None:
    """The file holds the recording's own µV and the labels that count, and loads as AttnSleep's loader loads."""
    with np.load(path, allow_pickle=False) as npz:
        x, y, places = npz["x"], npz["y"], npz["epoch_index"]
        assert npz["fs"] == 128
    n = len(y)
    assert (x.dtype, x.shape) == (np.float32, (n, 3840, 1))
    assert (y.dtype, y.min() >= 0, y.max() <= 4) == (np.int32, True, True)
    np.testing.assert_array_equal(places, np.flatnonzero(labels >= 0))
    np.testing.assert_array_equal(y, labels[places])

    (signal,) = edfio.read_edf(recording).signals
    assert signal.physical_dimension == "uV"
    step = (signal.physical_max - signal.physical_min) / (signal.digital_max - signal.digital_min)
    epochs = signal.data[: 822 * 3840].reshape(822, 3840)
    np.testing.assert_allclose(x[:, :, 0], epochs[places], rtol=0, atol=step / 2)

    # The loader's own way: arrays by name from files opened one by one, stacked over the nights.
    nights = [path, path]
    stacked, stages = np.load(nights[0])["x"], np.load(nights[0])["y"]
    for night in nights[1:]:
        stacked = np.vstack((stacked, np.load(night)["x"]))
        stages = np.append(stages, np.load(night)["y"])
    assert stacked.shape == (2 * n, 3840, 1)
    assert stages.shape == (2 * n,)


def progress_of(window: MainWindow) -> QProgressBar:
    bar = window.status_line.findChild(QProgressBar)
    assert isinstance(bar, QProgressBar)
    return bar


def at_work() -> set[str]:
    """What scores at the moment: child processes by number, threads by name and number."""
    threads = {f"{t.name} {t.ident}" for t in threading.enumerate() if t.name == "scoring"}
    return {f"process {child.pid}" for child in multiprocessing.active_children()} | threads


@pytest.mark.parametrize("when", ["as it starts", "under way"])
def test_the_window_closes_in_the_middle_of_a_scoring(
    qtbot: QtBot, make_window: MakeWindow, real_copy: Path, when: str
) -> None:
    others = at_work()
    window = make_window()
    assert window.open_path(real_copy)
    qtbot.keyClick(window, Qt.Key.Key_S)
    bar = progress_of(window)
    qtbot.waitUntil(bar.isVisible)
    qtbot.waitUntil(lambda: any(name.startswith("process") for name in at_work() - others))
    if when == "under way":
        qtbot.waitUntil(lambda: bar.value() > 0, timeout=60_000)
    assert window.scoring
    window.close()
    assert not window.isVisible()
    assert not window.scoring
    qtbot.waitUntil(lambda: at_work() <= others, timeout=3000)
    qtbot.wait(50)  # what the thread said last arrives at a closed window
    assert window.session is not None
    assert window.session.document.prediction is None
    assert not real_copy.with_suffix(".npz").exists()
