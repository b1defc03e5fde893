"""The map of look-alikes in the window: looked at in a child process, painted, lassoed, listed, across archives too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QComboBox, QProgressBar, QToolTip
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from helpers.places import DATA
from helpers.review_values import prediction_of, truth_of
from sleepviewer.app.explain import similar_epochs_panel as map_panel
from sleepviewer.app.explain.embedding_view import ColorBy, MapView, within
from sleepviewer.app.explain.similar_epochs_feature import MapPart
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.theme import DARK, LIGHT
from sleepviewer.app.window import MainWindow
from sleepviewer.app.work.embedding_worker import LookWorker, umap_plane
from sleepviewer.archive import build_archive, make_meta, write_archive
from sleepviewer.errors import AnalysisError, ChannelError, EngineError
from sleepviewer.recording import open_recording
from sleepviewer.review.lookalikes import open_night
from sleepviewer.scoring.base import Progress
from sleepviewer.scoring.features import ArchiveNight, ArchiveNights, FeaturesRequest, NightFeatures
from sleepviewer.scoring.process import ScoringProcess
from sleepviewer.scoring.registry import EngineSpec
from sleepviewer.stages import Stage

N, RATE = 40, 100
START = datetime(2021, 3, 4, 22, 30)
WEIGHTS = DATA / "attnsleep_100hz.safetensors"
SHA = "ab" * 32
LEFT = Qt.MouseButton.LeftButton
TRUTH = [epoch // 8 for epoch in range(N)]
MODEL = [4 if 8 <= epoch < 15 else stage for epoch, stage in enumerate(TRUTH)]
"""Seven of the eight N1 are taken for REM, all in the same way."""


def write_night(path: Path, n: int = N, label: str = "EEG C4") -> Path:
    samples = np.round(np.random.default_rng(1).standard_normal(n * 30 * RATE) * 20, 1)
    return write_edf(path, [Signal(label, RATE, "uV", samples)], start=START, record_s=30)


def features_of(stages: list[int], seed: int = 0, sha256: str = SHA) -> NightFeatures:
    """Features that follow the stages; the last epoch has none."""
    noise = np.random.default_rng(seed).normal(scale=0.2, size=(len(stages), 5))
    values = np.zeros((len(stages), 65), np.float32)
    values[:, :5] = np.eye(5)[np.array(stages)] * 8 + noise
    values[-1] = np.nan
    return NightFeatures(values, sha256)


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """A scored night in whose worker nothing runs: the test emits its signals."""
    assert window.open_path(write_night(tmp_path / "night.edf"))
    document = session_of(window).document
    document.set_truth(truth_of(TRUTH))
    document.set_prediction(prediction_of(MODEL))
    requests: list[FeaturesRequest] = []
    monkeypatch.setattr(worker_of(window), "start", requests.append)
    monkeypatch.setattr(worker_of(window), "requests", requests, raising=False)
    return window


def session_of(window: MainWindow) -> NightSession:
    assert window.session is not None
    return window.session


def part_of(window: MainWindow) -> MapPart:
    part = window.findChild(MapPart)
    assert isinstance(part, MapPart)
    return part


def worker_of(window: MainWindow) -> LookWorker:
    worker = window.findChild(LookWorker)
    assert isinstance(worker, LookWorker)
    return worker


def requests_of(window: MainWindow) -> list[FeaturesRequest]:
    return worker_of(window).requests  # type: ignore[attr-defined, no-any-return]


def mapped(window: MainWindow, qtbot: QtBot, sha256: str = SHA) -> MapPart:
    """Look at the night's epochs and wait for the map."""
    part = part_of(window)
    window.run_command("look_alikes")
    worker_of(window).finished.emit(features_of(TRUTH, sha256=sha256))
    qtbot.waitUntil(lambda: len(part.panel.view.places) == N - 1)
    return part


def listed(part: MapPart) -> list[tuple[str, int]]:
    return [(Path(row.night).stem, row.epoch) for row in part.panel.table.epochs.rows]


