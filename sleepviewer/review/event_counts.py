"""How many events of each kind a night has, and how many an hour of sleep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sleepviewer.review.events import Event, EventKind
from sleepviewer.review.lights import Lights
from sleepviewer.stages import EPOCH_S, Stage, StageArray


@dataclass(frozen=True, slots=True)
class KindCount:
    """One kind: how many the expert has, how many are suggested, and the expert's an hour of sleep.

    ``per_hour`` counts those that begin in an epoch that is labelled asleep between lights off and on, over the hours
    labelled so; of arousals those in wake as well, as the AASM's arousal index does. None where no epoch is asleep.
    """

    kind: str
    expert: int
    suggested: int
    per_hour: float | None

    @property
    def text(self) -> str:
        """As shown: ``arousal 12 (2.1 per hour of sleep), 3 suggested``."""
        rate = "" if self.per_hour is None or not self.expert else f" ({self.per_hour:.1f} per hour of sleep)"
        if not self.suggested:
            return f"{self.kind} {self.expert}{rate}"
        if not self.expert:
            return f"{self.kind} {self.suggested} suggested"
        return f"{self.kind} {self.expert}{rate}, {self.suggested} suggested"


def count_kinds(events: Iterable[Event], labels: StageArray, lights: Lights | None = None) -> tuple[KindCount, ...]:
    """Count events by kind, in the kinds' alphabetical order; ``labels`` is ``int8 [n_epochs]``."""
    lights = lights or Lights()
    night = np.zeros(len(labels), dtype=bool)
    night[lights.off : lights.on] = True
    asleep = night & (np.asarray(labels) > int(Stage.W))
    hours = float(asleep.sum()) * EPOCH_S / 3600
    by_kind: dict[str, list[Event]] = {}
    for event in events:
        by_kind.setdefault(event.kind, []).append(event)
    counts = []
    for kind in sorted(by_kind, key=str.casefold):
        own = [event for event in by_kind[kind] if not event.suggested]
        where = night if kind == EventKind.AROUSAL else asleep
        counted = sum(event.epoch < len(where) and bool(where[event.epoch]) for event in own)
        rate = counted / hours if hours else None
        counts.append(KindCount(kind, len(own), len(by_kind[kind]) - len(own), rate))
    return tuple(counts)
