"""A night on disk: channels at their own rates, read lazily in microvolts; channel roles; gaps."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sleepviewer.errors import RecordingError
from sleepviewer.recording.base import Channel, FileStamp, Gap, Recording, Role
from sleepviewer.recording.edf import open_edf
from sleepviewer.recording.edf_header import BDF_MAGIC, EDF_MAGIC
from sleepviewer.recording.mne_adapter import FORMATS, format_of, open_with_mne
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
    EDF and BDF are known by their first bytes, whatever the file is called; other formats by the suffix. Raises
    RecordingError, with a sentence, where the file is missing, not readable, damaged or of no known format.
    """
    recording = _open(Path(path))
    try:
        return with_told_units(recording, units)
    except BaseException:
        recording.close()
        raise


def _open(path: Path) -> Recording:
    magic = _first_bytes(path)
    if magic in (EDF_MAGIC, BDF_MAGIC):
        return open_edf(path)
    if path.suffix.lower() in (".edf", ".bdf", ".rec"):
        family = "BDF" if path.suffix.lower() == ".bdf" else "EDF"
        raise RecordingError(
            f"{path.name} is no {family} file, though it is called one: it does not begin as the format demands; "
            "choose another file."
        )
    if format_of(path) is not None:
        return open_with_mne(path)
    known = ", ".join(dict.fromkeys(FORMATS.values()))
    raise RecordingError(f"{path.name} is of no known format; choose an EDF or BDF file, or one of {known}.")


def _first_bytes(path: Path) -> bytes:
    """Return the first eight bytes of a file, or tell why it can't be read."""
    try:
        if path.is_dir():
            raise RecordingError(f"{path} is a folder; choose a recording in it.")
        with path.open("rb") as file:
            magic = file.read(8)
    except FileNotFoundError as error:
        raise RecordingError(f"No such file: {path}; check the name.") from error
    except PermissionError as error:
        raise RecordingError(f"{path} can't be read: no permission; ask its owner, or copy it.") from error
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from error
    if not magic:
        raise RecordingError(f"{path.name} is empty (0 bytes); copy it again.")
    return magic
