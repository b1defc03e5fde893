"""Scoring in a process of its own, so that a window never waits for an engine.

Engines hold Python's interpreter lock for long (imports, numba's compilation), which would stall a window in the same
process. The child lives on between scorings and stays warm. It opens recordings itself, by path; only requests,
progress and probabilities go through the pipe.
"""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sleepviewer import errors
from sleepviewer.errors import EngineError, ScoringCancelled, SleepViewerError
from sleepviewer.recording.base import FileStamp
from sleepviewer.recording.units import ToldUnit
from sleepviewer.scoring import worker
from sleepviewer.scoring.base import (
    CancelToken,
    ChannelChoice,
    Prediction,
    Progress,
    ProgressCallback,
    no_progress,
)
from sleepviewer.scoring.detection import Detection, DetectionRequest
from sleepviewer.scoring.explain import Explanation, ExplanationRequest
from sleepviewer.scoring.features import ArchiveNights, FeaturesRequest, NightFeatures
from sleepviewer.scoring.registry import EngineSpec

_POLL_S: Final = 0.05
_GRACE_S: Final = 0.3
"""How long the child may take to stop politely before it is killed."""
_KILL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """A night to score: its file, the engine, and the channels to give it.

    ``stamp`` is that of the recording that the caller has open, if any: another file that has taken its place
    meanwhile is not scored, but a RecordingError. ``units`` is what was told of that recording's channels.
    """

    path: Path
    spec: EngineSpec
    channels: ChannelChoice
    stamp: FileStamp | None = None
    units: tuple[ToldUnit, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Child:
    process: SpawnProcess
    connection: Connection


class ScoringProcess:
    """A long-lived child process that scores nights, one at a time.

    One thread calls :meth:`score` and waits; any other may meanwhile cancel its token, or call :meth:`warm_up` and
    :meth:`close`. The child starts when it is first needed, and anew after it was killed. It ends with this process,
    however this process ends.
    """

    def __init__(self) -> None:
        self._scoring = threading.Lock()
        self._state = threading.Lock()  # guards the three below, and sending
        self._child: _Child | None = None
        self._closed = False
        self._jobs = itertools.count(1)

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while there is no child."""
        child = self._child
        return child.process.pid if child else None

    def warm_up(self, spec: EngineSpec) -> None:
        """Start the child and have it get ready for an engine; return at once.

        Trouble is not told here: the scoring that follows tells it.
        """
        with self._state:
            if not self._closed:
                with suppress(EngineError):
                    self._send(self._running_child(), worker.WarmUp(spec))

    def score(
        self,
        request: ScoringRequest,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Prediction:
        """Score a night; blocks until it is done. Progress is told in the calling thread.

        Raises what the engine raises (SleepViewerError, with the child's traceback as a note), EngineError where the
        child dies or anything else goes wrong in it, and ScoringCancelled within a second after the token was set or
        the process was closed.
        """
        result = self._result(worker.Score, request, progress, cancel or CancelToken(), warm=request.spec)
        assert isinstance(result, Prediction)
        return replace(result)  # pickling has made its array writable; this makes it read-only again

    def detect(
        self,
        request: DetectionRequest,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Detection:
        """Look for events in a night; as :meth:`score` otherwise."""
        result = self._result(worker.Detect, request, progress, cancel or CancelToken())
        assert isinstance(result, Detection)
        return result

    def explain(
        self,
        request: ExplanationRequest,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Explanation:
        """Explain an epoch; as :meth:`score` otherwise. The night stays laid out for the next of its epochs."""
        result = self._result(worker.Explain, request, progress, cancel or CancelToken())
        assert isinstance(result, Explanation)
        return result

    def look(
        self,
        request: FeaturesRequest,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> NightFeatures | ArchiveNights:
        """See the epochs of a night or of archives as a model does; as :meth:`score` otherwise."""
        result = self._result(worker.Look, request, progress, cancel or CancelToken())
        assert isinstance(result, NightFeatures | ArchiveNights)
        return result

    def _result(
        self,
        message: Callable[[int, Any], worker.Work],
        request: ScoringRequest | DetectionRequest | ExplanationRequest | FeaturesRequest,
        progress: ProgressCallback,
        cancel: CancelToken,
        *,
        warm: EngineSpec | None = None,
    ) -> worker.Result:
        """Have the child carry out a request; where that is cancelled, let it get ready for ``warm`` again."""
        with self._scoring:
            cancel.check()
            progress(Progress(0.0, "waiting for the scoring process"))
            with self._state:
                if self._closed:
                    raise _closed()
                child, job = self._running_child(), next(self._jobs)
                self._send(child, message(job, request))
            reply = None
            try:
                reply = self._reply(child, job, progress, cancel)
            finally:
                if reply is None:  # it is still busy, or dead: the next request gets a new one
                    self._discard(child)
                    if cancel.cancelled and warm:  # who stops a scoring often starts another; let it not start cold
                        self.warm_up(warm)
            if cancel.cancelled:
                raise _cancelled()
            if isinstance(reply, worker.Failed):
                raise _rebuilt(reply)
            return reply.result

    def close(self) -> None:
        """Kill the child at once; a scoring that is under way raises ScoringCancelled. Closing twice is harmless."""
        with self._state:
            self._closed = True
            child, self._child = self._child, None
        if child:
            _kill(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _running_child(self) -> _Child:
        """Return the child, a new one where there is none or it has died. Call it with the state locked.

        Raises EngineError where the system starts none.
        """
        if self._child is None or not self._child.process.is_alive():
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(target=worker.serve, args=(theirs,), name="sleepviewer-scoring", daemon=True)
            try:
                process.start()
            except OSError as error:
                raise EngineError(f"The scoring process can't be started: {error.strerror or error}.") from error
            theirs.close()  # so that the pipe breaks when the child dies
            self._child = _Child(process, ours)
        return self._child

    @staticmethod
    def _send(child: _Child, message: worker.WarmUp | worker.Work | worker.Cancel) -> None:
        """Send to the child. Whether it has died shows when its reply is awaited."""
        try:
            child.connection.send(message)
        except OSError:
            return

    def _reply(
        self, child: _Child, job: int, progress: ProgressCallback, cancel: CancelToken
    ) -> worker.Done | worker.Failed:
        """Wait for the job's last reply. Raises ScoringCancelled or EngineError where none comes."""
        deadline = None
        while True:
            if self._closed:
                raise _closed()
            if cancel.cancelled and deadline is None:
                deadline = time.monotonic() + _GRACE_S
                with self._state:
                    self._send(child, worker.Cancel(job))
            if deadline is not None and time.monotonic() > deadline:
                raise _cancelled()
            try:
                if not child.connection.poll(_POLL_S):
                    continue
                reply = child.connection.recv()
            except (EOFError, OSError) as error:
                if self._closed:
                    raise _closed() from error
                if cancel.cancelled:
                    raise _cancelled() from error
                raise _death_of(child) from error
            if isinstance(reply, worker.Told):
                if deadline is None:
                    progress(reply.progress)
            else:
                return reply  # type: ignore[no-any-return]

    def _discard(self, child: _Child) -> None:
        """Kill a child and forget it."""
        with self._state:
            if self._child is child:
                self._child = None
        _kill(child)
        child.connection.close()


def _kill(child: _Child) -> None:
    """End the process for certain, and collect it."""
    child.process.kill()
    child.process.join(_KILL_S)


def _cancelled() -> ScoringCancelled:
    return ScoringCancelled("Scoring was cancelled; nothing was changed.")


def _closed() -> ScoringCancelled:
    return ScoringCancelled("Scoring was stopped because the program is closing.")


def _death_of(child: _Child) -> EngineError:
    """Return the error for a child that ended without a reply."""
    child.process.join(_KILL_S)
    code = child.process.exitcode
    if code is None:
        why = "it closed its pipe"
    elif code < 0:
        why = f"it was ended by signal {-code}, perhaps because memory ran out"
    else:
        why = f"exit code {code}"
    return EngineError(f"The scoring process stopped unexpectedly ({why}); close other programs and score again.")


def _rebuilt(failure: worker.Failed) -> SleepViewerError:
    """Return the child's error as it was, with the child's traceback as a note for the log."""
    error: SleepViewerError = getattr(errors, failure.kind)(failure.sentence)
    error.add_note(f"In the scoring process:\n{failure.details}")
    return error
