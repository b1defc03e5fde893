"""Which rows the night shows, in which order and how high: a value that is kept between two starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

USUAL_ORDER: Final = (
    "expert",
    "disagreements",
    "model",
    "yours",
    "hypnodensity",
    "spectrogram",
    "quality",
    "annotations",
    "clock",
)
"""Keys of the rows that every night has, from the top."""

SCORER_PREFIX: Final = "scorer-"
"""Begins the keys of hypnograms that were added for this session, ``scorer-1`` …; they come after the expert's."""

_LOWEST, _HIGHEST = 0.4, 4.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Rows by their keys: ``order`` from the top, ``hidden``, and ``heights`` as multiples of the usual one.

    Rows that ``order`` does not name stand where they usually do.
    """

    order: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    heights: Mapping[str, float] = field(default_factory=dict)

    def ordered(self, keys: Iterable[str]) -> list[str]:
        """Return the rows that there are, from the top to the bottom."""
        there = sorted(set(keys), key=_usual_place)
        ordered = [key for key in self.order if key in there]
        for place, key in enumerate(there):
            if key not in ordered:
                before = next((other for other in reversed(there[:place]) if other in ordered), None)
                ordered.insert(0 if before is None else ordered.index(before) + 1, key)
        return ordered

    def height_of(self, key: str) -> float:
        """How many times its usual height a row is high."""
        return self.heights.get(key, 1.0)

    def moved(self, key: str, to: int, keys: Iterable[str]) -> Arrangement:
        """Put one of the rows at a place among them, counted from 0 at the top."""
        ordered = self.ordered(keys)
        ordered.remove(key)
        ordered.insert(min(max(to, 0), len(ordered)), key)
        return replace(self, order=tuple(ordered))

    def shown(self, key: str, shown: bool) -> Arrangement:
        """Show or hide a row."""
        return replace(self, hidden=self.hidden - {key} if shown else self.hidden | {key})

    def resized(self, key: str, factor: float) -> Arrangement:
        """Make a row so many times as high as usual, within what can be read and leaves room for others."""
        heights = {**self.heights, key: round(min(max(factor, _LOWEST), _HIGHEST), 3)}
        return replace(self, heights={k: f for k, f in heights.items() if f != 1.0})

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; rows of added hypnograms are not kept."""
        return {
            "order": [key for key in self.order if not key.startswith(SCORER_PREFIX)],
            "hidden": sorted(key for key in self.hidden if not key.startswith(SCORER_PREFIX)),
            "heights": {key: f for key, f in self.heights.items() if not key.startswith(SCORER_PREFIX)},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Arrangement:
        """Rebuild from :meth:`as_dict`; what makes no sense is left out."""
        arrangement = cls(tuple(_known(values.get("order"))), frozenset(_known(values.get("hidden"))))
        heights = values.get("heights")
        for key, factor in (heights if isinstance(heights, dict) else {}).items():
            if key in USUAL_ORDER and isinstance(factor, (int, float)) and factor == factor:
                arrangement = arrangement.resized(key, float(factor))
        return arrangement


def _known(keys: Any) -> list[str]:
    """Keys of rows that there are, each once."""
    named = dict.fromkeys(key for key in keys if isinstance(key, str)) if isinstance(keys, list) else {}
    return [key for key in named if key in USUAL_ORDER]


def _usual_place(key: str) -> tuple[int, int]:
    if key.startswith(SCORER_PREFIX):
        number = key.removeprefix(SCORER_PREFIX)
        return USUAL_ORDER.index("expert"), int(number) if number.isdecimal() else 0
    return USUAL_ORDER.index(key) if key in USUAL_ORDER else len(USUAL_ORDER), -1
