"""Montages that are kept: by name, by key, and the last one for each set of channels; as JSON in settings or a file.

What is read is checked value by value. Damage costs the montage that it is in and no other, and is told in a sentence.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sleepviewer.display.filters import Band
from sleepviewer.display.montage import AS_RECORDED, Derivation, Montage, Trace
from sleepviewer.display.montage_offers import AVERAGE, LINKED, OTHER_MASTOID
from sleepviewer.errors import MontageError
from sleepviewer.files import atomic_writer
from sleepviewer.recording.base import Recording, Role

KEYS: Final = range(1, 13)
"""Numbers of the keys F1 to F12."""
OFFERED: Final = (AS_RECORDED, OTHER_MASTOID, AVERAGE, LINKED)
"""Names of the montages that the program offers, at F1 to F4 while nothing else was saved there."""
LONGEST_NAME: Final = 60

_FORMAT: Final = "SleepViewer montages"
_VERSION: Final = 1
_MOST_REMEMBERED: Final = 40
_MOST_LANES: Final = 500
_LARGEST_FILE: Final = 4_000_000
_COLOR: Final = re.compile(r"#[0-9a-f]{6}")
SCALES: Final = (1e-4, 1e7)
"""Half heights that can be asked for, in a channel's unit."""
HEIGHTS: Final = (0.1, 20.0)
"""Relative heights of a lane that can be asked for."""

ChannelSet = tuple[str, ...]
"""Labels of a recording's channels, sorted: nights of one laboratory have the same."""


@dataclass(frozen=True, slots=True)
class MontageBook:
    """What is kept, as a value: every change makes another book.

    Attributes
    ----------
    saved: montages by name, in the order in which they were saved.
    keys: name of the saved montage at a key (1 to 12).
    last: what was shown last of each set of channels, the latest at the end.
    """

    saved: tuple[Montage, ...] = ()
    keys: tuple[tuple[int, str], ...] = ()
    last: tuple[tuple[ChannelSet, Montage], ...] = ()

    def named(self, name: str) -> Montage | None:
        """The saved montage of that name."""
        return next((montage for montage in self.saved if montage.name == name), None)

    def name_at(self, key: int) -> str | None:
        """Name of the montage that was saved at a key, or that is offered there while none is."""
        own = dict(self.keys).get(key)
        if own is None and key <= len(OFFERED):
            return OFFERED[key - 1]
        return own

    def key_of(self, name: str) -> int | None:
        """The key that calls a montage."""
        return next((key for key in KEYS if self.name_at(key) == name), None)

    def with_saved(self, montage: Montage, key: int | None = None) -> MontageBook:
        """Save a montage, in place of one of the same name; ``key`` calls it from now on, and nothing else does so.

        Raises MontageError where a montage can't have that name.
        """
        montage = replace(montage, name=checked_name(montage.name))
        if self.named(montage.name) is None:
            saved = (*self.saved, montage)
        else:
            saved = tuple(montage if old.name == montage.name else old for old in self.saved)
        keys = self.keys
        if key is not None:
            keys = tuple(sorted([(k, n) for k, n in keys if k != key and n != montage.name] + [(key, montage.name)]))
        return replace(self, saved=saved, keys=keys)

    def renamed(self, old: str, new: str) -> MontageBook:
        """Give a saved montage another name. Raises MontageError where it can't have it."""
        new = checked_name(new)
        if new != old and self.named(new) is not None:
            raise MontageError(f"There is a montage “{new}” already; choose another name.")
        saved = tuple(replace(m, name=new) if m.name == old else m for m in self.saved)
        return replace(self, saved=saved, keys=tuple((k, new if n == old else n) for k, n in self.keys))

    def without(self, name: str) -> MontageBook:
        """Forget a saved montage and its key."""
        saved = tuple(montage for montage in self.saved if montage.name != name)
        return replace(self, saved=saved, keys=tuple((k, n) for k, n in self.keys if n != name))

    def with_last(self, channels: ChannelSet, montage: Montage | None) -> MontageBook:
        """Remember what is shown of a set of channels; None forgets it. The oldest of many are forgotten too."""
        others = [(c, m) for c, m in self.last if c != channels]
        last = others if montage is None else [*others, (channels, montage)]
        return replace(self, last=tuple(last[-_MOST_REMEMBERED:]))

    def last_of(self, channels: ChannelSet) -> Montage | None:
        """What was shown last of a set of channels."""
        return dict(self.last).get(channels)

    def merged(self, other: MontageBook) -> tuple[MontageBook, tuple[str, ...]]:
        """Add another book's saved montages; return the book, and the names under which they are now.

        Nothing is lost: one that differs from what has its name already gets a number behind it, and a key that is
        taken keeps what it has.
        """
        book, names = self, []
        for montage in other.saved:
            same = book.named(montage.name)
            if same is not None and same != montage:
                montage = replace(montage, name=book.free_name(montage.name))
            key = next((k for k, n in other.keys if n == (montage.name if same is None else "")), None)
            book = book.with_saved(montage, None if key in dict(book.keys) else key)
            names.append(montage.name)
        return book, tuple(names)

    def free_name(self, name: str) -> str:
        """Return ``name``, or with a number behind it where it is taken."""
        taken = {montage.name for montage in self.saved} | set(OFFERED)
        numbered = (f"{name[: LONGEST_NAME - 6]} ({i})" for i in range(2, len(taken) + 3))
        return name if name not in taken else next(n for n in numbered if n not in taken)


