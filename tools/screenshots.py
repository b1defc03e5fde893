"""Make the pictures of the documentation from the window as it is now: every state, in both themes.

    python tools/screenshots.py NIGHT.edf SCORED.npz docs/images [STATE …]

NIGHT is a real night with its expert's hypnogram beside it, SCORED what ``sleepviewer score`` made of it. Nights of
several channels are simulated. Pictures have 256 colours, so that they stay small.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
import shiboken6
from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QImage, QKeySequence, QPainter
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QRadioButton, QTabWidget

from sleepviewer.analysis.rivals import Group
from sleepviewer.analysis.shifts import Kind
from sleepviewer.app.batch.feature import BatchPart
from sleepviewer.app.compare.disagreements_feature import DisagreementsPart
from sleepviewer.app.compare.disagreements_table import CONFIDENCE
from sleepviewer.app.compare.models_feature import RivalsPart
from sleepviewer.app.explain.attribution_feature import ExplainPart
from sleepviewer.app.explain.embedding_view import ColorBy
from sleepviewer.app.explain.similar_epochs_feature import MapPart
from sleepviewer.app.files.export_dialog import ExportDialog
from sleepviewer.app.files.folder_export_dialog import FolderExportDialog
from sleepviewer.app.files.recovery_dialog import RecoveryDialog
from sleepviewer.app.files.safety_feature import SafetyPart
from sleepviewer.app.main import settle
from sleepviewer.app.preferences.settings_dialog import SettingsDialog
from sleepviewer.app.retraining.feature import RetrainingPart
from sleepviewer.app.retraining.panel import RetrainingPanel
from sleepviewer.app.scoring.models_feature import ModelsPart
from sleepviewer.app.shell import faults
from sleepviewer.app.shell.model_events import model_shelf
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.theme import DARK, LIGHT, Theme, apply_theme
from sleepviewer.app.shell.welcome import UnsavedNight
from sleepviewer.app.window import MainWindow
from sleepviewer.batch.running import Told
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.models.versions import FOLDER_VARIABLE, ModelVersions
from sleepviewer.recording import open_recording
from sleepviewer.recording.base import Samples
from sleepviewer.review.contenders import contender_of
from sleepviewer.review.document import Base
from sleepviewer.review.events import Event, EventKind, Origin
from sleepviewer.review.export_folder import FolderExported
from sleepviewer.review.journal import Journal, JournalState, Safety
from sleepviewer.review.journal_reading import read_journal
from sleepviewer.review.night import Night
from sleepviewer.review.night_lock import Holder
from sleepviewer.review.opening import open_night
from sleepviewer.review.recovery import recover
from sleepviewer.review.saving import save_review
from sleepviewer.review.state_folder import StateFolders
from sleepviewer.scoring.base import ChannelChoice, Prediction
from sleepviewer.scoring.registry import EngineSpec, make_engine
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import SCORED_STAGES, Stage

SIZE = (1366, 768)
Act = Callable[[MainWindow], object]


@dataclass(frozen=True)
class State:
    """A picture: which night it is of, and what brings it about; ``dialog`` is grabbed over the window while open."""

    night: str  # "", "real", "scored", "simulated", "corrected", "next", "without units"
    act: Act = lambda _: None
    dialog: Callable[[QDialog], object] | None = None
    epoch: int = 435
    tab: int = 0
    settles: bool = True


def correct(window: MainWindow) -> None:
    """Go through a few doubtful epochs as an expert would."""
    for command in ("next_doubt", "accept", "next_doubt", "stage_n2", "next_doubt", "flag", "next_disagreement"):
        window.run_command(command)


def review_in_order(window: MainWindow) -> None:
    """Go through some of the queue in the order of doubt, as an expert would who has no other's hypnogram."""
    assert window.session is not None
    document, truth = window.session.document, window.session.document.truth
    assert truth is not None
    document.set_truth(None)
    document.set_base(Base.MODEL)
    window.run_command("review_in_order")
    for _ in range(14):
        stage = Stage(int(truth.stages[window.session.epoch]))
        window.run_command(f"stage_{stage.label.lower()}")
    # Edits at a picture's speed are no pace of anybody's.
    start = datetime.now(UTC) - timedelta(minutes=5)
    slow = [
        replace(edit, time=(start + timedelta(seconds=9 * place)).isoformat())
        for place, edit in enumerate(document.edits)
    ]
    document.restore(document.corrected, document.flagged, slow, document.base)


