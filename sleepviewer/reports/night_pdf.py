"""The report on one night as PDF: the values of the page of HTML on sheets of paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from sleepviewer.analysis.diff import LEGEND, diff_lines
from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.quality import epoch_spectra
from sleepviewer.analysis.shifts import KINDS
from sleepviewer.reports import night_tables
from sleepviewer.reports.colours import KINDS_LIGHT, STAGES_LIGHT
from sleepviewer.reports.night_facts import NightFacts
from sleepviewer.reports.paper import Paper, Sheets, own_settings
from sleepviewer.reports.pictures import LEVELS, hours, spectrogram_pixels
from sleepviewer.review.lights import Lights
from sleepviewer.stages import Proba, Stage, StageArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LANE_MM: Final = 22.0
_TICK_PT: Final = 6.5


def write_night_pdf(facts: NightFacts, file: BinaryIO, *, paper: str = "a4") -> int:
    """Write the report as PDF on ``a4`` or ``letter``; return how many pages it has."""
    with own_settings():
        sheets = _sheets(facts, paper)
        return sheets.write(file, facts.title)


def _sheets(facts: NightFacts, paper: str) -> Sheets:
    sheets = Sheets(Paper(paper, facts.title, facts.simulated))
    sheets.heading(facts.title, 15)
    sheets.table(night_tables.origin(facts))
    for note in night_tables.notes(facts):
        sheets.prose(note)
    found = facts.comparison()
    _pictures(sheets, facts, found)
    figures, matrices = ([], []) if found is None else night_tables.agreement(found)
    sheets.heading("Statistics and agreement", 12, keep=110)
    if not figures:
        sheets.prose(night_tables.NOTHING_COMPARED)
    sheets.side_by_side([[night_tables.statistics(facts)], *([figures[:1], figures[1:]] if figures else [])])
    if matrices:
        sheets.side_by_side([[matrix] for matrix in matrices], size=6.2, gap=2.5)
    if found is not None:
        _disagreements(sheets, found)
        _suspects(sheets, facts, found)
        _line_by_line(sheets, found)
    sheets.prose(night_tables.METHOD)
    return sheets


def _pictures(sheets: Sheets, facts: NightFacts, found: Comparison | None) -> None:
    sheets.heading("The night", 12)
    last = len(facts.scorers) - 1
    n = max((len(stages) for stages in facts.scorers.values()), default=0)
    for place, (name, stages) in enumerate(facts.scorers.items()):
        draw = _hypnogram(stages, n, facts.start, facts.lights, hours_below=place == last)
        sheets.picture(_LANE_MM, draw, name=name, below=6.0 if place == last else 2.0)
    if found is not None and len(found.epochs):
        sheets.heading("Where expert and model differ", 9)
        sheets.picture(5, _differences(found))
        sheets.legend([(KINDS_LIGHT[kind], str(kind)) for kind in KINDS])
    if facts.proba is not None:
        sheets.heading("The model's probabilities", 9, keep=30)
        sheets.picture(22, _hypnodensity(facts.proba, facts.start))
        sheets.legend([(STAGES_LIGHT[stage], stage.label) for stage in LEVELS])
    if facts.signal is not None and len(facts.signal) and facts.rate_hz > 0:
        hz, decibels = epoch_spectra(facts.signal, facts.rate_hz)
        places = np.arange(len(facts.signal)) if facts.places is None else facts.places
        pixels = spectrogram_pixels(decibels, places, facts.n_epochs)
        if pixels is not None:
            sheets.heading(f"Spectrogram of {facts.channel}, dB", 9, keep=30)
            sheets.picture(24, _spectrogram(pixels, float(hz[-1]), facts.start))


def _disagreements(sheets: Sheets, found: Comparison) -> None:
    summary, sentences = night_tables.disagreements(found)
    sheets.heading("Disagreements", 12)
    sheets.prose(summary)
    for sentence in sentences:
        sheets.prose(sentence, bullet=True)


def _suspects(sheets: Sheets, facts: NightFacts, found: Comparison) -> None:
    suspects = night_tables.suspects(facts, found)
    if suspects is None:
        return
    sheets.heading("Suspect labels", 12)
    for sentence in suspects.sentences:
        sheets.prose(sentence)
    if suspects.rows is not None:
        sheets.table(suspects.rows)


def _line_by_line(sheets: Sheets, found: Comparison) -> None:
    sheets.heading("All epochs, line by line", 12)
    sheets.typed([LEGEND])
    block: list[str] = []
    for line in diff_lines(found, names=("expert", "model")):
        if "epoch" in line and block:
            sheets.space(1)
            sheets.typed(block)
            block = []
        block.append(line.rstrip())
    sheets.typed(block)
    sheets.space(2)


# -- pictures


def _hypnogram(
    stages: StageArray, n: int, start: datetime | None, lights: Lights, *, hours_below: bool
) -> Callable[[Axes], None]:
    """Return what draws each bout as a line in its stage's colour, and thin lines between neighbours."""

    def draw(axes: Axes) -> None:
        edges = np.concatenate(([0], np.flatnonzero(np.diff(stages)) + 1, [len(stages)])).tolist()
        bouts: dict[Stage, list[tuple[int, int]]] = {stage: [] for stage in LEVELS}
        before: int | None = None
        joins: list[tuple[int, int, int]] = []
        for first, stop in pairwise(edges) if len(stages) else ():
            stage = Stage(int(stages[first]))
            if stage is Stage.UNKNOWN:
                before = None
                continue
            level = LEVELS.index(stage)
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
                levels = [LEVELS.index(stage)] * len(spans)
                axes.hlines(levels, begins, ends, colors=STAGES_LIGHT[stage], linewidth=2.2)
        for mark, words in ((lights.off, "lights off"), (lights.on, "lights on")):
            if mark is not None:
                axes.axvline(mark, color="#333333", linewidth=0.6, dashes=(4, 3))
                side = "right" if mark > 0.9 * n else "left"
                axes.text(mark, 5.35, f" {words} ", fontsize=5.5, ha=side, va="bottom")
        bottom = 4.7 if lights.off is lights.on is None else 5.5  # room for the words
        axes.set(ylim=(bottom, -0.7), yticks=range(len(LEVELS)), yticklabels=[stage.label for stage in LEVELS])
        axes.grid(axis="y", linewidth=0.3, color="#dddddd")
        axes.set_axisbelow(True)
        _time_axis(axes, n, start, labels=hours_below)

    return draw