def channels_of(recording: Recording) -> ChannelSet:
    """Return the set of channels that a montage is remembered for."""
    return tuple(sorted(channel.label for channel in recording.channels))


def checked_name(name: str) -> str:
    """Return a name as it is kept. Raises MontageError where a montage can't have it."""
    name = " ".join(name.split())
    if not name:
        raise MontageError("A montage needs a name.")
    if len(name) > LONGEST_NAME:
        raise MontageError(f"“{name[:20]}…” is too long for a name; {LONGEST_NAME} characters fit.")
    if name in OFFERED:
        raise MontageError(f"“{name}” is the name of a montage that the program offers; choose another name.")
    return name


# -- writing


def book_text(book: MontageBook) -> str:
    """Return a book as JSON."""
    keys = {name: key for key, name in book.keys}
    return json.dumps(
        {
            "format": _FORMAT,
            "version": _VERSION,
            "montages": [_montage_values(m) | {"key": keys.get(m.name)} for m in book.saved],
            "last": [{"channels": list(channels), "montage": _montage_values(m)} for channels, m in book.last],
        },
        ensure_ascii=False,
        indent=1,
    )


def write_book(book: MontageBook, path: Path) -> None:
    """Write the saved montages to a file, without what was shown last. Raises OutputError where it can't be written."""
    text = book_text(replace(book, last=()))
    with atomic_writer(path) as file:
        file.write(text.encode())


def _montage_values(montage: Montage) -> dict[str, object]:
    return {"name": montage.name, "traces": [_trace_values(trace) for trace in montage.traces]}


def _trace_values(trace: Trace) -> dict[str, object]:
    return {
        "plus": trace.derivation.plus,
        "minus": list(trace.derivation.minus),
        "high_pass_hz": trace.band.high_pass_hz,
        "low_pass_hz": trace.band.low_pass_hz,
        "notch_hz": trace.band.notch_hz,
        "half_height": trace.half_height,
        "color": trace.color,
        "height": trace.height,
        "visible": trace.visible,
        "role": None if trace.role is None else trace.role.value,
    }


# -- reading


class _DamageError(Exception):
    """A value that can't be, in the words that follow “because”."""


