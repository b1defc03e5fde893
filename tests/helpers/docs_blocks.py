"""Takes the commands and programs out of the pages of the documentation, in the order in which a reader meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.places import ROOT

PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "benchmarks" / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
)

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
_PROGRAMS = re.compile(r"(\.venv/bin/)?(sleepviewer|python3?|pip|mkdocs|mkdir|mv|cp|cd|nsrr)\s")


@dataclass(frozen=True, slots=True)
class Command:
    """One line for a shell."""

    line: str


@dataclass(frozen=True, slots=True)
class Program:
    """A block of Python."""

    text: str


def blocks_of(page: Path) -> Iterator[Command | Program]:
    """Return what a page has to run; blocks without a language count where they begin with a program's name."""
    for indent, language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        lines = [line.removeprefix(indent) for line in text.splitlines()]
        if language == "python":
            yield Program("\n".join(lines))
        elif language == "console":
            yield from (Command(line.removeprefix("$ ").strip()) for line in lines if line.startswith("$ "))
        elif language == "sh" or (not language and lines and _PROGRAMS.match(lines[0])):
            yield from (Command(line.strip()) for line in lines if line.strip())


def name_of(page: Path) -> str:
    """The page as it is told."""
    return page.relative_to(ROOT).as_posix()
