"""Exports in the window: the dialog of the open night, and a folder of reviews in the background."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from helpers.night_files import MODEL, N, write_night, write_review
from helpers.review_values import prediction_of
from sleepviewer.app.files.export_dialog import ExportDialog
from sleepviewer.app.files.folder_export_dialog import FolderExportDialog
from sleepviewer.app.files.folder_export_feature import ExportPart
from sleepviewer.app.shell import dialogs
from sleepviewer.app.window import MainWindow
from sleepviewer.archive.archive import read_archive
from sleepviewer.datasets.manifest import read_manifest
from sleepviewer.hypnogram import read_track, to_hypnogram
from sleepviewer.review import export_folder as module
from sleepviewer.review.exporting import ExportOptions, Format, export_formats
from sleepviewer.stages import Stage


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    """A night that a model has scored, with two labels set by hand: one is the model's own, one is not."""
    assert window.open_path(write_night(tmp_path / "night.edf"))
    assert window.session is not None
    document = window.session.document
    document.set_prediction(prediction_of(MODEL))
    document.set_stage([7], Stage.N2)
    document.set_stage([2], Stage.N1)
    return window


def dialog_of(window: MainWindow) -> ExportDialog:
    assert window.session is not None
    return ExportDialog(window.session.night, ExportOptions(Format.ARCHIVE), window)


def part_of(window: MainWindow) -> ExportPart:
    (part,) = [part for part in window.parts if isinstance(part, ExportPart)]
    return part


# -- the open night


def test_the_dialog_says_how_many_epochs_are_written(opened: MainWindow, qtbot: QtBot) -> None:
    dialog = dialog_of(opened)
    qtbot.addWidget(dialog)
    form = dialog.form
    assert f"{N} of {N} epochs, 2 of them corrected or accepted" in dialog.said
    form.trim.setChecked(True)
    form.wake.setValue(0)
    assert "13 of 20 epochs" in dialog.said
    form.epochs.setCurrentIndex(1)
    assert "2 of 20 epochs, 2 of them" in dialog.said
    assert dialog.options == ExportOptions(Format.ARCHIVE, only_edited=True, trim_wake_min=0)
    form.kind.setCurrentIndex(form.kind.findData("csv"))
    assert not form.trim.isEnabled()
    assert dialog.options == ExportOptions(Format.CSV, only_edited=True)
    assert "stand as unscored" in dialog.said
    assert opened.session is not None
    for _ in range(2):
        opened.session.document.undo()
    form.changed.emit()
    assert "No epoch to export: none was corrected" in dialog.said
    assert not dialog.export_button.isEnabled()


