"""The window of a batch: a process scores the folder, the table follows, nights are opened from it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from helpers.night_files import TRUTH, N, write_night, write_stages
from helpers.scoring_fakes import make_fake
from sleepviewer.app.batch.feature import BatchPart
from sleepviewer.app.batch.table import BatchModel
from sleepviewer.app.batch.window import BatchWindow
from sleepviewer.app.window import MainWindow
from sleepviewer.batch import read_lines
from sleepviewer.batch.process import BatchRequest
from sleepviewer.stages import Stage

PATIENCE_MS = 30_000


@pytest.fixture
def nights(tmp_path: Path) -> Path:
    """Two nights that can be scored, one with its expert's hypnogram, and one that can't."""
    folder = tmp_path / "nights"
    folder.mkdir()
    write_night(folder / "b.edf")
    write_night(folder / "c.edf", seed=3)
    write_stages(folder / "c-Hypnogram.edf", TRUTH)
    (folder / "a.edf").write_bytes(b"0       half a header")
    return folder


@pytest.fixture
def part(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> BatchPart:
    (part,) = [part for part in window.parts if isinstance(part, BatchPart)]
    request_of: Callable[[BatchPart, BatchWindow], BatchRequest] = BatchPart._request

    def fake(self: BatchPart, shown: BatchWindow) -> BatchRequest:
        request = request_of(self, shown)
        return replace(request, wanted=replace(request.wanted, make=make_fake))

    monkeypatch.setattr(BatchPart, "_request", fake)
    return part


def shown(part: BatchPart) -> BatchWindow:
    assert part.window is not None
    return part.window


def column(part: BatchPart, place: int) -> list[str]:
    model = shown(part).model
    return [model.data(model.index(row, place)) for row in range(model.n_rows())]


def children_of(pid: int) -> list[int]:
    """Processes that score for this one; joblib's tracker of resources is none."""
    pids = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid for pid in pids if b"popen_loky" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def drop(window: MainWindow | BatchWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    action, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), action, mime, buttons, keys))


def score(part: BatchPart, qtbot: QtBot) -> None:
    part.start()
    assert part.running
    qtbot.waitUntil(lambda: not part.running, timeout=PATIENCE_MS)


def test_a_dropped_folder_is_scored_listed_opened_and_taken_up_again(
    window: MainWindow, part: BatchPart, nights: Path, qtbot: QtBot
) -> None:
    drop(window, nights)
    asked = shown(part)
    assert asked.isVisible()
    assert not asked.isModal()
    assert (asked.nights.text(), asked.out.text()) == (str(nights), f"{nights}-scored")
    score(part, qtbot)
    assert column(part, 0) == ["a", "b", "c"]
    assert column(part, 1) == ["✕ failed", "✓ done", "✓ done"]
    assert column(part, 2) == ["", str(N), str(N)]
    lines = {line["night"]: line for line in read_lines(Path(f"{nights}-scored"))}
    assert column(part, 5) == ["", "–", f"{lines['c']['agreement']['kappa']:.2f}"]
    assert column(part, 6)[2] == f"{100 * lines['c']['to_review']:.0f} %"
    assert asked.said.text().startswith("⚠ 2 nights scored, 1 failed (see manifest.jsonl), of 3, in ")
    model = asked.model
    assert "half" in model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole) or "header" in model.data(
        model.index(0, 0), Qt.ItemDataRole.ToolTipRole
    )

    asked.table.setCurrentIndex(model.index(0, 0))
    qtbot.keyClick(asked.table, Qt.Key.Key_Return)
    assert window.session is None  # it failed
    asked.table.setCurrentIndex(model.index(1, 0))
    qtbot.keyClick(asked.table, Qt.Key.Key_Return)
    assert window.session is not None
    night = window.session.night
    assert night.recording.path == nights / "b.edf"
    assert night.document.prediction is not None
    assert night.saved_path == Path(f"{nights}-scored/b.npz")
    night.document.set_stage([2], Stage.REM)
    assert window.save()

    score(part, qtbot)
    assert column(part, 1) == ["✕ failed", "✓ done before", "✓ done before"]
    assert column(part, 2) == ["", str(N), str(N)]


