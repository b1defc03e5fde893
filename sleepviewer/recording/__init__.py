"""A night on disk: channels at their own rates, read lazily in microvolts; channel roles; gaps."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sleepviewer.recording.base import Channel, FileStamp, Gap, Recording, Role
from sleepviewer.recording.formats import open_file
from sleepviewer.recording.roles import guess_role, propose_emg, propose_eog, propose_scoring_channel
from sleepviewer.recording.units import ToldUnit
from sleepviewer.recording.units_told import with_told_units

__all__ = [
    "Channel",
    "FileStamp",
    "Gap",
    "Recording",
    "Role",
    "ToldUnit",
    "guess_role",
    "open_recording",
    "propose_emg",
    "propose_eog",
    "propose_scoring_channel",
    "with_told_units",
]


def open_recording(path: Path | str, units: Iterable[ToldUnit] = ()) -> Recording:
    """Open a night of any known format; nothing but its header is read.

    ``units`` is what a person has told of its channels (:func:`with_told_units`, whose ChannelError it may raise).
    EDF and BDF are known by their first bytes, whatever the file is called; other formats by the ending. Raises
    RecordingError, with a sentence, where the file is missing, not readable, damaged or of no known format.
    """
    recording = open_file(Path(path))
    try:
        return with_told_units(recording, units)
    except BaseException:
        recording.close()
        raise
