"""Where two scorers differ: the panel's list and lines, what D steps through, the signal's quality, suspect labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt

from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.order import Epochs
from sleepviewer.analysis.provenance import Provenance, Seen
from sleepviewer.analysis.signs import EpochSigns
from sleepviewer.analysis.suspects import find_suspects
from sleepviewer.app.compare.disagreements_panel import DisagreementsPanel
from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.work.background import Background
from sleepviewer.errors import SeenLabelsError, SleepViewerError
from sleepviewer.recording.base import Recording
from sleepviewer.review.comparison import Pairing, night_provenance, paired_comparison, recording_signs
from sleepviewer.review.document import Change
from sleepviewer.review.navigation import EpochWalk
from sleepviewer.review.night import Night

_TRAININGS_KEY = "comparing/trainings"
_CHANGES = (Change.TRUTH, Change.PREDICTION, Change.EDITS, Change.BASE, Change.LIGHTS)
_NOTHING = {
    Pairing.MODEL_EXPERT: "Score the night (S) and open an expert's hypnogram (Ctrl+T) to see where the two differ.",
    Pairing.MODEL_LABELS: "Score the night (S) to see where the model differs from your labels.",
    Pairing.LABELS_EXPERT: "Open an expert's hypnogram (Ctrl+T) to see where your labels differ from it.",
}


@dataclass(frozen=True, slots=True)
class _Judge:
    """Whose labels a model is asked about: what provenance is looked up for."""

    night: Night = field(compare=False)
    engine: str
    weights_sha256: str
    trainings: tuple[str, ...]


class DisagreementsPart(QObject):
    """Between the document and the panel; a panel that is not seen costs nothing until it is."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._comparison: Comparison | None = None
        self._signs: dict[str, EpochSigns] = {}
        self._provenances: dict[_Judge, Provenance] = {}
        self._walk: EpochWalk | None = None
        self._stale = True
        self._seen = False
        self._can_export = False
        self.panel = DisagreementsPanel(services.page.theme)
        self._dock = services.panels.add(
            "disagreements",
            "Disagreements",
            self.panel,
            Qt.DockWidgetArea.RightDockWidgetArea,
            shown=False,
            beside="review",
        )
        self._quality_work = Background("signal quality", self)
        self._provenance_work = Background("provenance", self)
        self._export_work = Background("list of disagreements", self)
        self._judge: _Judge | None = None
        self._connect()

    def _connect(self) -> None:
        panel = self.panel
        panel.picked.connect(self._go_to)
        panel.compare_requested.connect(lambda: self._compare())
        panel.list_changed.connect(self._on_list_changed)
        panel.list_wanted.connect(self._take_walk)
        panel.export_requested.connect(self._ask_and_export)
        panel.training_requested.connect(self._ask_for_training)
        self._dock.visibilityChanged.connect(self._on_visible)
        self._services.page.cell_picked.connect(self._list_cell)
        self._quality_work.done.connect(self._on_measured)
        self._quality_work.failed.connect(_raise)
        self._provenance_work.done.connect(self._on_provenance)
        self._provenance_work.failed.connect(self._on_provenance_failed)
        self._export_work.done.connect(lambda told: self._services.tell(str(told)))
        self._export_work.failed.connect(self._on_export_failed)

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {
            "disagreements_panel": self._toggle,
            "suspect_labels": self._list_suspects,
            "line_by_line": self._show_lines,
            "confusion_matrix": self._go_to_matrix,
            "all_disagreements": self.panel.clear,
            "export_disagreements": self._ask_and_export,
            "name_training": self._ask_for_training,
        }

    def enabled(self) -> Mapping[str, bool]:
        """See :class:`Part`."""
        return {"export_disagreements": self._session is not None and bool(len(self.panel.shown))}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        for work in (self._quality_work, self._provenance_work, self._export_work):
            work.cancel()
        if self._session is not None:
            self._session.document_changed.disconnect(self._on_change)
            self._session.epoch_changed.disconnect(self._on_epoch)
            self._session.walk_changed.disconnect(self._show_walk)
            self._session.channel_changed.disconnect(self._on_channel)
        self._session, self._comparison, self._walk = None, None, None
        self._signs, self._provenances, self._judge = {}, {}, None
        self.panel.forget()
        self._session = session
        session.document_changed.connect(self._on_change)
        session.epoch_changed.connect(self._on_epoch)
        session.walk_changed.connect(self._show_walk)
        session.channel_changed.connect(self._on_channel)
        self._compare_if_seen()

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`."""
        self.panel.set_theme(theme)

    def close(self) -> None:
        """See :class:`Part`."""
        for work in (self._quality_work, self._provenance_work, self._export_work):
            work.close()

    # -- following

    def _on_visible(self, visible: bool) -> None:
        self._seen = visible
        if visible and self._stale:
            self._compare()
        if self._session is None:
            return
        if visible:
            self.panel.show_epoch(self._session.epoch)
            if self._session.walk is None:
                self._take_walk()
        elif self._dock.isHidden() and self._has_walk:
            self._session.set_walk(None)

    def _on_change(self, change: Change) -> None:
        if change is Change.BLINDING:
            self._walk, self._comparison, self._stale = None, None, True
            self.panel.forget()
            self.panel.show_comparison(None, None, measured=False, nothing=_NOTHING[self.panel.pairing])
        if change in _CHANGES:
            self._compare_if_seen(edits_only=change is Change.EDITS)

    def _compare_if_seen(self, *, edits_only: bool = False) -> None:
        if self._seen or self._has_walk:
            self._compare(edits_only=edits_only)
        else:
            self._stale = True

    def _on_channel(self) -> None:
        self._compare_if_seen()

    def _on_epoch(self, epoch: int) -> None:
        if self._seen:
            self.panel.show_epoch(epoch)

    def _go_to(self, epoch: int) -> None:
        if self._session is not None and epoch != self._session.epoch:
            self._session.go_to(epoch)

    # -- comparing

    def _compare(self, *, edits_only: bool = False) -> None:
        session, pairing = self._session, self.panel.pairing
        if session is None:
            return
        # The final labels change with an edit, model and expert do not.
        same = edits_only and not self._stale and pairing is Pairing.MODEL_EXPERT
        self._stale = False
        recording, label = session.night.recording, session.night.channel
        signs = self._signs.get(label or "")
        if same and self._comparison is not None:
            found: Comparison | None = self._comparison.with_edited(session.document.edited)
        else:
            found = paired_comparison(
                session.document, pairing, signs=signs, start=recording.start, night=recording.path.stem
            )
        self._comparison = found
        if signs is None and self._seen and not self._quality_work.running:
            self._quality_work.start(partial(_measured, recording, label))
        suspects, told = self._suspects(session, found)
        self.panel.show_comparison(
            found,
            recording,
            measured=signs is not None,
            suspects=suspects,
            told=told,
            nothing=_NOTHING[pairing],
        )
        if self._seen:
            self.panel.show_epoch(session.epoch)
        self._show_walk()
        if self._can_export != bool(len(self.panel.shown)):
            self._can_export = not self._can_export
            self._services.refresh()

    def _on_measured(self, answer: object) -> None:
        assert isinstance(answer, tuple)
        label, signs = answer
        self._signs[label] = signs
        self._compare_if_seen()

    # -- suspect labels

    def _suspects(self, session: NightSession, found: Comparison | None) -> tuple[Epochs | None, str]:
        """Return the suspect labels where they may be ranked, and what is to be said of that."""
        prediction = session.document.prediction
        if not self.panel.asks_for_suspects or found is None:
            return None, ""
        if found.proba is None or prediction is None:
            return None, "The model has no part in this pair, and without its probabilities no label is suspect."
        judge = _Judge(session.night, prediction.engine, prediction.weights_sha256, tuple(self._trainings))
        known = self._provenances.get(judge)
        if known is None:
            if judge != self._judge:
                self._judge = judge
                self._provenance_work.start(partial(_looked_up, judge))
            return None, "Looking up whether the model has learned these labels…"
        try:
            suspects = find_suspects(found.truth, found.proba, provenance=known)
        except SeenLabelsError as error:
            return None, str(error)
        epochs = np.array([suspect.epoch for suspect in suspects], dtype=np.intp)
        unknown = " If it was, it can't tell which of them are wrong." if known.seen is Seen.UNKNOWN else ""
        return epochs, f"{known.reason}{unknown}"

    @property
    def _trainings(self) -> list[str]:
        kept = self._services.settings.get_json(_TRAININGS_KEY, list[str]())
        return [folder for folder in kept if isinstance(folder, str)]

    def _on_provenance(self, answer: object) -> None:
        assert isinstance(answer, tuple)
        judge, known = answer
        self._provenances[judge] = known
        self._compare_if_seen()

    def _on_provenance_failed(self, error: Exception) -> None:
        if not isinstance(error, SleepViewerError):
            raise error
        if self._judge is not None:
            self._provenances[self._judge] = Provenance(Seen.UNKNOWN, str(error))
            self._compare_if_seen()

    def _ask_for_training(self) -> None:
        folder = dialogs.ask_training(self._services.window)
        if folder is not None:
            self.add_training(folder)

    def add_training(self, folder: Path) -> None:
        """Take what a training tells of the nights that its model learned from; trouble is told and changes nothing."""
        from sleepviewer.training.records import training_records

        try:
            training_records(folder)
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return
        kept = [name for name in self._trainings if name != str(folder)]
        self._services.settings.set_json(_TRAININGS_KEY, [*kept, str(folder)])
        self._services.tell(f"What {folder.name} was trained on is known now")
        self._compare_if_seen()

    # -- what D steps through

    @property
    def _has_walk(self) -> bool:
        return self._walk is not None and self._session is not None and self._session.walk is self._walk

    def _on_list_changed(self) -> None:
        """Have D follow the list where it steps through it, or where nothing else does."""
        session = self._session
        if session is None or not (self._has_walk or session.walk is None):
            self._show_walk()
            return
        self._take_walk()

    def _take_walk(self) -> None:
        """Have D step through the list; all disagreements in the night's order are what it steps through anyhow."""
        session, name = self._session, self.panel.list_name
        if session is None or self._dock.isHidden():
            return
        epochs = self.panel.shown
        if not name or self._comparison is None:
            self._walk = None
        elif self._walk is not None and self._walk.name == name and session.walk is self._walk:
            if np.array_equal(self._walk.epochs, epochs):
                return
            self._walk = self._walk.renewed(name, epochs, session.epoch)
        else:
            self._walk = EpochWalk(name, epochs)
        if session.walk is not self._walk:
            session.set_walk(self._walk)
        self._show_walk()

    def _show_walk(self) -> None:
        session = self._session
        if session is not None:
            self.panel.show_walk(session.walk, mine=self._has_walk)

    # -- commands

    def _toggle(self) -> None:
        if self._seen and not self._dock.visibleRegion().isEmpty():
            self._dock.hide()
        else:
            self._services.panels.show("disagreements")

    def _list_cell(self, pairing: Pairing, truth: int, predicted: int) -> None:
        self._services.panels.show("disagreements")
        self.panel.list_cell(pairing, truth, predicted)
        self._services.tell(f"{len(self.panel.shown)} epochs of “{self.panel.list_name}”: D goes to the first")

    def _list_suspects(self) -> None:
        self._services.panels.show("disagreements")
        self.panel.list_suspects()

    def _show_lines(self) -> None:
        self._services.panels.show("disagreements")
        self.panel.show_lines()

    def _go_to_matrix(self) -> None:
        self._services.panels.show("review")
        self._services.page.show_matrix()

    # -- exporting

    def _ask_and_export(self) -> None:
        if self._session is None or not len(self.panel.shown):
            return
        recording = self._session.night.recording
        proposed = recording.path.with_name(f"{recording.path.stem}-disagreements.csv")
        path = dialogs.ask_table_path(self._services.window, "Export the list", proposed)
        if path is not None:
            self.export(path)

    def export(self, path: Path) -> None:
        """Write the list as it stands, in the columns of ``sleepviewer analyse``, in the background."""
        found = self._comparison
        if found is not None:
            self._export_work.start(partial(_written, found, self.panel.shown.copy(), path))

    def _on_export_failed(self, error: Exception) -> None:
        if not isinstance(error, SleepViewerError):
            raise error
        self._services.trouble(f"Not exported: {error}")


def _raise(error: Exception) -> None:
    raise error


def _measured(recording: Recording, label: str | None, _: Callable[[], bool]) -> tuple[str, EpochSigns]:
    return label or "", recording_signs(recording, label)


def _looked_up(judge: _Judge, _: Callable[[], bool]) -> tuple[_Judge, Provenance]:
    """Look up what trainings and the model's card say; reads the recording once for its hash."""
    from sleepviewer.reports.nights import shipped_record
    from sleepviewer.training.records import training_records

    records = [
        record for folder in judge.trainings if Path(folder).is_dir() for record in training_records(Path(folder))
    ]
    model = {"engine": judge.engine, "weights_sha256": judge.weights_sha256}
    return judge, night_provenance(judge.night, (*records, *shipped_record({"model": model})))


def _written(found: Comparison, epochs: Epochs, path: Path, _: Callable[[], bool]) -> str:
    from sleepviewer.files import atomic_writer
    from sleepviewer.reports.tables import Table

    with atomic_writer(path) as file:
        table = Table(file)
        for epoch in epochs.tolist():
            table.add(found.row(epoch).as_dict())
        table.flush()
    return f"{len(epochs)} epochs exported to {path.absolute()}"
