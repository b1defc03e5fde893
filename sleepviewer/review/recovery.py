"""Find edits that were never saved, say what they are, take them up again or put them aside; nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sleepviewer.errors import JournalError
from sleepviewer.review.document import Document
from sleepviewer.review.journal import ENDING, Journal, Safety, move_aside, move_to_previous
from sleepviewer.review.journal_lines import NeverBegunError
from sleepviewer.review.journal_reading import KeptJournal, read_journal
from sleepviewer.review.night import Night
from sleepviewer.review.night_lock import living_holder, lock_path
from sleepviewer.review.state import common_beginning, same_prediction
from sleepviewer.review.state_folder import RecordingFacts, StateFolders, make_private


@dataclass(frozen=True, slots=True)
class Found:
    """The journals that lie in the user's folders, the latest first, and a sentence for each that can't be read."""

    journals: tuple[KeptJournal, ...]
    unreadable: tuple[str, ...] = ()


def find_journals(folders: StateFolders) -> Found:
    """Read all journals that were not retired: one for each beginning, and none that another one holds."""
    journals: dict[str, KeptJournal] = {}
    unreadable: list[str] = []
    for path in _files(folders):
        try:
            journal = read_journal(path)
        except NeverBegunError:
            continue
        except JournalError as error:
            unreadable.append(str(error))
            continue
        other = journals.get(journal.id)  # the same one, in the usual folder and among the temporary files
        if other is None or len(other.steps) < len(journal.steps):
            journals[journal.id] = journal
    held = {other for journal in journals.values() for other in journal.continues}
    those = (journal for journal in journals.values() if journal.id not in held)
    return Found(tuple(sorted(those, key=lambda journal: journal.last_time, reverse=True)), tuple(unreadable))


def _files(folders: StateFolders) -> list[Path]:
    files: list[Path] = []
    for folder in (folders.journals, folders.fallback):
        with suppress(OSError):
            if folder.is_dir():
                files += sorted(make_private(folder).glob(f"*{ENDING}"))
    return files


def unsaved_journals(folders: StateFolders) -> Found:
    """Return the journals that may hold unsaved edits and that no window has open."""
    found = find_journals(folders)
    free = (journal for journal in found.journals if journal.has_unsaved and not is_open(journal, folders))
    return Found(tuple(free), found.unreadable)


def is_open(journal: KeptJournal, folders: StateFolders) -> bool:
    """Whether a window edits the night of a journal just now."""
    return living_holder(lock_path(journal.recording, journal.scorer, folders)) is not None


@dataclass(frozen=True, slots=True)
class RecoveredEdit:
    """One command in force at the end of a journal: when (UTC), what, and whether the saved review has it already."""

    time: str
    text: str
    saved: bool


@dataclass(frozen=True, slots=True, eq=False)
class Recovered:
    """What a journal holds for a night that is open: the review that it leads to, and what is new in it.

    ``doubt`` is a sentence where the recording may be another one than the journal's, else empty.
    """

    journal: KeptJournal
    document: Document
    edits: tuple[RecoveredEdit, ...]
    new_scoring: bool
    new_base: bool
    new_blinding: bool
    taken_back: int
    doubt: str

    @property
    def unsaved(self) -> int:
        """How many edits the saved review does not have."""
        return sum(not edit.saved for edit in self.edits)

    @property
    def is_news(self) -> bool:
        """Whether it holds anything that the night as it was opened does not."""
        return self.unsaved > 0 or self.taken_back > 0 or self.new_scoring or self.new_base or self.new_blinding


def recover(night: Night, journal: KeptJournal) -> Recovered:
    """Replay a journal and compare what it leads to with the night as it was opened."""
    document = journal.replay()
    ours, theirs = night.document.history, document.history
    common = common_beginning(ours, theirs)
    edits = tuple(
        RecoveredEdit(str(getattr(edit, "time", "")), edit.text, place < common) for place, edit in enumerate(theirs)
    )
    # A journal that merely ends before the saved review does has taken nothing back.
    taken_back = len(ours) - common if len(theirs) > common or document.undone else 0
    scoring = document.kept_prediction
    return Recovered(
        journal=journal,
        document=document,
        edits=edits,
        new_scoring=scoring is not None and not same_prediction(scoring, night.document.kept_prediction),
        new_base=document.base_is_chosen and document.kept_base is not night.document.kept_base,
        new_blinding=document.blinding.until != night.document.blinding.until
        or (document.blinding.since != "" and night.document.blinding.since == ""),
        taken_back=taken_back,
        doubt=_doubt(night, journal),
    )


def _doubt(night: Night, journal: KeptJournal) -> str:
    facts, known = RecordingFacts.of(night.recording, night.known_sha256), journal.recording
    if facts.is_at_the_place_of(known) or (facts.sha256 and facts.sha256 == known.sha256):
        return ""
    return (
        f"{night.recording.name} has been changed since these edits were made, and its content then is not known: they "
        "may stand on the wrong epochs."
    )


def is_blind_in_a_journal(night: Night, folders: StateFolders) -> bool:
    """Whether a journal that was not saved says that the night's scorer was blinded: to be known before it is shown."""
    facts, scorer = RecordingFacts.of(night.recording, night.known_sha256), night.document.scorer
    journals = (journal for journal in find_journals(folders).journals if journal.has_unsaved)
    return any(belongs_to(journal, facts, scorer) and journal.replay().blinded for journal in journals)


