"""The dialog on edits that were never saved: what they are, and what is to become of them."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHeaderView, QLabel, QVBoxLayout, QWidget

from sleepviewer.app.shell.row_table import Index, RowModel, RowTable
from sleepviewer.display.clock import local_time
from sleepviewer.review.recovery import Recovered, RecoveredEdit


class Verdict(Enum):
    """What is to become of recovered edits."""

    TAKE_UP = auto()
    SET_ASIDE = auto()
    LATER = auto()


class RecoveredModel(RowModel):
    """The edits that a journal leads to, the latest on top."""

    HEADERS = ("Time", "Edit", "In the saved review")

    def __init__(self, edits: tuple[RecoveredEdit, ...]) -> None:
        super().__init__()
        self._edits = edits[::-1]

    def n_rows(self) -> int:
        return len(self._edits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        edit = self._edits[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (local_time(edit.time), edit.text, "yes" if edit.saved else "no")[index.column()]
        if role == Qt.ItemDataRole.FontRole and not edit.saved:
            font = QFont()
            font.setBold(True)
            return font
        return None


class RecoveryDialog(QDialog):
    """Shows what was recovered; what the user wants is in ``verdict`` (LATER where the dialog was closed)."""

    def __init__(self, recovered: Recovered, here: Path, parent: QWidget, *, instead: bool = False) -> None:
        """``here`` is the recording that is open; ``instead`` says that it has unsaved edits, which would give way."""
        super().__init__(parent)
        self.setWindowTitle("Unsaved edits were found")
        self.verdict = Verdict.LATER
        text = QLabel(recovery_text(recovered, here), self)
        text.setWordWrap(True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        self.table = RowTable("Recovered edits", self)
        self.table.setModel(RecoveredModel(recovered.edits))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        self.table.setVisible(bool(recovered.edits))
        gives_way = " The edits made since this night was opened are then set aside." if instead else ""
        where = QLabel(
            f"Taken up, they can be undone one by one, and are saved with the review.{gives_way} Set aside, they stay "
            "on the disk and are not offered again. Decided later, they are offered when the night is opened again.",
            self,
        )
        where.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(self.table, 1)
        layout.addWidget(where)
        layout.addWidget(self._make_buttons())
        self.resize(620, 440 if recovered.edits else 220)

    def _make_buttons(self) -> QDialogButtonBox:
        role = QDialogButtonBox.ButtonRole
        buttons = QDialogButtonBox(self)
        for words, verdict, place in (
            ("&Take them up", Verdict.TAKE_UP, role.AcceptRole),
            ("&Set them aside", Verdict.SET_ASIDE, role.DestructiveRole),
            ("&Decide later", Verdict.LATER, role.RejectRole),
        ):
            button = buttons.addButton(words, place)
            button.clicked.connect(lambda _=False, v=verdict: self._decide(v))
            if verdict is Verdict.TAKE_UP:
                button.setObjectName("primary")
                button.style().polish(button)  # it was given its looks under no name
                button.setDefault(True)
                button.setFocus()
        return buttons

    def _decide(self, verdict: Verdict) -> None:
        self.verdict = verdict
        if verdict is Verdict.LATER:
            self.reject()
        else:
            self.accept()


def recovery_text(recovered: Recovered, here: Path) -> str:
    """Say what was found for the recording ``here``, in a few sentences."""
    journal = recovered.journal
    count = "1 edit" if recovered.unsaved == 1 else f"{recovered.unsaved} edits"
    news = [count] if recovered.unsaved else []
    if recovered.taken_back:
        news.append(f"the taking back of {_edits(recovered.taken_back)} that the saved review still has")
    if recovered.new_scoring and recovered.document.prediction is not None:  # a hidden one is not told
        news.append(f"a scoring by {recovered.document.prediction.engine}")
    if recovered.new_base:
        news.append("a choice of whose label counts where you say nothing")
    if recovered.new_blinding:
        news.append("unblinding" if recovered.document.blinding.until else "blinding")
    listed = " and ".join([", ".join(news[:-1]), news[-1]] if len(news) > 1 else news)
    already = len(recovered.edits) - recovered.unsaved
    sentences = [
        f"The program ended on {local_time(journal.last_time)} before this was saved, by {journal.scorer}: {listed}.",
        f"The saved review has {_edits(already)} of the list already." if already else "",
        "" if journal.recording.path == str(here) else f"It was done on {journal.recording.path}, of the same content.",
        recovered.doubt,
        f"Damaged: {journal.damage}" if journal.damage else "",
    ]
    return "\n".join(sentence for sentence in sentences if sentence)


def _edits(count: int) -> str:
    return "1 edit" if count == 1 else f"{count} edits"
