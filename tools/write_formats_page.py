"""Write the tables of docs/formats.md and docs/exporting.md from the tables of formats.

python tools/write_formats_page.py
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sleepviewer.archive.tracks import all_formats
from sleepviewer.hypnogram.formats import HypnogramFormat, format_ids
from sleepviewer.hypnogram.words import Numbers
from sleepviewer.recording import formats as recordings

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "docs" / "formats.md", ROOT / "docs" / "exporting.md")
BLOCK = re.compile(
    r"(?P<begin><!-- (?P<name>\w+), written by tools/write_formats_page\.py -->\n)"
    r".*?(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)


def with_tables(text: str) -> str:
    """Return a page's text with its marked blocks as the tables of formats have them."""
    made = {"recordings": _recordings, "hypnograms": _hypnograms, "readings": _readings, "exports": _exports}

    def written(block: re.Match[str]) -> str:
        lines = "\n".join(made[block["name"]]())
        return f"{block['begin']}\n{lines}\n\n{block['end']}"

    return BLOCK.sub(written, text)


def _recordings() -> Iterator[str]:
    yield from _head("format", "endings", "what is understood", "tests")
    for known in recordings.FORMATS:
        yield _row(known.variants or known.title, _code(known.endings), known.note, _code(known.tests))


def _hypnograms() -> Iterator[str]:
    yield from _head("format", "known by", "read", "written", "found beside `NAME.edf` as", "epochs", "clock", "tests")
    for known in all_formats():
        written = dict.fromkeys(ending for export in known.exports for ending in export.endings)
        beside = (*(f"NAME-{word.capitalize()}" for word in known.companion_words), *_own_names(known))
        yield _row(
            known.title,
            known.known_by,
            _code(known.endings),
            _code(written),
            _code(beside),
            known.epochs,
            known.clock,
            _code(known.tests),
        )


def _own_names(known: HypnogramFormat) -> Iterator[str]:
    return (f"NAME{ending}" for ending in known.companion_endings)


def _readings() -> Iterator[str]:
    yield f"{_code(name for name in format_ids() if name not in tuple(Numbers))}."


def _exports() -> Iterator[str]:
    yield from _head("format", "endings", "what is written")
    for known in all_formats():
        for export in known.exports:
            yield _row(f"`{export.id}`", _code(export.endings), f"{export.title}. {export.note}")


def _head(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield f"|{'---|' * len(titles)}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"{page} written")
