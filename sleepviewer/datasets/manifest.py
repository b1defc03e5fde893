"""The manifest of a prepared data set: one JSON object a night, in order of the nights' names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sleepviewer.errors import DatasetError
from sleepviewer.files import atomic_writer

MANIFEST: Final = "manifest.jsonl"

Line = dict[str, Any]
"""What the manifest says of a night; docs/datasets.md lists the fields."""


def read_manifest(folder: Path) -> dict[str, Line]:
    """Return the manifest's lines by night, in its order; none where the folder has no manifest.

    Raises DatasetError where it can't be read or holds what is no night.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} can't be read: {getattr(error, 'strerror', '') or error}.") from error
    lines: dict[str, Line] = {}
    for number, written in enumerate(text.splitlines(), 1):
        if not written.strip():
            continue
        try:
            line = json.loads(written)
        except ValueError:
            line = None
        if not isinstance(line, dict) or not isinstance(line.get("night"), str):
            raise DatasetError(f"{path}, line {number}, is no night of a prepared data set; prepare into a new folder.")
        lines[line["night"]] = line
    return lines


def write_manifest(folder: Path, lines: Mapping[str, Line]) -> None:
    """Write the manifest whole or not at all, nights in order. Raises OutputError where it can't be written."""
    text = "".join(json.dumps(lines[night], ensure_ascii=False, allow_nan=False) + "\n" for night in sorted(lines))
    with atomic_writer(folder / MANIFEST) as file:
        file.write(text.encode())


def is_prepared(line: Mapping[str, Any]) -> bool:
    """Whether a line is of a night that has an archive, not of one that failed."""
    return "failed" not in line
