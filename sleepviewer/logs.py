"""The log: what was started, opened and scored, and what went wrong; a few small files that are never sent anywhere.

It holds no samples, nothing of a recording's header, and of files their names alone: a folder may be named after a
patient.
"""

from __future__ import annotations

import logging
import os
import platform
import re
import sys
import traceback
from collections import Counter
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Final

from sleepviewer import __version__
from sleepviewer.user_folders import log_folder

FILE: Final = "sleepviewer.log"
_BYTES: Final = 500_000
_OLDER_FILES: Final = 3
_LONGEST: Final = 500
"""Characters of an error's own words that are written: whole arrays may stand in them."""
_TOLD_IN_FULL: Final = 3
_MOST_KEPT: Final = 1000

log: Final = logging.getLogger("sleepviewer")
log.addHandler(logging.NullHandler())  # else Python would write to the terminal while no log is written

_FOLDERS = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][^/\\:*?\"“”<>|\n]+)+[/\\](?=[^/\\\s])")


def start_log() -> Path | None:
    """Write the log from now on, and the start into it; return the file, or None where none can be written."""
    stop_log()
    log.setLevel(logging.INFO)
    path = log_folder() / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_OLDER_FILES, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(_Discreet("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(_Seldom())
    log.addHandler(handler)
    log.info("SleepViewer %s started, process %d", __version__, os.getpid())
    return path


def log_versions() -> None:
    """Write what the program runs on; looking that up takes a moment, for which a starting window does not wait."""
    packages = ", ".join(f"{name} {_version(name)}" for name in ("PySide6-Essentials", "numpy", "torch", "mne"))
    log.info("Python %s, %s, %s", platform.python_version(), platform.platform(terse=True), packages)


def stop_log() -> None:
    """Write no log any more."""
    for handler in list(log.handlers):
        if isinstance(handler, RotatingFileHandler):
            log.removeHandler(handler)
            handler.close()


def log_file() -> Path | None:
    """Return the file that is written now."""
    return next((Path(h.baseFilename) for h in log.handlers if isinstance(h, RotatingFileHandler)), None)


def log_error(error: BaseException, where: str) -> None:
    """Write an error with its traceback; ``where`` says what was being done."""
    log.error("unexpected error %s", where, exc_info=(type(error), error, error.__traceback__))


def discreet(text: str) -> str:
    """Return a text with the names of files, not of the folders that they lie in."""
    return _FOLDERS.sub("", text)


class _Discreet(logging.Formatter):
    """Writes messages and errors without folders; in tracebacks, only places in the code keep theirs."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = discreet(record.message)
        return super().formatMessage(record)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        if ei[1] is None:
            return ""
        lines = [  # frames are indented: what they show is code
            part if part.startswith("  ") else discreet(part)[:_LONGEST]
            for part in traceback.TracebackException.from_exception(ei[1]).format()
        ]
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines).rstrip()


class _Seldom(logging.Filter):
    """Lets what repeats through a few times, and then ever more seldom, with the count."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[object] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.getMessage(), _place(record))
        if len(self._seen) > _MOST_KEPT:
            self._seen.clear()
        self._seen[key] += 1
        count = self._seen[key]
        if count <= _TOLD_IN_FULL or record.levelno < logging.WARNING:
            return True
        if (count & (count - 1)) != 0:  # then at every power of two
            return False
        record.msg, record.args, record.exc_info = f"{record.getMessage()} (now {count} times)", (), None
        return True


def _place(record: logging.LogRecord) -> object:
    """Where in the code the record's error was raised."""
    if not record.exc_info or record.exc_info[1] is None:
        return None
    error, frame = record.exc_info[1], record.exc_info[2]
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return type(error), None if frame is None else (frame.tb_frame.f_code.co_filename, frame.tb_lineno)


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def debugging() -> bool:
    """Whether tracebacks are wanted on the terminal."""
    return bool(os.environ.get("SLEEPVIEWER_DEBUG"))


def print_traceback(error: BaseException) -> None:
    """Write an error's traceback to the terminal."""
    traceback.print_exception(error, file=sys.stderr)
