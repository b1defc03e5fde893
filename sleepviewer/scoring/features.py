"""What an epoch model sees in each epoch of a night: its features, summed up, as an embedding of the night."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sleepviewer.archive.archive import ScoringArchive
from sleepviewer.errors import ChannelError
from sleepviewer.recording.base import Recording
from sleepviewer.scoring.base import CancelToken, ProgressCallback, no_progress
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.signals import NightSignal, read_signal


@dataclass(frozen=True, slots=True, eq=False)
class NightFeatures:
    """A night's embedding: ``values`` ``float32 [n_epochs, 65]``, NaN where an epoch could not be seen.

    The columns are the means and the spreads over time of the epoch model's 30 features, and its five
    log-probabilities; ``weights_sha256`` tells which model's: those of different weights can't be compared.
    """

    values: NDArray[np.float32]
    weights_sha256: str

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which epochs have features, ``bool [n_epochs]``."""
        return np.asarray(np.isfinite(self.values).all(axis=1))


def recording_features(
    engine: FamilyEngine,
    recording: Recording,
    eeg: str,
    progress: ProgressCallback = no_progress,
    cancel: CancelToken | None = None,
) -> NightFeatures:
    """Return the features of a recording's night, from one EEG channel; as long as scoring it.

    Raises ChannelError, EngineError, CheckpointError, ScoringCancelled.
    """
    return _features(engine, read_signal(recording, eeg), progress, cancel)


def archive_features(
    engine: FamilyEngine,
    archive: ScoringArchive,
    progress: ProgressCallback = no_progress,
    cancel: CancelToken | None = None,
) -> NightFeatures:
    """Return the features of an archive's epochs, laid on its night; epochs without a signal in it are NaN.

    The archive's epochs stand for the night, so where it lacks many of them the scaling is of those that it has.

    Raises ChannelError where the archive was saved without a signal.
    """
    n = len(archive)
    if not n or not archive.fs:
        raise ChannelError("The archive was saved without a signal; open its recording to look for epochs alike.")
    signal = NightSignal(
        archive.ch_label, archive.fs, archive.x.reshape(-1).astype(np.float32), np.zeros(n, dtype=bool), ()
    )
    found = _features(engine, signal, progress, cancel)
    values = np.full((archive.n_epochs, found.values.shape[1]), np.nan, dtype=np.float32)
    values[archive.epoch_index] = found.values
    return NightFeatures(values, found.weights_sha256)


def _features(
    engine: FamilyEngine, signal: NightSignal, progress: ProgressCallback, cancel: CancelToken | None
) -> NightFeatures:
    values, sha256 = engine.features(signal, progress, cancel)
    return NightFeatures(values, sha256)
