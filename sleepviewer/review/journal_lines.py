"""The lines of a journal: JSON, numbered, each with a check sum that tells a whole one from a torn or damaged one."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sleepviewer.errors import JournalError

_CHECKED: Final = re.compile(rb'^(\{.*),"crc":"([0-9a-f]{8})"\}$', re.DOTALL)


class NeverBegunError(JournalError):
    """A journal whose first line, which came with the first edit, was not written to its end: nobody saw that edit."""


def make_line(number: int, values: dict[str, Any]) -> bytes:
    """Return one line, its end included; ``number`` counts from 0, the header's."""
    # ASCII: names of files may hold bytes that are no text, which no other encoding takes.
    body = json.dumps({"n": number, **values}, allow_nan=False, separators=(",", ":"), default=_plain)
    begun = body.encode()[:-1]
    return begun + b',"crc":"%08x"}\n' % zlib.crc32(begun)


@dataclass(frozen=True, slots=True)
class Lines:
    """What could be read of a journal: its lines in order, and what is wrong with the rest (empty: nothing).

    ``torn`` says that the last line was not written to its end, as when the power failed: nothing else is lost by it.
    """

    values: tuple[dict[str, Any], ...]
    torn: bool
    damage: str


def read_lines(raw: bytes) -> Lines:
    """Read a journal's bytes up to the first line that is damaged.

    Raises JournalError where that is the first: NeverBegunError where nothing else was written.
    """
    good: list[dict[str, Any]] = []
    lines = list(_lines_of(raw))
    for place, line in enumerate(lines):
        values = _values_of(line, len(good))
        if values is None:
            if not good and len(lines) == 1 and not raw.rstrip(b"\0").endswith(b"\n"):
                raise NeverBegunError("its first line was not written to its end.")
            if not good:
                raise JournalError("its first line, which says what it is of, is damaged.")
            if any(_values_of(later, None) is not None for later in lines[place:]):
                left = len(lines) - place
                what = f"line {place + 1} is damaged: what stands before it counts, {left} lines from there do not"
                return Lines(tuple(good), torn=False, damage=what)
            return Lines(tuple(good), torn=True, damage="")
        good.append(values)
    if not good:
        raise NeverBegunError("it is empty.")
    return Lines(tuple(good), torn=False, damage="")


def _plain(value: Any) -> Any:
    """Return numpy's numbers as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} can't be written to a journal")


def _lines_of(raw: bytes) -> Iterator[bytes]:
    return (line for line in raw.split(b"\n") if line.strip(b"\0 \r"))


def _values_of(line: bytes, number: int | None) -> dict[str, Any] | None:
    """Return a line's values; None where it is not whole, or not the one of this number (None: of any)."""
    found = _CHECKED.match(line)
    if found is None or int(found[2], 16) != zlib.crc32(found[1]):
        return None
    try:
        values = json.loads(found[1] + b"}")
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or (number is not None and values.get("n") != number):
        return None
    return values
