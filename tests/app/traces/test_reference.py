"""A painted page against the same page drawn by matplotlib: right time, right amplitude, right polarity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.traces.layout import HALF_LANE, PageLayout
from sleepviewer.app.traces.view import TraceView
from sleepviewer.display.filters import RAW
from sleepviewer.display.montage import Derivation, Montage, Trace
from sleepviewer.recording import open_recording

RATE = 128.0
SECONDS = 150
EPOCH = 2
SIZE = (1200, 640)
TIMES = np.arange(round(SECONDS * RATE)) / RATE
PLAIN = replace(LIGHT, grid=LIGHT.panel, grid_strong=LIGHT.panel, epoch=LIGHT.panel, dim_text=LIGHT.panel)
"""Only traces leave ink."""
NEAR_PX = 2


def chirp() -> np.ndarray:
    """Waves that get quicker from second to second, with a sharp tooth on one side of zero."""
    phase = 2 * np.pi * (0.2 * (TIMES - 45) + 0.01 * (TIMES - 45) ** 2)
    return 60 * np.sin(phase) + np.where((TIMES > 68) & (TIMES < 70), 70 * (70 - TIMES) / 2, 0)


def steps() -> np.ndarray:
    """A staircase that goes up, so that it looks like no mirror image of itself."""
    return 15.0 * (TIMES // 4 % 5) - 30 + 5 * np.sin(2 * np.pi * 3 * TIMES)


LANES = {"EEG C4": (chirp(), 100.0, 1.0), "EOG left": (steps(), 50.0, 2.0), "EMG chin": (chirp() * 0.5, 50.0, 1.0)}
"""Signals, half heights in µV, and relative heights of the lanes."""


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    signals = [Signal(label, RATE, "uV", np.round(samples, 1)) for label, (samples, _, _) in LANES.items()]
    return write_edf(tmp_path_factory.mktemp("reference") / "night.edf", signals)


@pytest.fixture
def paint(qtbot: QtBot, night: Path) -> Callable[..., tuple[np.ndarray, PageLayout]]:
    """Paints the page into an image of its own, and gives the plot's ink (``bool [height, width]``) and the layout."""

    def painted(*, negative_up: bool = False, timebase: float | None = 60.0) -> tuple[np.ndarray, PageLayout]:
        view = TraceView(PLAIN)
        qtbot.addWidget(view)
        recording = open_recording(night)
        view.set_recording(recording)
        view.set_montage(
            Montage(
                "reference",
                tuple(Trace(Derivation(label), RAW, half, height=share) for label, (_, half, share) in LANES.items()),
            )
        )
        view.set_negative_up(negative_up)
        view.set_timebase(timebase)
        view.show_epoch(EPOCH)
        image = QImage(*SIZE, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        rect = QRectF(0, 0, *SIZE)
        view.paint_page(painter, rect)
        painter.end()
        return ink(image, view._lay_out(rect, EPOCH)), view._lay_out(rect, EPOCH)

    return painted


def ink(image: QImage, layout: PageLayout) -> np.ndarray:
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    grey = pixels[:, : image.width(), :3].mean(axis=2)
    plot = layout.plot
    inside = grey[round(plot.top()) : round(plot.bottom()), round(plot.left()) : round(plot.right())]
    return np.asarray(inside < QColor(PLAIN.panel).lightness() - 40)


def reference(
    layout: PageLayout, *, flipped: tuple[str, ...] = (), late_s: float = 0.0, larger: float = 1.0
) -> np.ndarray:
    """The same page by matplotlib, from the signals themselves: ink of the plot, ``bool [height, width]``."""
    width, height = round(layout.plot.width()), round(layout.plot.height())
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    heights = np.array([share for _, _, share in LANES.values()])
    edges = 1 - np.concatenate([[0], np.cumsum(heights)]) / heights.sum()
    page = (layout.start_s <= TIMES) & (layout.stop_s >= TIMES)
    for (label, (samples, half, _)), top, bottom in zip(LANES.items(), edges, edges[1:], strict=False):
        axes = figure.add_axes((0.0, bottom, 1.0, top - bottom))
        axes.set_axis_off()
        reach = half / (2 * HALF_LANE)
        axes.set_ylim((reach, -reach) if label in flipped else (-reach, reach))
        axes.set_xlim(layout.start_s, layout.stop_s)
        centred = samples - np.median(samples[page])
        axes.plot(TIMES + late_s, larger * centred, "k", linewidth=0.72, antialiased=False, clip_on=False)
    canvas.draw()
    grey = np.asarray(canvas.buffer_rgba())[:, :, :3].mean(axis=2)
    return np.asarray(grey < 128)


def near(mask: np.ndarray) -> np.ndarray:
    """The mask with all that is not further than NEAR_PX from it."""
    wide = mask.copy()
    for dy in range(-NEAR_PX, NEAR_PX + 1):
        for dx in range(-NEAR_PX, NEAR_PX + 1):
            wide |= np.roll(np.roll(mask, dy, axis=0), dx, axis=1)
    return wide


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the ink of each picture that the other has too, of the two the smaller."""
    assert one.shape == other.shape
    return min((one & near(other)).sum() / one.sum(), (other & near(one)).sum() / other.sum())


@pytest.mark.parametrize("timebase", [10.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("negative_up", [False, True])
def test_a_page_is_what_matplotlib_draws(
    paint: Callable[..., tuple[np.ndarray, PageLayout]], timebase: float, negative_up: bool
) -> None:
    page, layout = paint(negative_up=negative_up, timebase=timebase)
    assert page.sum() > 3000
    flipped = ("EEG C4", "EOG left") if negative_up else ()
    assert alike(page, reference(layout, flipped=flipped)) > 0.995


def test_the_comparison_would_see_another_time_amplitude_or_polarity(
    paint: Callable[..., tuple[np.ndarray, PageLayout]],
) -> None:
    page, layout = paint()
    assert alike(page, reference(layout)) > 0.995
    assert alike(page, reference(layout, late_s=0.5)) < 0.9
    assert alike(page, reference(layout, larger=1.2)) < 0.9
    assert alike(page, reference(layout, flipped=tuple(LANES))) < 0.9
    assert alike(page, reference(layout, flipped=("EEG C4",))) < 0.95
    assert alike(page, reference(layout, flipped=("EOG left",))) < 0.95
