"""What a data set tells the preparation: where a night's files are, and which channel is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sleepviewer.errors import DatasetError


@dataclass(frozen=True, slots=True)
class NightSources:
    """A night of a data set: its name, whose it is, and its two files.

    ``recording_night`` counts a subject's nights or visits from 1. Without a ``hypnogram``, ``trouble`` says why.
    """

    night: str
    subject: str
    recording_night: int
    recording: Path
    hypnogram: Path | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ChannelWish:
    """The channel to prepare: its derivation, the labels that the data set's files give it, and its rate.

    With ``loosely``, labels are compared by their letters and digits alone.
    """

    dataset: str
    channel: str
    labels: tuple[str, ...]
    rate_hz: float
    loosely: bool = False

    def key(self, label: str) -> str:
        """Return what of a label is compared."""
        return "".join(c for c in label.lower() if c.isalnum()) if self.loosely else label


def files_in(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder and the folders in it, in order. Raises DatasetError where there is no folder."""
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder; name the one with the data set's files.")
    try:
        yield from sorted(path for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise DatasetError(f"{folder} can't be read: {error.strerror or error}.") from error
