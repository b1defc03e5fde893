"""Recordings with chosen channels, without a file, for tests of derivations and montages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sleepviewer.recording.base import Channel, Recording, Samples
from sleepviewer.recording.roles import guess_role

SECONDS = 60


class MadeRecording(Recording):
    """Channels of given samples (60 s), all in memory."""

    def __init__(self, signals: Mapping[str, Samples], units: Mapping[str, str] | None = None) -> None:
        self.path, self.format_name, self.start = Path("made.edf"), "EDF", None
        self.duration_s = float(SECONDS)
        self._signals = signals
        units = units or {}
        self.channels = tuple(
            Channel(name, name, x.size / SECONDS, x.size, u := units.get(name, "µV"), u, guess_role(name, u))
            for name, x in signals.items()
        )

    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        channel, samples = self.channel(label), self._signals[label]
        first, stop = round(start_s * channel.rate_hz), round(stop_s * channel.rate_hz)
        places = np.arange(first, stop)
        inside = (places >= 0) & (places < samples.size)
        window = np.full(places.size, np.nan, dtype=np.float32)
        window[inside] = samples[places[inside]]
        return window


def recording_of(*labels: str, rates: Mapping[str, float] | None = None, units: Mapping[str, str] | None = None):
    """A recording of noise with these channels, at 100 Hz and in µV where nothing else is said."""
    rates = rates or {}
    signals = {}
    for i, label in enumerate(labels):
        n = round(SECONDS * rates.get(label, 100))
        signals[label] = (30 * np.random.default_rng(i).standard_normal(n)).astype(np.float32)
    return MadeRecording(signals, units)
