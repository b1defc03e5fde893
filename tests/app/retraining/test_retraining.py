"""Training on corrected nights in the window: nights counted, progress shown, verdict obeyed, broken ones offered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from helpers import fake_tuning, tiny_tuning
from helpers.fake_tuning import FakeTuning
from helpers.model_files import random_weights
from sleepviewer.app.retraining.feature import RetrainingPart
from sleepviewer.app.retraining.panel import RetrainingPanel
from sleepviewer.app.retraining.training_progress import TuningTrack, duration_text
from sleepviewer.app.retraining.unfinished_training import UnfinishedTraining
from sleepviewer.app.scoring.bar import ScoringBar
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.window import MainWindow
from sleepviewer.archive.archive import NOT_CORRECTED
from sleepviewer.errors import TrainingError
from sleepviewer.models.versions import ModelVersions
from sleepviewer.training.corrected_counts import count_night, why_not
from sleepviewer.training.fine_tune import FineTuneRequest, keep


def part_of(window: MainWindow) -> RetrainingPart:
    part = window.findChild(RetrainingPart)
    assert isinstance(part, RetrainingPart)
    return part


def panel_of(window: MainWindow) -> RetrainingPanel:
    panel = part_of(window).panel
    assert panel is not None
    return panel


@pytest.fixture
def fake(window: MainWindow) -> FakeTuning:
    """What the window trains with."""
    fake = FakeTuning()
    part_of(window).make_process = lambda: fake
    return fake


@pytest.fixture
def chosen(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> RetrainingPanel:
    """The window of trainings, with one corrected night."""
    window.run_command("retrain")
    panel = panel_of(window)
    part_of(window).add_nights([tiny_tuning.write_corrected(tmp_path / "one.npz", 1)])
    qtbot.waitUntil(panel.start.isEnabled)
    return panel


@pytest.fixture
def started(chosen: RetrainingPanel, fake: FakeTuning) -> FakeTuning:
    chosen.start.click()
    return fake


def tell(qtbot: QtBot, fake: FakeTuning, *rows: object) -> None:
    fake.told.extend(rows)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: not fake.told)


def verdict_text(panel: RetrainingPanel) -> str:
    return panel.verdict.text


# -- counting


def test_only_reviewed_epochs_are_counted_and_those_kept_aside_among_them(tmp_path: Path) -> None:
    corrected = np.full(tiny_tuning.EPOCHS, NOT_CORRECTED, dtype=np.int8)
    corrected[:30] = 2
    few = tiny_tuning.write_corrected(tmp_path / "few.npz", 1, base="model", corrected=corrected)
    whole = tiny_tuning.write_corrected(tmp_path / "whole.npz", 2)
    count = count_night(few)
    assert (count.reviewed, count.epochs) == (30, tiny_tuning.EPOCHS)
    assert "too few alone" in count.sentence
    assert "kept aside" in why_not([count])
    assert count_night(few, vouched=True).reviewed == tiny_tuning.EPOCHS
    assert count_night(whole).held_out >= 40
    assert count_night(whole).sentence.startswith("suffices")
    assert why_not([count_night(whole)]) == ""


def test_what_a_training_would_refuse_is_told_before_it(tmp_path: Path) -> None:
    whole = tiny_tuning.write_corrected(tmp_path / "whole.npz", 2)
    again = tiny_tuning.write_corrected(tmp_path / "again.npz", 2)
    assert "same recording" in why_not([count_night(whole), count_night(again)])
    assert "Choose at least one" in why_not([])
    (tmp_path / "no.npz").write_bytes(b"nothing")
    assert "no usable archive" in count_night(tmp_path / "no.npz").sentence
    unseen = np.full(tiny_tuning.EPOCHS, NOT_CORRECTED, dtype=np.int8)
    untouched = count_night(tiny_tuning.write_corrected(tmp_path / "u.npz", 3, base="model", corrected=unseen))
    assert not untouched.usable
    assert "No epoch of u.npz was reviewed" in why_not([untouched])


def test_the_count_is_what_the_training_keeps_aside(tmp_path: Path) -> None:
    from sleepviewer.training.tuning_data import load_tuning_data

    request = tiny_tuning.request(tmp_path)
    data = load_tuning_data(request, tiny_tuning.CARD)
    assert count_night(request.archives[0]).held_out == int(data.parts[0].test.sum())


# -- choosing


def test_the_list_says_what_suffices_and_space_leaves_a_night_out(
    chosen: RetrainingPanel, window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "broken.npz").write_bytes(b"nothing")
    part_of(window).add_nights([tmp_path / "broken.npz"])
    qtbot.waitUntil(lambda: len(chosen.paths) == 2)
    assert [path.name for path in chosen.chosen] == ["one.npz"]
    chosen.nights.nights.toggle(0)
    assert not chosen.chosen
    assert not chosen.start.isEnabled()
    chosen.nights.nights.toggle(0)
    chosen.nights.removed.emit(tmp_path / "broken.npz")
    qtbot.waitUntil(lambda: len(chosen.paths) == 1)
    assert chosen.start.isEnabled()


def test_own_nights_to_replay_need_a_folder(chosen: RetrainingPanel, tmp_path: Path) -> None:
    chosen.replay.setCurrentIndex(1)
    assert not chosen.start.isEnabled()
    assert not chosen.folder.isHidden()
    chosen.folder.setText(str(tmp_path))
    assert chosen.start.isEnabled()
    assert chosen.replay_folder == tmp_path


def test_a_night_that_was_not_saved_is_not_learned_from(window: MainWindow) -> None:
    window.run_command("retrain")
    part_of(window).add_this_night()
    assert panel_of(window).paths == ()
    assert not panel_of(window).start.isEnabled()


def test_a_folder_lists_its_reviews(
    chosen: RetrainingPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    tiny_tuning.write_corrected(tmp_path / "two.npz", 2)
    monkeypatch.setattr(dialogs, "ask_folder", lambda *_: tmp_path)
    chosen.folder_requested.emit()
    qtbot.waitUntil(lambda: [path.name for path in chosen.paths] == ["one.npz", "two.npz"])


# -- training


def test_the_request_names_the_version_and_not_what_is_active_then(started: FakeTuning, tmp_path: Path) -> None:
    assert started.request == FineTuneRequest((tmp_path / "one.npz",), "attnsleep+context@shipped")


def test_progress_is_shown_as_curves_and_in_words(
    chosen: RetrainingPanel, started: FakeTuning, window: MainWindow, qtbot: QtBot
) -> None:
    tell(qtbot, started, fake_tuning.row(0, "reading"))
    assert chosen.where.text() == "Reading the nights…"
    rows = [
        fake_tuning.row(0, kappa_corrected=0.7, kappa_others=0.8),
        *(fake_tuning.row(s, loss=1 / s) for s in (5, 20)),
    ]
    tell(qtbot, started, *rows)
    assert "step 20 of 120, about 50 s of steps left" in chosen.where.text()
    assert chosen.progress.value() == 20
    assert "loss 0.050 at step 20" in chosen.curves.accessibleDescription()
    assert "κ on another subject 0.800 at step 0" in chosen.curves.accessibleDescription()
    assert not chosen.curves.grab().isNull()


def test_pausing_is_seen_and_taken_back(chosen: RetrainingPanel, started: FakeTuning, qtbot: QtBot) -> None:
    chosen.pause.click()
    qtbot.waitUntil(lambda: chosen.pause.text() == "Go on")
    assert chosen.where.text().startswith("Paused.")
    chosen.pause.click()
    qtbot.waitUntil(lambda: chosen.pause.text() == "Pause")
    assert started.running


def test_cancelling_blocks_nothing_and_forgets_the_training(
    chosen: RetrainingPanel, started: FakeTuning, window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def slow(*, forget: bool = True) -> None:
        time.sleep(0.5)
        started.calls.append(f"cancel {forget}")

    monkeypatch.setattr(started, "cancel", slow)
    monkeypatch.setattr(dialogs, "ask_whether", lambda *_: False)
    chosen.cancel.click()
    assert part_of(window).running, "she said no"
    monkeypatch.setattr(dialogs, "ask_whether", lambda *_: True)
    before = time.monotonic()
    chosen.cancel.click()
    assert time.monotonic() - before < 0.3
    assert not chosen.cancel.isEnabled()
    qtbot.waitUntil(lambda: not part_of(window).running)
    assert started.calls == ["cancel True", "close"]
    assert UnfinishedTraining(window.settings).found() is None
    assert not chosen.start.isHidden()


def test_what_goes_wrong_is_told_and_another_can_be_begun(
    chosen: RetrainingPanel, started: FakeTuning, window: MainWindow, qtbot: QtBot
) -> None:
    started.end(error=TrainingError("No epoch was reviewed."))
    qtbot.waitUntil(lambda: not part_of(window).running)
    assert "No epoch was reviewed." in chosen.where.text()
    chosen.back.click()
    assert chosen.start.isVisible()
    assert chosen.start.isEnabled()


def test_closing_the_window_of_it_stops_nothing(
    chosen: RetrainingPanel, started: FakeTuning, window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    chosen.close()
    assert part_of(window).running
    started.end(fake_tuning.result(tmp_path / "candidate"))
    qtbot.waitUntil(lambda: not part_of(window).running)
    assert "is better and is offered" in part_of(window).notice.text
    part_of(window).notice.buttons[0].click()
    assert chosen.isVisible()
    assert part_of(window).notice.text == ""


# -- the verdict


def test_what_is_offered_can_be_kept_under_a_name_and_the_tool_bar_has_it_at_once(
    chosen: RetrainingPanel, started: FakeTuning, window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    candidate = random_weights(tmp_path / "candidate.safetensors", "attnsleep", lineage={"parent": "attnsleep@shipped"})
    started.end(fake_tuning.result(candidate))
    qtbot.waitUntil(lambda: not part_of(window).running)
    text = verdict_text(chosen)
    for said in ("Offered", "κ rose from 0.790 to 0.890.", "0.845", "n = 2,880", "▲ +0.100", "A note."):
        assert said in text
    chosen.verdict.name.setText("Older sleepers")
    chosen.verdict.note.setText("Our  recorder")
    chosen.verdict.keep.click()
    qtbot.waitUntil(lambda: "Kept as" in verdict_text(chosen))
    (version,) = ModelVersions().versions()
    assert (version.title, version.note) == ("AttnSleep · v1 “Older sleepers”", "Our recorder")
    assert not version.active
    bar = window.findChild(ScoringBar)
    assert isinstance(bar, ScoringBar)
    bar.choose_engine("attnsleep@v1")
    assert bar.spec.id == "attnsleep@v1"
    assert not chosen.verdict.score.isEnabled(), "no night is open"
    chosen.verdict.activate.click()
    assert ModelVersions().get("attnsleep").name == "attnsleep@v1"
    assert bar.spec.id == "attnsleep"
    assert UnfinishedTraining(window.settings).found() is None


def test_what_is_refused_is_shown_and_can_only_be_discarded(
    chosen: RetrainingPanel, started: FakeTuning, window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    started.end(fake_tuning.result(tmp_path / "candidate", offered=False))
    qtbot.waitUntil(lambda: not part_of(window).running)
    assert "Refused" in verdict_text(chosen)
    assert "κ did not rise (0.790 before, 0.750 after)." in verdict_text(chosen)
    assert "▼ −0.040" in verdict_text(chosen)
    for button in (chosen.verdict.keep, chosen.verdict.activate, chosen.verdict.score):
        assert not button.isVisible()
    chosen.verdict.discard.click()
    qtbot.waitUntil(chosen.start.isVisible)
    assert ModelVersions().versions() == ()


def test_a_candidate_that_is_gone_is_told(
    chosen: RetrainingPanel, started: FakeTuning, window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    started.end(fake_tuning.result(tmp_path / "gone.safetensors"))
    qtbot.waitUntil(lambda: not part_of(window).running)
    chosen.verdict.keep.click()
    qtbot.waitUntil(lambda: "gone or damaged" in chosen.where.text())
    assert chosen.verdict.keep.isVisible()


def test_a_name_and_a_note_leave_the_weights_as_they_were(tmp_path: Path) -> None:
    from sleepviewer.models.checkpoints import load_weights

    path = random_weights(tmp_path / "c.safetensors", "attnsleep")
    kept = keep(fake_tuning.result(path), label="ä “x”", note="n")
    before, after = load_weights(path), load_weights(kept)
    assert after.card.lineage == {"label": "ä “x”", "note": "n"}
    assert before.state.keys() == after.state.keys()
    assert all(bool((before.state[name] == after.state[name]).all()) for name in before.state)


# -- what was interrupted


def test_a_training_that_a_kill_broke_is_offered_at_the_next_start(
    make_window: Callable[[], MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    request = FineTuneRequest((tiny_tuning.write_corrected(tmp_path / "one.npz", 1),), "attnsleep@shipped")
    settings = Settings()
    UnfinishedTraining(settings).remember(request)
    assert UnfinishedTraining(settings).found() is None, "this process is at it"
    kept = settings.get_json("retraining/unfinished", {})
    settings.set_json("retraining/unfinished", {**kept, "holder": [*kept["holder"][:2], "another start"]})
    window = make_window()
    part = part_of(window)
    assert "A training on one was interrupted" in part.notice.text
    assert part.notice.isVisible()
    part.make_process = lambda: fake
    fake = FakeTuning()
    part.notice.buttons[0].click()
    assert fake.request is not None
    assert json.loads(fake.request.to_json()) == json.loads(request.to_json())
    assert part.notice.text == ""
    assert panel_of(window).where.text() == "Starting…"


def test_an_interrupted_training_can_be_forgotten(make_window: Callable[[], MainWindow], tmp_path: Path) -> None:
    path = tiny_tuning.write_corrected(tmp_path / "one.npz", 1)
    Settings().set_json("retraining/unfinished", {"request": FineTuneRequest((path,)).to_json(), "holder": None})
    window = make_window()
    part_of(window).notice.buttons[1].click()
    assert part_of(window).notice.text == ""
    assert UnfinishedTraining(window.settings).found() is None


def test_a_damaged_memory_of_a_training_is_none() -> None:
    settings = Settings()
    for kept in ({"request": "no JSON"}, {"request": 3}, {"holder": [1, "x"]}, {}):
        settings.set_json("retraining/unfinished", kept)
        assert UnfinishedTraining(settings).found() is None


def test_leaving_the_program_keeps_the_training_for_the_next_time(
    chosen: RetrainingPanel, started: FakeTuning, window: MainWindow
) -> None:
    window.close()
    assert started.calls == ["close"]
    assert window.settings.get_json("retraining/unfinished", {})


# -- values


def test_a_track_that_went_on_gets_its_earlier_points() -> None:
    track = TuningTrack()
    track.add([fake_tuning.row(60, loss=0.4), fake_tuning.row(80, loss=0.3)])
    track.fill([fake_tuning.row(0, kappa_corrected=0.5), fake_tuning.row(20, loss=0.9), fake_tuning.row(80, loss=0.31)])
    assert track.losses == [(20, 0.9), (60, 0.4), (80, 0.3)]
    assert track.corrected == [(0, 0.5)]
    assert track.seconds_left == pytest.approx(20)
    assert [duration_text(seconds) for seconds in (1, 42, 54, 100)] == [
        "about 5 s",
        "about 40 s",
        "about 55 s",
        "about 2 min",
    ]
