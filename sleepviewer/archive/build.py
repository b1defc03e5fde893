"""Make a scoring archive from a recording and its layers of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sleepviewer
from sleepviewer.archive.archive import FORMAT, NOT_CORRECTED, VERSION, ScoringArchive
from sleepviewer.errors import ArchiveError, ChannelError, UnitError
from sleepviewer.files import sha256_of
from sleepviewer.recording.base import Recording, Samples
from sleepviewer.stages import EPOCH_S, N_STAGES, Stage, StageArray, most_likely


def trim_wake(labels: StageArray, minutes: float = 30) -> tuple[int, int]:
    """Return ``(first, stop)`` of the night with ``minutes`` of wake before the first and after the last sleep epoch.

    As in the published preparation of Sleep-EDF, minutes are counted in scored epochs: an UNKNOWN epoch in the wake
    is passed over, not counted. A night without sleep has nothing to trim around and is kept whole.
    """
    labels = np.asarray(labels)
    scored = np.flatnonzero(labels != Stage.UNKNOWN)
    asleep = np.flatnonzero(labels[scored] != Stage.W)
    if not asleep.size:
        return 0, len(labels)
    edge = round(minutes * 60 / EPOCH_S)
    first = max(int(asleep[0]) - edge, 0)
    last = min(int(asleep[-1]) + edge, len(scored) - 1)
    return int(scored[first]), int(scored[last]) + 1


def make_meta(
    recording: Recording,
    *,
    scorer: str = "",
    base: str = "none",
    model: Mapping[str, Any] | None = None,
    edits: Sequence[Mapping[str, Any]] = (),
    recording_sha256: str | None = None,
) -> dict[str, Any]:
    """Return the description that an archive carries, as JSON-ready values.

    ``base`` says where labels that were not corrected come from: ``truth``, ``model`` or ``none``; ``model`` is the
    engine, its version, the weights' SHA-256 and the channels. The recording's SHA-256 is computed unless it is given.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "software": f"SleepViewer {sleepviewer.__version__}",
        "unit": "µV",
        "recording": {
            "name": recording.name,
            "sha256": _sha256(recording) if recording_sha256 is None else recording_sha256,
            "start": None if recording.start is None else recording.start.isoformat(),
            "n_epochs": recording.n_epochs,
            "simulated": recording.simulated,
        },
        "scorer": scorer,
        "base": base,
        "model": None if model is None else dict(model),
        "edits": [dict(edit) for edit in edits],
    }


def _sha256(recording: Recording) -> str:
    try:
        return sha256_of(recording.path)
    except OSError as error:
        raise ArchiveError(
            f"{recording.path} can't be read any more ({error.strerror or error}), so no archive was made of it."
        ) from error


def build_archive(
    recording: Recording,
    channel: str | None,
    labels: StageArray,
    *,
    meta: Mapping[str, Any],
    expert: StageArray | None = None,
    proba: NDArray[np.float32] | None = None,
    corrected: StageArray | None = None,
    flagged: NDArray[np.bool_] | None = None,
    trim_wake_min: float | None = None,
) -> ScoringArchive:
    """Cut one channel of a recording into labelled epochs.

    ``labels`` [N], ``expert`` [N], ``proba`` [N, 5], ``corrected`` [N] (NOT_CORRECTED where nothing was said) and
    ``flagged`` [N] cover the recording's N epochs. Epochs whose label is UNKNOWN or whose signal has a gap are left
    out of ``x`` and ``y``, and with ``trim_wake_min`` the wake beyond so many minutes around sleep. Without a channel
    the archive holds the night's layers alone: ``x`` and ``y`` are empty.

    Raises ArchiveError where a layer does not fit the recording, ChannelError where the channel is absent, no voltage
    or not cut into whole epochs.
    """
    n_epochs = recording.n_epochs
    labels = _layer("labels", labels, (n_epochs,), np.int8)
    night_expert = _layer("expert", expert, (n_epochs,), np.int8, int(Stage.UNKNOWN))
    night_proba = _layer("proba", proba, (n_epochs, N_STAGES), np.float32, np.nan)
    night_corrected = _layer("corrected", corrected, (n_epochs,), np.int8, NOT_CORRECTED)
    night_flagged = _layer("flagged", flagged, (n_epochs,), np.bool_, False)
    first, stop = (0, n_epochs) if trim_wake_min is None else trim_wake(labels, trim_wake_min)
    signal, rate_hz = _signal(recording, channel, first, stop)
    kept = np.isfinite(signal).all(axis=1) & (labels[first : first + len(signal)] != Stage.UNKNOWN)
    index = (np.flatnonzero(kept) + first).astype(np.int32)
    return ScoringArchive(
        x=signal[kept][:, :, None].astype(np.float32, copy=False),
        y=labels[index].astype(np.int32),
        fs=rate_hz,
        ch_label=channel or "",
        epoch_index=index,
        y_expert=night_expert[index],
        y_model=most_likely(night_proba[index]),
        proba=night_proba[index],
        edited=night_corrected[index] != NOT_CORRECTED,
        meta=dict(meta),
        night_expert=night_expert,
        night_proba=night_proba,
        night_corrected=night_corrected,
        night_flagged=night_flagged,
    )


def _signal(recording: Recording, channel: str | None, first: int, stop: int) -> tuple[Samples, float]:
    """Return ``[n, samples]`` in µV and the rate; no epochs at a rate of 0 without a channel."""
    if channel is None:
        return np.empty((0, 0), dtype=np.float32), 0.0
    the_channel = recording.channel(channel)
    if not the_channel.is_voltage:
        if not the_channel.unit.strip():
            raise UnitError(
                f"Channel “{channel}” of {recording.name} has no unit in the file; say which it is (--unit "
                f'"{channel}=mV", or File › Units of channels…), or choose a voltage.'
            )
        unit = f"is in “{the_channel.unit}”, not in µV"
        raise ChannelError(f"Channel “{channel}” of {recording.name} {unit}; choose a voltage.")
    return recording.read_epochs(channel, first, stop), float(the_channel.rate_hz)


def _layer(
    name: str, layer: NDArray[Any] | None, shape: tuple[int, ...], dtype: type[np.generic], absent: float = 0
) -> NDArray[Any]:
    """Return a layer as an array of its own, filled with ``absent`` where there is none."""
    if layer is None:
        return np.full(shape, absent, dtype=dtype)
    array = np.array(layer, dtype=dtype)
    if array.shape != shape:
        raise ArchiveError(f"The layer “{name}” is {list(array.shape)}, but the recording asks for {list(shape)}.")
    return array
