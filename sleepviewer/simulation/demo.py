"""The demonstration's night: simulated once, kept in the user's cache."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from sleepviewer import __version__
from sleepviewer.errors import OutputError
from sleepviewer.simulation.night import simulate_night

DEMO_HOURS = 8.0


def demo_recording(*, seed: int = 0, folder: Path | None = None) -> Path:
    """Return the demonstration's recording, its hypnogram beside it; simulated where it is not there yet.

    It lies in ``folder``, by default in the user's cache, under this version and seed. A night that is there is left
    as it is: it may be open in a window. Raises OutputError where the folder can't be written.
    """
    if folder is None:
        folder = platformdirs.user_cache_path("SleepViewer", appauthor=False) / f"demo-{__version__}"
    folder = folder / f"seed-{seed}"
    recording, hypnogram = (folder / f"simulated{ending}.edf" for ending in ("", "-Hypnogram"))
    if recording.is_file() and hypnogram.is_file():
        return recording
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} can't be made: {error.strerror or error}.") from error
    return simulate_night(recording, seed=seed, hours=DEMO_HOURS).psg_path
