"""The few dialogs: files to open and to write, unsaved edits, about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMessageBox, QWidget

from sleepviewer import __version__
from sleepviewer.archive.tracks import all_formats
from sleepviewer.files import ending_of
from sleepviewer.hypnogram.formats import endings_of
from sleepviewer.hypnogram.words import one_line
from sleepviewer.recording.formats import recording_endings
from sleepviewer.review.event_files import EVENT_FILES
from sleepviewer.review.exporting import export_endings
from sleepviewer.user_folders import home_folder

_PICTURES = "PNG (*.png);;SVG (*.svg);;PDF (*.pdf)"


class Answer(Enum):
    """What to do with unsaved edits."""

    SAVE = auto()
    KEEP = auto()
    """In the journal, for the next time."""
    DISCARD = auto()
    STAY = auto()


def recording_filter() -> str:
    """Return the filter of dialogs that open a recording: the endings of all recording formats."""
    return f"{name_filter('Recordings', recording_endings())};;All files (*)"


def hypnogram_filter() -> str:
    """Return the filter of dialogs that open a hypnogram: the endings of all formats that hold stages."""
    return f"{name_filter('Hypnograms', endings_of(all_formats()))};;All files (*)"


def name_filter(title: str, endings: Iterable[str]) -> str:
    """Return one filter of a file dialog: ``Table (*.csv *.tsv)``."""
    return f"{title} ({' '.join(f'*{ending}' for ending in endings)})"


def ask_recording(parent: QWidget, folder: Path) -> Path | None:
    """Ask for a recording to open."""
    return _opened(QFileDialog.getOpenFileName(parent, "Open a recording", str(folder), recording_filter()))


def ask_truth(parent: QWidget, folder: Path, title: str = "Open the expert's hypnogram") -> Path | None:
    """Ask for a scorer's hypnogram, the expert's or another one's."""
    return _opened(QFileDialog.getOpenFileName(parent, title, str(folder), hypnogram_filter()))


def ask_rival(parent: QWidget, folder: Path) -> Path | None:
    """Ask for a file that holds a second model's scoring."""
    return _opened(
        QFileDialog.getOpenFileName(parent, "Open a second model's scoring", str(folder), hypnogram_filter())
    )


def ask_archives(parent: QWidget, folder: Path) -> Path | None:
    """Ask for a folder of scoring archives."""
    name = QFileDialog.getExistingDirectory(parent, "Choose a folder of scoring archives", str(folder))
    return Path(name) if name else None


def ask_weights(parent: QWidget) -> Path | None:
    """Ask for AttnSleep weights."""
    filters = "AttnSleep weights (*.safetensors *.pth *.pt);;All files (*)"
    return _opened(QFileDialog.getOpenFileName(parent, "Open AttnSleep weights", str(home_folder()), filters))


def ask_save_path(parent: QWidget, proposed: Path) -> Path | None:
    """Ask where the review is to be saved."""
    return _ask_written(parent, "Save the review", proposed, "Scoring archive (*.npz)")


def ask_export_path(parent: QWidget, proposed: Path, kind: str) -> Path | None:
    """Ask where labels are to be exported; ``kind`` (``Table (*.csv *.tsv)``) says how the name ends."""
    return _ask_written(parent, "Export", proposed, kind)


def ask_reviews(parent: QWidget, folder: Path) -> list[Path]:
    """Ask for saved reviews, one or several."""
    names, _ = QFileDialog.getOpenFileNames(parent, "Choose saved reviews", str(folder), "Scoring archives (*.npz)")
    return [Path(name) for name in names]


def ask_whether(parent: QWidget, title: str, text: str, yes: str, no: str) -> bool:
    """Ask whether something is to be done that can't be taken back from here; Enter and Esc say no."""
    box = QMessageBox(QMessageBox.Icon.Question, title, text, parent=parent)
    does = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    leaves = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(leaves)
    box.setEscapeButton(leaves)
    box.exec()
    return box.clickedButton() is does


def ask_folder(parent: QWidget, title: str, folder: Path) -> Path | None:
    """Ask for a folder."""
    name = QFileDialog.getExistingDirectory(parent, title, str(folder))
    return Path(name) if name else None


def ask_picture_path(parent: QWidget, proposed: Path) -> Path | None:
    """Ask where a picture is to be saved; the chosen format decides on the ending."""
    return _ask_written(parent, "Save a picture", proposed, _PICTURES)


def ask_events_path(parent: QWidget, proposed: Path) -> Path | None:
    """Ask where events are to be exported; the chosen format decides on the ending."""
    return _ask_written(parent, "Export events", proposed, ";;".join(name_filter(*kind) for kind in EVENT_FILES))


