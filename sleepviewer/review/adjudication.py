"""Several scorers' labels of one night on the way to one: what all of them say, what is left to decide, how they agree.

A scorer is a person, a file or a model; of each only the stages count, and where a tie is to be broken how sure it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import Agreement
from sleepviewer.analysis.order import Epochs
from sleepviewer.analysis.raters import Consensus, consensus, fleiss_kappa, pairwise
from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive
from sleepviewer.archive.tracks import is_archive, read_any_track
from sleepviewer.errors import AlignmentError, ReviewError
from sleepviewer.hypnogram import Hypnogram, align, to_hypnogram
from sleepviewer.review.comparison import scorer_names
from sleepviewer.review.contenders import engine_title
from sleepviewer.review.document import Base, Document
from sleepviewer.review.edits import Edit
from sleepviewer.stages import Stage, StageArray

FEWEST: Final = 2
OPEN: Final = "open"
BY_CERTAINTY: Final = "by-certainty"


@dataclass(frozen=True, slots=True, eq=False)
class Rater:
    """One scorer under the name that it is shown by.

    ``stages`` is ``int8 [n_epochs]``, UNKNOWN where it scores nothing; ``certainty`` ``float32 [n_epochs]`` from 0 to
    1, or None where it says nothing of that (as people), which counts as 1.
    """

    name: str
    stages: StageArray
    certainty: NDArray[np.float32] | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Adjudication:
    """Scorers laid beside each other.

    ``agreed`` are the epochs that all of them score alike, ``stages`` (``int8 [n_epochs]``) what they say there and
    UNKNOWN elsewhere; ``open_epochs`` are those that some score and not all alike. ``pairs`` has the agreement of every
    two, None where they share no epoch; ``fleiss`` is Fleiss' κ of all over the epochs that all score, NaN where it is
    not defined.
    """

    raters: tuple[Rater, ...]
    agreed: Epochs
    stages: StageArray
    open_epochs: Epochs
    pairs: Mapping[tuple[str, str], Agreement | None]
    fleiss: float

    @property
    def names(self) -> tuple[str, ...]:
        """Who they are."""
        return tuple(rater.name for rater in self.raters)

    @property
    def title(self) -> str:
        """What taking the epochs on which they agree is called: ``consensus of A and B``."""
        *most, last = self.names
        return f"consensus of {', '.join(most)} and {last}"

    def decided(self, document: Document) -> int:
        """How many of the open epochs have a label of the adjudicator's own."""
        return int(np.count_nonzero(document.edited[self.open_epochs]))

    def take_agreed(self, document: Document) -> Edit | None:
        """Make what all say the document's own labels, as one edit; None where it stands so already."""
        return document.take_stages(self.agreed.tolist(), self.stages[self.agreed].tolist(), self.title)

    @property
    def figures(self) -> str:
        """How well they agree, in lines: κ of every two, Fleiss' κ of all."""
        lines = [f"κ {a} – {b}: {_number(found)}" for (a, b), found in self.pairs.items()]
        if len(self.raters) > FEWEST:
            fleiss = "–" if math.isnan(self.fleiss) else f"{self.fleiss:.3f}"
            lines.append(f"Fleiss' κ of all {len(self.raters)}: {fleiss}")
        return "\n".join(lines)


def adjudicate(raters: Sequence[Rater]) -> Adjudication:
    """Lay scorers beside each other. Raises AlignmentError where there are fewer than two, or of different lengths."""
    if len(raters) < FEWEST:
        raise AlignmentError("A consensus takes two scorers or more; choose a second one.")
    stages_of = {rater.name: rater.stages for rater in raters}
    pairs, fleiss = pairwise(stages_of), fleiss_kappa(stages_of)
    stages = np.stack([rater.stages for rater in raters])
    scored = stages != Stage.UNKNOWN
    alike = scored.all(axis=0) & (stages == stages[0]).all(axis=0)
    return Adjudication(
        tuple(raters),
        np.flatnonzero(alike),
        np.where(alike, stages[0], int(Stage.UNKNOWN)).astype(np.int8),
        np.flatnonzero(scored.any(axis=0) & ~alike),
        pairs,
        fleiss,
    )


