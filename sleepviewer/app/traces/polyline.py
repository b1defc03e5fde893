"""Polygons for QPainter from numpy arrays, without a Python object for each point."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtGui import QPolygonF
from shiboken6 import VoidPtr

_REACH_PX = 16_000.0
"""Points further out are drawn at this distance: the raster engine counts pixels in 16 bits."""


def polygon(x: ArrayLike, y: NDArray[np.floating]) -> QPolygonF:
    """Return a polygon of points (``[n]`` each, finite), in pixels."""
    n = len(y)
    points = QPolygonF()
    points.resize(n)
    if n:
        raw = VoidPtr(points.data(), n * 16, True)  # type: ignore[call-arg, arg-type]  # its stub lacks this form
        memory = np.frombuffer(raw, dtype=np.float64).reshape(n, 2)  # type: ignore[call-overload]  # it is a buffer
        memory[:, 0] = x
        np.clip(y, -_REACH_PX, _REACH_PX, out=memory[:, 1])
    return points


def runs(y: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Return the stretches ``first`` ≤ i < ``stop`` of ``y`` without NaN."""
    missing = np.isnan(y)
    if not missing.any():
        return [(0, len(y))] if len(y) else []
    edges = np.flatnonzero(np.diff(~missing, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))
