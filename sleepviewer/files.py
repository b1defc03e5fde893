"""Files written whole or not at all, and their fingerprints."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sleepviewer.errors import OutputError


@contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` for writing bytes; rename it over ``path`` when the block ends without an error.

    Where ``path`` is a link, it stays one and the file that it leads to is replaced. A reader sees the old file or the
    new one whole, also after a crash or a full disk. Raises OutputError where the folder is missing, can't be written,
    or the disk is full; then nothing is left behind.
    """
    target = Path(os.path.realpath(path))  # Path.resolve raises on links that lead in circles
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise OutputError(f"{path} can't be written: {error.strerror or error}. Choose another folder.") from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(_mode_for(target))
        part.replace(target)
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}. The old file, if any, is kept."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _mode_for(path: Path) -> int:
    """Permissions of the file that is replaced, else what the umask leaves of rw-rw-rw- (mkstemp gives 0600)."""
    with suppress(OSError):
        return path.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
