"""Nights in memory and on disk for the tests of scoring."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import edfio
import numpy as np

from sleepviewer.errors import ScoringCancelled
from sleepviewer.files import sha256_of
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.recording.base import Channel, Recording, Role, Samples
from sleepviewer.scoring.base import CancelToken, ChannelChoice, Prediction, ProgressCallback, no_progress
from sleepviewer.scoring.recipe import possible_identities
from sleepviewer.scoring.registry import ENSEMBLE, EngineSpec
from sleepviewer.stages import EPOCH_S, N_STAGES


@dataclass(frozen=True)
class FakeChannel:
    """A channel's samples at their rate, in their unit, and what it records."""

    samples: Samples
    rate_hz: float = 100.0
    unit: str = "µV"
    role: Role = Role.EEG


class FakeRecording(Recording):
    """A recording in memory that remembers which channels were read."""

    def __init__(self, channels: Mapping[str, FakeChannel]) -> None:
        self.path = Path("fake.edf")
        self.format_name = "fake"
        self.start = datetime(2020, 1, 1, 23)
        self.channels = tuple(
            Channel(label, label, c.rate_hz, len(c.samples), c.unit, c.unit, c.role) for label, c in channels.items()
        )
        self.duration_s = max(len(c.samples) / c.rate_hz for c in channels.values())
        self.read_labels: list[str] = []
        self._signals = dict(channels)

    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        channel = self.channel(label)
        self.read_labels.append(label)
        start, stop = round(start_s * channel.rate_hz), round(stop_s * channel.rate_hz)
        window = np.full(stop - start, np.nan, dtype=np.float32)
        there = self._signals[label].samples[start:stop]
        window[: len(there)] = there
        return window


def eeg(n_epochs: int, rate_hz: float = 100.0, *, seed: int = 0, microvolts: float = 20.0) -> Samples:
    """Noise whose slow and fast parts wax and wane from epoch to epoch, ``float32 [n]``, as if in µV."""
    rng = np.random.default_rng(seed)
    n = round(n_epochs * EPOCH_S * rate_hz)
    white = rng.standard_normal(n)
    slow = np.convolve(white, np.ones(20) / np.sqrt(20), mode="same")
    share = np.repeat(rng.random(n_epochs), -(-n // n_epochs))[:n]
    return (microvolts * (share * slow + (1 - share) * white)).astype(np.float32)


def write_edf(path: Path, channels: Mapping[str, tuple[Samples, float]]) -> Path:
    """Write channels (samples in µV, rate in Hz) as EDF, and return the path."""
    signals = [
        edfio.EdfSignal(
            samples.astype(np.float64), rate_hz, label=label, physical_dimension="uV", physical_range=(-500, 500)
        )
        for label, (samples, rate_hz) in channels.items()
    ]
    edfio.Edf(signals).write(path)
    return path


class CancelAfter(CancelToken):
    """A token that is set once it has been looked at so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def check(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ScoringCancelled("cancelled by the test")


class FakeEngine:
    """Scores every night alike, in no time; names of nights make it stumble, die, die once, or take long."""

    title = "Fake"

    def __init__(self, spec: EngineSpec) -> None:
        self.id = spec.id
        weights = spec.weights or shipped_weights(spec.id)
        self.weights = "ab" * 32 if weights is None else sha256_of(weights)
        if spec.id == ENSEMBLE:
            self.weights = min(possible_identities())

    def warm_up(self) -> None: ...

    def score(
        self,
        recording: Recording,
        channels: ChannelChoice,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Prediction:
        name = recording.path.name
        if "stumbles" in name:
            raise ValueError("what a library raises")
        if "deadly" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "unlucky" in name and not (mark := recording.path.with_suffix(".once")).exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if "slow" in name:
            time.sleep(60)
        for label in channels.labels:
            recording.channel(label)
        stages = np.resize([0, 1, 2, 2, 3, 3, 4, 2], recording.n_epochs)
        proba = np.full((len(stages), N_STAGES), 0.05, dtype=np.float32)
        proba[np.arange(len(stages)), stages] = 0.8
        return Prediction(proba, self.id, "1", self.weights, channels.labels, 0.25, notes=(f"by {os.getpid()}",))


def make_fake(spec: EngineSpec) -> FakeEngine:
    """Make a fake engine; by name, so that other processes can, too."""
    return FakeEngine(spec)
