"""Pictures of a night for matplotlib: each function returns what draws one on axes whose x counts epochs.

The report as PDF and the figures of notebooks are drawn by them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.shifts import KINDS
from sleepviewer.reports.colours import KINDS_LIGHT, STAGES_LIGHT
from sleepviewer.reports.pictures import hours
from sleepviewer.review.lights import Lights
from sleepviewer.stages import HYPNOGRAM_ORDER, Proba, Stage, StageArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICK_PT: Final = 6.5
"""Size of the hours' letters."""


def hypnogram(
    stages: StageArray, n: int, start: datetime | None, lights: Lights, *, hours_below: bool
) -> Callable[[Axes], None]:
    """Return what draws each bout as a line in its stage's colour, and thin lines between neighbours."""

    def draw(axes: Axes) -> None:
        edges = np.concatenate(([0], np.flatnonzero(np.diff(stages)) + 1, [len(stages)])).tolist()
        bouts: dict[Stage, list[tuple[int, int]]] = {stage: [] for stage in HYPNOGRAM_ORDER}
        before: int | None = None
        joins: list[tuple[int, int, int]] = []
        for first, stop in pairwise(edges) if len(stages) else ():
            stage = Stage(int(stages[first]))
            if stage is Stage.UNKNOWN:
                before = None
                continue
            level = HYPNOGRAM_ORDER.index(stage)
            if before is not None:
                joins.append((first, before, level))
            bouts[stage].append((first, stop))
            before = level
        if joins:
            x, low, high = zip(*joins, strict=True)
            axes.vlines(x, low, high, colors="#555555", linewidth=0.4)
        for stage, spans in bouts.items():
            if spans:
                begins, ends = zip(*spans, strict=True)
                levels = [HYPNOGRAM_ORDER.index(stage)] * len(spans)
                axes.hlines(levels, begins, ends, colors=STAGES_LIGHT[stage], linewidth=2.2)
        for mark, words in ((lights.off, "lights off"), (lights.on, "lights on")):
            if mark is not None:
                axes.axvline(mark, color="#333333", linewidth=0.6, dashes=(4, 3))
                side = "right" if mark > 0.9 * n else "left"
                axes.text(mark, 5.35, f" {words} ", fontsize=5.5, ha=side, va="bottom")
        bottom = 4.7 if lights.off is lights.on is None else 5.5  # room for the words
        axes.set(
            ylim=(bottom, -0.7),
            yticks=range(len(HYPNOGRAM_ORDER)),
            yticklabels=[stage.label for stage in HYPNOGRAM_ORDER],
        )
        axes.grid(axis="y", linewidth=0.3, color="#dddddd")
        axes.set_axisbelow(True)
        time_axis(axes, n, start, labels=hours_below)

    return draw


def differences(found: Comparison) -> Callable[[Axes], None]:
    """Return what draws every run of disagreements as a block in the colour of its kind."""

    def draw(axes: Axes) -> None:
        for kind in KINDS:
            spans = [(run.start, len(run)) for run in found.runs if run.kind is kind]
            axes.broken_barh(spans, (0, 1), color=KINDS_LIGHT[kind], linewidth=0)
        axes.set(ylim=(0, 1), yticks=[])
        time_axis(axes, len(found), found.start)

    return draw


def hypnodensity(proba: Proba, start: datetime | None) -> Callable[[Axes], None]:
    """Return what draws the probabilities, ``float32 [n_epochs, 5]``, stacked in the order of a hypnogram."""

    def draw(axes: Axes) -> None:
        rows = np.nan_to_num(proba.astype(np.float64))[:, [int(stage) for stage in HYPNOGRAM_ORDER]]
        edges = np.concatenate((np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)), axis=1)
        # Steps, so that each epoch is as wide as it is and gaps stay gaps.
        x = np.repeat(np.arange(len(rows) + 1), 2)[1:-1]
        for place, stage in enumerate(HYPNOGRAM_ORDER):
            above, below = (np.repeat(edges[:, column], 2) for column in (place, place + 1))
            axes.fill_between(x, above, below, color=STAGES_LIGHT[stage], linewidth=0)
        axes.set(ylim=(1, 0), yticks=[0, 0.5, 1], yticklabels=["100 %", "50 %", "0 %"])
        axes.get_yticklabels()[-1].set_verticalalignment("bottom")  # clear of the first hour
        time_axis(axes, len(rows), start)

    return draw


def spectrogram(pixels: NDArray[np.uint8], top_hz: float, start: datetime | None) -> Callable[[Axes], None]:
    """Return what lays a picture ``uint8 [frequencies, n_epochs, 4]``, ``top_hz`` on top, over the night."""

    def draw(axes: Axes) -> None:
        n = pixels.shape[1]
        axes.imshow(pixels, aspect="auto", extent=(0, n, 0, top_hz), interpolation="none")
        ticks = list(range(0, int(top_hz) + 1, 10))
        axes.set(yticks=ticks, yticklabels=[f"{tick} Hz" for tick in ticks])
        axes.get_yticklabels()[0].set_verticalalignment("bottom")  # clear of the first hour
        time_axis(axes, n, start)

    return draw


def time_axis(axes: Axes, n: int, start: datetime | None, *, labels: bool = True) -> None:
    """Have x count ``n`` epochs, with a tick at every hour of the clock, or since the start where there is none."""
    places = hours(n, start)
    axes.set_xlim(0, max(n, 1))
    axes.set_xticks([place for place, _ in places])
    axes.set_xticklabels([name if labels else "" for _, name in places], fontsize=TICK_PT)