def alike(window: MainWindow, qtbot: QtBot, epoch: int) -> MapPart:
    part = part_of(window)
    session_of(window).go_to(epoch)
    window.run_command("alike")
    qtbot.waitUntil(lambda: f"Epoch {epoch + 1}" in part.panel.text)
    return part


# -- the child process


def test_a_child_sees_the_epochs_of_a_recording_and_of_archives(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf", 6)
    with open_recording(night) as recording:
        stages = np.array([0, 1, 2, 3, 4, 0], np.int8)
        meta = make_meta(recording)
        corrected = np.array([-2, -2, 1, -2, -2, -2], np.int8)
        archive = build_archive(recording, "EEG C4", stages, meta=meta, expert=stages, corrected=corrected)
        empty = build_archive(recording, None, stages, meta=meta)
    write_archive(tmp_path / "one.npz", archive)
    write_archive(tmp_path / "empty.npz", empty)
    (tmp_path / "broken.npz").write_bytes(b"no")
    spec = EngineSpec("attnsleep", WEIGHTS)
    told: list[Progress] = []
    with ScoringProcess() as process:
        own = process.look(FeaturesRequest(spec, (night,), "EEG C4"), told.append)
        there = process.look(FeaturesRequest(spec, tuple(tmp_path / f"{n}.npz" for n in ("one", "empty", "broken"))))
        with pytest.raises(EngineError, match="YASA has no features of its own"):
            process.look(FeaturesRequest(EngineSpec("yasa"), (night,), "EEG C4"))
        with pytest.raises(ChannelError, match="EEG O2"):
            process.look(FeaturesRequest(spec, (night,), "EEG O2"))
    assert isinstance(own, NightFeatures)
    assert own.values.shape == (6, 65)
    assert own.seen.all()
    assert told[-1].fraction == 1.0
    assert isinstance(there, ArchiveNights)
    (one,) = there.nights
    np.testing.assert_allclose(one.features.values, own.values, atol=1e-3)
    assert one.features.weights_sha256 == own.weights_sha256
    assert one.truth.tolist() == [0, 1, 1, 3, 4, 0]
    assert (one.recording, one.start) == ("night.edf", START)
    assert len(there.notes) == 2
    assert "empty.npz" in there.notes[0]
    assert "without a signal" in there.notes[0]
    assert "broken.npz" in there.notes[1]


def test_looking_is_cancelled(qtbot: QtBot, tmp_path: Path) -> None:
    worker = LookWorker()
    with qtbot.waitSignal(worker.cancelled, timeout=20_000):
        worker.start(FeaturesRequest(EngineSpec("attnsleep", WEIGHTS), (write_night(tmp_path / "n.edf"),), "EEG C4"))
        worker.cancel()
    worker.close()


# -- looking


def test_the_map_is_looked_at_once_it_is_shown(opened: MainWindow, qtbot: QtBot) -> None:
    part = part_of(opened)
    assert not opened.actions_["cancel_look"].isEnabled()
    opened.run_command("look_alikes")
    (request,) = requests_of(opened)
    assert request.eeg == "EEG C4"
    assert request.paths == (session_of(opened).night.recording.path,)
    assert request.stamp is not None
    assert opened.actions_["cancel_look"].isEnabled()
    worker_of(opened).progressed.emit(Progress(0.4, "looking at the epochs"))
    bar = part.panel.findChild(QProgressBar)
    assert bar is not None
    assert bar.value() == 40
    worker_of(opened).finished.emit(features_of(TRUTH))
    qtbot.waitUntil(lambda: len(part.panel.view.places) == N - 1)
    assert not bar.isVisible()
    assert not opened.actions_["cancel_look"].isEnabled()
    assert "As AttnSleep + context sees EEG C4" in part.panel.text
    assert part.panel.view.accessibleDescription().startswith("39 epochs, 7 of them wrong")
    opened.run_command("look_alikes")
    assert len(requests_of(opened)) == 1, "what was seen is not looked at again"


def test_whose_stages_they_are_is_said(opened: MainWindow, qtbot: QtBot) -> None:
    part = mapped(opened, qtbot, sha256="cd" * 32)
    assert "The model's stages are fake's, not its own" in part.panel.text


def test_an_engine_without_features_and_a_night_without_a_channel_are_told(opened: MainWindow, tmp_path: Path) -> None:
    part = part_of(opened)
    opened.scoring_bar.choose_engine("yasa")
    opened.run_command("alike")
    assert "YASA has no features of its own" in opened.info_bar.text
    assert requests_of(opened) == []
    assert not part.running
    opened.scoring_bar.choose_engine("attnsleep")
    assert opened.open_path(write_night(tmp_path / "other.edf", label="X1"))
    session_of(opened).night.channel = None
    opened.run_command("look_alikes")
    assert "choose the channel" in opened.info_bar.text
    assert requests_of(opened) == []


def test_trouble_and_cancelling_leave_what_was_there(opened: MainWindow, qtbot: QtBot) -> None:
    part = mapped(opened, qtbot)
    part.look()
    worker_of(opened).failed.emit("The scoring process stopped unexpectedly.")
    assert "stopped unexpectedly" in opened.info_bar.text
    assert len(part.panel.view.places) == N - 1
    part.look()
    worker_of(opened).cancelled.emit()
    assert "cancelled" in opened.status_line.text
    assert not part.running
    assert len(part.panel.view.places) == N - 1


def test_another_night_has_no_map_and_does_not_hear_the_last_ones(opened: MainWindow, tmp_path: Path) -> None:
    part = part_of(opened)
    opened.run_command("look_alikes")
    assert opened.open_path(write_night(tmp_path / "next.edf"))
    worker_of(opened).finished.emit(features_of(TRUTH))
    QApplication.processEvents()
    assert len(part.panel.view.places) == 0
    assert not part.running


# -- the map


def view_of(qtbot: QtBot, n: int = 5) -> MapView:
    """A map of n epochs from left to right, the second of which is wrong."""
    view = MapView(LIGHT)
    qtbot.addWidget(view)
    view.resize(400, 324)
    view.show()
    plane = np.stack([np.arange(n), np.arange(n) % 2], axis=1).astype(np.float32)
    truth = np.array([0, 1, 2, 3, 4] * (n // 5 + 1), np.int8)[:n]
    predicted = truth.copy()
    predicted[1:2] = 2
    view.show_points(plane, np.arange(10, 10 + n), truth, predicted)
    return view


def at(view: MapView, point: int) -> QPoint:
    return QPointF(*view.places[point]).toPoint()


def test_a_click_goes_to_the_nearest_epoch(qtbot: QtBot) -> None:
    view = view_of(qtbot)
    gone: list[int] = []
    view.picked.connect(gone.append)
    qtbot.mouseClick(view, LEFT, pos=at(view, 2) + QPoint(3, -3))
    qtbot.mouseClick(view, LEFT, pos=at(view, 2) + QPoint(40, 40))
    assert gone == [12]


def test_a_drag_around_epochs_lists_them(qtbot: QtBot) -> None:
    view = view_of(qtbot)
    found: list[list[int]] = []
    view.lassoed.connect(lambda epochs: found.append(epochs.tolist()))
    first, second = at(view, 0), at(view, 1)
    left, right = first.x() - 10, second.x() + 10
    corners = [(left, second.y() - 10), (right, second.y() - 10), (right, first.y() + 10), (left, first.y() + 10)]
    qtbot.mousePress(view, LEFT, pos=QPoint(*corners[0]))
    for corner in corners[1:]:
        qtbot.mouseMove(view, QPoint(*corner))
    view.grab()  # the lasso is painted
    qtbot.mouseRelease(view, LEFT, pos=QPoint(*corners[-1]))
    assert found == [[10, 11]]


def test_the_pointer_says_which_epoch_it_is(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of(qtbot)
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, widget: said.append(text))
    view.describe = lambda epoch: f"this is {epoch}"
    qtbot.mouseMove(view, at(view, 3))
    qtbot.mouseMove(view, at(view, 3) + QPoint(1, 0))
    assert said == ["this is 13"]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_stages_and_errors_are_told_apart_by_shape_and_outline(qtbot: QtBot, theme: object) -> None:
    """Symbols in one colour still differ."""
    view = view_of(qtbot)
    view.set_theme(theme)  # type: ignore[arg-type]
    drawn = {stage: view._symbol(stage, "#808080").toImage() for stage in Stage}
    assert all(drawn[a] != drawn[b] for a in Stage for b in Stage if a < b)
    assert view._symbol(Stage.N2, "#808080", outlined=True).toImage() != drawn[Stage.N2]
    pictures = []
    for color in ColorBy:
        view.color_by(color)
        pictures.append(view.grab().toImage())
    assert pictures[0] != pictures[1] != pictures[2]


def test_the_current_epoch_is_marked_without_painting_the_points_again(qtbot: QtBot) -> None:
    view = view_of(qtbot)
    view.grab()
    picture = view._picture
    view.show_epoch(13)
    image = view.grab().toImage()
    assert view._picture is picture
    ring = at(view, 3) + QPoint(9, 0)
    near = [image.pixelColor(ring + QPoint(dx, 0)) for dx in (-1, 0, 1)]
    assert any(_close(color, QColor(LIGHT.cursor)) for color in near)


def _close(one: QColor, other: QColor) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(one.getRgb(), other.getRgb(), strict=True))


def test_one_point_and_none_can_be_shown(qtbot: QtBot) -> None:
    view = view_of(qtbot, 1)
    assert np.isfinite(view.places).all()
    view.grab()
    view.show_sentence("Nothing yet.")
    assert len(view.places) == 0
    qtbot.mouseClick(view, LEFT, pos=QPoint(50, 50))
    view.grab()


def test_points_within_a_polygon() -> None:
    square = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], float)
    points = np.array([(5, 5), (11, 5), (-1, 5), (5, 11), (9.9, 9.9)], float)
    assert within(points, square).tolist() == [True, False, False, False, True]
    bow = np.array([(0, 0), (10, 10), (10, 0), (0, 10)], float)
    assert within(np.array([(1, 5), (5, 1), (9, 5)], float), bow).tolist() == [True, False, True]
    assert within(points, square[:1]).tolist() == [False] * 5


