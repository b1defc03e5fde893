"""What the bundle's program runs: the ``sleepviewer`` command, and the child processes that it starts of itself.

A bundle has no ``python`` beside it. What would be ``python -m MODULE`` or ``python -c CODE`` elsewhere is the program
itself, called with these very words; only the modules and the lines that SleepViewer's own processes need are taken.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import runpy
import sys
from collections.abc import Callable
from itertools import dropwhile
from typing import Final

CHILDREN: Final = frozenset({"joblib.externals.loky.backend.popen_loky_posix", "sleepviewer.training.fine_tune_child"})
"""The modules that the program starts as processes."""

TRACKER: Final = re.compile(
    r"from (?:joblib\.externals\.loky\.backend|multiprocessing)\.resource_tracker import main; ?main\([\w\s,.()=-]*\)"
)
"""What joblib has a process run that clears up behind the others."""


_FLAG: Final = re.compile(r"-[bBdEIOPqsSuv]+|-[WX]\w[\w.:=]*")
"""A flag of Python's."""


def main() -> None:
    """Be what the arguments ask for."""
    multiprocessing.freeze_support()
    _give_library_path_back()
    child = _child_of(sys.argv)
    if child is not None:
        child()
        return
    from sleepviewer.cli import main as program

    program(prog_name="sleepviewer")


def _child_of(argv: list[str]) -> Callable[[], object] | None:
    """Return what a child process is to do, or None for the program itself."""
    words = list(dropwhile(_FLAG.fullmatch, argv[1:]))  # a process is started with the flags of the one that starts it
    match words[:2]:
        case ["-m", module] if module in CHILDREN:
            sys.argv = [module, *argv[argv.index(module) + 1 :]]
            return lambda: runpy.run_module(module, run_name="__main__")
        case ["-c", code] if TRACKER.fullmatch(code.strip()):
            return lambda: exec(code, {"__name__": "__main__"})
    return None


def _give_library_path_back() -> None:
    """Have programs that the window opens (a browser, a file manager) find the system's libraries, not the bundle's."""
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    elif sys.platform.startswith("linux"):
        os.environ.pop("LD_LIBRARY_PATH", None)


if __name__ == "__main__":
    main()
