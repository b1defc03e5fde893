"""Finding a text by a few of its letters. Without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_START: Final = 8.0
"""Worth of a letter that begins a word, against 1 for any other."""
_NEIGHBOUR: Final = 8.0
"""Worth more of a letter that follows the one before it."""
_LENGTH: Final = 0.01
"""Off for every letter of the text, so that of two texts that fit as well the shorter one comes first."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text fits (larger is better), and which of its letters were found."""

    score: float
    places: tuple[int, ...]


def match(query: str, text: str) -> Match | None:
    """Find the words of a query in a text, each as letters in their order; None where one of them is not there."""
    score, places = 0.0, set[int]()
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter that has no lower case of one letter: İ
        lowered = text
    for word in query.lower().split():
        found = _best(word, lowered)
        if found is None:
            return None
        score += found.score
        places |= set(found.places)
    return Match(score - _LENGTH * len(text), tuple(sorted(places)))


def _best(word: str, text: str) -> Match | None:
    """Return the best way to find a word's letters in a text: runs and beginnings of words count most."""
    # best[j]: the best match of the word so far that ends at letter j of the text.
    best: dict[int, Match] = {}
    for i, letter in enumerate(word):
        here: dict[int, Match] = {}
        before: Match | None = None  # the best that ended left of j, for the letters after the first
        for j, other in enumerate(text):
            if other == letter:
                worth = _START if j == 0 or not text[j - 1].isalnum() else 1.0
                options = []
                if i == 0:
                    options.append(Match(worth, (j,)))
                if before is not None:
                    options.append(Match(before.score + worth, (*before.places, j)))
                if i > 0 and (run := best.get(j - 1)) is not None:
                    options.append(Match(run.score + worth + _NEIGHBOUR, (*run.places, j)))
                if options:
                    here[j] = max(options, key=lambda option: option.score)
            ended = best.get(j)
            if i > 0 and ended is not None and (before is None or ended.score > before.score):
                before = ended
        best = here
    return max(best.values(), key=lambda found: found.score, default=None)