def test_everything_in_the_dialog_is_named_and_reached_by_the_keyboard(opened: MainWindow, qtbot: QtBot) -> None:
    dialog = dialog_of(opened)
    qtbot.addWidget(dialog)
    form = dialog.form
    for widget in (form.kind, form.epochs, form.trim, form.wake):
        assert widget.accessibleName()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_ctrl_e_asks_and_writes_and_remembers_the_answer(
    opened: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def answer(dialog: ExportDialog) -> int:
        dialog.form.kind.setCurrentIndex(dialog.form.kind.findData("csv"))
        dialog.form.epochs.setCurrentIndex(1)
        return QDialog.DialogCode.Accepted

    def name(_: object, proposed: Path, kind: str) -> Path:
        asked.append((proposed.name, kind))
        return tmp_path / "labels.csv"

    monkeypatch.setattr(ExportDialog, "exec", answer)
    monkeypatch.setattr(dialogs, "ask_export_path", name)
    qtbot.keyClick(opened, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert asked == [("night-labels.csv", "Table (*.csv *.tsv)")]
    stages = to_hypnogram(read_track(tmp_path / "labels.csv")).stages.tolist()
    assert [place for place, stage in enumerate(stages) if stage >= 0] == [2, 7]
    assert "2 epochs, 2 corrected" in opened.status_line.text
    begun: list[ExportOptions] = []
    monkeypatch.setattr(
        ExportDialog, "exec", lambda dialog: begun.append(dialog.options) or QDialog.DialogCode.Rejected
    )
    opened.run_command("export")
    assert begun == [ExportOptions(Format.CSV, only_edited=True)]
    assert len(asked) == 1


def test_the_dialog_offers_all_that_is_written(opened: MainWindow, qtbot: QtBot) -> None:
    dialog = dialog_of(opened)
    qtbot.addWidget(dialog)
    offered = [dialog.form.kind.itemData(place) for place in range(dialog.form.kind.count())]
    assert offered == list(export_formats())
    for place, kind in enumerate(export_formats()):
        dialog.form.kind.setCurrentIndex(place)
        assert dialog.form.options.format == kind
        assert all(ending.removeprefix(".") in dialog.form.kind.itemText(place) for ending in kind.endings)


# -- a folder


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    folder = tmp_path / "reviews"
    folder.mkdir()
    for number in range(3):
        edits = {1: Stage.REM} if number else {}
        write_review(write_night(folder / f"n{number}.edf", seed=number), edits=edits)
    return folder


@pytest.fixture
def dialog(window: MainWindow, reviews: Path, tmp_path: Path) -> FolderExportDialog:
    """The dialog, filled in."""
    window.run_command("export_folder")
    dialog = part_of(window).dialog
    assert dialog is not None
    assert not dialog.isModal()
    dialog.reviews.setText(str(reviews))
    dialog.out.setText(str(tmp_path / "out"))
    return dialog


def test_a_folder_is_exported_in_the_background_and_summed_up(
    window: MainWindow, dialog: FolderExportDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "reviews" / "bad.npz").write_bytes(b"nothing")
    dialog.export_button.click()
    assert dialog.stop_button.isEnabled()
    assert not dialog.export_button.isEnabled()
    qtbot.waitUntil(lambda: "exported" in dialog.said.text())
    assert "⚠ 2 nights exported, 1 left out, 1 failed" in dialog.said.text()
    assert dialog.reasons.toPlainText().splitlines()[0].startswith("✕ bad: bad.npz is no usable archive")
    assert dialog.reasons.toPlainText().splitlines()[1].startswith("– n0: Nobody has corrected")
    assert dialog.export_button.isEnabled()
    assert "2 nights exported" in window.status_line.text
    assert read_archive(tmp_path / "out" / "n1.npz").y[1] == Stage.REM
    dialog.reject()
    assert part_of(window).dialog is None
    window.run_command("export_folder")
    again = part_of(window).dialog
    assert again is not None
    assert (again.reviews.text(), again.out.text()) == (str(tmp_path / "reviews"), str(tmp_path / "out"))


@pytest.mark.parametrize("by", ["button", "close"])
def test_stopping_ends_it_after_the_night_that_is_written(
    window: MainWindow,
    dialog: FolderExportDialog,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    real = module.write_export

    def slow(*args: object) -> object:
        begun.set()
        assert go_on.wait(5)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_export", slow)
    dialog.export_button.click()
    qtbot.waitUntil(begun.is_set)
    qtbot.waitUntil(lambda: "of 3 nights" in dialog.progress.text())
    (dialog.stop_button.click if by == "button" else dialog.close)()
    go_on.set()
    qtbot.waitUntil(lambda: "Stopped: 1 night exported" in window.status_line.text)
    assert list(read_manifest(tmp_path / "out")) == ["n0", "n1"]


def test_trouble_with_a_folder_is_a_sentence_in_the_dialog(
    dialog: FolderExportDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "ask_folder", lambda *_: tmp_path / "reviews")
    (choose,) = [b for b in dialog.findChildren(type(dialog.export_button)) if "write" in b.accessibleName()]
    choose.click()
    assert dialog.out.text() == str(tmp_path / "reviews")
    dialog.export_button.click()
    qtbot.waitUntil(lambda: "read from" in dialog.said.text())
    assert dialog.said.text().startswith("⚠ ")
    assert dialog.export_button.isEnabled()
    dialog.out.clear()
    assert not dialog.export_button.isEnabled()


def test_the_night_s_own_folder_is_proposed(opened: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    opened.run_command("export_folder")
    dialog = part_of(opened).dialog
    assert dialog is not None
    assert (dialog.reviews.text(), dialog.out.text()) == (str(tmp_path), str(tmp_path / "export"))
    assert dialog.focusWidget() is dialog.reviews
    visited = []
    for _ in range(6):
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        visited.append(dialog.focusWidget())
    assert visited[1::2] == [dialog.recordings, dialog.out, dialog.form.kind]
    for line in (dialog.reviews, dialog.recordings, dialog.out):
        assert line.accessibleName()
