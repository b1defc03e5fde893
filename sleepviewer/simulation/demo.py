"""The demonstration's night: simulated once, kept in the user's cache."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from sleepviewer import __version__
from sleepviewer.errors import OutputError
from sleepviewer.simulation.night import SimulatedNight, simulate_night

DEMO_HOURS = 8.0


def demo_night(*, seed: int = 0, folder: Path | None = None) -> SimulatedNight:
    """Write the demonstration's night to ``folder`` (default: the user's cache) and return it.

    It is simulated anew each time, which takes a few seconds and never shows a night of another version. Raises
    OutputError where the folder can't be written.
    """
    if folder is None:
        folder = platformdirs.user_cache_path("SleepViewer", appauthor=False) / f"demo-{__version__}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} can't be made: {error.strerror or error}.") from error
    return simulate_night(folder, seed=seed, hours=DEMO_HOURS)