# -- without a window


@dataclass(frozen=True, slots=True, eq=False)
class Raters:
    """Scorers read from files and laid on the epochs of the first that knows its place; ``notes`` say what was lost."""

    raters: tuple[Rater, ...]
    grid: Hypnogram
    notes: tuple[str, ...]


def load_raters(paths: Sequence[Path]) -> Raters:
    """Read scorers' archives and hypnogram files of one night.

    Of a scoring archive it is the labels that count; where these are the model's own, its probabilities say how sure.

    Raises ArchiveError, HypnogramError or AlignmentError, naming the file.
    """
    tracks = [read_any_track(path) for path in paths]
    first = next((place for place, track in enumerate(tracks) if not track.whole_only), 0)
    grid = to_hypnogram(tracks[first])
    laid = [
        grid if place == first else align(track, start=grid.start, n_epochs=len(grid), name=tracks[first].source)
        for place, track in enumerate(tracks)
    ]
    archives = [read_archive(path) if is_archive(path) else None for path in paths]
    named = [
        hypnogram if archive is None or not (model := _model_alone(archive)) else replace(hypnogram, scorer=model)
        for archive, hypnogram in zip(archives, laid, strict=True)
    ]
    raters = []
    for path, archive, hypnogram, name in zip(paths, archives, laid, scorer_names(named), strict=True):
        sure = None if archive is None else _certainty(archive, hypnogram.stages)
        raters.append(Rater(name, hypnogram.stages, sure, str(path)))
    return Raters(tuple(raters), grid, tuple(note for hypnogram in laid for note in hypnogram.notes))


def most_say(raters: Sequence[Rater], ties: str = OPEN) -> Consensus:
    """Return what most of the scorers say; ``ties`` is :data:`OPEN`, :data:`BY_CERTAINTY` or the scorer who decides.

    Raises ReviewError where there is no scorer of that name, AlignmentError as :func:`adjudicate` does.
    """
    if len(raters) < FEWEST:
        raise AlignmentError("A consensus takes two scorers or more; choose a second one.")
    stages = {rater.name: rater.stages for rater in raters}
    if ties == OPEN:
        return consensus(stages)
    if ties == BY_CERTAINTY:
        certainty = {rater.name: rater.certainty for rater in raters if rater.certainty is not None}
        return consensus(stages, certainty=certainty)
    if ties not in stages:
        raise ReviewError(
            f"No scorer is called “{ties}”; ties are left {OPEN}, decided {BY_CERTAINTY}, or by one of "
            f"{', '.join(stages)}."
        )
    return consensus(stages, leader=ties)


def _model_alone(archive: ScoringArchive) -> str:
    """The model's name where all labels are its own, whoever had it score; empty where a person gave any."""
    model = archive.meta.get("model")
    if archive.meta.get("base") != str(Base.MODEL) or (archive.night_corrected != NOT_CORRECTED).any():
        return ""
    return engine_title(str(model.get("engine", ""))) if isinstance(model, Mapping) else ""


def _certainty(archive: ScoringArchive, stages: StageArray) -> NDArray[np.float32] | None:
    """How sure a model's own labels are, ``float32 [n]``; 1 where a person gave the label. None where nothing tells."""
    proba = archive.night_proba
    if archive.meta.get("base") != str(Base.MODEL) or len(proba) != len(stages) or not np.isfinite(proba).any():
        return None
    own = (archive.night_corrected == NOT_CORRECTED) & np.isfinite(proba).all(axis=1)
    sure = np.ones(len(stages), dtype=np.float32)
    sure[own] = proba[own].max(axis=1)
    return sure


def _number(found: Agreement | None) -> str:
    return "–" if found is None or math.isnan(found.kappa) else f"{found.kappa:.3f} over {found.epochs} epochs"
