"""Sets of colours for the five stages, one for each theme's ground. Without Qt.

A test holds that any two stages of a set stay apart for people with normal vision, protanopia, deuteranopia and
tritanopia, and that they stand out from the ground.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sleepviewer.stages import Stage

Colors = Mapping[Stage, str]


@dataclass(frozen=True, slots=True)
class StageColors:
    """A set of stage colours, as ``#rrggbb``, for a light ground and for a dark one."""

    name: str
    light: Colors
    dark: Colors


def _colors(w: str, rem: str, n1: str, n2: str, n3: str) -> dict[Stage, str]:
    return {Stage.W: w, Stage.REM: rem, Stage.N1: n1, Stage.N2: n2, Stage.N3: n3}


USUAL: Final = StageColors(
    "usual",
    light=_colors("#e39a1c", "#d1495b", "#8cc3ea", "#3f86c9", "#1f3f8f"),
    dark=_colors("#ffc857", "#ff6b6b", "#9ad1f5", "#4e9be6", "#3f5fe0"),
)
"""Warm for awake or dreaming, a deepening blue for sleep."""

SAFE: Final = StageColors(
    "safe",
    light=_colors("#b88600", "#ee4f7c", "#2f97ee", "#0b4a90", "#12142b"),
    dark=_colors("#fff04d", "#e0480f", "#7fe3d0", "#2a90bd", "#9050f0"),
)
"""As far apart as five colours can be for every kind of colour vision."""

LIGHTNESS: Final = StageColors(
    "lightness",
    light=_colors("#ac900c", "#d9506a", "#963a92", "#3a22a8", "#0d0b24"),
    dark=_colors("#f4ffb4", "#f4c430", "#f0807a", "#a56fc0", "#5a5cf2"),
)
"""From light to dark in the order of the hypnogram's levels: told apart in a grey print too."""

STAGE_COLORS: Final[Mapping[str, StageColors]] = {colors.name: colors for colors in (USUAL, SAFE, LIGHTNESS)}
