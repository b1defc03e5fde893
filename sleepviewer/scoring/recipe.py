"""What the ensemble that comes with the program is made of; nothing here loads torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from sleepviewer.models.card import ModelCard, parse_card
from sleepviewer.packaged import resource

_FILE: Final = "ensemble.json"
_YASA: Final = "yasa"


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
    """Return the recipe that comes with the program."""
    return EnsembleRecipe.read(resource("models", _FILE))


def identity_of(hashes: Iterable[str]) -> str:
    """Return one SHA-256 for the weights of several engines, from theirs in the recipe's order."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