def ask_table_path(parent: QWidget, title: str, proposed: Path) -> Path | None:
    """Ask where a table is to be written."""
    return _ask_written(parent, title, proposed, "Table (*.csv)")


def ask_training(parent: QWidget) -> Path | None:
    """Ask for the folder of a training or cross-validation."""
    name = QFileDialog.getExistingDirectory(parent, "The training that the model comes from", str(Path.home()))
    return Path(name) if name else None


def _ask_written(parent: QWidget, title: str, proposed: Path, filters: str) -> Path | None:
    """Ask for a file to write. Its ending follows the chosen filter, and what is there is asked about by that name."""
    name, chosen = QFileDialog.getSaveFileName(parent, title, str(proposed), filters)
    if not name:
        return None
    asked, endings = Path(name), _endings_in(chosen)
    typed = ending_of(asked, (*_endings_in(filters), *export_endings()))
    if not endings or typed in endings:
        return asked
    path = asked.with_name(asked.name[: len(asked.name) - len(typed)] + endings[0])
    if not path.exists():
        return path
    buttons = QMessageBox.StandardButton
    answer = QMessageBox.question(parent, title, f"{path.name} exists already. Replace it?", buttons.Yes | buttons.No)
    return path if answer == buttons.Yes else None


def _endings_in(filters: str) -> list[str]:
    return re.findall(r"\*(\.[\w.]+)", filters)


def ask_about_unsaved(parent: QWidget, edits: int, unsafe: str, journaled: bool) -> Answer:
    """Ask what to do with unsaved edits before the night is closed; ``unsafe`` says why they can't be kept unsaved."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Unsaved changes")
    count = "1 edit" if edits == 1 else f"{edits} edits"
    box.setText(f"This night has changes that are not saved ({count} in all). Save them before closing?")
    role = QMessageBox.ButtonRole
    buttons = {
        box.addButton("&Save", role.AcceptRole): Answer.SAVE,
        box.addButton("&Discard" if unsafe or not journaled else "Set &aside", role.DestructiveRole): Answer.DISCARD,
        (stay := box.addButton("Cancel", role.RejectRole)): Answer.STAY,
    }
    if unsafe:
        box.setInformativeText(f"They can't be kept for next time: {unsafe}.")
    elif journaled:
        buttons[box.addButton("&Keep for next time", role.ActionRole)] = Answer.KEEP
        box.setInformativeText(
            "Kept, they are offered again when this night is opened. Set aside, they are not, but stay on the disk: "
            "“sleepviewer recover --list” says where."
        )
    box.setDefaultButton(next(button for button, answer in buttons.items() if answer is Answer.SAVE))
    box.setEscapeButton(stay)
    box.exec()
    return next((answer for button, answer in buttons.items() if button is box.clickedButton()), Answer.STAY)


def ask_scorer(parent: QWidget, name: str) -> str | None:
    """Ask under whose name a night is to be scored."""
    title = "Scorer"
    text, ok = QInputDialog.getText(parent, title, "Name of the scorer:", QLineEdit.EchoMode.Normal, name)
    return one_line(text) or None if ok else None


def ask_whether_to_revert(parent: QWidget, to_saved: bool) -> bool:
    """Ask before the stages of a whole night are reverted."""
    target = "what was saved last" if to_saved else "what they are without your edits"
    return _agreed(
        parent,
        "Revert the whole night",
        f"Make the stages of all epochs {target}? Flags, lights and events stay. It is one edit more, nothing in the "
        "history is deleted, and Undo (Ctrl+Z) brings everything back.",
    )


def ask_whether_to_unblind(parent: QWidget) -> bool:
    """Ask before others' scorings are shown to a blinded scorer."""
    return _agreed(
        parent,
        "Done: unblind",
        "Show what the model, the expert and other scorers say? From then on your edits are no longer made blind, and "
        "this review can't be blinded again. The time is kept in the history and in the saved review.",
    )


def _agreed(parent: QWidget, title: str, question: str) -> bool:
    buttons = QMessageBox.StandardButton
    return QMessageBox.question(parent, title, question, buttons.Yes | buttons.Cancel, buttons.Cancel) == buttons.Yes


def show_about(parent: QWidget) -> None:
    """Say what this program is."""
    QMessageBox.about(
        parent,
        "About SleepViewer",
        f"<h3>SleepViewer {__version__}</h3><p>Scores an overnight EEG, shows the model beside the expert, and keeps "
        f"your corrections.</p><p>For research. It is not a medical device.</p><p>Qt {qVersion()}. BSD-3-Clause.</p>",
    )


def _opened(answer: tuple[str, str]) -> Path | None:
    return Path(answer[0]) if answer[0] else None
