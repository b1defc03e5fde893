"""Labelled epochs to train on, night by night."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import ArchiveError, TrainingError
from sleepviewer.models.card import NamedRecordings
from sleepviewer.models.normalisation import Epochs, Normalisation, normalise
from sleepviewer.models.shape import InputShape
from sleepviewer.stages import N_STAGES, SCORED_STAGES, StageArray

MANIFEST: Final = "manifest.jsonl"
_SLEEP_EDF_NIGHT: Final = re.compile(r"S[CT]\d(\d\d)\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledNight:
    """One night's labelled epochs: ``x`` ``float32 [n, samples]`` in µV, ``y`` ``int8 [n]`` 0 to 4, in order of time.

    ``epoch_index`` ``int32 [n]`` is each epoch's place in the recording, ``recording_sha256`` the recording's file's,
    where the archive tells.
    """

    name: str
    subject: str
    x: Epochs
    y: StageArray
    epoch_index: NDArray[np.int32]
    recording_sha256: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Nights of one shape of input."""

    name: str
    shape: InputShape
    nights: tuple[LabelledNight, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every subject once, in sorted order."""
        return tuple(sorted({night.subject for night in self.nights}))

    @property
    def n_epochs(self) -> int:
        """How many epochs all nights have."""
        return sum(len(night.y) for night in self.nights)

    def of(self, subjects: Iterable[str]) -> tuple[LabelledNight, ...]:
        """Return the nights of some subjects, in their order here."""
        wanted = set(subjects)
        return tuple(night for night in self.nights if night.subject in wanted)


def stage_counts(nights: Sequence[LabelledNight]) -> NDArray[np.int64]:
    """Return how many epochs each stage has, ``int64 [5]``."""
    counts = np.zeros(N_STAGES, dtype=np.int64)
    for night in nights:
        counts += np.bincount(night.y, minlength=N_STAGES)
    return counts


def named_counts(counts: NDArray[np.int64]) -> dict[str, int]:
    """Return counts by the stages' labels."""
    return {stage.label: int(count) for stage, count in zip(SCORED_STAGES, counts, strict=True)}


def load_training_set(path: Path, normalisation: Normalisation = Normalisation.NONE) -> TrainingSet:
    """Load the nights of a folder of archives (SleepViewer's, or AttnSleep's as they are), or of one file of segments.

    In a folder that was prepared, the manifest tells the subjects; else a name as Sleep-EDF's does, and any other night
    is a subject of its own. A file of segments (``x`` as counts with ``uv_per_count`` and ``uv_offset`` per night)
    holds all its nights. The signal is scaled night by night as ``normalisation`` says.

    Raises TrainingError where there is nothing to train on or the nights are not of one shape, ArchiveError for a
    damaged archive.
    """
    if path.is_file():
        nights, rate_hz = _read_segments(path)
    elif path.is_dir():
        nights, rate_hz = _read_folder(path)
    else:
        raise TrainingError(f"{path} is not there; name a folder of npz archives or a file of segments.")
    nights = [night for night in nights if len(night.y)]
    if not nights:
        raise TrainingError(f"{path} holds no labelled epochs to train on.")
    widths = {night.x.shape[1] for night in nights}
    if len(widths) > 1:
        raise TrainingError(f"The nights of {path} have epochs of {' and '.join(map(str, sorted(widths)))} samples.")
    scaled = tuple(replace(night, x=normalise(night.x, normalisation)) for night in nights)
    return TrainingSet(path.absolute().stem, InputShape(rate_hz, widths.pop()), scaled)


def named_recordings(data: TrainingSet, uses: Mapping[str, Sequence[str]]) -> tuple[NamedRecordings, ...]:
    """Return the nights of subjects as a card names them; ``uses`` maps what for to whom, and nobody is left out."""
    return tuple(
        NamedRecordings(
            data.name,
            use,
            tuple(subjects),
            tuple(night.name for night in data.of(subjects)),
            tuple(night.recording_sha256 for night in data.of(subjects) if night.recording_sha256),
        )
        for use, subjects in uses.items()
        if subjects
    )


def fingerprint(data: TrainingSet) -> str:
    """Return the SHA-256 of all nights' names, signals as scaled, and labels: other data have another."""
    digest = hashlib.sha256()
    for night in data.nights:
        digest.update(f"{night.name}\n{night.subject}\n{night.x.shape}\n".encode())
        for array in (night.x, night.y, night.epoch_index):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _read_folder(folder: Path) -> tuple[list[LabelledNight], int]:
    subjects = _manifest_subjects(folder / MANIFEST)
    nights, rates = [], set()
    for file in sorted(folder.glob("*.npz")):
        archive = read_archive(file)
        if not len(archive):
            continue
        rates.add(archive.fs)
        subject = subjects.get(file.name) or _subject_of(file.stem)
        recording = archive.meta.get("recording")
        sha256 = recording.get("sha256") if isinstance(recording, dict) else None
        signal, labels = archive.x[:, :, 0], archive.y.astype(np.int8)
        nights.append(LabelledNight(file.stem, subject, signal, labels, archive.epoch_index, str(sha256 or "")))
    if len(rates) > 1:
        raise TrainingError(f"The nights of {folder} have different rates: {', '.join(f'{r:g} Hz' for r in rates)}.")
    rate = rates.pop() if rates else 0.0
    if rate != round(rate):
        raise TrainingError(f"The nights of {folder} have {rate:g} samples a second; resample them to a whole number.")
    return nights, round(rate)


def _manifest_subjects(path: Path) -> dict[str, str]:
    """Return file name to subject; nothing where there is no manifest. Raises TrainingError for a damaged one."""
    if not path.is_file():
        return {}
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return {str(line["file"]): str(line["subject"]) for line in lines if "file" in line}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"{path} can't be read ({error}); prepare the data set again.") from error


def _subject_of(name: str) -> str:
    found = _SLEEP_EDF_NIGHT.match(name)
    return found[1] if found else name


def _read_segments(path: Path) -> tuple[list[LabelledNight], int]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as npz:
            arrays = {name: npz[name] for name in npz.files}
    except Exception as error:  # a damaged zip makes its parser fail in many ways
        raise ArchiveError(f"{path.name} is no usable npz ({error}).") from error
    needed = {"x", "y", "subject", "night", "epoch", "night_key", "uv_per_count", "uv_offset", "fs"}
    if lacking := sorted(needed - arrays.keys()):
        raise TrainingError(f"{path.name} is no file of segments: it has no array “{lacking[0]}”.")
    try:
        return _cut_segments(arrays), int(arrays["fs"])
    except (ValueError, IndexError, TypeError) as error:
        raise TrainingError(f"The arrays of {path.name} do not fit each other ({error}).") from error


def _cut_segments(arrays: dict[str, NDArray[Any]]) -> list[LabelledNight]:
    if not np.isin(arrays["y"], SCORED_STAGES).all():
        raise ValueError("“y” holds values outside 0 … 4")
    keys = 10 * arrays["subject"].astype(int) + arrays["night"]
    nights = []
    for key, scale, offset in zip(arrays["night_key"], arrays["uv_per_count"], arrays["uv_offset"], strict=True):
        rows = keys == key
        subject, night = divmod(int(key), 10)
        nights.append(
            LabelledNight(
                name=f"SC4{subject:02d}{night}",
                subject=f"{subject:02d}",
                x=(arrays["x"][rows] * scale + offset).astype(np.float32),
                y=arrays["y"][rows].astype(np.int8),
                epoch_index=arrays["epoch"][rows].astype(np.int32),
            )
        )
    return nights
