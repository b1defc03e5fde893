"""The child's side of :mod:`sleepviewer.scoring.process`: it scores nights and finds events, one after the other.

This module imports nothing heavy at its top: the limits on threads that :func:`serve` sets must be there before numpy
and torch are loaded.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from sleepviewer import errors
from sleepviewer.errors import EngineError, SleepViewerError

if TYPE_CHECKING:
    from sleepviewer.scoring.attribution import NightExplainer
    from sleepviewer.scoring.base import CancelToken, Engine, Prediction, Progress, ProgressCallback
    from sleepviewer.scoring.detection import Detection, DetectionRequest
    from sleepviewer.scoring.explain import Explanation, ExplanationRequest
    from sleepviewer.scoring.features import ArchiveNights, FeaturesRequest, NightFeatures
    from sleepviewer.scoring.process import ScoringRequest
    from sleepviewer.scoring.registry import EngineSpec

    Result = Prediction | Detection | Explanation | NightFeatures | ArchiveNights

# The limit as well as the number: LightGBM asks for eight threads whatever the number.
_THREAD_LIMITS: Final = (
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
_NICENESS: Final = 5


@dataclass(frozen=True, slots=True)
class WarmUp:
    """To the child: get ready for this engine."""

    spec: EngineSpec


@dataclass(frozen=True, slots=True)
class Score:
    """To the child: score this, and put the job's number on every reply."""

    job: int
    request: ScoringRequest


@dataclass(frozen=True, slots=True)
class Detect:
    """To the child: look for events, and put the job's number on every reply."""

    job: int
    request: DetectionRequest


@dataclass(frozen=True, slots=True)
class Explain:
    """To the child: say why an epoch has its stage, and put the job's number on every reply."""

    job: int
    request: ExplanationRequest


@dataclass(frozen=True, slots=True)
class Look:
    """To the child: see the epochs as a model does, and put the job's number on every reply."""

    job: int
    request: FeaturesRequest


Work = Score | Detect | Explain | Look
"""What the child is asked to do."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """To the child: stop this job."""

    job: int


@dataclass(frozen=True, slots=True)
class Told:
    """From the child: how far it is."""

    job: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Done:
    """From the child: what was asked for."""

    job: int
    result: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """From the child: what went wrong; ``kind`` names a class of :mod:`sleepviewer.errors`."""

    job: int
    kind: str
    sentence: str
    details: str


def thread_limits() -> dict[str, str]:
    """Return the environment of a process whose arithmetic keeps to one thread."""
    return dict.fromkeys(_THREAD_LIMITS, "1") | {"MPLBACKEND": "agg"}


def limit_threads() -> None:
    """Keep this process's arithmetic to one thread, as far as its libraries are not loaded yet, and torch's always.

    YASA imports matplotlib, which must not look for a window system here.
    """
    os.environ.update(thread_limits())
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def serve(connection: Connection) -> None:
    """Do what comes through the pipe until it closes. The main function of the child process."""
    be_modest()
    _Server(connection).run()


def be_modest() -> None:
    """Leave the cores and the keyboard to the window: one thread, low priority, Ctrl-C is the parent's affair."""
    limit_threads()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(_NICENESS)


