"""A batch in a child process of low priority, so that a window never waits for it; it ends with the window.

The child hands out the nights and writes the manifest; one more process, its own child, scores them one at a time.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final

from sleepviewer.batch.manifest import Line, read_lines
from sleepviewer.batch.planning import Wanted, plan
from sleepviewer.batch.running import Control, Finished, Told, run
from sleepviewer.errors import BatchError, SleepViewerError
from sleepviewer.scoring.worker import be_modest

_GRACE_S: Final = 5.0
"""How long the child may take to end what is being scored."""

_PAUSE, _GO_ON, _CANCEL = "pause", "go on", "cancel"


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Recordings, folders of them or patterns, and what is asked of every night. What is done already is kept."""

    sources: tuple[str, ...]
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Planned:
    """From the child: the nights, in the order in which they are scored."""

    nights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Failed:
    sentence: str


Word = Planned | Told
"""What the child tells while it works."""


class BatchProcess:
    """One batch. One thread calls :meth:`run` and waits; any other may pause and cancel it."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._state = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The child's process id, or None where there is no child."""
        process = self._process
        return None if process is None else process.pid

    def run(self, request: BatchRequest, tell: Callable[[Word], None]) -> Finished:
        """Score the nights; blocks until they are done. What the child tells is told in the calling thread.

        Raises what the batch raises, BatchError where the child is ended from outside.
        """
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        # No daemon: those may have no children of their own.
        process = context.Process(target=_serve, args=(theirs, request), name="batch")
        with self._state:
            process.start()
            theirs.close()
            self._process, self._connection = process, ours
        try:
            while True:
                word = ours.recv()
                if isinstance(word, Finished):
                    return word
                if isinstance(word, _Failed):
                    raise BatchError(word.sentence)
                tell(word)
        except (EOFError, OSError) as error:
            raise BatchError(
                "The process that scored the folder was ended from outside; what is done is kept, and “Start” goes on"
                " from there."
            ) from error
        finally:
            self.close()
            ours.close()  # by the thread that reads from it

    def pause(self, on: bool) -> None:
        """Begin no further night, or go on."""
        self._send(_PAUSE if on else _GO_ON)

    def cancel(self) -> None:
        """Give up the night that is being scored, and end; what is done is kept."""
        self._send(_CANCEL)

    def close(self) -> None:
        """End the child, whatever it does; :meth:`run` then comes back."""
        self.cancel()
        with self._state:
            process, self._process, self._connection = self._process, None, None
        if process is None:
            return
        process.join(_GRACE_S)
        if process.is_alive():
            process.kill()
            process.join()

    def _send(self, word: str) -> None:
        with self._state, suppress(OSError):
            if self._connection is not None:
                self._connection.send(word)


# -- the child's side


def _serve(connection: Connection, request: BatchRequest) -> None:
    be_modest()
    control = Control()
    threading.Thread(target=_listen, args=(connection, control), name="listener", daemon=True).start()
    with suppress(OSError):  # nobody is there any more to be told
        connection.send(_outcome(connection, request, control))
        connection.close()


def _outcome(connection: Connection, request: BatchRequest, control: Control) -> Finished | _Failed:
    known: dict[str, Line] = {}

    def tell(told: Told) -> None:
        line = told.line
        if "kept" in line:
            line = known.get(line["night"], {}) | line
        connection.send(Told(line, told.scored, told.kept, told.failed, told.total, told.seconds_left))

    try:
        planned = plan(request.sources, request.wanted)
        known |= {line["night"]: line for line in read_lines(request.wanted.out) if "failed" not in line}
        connection.send(Planned(tuple(job.night for job in planned.jobs)))
        return run(planned, jobs=1, resume=True, tell=tell, control=control)
    except SleepViewerError as error:
        return _Failed(str(error))
    except BrokenPipeError:
        raise
    except Exception as error:  # or the window would only learn that the process has ended
        return _Failed(f"Scoring the folder failed ({type(error).__name__}: {error}); report it.")


def _listen(connection: Connection, control: Control) -> None:
    """Follow what the window asks; once it is gone, end."""
    while True:
        try:
            word = connection.recv()
        except (EOFError, OSError):
            control.cancel()
            threading.Timer(_GRACE_S, os._exit, (0,)).start()
            return
        if word == _CANCEL:
            control.cancel()
        else:
            control.pause(word == _PAUSE)
