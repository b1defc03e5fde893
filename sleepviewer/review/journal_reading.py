"""Read journals back: what they are of, their steps, and the document that these lead to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sleepviewer.errors import ArchiveError, JournalError
from sleepviewer.review.document import Document
from sleepviewer.review.journal import FORMAT, VERSION
from sleepviewer.review.journal_lines import NeverBegunError, read_lines
from sleepviewer.review.state import ReviewState
from sleepviewer.review.state_folder import RecordingFacts
from sleepviewer.review.steps import Saved, Step, step_from_dict


@dataclass(frozen=True, slots=True, eq=False)
class KeptStep:
    """A step and when it was taken (UTC, ISO 8601)."""

    step: Step
    time: str


@dataclass(frozen=True, slots=True, eq=False)
class KeptJournal:
    """A journal as it was found: the review that it began with, and the steps from there.

    ``unsaved`` says that the beginning itself held what was not saved; ``continues`` names journals that it holds.
    ``damage`` is a sentence on what could not be read (empty: all could, but for a last line that was torn off).
    """

    path: Path
    id: str
    continues: tuple[str, ...]
    recording: RecordingFacts
    scorer: str
    software: str
    host: str
    begun: str
    unsaved: bool
    beginning: ReviewState
    steps: tuple[KeptStep, ...]
    damage: str

    @property
    def pending(self) -> int:
        """How many steps were not saved."""
        saves = [place for place, kept in enumerate(self.steps) if isinstance(kept.step, Saved)]
        return len(self.steps) - (saves[-1] + 1 if saves else 0)

    @property
    def has_unsaved(self) -> bool:
        """Whether it may hold what no file holds."""
        saved = any(isinstance(kept.step, Saved) for kept in self.steps)
        return self.pending > 0 or (self.unsaved and not saved)

    @property
    def last_time(self) -> str:
        """When its last step was taken (UTC, ISO 8601)."""
        return self.steps[-1].time if self.steps else self.begun

    def replay(self) -> Document:
        """Return the document that the steps lead to."""
        document = Document(self.recording.n_epochs, scorer=self.scorer)
        document.take(self.beginning)
        for kept in self.steps:
            document.repeat(kept.step)
        return document


def read_journal(path: Path) -> KeptJournal:
    """Read a journal; a torn last line is dropped, and what follows a damaged one is left out and told.

    Raises JournalError where it can't be read, or its first line, the header, is damaged; NeverBegunError where there
    is no more than a beginning of that one.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise JournalError(f"The journal {path} can't be read: {error.strerror or error}.") from error
    try:
        lines = read_lines(raw)
        header, *rest = lines.values
        journal = _begun(path, header)
    except NeverBegunError as error:
        raise NeverBegunError(f"The journal {path} holds nothing: {error}") from error
    except (JournalError, ArchiveError) as error:
        raise JournalError(f"The journal {path} can't be read: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"The journal {path} can't be read: its header is damaged ({error!r}).") from error
    damage = f"{path}: {lines.damage}" if lines.damage else ""
    steps: list[KeptStep] = []
    facts = journal.recording
    for place, values in enumerate(rest):
        try:
            if values.get("op") == "sha256":
                facts = replace(facts, sha256=str(values.get("sha256", "")))
                continue
            steps.append(KeptStep(step_from_dict(values, facts.n_epochs), str(values.get("t", ""))))
        except ArchiveError as error:
            left = len(rest) - place
            damage = f"{path}: line {place + 2} is of no use, and {left} lines from there were left out: {error}"
            break
    return replace(journal, recording=facts, steps=tuple(steps), damage=damage)


def _begun(path: Path, header: dict[str, Any]) -> KeptJournal:
    if header.get("format") != FORMAT:
        raise JournalError("it is no journal.")
    if header.get("version") != VERSION:
        raise JournalError(f"it was written by a later version ({header.get('software')}); update the program.")
    facts = RecordingFacts.from_dict(header["recording"])
    return KeptJournal(
        path=path,
        id=str(header["id"]),
        continues=tuple(str(other) for other in header["continues"]),
        recording=facts,
        scorer=str(header["scorer"]),
        software=str(header["software"]),
        host=str(header["host"]),
        begun=str(header["begun"]),
        unsaved=header["unsaved"] is True,
        beginning=ReviewState.from_dict(header["state"], facts.n_epochs),
        steps=(),
        damage="",
    )
