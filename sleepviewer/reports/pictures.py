"""Pictures of a night as SVG that stands in a page by itself: hypnograms, hypnodensity, spectrogram, what differs."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.errors import Comparison, pair_text
from sleepviewer.analysis.shifts import KINDS
from sleepviewer.display.palettes import VIRIDIS
from sleepviewer.reports.colours import KIND_CLASSES, STAGE_VARIABLES
from sleepviewer.review.lights import Lights
from sleepviewer.stages import EPOCH_S, HYPNOGRAM_ORDER, Proba, Stage, StageArray

WIDTH: Final = 1100
_LEFT: Final = 64
_LANE: Final = 120


def hypnograms(scorers: Mapping[str, StageArray], start: datetime | None, lights: Lights) -> str:
    """Return the hypnograms one under the other over one axis of time; lights off and on are dashed lines."""
    n = max((len(stages) for stages in scorers.values()), default=0)
    parts: list[str] = []
    for place, (name, stages) in enumerate(scorers.items()):
        top = place * _LANE + 8
        parts.append(f'<text x="{_LEFT}" y="{top + 8}" font-weight="600">{html.escape(name)}</text>')
        for level, stage in enumerate(HYPNOGRAM_ORDER):
            y = _y(top, level)
            parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - 4}"/>')
            parts.append(f'<text x="{_LEFT - 4}" y="{y + 4:.1f}" text-anchor="end" font-size="10">{stage.label}</text>')
        parts.append(_steps(stages, top, n))
    height = len(scorers) * _LANE + 8
    for mark, name in ((lights.off, "lights off"), (lights.on, "lights on")):
        if mark is not None:
            x = _x(mark, n)
            parts.append(f'<path class="tick" stroke-dasharray="4 3" d="M{x:.1f} 4V{height}"/>')
            parts.append(f'<text x="{x + 3:.1f}" y="{height - 2}" font-size="10">{name}</text>')
    return _svg(parts, height, n, start, "hypnograms")


def hypnodensity(proba: Proba, start: datetime | None) -> str:
    """Return the probabilities of the stages, stacked, W on top."""
    n, height = len(proba), 120
    rows = np.nan_to_num(proba.astype(np.float64))
    order = [int(stage) for stage in HYPNOGRAM_ORDER]
    edges = np.concatenate((np.zeros((n, 1)), np.cumsum(rows[:, order], axis=1)), axis=1)
    parts = []
    for place, stage in enumerate(HYPNOGRAM_ORDER):
        # Steps, so that each epoch is as wide as it is and gaps stay gaps.
        outline = [*_corners(edges[:, place], n, height), *reversed(_corners(edges[:, place + 1], n, height))]
        parts.append(f'<polygon style="fill: var({STAGE_VARIABLES[stage]})" points="{" ".join(outline)}"/>')
        parts.append(
            f'<rect x="4" y="{12 + 20 * place}" width="10" height="10" style="fill: var({STAGE_VARIABLES[stage]})"/>'
            f'<text x="18" y="{21 + 20 * place}">{stage.label}</text>'
        )
    return _svg(parts, height + 8, n, start, "hypnodensity")


def _corners(edge: NDArray[np.float64], n: int, height: float) -> list[str]:
    """Return the corners of a line of steps, one an epoch."""
    return [
        f"{_x(epoch + side, n):.1f},{8 + height * value:.1f}"
        for epoch, value in enumerate(edge.tolist())
        for side in (0, 1)
    ]


def spectrogram(
    hz: NDArray[np.float64], decibels: NDArray[np.float32], places: NDArray[Any], n: int, start: datetime | None
) -> str:
    """Return the power of epochs at ``places`` by frequency as a picture, blank where there is no signal."""
    height = 140
    pixels = spectrogram_pixels(decibels, places, n)
    if pixels is None:
        return ""
    image = base64.b64encode(png(pixels)).decode()
    parts = [
        f'<image x="{_LEFT}" y="8" width="{WIDTH - 4 - _LEFT}" height="{height}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{image}"/>'
    ]
    top = float(hz[-1])
    for tick in range(0, int(top) + 1, 10):
        y = 8 + height * (1 - tick / top)
        parts.append(f'<text x="{_LEFT - 4}" y="{min(y + 4, height + 6):.0f}" text-anchor="end">{tick} Hz</text>')
    return _svg(parts, height + 8, n, start, "spectrogram")


def spectrogram_pixels(decibels: NDArray[np.float32], places: NDArray[Any], n: int) -> NDArray[np.uint8] | None:
    """Return the power ``float32 [m, frequencies]`` of epochs at ``places`` as ``uint8 [frequencies, n, 4]``.

    The highest frequency is on top, epochs without a signal are transparent, and between the 2nd and the 98th
    percentile runs the scale of colours. None where nothing is known.
    """
    known = decibels[np.isfinite(decibels)]
    if not known.size:
        return None
    low, high = np.percentile(known, (2, 98)).tolist()
    level = np.nan_to_num((decibels - low) / max(high - low, 1e-6), nan=0.0)
    pixels = np.zeros((decibels.shape[1], n, 4), dtype=np.uint8)
    pixels[:, places, :3] = VIRIDIS[(np.clip(level, 0, 1) * 255).astype(np.uint8)].transpose(1, 0, 2)
    pixels[:, places, 3] = 255
    return pixels[::-1]


def differences(comparison: Comparison) -> str:
    """Return a strip of the night in which every disagreement is a coloured block, by its kind."""
    n, height = len(comparison), 26
    parts = [
        f'<rect class="{KIND_CLASSES[KINDS[comparison.kind[run.start]]]}" x="{_x(run.start, n):.1f}" y="4" '
        f'width="{max(_x(run.stop, n) - _x(run.start, n), 0.7):.1f}" height="{height - 8}" fill="currentColor">'
        f"<title>epochs {run.start + 1} to {run.stop}: {pair_text(run.truth, run.predicted)}, {run.kind}</title></rect>"
        for run in comparison.runs
    ]
    parts.append(f'<rect class="frame" x="{_LEFT}" y="4" width="{WIDTH - 4 - _LEFT}" height="{height - 8}"/>')
    return _svg(parts, height, n, comparison.start, "disagreements")


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return ``uint8 [height, width, 4]`` (red, green, blue, opacity) as a PNG file's bytes."""
    height, width, _ = pixels.shape
    rows = np.concatenate((np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)), axis=1)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _steps(stages: StageArray, top: float, n: int) -> str:
    """Draw each bout as a line in its stage's colour, and thin lines between neighbours."""
    if not len(stages):
        return ""
    edges = np.concatenate(([0], np.flatnonzero(np.diff(stages)) + 1, [len(stages)])).tolist()
    lines, joins = [], []
    before: float | None = None
    for first, stop in pairwise(edges):
        stage = Stage(int(stages[first]))
        if stage is Stage.UNKNOWN:
            before = None
            continue
        y = _y(top, HYPNOGRAM_ORDER.index(stage))
        if before is not None:
            joins.append(f"M{_x(first, n):.1f} {before:.1f}V{y:.1f}")
        lines.append(
            f'<path style="stroke: var({STAGE_VARIABLES[stage]})" stroke-width="4" fill="none" '
            f'd="M{_x(first, n):.1f} {y:.1f}H{_x(stop, n):.1f}"/>'
        )
        before = y
    return f'<path class="tick" d="{"".join(joins)}"/>{"".join(lines)}'


