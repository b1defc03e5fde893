"""What a fine-tuning replays so that the model stays what it was, and the nights of others that the guard looks at.

Either a folder of the user's archives, parted by subject, or nights that are simulated once and kept in the user's
cache. Replayed epochs teach nothing new: their target is what the base itself said of them. The guard's nights are of
subjects that are not replayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import platformdirs
from numpy.typing import NDArray

from sleepviewer import __version__
from sleepviewer.errors import OutputError, SleepViewerError, TrainingError
from sleepviewer.files import atomic_writer
from sleepviewer.training.corrected import TuningNight, epochs_for, read_night

if TYPE_CHECKING:
    from sleepviewer.models.card import ModelCard

REPLAYED_SEEDS: Final = (9001, 9002, 9003, 9004)
GUARD_SEEDS: Final = (9011, 9012, 9013)
_EPOCHS: Final = 960
_RATE_HZ: Final = 100
_CHANNEL: Final = "EEG Fpz-Cz"
_UV_PER_COUNT: Final = 0.05
_GUARDS_SHARE: Final = 4
"""Of the user's subjects every fourth guards, and at least one."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Nights to replay and nights to guard by, of different subjects; ``source`` says in words what they are.

    ``notes`` are sentences on archives that were left out.
    """

    replayed: tuple[TuningNight, ...]
    guards: tuple[TuningNight, ...]
    source: str
    notes: tuple[str, ...] = ()


def load_replay(folder: Path | None, card: ModelCard, corrected: Sequence[TuningNight]) -> Replay:
    """Return what is replayed and what guards, as the model of a card takes it.

    Nights that are corrected ones or of their subjects are left out of a folder. Raises TrainingError where the folder
    leaves fewer than two subjects.
    """
    return _simulated(card) if folder is None else _of_folder(folder, card, corrected)


def _simulated(card: ModelCard) -> Replay:
    def night(seed: int) -> TuningNight:
        x, y = simulated_epochs(seed)
        name = f"simulated-{seed}"
        return TuningNight(name, name, epochs_for(x, _RATE_HZ, card), y, np.arange(len(y), dtype=np.int32))

    return Replay(
        tuple(night(seed) for seed in REPLAYED_SEEDS),
        tuple(night(seed) for seed in GUARD_SEEDS),
        f"simulated nights {', '.join(map(str, REPLAYED_SEEDS))}; guarded by {', '.join(map(str, GUARD_SEEDS))}",
    )


def simulated_epochs(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return a simulated night's Fpz-Cz, ``float32 [960, 3000]`` in µV at 100 Hz, and its stages ``int8 [960]``.

    It is kept in the user's cache in steps of 0.05 µV; where that can't be written, it is simulated every time.
    """
    folder = platformdirs.user_cache_path("SleepViewer", appauthor=False) / f"replay-{__version__}"
    path = folder / f"{seed}.npz"
    counts, y = _cached(path) or _simulate(seed, path)
    return counts.astype(np.float32) * np.float32(_UV_PER_COUNT), y


def _cached(path: Path) -> tuple[NDArray[np.int16], NDArray[np.int8]] | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as npz:
            counts, y = npz["counts"], npz["y"]
    except Exception:  # a damaged zip makes its parser fail in many ways; the night is simulated anew
        return None
    return (counts, y) if counts.shape == (_EPOCHS, 30 * _RATE_HZ) and y.shape == (_EPOCHS,) else None


def _simulate(seed: int, path: Path) -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    from sleepviewer.simulation import simulate_hypnogram, simulate_signals

    y = simulate_hypnogram(_EPOCHS, seed)
    limits = np.iinfo(np.int16)
    signal = simulate_signals(y, seed)[_CHANNEL] / _UV_PER_COUNT
    counts = np.clip(np.round(signal), limits.min, limits.max).astype(np.int16).reshape(_EPOCHS, -1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path) as file:
            np.savez(file, counts=counts, y=y)
    except (OSError, OutputError):
        pass  # a cache that can't be written costs time and nothing else
    return counts, y


def _of_folder(folder: Path, card: ModelCard, corrected: Sequence[TuningNight]) -> Replay:
    if not folder.is_dir():
        raise TrainingError(f"{folder} is no folder; name one that holds npz archives to replay.")
    known = {night.archive_sha256 for night in corrected} | {night.recording_sha256 for night in corrected} - {""}
    subjects = {night.subject for night in corrected}
    nights: list[TuningNight] = []
    notes: list[str] = []
    for path in sorted(folder.glob("*.npz")):
        try:
            night = read_night(path, card)
        except SleepViewerError as error:
            notes.append(f"{path.name} is not replayed: {error}")
            continue
        if {night.archive_sha256, night.recording_sha256} & known or night.subject in subjects:
            notes.append(f"{path.name} is not replayed: it is a corrected night, or of the same subject.")
        else:
            nights.append(night)
    replayed, guards = _by_subject(nights)
    if not replayed or not guards:
        raise TrainingError(
            f"{folder} holds nights of {len({n.subject for n in nights})} other subjects, but replaying and guarding"
            " takes two at least; name another folder, or none for simulated nights."
        )
    source = f"{len(replayed)} nights of {folder.name}; guarded by {len(guards)}"
    return Replay(replayed, guards, source, tuple(notes))


def _by_subject(nights: Sequence[TuningNight]) -> tuple[tuple[TuningNight, ...], tuple[TuningNight, ...]]:
    """Part nights into replayed and guarding ones; guards must have labels."""
    labelled = sorted({night.subject for night in nights if night.reviewed.any()})
    guards = set(labelled[:: max(1, _GUARDS_SHARE)])
    if guards == {night.subject for night in nights}:
        guards = set(sorted(guards)[:1])
    rest = tuple(night for night in nights if night.subject not in guards)
    return rest, tuple(night for night in nights if night.subject in guards)
