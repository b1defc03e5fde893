"""Spectrograms kept in the user's cache folder, so that a night that was opened before shows its own at once."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
import platformdirs

from sleepviewer.display import spectrogram as parameters
from sleepviewer.display.spectrogram import Spectrogram
from sleepviewer.errors import OutputError
from sleepviewer.files import atomic_writer
from sleepviewer.recording.base import Recording

_VERSION: Final = 1
_MOST_FILES: Final = 40
"""About 60 MB of nights of eight hours; the oldest make room."""


def load_spectrogram(recording: Recording, label: str) -> Spectrogram | None:
    """Return the spectrogram that was kept of this file as it is now, or None where there is none (or a damaged one).

    Power comes rounded to a twentieth of a decibel or better.
    """
    path = _path_of(recording, label)
    if path is None:
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            frequencies, power = kept["frequencies_hz"], kept["power_db"].astype(np.float32)
    except Exception:  # absent, or damaged in any of the ways a zip can be: it is computed anew
        return None
    if power.ndim != 2 or power.shape[1:] != frequencies.shape:
        return None
    unit = recording.channel(label).unit
    return Spectrogram(label, unit, parameters.STEP_S, frequencies.astype(np.float64), power)


def keep_spectrogram(recording: Recording, spectrogram: Spectrogram) -> None:
    """Keep a spectrogram for the next time; where that can't be, nothing is lost but time."""
    path = _path_of(recording, spectrogram.label)
    if path is None:
        return
    with suppress(OSError, OutputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path) as file:
            power = spectrogram.power_db.astype(np.float16)
            np.savez(file, frequencies_hz=spectrogram.frequencies_hz, power_db=power)
        for old in sorted(path.parent.glob("*.npz"), key=lambda p: p.stat().st_mtime_ns)[:-_MOST_FILES]:
            old.unlink()


def _path_of(recording: Recording, label: str) -> Path | None:
    """The file that keeps it, named by what it depends on; None for a recording that is not in a file."""
    stamp = recording.stamp
    if stamp is None:
        return None
    settings = (
        _VERSION,
        parameters.WINDOW_S,
        parameters.STEP_S,
        parameters.LOWEST_HZ,
        parameters.HIGHEST_HZ,
        parameters.TIME_HALFBANDWIDTH,
        parameters.N_TAPERS,
    )
    told = tuple(unit.unit for unit in recording.told_units if unit.label == label)
    known = (str(recording.path.resolve()), stamp.size, stamp.mtime_ns, label, settings, *told)
    name = hashlib.sha256(repr(known).encode()).hexdigest()[:32]
    return platformdirs.user_cache_path("SleepViewer", appauthor=False) / "spectrograms" / f"{name}.npz"
