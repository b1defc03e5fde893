"""A fine-tuning in a process of its own, so that no window waits for it; without Qt and without torch."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from sleepviewer import errors
from sleepviewer.errors import SleepViewerError, TrainingCancelled, TrainingError
from sleepviewer.training.fine_tune import FineTuneRequest, FineTuneResult, TuningProgress, discard

_POLL_S: Final = 0.1
_GRACE_S: Final = 5.0
"""How long the child may take to stop politely before it is killed; a look at κ takes seconds."""
_MODULE: Final = "sleepviewer.training.fine_tune_child"
_LAST_LINES: Final = 20


class TuningState(StrEnum):
    """Where a tuning's process is."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FineTuneProcess:
    """Runs one fine-tuning in a child process with one thread and low priority.

    :meth:`start` returns at once. A window calls :meth:`poll` from a timer, which never blocks; a program without one
    iterates over :meth:`progress`. A tuning that was killed, cancelled or closed goes on where it was when an equal
    request is started again. The child ends with this process, however this process ends.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._request: FineTuneRequest | None = None
        self._lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._said: deque[str] = deque(maxlen=_LAST_LINES)
        self._state = TuningState.NEW
        self._result: FineTuneResult | None = None
        self._error: SleepViewerError | None = None
        self._threads: tuple[threading.Thread, ...] = ()

    # -- what a caller sees

    @property
    def state(self) -> TuningState:
        """Where the process is, as of the last :meth:`poll`."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while there is no child."""
        return None if self._child is None else self._child.pid

    @property
    def running(self) -> bool:
        """Whether there is more to come: it is running or paused."""
        return self._state in (TuningState.RUNNING, TuningState.PAUSED)

    def start(self, request: FineTuneRequest) -> None:
        """Start a tuning, or go on with one that was broken. Raises TrainingError where the system starts no process.

        One object runs one tuning; a second start is a mistake and raises ValueError.
        """
        if self._child is not None:
            raise ValueError("this process was started already")
        self._request = request
        try:
            self._child = subprocess.Popen(  # noqa: S603  (this very interpreter)
                [sys.executable, "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=_environment(),
            )
        except OSError as error:
            raise TrainingError(f"The process that tunes can't be started: {error.strerror or error}.") from error
        self._state = TuningState.RUNNING
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        self._threads = (
            threading.Thread(target=self._read, args=(self._child.stdout,), name="fine-tuning", daemon=True),
            threading.Thread(target=self._listen, args=(self._child.stderr,), name="fine-tuning-err", daemon=True),
        )
        for thread in self._threads:
            thread.start()
        self._send(request.to_json())

    def poll(self) -> list[TuningProgress]:
        """Return what was told since the last call, oldest first; never waits."""
        return list(self._taken(wait=False))

    def progress(self) -> Iterator[TuningProgress]:
        """Yield what is told until the tuning is done, has failed or was cancelled."""
        while self.running:
            yield from self._taken(wait=True)

    def pause(self) -> None:
        """Have the child wait before its next step; ``state`` says when it does."""
        self._send("pause")

    def resume(self) -> None:
        """Have a paused child go on."""
        self._send("resume")

    def cancel(self, *, forget: bool = True) -> None:
        """Stop within seconds, and forget what was done unless it may be taken up again; blocks until it has ended.

        The model is as it was. Nothing happens where the tuning has ended already.
        """
        if self._child is None or not self.running:
            return
        self._send("cancel")
        try:
            self._child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._kill()
        self.poll()
        if self._state in (TuningState.RUNNING, TuningState.PAUSED, TuningState.FAILED):
            self._state = TuningState.CANCELLED
        if forget and self._request is not None and self._state is TuningState.CANCELLED:
            with suppress(SleepViewerError):
                discard(self._request)

    def result(self) -> FineTuneResult:
        """Wait for the end and return what came of it.

        Raises what the child raised (TrainingError, ArchiveError, CheckpointError, …), TrainingError where it died, and
        TrainingCancelled where it was cancelled.
        """
        for _ in self.progress():
            pass
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise TrainingCancelled("Fine-tuning was cancelled; the model is as it was.")
        return self._result

    def close(self) -> None:
        """Kill the child at once; what was done can be taken up again. Closing twice is harmless."""
        if self._child is not None:
            self._kill()
            if self._child.stdin is not None:
                with suppress(OSError):
                    self._child.stdin.close()
            for thread in self._threads:
                thread.join()
        if self.running:
            self._state = TuningState.CANCELLED

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    # -- helpers

    def _taken(self, *, wait: bool) -> Iterator[TuningProgress]:
        """Take the lines that are there, and where ``wait`` is true wait a little for the first."""
        while self.running:
            try:
                line = self._lines.get(timeout=_POLL_S) if wait else self._lines.get_nowait()
            except queue.Empty:
                return
            wait = False
            if line is None:
                self._died()
            elif "phase" in line:
                yield TuningProgress.from_dict(line)
            else:
                self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        """Take up a line that changes the state."""
        match line:
            case {"paused": paused}:
                self._state = TuningState.PAUSED if paused else TuningState.RUNNING
            case {"done": values}:
                self._state, self._result = TuningState.DONE, FineTuneResult.from_dict(values)
            case {"cancelled": _}:
                self._state = TuningState.CANCELLED
            case {"failed": failure}:
                self._state = TuningState.FAILED
                self._error = getattr(errors, failure["kind"])(failure["sentence"])
                self._error.add_note(f"In the process that tunes:\n{failure['details']}")

    def _died(self) -> None:
        assert self._child is not None
        code = self._child.wait()
        why = f"exit code {code}" if code >= 0 else f"it was ended by signal {-code}, perhaps because memory ran out"
        self._state = TuningState.FAILED
        self._error = TrainingError(f"The process that tunes stopped unexpectedly ({why}); tune again to go on.")
        self._error.add_note("\n".join(self._said))

    def _send(self, line: str) -> None:
        """Send to the child. Whether it has died shows when its lines are read."""
        if self._child is not None and self._child.stdin is not None:
            with suppress(OSError, ValueError):
                self._child.stdin.write(line + "\n")
                self._child.stdin.flush()

    def _read(self, stream: IO[str]) -> None:
        """Read the child's lines, in a thread of its own; None is the end."""
        with stream:
            for text in stream:
                with suppress(ValueError):
                    line = json.loads(text)
                    if isinstance(line, dict):
                        self._lines.put(line)
        self._lines.put(None)

    def _listen(self, stream: IO[str]) -> None:
        with stream:
            self._said.extend(text.rstrip() for text in stream)

    def _kill(self) -> None:
        assert self._child is not None
        self._child.kill()
        self._child.wait()


def _environment() -> dict[str, str]:
    """The parent's, with the folder of this very program first on the path of modules."""
    here = str(Path(__file__).parents[2])
    paths = [here, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONIOENCODING": "utf-8"}
