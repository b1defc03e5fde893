"""What a training has told so far, in the form that its curves and sentences need; without Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sleepviewer.training.fine_tune import TuningProgress

Point = tuple[int, float]
"""A step and the value there."""

PHASES: Final = {
    "reading": "Reading the nights",
    "tuning": "Training",
    "context": "Training the context over the night",
    "guard": "Measuring before and after",
}
_LEAST_STEPS: Final = 10
"""Before so many steps their pace says nothing."""


@dataclass(slots=True)
class TuningTrack:
    """The progress of one training: its last word, and the points of its curves by rising step."""

    latest: TuningProgress | None = None
    losses: list[Point] = field(default_factory=list)
    corrected: list[Point] = field(default_factory=list)
    others: list[Point] = field(default_factory=list)
    _first: TuningProgress | None = None

    def add(self, rows: Iterable[TuningProgress]) -> None:
        """Take up what was told, oldest first."""
        for row in rows:
            self.latest = row
            if row.phase == "tuning" and self._first is None:
                self._first = row
            for points, value in (
                (self.losses, row.loss),
                (self.corrected, row.kappa_corrected),
                (self.others, row.kappa_others),
            ):
                if value is not None:
                    points[:] = [point for point in points if point[0] < row.step]
                    points.append((row.step, value))

    def fill(self, rows: Iterable[TuningProgress]) -> None:
        """Take up what was told before this program came to it: points that are missing, of a training that went on."""
        known = TuningTrack()
        known.add(rows)
        self.latest = self.latest if self.latest is not None else known.latest
        for points, others in (
            (self.losses, known.losses),
            (self.corrected, known.corrected),
            (self.others, known.others),
        ):
            points[:] = sorted((dict(others) | dict(points)).items())

    @property
    def steps(self) -> int:
        """Of how many steps it is, 0 where that was not told yet."""
        return 0 if self.latest is None else self.latest.of

    @property
    def seconds_left(self) -> float | None:
        """How long the remaining steps take at the pace so far, in seconds; None where nothing can be said yet."""
        first, now = self._first, self.latest
        if first is None or now is None or now.phase != "tuning" or now.step - first.step < _LEAST_STEPS:
            return None
        return (now.seconds - first.seconds) / (now.step - first.step) * (now.of - now.step)

    @property
    def sentence(self) -> str:
        """Where it is and how long it takes yet."""
        now = self.latest
        if now is None:
            return "Starting…"
        phase = PHASES.get(now.phase, now.phase)
        if now.phase != "tuning":
            return f"{phase}…"
        left = self.seconds_left
        time = "" if left is None else f", {duration_text(left)} of steps left, then it is measured"
        return f"{phase}: step {now.step} of {now.of}{time}"

    @property
    def figures(self) -> str:
        """The last values of the curves, in words."""
        parts = [
            f"{name} {points[-1][1]:.3f} at step {points[-1][0]}"
            for name, points in (
                ("loss", self.losses),
                ("κ on held-out corrected epochs", self.corrected),
                ("κ on another subject", self.others),
            )
            if points
        ]
        return "; ".join(parts)


def duration_text(seconds: float) -> str:
    """Return a time as one says it: “about 40 s”, “about 3 min”."""
    if seconds < 55:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    return f"about {round(seconds / 60)} min"
