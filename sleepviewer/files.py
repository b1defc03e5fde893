"""Files written whole or not at all, and their fingerprints."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from sleepviewer.errors import OutputError

PREVIOUS: Final = "~"
"""Ends the name under which a file that was replaced is kept."""


@contextmanager
def atomic_writer(path: Path, *, keep_previous: bool = False) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` for writing bytes; rename it over ``path`` when the block ends without an error.

    Where ``path`` is a link, it stays one and the file that it leads to is replaced. A reader sees the old file or the
    new one whole, also after a crash or a full disk. With ``keep_previous`` the old one stays beside it as ``NAME~``,
    in the place of the one kept before. Raises OutputError where the folder is missing, can't be written, or the disk
    is full; then nothing is left behind.
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
            sync(file.fileno())
        part.chmod(_mode_for(target))
        if keep_previous:
            _keep(target)
        part.replace(target)
        sync_folder(target.parent)
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


def _keep(path: Path) -> None:
    """Keep a file under its second name, without copying it where the folder knows links; where it can't be, it isn't.

    The new file matters more than the old one, so nothing here keeps it from being written.
    """
    part = path.with_name(f".{path.name}{PREVIOUS}.{os.getpid()}.part")
    with suppress(OSError):
        try:
            os.link(path, part)
        except FileNotFoundError:
            return
        except OSError:
            shutil.copyfile(path, part)
        part.replace(path.with_name(path.name + PREVIOUS))
    with suppress(OSError):
        part.unlink()


def sync(handle: int) -> None:
    """Have the system write an open file to the disk, past the disk's own cache where it can be asked for that."""
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # a network drive may not know it
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Have the system write to the disk which files a folder has, so that a new name survives a power failure."""
    if os.name == "nt":  # folders can't be opened there, and the names are in the file system's own journal
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
