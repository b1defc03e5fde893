"""Reviewing in the order of doubt: the mode, its budget, and what is remembered of both."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit

from sleepviewer.analysis.review_plan import Budget
from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.review.budget_bar import budget_from_json, budget_to_json
from sleepviewer.app.review.panel import ReviewPanel
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme
from sleepviewer.review.document import Change
from sleepviewer.review.review_queue import DEFAULT_BUDGET

_BUDGET_KEY, _TOGETHER_KEY = "review/budget", "review/together"


class ReviewPart(QObject):
    """Between the session's queue and the tab that shows it."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        panel = services.page.panel
        assert isinstance(panel, ReviewPanel)
        self._panel, self._tab = panel, panel.review_tab
        self._budget = budget_from_json(services.settings.get_json(_BUDGET_KEY, {}), DEFAULT_BUDGET)
        self._together = services.settings.get_json(_TOGETHER_KEY, False)
        self._was_done = False
        # No command of the key table: while a scoring runs, the key cancels that, and it belongs to fields and dialogs.
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), services.window)
        self._escape.setEnabled(False)
        self._escape.activated.connect(self._on_escape)
        self._tab.budget_chosen.connect(self._choose_budget)
        self._tab.together_toggled.connect(self._keep_together)
        self._tab.in_order_toggled.connect(self._set_in_order)

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {
            "review_in_order": lambda: self._set_in_order(self._session is not None and not self._session.in_order),
            "review_together": lambda: self._keep_together(not self._together),
        }

    def enabled(self) -> Mapping[str, bool]:
        """See :class:`Part`."""
        session = self._session
        scored = session is not None and session.document.prediction is not None
        cancelling = self._services.actions["cancel_scoring"].isEnabled()
        self._escape.setEnabled(session is not None and session.in_order and not cancelling)
        self._tab.set_tip(self._services.actions["review_in_order"].toolTip())
        return {"review_in_order": scored}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        if self._session is not None:
            self._session.in_order_changed.disconnect(self._on_in_order)
            self._session.document_changed.disconnect(self._on_change)
            self._session.quality_changed.disconnect(self._tab.show_quality)
        self._session = session
        session.queue.keep_together(self._together)
        session.queue.set_budget(self._budget)
        session.in_order_changed.connect(self._on_in_order)
        session.document_changed.connect(self._on_change)
        session.quality_changed.connect(self._tab.show_quality)
        self._was_done = False
        self._on_in_order(session.in_order)
        self._services.check("review_together", self._together)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`: the panel sees to its tabs."""

    def close(self) -> None:
        """See :class:`Part`."""
        self._services.settings.set_json(_BUDGET_KEY, budget_to_json(self._budget))
        self._services.settings.set_json(_TOGETHER_KEY, self._together)

    # -- the mode

    def _set_in_order(self, on: bool) -> None:
        session = self._session
        if session is None:
            return
        if on and session.document.prediction is None:
            self._services.tell("The model's doubt is known once the night is scored: press S")
            self._on_in_order(False)
            return
        session.set_in_order(on)
        if not on:
            self._services.tell("No longer reviewing in order; the keys stay where you are")
            return
        self._services.panels.show("review")
        self._panel.setCurrentWidget(self._tab)
        epoch = session.queue.resume()
        if epoch is None:
            self._services.tell("Nothing is left to review")
        else:
            session.go_to(epoch)
            self._services.tell("Enter accepts, a stage key corrects; both go on to the next. Esc ends it")

    def _on_in_order(self, on: bool) -> None:
        self._tab.show_in_order(on)
        self._services.check("review_in_order", on)
        self._services.refresh()

    def _on_escape(self) -> None:
        """A field gives the keyboard back first, as it does without the mode."""
        window = self._services.window
        if isinstance(QApplication.focusWidget(), QLineEdit | QAbstractSpinBox | QComboBox):
            window.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._set_in_order(False)

    # -- the budget

    def _choose_budget(self, budget: Budget) -> None:
        self._budget = budget
        if self._session is not None:
            self._session.queue.set_budget(budget)
            self._was_done = False
            self._show()

    def _keep_together(self, on: bool) -> None:
        self._together = on
        self._services.check("review_together", on)
        if self._session is not None:
            self._session.queue.keep_together(on)
            self._show()

    def _show(self) -> None:
        if self._session is not None:
            self._tab.show_session(self._session)

    def _on_change(self, change: Change) -> None:
        session = self._session
        if change is not Change.EDITS or session is None or not session.in_order:
            return
        plan = session.queue.plan
        done = plan is not None and not plan.stop
        if done and not self._was_done:
            # After the words about the edit itself, which come when it is done.
            QTimer.singleShot(0, lambda: self._services.tell(f"The budget is done ({self._budget.text}). Esc ends it"))
        self._was_done = done
