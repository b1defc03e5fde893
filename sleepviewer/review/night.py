"""A night that is open: its recording, the document about it, and its expert's hypnogram."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sleepviewer.archive.tracks import read_any_track
from sleepviewer.errors import RecordingError
from sleepviewer.files import sha256_of
from sleepviewer.hypnogram import Hypnogram, align
from sleepviewer.recording import Recording
from sleepviewer.recording.base import FileStamp
from sleepviewer.review.document import Document


@dataclass(slots=True)
class Night:
    """A recording and the document about it.

    ``channel`` is the one that is scored and exported (None where no EEG was recognised and none chosen yet),
    ``notes`` what a user should know about the files. ``saved_path`` is the archive that holds the review, if any, and
    ``saved_stamp`` that file as this program last read or wrote it; ``reviewed_sha256`` is the recording's hash that a
    review which was taken up names. ``truth_path`` is the file that the expert's hypnogram was read from.
    """

    recording: Recording
    document: Document
    channel: str | None
    saved_path: Path | None = None
    saved_stamp: FileStamp | None = None
    reviewed_sha256: str | None = None
    truth_path: Path | None = None
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


def load_truth(recording: Recording, path: Path) -> Hypnogram:
    """Read a hypnogram of any format and lay it on the recording's epochs by clock time."""
    return align(read_any_track(path), start=recording.start, n_epochs=recording.n_epochs, name=recording.name)


def set_truth_from(night: Night, path: Path) -> None:
    """Make a file the night's truth; what had to be shifted or left out is added to the notes."""
    set_truth(night, load_truth(night.recording, path), path)


def set_truth(night: Night, truth: Hypnogram, path: Path) -> None:
    """Make a hypnogram that was read from a file the night's truth; its notes are added to the night's."""
    night.document.set_truth(truth)
    night.truth_path = path
    night.notes += truth.notes
