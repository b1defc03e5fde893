"""Which engines there are, and how to make one; nothing heavy is imported before an engine is made.

The default is the ensemble (:mod:`sleepviewer.scoring.ensemble`). A member's plain name (``attnsleep+context``) means
its active version, which is the one that came with the program unless the user activated another; ``MEMBER@vN`` and
``MEMBER@shipped`` mean that one whatever is active.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sleepviewer.errors import EngineError
from sleepviewer.models.card import ModelCard, parse_card
from sleepviewer.models.family import all_names, title_of
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.models.versions import MARK, SHIPPED, ModelVersion, ModelVersions
from sleepviewer.packaged import resource
from sleepviewer.scoring.base import Engine

YASA: Final = "yasa"
ENSEMBLE: Final = "ensemble"
ENSEMBLE_TITLE: Final = "Ensemble"
DEFAULT_ENGINE: Final = ENSEMBLE
"""The most robust, and ahead of YASA on held-out nights: docs/experiments.md."""
DEFAULT_MEMBER: Final = "attnsleep+context"
"""Stands for the ensemble where one model is needed: for features, explanations and fine-tuning."""

YASA_TITLE: Final = "YASA"


@lru_cache(maxsize=1)
def yasa_card() -> ModelCard:
    """Return what is known of YASA, in the same words as of the program's own models."""
    content = json.loads(resource("models", f"{YASA}.json").read_text(encoding="utf-8"))
    return parse_card(content, ModelCard(YASA_TITLE, 100, 3000, member=YASA))


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine to make: small and picklable, so that it can be sent to another process.

    ``id`` is one of :func:`engine_ids`. ``weights`` is a file of the user's choice; None takes those of the member's
    active version, or of the version that ``id`` names. ``score_unusable``: whether epochs with an unusable signal are
    scored all the same.
    """

    id: str = DEFAULT_ENGINE
    weights: Path | None = None
    score_unusable: bool = False


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine as a menu shows it.

    Attributes
    ----------
    id, title: its name on the command line, and as shown.
    ready: whether it can score without anything being chosen; else ``reason`` is the sentence that says why not.
    card: what is known of the model that scores where nothing is chosen.
    takes_weights: whether it scores with a file of weights of the user's choice.
    version: of the user's, where it is one.
    """

    id: str
    title: str
    ready: bool
    reason: str = ""
    card: ModelCard | None = None
    takes_weights: bool = False
    version: ModelVersion | None = None

    @property
    def uses_others(self) -> bool:
        """Whether it makes use of an EOG and an EMG."""
        return uses_others(self.id)

    @property
    def member(self) -> str:
        """The engine's name without the version."""
        return self.id.partition(MARK)[0]

    @property
    def measured(self) -> str:
        """How well it did on a night that it never saw, in a few words, or nothing."""
        return "" if self.card is None else self.card.headline


def engine_ids() -> tuple[str, ...]:
    """Return every engine's name, the default one first."""
    return tuple(info.id for info in list_engines())


def list_engines() -> tuple[EngineInfo, ...]:
    """Return the engines, the default one first and each member's versions after it, importing nothing heavy.

    Where a version is active, the member's own line is that version's, and one more line is the shipped one.
    """
    versions = ModelVersions().versions()
    infos: list[EngineInfo] = []
    for name in sorted(all_names(), key=lambda name: name != DEFAULT_MEMBER):
        infos += _member(name, [version for version in versions if version.member == name])
    return (_ensemble(), infos[0], _yasa(), *infos[1:])


def uses_others(engine_id: str) -> bool:
    """Whether an engine makes use of an EOG and an EMG."""
    return engine_id in (ENSEMBLE, YASA)


def single_model(spec: EngineSpec) -> EngineSpec:
    """Return the engine itself, or for the ensemble the one member that stands for it."""
    return replace(spec, id=DEFAULT_MEMBER) if spec.id == ENSEMBLE else spec


def plain_title(engine: str) -> str | None:
    """Return the name as shown of an engine that is no member of the family; None for any other."""
    return {ENSEMBLE: ENSEMBLE_TITLE, YASA: YASA_TITLE}.get(engine)


def resolve(spec: EngineSpec) -> EngineSpec:
    """Return the specification with the file of weights and the name of the version that it means at this moment.

    What comes with the program keeps its plain name; it has no file where no version is active. Raises EngineError for
    an unknown version.
    """
    member, mark, _ = spec.id.partition(MARK)
    if spec.weights is not None or member not in all_names():
        return spec
    if not mark:
        active = ModelVersions().active(member)
        return spec if active is None else replace(spec, id=active.name, weights=active.path)
    version = ModelVersions().get(spec.id)
    return replace(spec, id=member if version.number == 0 else version.name, weights=version.path)


def _ensemble() -> EngineInfo:
    from sleepviewer.scoring.recipe import shipped_recipe

    missing = _not_installed("torch")
    return EngineInfo(ENSEMBLE, ENSEMBLE_TITLE, not missing, missing, shipped_recipe().card)


def _yasa() -> EngineInfo:
    missing = _not_installed("yasa")
    return EngineInfo(YASA, YASA_TITLE, not missing, missing, yasa_card())


def _member(name: str, versions: list[ModelVersion]) -> list[EngineInfo]:
    """Return a member's line, and those of its versions, the newest first."""
    shipped = shipped_weights(name)
    card = None if shipped is None else peek_card(shipped)
    reason = _not_installed("torch") or ("No weights come with it; choose a file of them." if shipped is None else "")
    plain = EngineInfo(name, title_of(name), not reason, reason, card, takes_weights=True)
    active = next((version for version in versions if version.active), None)
    lines = [plain]
    if active is not None:
        lines = [replace(_version(active), id=name, title=f"{active.title} (active)", takes_weights=True)]
    lines += [_version(version) for version in reversed(versions)]
    if active is not None and shipped is not None:
        lines.append(
            replace(plain, id=f"{name}{MARK}{SHIPPED}", title=f"{plain.title} · as shipped", takes_weights=False)
        )
    return lines


def _version(version: ModelVersion) -> EngineInfo:
    missing = _not_installed("torch")
    return EngineInfo(version.name, version.title, not missing, missing, version.card, version=version)


def _not_installed(package: str) -> str:
    """Return the sentence that a package is not installed; nothing where it is."""
    return f"{package} is not installed." if find_spec(package) is None else ""


def make_engine(spec: EngineSpec) -> Engine:
    """Return the engine of a specification. Raises EngineError for an unknown one."""
    if spec.id == ENSEMBLE:
        from sleepviewer.scoring.ensemble import EnsembleEngine

        return EnsembleEngine(score_unusable=spec.score_unusable)
    if spec.id == YASA:
        from sleepviewer.scoring.yasa_engine import YasaEngine

        return YasaEngine(score_unusable=spec.score_unusable)
    member = spec.id.partition(MARK)[0]
    if member in all_names():
        from sleepviewer.scoring.family_engine import FamilyEngine

        meant = resolve(spec)
        return FamilyEngine(member, meant.weights, name=meant.id, score_unusable=spec.score_unusable)
    raise EngineError(f"There is no engine called “{spec.id}”; there are: {', '.join(engine_ids())}.")
