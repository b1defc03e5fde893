"""What the ensemble that comes with the program is made of; nothing here loads torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from sleepviewer.errors import EngineError
from sleepviewer.files import sha256_of
from sleepviewer.models.card import ModelCard, parse_card
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.models.versions import ModelVersions
from sleepviewer.packaged import resource

_FILE: Final = "ensemble.json"
_YASA: Final = "yasa"
_KINDS: Final = (("EEG",), ("EEG", "EOG"), ("EEG", "EMG"), ("EEG", "EOG", "EMG"))
"""The combinations of channels that YASA has a classifier for."""


@dataclass(frozen=True, slots=True)
class EnsembleRecipe:
    """What the ensemble is made of.

    Attributes
    ----------
    weights: how much each engine counts, by its id; they sum to 1. The members of the family come first, in the order
        in which they score.
    card: what is known of the ensemble, in the words of any model's card; its ``temperature`` is what the mean of the
        logarithms is divided by.
    """

    weights: Mapping[str, float]
    card: ModelCard

    @property
    def members(self) -> tuple[str, ...]:
        """The members of the family in it, by name."""
        return tuple(name for name in self.weights if name != _YASA)

    @classmethod
    def read(cls, path: Path) -> EnsembleRecipe:
        """Read a recipe. Raises OSError, ValueError, TypeError or KeyError for a file that is none."""
        content = json.loads(path.read_text(encoding="utf-8"))
        weights = {str(name): float(weight) for name, weight in content["weights"].items()}
        total = sum(weights.values())
        card = parse_card(content["card"], ModelCard(path.stem, 100, 3000, member=path.stem))
        return cls({name: weight / total for name, weight in weights.items()}, card)


@lru_cache(maxsize=1)
def shipped_recipe() -> EnsembleRecipe:
    """Return the recipe that comes with the program; its card names the recordings that its members' cards name."""
    recipe = EnsembleRecipe.read(resource("models", _FILE))
    cards = [card for path in map(shipped_weights, recipe.members) if path is not None and (card := peek_card(path))]
    trained = dict.fromkeys(recordings for card in cards for recordings in card.trained_on_recordings)
    held_out = dict.fromkeys(recordings for card in cards for recordings in card.held_out_recordings)
    card = replace(recipe.card, trained_on_recordings=tuple(trained), held_out_recordings=tuple(held_out))
    return replace(recipe, card=card)


def possible_identities(*, shipped: bool = False) -> frozenset[str]:
    """Return the identities that a scoring of the ensemble as it is now can have: with each of YASA's classifiers.

    ``shipped`` asks for those with the weights that come with the program; else those of active versions count, and
    scorings from which YASA was left out.
    """
    recipe = shipped_recipe()
    hashes: dict[str, str] = {}
    for member in recipe.members:
        active = None if shipped else ModelVersions().active(member)
        path = shipped_weights(member) if active is None else active.path
        if path is None:
            return frozenset()
        hashes[member] = sha256_of(path)
    classifiers = [_hash_of_classifier(kinds) for kinds in _KINDS] if _YASA in recipe.weights else []
    found = {
        identity_of((hashes | {_YASA: classifier})[name] for name in recipe.weights)
        for classifier in classifiers
        if classifier
    }
    if not shipped:
        found.add(identity_of(hashes.values()))
    return frozenset(found)


@lru_cache(maxsize=8)
def _hash_of_classifier(kinds: tuple[str, ...]) -> str:
    """Return the SHA-256 of YASA's classifier for some kinds of channels; empty where it is not installed."""
    from sleepviewer.scoring.yasa_engine import classifier_path

    try:
        return sha256_of(classifier_path(kinds))
    except (EngineError, OSError):
        return ""


def identity_of(hashes: Iterable[str]) -> str:
    """Return one SHA-256 for the weights of several engines, from theirs in the recipe's order."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