class _Server:
    """Works on jobs in the main thread while a second thread listens for more, for cancellation and for the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox: queue.SimpleQueue[WarmUp | Work] = queue.SimpleQueue()
        self._tokens: dict[int, CancelToken] = {}
        self._engine: Engine | None = None
        self._engine_key: object = None
        self._explainer: NightExplainer | None = None
        self._explainer_key: object = None

    def run(self) -> None:
        """Serve for ever; the listening thread ends the process."""
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        while True:
            message = self._inbox.get()
            if isinstance(message, Work):
                self._work(message)
            else:
                with suppress(Exception):  # scoring will meet the same trouble, and tell it
                    self._engine_of(message.spec).warm_up()

    def _listen(self) -> None:
        """Receive messages. A closed pipe means that the parent is gone: leave at once, whatever is running."""
        from sleepviewer.scoring.base import CancelToken

        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)
            if isinstance(message, Cancel):
                if token := self._tokens.get(message.job):
                    token.cancel()
                continue
            if isinstance(message, Work):
                self._tokens[message.job] = CancelToken()
            self._inbox.put(message)

    def _work(self, message: Work) -> None:
        """Carry out one request and reply."""
        reply: Done | Failed
        try:
            reply = Done(message.job, self._result(message))
        except SleepViewerError as error:
            kind = next(c.__name__ for c in type(error).__mro__ if hasattr(errors, c.__name__))
            reply = Failed(message.job, kind, str(error), traceback.format_exc())
        except MemoryError:
            sentence = "Memory does not suffice for this night; close other programs and try again."
            reply = Failed(message.job, EngineError.__name__, sentence, traceback.format_exc())
        except Exception as error:  # whatever a library raises is told to the user, and does not end the process
            last_line = traceback.format_exception_only(error)[-1].strip().splitlines()[0].rstrip(".")
            sentence = f"{_name_of(message)} failed: {last_line}."
            reply = Failed(message.job, EngineError.__name__, sentence, traceback.format_exc())
        del self._tokens[message.job]
        self._connection.send(reply)

    def _result(self, message: Work) -> Result:
        from sleepviewer.recording import open_recording

        def tell(progress: Progress) -> None:
            self._connection.send(Told(message.job, progress))

        token = self._tokens[message.job]
        token.check()
        if isinstance(message, Explain):
            return self._explain(message.request, tell, token)
        if isinstance(message, Look):
            from sleepviewer.scoring.features import look

            return look(self._engine_of(message.request.spec), message.request, tell, token)
        engine = self._engine_of(message.request.spec) if isinstance(message, Score) else None
        request = message.request
        if request.stamp is not None:
            request.stamp.check(request.path)
        with open_recording(request.path, request.units) as recording:
            if isinstance(message, Detect):
                from sleepviewer.scoring.detection import detect

                return detect(recording, message.request, tell, token)
            assert engine is not None
            return engine.score(recording, message.request.channels, tell, token)

    def _explain(self, request: ExplanationRequest, tell: ProgressCallback, token: CancelToken) -> Explanation:
        """Explain an epoch; the night stays laid out until another is asked for, or other weights."""
        from sleepviewer.recording import open_recording
        from sleepviewer.scoring.attribution import NightExplainer
        from sleepviewer.scoring.explain import check_explainable, check_weights
        from sleepviewer.scoring.family_engine import FamilyEngine

        check_explainable(request.spec.id)
        engine = self._engine_of(request.spec)
        assert isinstance(engine, FamilyEngine)
        if request.stamp is not None:
            request.stamp.check(request.path)
        with open_recording(request.path) as recording:
            key = (self._engine_key, request.path, recording.stamp, request.channel)
            if self._explainer is None or self._explainer_key != key:
                self._explainer = None  # one night's memory at a time
                self._explainer = NightExplainer.prepare(engine, recording, request.channel, tell, token)
                self._explainer_key = key
        check_weights(request, self._explainer.weights_sha256)
        return self._explainer.explain(request.epoch, request.pair, tell, token)

    def _engine_of(self, spec: EngineSpec) -> Engine:
        """Return the engine, the last one again unless its file of weights has changed."""
        from sleepviewer.scoring.registry import make_engine, resolve

        spec = resolve(spec)  # another version may have become active since the last scoring
        stamp = None
        if spec.weights is not None:
            with suppress(OSError):
                status = spec.weights.stat()
                stamp = (status.st_mtime_ns, status.st_size)
        key = (spec, stamp)
        if self._engine is None or self._engine_key != key:
            self._engine, self._engine_key = make_engine(spec), key
        return self._engine


def _name_of(message: Work) -> str:
    """Say what was to be done, at the beginning of a sentence."""
    match message:
        case Score():
            return f"Scoring with {message.request.spec.id}"
        case Detect():
            return "Looking for events"
        case Explain():
            return "Explaining the stage"
        case Look():
            return f"Looking at the epochs with {message.request.spec.id}"
