"""The reviews that others saved of a night, as hypnograms to look at beside one's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive
from sleepviewer.errors import SleepViewerError
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.review.night import Night
from sleepviewer.review.saving import read_review, review_places, scorer_in
from sleepviewer.review.state import Base


@dataclass(frozen=True, slots=True, eq=False)
class OtherReviews:
    """What others made of the night, the newest of each of them, and a note on each file that can't be shown."""

    hypnograms: tuple[Hypnogram, ...]
    notes: tuple[str, ...] = ()


def other_reviews(night: Night) -> OtherReviews:
    """Read the other scorers' reviews that lie where this night's are looked for; nothing of them is changed.

    It reads whole archives, so that it belongs in the background.
    """
    found: dict[str, Hypnogram] = {}
    notes = []
    for place in review_places(night.recording):
        scorer = scorer_in(place)
        if not scorer or scorer == night.document.scorer or scorer in found:
            continue
        try:
            archive = read_review(night, place)
        except SleepViewerError as error:
            notes.append(f"{place.name} is not shown: {error}")
            continue
        said = _what_is_theirs(archive)
        found[scorer] = Hypnogram(archive.night_labels, night.recording.start, place.name, scorer, said)
    return OtherReviews(tuple(found.values()), tuple(notes))


def _what_is_theirs(archive: ScoringArchive) -> tuple[str, ...]:
    """Say how much of a review its scorer set by hand, where the rest comes from somebody else."""
    base = archive.meta.get("base")
    by_hand = int(np.count_nonzero(archive.night_corrected != NOT_CORRECTED))
    whose = {str(Base.MODEL): "the model's", str(Base.TRUTH): "the expert hypnogram's"}.get(str(base))
    if whose is None or by_hand == archive.n_epochs:
        return ()
    return (f"{by_hand} of {archive.n_epochs} epochs were set by hand; the others are {whose}.",)
