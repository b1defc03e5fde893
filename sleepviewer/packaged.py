"""Where the files are that come with the program: weights, icons, statistics for the simulator."""

from __future__ import annotations

from pathlib import Path

from sleepviewer.errors import SleepViewerError

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Return the path of a packaged file or folder, for example ``resource("simulation", "x.json")``.

    The wheel holds the resources inside the package; a checkout has them beside it. Raises SleepViewerError where the
    file is in neither place.
    """
    for folder in (_PACKAGE / "resources", _PACKAGE.parent / "resources"):
        path = folder.joinpath(*parts)
        if path.exists():
            return path
    raise SleepViewerError(f"SleepViewer's own file {'/'.join(parts)} is missing; install SleepViewer again.")