def half_scored(window: MainWindow) -> None:
    """Stand where a scoring has come half of its way."""
    assert window.session is not None
    document = window.session.document
    assert document.prediction is not None
    proba = document.prediction.proba
    document.add_provisional(0, np.asarray(proba[: len(proba) // 2]))
    window.status_line.show_progress(0.5, "scoring")


def panel(name: str, *commands: str) -> Act:
    """Show a panel, and call commands."""

    def act(window: MainWindow) -> None:
        for command in commands:
            window.run_command(command)
        window.panels.show(name)

    return act


def events(window: MainWindow) -> None:
    """Draw an arousal and an artefact into the current epoch; two spindles are suggested there."""
    assert window.session is not None
    document, start = window.session.document, window.session.epoch * 30.0
    channel = window.session.night.channel
    document.suggest_events(
        Event(f"s{place}", EventKind.SPINDLE, start + at, start + at + 1.2, channel, Origin.SUGGESTED)
        for place, at in enumerate((6.1, 17.4))
    )
    document.add_event(EventKind.ARTEFACT, start + 22.0, start + 24.5)
    document.add_event(EventKind.AROUSAL, start + 10.2, start + 14.8, channel)
    window.panels.show("events")


def list_sure_confusions(window: MainWindow) -> None:
    """List what is no shift of a boundary, the surest first, and go to the second."""
    window.panels.show("disagreements")
    (part,) = [part for part in window.parts if isinstance(part, DisagreementsPart)]
    part.panel.boxes.choose("kinds", frozenset({Kind.OTHER}))
    part.panel.table.sortByColumn(CONFIDENCE, Qt.SortOrder.DescendingOrder)
    window.run_command("next_disagreement")
    window.run_command("next_disagreement")


def rank_suspects(window: MainWindow) -> None:
    """List the suspect labels, and go to the first."""
    window.run_command("suspect_labels")
    settle(window)
    window.run_command("next_disagreement")


def why(window: MainWindow) -> None:
    """Have the next disagreement explained, and wait for it."""
    window.run_command("next_disagreement")
    window.run_command("why")
    part = window.findChild(ExplainPart)
    assert isinstance(part, ExplainPart)
    until = time.monotonic() + 60
    while part.pending and time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)


def unsaved(window: MainWindow) -> None:
    """Find edits on the first page."""
    window.welcome.show_unsaved([UnsavedNight(Path("/nights/ucddb018.edf"), "", "ucddb018.edf   (last edit 02:14:09)")])


def recovery(window: MainWindow) -> None:
    """Find edits of the open night, the first of which the saved review has."""
    assert window.session is not None
    ours = window.session.night
    theirs = open_night(ours.recording.path, labels_path=ours.saved_path)
    with tempfile.TemporaryDirectory() as scratch:
        journal = Journal(theirs, StateFolders(Path(scratch), Path(scratch)))
        ours.document.scorer = theirs.document.scorer = "anna"
        for place, epoch in enumerate((31, 32, 118)):
            ours.document.set_stage([epoch], SCORED_STAGES[place + 1])
        theirs.document.take(ours.document.state)
        theirs.document.set_recorder(journal)
        for place, epoch in enumerate((202, 203, 204, 377, 435, 436, 501)):
            theirs.document.set_stage([epoch, epoch + 1], SCORED_STAGES[place % 5])
        theirs.document.toggle_flag([436])
        theirs.document.add_event(EventKind.AROUSAL, 13000.0, 13004.5)
        assert journal.path is not None
        found = recover(ours, read_journal(journal.path))
    RecoveryDialog(found, ours.recording.path.resolve(), window).exec()


def readonly(window: MainWindow) -> None:
    """Open a night that another window has."""
    assert window.session is not None
    since = datetime.now().astimezone().replace(hour=22, minute=14).isoformat()
    holder = Holder("anna", "lab-3", "", 4711, "", since)
    window.session.document.scorer = "anna"
    safety_of(window).show_read_only(window.session, holder)


def unsafe(window: MainWindow) -> None:
    """Edit with every disk full."""
    assert window.session is not None
    correct(window)
    state = JournalState(
        Safety.UNSAFE,
        "No space left on device",
        "The journal of your edits can't be written to /home/anna/.local/state/SleepViewer/journals (No space left on "
        "device), nor to /tmp/sleepviewer-journals-anna (No space left on device). Your latest edits are in this "
        "window alone: save the review now, under another name if need be (Ctrl+Shift+S). Writing is tried again all "
        "the time.",
    )
    window.session.safety, window.session.is_journaled = state, True
    safety_of(window).show_state(state)
    window.session.epoch_changed.emit(window.session.epoch)


def safety_of(window: MainWindow) -> SafetyPart:
    """The part that keeps edits from being lost."""
    return next(part for part in window.parts if isinstance(part, SafetyPart))


def without_units(night: Path, path: Path) -> Path:
    """Write a copy of an EDF file whose channels' units were forgotten, for the picture alone."""
    raw = bytearray(night.read_bytes())
    n_signals = int(raw[252:256])
    at = 256 + n_signals * (16 + 80)  # the field of units follows the labels and the transducers
    raw[at : at + 8 * n_signals] = b" " * (8 * n_signals)
    path.write_bytes(raw)
    return path


def ask_of_units(window: MainWindow) -> None:
    """Wait until the units are asked about."""
    until = time.monotonic() + 5
    while not window.units_bar.text and time.monotonic() < until:
        QApplication.processEvents()


def ask_of_reading(window: MainWindow) -> None:
    """Open a hypnogram whose numbers can be read in two ways."""
    assert window.session is not None
    truth = window.session.document.truth
    assert truth is not None
    numbers = [5 if stage == Stage.W else max(int(stage), 1) for stage in truth.stages]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "night.txt"
        path.write_text("\n".join(map(str, numbers)), encoding="utf-8")
        window.open_truth(path)


def choose_first(dialog: QDialog) -> None:
    """Choose the first of what a dialog offers."""
    dialog.findChildren(QRadioButton)[0].setChecked(True)


def fail(window: MainWindow) -> None:
    """Try to open what is no recording."""
    window.open_path(Path("/nights/patient-7.edf"))


def stumble(window: MainWindow) -> None:
    """Show what an error of the program says."""
    faults.log_file = lambda: Path("/home/maria/.local/state/SleepViewer/log/sleepviewer.log")
    faults.FaultDialog(window).exec()


def wait_for_drive(window: MainWindow) -> None:
    """Turn to a page that the drive takes its time for."""
    assert window.session is not None
    recording, session = window.session.night.recording, window.session
    read = recording.read

    def read_slowly(label: str, start_s: float, stop_s: float) -> Samples:
        time.sleep(1.0)
        return read(label, start_s, stop_s)

    recording.read = read_slowly
    session.go_to(session.epoch + 7)
    QApplication.processEvents()


def run(command: str) -> Act:
    """Call one command."""
    return lambda window: window.run_command(command)


def type_next(dialog: QDialog) -> None:
    """Look for commands in the palette."""
    dialog.findChildren(QLineEdit)[0].setText("next")


def take_a_key(dialog: QDialog) -> None:
    """Press a key that another command has."""
    assert isinstance(dialog, SettingsDialog)
    dialog.keys.choose_command("flag")
    dialog.keys.press(QKeySequence("W"))


def show_looks(dialog: QDialog) -> None:
    """Turn to the second page of the settings."""
    dialog.findChildren(QTabWidget)[0].setCurrentIndex(1)


def edit_and_export(window: MainWindow) -> None:
    """Correct a few epochs, and ask for an export."""
    correct(window)
    window.run_command("export")


def trim(dialog: QDialog) -> None:
    """Leave the wake out that is far from sleep."""
    assert isinstance(dialog, ExportDialog)
    dialog.form.trim.setChecked(True)


def export_folder(window: MainWindow) -> None:
    """Show the dialog as it is after an export, modal for the picture."""
    window.run_command("export_folder")
    (dialog,) = window.findChildren(FolderExportDialog)
    dialog.hide()
    dialog.reviews.setText("/nights/reviews")
    dialog.out.setText("/nights/training")
    result = FolderExported(Path("/nights/training"))
    result.exported = {f"night-{number}": {"epochs": 900 + number, "edited": 30 + number} for number in range(7)}
    result.left_out = {"night-8": "Nobody has corrected a label in night-8.npz."}
    result.failed = {
        "night-9": "night-9.edf was not found and the review holds no signal; name the folder of the recordings."
    }
    dialog.show_result(result)
    dialog.exec()


def batch(window: MainWindow) -> None:
    """Show a batch in the middle of its work, modal for the picture; one night failed, one was done before."""
    part = part_of(window, BatchPart)
    part.show_window(Path("/nights/clinic"))
    shown = part.window
    assert shown is not None
    shown.hide()
    nights = [f"{site}/{number:03d}" for site in ("berlin", "lyon") for number in range(1, 15)]
    shown.begin()
    shown.show_nights(tuple(nights))
    for place, night in enumerate(nights[:16]):
        line: dict[str, object] = {
            "night": night,
            "n_epochs": 880 + 13 * (place * 7 % 11),
            "tst_min": 330 + 17 * (place * 5 % 9),
            "se_percent": 71 + 3 * (place * 4 % 8),
            "agreement": {"kappa": 0.68 + 0.01 * (place * 6 % 17)} if place < 14 else None,
            "to_review": 0.04 + 0.015 * (place * 3 % 10),
            "seconds": 1.4 + 0.1 * (place % 4),
        }
        if place == 0:
            line["kept"] = True
        if place == 4:
            line = {"night": night, "seconds": 0.1, "failed": "005.edf is empty (0 bytes); copy it again."}
        shown.show_told(Told(line, max(place - 1, 0), 1, int(place >= 4), len(nights), 200.0))
    shown.table.selectRow(5)
    shown.exec()


def two_models(window: MainWindow) -> None:
    """Lay YASA's scoring beside the model's, and list where it alone is right."""
    assert window.session is not None
    night, part = window.session.night, part_of(window, RivalsPart)
    assert night.channel is not None
    part.add(contender_of(yasa_scoring(night.recording.path, night.channel)))
    window.run_command("two_models")
    settle(window)
    part.panel.group_picked.emit(Group.ONLY_SECOND)
    window.run_command("next_disagreement")
    window.run_command("next_disagreement")


@cache
def yasa_scoring(path: Path, channel: str) -> Prediction:
    """Score a night with YASA, once."""
    with open_recording(path) as recording:
        return make_engine(EngineSpec("yasa")).score(recording, ChannelChoice(channel))


def look_alikes(window: MainWindow) -> None:
    """See the epochs as the model does, and list those like the current one."""
    part = part_of(window, MapPart)
    window.run_command("look_alikes")
    wait_until(lambda: bool(len(part.panel.view.places)))
    part.panel.choose_color(ColorBy.TRUTH)
    window.run_command("alike")
    wait_until(lambda: bool(part.panel.table.epochs.rows))


def corrected_archive(window: MainWindow) -> Path:
    """Save the review of the open simulated night, with its true stages, beside it in a folder of the pictures' own."""
    assert window.session is not None
    night = window.session.night
    if night.saved_path is None:
        night.channel = window.scoring_bar.channel
        save_review(night, night.recording.path.with_suffix(".npz"))
    assert night.saved_path is not None
    return night.saved_path


def nights_to_learn_from(window: MainWindow) -> None:
    """List a corrected night, and one of which too little was reviewed."""
    part, panel = open_retraining(window)
    assert window.session is not None
    few = window.session.night.recording.path.with_name("night-08.edf")
    other = open_night(few, look_beside=False)
    document = other.document
    other.channel = window.scoring_bar.channel
    prediction = window.session.document.prediction
    document.set_prediction(prediction)
    document.set_base(Base.MODEL)
    document.set_stage(range(100, 150), Stage.N2)
    save_review(other, few.with_suffix(".npz"), replace=True)
    part.add_nights([few.with_suffix(".npz")])
    wait_until(lambda: len(panel.paths) == 2)
    few.with_suffix(".npz").unlink()  # the night to come is opened without it
    as_dialog(panel)


def open_retraining(window: MainWindow) -> tuple[RetrainingPart, RetrainingPanel]:
    """Show the window of trainings with the open night's review in it."""
    corrected_archive(window)
    window.run_command("retrain")
    part = part_of(window, RetrainingPart)
    assert part.panel is not None
    wait_until(part.panel.start.isEnabled)
    return part, part.panel


def as_dialog(dialog: QDialog) -> None:
    """Show a window that lets the main one go on as if it did not, for the picture."""
    dialog.hide()
    dialog.exec()


def train(window: MainWindow) -> None:
    """Train on the corrected night for real, to a little more than half of the steps."""
    _, panel = open_retraining(window)
    panel.start.click()
    wait_until(lambda: panel.progress.value() >= 80, 600)
    as_dialog(panel)


def train_to_the_end(window: MainWindow) -> None:
    """Train on the corrected night for real, to the verdict."""
    part, panel = open_retraining(window)
    panel.start.click()
    wait_until(lambda: not part.running, 600)
    panel.verdict.name.setText("Our recorder")
    as_dialog(panel)


def versions(window: MainWindow) -> None:
    """Keep what was trained, activate it, and compare it with the original."""
    part, panel = open_retraining(window)
    if not ModelVersions().versions():
        panel.start.click()
        wait_until(lambda: not part.running, 600)
        panel.verdict.name.setText("Our recorder")
        panel.verdict.keep.click()
        wait_until(lambda: bool(ModelVersions().versions()))
        settle(window)
        ModelVersions().activate(ModelVersions().versions()[0].name)
    panel.close()
    window.run_command("models")
    dialog = part_of(window, ModelsPart).dialog
    assert dialog is not None
    dialog.other.setCurrentIndex(1)
    as_dialog(dialog)


def next_night(window: MainWindow) -> None:
    """Score with the version that was trained; the earlier scoring stays, and what changed is listed."""
    (version,) = ModelVersions().versions()
    model_shelf().chosen.emit(version.name)
    assert window.session is not None
    before = window.session.document.prediction
    window.score()
    wait_until(lambda: window.session is not None and window.session.document.prediction is not before)
    window.run_command("next_disagreement")
    window.run_command("next_disagreement")


def history(window: MainWindow) -> None:
    """See a history of which some was undone."""
    correct(window)
    assert window.session is not None
    window.session.go_to(411)
    window.session.extend_to(414)
    for command in ("stage_n3", "lights_off", "revert", "undo", "undo"):
        window.run_command(command)
    window.panels.show("history")


def blinded(window: MainWindow) -> None:
    """Score blind, a few epochs into the night."""
    window.run_command("blind")
    for stage in ("n1", "n2", "n2", "n3", "n3"):
        window.run_command(f"stage_{stage}_next")


def consensus(window: MainWindow) -> None:
    """Adjudicate between two scorers: the expert, and one who differs from the expert here and there."""
    session = window.session
    assert session is not None
    truth, prediction = session.document.truth, session.document.prediction
    assert truth is not None
    assert prediction is not None
    mixed = np.where(np.arange(len(truth)) % 3 == 0, prediction.stages, truth.stages).astype(np.int8)
    session.scorers = (Hypnogram(mixed, truth.start, "second.csv", "Second scorer"),)
    window.run_command("consensus_panel")
    QApplication.processEvents()
    window.run_command("take_agreed")
    session.go_to(0)
    for command in ("next_undecided", *["take_rater_1", "take_rater_2"] * 3):
        window.run_command(command)


def show_scorer(dialog: QDialog) -> None:
    """Turn to the page about who scores."""
    tabs = dialog.findChild(QTabWidget)
    assert tabs is not None
    tabs.setCurrentIndex(2)


Found = TypeVar("Found", bound=QObject)


def part_of(window: MainWindow, kind: type[Found]) -> Found:
    """One of the window's parts."""
    part = window.findChild(kind)
    assert isinstance(part, kind)
    return part


def wait_until(there: Callable[[], bool], seconds: float = 120) -> None:
    """Let the window work until something is there."""
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until, "it did not come"
        QApplication.processEvents()
        time.sleep(0.01)


STATES: dict[str, State] = {
    "welcome": State(""),
    "unscored": State("real"),
    "scoring": State("scored", half_scored),
    "window": State("scored", correct),
    "disagreement": State("scored", run("next_disagreement"), epoch=100),
    "review": State("scored", correct, tab=1),
    "in_order": State("scored", review_in_order, tab=1),
    "agreement": State("scored", correct, tab=2),
    "night": State("scored", correct, tab=3),
    "disagreements": State("scored", list_sure_confusions),
    "lines": State("scored", panel("disagreements", "line_by_line")),
    "suspects": State("scored", rank_suspects),
    "two_models": State("scored", two_models),
    "look_alikes": State("scored", look_alikes, epoch=407),
    "retrain_nights": State("corrected", nights_to_learn_from, lambda _: None),
    "retrain": State("corrected", train, lambda _: None),
    "retrain_verdict": State("corrected", train_to_the_end, lambda _: None),
    "versions": State("corrected", versions, lambda _: None),
    "next_night": State("next", next_night, epoch=180),
    "demo": State("simulated", epoch=180),
    "events": State("simulated", events, epoch=250),
    "why": State("scored", why, epoch=100),
    "why_channels": State("simulated", why, epoch=180),
    "channels": State("simulated", panel("channels", "lane_below"), epoch=180),
    "annotations": State("simulated", panel("annotations"), epoch=180),
    "guides": State("simulated", run("guides"), epoch=250),
    "whole_night": State("simulated", lambda window: window.page.traces.set_timebase(None), epoch=180),
    "units": State("without units", ask_of_units, epoch=180),
    "units_score": State("without units", run("score"), lambda _: None, epoch=180),
    "units_table": State("without units", run("units"), lambda _: None, epoch=180),
    "reading": State("simulated", ask_of_reading, choose_first, epoch=180),
    "palette": State("scored", run("palette"), type_next),
    "help": State("scored", run("help_keys"), lambda _: None),
    "settings": State("scored", run("settings"), take_a_key),
    "looks": State("scored", run("settings"), show_looks),
    "picture": State("scored", run("save_picture"), lambda _: None),
    "export": State("scored", edit_and_export, trim),
    "export_folder": State("scored", export_folder, lambda _: None),
    "batch": State("scored", batch, lambda _: None),
    "error": State("scored", fail),
    "unsaved": State("", unsaved),
    "history": State("scored", history),
    "blinded": State("scored", blinded),
    "consensus": State("scored", consensus),
    "scorer": State("scored", run("settings"), show_scorer),
    "recovery": State("scored", recovery, lambda _: None),
    "readonly": State("scored", readonly),
    "unsafe": State("scored", unsafe),
    "fault": State("scored", stumble, lambda _: None),
    "busy": State("simulated", wait_for_drive, epoch=180, settles=False),
}


class Studio:
    """Opens the nights, once each, and takes the pictures."""

    def __init__(self, night: Path, scored: Path, folder: Path, scratch: Path) -> None:
        self._real, self._scored, self._folder = night, scored, folder
        self._simulated = simulate_night(scratch).psg_path
        self._without_units = without_units(self._simulated, scratch / "night.edf")
        self._prediction = None
        self._trained = {
            name: scratch / f"{file}.edf" for name, file in (("corrected", "night-07"), ("next", "night-08"))
        }
        self._predictions: dict[str, Prediction] = {}
        os.environ[FOLDER_VARIABLE] = str(scratch / "models")

    def _trained_night(self, name: str) -> Night:
        """Open the night that is trained on, or the one to come, scored by the original model."""
        for seed, path in enumerate(self._trained.values(), start=7):
            if not path.exists():
                simulate_night(path, seed=seed)
        night = open_night(self._trained[name])
        if name not in self._predictions:
            assert night.channel is not None
            spec = EngineSpec(f"{EngineSpec().id}@shipped")
            self._predictions[name] = make_engine(spec).score(night.recording, ChannelChoice(night.channel))
        night.document.set_prediction(self._predictions[name])
        return night

    def night(self, name: str) -> Night:
        """Open a night anew: the last picture's edits are not in it."""
        if name == "without units":
            night = open_night(self._without_units, look_beside=False)
            night.channel = night.recording.channels[0].label
            return night
        if name in self._trained:
            return self._trained_night(name)
        if name != "simulated":
            return open_night(self._real, labels_path=self._scored if name == "scored" else None)
        night = open_night(self._simulated)
        if self._prediction is None:
            assert night.channel is not None
            self._prediction = make_engine(EngineSpec()).score(night.recording, ChannelChoice(night.channel))
        night.document.set_prediction(self._prediction)
        return night

    @contextmanager
    def window(self, state: State, theme: Theme) -> Iterator[MainWindow]:
        """A window in a state, gone afterwards."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, theme)
        window = MainWindow(Settings(remember=False), theme)
        window.resize(*SIZE)
        if state.night:
            window.show_night(self.night(state.night))
            assert window.session is not None
            window.session.go_to(state.epoch)
        else:
            window.welcome.show_recent([Path("/nights") / path.name for path in (self._real, self._simulated)])
        window.page.panel.setCurrentIndex(state.tab)
        window.show()
        settle(window)
        yield window
        # Not closed, which would ask about the edits; deleted at once, or every later change of theme restyles it too.
        for part in window.parts:
            part.close()
        shiboken6.delete(window)

    def take(self, name: str, theme: Theme) -> Path:
        """Take one picture."""
        state = STATES[name]
        with self.window(state, theme) as window:
            image = self._of_dialog(window, state) if state.dialog else self._of_window(window, state)
        path = self._folder / f"{name}_{theme.name}.png"
        in_256_colours(image).save(str(path), "PNG", 0)  # the smallest file
        return path

    def _of_window(self, window: MainWindow, state: State) -> QImage:
        state.act(window)
        rest_until = time.monotonic() + 0.2  # tables follow the epoch once pages rest
        while time.monotonic() < rest_until:
            QApplication.processEvents()
        if state.settles:
            settle(window)
        return window.grab().toImage()

    def _of_dialog(self, window: MainWindow, state: State) -> QImage:
        taken: list[QImage] = []

        def take() -> None:
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, QDialog):  # what leads to it takes its time
                QTimer.singleShot(200, take)
                return
            assert state.dialog is not None
            try:
                state.dialog(dialog)
                until = time.monotonic() + 0.2
                while time.monotonic() < until:
                    QApplication.processEvents()
                taken.append(over(window, dialog))
            finally:
                dialog.reject()

        QTimer.singleShot(200, take)
        state.act(window)
        return taken[0]


def in_256_colours(image: QImage) -> QImage:
    """The picture in 256 colours: its most frequent ones, and the middles of what else there is.

    The most frequent colours alone would be those of smoothed letters, with none left for a spectrogram's.
    """
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    width, height = image.width(), image.height()
    pixels = np.frombuffer(image.constBits(), dtype=np.uint32).reshape(height, width) & 0xFFFFFF
    colours, inverse, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    by_count = np.argsort(counts)[::-1]
    frequent, rest = by_count[:128], by_count[128:]
    # Of the rest, one colour for each cube of 32³ shades that many have: the most frequent in it.
    _, first, cubes = np.unique(colours[rest] & 0xE0E0E0, return_index=True, return_inverse=True)
    most = np.argsort(np.bincount(cubes.ravel(), weights=counts[rest]))[::-1][:128] if len(rest) else first[:0]
    kept = colours[np.concatenate([frequent, rest[first[most]]]).astype(int)]

    def channels(packed: np.ndarray) -> np.ndarray:
        return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=-1).astype(np.int32)

    distances = ((channels(colours)[:, None] - channels(kept)[None]) ** 2).sum(axis=-1)
    places = distances.argmin(axis=1).astype(np.uint8)[inverse].reshape(height, width)
    padded = np.zeros((height, -(-width // 4) * 4), dtype=np.uint8)
    padded[:, :width] = places
    small = QImage(padded.tobytes(), width, height, padded.shape[1], QImage.Format.Format_Indexed8).copy()
    small.setColorTable([0xFF000000 | int(colour) for colour in kept])
    return small


def over(window: MainWindow, dialog: QDialog) -> QImage:
    """The window with a dialog over its middle (or where it put itself)."""
    image = window.grab().toImage()
    painter = QPainter(image)
    place = dialog.pos() - window.pos()
    if not window.rect().contains(place) or dialog.objectName() != "palette":
        place = QPoint((window.width() - dialog.width()) // 2, (window.height() - dialog.height()) // 2)
    painter.drawPixmap(place, dialog.grab())
    painter.setPen(dialog.palette().mid().color())
    painter.drawRect(place.x(), place.y(), dialog.width() - 1, dialog.height() - 1)
    painter.end()
    return image


def main(night: Path, scored: Path, folder: Path, names: list[str]) -> None:
    """Take the pictures that are named, or all."""
    app = QApplication.instance() or QApplication(["screenshots"])
    assert app is not None
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        studio = Studio(night, scored, folder, Path(scratch))
        for name in names or STATES:
            for theme in (LIGHT, DARK):
                path = studio.take(name, theme)
                print(f"{path}  {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), sys.argv[4:])
