"""Read the annotations of an EDF+ or BDF+ file, record by record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sleepviewer.recording.annotations import Annotation, Annotations, in_order, parse_lists
from sleepviewer.recording.edf_header import EdfHeader


def read_annotations(path: Path, header: EdfHeader, first_onset_s: float) -> Annotations:
    """Return all annotations of the file; ``first_onset_s`` is the first record's own time, 0 on the recording clock.

    Only the annotation channels' bytes are read, by seeking: a night's signals are a hundred times as long, and a
    memory map of a file that shrinks would end the process. Raises OSError where the file can't be read.
    """
    entries: list[Annotation] = []
    damaged = 0
    with path.open("rb", buffering=0) as file:
        for record in range(header.n_records):
            at = header.data_offset + record * header.record_bytes
            for begin, end in header.annotation_channels:
                file.seek(at + begin)
                found, bad = parse_lists(file.read(end - begin))
                entries += found
                damaged += bad
    if first_onset_s:
        entries = [replace(entry, onset_s=entry.onset_s - first_onset_s) for entry in entries]
    return Annotations(in_order(entries), _notes(path, damaged))


def _notes(path: Path, damaged: int) -> tuple[str, ...]:
    if not damaged:
        return ()
    what = "1 annotation" if damaged == 1 else f"{damaged:,} annotations"
    return (f"{path.name}: {what} could not be read and {'is' if damaged == 1 else 'are'} left out.",)
