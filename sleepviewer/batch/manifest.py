"""What a batch has done, one JSON object a night, appended as the nights get done; the last line on a night counts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sleepviewer.datasets.manifest import MANIFEST
from sleepviewer.errors import BatchError, OutputError
from sleepviewer.recording.base import FileStamp

__all__ = ["MANIFEST", "Earlier", "Line", "Manifest", "read_earlier", "read_lines"]

Line = dict[str, Any]
"""What the manifest says of a night; docs/batch.md lists the fields."""

_PATH: Final = "path"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What has to be known of a night's line to see whether it need not be scored again."""

    stamp: FileStamp
    sha256: str
    engine: str
    engine_version: str
    weights_sha256: str
    asked: str
    file: str
    failed: bool

    @classmethod
    def of(cls, line: Line) -> Earlier:
        """Return what of a line has to be known."""
        return cls(
            FileStamp(int(line.get("size") or 0), int(line.get("mtime_ns") or 0)),
            str(line.get("sha256", "")),
            str(line.get("engine", "")),
            str(line.get("engine_version", "")),
            str(line.get("weights_sha256", "")),
            json.dumps(line.get("asked"), sort_keys=True),
            str(line.get("file", "")),
            "failed" in line,
        )


def read_lines(folder: Path) -> Iterator[Line]:
    """Yield the lines of a folder's manifest in their order, none where there is no manifest.

    A line that was cut off when a batch was killed is passed over. Raises BatchError where the manifest can't be read
    or is of something else than a batch.
    """
    path = folder / MANIFEST
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for written in file:
                try:
                    line = json.loads(written)
                except ValueError:
                    continue
                if not isinstance(line, dict) or not isinstance(line.get(_PATH), str) or "night" not in line:
                    raise BatchError(f"{path} is of something else than a batch of scorings; choose another folder.")
                yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise BatchError(f"{path} can't be read: {error.strerror or error}.") from error


def read_earlier(folder: Path) -> dict[str, Earlier]:
    """Return what was done before, by night; a night that failed after it was done counts as done."""
    found: dict[str, Earlier] = {}
    for line in read_lines(folder):
        earlier = Earlier.of(line)
        before = found.get(str(line["night"]))
        if before is None or before.failed or not earlier.failed:
            found[str(line["night"])] = earlier
    return found


class Manifest:
    """The manifest of a batch under way: every line is on the disk before the next one comes."""

    def __init__(self, folder: Path) -> None:
        """Make the folder and open its manifest. Raises OutputError where they can't be written."""
        self._path = folder / MANIFEST
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab")
            if self._cut_off():
                self._file.write(b"\n")
        except OSError as error:
            raise OutputError(f"{self._path} can't be written: {error.strerror or error}.") from error

    def append(self, line: Line) -> None:
        """Write a line. Raises OutputError where it can't be written."""
        text = json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            self._file.write(text.encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"{self._path} can't be written: {error.strerror or error}. What is done is kept; make room, and go on"
                " with --resume."
            ) from error

    def _cut_off(self) -> bool:
        """Whether the last line was not written to its end."""
        with self._path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a full disk has been told already
            self._file.close()
