"""Which format a hypnogram file is of: told by what is in it, never by its name alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from sleepviewer.errors import HypnogramError, OutputError
from sleepviewer.hypnogram.base import Hypnogram, StageTrack
from sleepviewer.hypnogram.csv_file import delimiter_of, read_csv, write_csv
from sleepviewer.hypnogram.dreams import is_dreams_header, read_dreams
from sleepviewer.hypnogram.edf_annotations import BDF_MAGIC, EDF_MAGIC, read_edf, write_edf
from sleepviewer.hypnogram.elan import is_elan_head, read_elan
from sleepviewer.hypnogram.json_file import read_json, write_json
from sleepviewer.hypnogram.luna import is_luna_head, read_luna, write_luna
from sleepviewer.hypnogram.nsrr import NSRR_ROOT, read_nsrr
from sleepviewer.hypnogram.profusion import read_profusion
from sleepviewer.hypnogram.remlogic import is_remlogic_header, read_remlogic, read_remlogic_xml
from sleepviewer.hypnogram.sleepware import SLEEPWARE_ROOT, read_sleepware
from sleepviewer.hypnogram.somnomedics import is_somnomedics_head, read_somnomedics
from sleepviewer.hypnogram.text_file import read_text, write_text, write_yasa
from sleepviewer.hypnogram.visbrain import is_visbrain_head, read_visbrain
from sleepviewer.hypnogram.words import Numbers, text_of
from sleepviewer.hypnogram.xml_file import root_of

_HEAD_BYTES: Final = 8192
_EMBLA_ROOTS: Final = ("EventExport", "Events")


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a file: what a format is known by. ``lines`` are its text's, stripped, empty ones left out."""

    path: Path
    raw: bytes
    lines: tuple[str, ...]

    @property
    def first(self) -> str:
        """The first line that is no comment, or nothing."""
        return next((line for line in self.lines if not line.startswith("#")), "")

    def has(self, is_mark: Callable[[str], bool]) -> bool:
        """Whether any of the lines is a format's mark."""
        return any(is_mark(line) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is read: ``id`` for asking for it, ``title`` for people, how it is recognised, and its reader."""

    id: str
    title: str
    recognises: Callable[[Head], bool]
    read: Callable[[Path], StageTrack]


def _is_edf(head: Head) -> bool:
    return head.raw.startswith((EDF_MAGIC, BDF_MAGIC))


def _is_xml(head: Head) -> bool:
    start = head.lines[0] if head.lines else ""
    return start.startswith(
        ("<?xml", "<!DOCTYPE", *(f"<{root}" for root in ("CMPStudyConfig", NSRR_ROOT, *_EMBLA_ROOTS)))
    )


def _is_table(head: Head) -> bool:
    return delimiter_of(head.first) is not None


def read_xml(path: Path) -> StageTrack:
    """Read any of the XML formats, by its root. Raises HypnogramError where that is none of them."""
    root = root_of(path)
    readers: dict[str, Callable[[Path], StageTrack]] = {
        NSRR_ROOT: read_nsrr,
        SLEEPWARE_ROOT: read_sleepware,
        **dict.fromkeys(_EMBLA_ROOTS, read_remlogic_xml),
    }
    return readers.get(root, read_profusion)(path)


FORMATS: Final = (
    Format("edf", "EDF+ or BDF+ annotations, or Polyman's EDF hypnogram", _is_edf, read_edf),
    Format("xml", "XML of Profusion, NSRR, Sleepware or RemLogic", _is_xml, read_xml),
    Format(
        "json",
        "JSON of SleepViewer, ScoringHero or Dreem",
        lambda h: h.first[:1] in ("{", "[") and not h.has(is_dreams_header),
        read_json,
    ),
    Format("remlogic", "RemLogic's list of events (CAP)", lambda h: h.has(is_remlogic_header), read_remlogic),
    Format("somnomedics", "SOMNOmedics' sleep profile", lambda h: h.has(is_somnomedics_head), read_somnomedics),
    Format("dreams", "DREAMS, every 5 s", lambda h: is_dreams_header(h.first), read_dreams),
    Format("elan", "Elan's .hyp", lambda h: is_elan_head(h.first), read_elan),
    Format("visbrain", "Visbrain's text", lambda h: is_visbrain_head(h.first), read_visbrain),
    Format("luna", "Luna's .annot", lambda h: h.has(is_luna_head) or h.path.suffix.lower() == ".annot", read_luna),
    Format("csv", "a table", _is_table, read_csv),
    Format("text", "one stage a line", lambda h: True, read_text),
)
"""In the order in which they are tried: the unmistakable ones first."""

_BY_NUMBERS: Final = {
    numbers: (partial(read_csv, numbers=numbers), partial(read_text, numbers=numbers)) for numbers in Numbers
}


def format_ids() -> tuple[str, ...]:
    """Return what :func:`read_track` can be told: the formats, and what numbers mean in a table or plain text."""
    return (*(known.id for known in FORMATS), *Numbers)


def head_of(path: Path) -> Head:
    """Return the head of a file. Raises HypnogramError where it can't be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(_HEAD_BYTES)
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error
    lines = tuple(stripped for line in text_of(raw).splitlines() if (stripped := line.strip()))
    return Head(path, raw, lines)


def recognised(head: Head) -> Format:
    """Return the format of a file by its head. Raises HypnogramError where its name and what is in it contradict."""
    suffix = head.path.suffix.lower()
    if suffix in (".edf", ".bdf") and not _is_edf(head):
        raise HypnogramError(f"{head.path.name} is no EDF or BDF file, though its name says so; export it again.")
    if suffix == ".xml" and not _is_edf(head):
        return next(known for known in FORMATS if known.id == "xml")
    if suffix == ".json" and not _is_edf(head):
        return next(known for known in FORMATS if known.id == "json")
    found = next(known for known in FORMATS if known.recognises(head))
    if suffix in (".csv", ".tsv") and found.id == "text":
        return next(known for known in FORMATS if known.id == "csv")
    return found


def read_track(path: Path, reading: str | None = None) -> StageTrack:
    """Read a hypnogram file of any format.

    ``reading`` is one of :func:`format_ids`, where a person has said what the file is.

    Raises HypnogramError, with file and line where there is one; AmbiguousHypnogramError, with the possible readings,
    where a person has to say.
    """
    head = head_of(path)
    if reading is None:
        return recognised(head).read(path)
    if reading in tuple(Numbers):
        table, text = _BY_NUMBERS[Numbers(reading)]
        return table(path) if _is_table(head) else text(path)
    chosen = next((known for known in FORMATS if known.id == reading), None)
    if chosen is None:
        raise HypnogramError(f"“{reading}” is no format of hypnograms; choose one of {', '.join(format_ids())}.")
    return chosen.read(path)


class Writer(Protocol):
    """What writes a hypnogram in one format."""

    def __call__(self, hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
        """Write a hypnogram to a path, marked where it is simulated."""


WRITERS: Final[dict[str, Writer]] = {
    ".edf": write_edf,
    ".csv": write_csv,
    ".tsv": write_csv,
    ".yasa.txt": write_yasa,
    ".txt": write_text,
    ".annot": write_luna,
    ".json": write_json,
}
"""By the end of the file's name; the longest that fits counts."""


def write_hypnogram(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write a hypnogram in the format of the file name's end (:data:`WRITERS`).

    Raises OutputError for another ending, and where the file can't be written.
    """
    writer = next((w for ending, w in WRITERS.items() if path.name.lower().endswith(ending)), None)
    if writer is None:
        *most, last = (ending for ending in WRITERS if ending != ".yasa.txt")
        raise OutputError(f"{path} was not written: end the name of a hypnogram in {', '.join(most)} or {last}.")
    writer(hypnogram, path, simulated=simulated)
