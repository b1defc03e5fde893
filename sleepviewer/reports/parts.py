"""Parts that the reports on many nights and on one have in common: figures, confusion matrices, what the words mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import Agreement, kappa_without, weighted_kappa
from sleepviewer.analysis.intervals import ALL_METRICS, Interval
from sleepviewer.analysis.statistics import STATISTIC_TITLES
from sleepviewer.reports.html import DASH, Cell, Grid, number, text
from sleepviewer.stages import SCORED_STAGES

TITLES: Final[Mapping[str, str]] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "kappa": "Cohen's κ",
    "mcc": "MCC",
    "mgm": "MGm",
    **{f"f1_{stage.label}": f"F1 of {stage.label}" for stage in SCORED_STAGES},
}
"""The names of ALL_METRICS as they are shown, in the order of a table."""

assert set(TITLES) == set(ALL_METRICS)

_LABELS: Final = tuple(stage.label for stage in SCORED_STAGES)


def figures_grid(
    values: Mapping[str, float], intervals: Mapping[str, Interval] | None = None, over: str = "subjects"
) -> Grid:
    """Return the figures one under the other, with their intervals where there are any."""

    def bounds(name: str) -> Cell:
        interval = None if intervals is None else intervals[name]
        if interval is None or math.isnan(interval.low):
            return Cell(DASH, "")
        return Cell(f"{interval.low:.3f} to {interval.high:.3f}", interval.low)

    heads = ["figure", "value"] + ([] if intervals is None else [f"95 % over {over}"])
    rows = [
        [text(title), number(values.get(name))] + ([] if intervals is None else [bounds(name)])
        for name, title in TITLES.items()
    ]
    return Grid(heads, rows, "Agreement")


def kappas_grid(found: Agreement) -> Grid:
    """Return κ weighted, and without each stage."""
    rows = [
        [text("κ, linear weights"), number(weighted_kappa(found.confusion))],
        [text("κ, quadratic weights"), number(weighted_kappa(found.confusion, power=2))],
        *([text(f"κ without {s.label}"), number(kappa_without(found.confusion, s))] for s in SCORED_STAGES),
    ]
    return Grid(["figure", "value"], rows, "κ in other ways")


def stages_grid(found: Agreement) -> Grid:
    """Return precision, recall, F1 and support by stage."""
    rows = [
        [
            text(label),
            number(found.precision[label]),
            number(found.recall[label]),
            number(found.f1[label]),
            Cell(str(int(found.confusion[place].sum())), int(found.confusion[place].sum())),
        ]
        for place, label in enumerate(_LABELS)
    ]
    return Grid(["stage", "precision", "recall", "F1", "epochs"], rows, "By stage")


def confusion_grids(found: Agreement) -> Iterator[Grid]:
    """Return the confusion matrix as counts, by row and by column."""
    counts = found.confusion
    yield _matrix("Counts of epochs", found.by_truth, [[f"{c}" for c in row] for row in counts.tolist()])
    for caption, shares in (
        ("Percent of the expert's stage", found.by_truth),
        ("Percent of the model's stage", found.by_prediction),
    ):
        shown = [[DASH if math.isnan(s) else f"{100 * s:.1f}" for s in row] for row in shares.tolist()]
        yield _matrix(caption, shares, shown)


def _matrix(caption: str, shares: NDArray[np.float64], shown: list[list[str]]) -> Grid:
    rows = [
        [
            Cell(label, css="text", head=True),
            *(Cell(t, shade=0.0 if math.isnan(s) else s) for s, t in zip(row, texts, strict=True)),
        ]
        for label, row, texts in zip(_LABELS, shares.tolist(), shown, strict=True)
    ]
    return Grid(["expert \\ model", *_LABELS], rows, caption)


def statistics_grid(scorers: Mapping[str, Mapping[str, float | int | None]]) -> Grid:
    """Return the statistics of a night, a column for each scorer."""
    rows = [
        [text(title), *(number(scorer[name], 1) for scorer in scorers.values())]
        for name, title in STATISTIC_TITLES.items()
    ]
    return Grid(["statistic", *scorers], rows, "Night statistics")


__all__ = ["TITLES", "confusion_grids", "figures_grid", "kappas_grid", "stages_grid", "statistics_grid"]
