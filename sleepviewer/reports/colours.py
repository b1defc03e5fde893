"""Colours of the reports, on light and on dark ground: the stages' as in the window, and those of kinds of error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sleepviewer.analysis.shifts import Kind
from sleepviewer.stages import Stage


def _stages(w: str, rem: str, n1: str, n2: str, n3: str) -> Mapping[Stage, str]:
    return {Stage.W: w, Stage.REM: rem, Stage.N1: n1, Stage.N2: n2, Stage.N3: n3}


def _kinds(shift: str, missed: str, invented: str, other: str) -> Mapping[Kind, str]:
    return {Kind.SHIFT: shift, Kind.MISSED: missed, Kind.INVENTED: invented, Kind.OTHER: other}


STAGES_LIGHT: Final = _stages("#e39a1c", "#d1495b", "#8cc3ea", "#3f86c9", "#1f3f8f")
STAGES_DARK: Final = _stages("#ffc857", "#ff6b6b", "#9ad1f5", "#4e9be6", "#3f5fe0")
"""The window's usual set: what a user has learned to read there holds on paper."""

KINDS_LIGHT: Final = _kinds("#9a6700", "#8a35a8", "#00736b", "#b3261e")
KINDS_DARK: Final = _kinds("#e6b450", "#d79cf0", "#4fd1c5", "#ff8a7a")
"""None is a stage's colour, and all are dark or bright enough for letters."""

STAGE_VARIABLES: Final = {
    Stage.W: "--w",
    Stage.N1: "--n1",
    Stage.N2: "--n2",
    Stage.N3: "--n3",
    Stage.REM: "--rem",
    Stage.UNKNOWN: "--none",
}
KIND_CLASSES: Final = {Kind.SHIFT: "shift", Kind.MISSED: "missed", Kind.INVENTED: "invented", Kind.OTHER: "other"}


def variables(*, dark: bool) -> str:
    """Return the colours as variables of a style sheet."""
    stages, kinds = (STAGES_DARK, KINDS_DARK) if dark else (STAGES_LIGHT, KINDS_LIGHT)
    named = {STAGE_VARIABLES[stage]: colour for stage, colour in stages.items()}
    named |= {f"--{KIND_CLASSES[kind]}": colour for kind, colour in kinds.items()}
    return " ".join(f"{name}: {colour};" for name, colour in named.items())
