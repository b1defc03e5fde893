"""What an epoch model sees in each epoch of a night: its features, summed up, as an embedding of the night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive
from sleepviewer.errors import ChannelError, EngineError, SleepViewerError
from sleepviewer.recording.base import FileStamp, Recording
from sleepviewer.scoring.base import CancelToken, Engine, Progress, ProgressCallback, no_progress
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.registry import EngineSpec
from sleepviewer.scoring.signals import NightSignal, read_signal
from sleepviewer.stages import StageArray, most_likely


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


@dataclass(frozen=True, slots=True)
class FeaturesRequest:
    """A recording's night to look at, by one of its channels, or archives (``paths``; ``eeg`` is then their own).

    ``stamp`` is that of the recording that the caller has open: another file that took its place is a RecordingError.
    """

    spec: EngineSpec
    paths: tuple[Path, ...]
    eeg: str = ""
    stamp: FileStamp | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ArchiveNight:
    """An archive's night: its features, its stages ``int8 [n_epochs]``, and which recording it is of.

    ``truth`` is what was corrected, elsewhere the expert's stage; ``predicted`` the model's that scored the archive.
    """

    path: Path
    features: NightFeatures
    truth: StageArray
    predicted: StageArray
    recording: str
    start: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class ArchiveNights:
    """Archives' nights, and sentences on those that could not be looked at."""

    nights: tuple[ArchiveNight, ...]
    notes: tuple[str, ...] = ()


def look(
    engine: Engine,
    request: FeaturesRequest,
    progress: ProgressCallback = no_progress,
    cancel: CancelToken | None = None,
) -> NightFeatures | ArchiveNights:
    """Carry out a request: a recording's features where it names a channel, else those of the archives.

    Raises what :func:`recording_features` does, RecordingError, and EngineError for an engine without features.
    """
    from sleepviewer.recording import open_recording

    if not isinstance(engine, FamilyEngine):
        raise EngineError(no_features(engine.title))
    if not request.eeg:
        return _archive_nights(engine, request.paths, progress, cancel or CancelToken())
    (path,) = request.paths
    if request.stamp is not None:
        request.stamp.check(path)
    with open_recording(path) as recording:
        return recording_features(engine, recording, request.eeg, progress, cancel)


def no_features(title: str) -> str:
    """Return the sentence that an engine has no features."""
    return (
        f"{title} has no features of its own to compare epochs by; choose AttnSleep or another of its family in the "
        "tool bar. The map then shows the night's labels and scoring as that model sees the epochs."
    )


def _archive_nights(
    engine: FamilyEngine, paths: tuple[Path, ...], progress: ProgressCallback, cancel: CancelToken
) -> ArchiveNights:
    nights: list[ArchiveNight] = []
    notes: list[str] = []
    for place, path in enumerate(paths):
        cancel.check()
        progress(Progress(place / len(paths), f"looking at {path.name}, {place + 1} of {len(paths)}"))
        try:
            archive = read_archive(path)
            features = archive_features(engine, archive, no_progress, cancel)
        except (SleepViewerError, ValueError) as error:
            cancel.check()
            notes.append(f"{path.name}: {error}")
            continue
        corrected = archive.night_corrected != NOT_CORRECTED
        truth = np.where(corrected, archive.night_corrected, archive.night_expert).astype(np.int8)
        recording = archive.meta.get("recording")
        name = str(recording.get("name", "")) if isinstance(recording, dict) else ""
        nights.append(ArchiveNight(path, features, truth, most_likely(archive.night_proba), name, archive.start))
    return ArchiveNights(tuple(nights), tuple(notes))


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
    if not len(archive) or not archive.fs:
        raise ChannelError("The archive was saved without a signal; open its recording to look for epochs alike.")
    signal = NightSignal.of_epochs(archive.ch_label, archive.fs, archive.x[..., 0])
    found = _features(engine, signal, progress, cancel)
    values = np.full((archive.n_epochs, found.values.shape[1]), np.nan, dtype=np.float32)
    values[archive.epoch_index] = found.values
    return NightFeatures(values, found.weights_sha256)


def _features(
    engine: FamilyEngine, signal: NightSignal, progress: ProgressCallback, cancel: CancelToken | None
) -> NightFeatures:
    values, sha256 = engine.features(signal, progress, cancel)
    return NightFeatures(values, sha256)
