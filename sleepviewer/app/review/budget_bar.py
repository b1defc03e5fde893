"""The control that says how much is to be reviewed: minutes, per cent, or until so much agreement is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QWidget

from sleepviewer.analysis.review_plan import Budget, BudgetKind


@dataclass(frozen=True, slots=True)
class _Form:
    """How a kind of budget is typed: what stands behind the number, its bounds, its step, and the first one."""

    text: str
    least: float
    most: float
    step: float
    decimals: int
    first: float


_FORMS: Final = {
    BudgetKind.KAPPA: _Form("κ expected", 0.5, 0.99, 0.01, 2, 0.9),
    BudgetKind.MINUTES: _Form("minutes", 1, 600, 5, 0, 20),
    BudgetKind.PERCENT: _Form("% of the epochs", 1, 100, 1, 0, 10),
}


class BudgetBar(QWidget):
    """A number and what it counts; tells of the budget that was set."""

    budget_chosen = Signal(object)
    """Carries the Budget."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._until = QLabel("Review until", self)
        self._amount = QDoubleSpinBox(self)
        self._amount.setAccessibleName("How much to review")
        self._amount.setKeyboardTracking(False)
        self._amount.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._kind = QComboBox(self)
        self._kind.setAccessibleName("What the budget of the review is counted in")
        self._kind.setToolTip(
            "Where to stop: after some minutes at your pace, after a share of the night's epochs, or "
            "once so much agreement (κ) is expected"
        )
        self._kind.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for kind, form in _FORMS.items():
            self._kind.addItem(form.text, kind)
        self._until.setBuddy(self._amount)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._until)
        row.addWidget(self._amount)
        row.addWidget(self._kind, 1)
        self._kind.activated.connect(lambda _: self._choose_kind())
        self._amount.valueChanged.connect(lambda _: self.budget_chosen.emit(self.budget))
        self.show_budget(Budget(BudgetKind.KAPPA, 0.9))

    @property
    def budget(self) -> Budget:
        """The budget that is shown."""
        return Budget(BudgetKind(self._kind.currentData()), self._amount.value())

    def show_budget(self, budget: Budget) -> None:
        """Show a budget; nothing is told of it."""
        self._kind.setCurrentIndex(self._kind.findData(budget.kind))
        self._fit(budget.kind, budget.amount)

    def _choose_kind(self) -> None:
        kind = BudgetKind(self._kind.currentData())
        self._fit(kind, _FORMS[kind].first)
        self.budget_chosen.emit(self.budget)

    def _fit(self, kind: BudgetKind, amount: float) -> None:
        form = _FORMS[kind]
        self._amount.blockSignals(True)
        self._amount.setDecimals(form.decimals)
        self._amount.setRange(form.least, form.most)
        self._amount.setSingleStep(form.step)
        self._amount.setPrefix("≥ " if kind is BudgetKind.KAPPA else "")
        self._amount.setValue(amount)
        self._amount.blockSignals(False)
        self._until.setText("Review until" if kind is BudgetKind.KAPPA else "Review")


def budget_to_json(budget: Budget) -> dict[str, Any]:
    """Return a budget as it is kept between starts."""
    return {"kind": str(budget.kind), "amount": budget.amount}


def budget_from_json(values: dict[str, Any], default: Budget) -> Budget:
    """Return the budget that was kept, or the default where it is none that can be set."""
    kind, amount = values.get("kind"), values.get("amount")
    if not isinstance(kind, str) or kind not in set(BudgetKind):
        return default
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return default
    form = _FORMS[BudgetKind(kind)]
    return Budget(BudgetKind(kind), float(amount)) if form.least <= amount <= form.most else default
