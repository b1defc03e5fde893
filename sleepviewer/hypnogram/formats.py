"""Table of the hypnogram formats; readers, writers, dialogs, messages and documentation are made from its rows.

A new format is a module with its reader (and writer) and a row in :data:`FORMATS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from sleepviewer.errors import HypnogramError, OutputError
from sleepviewer.files import ending_of, unsupported_extension
from sleepviewer.hypnogram.base import Hypnogram, StageTrack
from sleepviewer.hypnogram.csv_file import delimiter_of, read_csv, write_csv
from sleepviewer.hypnogram.dreams import is_dreams_header, read_dreams
from sleepviewer.hypnogram.edf_annotations import BDF_MAGIC, EDF_MAGIC, read_edf, write_edf
from sleepviewer.hypnogram.elan import is_elan_head, read_elan
from sleepviewer.hypnogram.json_file import read_json, write_json
from sleepviewer.hypnogram.luna import is_luna_head, read_luna, write_luna
from sleepviewer.hypnogram.nsrr import NSRR_ROOT, read_nsrr
from sleepviewer.hypnogram.profusion import PROFUSION_ROOT, read_profusion
from sleepviewer.hypnogram.remlogic import EMBLA_ROOTS, is_remlogic_header, read_remlogic, read_remlogic_xml
from sleepviewer.hypnogram.sleepware import SLEEPWARE_ROOT, read_sleepware
from sleepviewer.hypnogram.somnomedics import is_somnomedics_head, read_somnomedics
from sleepviewer.hypnogram.text_file import read_text, write_text, write_yasa
from sleepviewer.hypnogram.visbrain import is_visbrain_head, read_visbrain
from sleepviewer.hypnogram.words import Numbers, text_of
from sleepviewer.hypnogram.xml_file import root_of

_HEAD_BYTES: Final = 8192
_XML: Final = "xml"
_XML_START: Final = re.compile(r"\s*<(?:\?xml|!DOCTYPE|!--|[A-Za-z_:])")
_BEFORE_ROOT: Final = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>", re.DOTALL)
_FIRST_ELEMENT: Final = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")

# -- the columns of the table


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

    @property
    def is_xml(self) -> bool:
        """Whether the text begins as XML does, or the name ends in ``.xml``."""
        return bool(_XML_START.match(self.lines[0] if self.lines else "")) or self.ends_in(".xml")

    @property
    def root(self) -> str:
        """Name of the first XML element without its namespace, or nothing."""
        found = _FIRST_ELEMENT.search(_BEFORE_ROOT.sub("", "\n".join(self.lines))) if self.is_xml else None
        return found[1] if found else ""

    def has(self, is_mark: Callable[[str], bool]) -> bool:
        """Return whether any of the lines is a format's mark."""
        return any(is_mark(line) for line in self.lines)

    def ends_in(self, *endings: str) -> bool:
        """Return whether the file's name has one of these endings."""
        return bool(ending_of(self.path, endings))


