"""A night that is open: its recording, the document about it, and its expert's hypnogram."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sleepviewer.archive.tracks import read_any_track
from sleepviewer.errors import AmbiguousHypnogramError, RecordingError
from sleepviewer.files import sha256_of
from sleepviewer.hypnogram import Hypnogram, align
from sleepviewer.recording import Recording, ToldUnit, propose_scoring_channel, with_told_units
from sleepviewer.recording.base import FileStamp
from sleepviewer.review.document import Document


@dataclass(slots=True)
class Night:
    """A recording and the document about it.

    ``channel`` is the one that is scored and exported (None where no EEG was recognised and none chosen yet),
    ``notes`` what a user should know about the files. ``saved_path`` is the archive that holds the review, if any, and
    ``saved_stamp`` that file as this program last read or wrote it; ``reviewed_sha256`` is the recording's hash that a
    review which was taken up names. ``truth_path`` is the file that the expert's hypnogram was read from,
    ``ambiguous_truth`` one that lies beside the recording and waits for a person to say how it is read.
    """

    recording: Recording
    document: Document
    channel: str | None
    saved_path: Path | None = None
    saved_stamp: FileStamp | None = None
    reviewed_sha256: str | None = None
    truth_path: Path | None = None
    ambiguous_truth: tuple[Path, AmbiguousHypnogramError] | None = None
    notes: tuple[str, ...] = ()
    _sha256: str | None = field(default=None, repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the recording's file; computed at the first call, which reads the file once.

        Raises RecordingError where the file can't be read any more, or is not the one that was opened.
        """
        if self._sha256 is None:
            try:
                sha256 = sha256_of(self.recording.path)
            except OSError as error:
                reason = error.strerror or error
                raise RecordingError(f"{self.recording.path} can't be read any more: {reason}.") from error
            self.recording.check_unchanged()
            self._sha256 = sha256
        return self._sha256

    @property
    def known_sha256(self) -> str:
        """The recording's hash where it was computed already, else empty."""
        return self._sha256 or ""

    @property
    def foreign_review(self) -> str:
        """A sentence where the review that was taken up is of other content than the recording has, else empty.

        Computes the recording's hash.
        """
        if self.reviewed_sha256 is None or self.reviewed_sha256 == self.sha256:
            return ""
        return (
            f"The saved review was made of another {self.recording.name}: the file's content has changed since "
            "(SHA-256), so its labels may stand on the wrong epochs. Saving asks for another name."
        )


def load_truth(recording: Recording, path: Path, reading: str | None = None) -> Hypnogram:
    """Read a hypnogram of any format and lay it on the recording's epochs by clock time.

    ``reading`` says how to read it, where a person has said it; else AmbiguousHypnogramError asks for that where it has
    to be said.
    """
    track = read_any_track(path, reading)
    return align(track, start=recording.start, n_epochs=recording.n_epochs, name=recording.name)


def set_truth_from(night: Night, path: Path, reading: str | None = None) -> None:
    """Make a file the night's truth; what had to be shifted or left out is added to the notes."""
    set_truth(night, load_truth(night.recording, path, reading), path)


def set_truth(night: Night, truth: Hypnogram, path: Path) -> None:
    """Make a hypnogram that was read from a file the night's truth; its notes are added to the night's."""
    night.document.set_truth(truth)
    night.truth_path = path
    if night.ambiguous_truth is not None and night.ambiguous_truth[0] == path:
        unread = not_used(*night.ambiguous_truth)
        night.notes = tuple(note for note in night.notes if note != unread)
        night.ambiguous_truth = None
    night.notes += truth.notes


def not_used(path: Path, error: Exception) -> str:
    """Return the note on a hypnogram that lies beside a recording and could not be used."""
    return f"{path.name} was found by its name but not used: {error}"


def tell_units(night: Night, units: Iterable[ToldUnit]) -> None:
    """Have the night's channels be in the units that a person told, in these and no others.

    The recording is another object afterwards; its notes take the place of those of before, and a channel is proposed
    where none was. Raises ChannelError where they can't be told so; then nothing has changed.
    """
    before = night.recording
    night.recording = with_told_units(before, units)
    others = tuple(note for note in night.notes if note not in before.notes)
    night.notes = (*night.recording.notes, *others)
    if night.channel is None:
        night.channel = propose_scoring_channel(night.recording)
