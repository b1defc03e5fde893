"""A training whose progress and end a test decides, in place of the process that tunes."""

from __future__ import annotations

from pathlib import Path

from sleepviewer.errors import SleepViewerError, TrainingCancelled
from sleepviewer.training.fine_tune import FineTuneRequest, FineTuneResult, TuningProgress
from sleepviewer.training.fine_tune_process import FineTuneProcess, TuningState
from sleepviewer.training.guard import BeforeAfter, GuardVerdict, Table

STEPS = 120


def row(step: int, phase: str = "tuning", **figures: float) -> TuningProgress:
    """A line of progress; a step takes half a second."""
    return TuningProgress(phase, step, STEPS, 10 + step / 2, 10 + step / 2, **figures)


def table(kappa: float, n: int = 240) -> Table:
    return Table(kappa, kappa + 0.05, dict.fromkeys(("W", "N1", "N2", "N3", "REM"), kappa), n)


def verdict(*, offered: bool = True) -> GuardVerdict:
    corrected = BeforeAfter(table(0.79), table(0.89 if offered else 0.75))
    reason = "κ rose from 0.790 to 0.890." if offered else "κ did not rise (0.790 before, 0.750 after)."
    return GuardVerdict(offered, reason, corrected, BeforeAfter(table(0.845, 2880), table(0.87, 2880)))


def result(candidate: Path, *, offered: bool = True, member: str = "attnsleep") -> FineTuneResult:
    rows = (row(0, kappa_corrected=0.79, kappa_others=0.84), row(STEPS, loss=0.3, kappa_corrected=0.89))
    return FineTuneResult(
        verdict(offered=offered), candidate, member, f"{member}@shipped", 95.0, 88.0, rows, ("A note.",)
    )


class FakeTuning(FineTuneProcess):
    """Has no child: what is put into ``told`` is its progress."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[TuningProgress] = []
        self.request: FineTuneRequest | None = None
        self.calls: list[str] = []

    def start(self, request: FineTuneRequest) -> None:
        self.request = request
        self._state = TuningState.RUNNING

    def poll(self) -> list[TuningProgress]:
        told, self.told = self.told, []
        return told

    def pause(self) -> None:
        self._state = TuningState.PAUSED

    def resume(self) -> None:
        self._state = TuningState.RUNNING

    def cancel(self, *, forget: bool = True) -> None:
        self.calls.append(f"cancel {forget}")
        self._state = TuningState.CANCELLED

    def end(self, result: FineTuneResult | None = None, error: SleepViewerError | None = None) -> None:
        self._result, self._error = result, error
        self._state = TuningState.FAILED if error is not None else TuningState.DONE

    def result(self) -> FineTuneResult:
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise TrainingCancelled("cancelled")
        return self._result

    def close(self) -> None:
        self.calls.append("close")