def belongs_to(journal: KeptJournal, facts: RecordingFacts, scorer: str) -> bool:
    """Whether a journal is of this recording and scorer: the same content, or the same file as far as can be told."""
    known = journal.recording
    if (journal.scorer, known.n_epochs, known.start) != (scorer, facts.n_epochs, facts.start):
        return False
    if facts.is_at_the_place_of(known):
        return True
    if facts.sha256 and known.sha256:
        return facts.sha256 == known.sha256
    return known.path == facts.path and not known.sha256


def recoveries(night: Night, folders: StateFolders, *, but: Iterable[str] = (), tidy: bool = True) -> list[Recovered]:
    """Return what can be recovered for a night that is open and locked for us, the latest first.

    Journals whose ids are in ``but`` are passed over. Those that hold nothing which the night does not have are retired
    on the way, if it is to be ``tidy``.
    """
    facts, scorer = RecordingFacts.of(night.recording, night.known_sha256), night.document.scorer
    ours, passed = lock_path(facts, scorer, folders), set(but)
    news: list[Recovered] = []
    for journal in find_journals(folders).journals:
        lock = lock_path(journal.recording, journal.scorer, folders)
        if journal.id in passed or not belongs_to(journal, facts, scorer):
            continue
        if lock != ours and living_holder(lock) is not None:  # a copy of this recording that is open elsewhere
            continue
        recovered = recover(night, journal)
        if recovered.is_news:
            news.append(recovered)
        elif tidy:
            with suppress(OSError):
                move_to_previous(journal.path, folders)
    return news


def take_up(night: Night, recovered: Recovered, journal: Journal, folders: StateFolders) -> None:
    """Make the recovered review the night's; ``journal`` goes on with it, and the old one is retired once that is safe.

    Raises AlignmentError where it has another number of epochs.
    """
    night.document.take(recovered.document.state)
    journal.begin((recovered.journal.id, *recovered.journal.continues))
    if journal.state.safety is Safety.SAFE:
        with suppress(OSError):
            move_to_previous(recovered.journal.path, folders)


def set_aside(recovered: KeptJournal, folders: StateFolders) -> Path | None:
    """Put a journal among those that were set aside; return where it is, None where it can't be moved and stays."""
    try:
        return move_aside(recovered.path, folders)
    except OSError:
        return None