class Writer(Protocol):
    """A function that writes a hypnogram in one format."""

    def __call__(self, hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
        """Write a hypnogram to a path, marked where it is simulated."""


@dataclass(frozen=True, slots=True)
class Export:
    """A way to write labels.

    Attributes
    ----------
    id: its name on the command line and in manifests.
    title: its name in dialogs.
    endings: of such files' names, the usual one first.
    note: a sentence on what is written.
    write: writes a hypnogram; None where the recording's signal is written as well.
    """

    id: str
    title: str
    endings: tuple[str, ...]
    note: str
    write: Writer | None = None

    @property
    def has_signal(self) -> bool:
        """Whether the signal is written as well, for training."""
        return self.write is None


@dataclass(frozen=True, slots=True)
class HypnogramFormat:
    """A format of hypnograms: a row of the table.

    Attributes
    ----------
    id: its name for asking for it (``--read-as``).
    title: its name in questions and in the documentation.
    endings: of such files' names, the usual one first.
    recognizes: returns whether a file is of this format by its head.
    read: returns the stages of a file; raises HypnogramError.
    exports: ways to write it; none where it is only read.
    companion_words: a file called as a recording, ``-`` or ``_``, and one of these words (``night-Hypnogram.edf``)
        belongs to that recording.
    companion_endings: a file called as a recording, with one of these endings, belongs to it where no file with such
        a word does.
    known_by, epochs, clock: what it is recognized by, which lengths of epochs and what clock it has.
    tests: modules below ``tests/`` that show it.
    """

    id: str
    title: str
    endings: tuple[str, ...]
    recognizes: Callable[[Head], bool]
    read: Callable[[Path], StageTrack]
    exports: tuple[Export, ...] = ()
    companion_words: tuple[str, ...] = ("hypnogram",)
    companion_endings: tuple[str, ...] = ()
    known_by: str = ""
    epochs: str = "any"
    clock: str = "none"
    tests: tuple[str, ...] = ("hypnogram/test_formats.py",)


_ROUND_TRIP: Final = "hypnogram/test_round_trip.py"

# -- the table

FORMATS: Final[tuple[HypnogramFormat, ...]] = (
    HypnogramFormat(
        "edf",
        "EDF+ or BDF+ annotations, or a hypnogram signal (Polyman, first Sleep-EDF)",
        (".edf", ".bdf", ".hyp"),
        lambda head: head.raw.startswith((EDF_MAGIC, BDF_MAGIC)),
        read_edf,
        (
            Export(
                "edf",
                "EDF+ annotations",
                (".edf",),
                "A hypnogram in Sleep-EDF's words, one annotation a bout.",
                write_edf,
            ),
        ),
        known_by="the first bytes; a signal “Hypnogram” or “Sleep stage”",
        clock="date and time",
        tests=("hypnogram/test_edf.py", "hypnogram/test_formats.py", _ROUND_TRIP),
    ),
    HypnogramFormat(
        "nsrr",
        "NSRR XML",
        (".xml",),
        lambda head: head.root == NSRR_ROOT,
        read_nsrr,
        known_by="root `PSGAnnotation`; events `Stages\\|Stages`",
        clock="date and time",
    ),
    HypnogramFormat(
        "sleepware",
        "Philips Sleepware or Alice RML",
        (".rml", ".xml"),
        lambda head: head.root == SLEEPWARE_ROOT,
        read_sleepware,
        known_by="root `PatientStudy`; stages set by a person",
        clock="date and time",
    ),
    HypnogramFormat(
        "remlogic-xml",
        "Embla RemLogic XML",
        (".xml",),
        lambda head: head.root in EMBLA_ROOTS,
        read_remlogic_xml,
        known_by="`Events/Event` of type `SLEEP-…`",
        clock="date and time",
    ),
    HypnogramFormat(
        "profusion",
        "Profusion XML (SHHS)",
        (".xml",),
        lambda head: head.is_xml,  # after the others: its reader names the root that is not its own
        read_profusion,
        companion_words=("hypnogram", "profusion"),
        known_by=f"root `{PROFUSION_ROOT}`",
        epochs="its own",
        tests=("hypnogram/test_profusion.py",),
    ),
    HypnogramFormat(
        "json",
        "JSON of SleepViewer, ScoringHero or Dreem",
        (".json",),
        lambda head: head.ends_in(".json") or (head.first[:1] in ("{", "[") and not head.has(is_dreams_header)),
        read_json,
        (Export("json", "JSON", (".json",), "A hypnogram: start, scorer and one stage for every epoch.", write_json),),
        known_by="JSON",
        clock="SleepViewer's: date and time",
        tests=("hypnogram/test_formats.py", _ROUND_TRIP),
    ),
    HypnogramFormat(
        "remlogic",
        "Embla RemLogic text (CAP)",
        (".txt",),
        lambda head: head.has(is_remlogic_header),
        read_remlogic,
        known_by="the header “Sleep Stage … Time [hh:mm:ss]”",
        epochs="its own",
        clock="time of day",
    ),
    HypnogramFormat(
        "somnomedics",
        "SOMNOmedics sleep profile",
        (".txt",),
        lambda head: head.has(is_somnomedics_head),
        read_somnomedics,
        known_by="the header “Signal ID: SchlafProfil”",
        epochs="its own",
        clock="date and time",
    ),
    HypnogramFormat(
        "dreams",
        "DREAMS",
        (".txt",),
        lambda head: is_dreams_header(head.first),
        read_dreams,
        known_by="`[hypnogram…]`, then numbers",
        epochs="5 s",
    ),
    HypnogramFormat(
        "elan",
        "Elan (also Visbrain's)",
        (".hyp",),
        lambda head: is_elan_head(head.first),
        read_elan,
        known_by="`time_base`",
        epochs="its own",
    ),
    HypnogramFormat(
        "visbrain",
        "Visbrain text",
        (".txt",),
        lambda head: is_visbrain_head(head.first),
        read_visbrain,
        known_by="`*Duration_sec`",
    ),
    HypnogramFormat(
        "luna",
        "Luna annotations",
        (".annot",),
        lambda head: head.has(is_luna_head) or head.ends_in(".annot"),
        read_luna,
        (Export("annot", "Luna annotations", (".annot",), "A hypnogram, one annotation a bout.", write_luna),),
        known_by="the columns class, instance, channel, start, stop",
        clock="any of Luna's",
        tests=("hypnogram/test_formats.py", _ROUND_TRIP),
    ),
    HypnogramFormat(
        "csv",
        "Table (CSV, TSV, semicolons; Wisconsin Sleep Cohort; two columns of SpiSOP and SleepTrip)",
        (".csv", ".tsv", ".stg.txt", ".txt"),
        lambda head: delimiter_of(head.first) is not None or head.ends_in(".csv", ".tsv"),
        read_csv,
        (Export("csv", "Table", (".csv", ".tsv"), "A hypnogram, one row for every epoch.", write_csv),),
        companion_endings=(".stg.txt",),
        known_by="columns by their names, in any order; without names: epochs or times, then stages",
        clock="any",
        tests=("hypnogram/test_text.py", "hypnogram/test_formats.py", _ROUND_TRIP),
    ),
    HypnogramFormat(
        "text",
        "One stage per line (YASA, ISRUC, Luna .eannot, U-Sleep, Compumedics)",
        (".txt", ".eannot", ".yasa.txt"),
        lambda head: True,
        read_text,
        (
            Export(
                "txt", "One stage per line", (".txt",), "A hypnogram, one word a line under a few comments.", write_text
            ),
            Export(
                "yasa",
                "One stage per line, YASA",
                (".yasa.txt",),
                "A hypnogram in YASA's numbers, one a line.",
                write_yasa,
            ),
        ),
        known_by="anything else",
        epochs="30 s, or `# epoch: 20 s`",
        clock="`# start: …`",
        tests=("hypnogram/test_text.py", _ROUND_TRIP),
    ),
)
"""In the order in which they are tried: the unmistakable ones first."""

_BY_NUMBERS: Final = {
    numbers: (partial(read_csv, numbers=numbers), partial(read_text, numbers=numbers)) for numbers in Numbers
}


# -- what is made from it


def endings_of(formats: Iterable[HypnogramFormat]) -> tuple[str, ...]:
    """Return the endings of the formats' files, each once."""
    return tuple(dict.fromkeys(ending for known in formats for ending in known.endings))


def format_ids() -> tuple[str, ...]:
    """Return the values of ``reading`` in :func:`read_track`: the formats, and what numbers mean in a table or text."""
    return (*(known.id for known in FORMATS), _XML, *Numbers)


def exports() -> tuple[Export, ...]:
    """Return the ways to write a hypnogram, in the order of the table."""
    return tuple(export for known in FORMATS for export in known.exports)


def written_endings() -> tuple[str, ...]:
    """Return the endings of the hypnogram files that are written."""
    return tuple(dict.fromkeys(ending for export in exports() for ending in export.endings))


def title_of(reading: str) -> str:
    """Return the title of a format by its id; another reading is returned as it is."""
    return "XML of any kind" if reading == _XML else next((f.title for f in FORMATS if f.id == reading), reading)


def head_of(path: Path) -> Head:
    """Return the head of a file. Raises HypnogramError where it can't be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(_HEAD_BYTES)
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error
    lines = tuple(stripped for line in text_of(raw).splitlines() if (stripped := line.strip()))
    return Head(path, raw, lines)


def recognised(head: Head) -> HypnogramFormat:
    """Return the format of a file by its head. Raises HypnogramError where its name and what is in it contradict."""
    found = next(known for known in FORMATS if known.recognizes(head))
    if head.ends_in(".edf", ".bdf") and found.id != "edf":
        raise HypnogramError(f"{head.path.name} is no EDF or BDF file, though its name says so; export it again.")
    return found


def read_xml(path: Path) -> StageTrack:
    """Read any of the XML formats, by its root. Raises HypnogramError where that is none of them."""
    head = Head(path, b"", (f"<{root_of(path)}>",))
    return next(known for known in FORMATS if known.recognizes(head)).read(path)


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
        return table(path) if delimiter_of(head.first) is not None else text(path)
    if reading == _XML:
        return read_xml(path)
    chosen = next((known for known in FORMATS if known.id == reading), None)
    if chosen is None:
        raise HypnogramError(f"“{reading}” is no format of hypnograms; choose one of {', '.join(format_ids())}.")
    return chosen.read(path)


def write_hypnogram(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write a hypnogram in the format of the file name's ending, of several the longest.

    Raises OutputError for another ending, and where the file can't be written.
    """
    ending = ending_of(path, written_endings())
    if not ending:
        raise OutputError(f"{path} was not written: {unsupported_extension(written_endings())}.")
    write = next(export.write for export in exports() if ending in export.endings)
    assert write is not None  # only archives, which are none of this table's, have no writer of hypnograms
    write(hypnogram, path, simulated=simulated)
