"""Walk through XML files that strangers made: no document types, no entities, nothing outside the file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sleepviewer.errors import HypnogramError

_MAX_BYTES: Final = 64 << 20
_MAX_DEPTH: Final = 64
_MAX_WORD: Final = 1000


@dataclass(frozen=True, slots=True)
class Element:
    """An element that has been read whole.

    ``place`` are the names from the root down to its own, without namespaces; ``text`` is its own text, ``children``
    the texts of its direct children by name (of several of one name the last).
    """

    place: tuple[str, ...]
    text: str
    attributes: Mapping[str, str]
    children: Mapping[str, str]


def elements(path: Path, names: Collection[str]) -> Iterator[Element]:
    """Read the elements of these names, in the order in which they end; the root comes first, with nothing in it.

    Memory does not grow with the file: what was passed is let go.

    Raises HypnogramError where the file can't be read, is larger than 64 MB or no well-formed XML, is nested more than
    64 levels deep, or declares a document type: no recorder writes one, and entities declared there could fill the
    memory.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise HypnogramError(f"{path.name} is larger than {_MAX_BYTES >> 20} MB, which no hypnogram is.")
        with path.open("rb") as file:
            yield from _walk(iterparse(file, events=("start", "end"), forbid_dtd=True), frozenset(names), path)
    except DefusedXmlException as error:
        raise HypnogramError(
            f"{path.name} declares a document type, which no hypnogram does; it was not read, since such "
            "declarations can fill the memory."
        ) from error
    except (ParseError, LookupError, ValueError) as error:  # an encoding that does not exist, or does not fit
        raise HypnogramError(f"{path.name} is damaged or no XML file ({error}); export it again.") from error
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error


def _walk(events: Iterator[tuple[str, Any]], names: frozenset[str], path: Path) -> Iterator[Element]:
    stack: list[Any] = []
    place: list[str] = []
    wanted = 0  # how many of the elements that we are in are asked for: their children must stay
    for event, node in events:
        if event == "start":
            stack.append(node)
            place.append(_local(node.tag))
            if len(place) > _MAX_DEPTH:
                raise HypnogramError(f"{path.name} is nested more than {_MAX_DEPTH} levels deep; it was not read.")
            if len(place) == 1:
                yield Element(tuple(place), "", dict(node.attrib), {})
            wanted += place[-1] in names
            continue
        if place[-1] in names:
            wanted -= 1
            children = {_local(child.tag): _text(child) for child in node}
            yield Element(tuple(place), _text(node), {_local(k): v for k, v in node.attrib.items()}, children)
        stack.pop()
        place.pop()
        if not wanted and stack:
            stack[-1].remove(node)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _text(node: Any) -> str:
    return (node.text or "")[:_MAX_WORD].strip()


def root_of(path: Path) -> str:
    """Return the name of the root. Raises HypnogramError as :func:`elements` does."""
    return next(elements(path, ())).place[0]
