"""What a hypnogram file would mean under each of its possible readings, for the person who has to say which it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram.formats import read_track, title_of
from sleepviewer.hypnogram.words import MEANING, Numbers
from sleepviewer.stages import SCORED_STAGES, Stage


@dataclass(frozen=True, slots=True)
class Reading:
    """One possible reading of a file: ``id`` for asking for it, what it means, and minutes of each stage under it."""

    id: str
    meaning: str
    minutes: dict[Stage, float]

    @property
    def minutes_text(self) -> str:
        """The minutes in words, stages without any left out."""
        told = [f"{stage.label} {minutes:.4g} min" for stage, minutes in self.minutes.items() if minutes]
        return ", ".join(told) or "no stage at all"


def readings_of(path: Path, choices: Iterable[str]) -> tuple[Reading, ...]:
    """Read a file in each of these ways (:func:`format_ids`); a way in which it can't be read is left out."""
    found = []
    for choice in choices:
        try:
            bouts = read_track(path, choice).bouts
        except HypnogramError:
            continue
        minutes = {
            stage: sum(bout.duration_s for bout in bouts if bout.stage == stage) / 60
            for stage in (*SCORED_STAGES, Stage.UNKNOWN)
        }
        found.append(Reading(choice, meaning_of(choice), minutes))
    return tuple(found)


def meaning_of(reading: str) -> str:
    """Say in words what a reading takes a file for."""
    if reading in tuple(Numbers):
        return MEANING[Numbers(reading)]
    return title_of(reading)
