"""The queue of a night's review: the plan as it stands after the last edit, and the place in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import numpy as np

from sleepviewer.analysis.agreement import confusion_of, figures_of
from sleepviewer.analysis.order import Epochs
from sleepviewer.analysis.review_plan import Budget, BudgetKind, Evidence, ReviewPlan, Work, plan_review
from sleepviewer.review.document import Change, Document
from sleepviewer.review.pace import Pace, measure_pace
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import StageArray

DEFAULT_BUDGET: Final = Budget(BudgetKind.KAPPA, 0.9)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ReviewQueue:
    """The epochs of a document in the order in which to review them, over those not reviewed yet.

    The order follows every edit: what is reviewed drops out, and neighbours of a correction rise. The place does not:
    epochs that were passed over are not offered again before :meth:`restart`, and looking elsewhere changes nothing.
    Nothing is worked out before somebody asks.
    """

    def __init__(self, document: Document, now: Callable[[], datetime] = _utc_now) -> None:
        self._document = document
        self._now = now
        self._budget = DEFAULT_BUDGET
        self._since = now()
        self._together = False
        self._prediction = document.prediction
        self._second: Prediction | None = None
        self._evidence: Evidence | None = None
        self._plan: ReviewPlan | None = None
        self._pace: Pace | None = None
        self._trail: list[int] = []
        self._position = -1
        self._run: list[int] = []
        self._begun_with = 0
        self._begin()

    # -- what it follows

    def on_change(self, change: Change) -> None:
        """Follow the document; to be called before others who ask the queue."""
        if change is Change.PREDICTION:
            last, self._prediction = self._prediction, self._document.prediction
            if self._prediction is None:
                self._second = None
            elif last is not None and last.engine != self._prediction.engine:
                self._second = last
            self._evidence = None
            self.restart()
            self._begin()
        elif change is Change.TRUTH:
            self._evidence = None
            self._plan = None
        elif change is Change.EDITS:
            self._plan = self._pace = None

    @property
    def second(self) -> Prediction | None:
        """The scoring by another engine that came before this one, and now counts as a second opinion."""
        return self._second

    # -- the plan

    @property
    def budget(self) -> Budget:
        """How much is to be reviewed."""
        return self._budget

    def set_budget(self, budget: Budget) -> None:
        """Plan anew for a budget; its minutes, and the progress, count from now."""
        self._budget = budget
        self._begin()
        self._plan = None

    @property
    def together(self) -> bool:
        """Whether neighbours in doubt are kept beside each other."""
        return self._together

    def keep_together(self, on: bool) -> None:
        """Keep neighbours in doubt beside each other, or not."""
        self._together = on
        self._run = []
        self._plan = None

    @property
    def plan(self) -> ReviewPlan | None:
        """The plan as the document stands; None without a scoring."""
        if self._plan is None and self._prediction is not None:
            if self._evidence is None:
                truth, second = self._document.truth, self._second
                self._evidence = Evidence(
                    self._prediction.proba,
                    None if second is None else second.proba,
                    None if truth is None else truth.stages,
                )
            pace = self.pace
            self._plan = plan_review(
                self._evidence,
                self.labels,
                self._document.edited,
                self._budget,
                Work(pace.per_minute, pace.minutes),
                together=self._together,
            )
        return self._plan

    @property
    def order(self) -> Epochs:
        """The scored epochs that are not reviewed, the one that gains most first; ``intp [k]``."""
        plan = self.plan
        return np.empty(0, dtype=np.intp) if plan is None else plan.order

    @property
    def labels(self) -> StageArray:
        """Her stages, and the model's where she has given none, ``int8 [n]``."""
        document = self._document
        model = document.base_stages if document.prediction is None else document.prediction.stages
        return np.where(document.edited, document.corrected, model).astype(np.int8)

    @property
    def pace(self) -> Pace:
        """How fast she reviews, and how many minutes went into it since the budget was set."""
        if self._pace is None:
            self._pace = measure_pace(self._document.edits, self._since)
        return self._pace

    @property
    def done(self) -> int:
        """How many epochs were reviewed since the budget was set (those that were taken back do not count)."""
        return max(int(np.count_nonzero(self._document.edited)) - self._begun_with, 0)

    @property
    def measured_kappa(self) -> float | None:
        """κ of :attr:`labels` against the expert's hypnogram where there is one; else, or where undefined, None."""
        truth = self._document.truth
        if truth is None or self._prediction is None:
            return None
        kappa = float(figures_of(confusion_of(truth.stages, self.labels)).kappa)
        return None if np.isnan(kappa) else kappa

    def _begin(self) -> None:
        self._since, self._pace = self._now(), None
        self._begun_with = int(np.count_nonzero(self._document.edited))

    # -- the place in it

    def restart(self) -> None:
        """Offer again what was passed over."""
        self._trail, self._position, self._run = [], -1, []
        self._plan = None

    def go_to(self, epoch: int) -> None:
        """Set the place to an epoch of the order, as when it was picked from the list: what is before it is passed."""
        place = np.flatnonzero(self.order == epoch)
        if place.size:
            self._trail = self.order[: int(place[0]) + 1].tolist()
            self._position = len(self._trail) - 1
            self._run = []

    def step(self, direction: int) -> int | None:
        """Return the next (1) or previous (-1) epoch without a corrected label, or None at the end."""
        edited = self._document.edited
        position = self._position + direction
        while 0 <= position < len(self._trail):
            if not edited[self._trail[position]]:
                self._position = position
                return self._trail[position]
            position += direction
        return None if direction < 0 else self._new()

    def resume(self) -> int | None:
        """Return where to go after an edit: the epoch that was offered last where it still waits, else the next one."""
        if 0 <= self._position < len(self._trail) and not self._document.edited[self._trail[self._position]]:
            return self._trail[self._position]
        return self.step(1)

    def _new(self) -> int | None:
        """Take an epoch from the order that was not offered yet: the rest of a run of neighbours first."""
        order, offered, edited = self.order.tolist(), set(self._trail), self._document.edited
        self._run = [epoch for epoch in self._run if epoch not in offered and not edited[epoch]]
        if not self._run:
            fresh = [epoch for epoch in order if epoch not in offered]
            if not fresh:
                return None
            self._run = _leading_run(fresh) if self._together else fresh[:1]
        epoch = self._run.pop(0)
        self._trail.append(epoch)
        self._position = len(self._trail) - 1
        return epoch


def _leading_run(epochs: list[int]) -> list[int]:
    """Return the epochs at the head of a list that follow each other in the night."""
    length = 1
    while length < len(epochs) and epochs[length] == epochs[length - 1] + 1:
        length += 1
    return epochs[:length]