def test_a_batch_is_paused_cancelled_and_its_window_closed_meanwhile(
    window: MainWindow, part: BatchPart, nights: Path, qtbot: QtBot
) -> None:
    write_night(nights / "slow.edf")
    window.run_command("score_folder")
    asked = shown(part)
    asked.propose(nights)
    part.start()
    assert not asked.start_button.isEnabled()
    qtbot.waitUntil(lambda: column(part, 1)[2:] == ["✓ done", "▶ scoring…"], timeout=PATIENCE_MS)
    asked.pause_button.click()
    assert asked.pause_button.text() == "Go on"
    assert asked.said.text().startswith("Paused")
    asked.pause_button.click()
    assert asked.pause_button.text() == "Pause"
    asked.close()
    assert part.running
    assert "is being scored on" in window.status_line.text
    window.run_command("score_folder")
    assert asked.isVisible()
    asked.cancel_button.click()
    qtbot.waitUntil(lambda: not part.running, timeout=PATIENCE_MS)
    assert asked.said.text().startswith("⚠ Stopped: 2 nights scored")
    assert column(part, 1)[3] == "waiting"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks at processes in /proc")
def test_a_batch_whose_process_dies_is_told_and_goes_on(part: BatchPart, nights: Path, qtbot: QtBot) -> None:
    write_night(nights / "slow.edf")
    part.show_window(nights)
    part.start()
    qtbot.waitUntil(lambda: len(column(part, 1)) == 4 and column(part, 1)[2] == "✓ done", timeout=PATIENCE_MS)
    assert part._process is not None
    assert part._process.pid is not None
    (worker,) = children_of(part._process.pid)
    os.kill(part._process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not part.running, timeout=PATIENCE_MS)
    assert "was ended from outside; what is done is kept" in shown(part).said.text()
    qtbot.waitUntil(lambda: not Path(f"/proc/{worker}").exists(), timeout=PATIENCE_MS)  # it scores for nobody
    (nights / "slow.edf").unlink()
    score(part, qtbot)
    assert column(part, 1) == ["✕ failed", "✓ done before", "✓ done before"]


def test_trouble_before_the_first_night_is_told(part: BatchPart, tmp_path: Path, qtbot: QtBot) -> None:
    part.show_window(tmp_path)
    score(part, qtbot)
    assert shown(part).said.text().startswith("⚠ There is no recording")
    assert shown(part).start_button.isEnabled()


def test_closing_the_program_ends_the_batch(window: MainWindow, part: BatchPart, nights: Path, qtbot: QtBot) -> None:
    write_night(nights / "slow.edf")
    part.show_window(nights)
    part.start()
    qtbot.waitUntil(lambda: len(column(part, 1)) == 4 and column(part, 1)[2] == "✓ done", timeout=PATIENCE_MS)
    process = part._process
    assert process is not None
    window.close()
    assert process.pid is None
    assert len(list(read_lines(Path(f"{nights}-scored")))) == 3


def test_everything_is_named_and_reached_by_the_keyboard(part: BatchPart, nights: Path) -> None:
    part.show_window(nights)
    asked = shown(part)
    for widget in (asked.nights, asked.out, asked.table, asked.progress):
        assert widget.accessibleName()
    for widget in (asked.nights, asked.out, asked.signal, asked.table, asked.start_button, asked.cancel_button):
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert asked.engine.text() == "Ensemble"


def test_ten_thousand_nights_are_shown_at_once(qtbot: QtBot) -> None:
    model = BatchModel()
    model.show_nights([f"site/{number:05}" for number in range(10_000)])
    model.set_running(True)
    for number in (2, 0, 1):
        model.add({"night": f"site/{number:05}", "n_epochs": 5, "tst_min": 65.5, "se_percent": 50.0, "seconds": 1.0})
    assert model.n_rows() == 10_000
    assert model.data(model.index(3, 1)) == "▶ scoring…"
    assert model.data(model.index(4, 1)) == "waiting"
    assert [model.data(model.index(1, place)) for place in range(2, 8)] == ["5", "1 h 05", "50 %", "–", "–", "1.0"]
