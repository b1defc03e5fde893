"""The panel at the right: the epoch, what to review, agreement, the night in numbers."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QTabWidget, QWidget

from sleepviewer.app.review.agreement_tab import AgreementTab
from sleepviewer.app.review.epoch_tab import EpochTab
from sleepviewer.app.review.queue_tab import ReviewTab
from sleepviewer.app.review.statistics_tab import NightTab
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.scrolled import scrolled
from sleepviewer.app.shell.theme import Theme
from sleepviewer.review.document import Change


class ReviewPanel(QTabWidget):
    """Four tabs over one session; only the visible one is brought up to date on an edit."""

    review_epoch_requested = Signal(int)
    base_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.setAccessibleName("Review")
        self.epoch_tab = EpochTab(theme, self)
        self.review_tab = ReviewTab(theme, self)
        self.agreement_tab = AgreementTab(theme, self)
        self.night_tab = NightTab(self)
        self._tabs: tuple[EpochTab | ReviewTab | AgreementTab | NightTab, ...] = (
            self.epoch_tab,
            self.review_tab,
            self.agreement_tab,
            self.night_tab,
        )
        for tab, title in zip(self._tabs, ("Epoch", "To review", "Agreement", "Night"), strict=True):
            self.addTab(scrolled(tab) if tab in (self.epoch_tab, self.agreement_tab) else tab, title)
        self._session: NightSession | None = None
        self._stale: set[QWidget] = set()
        self.review_tab.epoch_picked.connect(self.review_epoch_requested)
        self.epoch_tab.base_chosen.connect(self.base_chosen)
        self.currentChanged.connect(self._freshen)

    def set_session(self, session: NightSession) -> None:
        """Show another night."""
        self._session = session
        session.walk_changed.connect(lambda: self._outdate(session, self.agreement_tab))
        session.scorers_changed.connect(lambda: self._outdate(session, self.night_tab))
        self.on_change(Change.PREDICTION)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.epoch_tab.set_theme(theme)
        self.review_tab.set_theme(theme)
        self.agreement_tab.set_theme(theme)

    def show_matrix(self) -> None:
        """Show the agreement, and give its matrix the keyboard."""
        self.setCurrentIndex(self._tabs.index(self.agreement_tab))
        self.agreement_tab.matrix.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_epoch(self) -> None:
        """Follow the current epoch."""
        if self._session is not None:
            self._stale.add(self.epoch_tab)
            self._freshen()
            self.review_tab.show_epoch(self._session.epoch)

    def on_change(self, change: Change) -> None:
        """Follow a change of the document."""
        if change is Change.SAVED:
            return
        followers: dict[Change, set[QWidget]] = {
            Change.PROVISIONAL: {self.epoch_tab},
            Change.EVENTS: {self.epoch_tab, self.night_tab},
        }
        self._stale |= followers.get(change, set(self._tabs))
        self._freshen()

    def _outdate(self, session: NightSession, tab: QWidget) -> None:
        if session is self._session:
            self._stale.add(tab)
            self._freshen()

    def _freshen(self) -> None:
        tab = self._tabs[self.currentIndex()]
        if self._session is not None and tab in self._stale:
            self._stale.discard(tab)
            tab.show_session(self._session)