def _differences(found: Comparison) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        for kind in KINDS:
            spans = [(run.start, len(run)) for run in found.runs if run.kind is kind]
            axes.broken_barh(spans, (0, 1), color=KINDS_LIGHT[kind], linewidth=0)
        axes.set(ylim=(0, 1), yticks=[])
        _time_axis(axes, len(found), found.start)

    return draw


def _hypnodensity(proba: Proba, start: datetime | None) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        rows = np.nan_to_num(proba.astype(np.float64))[:, [int(stage) for stage in LEVELS]]
        edges = np.concatenate((np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)), axis=1)
        # Steps, so that each epoch is as wide as it is and gaps stay gaps.
        x = np.repeat(np.arange(len(rows) + 1), 2)[1:-1]
        for place, stage in enumerate(LEVELS):
            above, below = (np.repeat(edges[:, column], 2) for column in (place, place + 1))
            axes.fill_between(x, above, below, color=STAGES_LIGHT[stage], linewidth=0)
        axes.set(ylim=(1, 0), yticks=[0, 0.5, 1], yticklabels=["100 %", "50 %", "0 %"])
        axes.get_yticklabels()[-1].set_verticalalignment("bottom")  # clear of the first hour
        _time_axis(axes, len(rows), start)

    return draw


def _spectrogram(pixels: np.ndarray, top_hz: float, start: datetime | None) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        n = pixels.shape[1]
        axes.imshow(pixels, aspect="auto", extent=(0, n, 0, top_hz), interpolation="none")
        ticks = list(range(0, int(top_hz) + 1, 10))
        axes.set(yticks=ticks, yticklabels=[f"{tick} Hz" for tick in ticks])
        axes.get_yticklabels()[0].set_verticalalignment("bottom")  # clear of the first hour
        _time_axis(axes, n, start)

    return draw


def _time_axis(axes: Axes, n: int, start: datetime | None, *, labels: bool = True) -> None:
    places = hours(n, start)
    axes.set_xlim(0, max(n, 1))
    axes.set_xticks([place for place, _ in places])
    axes.set_xticklabels([name if labels else "" for _, name in places], fontsize=_TICK_PT)
