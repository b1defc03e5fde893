"""Which engines there are, and how to make one; nothing heavy is imported before an engine is made."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sleepviewer.errors import EngineError
from sleepviewer.models.card import ModelCard
from sleepviewer.models.family import all_names, title_of
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.scoring.base import Engine

YASA: Final = "yasa"
DEFAULT_ENGINE: Final = "attnsleep+context"
"""Best by the held-out subjects, and ahead of YASA on a real night that no model saw: docs/experiments.md."""

YASA_CARD: Final = ModelCard(
    name="YASA",
    rate_hz=100,
    epoch_samples=3000,
    trained_on="some 3,000 nights of the National Sleep Research Resource (Vallat & Walker 2021)",
    measured={"ucddb018 kappa": 0.81, "ucddb018 accuracy": 0.87},
    member=YASA,
    notes="Gradient-boosted trees (LightGBM) on features of one EEG and, where given, one EOG and one EMG; they come "
    "with the library yasa.",
)
"""What is known of YASA, in the same words as of our own."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine to make: small and picklable, so that it can be sent to another process.

    ``weights`` is a file of the user's choice; None takes those that come with the program.
    """

    id: str = DEFAULT_ENGINE
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine as a menu shows it.

    Attributes
    ----------
    id, title: its name on the command line, and as shown.
    ready: whether it can score without anything being chosen; else ``reason`` is the sentence that says why not.
    card: what is known of the model that scores where nothing is chosen.
    takes_weights: whether it scores with a file of weights of the user's choice.
    uses_others: whether it makes use of an EOG and an EMG.
    """

    id: str
    title: str
    ready: bool
    reason: str = ""
    card: ModelCard | None = None
    takes_weights: bool = False
    uses_others: bool = False

    @property
    def measured(self) -> str:
        """How well it did on a night that it never saw, in a few words, or nothing."""
        return "" if self.card is None else self.card.headline


def engine_ids() -> tuple[str, ...]:
    """Return every engine's name, the default one first."""
    return tuple(sorted((YASA, *all_names()), key=lambda engine_id: engine_id != DEFAULT_ENGINE))


def list_engines() -> tuple[EngineInfo, ...]:
    """Return the engines, the default one first, without importing what they need."""
    return tuple(_yasa() if engine_id == YASA else _member(engine_id) for engine_id in engine_ids())


def _yasa() -> EngineInfo:
    missing = _not_installed("yasa")
    return EngineInfo(YASA, "YASA", not missing, missing, YASA_CARD, uses_others=True)


def _member(name: str) -> EngineInfo:
    weights = shipped_weights(name)
    card = None if weights is None else peek_card(weights)
    reason = _not_installed("torch") or ("No weights come with it; choose a file of them." if weights is None else "")
    return EngineInfo(name, title_of(name), not reason, reason, card, takes_weights=True)


def _not_installed(package: str) -> str:
    """Return the sentence that a package is not installed; nothing where it is."""
    return f"{package} is not installed." if find_spec(package) is None else ""


def make_engine(spec: EngineSpec) -> Engine:
    """Return the engine of a specification. Raises EngineError for an unknown one."""
    if spec.id == YASA:
        from sleepviewer.scoring.yasa_engine import YasaEngine

        return YasaEngine()
    if spec.id in all_names():
        from sleepviewer.scoring.family_engine import FamilyEngine

        return FamilyEngine(spec.id, spec.weights)
    raise EngineError(f"There is no engine called “{spec.id}”; there are: {', '.join(engine_ids())}.")
