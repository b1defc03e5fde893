"""Open a recording with all that belongs to it: the expert's hypnogram and the review that was saved."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sleepviewer.errors import RecordingError, SleepViewerError
from sleepviewer.recording import Recording, ToldUnit, open_recording, propose_scoring_channel
from sleepviewer.recording.clock_change import clock_change_note
from sleepviewer.review.companions import add_reference
from sleepviewer.review.document import Document
from sleepviewer.review.night import Night, set_truth_from
from sleepviewer.review.saving import is_review_of, restore_review, review_places, scorer_in
from sleepviewer.review.scorer import usual_scorer


def open_night(
    path: Path,
    *,
    truth_path: Path | None = None,
    labels_path: Path | None = None,
    look_beside: bool = True,
    reviews: bool = True,
    scorer: str | None = None,
    reading: str | None = None,
    units: Iterable[ToldUnit] = (),
) -> Night:
    """Open a recording with its truth and, where there is one, the review that was saved of it.

    ``truth_path`` and ``labels_path`` name the reference hypnogram and a saved review; with ``look_beside`` either is
    otherwise looked for by its name, a review only with ``reviews``. ``scorer`` is who is to score (default: whoever
    is logged in); a review is then looked for among those of that name alone, else one's own come before others'.
    ``reading`` says how to read the reference, where a person has said it; ``units`` were given for the recording's
    channels, and those that the review holds of other channels count as well. A reference that was named counts most,
    then the review's own, then one that was found (:func:`sleepviewer.review.companions.add_reference`);
    where they differ, a note says so. Trouble with a file that was only found is a note, with one that was named an
    error: RecordingError, ChannelError, HypnogramError, AlignmentError, ArchiveError.
    """
    recording = open_recording(path, units)
    try:
        night = _new_night(recording, scorer)
        if labels_path is not None:
            restore_review(night, labels_path)
        elif look_beside and reviews:
            _restore_found(night, only_own=scorer is not None)
        if truth_path is not None:
            _use_named_truth(night, truth_path, reading)
        elif look_beside:
            add_reference(night, reading)
    except BaseException:
        recording.close()
        raise
    return night


def _new_night(recording: Recording, scorer: str | None) -> Night:
    if recording.n_epochs == 0:
        raise RecordingError(
            f"{recording.name} lasts {recording.duration_s:.3g} s, less than one 30-second epoch: there is nothing to "
            "score."
        )
    document = Document(recording.n_epochs, scorer=scorer or usual_scorer())
    notes = (*recording.notes, *([note] if (note := clock_change_note(recording)) else []))
    return Night(recording, document, propose_scoring_channel(recording), notes=notes)


def _restore_found(night: Night, *, only_own: bool) -> None:
    """Take up the newest review that was saved of the recording, the scorer's own before others', and name the rest."""
    found = review_places(night.recording)
    places = [(place, scorer_in(place) if only_own or len(found) > 1 else "") for place in found]
    own = [place for place, scorer in places if scorer == night.document.scorer]
    others = [] if only_own else [place for place, scorer in places if scorer != night.document.scorer]
    for place in (*own, *others):
        if night.saved_path is not None:
            if is_review_of(night, place):
                whose = "an older review" if place in own else "another review"
                night.notes += (
                    f"{night.saved_path.name} was taken up; {place.name} is {whose} of this night. To open "
                    f"that one: sleepviewer {night.recording.name} --labels {place}",
                )
            continue
        try:
            restore_review(night, place)
        except SleepViewerError as error:
            night.notes += (f"{place.name} was found by its name but not taken up: {error}",)


def _use_named_truth(night: Night, path: Path, reading: str | None) -> None:
    before = night.document.truth
    set_truth_from(night, path, reading)
    now = night.document.truth
    if before is not None and now is not None and (differing := int(np.sum(before.stages != now.stages))):
        night.notes += (
            f"{path.name} takes the place of the saved review's expert ({before.source}); {differing} epochs differ.",
        )
