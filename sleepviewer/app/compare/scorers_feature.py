"""Who scores beside whom: other scorers' reviews in rows of their own, and scoring blind to all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.work.background import Background
from sleepviewer.errors import SleepViewerError
from sleepviewer.review.night import Night
from sleepviewer.review.other_reviews import OtherReviews, other_reviews
from sleepviewer.review.recovery import is_blind_in_a_journal
from sleepviewer.review.state_folder import StateFolders

HIDDEN_COMMANDS: Final = frozenset(
    {
        "accept",
        "accept_range",
        "add_scorer",
        "alike",
        "alike_elsewhere",
        "all_disagreements",
        "confusion_matrix",
        "consensus_panel",
        "disagreements_panel",
        "export_disagreements",
        "keep_scoring",
        "line_by_line",
        "look_alikes",
        "name_training",
        "next_disagreement",
        "next_doubt",
        "open_rival",
        "open_truth",
        "previous_disagreement",
        "previous_doubt",
        "review_in_order",
        "score",
        "show_reviews",
        "suspect_labels",
        "two_models",
        "why",
    }
)
"""Commands that tell a blinded scorer what others say, or need it."""

HIDDEN_PANELS: Final = ("disagreements", "rivals", "map", "consensus")
"""Panels that say nothing but what others say."""

BLINDED: Final = "BLINDED: that is hidden until you are done (Review › Blinding › Done: unblind)"


def begin_blind(night: Night, settings: Settings) -> None:
    """Blind the scorer of a night before it is shown: one who was so when the program ended, or who always is at first.

    A night whose review was begun already is left as it is.
    """
    document = night.document
    if document.blinding.since:
        return
    was_blind = settings.remembers and is_blind_in_a_journal(night, StateFolders.of_user())
    if was_blind or (settings.begins_blind and not document.history):
        document.blind(seen=False)


class ScorersPart(QObject):
    """What a scorer is shown of the others."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._reading = Background("reviews", self)
        self._reading.done.connect(self._show_reviews)
        self._reading.failed.connect(self._on_failed)
        self._soon = QTimer(self)  # once the panel has been shown: it can't be hidden meanwhile
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._hide_panels)
        for name in HIDDEN_PANELS:
            # Behind another tab a panel is shown as well, without being seen.
            services.panels[name].toggleViewAction().toggled.connect(lambda _: self._soon.start())

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {"show_reviews": self.show_reviews, "blind": self.blind, "unblind": self.ask_and_unblind}

    def enabled(self) -> Mapping[str, bool]:
        """See :class:`Part`."""
        session = self._session
        if session is None:
            return {"blind": False, "unblind": False}
        hidden = dict.fromkeys(HIDDEN_COMMANDS, False) if self._blinded else {}
        return {"blind": not session.document.blinding.since, "unblind": self._blinded, **hidden}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        self._reading.cancel()
        self._session = session
        self._hide_panels()

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`."""

    def close(self) -> None:
        """See :class:`Part`."""
        self._soon.stop()
        self._reading.close()

    # -- blinding

    @property
    def _blinded(self) -> bool:
        return self._session is not None and self._session.document.blinded

    def blind(self) -> None:
        """Hide others' scorings from now on."""
        self._do(lambda session: session.document.blind(), "BLINDED: others' scorings are hidden until you are done")

    def ask_and_unblind(self) -> None:
        """Show others' scorings again, if the user is sure."""
        if self._blinded and dialogs.ask_whether_to_unblind(self._services.window):
            self._do(
                lambda session: session.document.unblind(), "Unblinded; that is in the history and is saved with it"
            )

    def _do(self, change: Callable[[NightSession], object], said: str) -> None:
        if self._session is None:
            return
        try:
            change(self._session)
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return
        self._hide_panels()
        self._services.refresh()
        self._services.tell(said)

    def _hide_panels(self) -> None:
        for name in HIDDEN_PANELS:
            dock = self._services.panels[name]
            dock.toggleViewAction().setEnabled(self._session is not None and not self._blinded)
            if self._blinded:
                dock.hide()

    # -- other scorers' reviews

    def show_reviews(self) -> None:
        """Lay other scorers' reviews beside the scorer's own; they are read in the background."""
        if self._session is not None and not self._blinded:
            self._reading.start(partial(_read, self._session.night))

    def _show_reviews(self, answer: object) -> None:
        assert isinstance(answer, OtherReviews)
        session = self._session
        if session is None or self._blinded:
            return
        shown = {(scorer.source, scorer.scorer) for scorer in answer.hypnograms}
        kept = tuple(scorer for scorer in session.scorers if (scorer.source, scorer.scorer) not in shown)
        if answer.hypnograms:
            session.scorers = (*kept, *answer.hypnograms)
        names = ", ".join(scorer.scorer for scorer in answer.hypnograms)
        said = f"Reviews of {names} are shown, only to look at" if names else "No other scorer has saved a review here"
        self._services.tell(". ".join((said, *answer.notes)))

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, SleepViewerError):
            raise error
        self._services.trouble(str(error))


def _read(night: Night, _: Callable[[], bool]) -> OtherReviews:
    return other_reviews(night)
