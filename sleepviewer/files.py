"""Files: names and their endings, writing whole or not at all, hashes."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from sleepviewer.errors import OutputError

PREVIOUS: Final = "~"
"""Ends the name under which a file that was replaced is kept."""
_MOST_LINKS: Final = 40
"""As many as Linux follows."""


def ending_of(path: Path, endings: Iterable[str]) -> str:
    """Return the longest of ``endings`` (``.edf``, ``.fif.gz``) in which a file name ends, "" where there is none.

    Upper and lower case are alike, and something must stand before the ending.
    """
    name = path.name.lower()
    return max((end for end in endings if name.endswith(end) and len(name) > len(end)), key=len, default="")


def without_ending(path: Path, endings: Iterable[str]) -> str:
    """Return a file's name without its ending: the longest of ``endings`` that fits, else what follows the last dot."""
    ending = ending_of(path, endings)
    return path.name[: -len(ending)] if ending else path.stem


def unsupported_extension(endings: Iterable[str]) -> str:
    """Return what an error message says of a file name with another ending: ``unsupported extension; use .edf, …``."""
    return f"unsupported extension; use {listed(dict.fromkeys(endings))}"


def listed(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: ``a``, ``a or b``, ``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


@contextmanager
def atomic_writer(path: Path, *, keep_previous: bool = False) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` for writing bytes; rename it over ``path`` when the block ends without an error.

    Where ``path`` is a link, it stays one and the file that it leads to is replaced; but only where every link on the
    way and the file at its end are the user's own: somebody else's link could lead to any file of hers, and her own may
    have come to lead to somebody else's. A reader sees the old file or the new one whole, also after a crash or a full
    disk. With ``keep_previous`` the old one stays beside it as ``NAME~``, in the place of the one kept before. The file
    beside it is a new one (``O_EXCL``: no link that lies there is followed) that nobody else can read
    until it is whole. Raises OutputError where the folder is missing, can't be written, the disk is full, or a link
    is not to be followed; then nothing is left behind.
    """
    target = _end_of_links(path)
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
            _let_others_read(file.fileno(), part, _mode_for(target))
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


def _end_of_links(path: Path) -> Path:
    """Return the file that a path leads to. Raises OutputError where a link on the way, or its end, is somebody else's.

    Links among the folders above are followed as ever: who may write there can change what lies there anyway.
    """
    end = Path(os.path.realpath(path))  # Path.resolve raises on links that lead in circles
    user = _user_id()
    if user is None or not path.is_symlink():
        return end
    step = Path(os.path.realpath(path.parent)) / path.name
    for _ in range(_MOST_LINKS):
        try:
            owner = step.lstat().st_uid
            leads_to = step.readlink() if step.is_symlink() else None
        except OSError:  # it leads to a file that is not there yet
            return end
        if owner != user:
            what = "leads to a file of" if leads_to is None else "is a link, or leads to one, of"
            raise OutputError(f"{path} was not written: it {what} another user ({end}); choose another name.")
        if leads_to is None:
            return end
        step = Path(os.path.realpath(step.parent / leads_to.parent)) / leads_to.name
    raise OutputError(f"{path} was not written: it is a link that leads in circles; choose another name.")


def _user_id() -> int | None:
    """Return who we are to the file system, or None where files have no such owners (Windows)."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def _let_others_read(handle: int, path: Path, mode: int) -> None:
    """Give a file, open under ``handle``, the permissions that it is to have."""
    if hasattr(os, "fchmod"):
        os.fchmod(handle, mode)  # by its handle: whatever lies under its name
    else:
        path.chmod(mode)


def _mode_for(path: Path) -> int:
    """Permissions of the file that is replaced, else what the umask leaves of rw-rw-rw- (mkstemp gives 0600)."""
    with suppress(OSError):
        return path.stat().st_mode & 0o777
    umask = os.umask(0o077)  # can't be asked without being set; what other threads make meanwhile stays private
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