# -- lists


def test_a_lasso_is_listed_and_d_steps_through_it(opened: MainWindow, qtbot: QtBot) -> None:
    session, part = session_of(opened), mapped(opened, qtbot)
    part.panel.view.lassoed.emit(np.array([3, 9, 30]))
    assert listed(part) == [("", 3), ("", 9), ("", 30)]
    assert part.panel.table.epochs.rows[1].cells[2:4] == (Stage.N1, Stage.REM)
    opened.activateWindow()
    opened.setFocus()
    for epoch in (3, 9, 30):
        qtbot.keyClick(opened, Qt.Key.Key_D)
        assert session.epoch == epoch
    part.panel.view.lassoed.emit(np.array([], dtype=int))
    assert "No epoch lies in there" in part.panel.text
    part.panel.view.picked.emit(12)
    assert session.epoch == 12


def test_an_error_among_errors_is_a_kind(opened: MainWindow, qtbot: QtBot) -> None:
    mapped(opened, qtbot)
    part = alike(opened, qtbot, 10)
    near = listed(part)[:7]
    assert {epoch for _, epoch in near} == set(range(8, 16)) - {10}
    said = part.panel.text
    assert "Epoch 11, N1 taken for REM: 6 of 12 look-alikes are wrong as well, 6 in the same way" in said
    assert "a kind of error (18\u00a0% of this night are wrong)" in said
    assert "They are labelled N1 (7)" in said
    walk = session_of(opened).walk
    assert walk is not None
    assert walk.name == "like epoch 11"
    assert len(walk.epochs) == 12


