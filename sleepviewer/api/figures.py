"""Figures of the Python interface: matplotlib's, without pyplot, so that no window and no state of its is touched."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Patch

from sleepviewer.analysis.agreement import Agreement
from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.shifts import KINDS
from sleepviewer.errors import ChannelError
from sleepviewer.recording import Recording
from sleepviewer.recording.spectra import epoch_spectra
from sleepviewer.reports import drawing
from sleepviewer.reports.colours import KINDS_LIGHT, STAGES_LIGHT
from sleepviewer.reports.paper import own_settings
from sleepviewer.reports.pictures import spectrogram_pixels
from sleepviewer.review.lights import Lights
from sleepviewer.stages import HYPNOGRAM_ORDER, SCORED_STAGES, Proba, StageArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_IN: Final = 10.0
_LETTERS_PT: Final = 8.0
_DARK_CELL: Final = 0.55
"""A cell darker than this share takes white letters."""


class NotebookFigure(Figure):
    """A figure that a notebook shows by itself, whether or not pyplot was ever imported."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=110)
        return picture.getvalue()


@dataclass(frozen=True, slots=True)
class Row:
    """One picture of a night: what is written above it, its height in inches, what draws it, its legend."""

    title: str
    height_in: float
    draw: Callable[[Axes], None]
    legend: Mapping[str, str] | None = None


def layers_figure(scorers: Mapping[str, StageArray], proba: Proba | None, start: datetime | None) -> Figure:
    """Draw several hypnograms of one night, and one model's hypnodensity below them."""
    rows = [hypnogram_row(name, stages, len(stages), start) for name, stages in scorers.items()]
    return stacked(rows if proba is None else [*rows, _hypnodensity_row(proba, start)])


def night_figure(
    recording: Recording,
    channel: str | None,
    scorers: Mapping[str, StageArray],
    proba: Proba | None,
) -> Figure:
    """Draw the hypnograms of a night, the hypnodensity of one model, and the spectrogram of a channel.

    Raises ChannelError where the channel is none of the recording's, or there is nothing at all to draw.
    """
    rows = [hypnogram_row(name, stages, recording.n_epochs, recording.start) for name, stages in scorers.items()]
    if proba is not None:
        rows.append(_hypnodensity_row(proba, recording.start))
    if channel is not None:
        rows += _spectrogram_rows(recording, channel)
    if not rows:
        there = ", ".join(c.label for c in recording.channels) or "none"
        raise ChannelError(f"No EEG channel of {recording.name} was recognised; name one with channel= ({there}).")
    return stacked(rows)


def comparison_figure(found: Comparison, figures: Agreement, names: tuple[str, str]) -> Figure:
    """Draw the confusion matrix, shaded by shares of the first scorer's stages, and both hypnograms beside it."""
    with own_settings():
        figure = NotebookFigure(figsize=(_WIDTH_IN, 4.4), layout="constrained")
        halves = figure.add_gridspec(1, 2, width_ratios=(4.2, 5.8))
        left, right = (figure.add_subfigure(half) for half in (halves[0], halves[1]))
        _matrix(left.subplots(), figures, names)
        rows = [
            hypnogram_row(name, stages, len(found), found.start)
            for name, stages in zip(names, (found.truth, found.predicted), strict=True)
        ]
        rows.append(
            Row(
                "where they differ",
                0.4,
                drawing.differences(found),
                {str(kind): KINDS_LIGHT[kind] for kind in KINDS},
            )
        )
        _lay_out(right, rows)
    return figure


def hypnogram_row(title: str, stages: StageArray, n: int, start: datetime | None) -> Row:
    """Return the row of a hypnogram ``int8 [n_epochs]`` on an axis of ``n`` epochs."""
    return Row(title, 1.4, drawing.hypnogram(stages, n, start, Lights(), hours_below=True))


def stacked(rows: Sequence[Row]) -> Figure:
    """Lay rows out one under the other; each has the night's hours below it."""
    with own_settings():
        heights = [row.height_in for row in rows]
        figure = NotebookFigure(figsize=(_WIDTH_IN, sum(heights) + 0.45 * len(rows)), layout="constrained")
        _lay_out(figure, rows)
    return figure


def _lay_out(figure: FigureBase, rows: Sequence[Row]) -> None:
    axes = figure.subplots(len(rows), 1, height_ratios=[row.height_in for row in rows], squeeze=False)
    for ax, row in zip(axes[:, 0], rows, strict=True):
        row.draw(ax)
        ax.set_title(row.title, loc="left", fontsize=_LETTERS_PT + 1)
        for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
            label.set_fontsize(_LETTERS_PT)
        if row.legend is not None:
            patches = [Patch(color=colour, label=name) for name, colour in row.legend.items()]
            ax.legend(
                handles=patches,
                ncols=len(patches),
                loc="lower right",
                bbox_to_anchor=(1.0, 1.0),
                frameon=False,
                fontsize=_LETTERS_PT,
                borderpad=0,
                handlelength=1,
            )


def _hypnodensity_row(proba: Proba, start: datetime | None) -> Row:
    legend = {stage.label: STAGES_LIGHT[stage] for stage in HYPNOGRAM_ORDER}
    return Row("probabilities", 1.2, drawing.hypnodensity(proba, start), legend)


def _spectrogram_rows(recording: Recording, channel: str) -> list[Row]:
    epochs = recording.read_epochs(channel)
    places = np.flatnonzero(np.isfinite(epochs).all(axis=1))
    hz, decibels = epoch_spectra(epochs[places], recording.channel(channel).rate_hz)
    pixels = spectrogram_pixels(decibels, places, recording.n_epochs) if len(places) else None
    if pixels is None:
        return []
    return [Row(f"spectrogram of {channel}, dB", 1.6, drawing.spectrogram(pixels, float(hz[-1]), recording.start))]


def _matrix(axes: Axes, figures: Agreement, names: tuple[str, str]) -> None:
    shares, labels = figures.by_truth, [stage.label for stage in SCORED_STAGES]
    axes.imshow(np.nan_to_num(shares), cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{figures.confusion[row, column]}" + ("" if math.isnan(share) else f"\n{100 * share:.0f} %")
        colour = "white" if share > _DARK_CELL else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=_LETTERS_PT, color=colour)
    axes.set(xticks=range(len(labels)), yticks=range(len(labels)), xticklabels=labels, yticklabels=labels)
    axes.tick_params(labelsize=_LETTERS_PT)
    axes.set_ylabel(names[0], fontsize=_LETTERS_PT + 1)
    axes.set_xlabel(names[1], fontsize=_LETTERS_PT + 1)
    axes.set_title(
        f"{figures.epochs} epochs, accuracy {figures.accuracy:.3f}, κ {figures.kappa:.3f}",
        loc="left",
        fontsize=_LETTERS_PT + 1,
    )
