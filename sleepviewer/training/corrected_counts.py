"""How much of a corrected night was reviewed, and whether that suffices for a fine-tuning.

It counts what a tuning will learn from and the guard will judge by, so that nobody waits for one that must be refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import ArchiveError
from sleepviewer.training.corrected import reviewed_labels
from sleepviewer.training.guard import LEAST_AGREEING, LEAST_HELD_OUT, hold_out, seed_of


@dataclass(frozen=True, slots=True)
class NightCount:
    """One archive's epochs: all, the reviewed ones, those of them that the guard will keep aside.

    ``agreeing`` are the reviewed ones whose stage is what the model had said, None where no model had scored the night;
    ``recording`` is what tells two reviews of one recording; ``trouble`` a sentence where the archive can't be used.
    """

    path: Path
    epochs: int = 0
    reviewed: int = 0
    held_out: int = 0
    agreeing: int | None = None
    recording: str = ""
    trouble: str = ""

    @property
    def usable(self) -> bool:
        """Whether there is anything to learn from."""
        return not self.trouble and self.reviewed > 0

    @property
    def sentence(self) -> str:
        """What it says about a training on this night alone, in a phrase."""
        if self.trouble:
            return self.trouble
        if not self.reviewed:
            return "nothing reviewed yet"
        if self.held_out < LEAST_HELD_OUT:
            return f"too few alone: {self.held_out} of {LEAST_HELD_OUT} to keep aside"
        if self.agreeing is not None and self.agreeing < LEAST_AGREEING * self.reviewed:
            return "nearly all are the model's errors: accept some right ones"
        return f"suffices, {self.held_out} kept aside"


def count_night(path: Path, *, vouched: bool = False) -> NightCount:
    """Count a saved review's epochs; what is wrong with the file is its ``trouble``, and nothing is raised.

    ``vouched``: the user says that the whole night was gone through.
    """
    try:
        archive = read_archive(path)
    except ArchiveError as error:
        return NightCount(path, trouble=str(error))
    if not len(archive) or not archive.fs:
        return NightCount(path, trouble=f"{path.name} was saved without a signal; open the night and save it again.")
    y = reviewed_labels(archive, vouched=vouched)
    about = archive.meta.get("recording")
    sha256 = str(about.get("sha256") or "") if isinstance(about, dict) else ""
    held = hold_out(y, archive.epoch_index, seed_of(sha256 or path.stem)).test
    reviewed = y >= 0
    by_model = reviewed & (archive.y_model >= 0)
    return NightCount(
        path,
        len(archive),
        int(reviewed.sum()),
        int(held.sum()),
        int((y == archive.y_model)[by_model].sum()) if by_model.any() else None,
        sha256 or str(path.resolve()),
    )


def why_not(counts: Sequence[NightCount]) -> str:
    """Return why a training on these nights can't be started or must be refused; nothing where neither is known."""
    if not counts:
        return "Choose at least one corrected night."
    if troubled := [count for count in counts if not count.usable]:
        first = troubled[0]
        return first.trouble or f"No epoch of {first.path.name} was reviewed: leave it out, or correct and save it."
    recordings = Counter(count.recording for count in counts)
    for recording, times in recordings.items():
        if times > 1:
            names = [count.path.name for count in counts if count.recording == recording]
            return f"{' and '.join(names)} are of the same recording: choose one of them."
    held = sum(count.held_out for count in counts)
    if held < LEAST_HELD_OUT:
        return (
            f"Only {held} reviewed epochs can be kept aside, and it takes {LEAST_HELD_OUT} to tell whether the model"
            " got better: review more, or add a night."
        )
    return ""