def test_what_is_corrected_changes_map_and_verdict(opened: MainWindow, qtbot: QtBot) -> None:
    mapped(opened, qtbot)
    part = alike(opened, qtbot, 10)
    session_of(opened).document.set_stage([8, 9, 11, 12, 13], Stage.REM)
    assert "1 of 12 look-alikes are wrong as well" in part.panel.text
    assert "a stray" in part.panel.text
    assert part.panel.view.accessibleDescription().startswith("39 epochs, 2 of them wrong")
    session_of(opened).document.set_stage([10], Stage.REM)
    assert "Epoch 11 is right (REM)" in part.panel.text


def test_an_epoch_without_a_label_is_told_by_its_look_alikes(opened: MainWindow, qtbot: QtBot) -> None:
    truth = list(TRUTH)
    truth[10] = -1
    session_of(opened).document.set_truth(truth_of(truth))
    mapped(opened, qtbot)
    part = alike(opened, qtbot, 10)
    assert "Epoch 11 has no label or no model's stage: 6 of 12" in part.panel.text
    session_of(opened).document.set_truth(None)
    assert "none of its 12 look-alikes has both" in part.panel.text


def test_an_epoch_that_was_not_seen_is_told(opened: MainWindow, qtbot: QtBot) -> None:
    mapped(opened, qtbot)
    session_of(opened).go_to(N - 1)
    opened.run_command("alike")
    qtbot.waitUntil(lambda: "has no features" in opened.status_line.text)


