"""Which engines there are, and how to make one; nothing heavy is imported before an engine is made."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sleepviewer.errors import EngineError
from sleepviewer.scoring.base import Engine

DEFAULT_ENGINE: Final = "yasa"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine to make: small and picklable, so that it can be sent to another process."""

    id: str = DEFAULT_ENGINE
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine as a menu shows it; where it is not ``ready``, ``reason`` is the sentence that says why."""

    id: str
    title: str
    ready: bool
    reason: str = ""


def list_engines() -> tuple[EngineInfo, ...]:
    """Return the engines, the default one first, without importing what they need.

    ``ready`` means that an engine can score without anything being chosen.
    """
    return (
        _info("yasa", "YASA", package="yasa"),
        _info("attnsleep", "AttnSleep", package="torch", lacks="No weights come with it; choose a file of them."),
    )


def _info(engine_id: str, title: str, *, package: str, lacks: str = "") -> EngineInfo:
    if find_spec(package) is None:
        return EngineInfo(engine_id, title, ready=False, reason=f"{package} is not installed.")
    return EngineInfo(engine_id, title, ready=not lacks, reason=lacks)


def make_engine(spec: EngineSpec) -> Engine:
    """Return the engine of a specification. Raises EngineError for an unknown one."""
    match spec.id:
        case "yasa":
            from sleepviewer.scoring.yasa_engine import YasaEngine

            return YasaEngine()
        case "attnsleep":
            from sleepviewer.scoring.attnsleep_engine import AttnSleepEngine

            return AttnSleepEngine(spec.weights)
        case _:
            there = ", ".join(info.id for info in list_engines())
            raise EngineError(f"There is no engine called “{spec.id}”; there are: {there}.")
