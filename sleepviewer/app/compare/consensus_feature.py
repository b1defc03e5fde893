"""From several scorers to one: what they agree on is taken, what they don't is stepped through and decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Qt

from sleepviewer.app.compare.consensus_panel import AdjudicationPanel
from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.epoch_table import EpochRow
from sleepviewer.app.shell.scrolled import scrolled
from sleepviewer.app.shell.theme import Theme
from sleepviewer.display.clock import clock_text
from sleepviewer.errors import ReadOnlyError
from sleepviewer.review.adjudication import FEWEST, Adjudication, Rater, adjudicate
from sleepviewer.review.comparison import scorer_names
from sleepviewer.review.contenders import engine_title
from sleepviewer.review.document import Change
from sleepviewer.review.edits import NOT_CORRECTED, Edit
from sleepviewer.review.navigation import EpochWalk
from sleepviewer.stages import EPOCH_S, Stage

_KEYS = 4
"""How many scorers have a key of their own."""


class AdjudicationPart(QObject):
    """Between the session's scorers and the panel “Consensus”; the result is the document's own layer.

    While scorers are chosen, every edit says which of them give the stage that it gives (``Document.judge``).
    """

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._offered: tuple[Rater, ...] = ()
        self._left_out: set[str] = set()
        self._put_in: set[str] = set()
        self._found: Adjudication | None = None
        self._walk: EpochWalk | None = None
        self._seen, self._stale = False, True
        self.panel = AdjudicationPanel(services.page.theme)
        area = Qt.DockWidgetArea.RightDockWidgetArea
        self._dock = services.panels.add(
            "consensus", "Consensus", scrolled(self.panel), area, shown=False, beside="review"
        )
        self._dock.visibilityChanged.connect(self._on_seen)
        self.panel.chosen.connect(self._on_chosen)
        self.panel.take_requested.connect(self.take_agreed)
        self.panel.reviews_requested.connect(lambda: services.actions["show_reviews"].trigger())
        self.panel.epoch_picked.connect(self._go_to)

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        commands: dict[str, Callable[[], object]] = {
            "consensus_panel": lambda: self._services.panels.show("consensus"),
            "take_agreed": self.take_agreed,
            "next_undecided": self.next_undecided,
        }
        return commands | {f"take_rater_{place + 1}": partial(self.take, place) for place in range(_KEYS)}

    def enabled(self) -> Mapping[str, bool]:
        """See :class:`Part`."""
        chosen = 0 if self._found is None else len(self._found.raters)
        by_place = {f"take_rater_{place + 1}": place < chosen for place in range(_KEYS)}
        return {"take_agreed": chosen > 0, "next_undecided": chosen > 0, **by_place}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        if self._session is not None:
            self._session.document_changed.disconnect(self._on_change)
            self._session.scorers_changed.disconnect(self._refresh_soon)
            self._session.epoch_changed.disconnect(self._on_epoch)
        self._session, self._found, self._walk = session, None, None
        self._left_out, self._put_in = set(), set()
        session.document_changed.connect(self._on_change)
        session.scorers_changed.connect(self._refresh_soon)
        session.epoch_changed.connect(self._on_epoch)
        self._refresh_soon()

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`."""
        self.panel.set_theme(theme)

    def close(self) -> None:
        """See :class:`Part`."""

    # -- following

    def _on_seen(self, seen: bool) -> None:
        self._seen = seen
        if seen:
            self._refresh()
        elif self._dock.isHidden():
            self._end()

    def _end(self) -> None:
        """Let go of the list and of the scorers: D goes elsewhere, and edits say nothing of them any more."""
        session = self._session
        self._found, self._stale = None, True
        if session is not None:
            session.document.judge({})
            if self._walk is not None and session.walk is self._walk:
                session.set_walk(None)
        self._walk = None
        self._services.refresh()

    def _on_change(self, change: Change) -> None:
        if change is Change.EDITS and self._found is not None:
            self._show()
        elif change is Change.BLINDING:
            self._refresh()  # seen or not: nothing is left to be come upon
        elif change in (Change.TRUTH, Change.PREDICTION):
            self._refresh_soon()

    def _on_epoch(self, epoch: int) -> None:
        if self._seen:
            self.panel.table.select_epoch(epoch)

    def _refresh_soon(self) -> None:
        self._stale = True
        if self._seen or self._found is not None:
            self._refresh()

    # -- who is compared

    def _raters(self, session: NightSession) -> tuple[Rater, ...]:
        """All scorers of the night, people before the model."""
        document, raters = session.document, []
        if document.truth is not None:
            raters.append(Rater("Expert", document.truth.stages, None, document.truth.source))
        names = scorer_names(session.scorers)
        raters += [Rater(name, s.stages, None, s.source) for name, s in zip(names, session.scorers, strict=True)]
        prediction = document.prediction
        if prediction is not None:
            name = f"Model: {engine_title(prediction.engine)}"
            raters.append(Rater(name, prediction.stages, prediction.confidence, prediction.identity))
        return tuple(raters)

    def _is_chosen(self, rater: Rater, place: int, offered: int) -> bool:
        """Whether it is compared: people are unless they were left out, a model where there are too few of them."""
        if rater.name in self._left_out or rater.name in self._put_in:
            return rater.name in self._put_in
        is_model = place == offered - 1 and rater.name.startswith("Model: ")
        return not is_model or offered == FEWEST

    def _on_chosen(self) -> None:
        ticked = self.panel.ticked
        names = [rater.name for rater in self._offered]
        self._put_in = {name for place, name in enumerate(names) if place in ticked}
        self._left_out = set(names) - self._put_in
        self._refresh()

    def _refresh(self) -> None:
        session = self._session
        if session is None:
            return
        self._stale = False
        self._offered = self._raters(session)
        chosen = [self._is_chosen(rater, place, len(self._offered)) for place, rater in enumerate(self._offered)]
        self.panel.offer([rater.name for rater in self._offered], chosen)
        raters = [rater for rater, on in zip(self._offered, chosen, strict=True) if on]
        self._found = adjudicate(raters) if len(raters) >= FEWEST else None
        session.document.judge({} if self._found is None else {r.name: r.stages for r in self._found.raters})
        self._lay_walk(session)
        self._show()
        self._services.refresh()

    def _lay_walk(self, session: NightSession) -> None:
        """Have D step through what is left to decide."""
        had = self._walk is not None and session.walk is self._walk
        if self._found is None:
            self._walk = None
            if had:
                session.set_walk(None)
            return
        epochs, name = self._found.open_epochs, " / ".join(self._found.names)
        if had and self._walk is not None and self._walk.name == name and np.array_equal(self._walk.epochs, epochs):
            return
        self._walk = EpochWalk(name, epochs)
        session.set_walk(self._walk)

    def _show(self) -> None:
        session, found = self._session, self._found
        if found is None:
            self.panel.show_adjudication(None)
            return
        if session is None or not self._seen:
            self._stale = True
            return
        document = session.document
        taken = bool(np.array_equal(document.corrected[found.agreed], found.stages[found.agreed]))
        rows = [self._row(session, found, int(epoch)) for epoch in found.open_epochs]
        self.panel.show_adjudication(found, rows, found.decided(document), taken)
        self.panel.table.select_epoch(session.epoch)

    def _row(self, session: NightSession, found: Adjudication, epoch: int) -> EpochRow:
        corrected = int(session.document.corrected[epoch])
        yours: str | Stage = "—" if corrected == NOT_CORRECTED else Stage(corrected)
        stages = (Stage(int(rater.stages[epoch])) for rater in found.raters)
        time = clock_text(session.night.recording, epoch * EPOCH_S)
        return EpochRow(epoch, (str(epoch + 1), time, yours, *stages))

    # -- deciding

    def take_agreed(self) -> None:
        """Make what all chosen scorers say the document's own labels, as one edit."""
        session, found = self._session, self._found
        if session is not None and found is not None:
            self._tell(lambda: found.take_agreed(session.document))

    def take(self, place: int) -> None:
        """Make a scorer's stage of the selected epochs one's own, and go on to the next undecided epoch."""
        session, found = self._session, self._found
        if session is None or found is None or place >= len(found.raters):
            return
        rater, selected = found.raters[place], list(session.selected)
        epochs = [epoch for epoch in selected if rater.stages[epoch] != Stage.UNKNOWN]
        if not epochs:
            self._services.tell(f"{rater.name} did not score here: set a stage yourself")
            return
        stages = [int(rater.stages[epoch]) for epoch in epochs]
        if self._tell(lambda: session.document.take_stages(epochs, stages, f"as {rater.name}")):
            self._go_on(session, found)

    def _tell(self, edit: Callable[[], Edit | None]) -> bool:
        """Make an edit and say what it was; return whether it could be made."""
        try:
            made = edit()
        except ReadOnlyError as error:
            self._services.trouble(str(error))
            return False
        self._services.tell("Nothing to change: it stands so already" if made is None else made.text)
        return True

    def next_undecided(self) -> None:
        """Go to the next open epoch without a label of one's own, after the last one to the first."""
        session, found = self._session, self._found
        if session is not None and found is not None and not self._go_on(session, found):
            self._services.tell("Everything is decided")

    def _go_on(self, session: NightSession, found: Adjudication) -> bool:
        left = found.open_epochs[~session.document.edited[found.open_epochs]]
        if not len(left):
            return False
        later = left[left > session.epoch]
        session.go_to(int(later[0] if len(later) else left[0]))
        return True

    def _go_to(self, epoch: int) -> None:
        if self._session is not None and epoch != self._session.epoch:
            self._session.go_to(epoch)