def test_asking_for_look_alikes_looks_first(opened: MainWindow, qtbot: QtBot) -> None:
    part = part_of(opened)
    session_of(opened).go_to(10)
    opened.run_command("alike")
    assert len(requests_of(opened)) == 1
    worker_of(opened).finished.emit(features_of(TRUTH))
    qtbot.waitUntil(lambda: len(listed(part)) == 12)


def test_a_closed_panel_gives_d_back(opened: MainWindow, qtbot: QtBot) -> None:
    part = mapped(opened, qtbot)
    part.panel.view.lassoed.emit(np.array([3, 9]))
    opened.panels["map"].close()
    QApplication.processEvents()
    assert session_of(opened).walk is None
    assert listed(part) == []


def test_a_hidden_map_does_nothing_as_pages_turn(
    opened: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = mapped(opened, qtbot)
    opened.panels.show("review")
    QApplication.processEvents()
    calls: list[int] = []
    monkeypatch.setattr(part.panel.view, "show_epoch", calls.append)
    session_of(opened).go_to(5)
    session_of(opened).document.set_stage([5], Stage.REM)
    assert calls == []
    opened.panels.show("map")
    QApplication.processEvents()
    assert calls == [5]


# -- other nights


def archived(path: Path, recording: str, sha256: str = SHA) -> ArchiveNight:
    stages = np.array(TRUTH, np.int8)
    return ArchiveNight(path, features_of(TRUTH, 7, sha256), stages, stages, recording, START)


def look_elsewhere(window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FeaturesRequest:
    monkeypatch.setattr(dialogs, "ask_archives", lambda *_: folder)
    window.run_command("alike_elsewhere")
    return requests_of(window)[-1]


def test_other_nights_are_looked_in_and_opened(
    opened: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = mapped(opened, qtbot)
    folder = tmp_path / "nights"
    folder.mkdir()
    for name in ("far.npz", "own.npz", "lost.npz"):
        (folder / name).touch()
    write_night(folder / "far.edf")
    session_of(opened).go_to(10)
    request = look_elsewhere(opened, folder, monkeypatch)
    assert [path.name for path in request.paths] == ["far.npz", "lost.npz", "own.npz"]
    assert request.eeg == ""
    nights = (archived(folder / "far.npz", "far.edf"), archived(folder / "lost.npz", "lost.edf"))
    own = archived(folder / "own.npz", "night.edf")
    worker_of(opened).finished.emit(ArchiveNights((*nights, own), ("old.npz: it is broken.",)))
    qtbot.waitUntil(lambda: len(listed(part)) == 12)
    assert {night for night, _ in listed(part)} == {"", "far", "lost"}
    assert "2 further nights looked in; 1 could not be: old.npz: it is broken." in part.panel.text
    row, epoch = next((i, e) for i, (night, e) in enumerate(listed(part)) if night == "lost")
    part.panel.table.doubleClicked.emit(part.panel.table.model().index(row, 0))
    assert f"lost.edf does not lie beside lost.npz; open it with Ctrl+O (epoch {epoch + 1})" in opened.info_bar.text
    row, epoch = next((i, e) for i, (night, e) in enumerate(listed(part)) if night == "far")
    part.panel.table.doubleClicked.emit(part.panel.table.model().index(row, 0))
    assert session_of(opened).night.recording.name == "far.edf"
    assert session_of(opened).epoch == epoch


def test_features_of_other_weights_are_refused(
    opened: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = mapped(opened, qtbot)
    (tmp_path / "far.npz").touch()
    look_elsewhere(opened, tmp_path, monkeypatch)
    worker_of(opened).finished.emit(ArchiveNights((archived(tmp_path / "far.npz", "far.edf", "cd" * 32),)))
    assert "of different models and can't be compared" in opened.info_bar.text
    assert listed(part) == []


def test_a_folder_without_archives_is_told(
    opened: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped(opened, qtbot)
    look_elsewhere(opened, tmp_path / "nothing", monkeypatch)
    assert "holds no scoring archive (.npz) of another night" in opened.info_bar.text
    assert len(requests_of(opened)) == 1


# -- UMAP


def fake_umap(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A package umap that does what the body says; the child process finds it by the path that it is handed."""
    (folder / "umap").mkdir()
    lines = (
        "class UMAP:",
        "    def __init__(self, **_): pass",
        "    def fit_transform(self, points):",
        f"        {body}",
    )
    (folder / "umap" / "__init__.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(folder))


def never() -> bool:
    return False


def test_umaps_plane_is_computed_in_a_child(
    opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sleepviewer.analysis.lookalikes import embed

    fake_umap(tmp_path, monkeypatch, "return points[:, :2] * 2")
    embedding = embed([open_night(session_of(opened).document, features_of(TRUTH))])
    np.testing.assert_allclose(umap_plane(embedding, never), embedding.points[:, :2] * 2)
    assert umap_plane(embedding, lambda: True) is None
    (tmp_path / "umap" / "__init__.py").write_text("raise OSError('no compiler')")
    with pytest.raises(AnalysisError, match=r"UMAP failed: no compiler\. Take PCA"):
        umap_plane(embedding, never)
    (tmp_path / "umap" / "__init__.py").write_text("import os; os._exit(3)")
    with pytest.raises(AnalysisError, match="stopped unexpectedly"):
        umap_plane(embedding, never)


def test_umap_is_offered_where_it_is_there(
    make_window: Callable[[], MainWindow], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_panel, "umap_is_there", lambda: True)
    window = make_window()
    assert window.open_path(write_night(tmp_path / "night.edf"))
    monkeypatch.setattr(worker_of(window), "start", lambda request: None)
    part = mapped(window, qtbot)
    pca = part.panel.view.places.copy()
    plane = np.random.default_rng(0).normal(size=(N - 1, 2)).astype(np.float32)
    monkeypatch.setattr("sleepviewer.app.explain.similar_epochs_feature.umap_plane", lambda embedding, cancelled: plane)
    box = next(b for b in part.panel.findChildren(QComboBox) if "plane" in b.accessibleName())
    box.setCurrentIndex(1)
    box.activated.emit(1)
    qtbot.waitUntil(lambda: not np.array_equal(part.panel.view.places, pca))

    def fail(embedding: object, cancelled: object) -> None:
        raise AnalysisError("UMAP failed: no memory.")

    monkeypatch.setattr("sleepviewer.app.explain.similar_epochs_feature.umap_plane", fail)
    box.activated.emit(1)
    qtbot.waitUntil(lambda: "no memory" in window.info_bar.text)
    assert part.panel.method == "pca"
    assert not part.running
