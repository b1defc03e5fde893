"""Whatever holds stages (a value, an array, a file), made a scoring and laid on another's epochs by clock time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.api.values import Night, Review, Scoring
from sleepviewer.archive.tracks import read_any_track
from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram import Hypnogram, StageTrack, align, bouts_of, to_hypnogram
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import Stage, StageArray, stage_from_word

Scored = Scoring | Review | Hypnogram | Prediction | NDArray[Any] | Sequence[int] | Sequence[str] | str | PathLike[str]
"""What has stages: a value of the program's, an array of numbers or words, or the path of a file."""


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """What is compared: a file's track, or a scoring that lies on epochs of its own already."""

    track: StageTrack
    scoring: Scoring | None

    def on_own_grid(self) -> Scoring:
        return Scoring(to_hypnogram(self.track)) if self.scoring is None else self.scoring

    def laid_on(self, other: Scoring) -> Scoring:
        """Lay it on another's epochs; it keeps its probabilities where it lies there already."""
        mine = self.scoring
        if mine is not None and len(mine) == len(other) and mine.start == other.start:
            return mine
        name = other.hypnogram.source
        hypnogram = align(self.track, start=other.start, n_epochs=len(other), name=name)
        moved = hypnogram.start is not None and self.track.start not in (None, hypnogram.start)
        if mine is None or moved or len(mine) != len(other):
            return Scoring(hypnogram)
        return Scoring(hypnogram, mine.prediction)


def lay_both(
    first: Scored, second: Scored, read_first: str | None = None, read_second: str | None = None
) -> tuple[Scoring, Scoring, tuple[str, ...]]:
    """Return both on the epochs of the first, and what had to be said about it.

    A first one that does not know its place in the night (AttnSleep's own archives) is laid on the second instead, and
    must fit it as a whole. Raises AlignmentError, HypnogramError, ArchiveError.
    """
    a, b = _side(first, read_first, "Scoring A"), _side(second, read_second, "Scoring B")
    if a.track.whole_only:
        base = b.on_own_grid()
        pair = a.laid_on(base), base
    else:
        base = a.on_own_grid()
        pair = base, b.laid_on(base)
    return *pair, _notes(*pair)


def scoring_from(value: Scored, read_as: str | None = None, *, name: str = "Scoring") -> Scoring:
    """Return a scoring of whatever has stages, on its own epochs. Raises HypnogramError, ArchiveError."""
    return _side(value, read_as, name).on_own_grid()


def _side(value: Scored, read_as: str | None, name: str) -> _Side:
    if isinstance(value, (str, PathLike)):
        return _Side(read_any_track(Path(fspath(value)), read_as), None)
    scoring = _scoring_of(value, name)
    hypnogram = scoring.hypnogram
    track = StageTrack(bouts_of(hypnogram.stages), hypnogram.start, hypnogram.source, hypnogram.scorer, hypnogram.notes)
    return _Side(track, scoring)


def _scoring_of(value: Any, name: str) -> Scoring:
    match value:
        case Scoring():
            return value
        case Review():
            return value.labels
        case Hypnogram():
            return Scoring(value)
        case Prediction():
            return Scoring(Hypnogram(value.stages, None, name, value.engine), value)
        case Night():
            raise TypeError("a night is no scoring; compare night.truth, or what score(night) gives")
        case None:
            raise TypeError("there is no scoring (None); a night without a hypnogram has no truth")
        case _:
            return Scoring(Hypnogram(_stages(np.asarray(value)), None, name))


def _stages(values: NDArray[Any]) -> StageArray:
    """Return stages of numbers (-1 to 4) or words, ``int8 [n_epochs]``. Raises HypnogramError for any other."""
    if values.ndim != 1:
        raise HypnogramError(
            "Stages are a list with one value for each epoch of 30 s, of one dimension; these are not."
        )
    if values.dtype.kind in "UO" and all(isinstance(word, str) for word in values):
        known = {word: stage_from_word(word) for word in set(values.tolist())}
        if odd := [word for word, stage in known.items() if stage is None]:
            raise HypnogramError(f"“{sorted(odd)[0]}” is no sleep stage; write W, N1, N2, N3, REM or ?.")
        return np.array([known[word] for word in values.tolist()], dtype=np.int8)
    if values.dtype.kind not in "iu" or ((values < Stage.UNKNOWN) | (values > Stage.REM)).any():
        raise HypnogramError(
            "Stages are whole numbers from -1 to 4 (-1 unscored, 0 W, 1 N1, 2 N2, 3 N3, 4 REM) or words; these are not."
        )
    return values.astype(np.int8)


def _notes(*scorings: Scoring) -> tuple[str, ...]:
    """Return the notes of all, each once."""
    return tuple(dict.fromkeys(note for scoring in scorings for note in scoring.notes))
