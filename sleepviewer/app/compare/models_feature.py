"""Two models side by side: which scorings there are, which two are compared, and the list that D steps through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

from sleepviewer.analysis.rivals import Contender, Duel, Group, side_by_side
from sleepviewer.app.compare.models_panel import RivalsPanel
from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.epoch_table import EpochRow
from sleepviewer.app.shell.scrolled import scrolled
from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.clock import clock_text
from sleepviewer.errors import SleepViewerError
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.review.comparison import scorer_names
from sleepviewer.review.contenders import (
    contender_of,
    hypnogram_of,
    is_other_version,
    load_contender,
    version_name,
)
from sleepviewer.review.document import Base, Change, Document
from sleepviewer.review.navigation import EpochWalk
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import EPOCH_S, Stage, StageArray

_MODEL = "Model"


class RivalsPart(QObject):
    """Between the session's scorings and the panel “Two models”.

    What is laid beside the night's own scoring is one of the session's further scorers, so that it has a row of its
    own; its probabilities, where it has some, are kept here.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._contenders: dict[Hypnogram, Contender] = {}
        self._scoring: Prediction | None = None
        self._offered: list[Hypnogram | None] = []
        self._pair: tuple[Hypnogram | None, Hypnogram | None] = (None, None)
        self._duel: Duel | None = None
        self._walk: EpochWalk | None = None
        self._group: Group | None = None
        self._seen = False
        self._stale = True
        self.panel = RivalsPanel(services.page.theme)
        area = Qt.DockWidgetArea.RightDockWidgetArea
        self._dock = services.panels.add(
            "rivals", "Two models", scrolled(self.panel), area, shown=False, beside="review"
        )
        self._dock.visibilityChanged.connect(self._on_seen)
        self.panel.chosen.connect(self._on_chosen)
        self.panel.group_picked.connect(self._pick_group)
        self.panel.epoch_picked.connect(self._go_to)
        self.panel.keep_requested.connect(self.keep)
        self.panel.open_requested.connect(self._ask_and_open)

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {
            "keep_scoring": self.keep,
            "open_rival": self._ask_and_open,
            "two_models": lambda: self._services.panels.show("rivals"),
        }

    def enabled(self) -> Mapping[str, bool]:
        """See :class:`Part`."""
        document = self._document
        return {"keep_scoring": document is not None and document.prediction is not None}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        if self._session is not None:
            self._session.document_changed.disconnect(self._on_change)
            self._session.scorers_changed.disconnect(self._on_scorers)
            self._session.epoch_changed.disconnect(self._on_epoch)
            self._session.walk_changed.disconnect(self._on_walk)
        self._session, self._contenders, self._pair = session, {}, (None, None)
        self._walk, self._group = None, None
        self._scoring = session.document.prediction
        session.document_changed.connect(self._on_change)
        session.scorers_changed.connect(self._on_scorers)
        session.epoch_changed.connect(self._on_epoch)
        session.walk_changed.connect(self._on_walk)
        self.panel.show_list("", ())
        self._refresh_soon()

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`."""
        self.panel.set_theme(theme)

    def close(self) -> None:
        """See :class:`Part`."""

    # -- what is laid beside the night's scoring

    def keep(self) -> None:
        """Keep the night's scoring as a second one, so that it stays when the night is scored again."""
        session = self._session
        if session is None or session.document.prediction is None:
            self._services.tell("There is no model's scoring to keep yet: press S to score")
            return
        kept = contender_of(session.document.prediction)
        if any(contender.proba is kept.proba for contender in self._contenders.values()):
            self._services.tell("This scoring is kept already; score with another model to compare the two")
            return
        self.add(kept)
        self._services.tell(f"{kept.name} is kept beside the next scoring: choose another model and press S")

    def _ask_and_open(self) -> None:
        if self._session is not None:
            path = dialogs.ask_rival(self._services.window, self._session.night.recording.path.parent)
            if path is not None:
                self.open(path)

    def open(self, path: Path) -> bool:
        """Lay a file's scoring beside the night's own; trouble is told and changes nothing."""
        if self._session is None:
            return False
        try:
            contender = load_contender(self._session.night.recording, path)
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return False
        self.add(contender)
        self._services.panels.show("rivals")
        self._services.tell(" ".join((f"{contender.name}: {contender.origin}.", *contender.notes)))
        return True

    def add(self, contender: Contender) -> None:
        """Show a scoring in a row of its own, and make it the second of the two that are compared."""
        session = self._session
        if session is None:
            return
        hypnogram = hypnogram_of(contender, session.night.recording)
        self._contenders[hypnogram] = contender
        first = None if session.document.prediction is not None else self._pair[0]
        self._pair = (first, hypnogram)
        session.scorers = (*session.scorers, hypnogram)

    def _follow_version(self) -> None:
        """Lay the earlier scoring beside one of another version of its model, and list what changed."""
        session, before = self._session, self._scoring
        if session is None:
            return
        now = self._scoring = session.document.prediction
        if before is None or now is None or not is_other_version(before, now):
            return
        kept = contender_of(before, version_name(before))
        again = next((h for h, c in self._contenders.items() if c.origin == kept.origin), None)
        if again is not None:  # she goes to and fro between two versions
            session.scorers = tuple(scorer for scorer in session.scorers if scorer is not again)
        self.add(kept)
        # Once all have heard of the new scoring: what the labels rest on may change with it, which would end the list.
        QTimer.singleShot(0, self, lambda: self._list_changed(session))

    def _list_changed(self, session: NightSession) -> None:
        """List the epochs that two versions score otherwise, for D to step through."""
        if session is not self._session or session.in_order:  # in the order of doubt D is not what she steps by
            return
        if not self._has_truth:
            self.panel.measure_by_final_labels()
        self._services.panels.show("rivals")
        self._refresh()
        self._pick_group(Group.DIFFER)

    # -- following the session

    @property
    def _document(self) -> Document | None:
        return None if self._session is None else self._session.document

    def _on_seen(self, seen: bool) -> None:
        self._seen = seen
        if seen and self._stale:
            self._refresh()
        elif seen:
            self._show_epoch()
        if self._dock.isHidden() and self._walk is not None and self._session is not None:
            self._session.set_walk(None)  # D steps through what is shown

    def _on_change(self, change: Change) -> None:
        if change in (Change.EDITS, Change.BASE) and self.panel.against_expert and self._has_truth:
            return
        if change is Change.BLINDING:
            self._end_list()
            self._refresh()  # seen or not: nothing is left to be come upon
        if change in (Change.TRUTH, Change.PREDICTION, Change.EDITS, Change.BASE):
            if change is not Change.EDITS:
                self._end_list()
            self._refresh_soon()
        if change is Change.PREDICTION:
            self._follow_version()

    def _on_scorers(self) -> None:
        session = self._session
        if session is None:
            return
        if not session.document.blinded:  # what is hidden comes back with its probabilities
            self._contenders = {h: c for h, c in self._contenders.items() if h in session.scorers}
        self._end_list()
        self._refresh_soon()

    def _on_epoch(self, epoch: int) -> None:
        if self._seen:
            self._show_epoch()

    def _show_epoch(self) -> None:
        if self._session is not None:
            self.panel.show_epoch(self._duel, self._session.epoch)

    def _on_walk(self) -> None:
        if self._session is not None and self._session.walk is not self._walk:
            self._walk, self._group = None, None
            self.panel.show_list("", ())

    def _end_list(self) -> None:
        """Let go of a list whose groups have changed under it."""
        if self._walk is not None and self._session is not None:
            self._session.set_walk(None)

    def _refresh_soon(self) -> None:
        self._stale = True
        if self._seen:
            self._refresh()

    # -- comparing

    @property
    def _has_truth(self) -> bool:
        return self._document is not None and self._document.truth is not None

    def _refresh(self) -> None:
        session = self._session
        if session is None:
            return
        self._stale = False
        names = self._offer(session)
        self._duel, sentence = self._compare(session, names)
        self.panel.show_duel(self._duel, sentence)
        self.panel.groups.choose(self._group)
        if self._walk is not None and self._duel is not None:  # its epochs stay while she corrects them
            self.panel.table.show_rows(_rows(session, self._duel, self._walk.epochs))
        self._show_epoch()

    def _offer(self, session: NightSession) -> list[str]:
        """Offer all scorings of the night; return their names as they stand beside the rows."""
        model = session.document.prediction
        self._offered = [*([] if model is None else [None]), *session.scorers]
        names = [*([] if model is None else [_MODEL]), *scorer_names(session.scorers)]
        texts = list(names)
        if model is not None:
            texts[0] = f"{_MODEL}: {version_name(model)}"
        self._pair = _two_of(self._offered, self._pair)
        self.panel.offer(texts, *(self._place(scoring) for scoring in self._pair))
        return names

    def _place(self, scoring: Hypnogram | None) -> int:
        return next((place for place, other in enumerate(self._offered) if other is scoring), -1)

    def _compare(self, session: NightSession, names: Sequence[str]) -> tuple[Duel | None, str]:
        """Return the two that are chosen side by side, with what should be said of it."""
        if len(self._offered) < 2:
            return None, ""
        first, second = (self._contender(session, scoring, names) for scoring in self._pair)
        document = session.document
        if self.panel.against_expert:
            truth = document.truth
            duel = side_by_side(first, second, None if truth is None else truth.stages)
            return duel, "" if truth is not None else "No expert's hypnogram is open (Ctrl+T); where the two differ:"
        reference, sentence = _final_labels(document)
        return side_by_side(first, second, reference), sentence

    def _contender(self, session: NightSession, scoring: Hypnogram | None, names: Sequence[str]) -> Contender:
        name = names[self._place(scoring)]
        if scoring is None:
            assert session.document.prediction is not None
            return contender_of(session.document.prediction, name)
        kept = self._contenders.get(scoring)
        return Contender(name, scoring.stages, None if kept is None else kept.proba, scoring.source)

    def _on_chosen(self) -> None:
        places = (self.panel.first, self.panel.second)
        if all(0 <= place < len(self._offered) for place in places):
            pair = (self._offered[places[0]], self._offered[places[1]])
            # Who chooses the other one's scoring for this one has them change places.
            self._pair = pair if pair[0] is not pair[1] else (self._pair[1], self._pair[0])
        self._end_list()
        self._refresh()

    # -- the list

    def _pick_group(self, group: Group | None) -> None:
        session, duel = self._session, self._duel
        if session is None:
            return
        if group is None or duel is None:
            session.set_walk(None)
            return
        epochs = duel.epochs(group)
        title = duel.title(group)
        self._group = group
        self._walk = EpochWalk(title, epochs)
        count = "1 epoch" if len(epochs) == 1 else f"{len(epochs)} epochs"
        self.panel.show_list(f"{title}: {count}, D goes on to the next", _rows(session, duel, epochs))
        self.panel.groups.choose(group)
        session.set_walk(self._walk)
        self._show_epoch()

    def _go_to(self, epoch: int) -> None:
        if self._session is not None and epoch != self._session.epoch:
            self._session.go_to(epoch)


def _two_of(
    offered: Sequence[Hypnogram | None], pair: tuple[Hypnogram | None, Hypnogram | None]
) -> tuple[Hypnogram | None, Hypnogram | None]:
    """Keep the two that are chosen where they are offered; else take the first and the last."""
    if not offered:
        return (None, None)
    first, second = (
        next((other for other in offered if other is scoring), offered[at])
        for scoring, at in zip(pair, (0, -1), strict=True)
    )
    if first is second and len(offered) > 1:
        second = next(other for other in reversed(offered) if other is not first)
    return first, second


def _final_labels(document: Document) -> tuple[StageArray | None, str]:
    """Return what to measure by where that is the final labels, and what should be said of it.

    Where uncorrected epochs bear the model's own stage, they would prove it right: they are left out.
    """
    if document.base is not Base.MODEL:
        labels = document.labels
        return (labels, "") if (labels >= 0).any() else (None, "No epoch has a label yet; where the two differ:")
    labels = np.where(document.edited, document.corrected, int(Stage.UNKNOWN)).astype(np.int8)
    if not (labels >= 0).any():
        return None, "You have labelled no epoch yourself yet; where the two differ:"
    return labels, "Only epochs that you labelled yourself count: the others bear the model's own stage."


def _right(duel: Duel, epoch: int) -> str:
    """Who is right in an epoch, in a word; a dash where nothing says so."""
    truth = Stage.UNKNOWN if duel.reference is None else Stage(int(duel.reference[epoch]))
    if truth is Stage.UNKNOWN:
        return "—"
    first, second = (int(contender.stages[epoch]) == truth for contender in (duel.first, duel.second))
    if first:
        return "both" if second else "1st"
    return "2nd" if second else "none"


def _rows(session: NightSession, duel: Duel, epochs: Sequence[int] | np.ndarray) -> list[EpochRow]:
    recording = session.night.recording
    reference = duel.reference

    def cells(epoch: int) -> tuple[str | Stage, ...]:
        label: str | Stage = "—" if reference is None else Stage(int(reference[epoch]))
        time = clock_text(recording, epoch * EPOCH_S)
        stages = (Stage(int(contender.stages[epoch])) for contender in (duel.first, duel.second))
        return (str(epoch + 1), time, label, *stages, _right(duel, epoch))

    return [EpochRow(int(epoch), cells(int(epoch))) for epoch in epochs]
