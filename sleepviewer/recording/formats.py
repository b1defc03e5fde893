"""Table of the recording formats: titles, endings and readers; dialogs, messages and documentation are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from sleepviewer.errors import RecordingError
from sleepviewer.files import ending_of, without_ending
from sleepviewer.recording.base import Recording
from sleepviewer.recording.edf import open_edf
from sleepviewer.recording.edf_header import BDF_MAGIC, EDF_MAGIC
from sleepviewer.recording.mne_adapter import open_with_mne

_HYPNOGRAM: Final = "hypnogram"


@dataclass(frozen=True, slots=True)
class RecordingFormat:
    """A format of recordings.

    Attributes
    ----------
    title: name in lists and messages.
    endings: of such files' names in lower case, the usual one first.
    open: returns the recording of a path; raises RecordingError.
    variants: what the documentation says of it: its variants, where there are some.
    note: what is understood, for the documentation.
    tests: modules below ``tests/`` that show it.
    magic: first bytes by which such a file is known whatever it is called; without them the ending decides.
    header_endings: beside a file of the same name with one of these endings, a file only holds that one's samples.
    """

    title: str
    endings: tuple[str, ...]
    open: Callable[[Path], Recording]
    variants: str = ""
    note: str = "through MNE"
    tests: tuple[str, ...] = ("recording/test_mne.py",)
    magic: bytes = b""
    header_endings: tuple[str, ...] = ()


def _through_mne(title: str) -> Callable[[Path], Recording]:
    return partial(open_with_mne, format_name=title)


FORMATS: Final[tuple[RecordingFormat, ...]] = (
    RecordingFormat(
        "EDF",
        (".edf", ".rec"),
        open_edf,
        "EDF, EDF+C, EDF+D",
        "every channel at its own rate; µV, mV, V and their many spellings; UTF-8 and Latin-1 labels; repeated labels; "
        "sub-second starts; records of any length; the gaps of EDF+D stay gaps, what follows stays in its place",
        ("recording/test_edf.py", "recording/test_gaps.py", "recording/test_differential.py"),
        magic=EDF_MAGIC,
    ),
    RecordingFormat(
        "BDF",
        (".bdf",),
        open_edf,
        "BDF, BDF+",
        "the same in 24 bits",
        ("recording/test_edf.py", "recording/test_differential.py"),
        magic=BDF_MAGIC,
    ),
    RecordingFormat(
        "BrainVision", (".vhdr", ".ahdr"), _through_mne("BrainVision"), note="through MNE; pauses are gaps"
    ),
    RecordingFormat("FIF", (".fif", ".fif.gz"), _through_mne("FIF"), note="through MNE; skipped stretches are gaps"),
    RecordingFormat("EEGLAB", (".set",), _through_mne("EEGLAB")),
    RecordingFormat("GDF", (".gdf",), _through_mne("GDF")),
    RecordingFormat("Neuroscan CNT", (".cnt",), _through_mne("Neuroscan CNT")),
    RecordingFormat(
        "Nihon Kohden",
        (".eeg",),
        _through_mne("Nihon Kohden"),
        note="through MNE; an `.eeg` file beside a BrainVision header of the same name holds that one's samples",
        header_endings=(".vhdr", ".ahdr"),
    ),
    RecordingFormat("Persyst", (".lay",), _through_mne("Persyst")),
)


def recording_endings() -> tuple[str, ...]:
    """Return the endings of all recordings, in the order of the table."""
    return tuple(dict.fromkeys(ending for known in FORMATS for ending in known.endings))


def recording_titles() -> str:
    """Return the formats' names in one line: ``EDF, BDF, BrainVision …``."""
    return ", ".join(known.title for known in FORMATS)


def base_name(path: Path) -> str:
    """Return the name of a recording without its ending, also a double one (``night`` of ``night.fif.gz``)."""
    return without_ending(path, recording_endings())


def format_named(path: Path) -> RecordingFormat | None:
    """Return the format that a file's ending names, or None."""
    ending = ending_of(path, recording_endings())
    return next((known for known in FORMATS if ending in known.endings), None)


def header_beside(path: Path) -> Path | None:
    """Return the header beside a file that only holds its samples (``.eeg`` beside ``.vhdr``), or None."""
    known = format_named(path)
    headers = () if known is None else known.header_endings
    places = (path.with_name(base_name(path) + ending) for ending in headers)
    return next((place for place in places if place.is_file()), None)


def is_recording_name(path: Path) -> bool:
    """Return whether a file in a folder is a recording by its name.

    That is one with a recording's ending that is neither hidden, nor called a hypnogram, nor another one's samples.
    """
    return (
        format_named(path) is not None
        and not path.name.startswith(".")
        and _HYPNOGRAM not in base_name(path).lower()
        and header_beside(path) is None
    )


def open_file(path: Path) -> Recording:
    """Open a recording by its first bytes, else by its ending.

    Raises RecordingError where the file is missing, not readable, damaged or of no known format.
    """
    start = _first_bytes(path)
    named = format_named(path)
    known = next((known for known in FORMATS if known.magic and start.startswith(known.magic)), None)
    if known is not None:
        return known.open(path)
    if named is None:
        raise RecordingError(f"{path.name} has an unknown format; use {_titles_and_endings()}.")
    if named.magic:
        raise RecordingError(
            f"{path.name} is no {named.title} file, though it is called one: it does not begin as the format demands; "
            "choose another file."
        )
    if (header := header_beside(path)) is not None:
        raise RecordingError(f"{path.name} holds the samples of {header.name}; open {header.name}.")
    return named.open(path)


def _titles_and_endings() -> str:
    return ", ".join(f"{known.title} ({', '.join(known.endings)})" for known in FORMATS)


def _first_bytes(path: Path) -> bytes:
    """Return the first eight bytes of a file. Raises RecordingError where it can't be read or is empty."""
    try:
        if path.is_dir():
            raise RecordingError(f"{path} is a folder; choose a recording in it.")
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError as error:
        raise RecordingError(f"No such file: {path}; check the name.") from error
    except PermissionError as error:
        raise RecordingError(f"{path} can't be read: permission denied.") from error
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from error
    if not start:
        raise RecordingError(f"{path.name} is empty (0 bytes); copy it again.")
    return start