def _x(epoch: float, n: int) -> float:
    return _LEFT + (WIDTH - 4 - _LEFT) * epoch / max(n, 1)


def _y(top: float, level: int) -> float:
    return top + 22 + level * (_LANE - 42) / (len(HYPNOGRAM_ORDER) - 1)


def _svg(parts: list[str], height: int, n: int, start: datetime | None, title: str) -> str:
    """Wrap parts, with hours under them."""
    ticks = []
    for epoch, name in hours(n, start):
        x = _x(epoch, n)
        ticks.append(f'<path class="tick" d="M{x:.1f} {height}v4"/>')
        anchor = "middle" if x < WIDTH - 24 else "end"  # one at the end of the night would be cut
        ticks.append(f'<text x="{x:.1f}" y="{height + 16}" text-anchor="{anchor}">{name}</text>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {height + 22}" width="{WIDTH}" height="{height + 22}" role="img" '
        f'aria-label="{html.escape(title)}">{"".join(parts)}{"".join(ticks)}</svg>'
    )


def hours(n: int, start: datetime | None) -> list[tuple[float, str]]:
    """Return where the hours of a night of ``n`` epochs are, in epochs, and what they are called."""
    hour = 3600 / EPOCH_S
    if start is None:
        return [(i * hour, f"+{i} h") for i in range(int(n // hour) + 1)]
    full = start.replace(minute=0, second=0, microsecond=0)
    first = full if full >= start else full + timedelta(hours=1)
    offset = (first - start).total_seconds() / EPOCH_S
    count = int((n - offset) // hour) + 1 if n > offset else 0
    return [(offset + i * hour, f"{first + timedelta(hours=i):%H:%M}") for i in range(count)]
