"""What a scoring engine takes and gives.

An engine turns a recording into probabilities. It runs anywhere (a thread, a child process, the command line), tells
of its progress through a call-back, and looks at a :class:`CancelToken` often.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import ScoringCancelled
from sleepviewer.recording.base import Recording
from sleepviewer.stages import N_STAGES, Proba, StageArray, most_likely

_Array = TypeVar("_Array", bound=NDArray[Any])


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """The channels that an engine is given; which of EOG and EMG it uses is the engine's affair."""

    eeg: str
    eog: str | None = None
    emg: str | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The chosen labels, EEG first."""
        return tuple(label for label in (self.eeg, self.eog, self.emg) if label)


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """A word from a running engine: how far it is, and, where it knows them already, some epochs' probabilities."""

    fraction: float
    message: str
    first_epoch: int = 0
    proba: Proba | None = None


ProgressCallback = Callable[[Progress], None]


def no_progress(progress: Progress) -> None:
    """Ignore progress."""


class CancelToken:
    """A flag that one thread sets and an engine looks at."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the engine to stop."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether stopping was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise ScoringCancelled where stopping was asked for."""
        if self.cancelled:
            raise ScoringCancelled("Scoring was cancelled; nothing was changed.")


@dataclass(frozen=True, eq=False)
class Prediction:
    """An engine's scoring of one night.

    ``proba`` is ``float32 [n_epochs, 5]``; rows are NaN where an epoch could not be scored (a gap, no signal).
    ``weights_sha256`` identifies the weights' file, ``device`` where they ran, ``seconds`` how long it took,
    ``notes`` what a user should know about this scoring; ``unvalidated`` says in clauses what takes the recording
    beyond the conditions under which the engine's figures were measured (nothing where it is within them).
    ``context_changes`` is the share of the epochs to which a context gave another stage than the epoch model.
    """

    proba: Proba
    engine: str
    engine_version: str
    weights_sha256: str
    channels: tuple[str, ...]
    seconds: float
    device: str = "cpu"
    notes: tuple[str, ...] = field(default=())
    unvalidated: tuple[str, ...] = field(default=())
    context_changes: float = 0.0

    def __post_init__(self) -> None:
        """Take a read-only float32 copy and check its shape."""
        proba = np.array(self.proba, dtype=np.float32)
        if proba.ndim != 2 or proba.shape[1] != N_STAGES:
            raise ValueError(f"probabilities must have the shape [n_epochs, 5], not {proba.shape}")
        proba.flags.writeable = False
        object.__setattr__(self, "proba", proba)

    def __len__(self) -> int:
        return len(self.proba)

    @property
    def identity(self) -> str:
        """Engine, version and the beginning of the weights' hash: ``yasa 0.8.1 (3f2a…)``."""
        return f"{self.engine} {self.engine_version} ({self.weights_sha256[:12]})"

    # Worked out once and read-only, as the probabilities are: every page turn asks for them.

    @cached_property
    def scored(self) -> NDArray[np.bool_]:
        """Which epochs have probabilities, ``bool [n_epochs]``."""
        return _read_only(np.asarray(np.isfinite(self.proba).all(axis=1)))

    @cached_property
    def stages(self) -> StageArray:
        """The likeliest stage per epoch, ``int8 [n_epochs]``; UNKNOWN where unscored."""
        return _read_only(most_likely(self.proba))

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The likeliest stage's probability per epoch, ``float32 [n_epochs]``; NaN where unscored."""
        return _read_only(np.where(self.scored, self.proba.max(axis=1), np.float32(np.nan)).astype(np.float32))


def _read_only(array: _Array) -> _Array:
    array.flags.writeable = False
    return array


def validity_notes(unvalidated: tuple[str, ...]) -> tuple[str, ...]:
    """Return the note on what takes a recording beyond what was validated; nothing where nothing does."""
    if not unvalidated:
        return ()
    return (f"Accuracy and calibration are not validated for this recording: {'; '.join(unvalidated)}.",)


class Engine(Protocol):
    """A scorer of nights. Its attributes say what it is before it is asked to do anything."""

    @property
    def id(self) -> str:
        """Short name, as on the command line: ``yasa``, ``attnsleep``."""
        ...

    @property
    def title(self) -> str:
        """Name as shown in the window."""
        ...

    def warm_up(self) -> None:
        """Import and compile what the first scoring needs, so that it does not wait for it."""
        ...

    def score(
        self,
        recording: Recording,
        channels: ChannelChoice,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Prediction:
        """Score the whole night.

        Raises EngineError (with a sentence) where the engine can't score this recording, ChannelError for a channel
        that is absent, ScoringCancelled when the token was set.
        """
        ...
