"""What a file says at moments of the night: its annotations, on the recording clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# One time-stamped annotation list (EDF+, 2.2.2): onset, duration if given, and texts, each ended by 0x14.
_LIST: Final = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?\x14(.*)\x14", re.DOTALL)
_CHANNEL_MARK: Final = "@@"
_MOST_S: Final = 31 * 86_400.0  # what is further from the start than any recording lasts is damage


@dataclass(frozen=True, slots=True)
class Annotation:
    """A text at a moment, or over a stretch, of the recording clock.

    ``onset_s`` may lie outside the recording. ``duration_s`` is 0 where the file gives none. ``channel`` is the channel
    that it is about as the file names it, empty where it is about all of them.
    """

    onset_s: float
    duration_s: float
    text: str
    channel: str = ""

    @property
    def stop_s(self) -> float:
        """Where it ends."""
        return self.onset_s + self.duration_s


@dataclass(frozen=True, slots=True)
class Annotations:
    """A file's annotations in order of their onsets; ``notes`` tell what of them could not be read."""

    entries: tuple[Annotation, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Annotation]:
        return iter(self.entries)

    def __getitem__(self, index: int) -> Annotation:
        return self.entries[index]


def parse_lists(raw: bytes) -> tuple[list[Annotation], int]:
    """Return the annotations of one record's annotation channel, and how many of its lists are damaged.

    Onsets are as the file counts them, from the time of its header. Empty texts, which tell the record's own time, are
    left out. A text may end in ``@@`` and the name of the channel that it is about (EDF+, standard texts).
    """
    found: list[Annotation] = []
    damaged = 0
    for piece in raw.split(b"\x00"):
        if not piece:
            continue
        match = _LIST.fullmatch(piece)
        onset_s, duration_s = (0.0, 0.0) if match is None else (float(match[1]), float(match[2] or 0))
        if match is None or max(abs(onset_s), duration_s) > _MOST_S:
            damaged += 1
            continue
        for text in match[3].split(b"\x14"):
            if words := _words(text):
                what, mark, channel = words.rpartition(_CHANNEL_MARK)
                name = (what.strip(), channel.strip()) if mark else (words, "")
                found.append(Annotation(onset_s, duration_s, *name))
    return found, damaged


def in_order(entries: Sequence[Annotation]) -> tuple[Annotation, ...]:
    """Sort by onset; those at one moment stay in the file's order."""
    return tuple(sorted(entries, key=lambda entry: entry.onset_s))


def _words(text: bytes) -> str:
    """Decode a text, UTF-8 by the standard and Latin-1 by many a recorder, as one line."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        decoded = text.decode("latin-1")
    return " ".join("".join(c if c.isprintable() else " " for c in decoded).split())