def read_book(text: str, source: str) -> tuple[MontageBook, tuple[str, ...]]:
    """Return what can be read of a book's JSON, and sentences about what can't; ``source`` says where it was.

    Raises MontageError where nothing can be: no JSON, another file, or one of a later version.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MontageError(f"{source} can't be read as montages: it is no JSON, or damaged.") from error
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise MontageError(f"{source} holds no montages of SleepViewer.")
    version = values.get("version")
    if not isinstance(version, int) or version < 1:
        raise MontageError(f"{source} does not say its version, so that its montages can't be read.")
    if version > _VERSION:
        raise MontageError(f"{source} was written by a later SleepViewer (its version is {version}); update this one.")
    book, notes = MontageBook(), []
    for number, entry in enumerate(_entries(values, "montages"), 1):
        try:
            montage, key = _montage(entry), _key(entry)
            if book.named(montage.name) is not None:
                raise _DamageError("another one has its name")
            book = book.with_saved(montage, None if key in dict(book.keys) else key)
        except (_DamageError, MontageError) as damage:
            notes.append(f"{source}: montage {number} was left out, because {damage}")
    for entry in _entries(values, "last"):
        try:
            channels = tuple(sorted(_texts(_mapping(entry).get("channels"), "channels")))
            book = book.with_last(channels, _montage(_mapping(entry).get("montage")))
        except _DamageError as damage:
            notes.append(f"{source}: what was shown last of some channels was left out, because {damage}")
    return book, tuple(note if note.endswith(".") else f"{note}." for note in notes)


def read_book_file(path: Path) -> tuple[MontageBook, tuple[str, ...]]:
    """Read a file of montages as :func:`read_book` does. Raises MontageError also where there is no such file."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_FILE + 1)
        if len(raw) > _LARGEST_FILE:
            raise MontageError(f"{path.name} is too large to be a file of montages.")
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise MontageError(f"{path} can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise MontageError(f"{path.name} can't be read as montages: it is no text.") from error
    return read_book(text, path.name)


def _entries(values: Mapping[str, object], name: str) -> Iterable[object]:
    entries = values.get(name)
    return entries if isinstance(entries, list) else ()


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _DamageError("its values have no names")
    return value


def _montage(value: object) -> Montage:
    values = _mapping(value)
    traces = values.get("traces")
    if not isinstance(traces, list) or not 0 < len(traces) <= _MOST_LANES:
        raise _DamageError("it has no lanes")
    return Montage(_text(values.get("name"), "name"), tuple(_trace(_mapping(trace)) for trace in traces))


def _trace(values: Mapping[str, object]) -> Trace:
    derivation = Derivation(_text(values.get("plus"), "channel"), _texts(values.get("minus", []), "channels"))
    band = Band(*(_number(values.get(name), name) for name in ("high_pass_hz", "low_pass_hz", "notch_hz")))
    if band.fault:
        raise _DamageError(f"{derivation.label} has an impossible filter: {band.fault}")
    height = _number(values.get("height", 1.0), "height", HEIGHTS)
    color, role, visible = values.get("color"), values.get("role"), values.get("visible", True)
    if not (color is None or (isinstance(color, str) and _COLOR.fullmatch(color))):
        raise _DamageError(f"{derivation.label} has a colour that is none")
    if not (role is None or (isinstance(role, str) and role in {r.value for r in Role})):
        raise _DamageError(f"{derivation.label} has an unknown role")
    if not isinstance(visible, bool):
        raise _DamageError(f"{derivation.label} is neither shown nor hidden")
    return Trace(
        derivation,
        band,
        _number(values.get("half_height"), "half_height", SCALES),
        color,
        1.0 if height is None else height,
        visible,
        None if role is None else Role(role),
    )


def _key(entry: object) -> int | None:
    key = _mapping(entry).get("key")
    if key is None:
        return None
    if isinstance(key, bool) or not isinstance(key, int) or key not in KEYS:
        raise _DamageError("its key is none of F1 to F12")
    return key


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise _DamageError(f"its {name} is no name")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_LANES:
        raise _DamageError(f"its {name} are no list")
    return tuple(_text(item, "channel") for item in value)


def _number(value: object, name: str, between: tuple[float, float] = (0.0, math.inf)) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _DamageError(f"its {name} is no number")
    if not between[0] <= value <= between[1] or value > 1e12:
        raise _DamageError(f"its {name} is out of range")
    return float(value)
