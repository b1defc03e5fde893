"""Tables as CSV files that are written row by row, so that their length does not matter."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from sleepviewer.files import atomic_writer

_FLUSH_CHARACTERS: Final = 1 << 16


class Table:
    """A CSV file whose columns are those of its first row; None and NaN are written as nothing."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._columns: tuple[str, ...] | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row."""
        if self._columns is None:
            self._columns = tuple(row)
            self._writer.writerow(self._columns)
        self._writer.writerow([_cell(row[column]) for column in self._columns])
        if self._text.tell() > _FLUSH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Hand over to the file what is gathered."""
        self._file.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else value


@contextmanager
def tables(folder: Path, *names: str) -> Iterator[dict[str, Table]]:
    """Open ``NAME.csv`` in a folder for each name; all are there whole when the block ends, or none is."""
    with ExitStack() as stack:
        files = {name: Table(stack.enter_context(atomic_writer(folder / f"{name}.csv"))) for name in names}
        yield files
        for table in files.values():
            table.flush()
