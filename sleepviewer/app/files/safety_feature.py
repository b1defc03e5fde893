"""Keeps what the expert says from being lost: the journal, the lock, automatic copies, and what is found again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.files.autosaver import Autosaver
from sleepviewer.app.files.recovery_dialog import RecoveryDialog, Verdict
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.shell.welcome import UnsavedNight
from sleepviewer.app.work.background import Background
from sleepviewer.display.clock import local_time
from sleepviewer.review.journal import Journal, JournalState, Safety
from sleepviewer.review.journal_reading import KeptJournal
from sleepviewer.review.night_lock import Holder, NightLock
from sleepviewer.review.recovery import Found, Recovered, recoveries, set_aside, take_up, unsaved_journals
from sleepviewer.review.state_folder import RecordingFacts, StateFolders

_LOOK_MS = 3000
"""Between two looks at a journal that could not be written, or at a night that another window has."""


class SafetyPart(QObject):
    """Nothing is kept of a window that remembers nothing, as one that is only painted into a picture."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._folders = StateFolders.of_user()
        self._session: NightSession | None = None
        self._journal: Journal | None = None
        self._lock: NightLock | None = None
        self._found: list[Recovered] = []
        self._later: set[str] = set()
        self._asking = False
        self._autosaver = Autosaver(self._folders, self)
        self._autosaver.trouble.connect(services.tell)
        self._search = Background("unsaved", self)
        self._search.done.connect(self._show_unsaved)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        services.welcome.unsaved_requested.connect(lambda path, scorer: self._open_unsaved(Path(path), scorer))
        if services.settings.remembers:
            self._search.start(lambda _: unsaved_journals(self._folders))

    def commands(self) -> Commands:
        return {"open_as": self.open_as_another, "recover": self.ask_about_recovered}

    def enabled(self) -> Mapping[str, bool]:
        return {"recover": bool(self._found)}

    def set_theme(self, theme: Theme) -> None:
        """Nothing here has colours of its own."""

    def set_session(self, session: NightSession) -> None:
        self._leave()
        self._session = session
        if not self._services.settings.remembers:
            return
        self._lock_night(session)
        session.document_changed.connect(self._on_change)
        session.fingerprinted.connect(self._on_fingerprint)
        self._timer.start()

    @property
    def journal(self) -> Journal | None:
        """What keeps the open night's edits; None where none is open, or it is read-only."""
        return self._journal

    def close(self) -> None:
        self._search.close()
        self._leave()
        self._autosaver.close()

    def _leave(self) -> None:
        """Let go of the night before: its journal is retired, set aside or left for the next time."""
        session, journal = self._session, self._journal
        self._timer.stop()
        self._autosaver.set_night(None)
        if session is not None and journal is not None:
            session.document.set_recorder(None)
            if not session.document.unsaved:
                journal.retire()
            elif session.is_discarded:
                journal.set_aside()
            else:
                journal.close()
        if self._lock is not None:
            self._lock.release()
        self._session = self._journal = self._lock = None
        self._found, self._later = [], set()
        self._services.page.notice.show_notice("")

    # -- one window edits a night

    def _lock_night(self, session: NightSession) -> None:
        facts, scorer = RecordingFacts.of(session.night.recording), session.document.scorer
        lock = NightLock(facts, scorer, self._folders)
        holder = lock.acquire()
        if holder is not None:
            self.show_read_only(session, holder)
            return
        self._lock = lock
        if lock.taken_over is not None:
            self._services.tell(f"Taken over from {lock.taken_over.text}, which is not running any more")
        self._journal = Journal(session.night, self._folders)
        session.document.set_recorder(self._journal)
        session.is_journaled = True
        self._autosaver.set_minutes(self._services.settings.autosave_min)
        self._autosaver.set_night(session.night)
        self._look_for_edits()

    def show_read_only(self, session: NightSession, holder: Holder) -> None:
        """Refuse edits from now on, and say who has the night."""
        name, scorer = session.night.recording.name, session.document.scorer
        whose = "" if scorer == holder.user else f" as {scorer}"
        session.document.set_read_only(
            f"{name} is open for editing in another window ({holder.text}): nothing was changed here."
        )
        self._services.page.notice.show_notice(
            f"READ-ONLY: {name} is being edited{whose} by {holder.text}. This window can edit it once the other has "
            "closed it, and looks for that by itself.",
            [("Scorer…", self.open_as_another)],
        )

    def open_as_another(self) -> None:
        """Open the night again for a scorer whose name is asked for."""
        if self._session is None:
            return
        name = dialogs.ask_scorer(self._services.window, self._session.document.scorer)
        if name is not None:
            self._services.open_as(self._session.night.recording.path, name)

    def look(self) -> None:
        """See whether the journal can be written again, whether the lock is still ours, whether the other has gone."""
        session = self._session
        if session is None:
            return
        if self._journal is not None:
            self._journal.retry()
            self._show_safety()
        if self._lock is None:
            self._try_to_edit(session)
        elif self._lock.is_lost:
            self._lose(session)

    def _try_to_edit(self, session: NightSession) -> None:
        """Open the night anew once nobody else has it: what the other saved is to be seen first."""
        facts, scorer = RecordingFacts.of(session.night.recording), session.document.scorer
        lock = NightLock(facts, scorer, self._folders)
        if lock.acquire() is not None:
            return
        lock.release()
        epoch = session.epoch
        self._services.open_as(session.night.recording.path, scorer)
        if (now := self._session) is not None and now is not session:
            now.go_to(epoch)
            if not now.document.read_only:
                self._services.tell("The other window has closed this night: you can edit it now")

    def _lose(self, session: NightSession) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
        sentence = (
            f"{session.night.recording.name} was taken over by another machine while this one slept or its drive was "
            "away. Your unsaved edits are in this machine's journal; nothing more can be changed here."
        )
        session.document.set_read_only(sentence)
        if self._journal is not None:
            session.document.set_recorder(None)
            self._journal.close()
            self._journal = None
        self._services.page.notice.show_notice(
            f"READ-ONLY: {sentence}", [("Scorer…", self.open_as_another)], is_error=True
        )

    # -- the journal

    def _on_change(self, _: object) -> None:
        if self._session is not None and self._journal is not None and self._journal.state != self._session.safety:
            self._show_safety()

    def _on_fingerprint(self) -> None:
        if self._session is None or self._journal is None:
            return
        self._journal.note_sha256(self._session.night.known_sha256)
        self._look_for_edits()

    def _show_safety(self) -> None:
        session, journal = self._session, self._journal
        if session is None or journal is None or journal.state == session.safety:
            return
        session.safety = journal.state
        self.show_state(journal.state)
        self._services.refresh()

    def show_state(self, state: JournalState) -> None:
        """Show above the night that the edits are not where they belong; nothing where they are."""
        unsafe = state.safety is Safety.UNSAFE
        self._services.page.notice.show_notice(
            f"⚠  {'NOT SAFE: ' if unsafe else ''}{state.sentence}" if state.sentence else "",
            [("Try again", self.look), ("Save as…", lambda: self._services.actions["save_as"].trigger())],
            is_error=unsafe,
        )

    # -- what was not saved

    def _look_for_edits(self) -> None:
        if self._session is None or self._journal is None:
            return
        own = {self._journal.id} if self._journal.id else set()
        self._found = recoveries(self._session.night, self._folders, but=own)
        if any(found.journal.id not in self._later for found in self._found):
            QTimer.singleShot(0, self._offer)
        self._services.refresh()

    def _offer(self) -> None:
        if any(found.journal.id not in self._later for found in self._found):
            self.ask_about_recovered()

    def ask_about_recovered(self) -> None:
        """Show what was found and do what the user wants with it, one journal after the other."""
        if self._asking:
            return
        if not self._found:
            self._services.tell("No unsaved edits of this night were found")
        self._asking = True
        try:
            for recovered in list(self._found):
                if self._session is None or recovered not in self._found:
                    break
                self._ask(self._session, recovered)
        finally:
            self._asking = False

    def _ask(self, session: NightSession, recovered: Recovered) -> None:
        here, unsaved = session.night.recording.path.resolve(), session.document.unsaved
        dialog = RecoveryDialog(recovered, here, self._services.window, instead=unsaved)
        dialog.exec()
        if session is not self._session or self._journal is None:
            return
        if dialog.verdict is Verdict.TAKE_UP:
            self.take_up(recovered)
        elif dialog.verdict is Verdict.SET_ASIDE:
            self.set_aside(recovered.journal)
        else:
            self._later.add(recovered.journal.id)
            self._services.tell("The unsaved edits wait: File › Recover unsaved edits")

    def take_up(self, recovered: Recovered) -> None:
        """Make the recovered edits the night's."""
        if self._session is None or self._journal is None:
            return
        if self._session.document.unsaved:  # edits made since the night was opened are not mixed with older ones
            if self._journal.state.safety is Safety.UNSAFE:
                self._services.trouble("Nothing was taken up: the edits made here are not safe yet. Save them first.")
                return
            self._journal.set_aside()
            self._services.tell("The edits since the night was opened were set aside")
        take_up(self._session.night, recovered, self._journal, self._folders)
        self._forget(recovered.journal)
        count = len(recovered.edits)
        self._services.tell(f"{count} edit{'' if count == 1 else 's'} taken up; not saved yet")
        self._show_safety()

    def set_aside(self, journal: KeptJournal) -> None:
        """Put a journal aside and say where it is."""
        place = set_aside(journal, self._folders)
        if place is None:
            self._services.trouble(f"The journal {journal.path} can't be moved, and will be offered again.")
            self._later.add(journal.id)
            return
        self._forget(journal)
        self._services.tell(f"Set aside: {place}")

    def _forget(self, journal: KeptJournal) -> None:
        self._found = [found for found in self._found if found.journal.id != journal.id]
        self._services.refresh()

    def _show_unsaved(self, found: Found) -> None:
        nights: dict[tuple[str, str], UnsavedNight] = {}
        for journal in found.journals:
            facts = journal.recording
            whose = "" if journal.scorer == self._services.settings.scorer else f", {journal.scorer}"
            text = f"{facts.name}{whose}   (last edit {local_time(journal.last_time)})"
            nights.setdefault((facts.path, journal.scorer), UnsavedNight(Path(facts.path), journal.scorer, text))
        self._services.welcome.show_unsaved(list(nights.values()))
        if found.unreadable and self._session is None:
            self._services.trouble(" ".join(found.unreadable))

    def _open_unsaved(self, path: Path, scorer: str) -> None:
        if scorer == self._services.settings.scorer:
            self._services.open_path(path)
        else:
            self._services.open_as(path, scorer)
