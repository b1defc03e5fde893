"""Where a file of weights comes from: with the program, from the user's own versions, or from who knows where.

Nothing that a file says of itself counts, only its SHA-256. Nothing here loads torch.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from sleepviewer.files import sha256_of
from sleepviewer.models.family import all_names
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.models.versions import models_folder


class Origin(StrEnum):
    """Whose weights they are, as it is shown."""

    SHIPPED = "comes with SleepViewer"
    OWN = "one of your own versions"
    UNKNOWN = "unknown origin"


def origin_of(sha256: str) -> Origin:
    """Return where weights of this SHA-256 come from; hashes the files that they are compared with, each once."""
    if sha256 in _hashes(tuple(path for name in all_names() if (path := shipped_weights(name)) is not None)):
        return Origin.SHIPPED
    return Origin.OWN if sha256 in _hashes(_own_files()) else Origin.UNKNOWN


def origin_of_file(path: Path) -> Origin:
    """Return where a file of weights comes from; one that can't be read is of unknown origin."""
    try:
        return origin_of(sha256_of(path))
    except OSError:
        return Origin.UNKNOWN


def origin_notes(name: str, sha256: str) -> tuple[str, ...]:
    """Return a sentence for the user where weights are neither the program's nor hers, else nothing."""
    if origin_of(sha256) is not Origin.UNKNOWN:
        return ()
    return (
        f"The weights {name} are of unknown origin: neither those that come with SleepViewer nor one of your own "
        f"versions (SHA-256 {sha256[:12]}…).",
    )


def _own_files() -> tuple[Path, ...]:
    try:
        return tuple(sorted(models_folder().glob("*.safetensors")))
    except OSError:
        return ()


def _hashes(paths: tuple[Path, ...]) -> frozenset[str]:
    found = set()
    for path in paths:
        try:
            status = path.stat()
            found.add(_hash(path, status.st_size, status.st_mtime_ns))
        except OSError:
            continue
    return frozenset(found)


@lru_cache(maxsize=256)
def _hash(path: Path, size: int, mtime_ns: int) -> str:
    """Return a file's SHA-256; the size and time of change are those of the file that was hashed."""
    del size, mtime_ns
    return sha256_of(path)
