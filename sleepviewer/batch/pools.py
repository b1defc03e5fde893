"""Where the nights of a batch are scored: processes of this machine, or the workers of a Dask cluster.

Both are executors, so that one loop (:mod:`sleepviewer.batch.running`) feeds either, a few nights ahead. joblib's own
loop is not used for Dask: it waits for ever for a task whose worker has died.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from sleepviewer.batch.manifest import Line
from sleepviewer.batch.night import score_night
from sleepviewer.batch.planning import Job, Wanted
from sleepviewer.cluster import dask_client
from sleepviewer.errors import BatchError
from sleepviewer.scoring.worker import limit_threads, thread_limits

if TYPE_CHECKING:
    from distributed import Client

_AHEAD: Final = 2
_COUNT_EVERY_S: Final = 5.0
_WATCH_S: Final = 1.0
_IDLE_S: Final = 600
"""A process that has had nothing to do for so long ends; another one takes its place when there is."""


class Pool(Protocol):
    """Processes that score."""

    lost: type[BaseException]
    """What a future raises whose process died."""

    ends_with_a_loss: bool
    """Whether a process that dies takes the others' nights along, so that it is not known whose fault it was."""

    def room(self) -> int:
        """How many nights it should have in hand."""

    def submit(self, job: Job, wanted: Wanted) -> Future[Line]:
        """Have a night scored."""

    def check(self) -> None:
        """Raise BatchError where the pool is gone."""

    def kill(self) -> None:
        """End what is being scored."""


@dataclass(slots=True)
class _Processes:
    executor: Any
    jobs: int
    lost: type[BaseException]
    ends_with_a_loss: bool = True

    def room(self) -> int:
        return self.jobs + _AHEAD

    def submit(self, job: Job, wanted: Wanted) -> Future[Line]:
        future: Future[Line] = self.executor.submit(score_night, job, wanted)
        return future

    def check(self) -> None:
        pass

    def kill(self) -> None:
        self.executor.shutdown(wait=True, kill_workers=True)


@contextmanager
def processes(jobs: int) -> Iterator[Pool]:
    """Give so many processes of this machine, joblib's, each with one thread; they end with the block."""
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    executor = ProcessPoolExecutor(max_workers=jobs, timeout=_IDLE_S, env=thread_limits(), initializer=_begin)
    pool = _Processes(executor, jobs, BrokenProcessPool)
    try:
        yield pool
    except BaseException:
        pool.kill()
        raise
    else:
        executor.shutdown(wait=True)


def _begin() -> None:
    """Ctrl-C is the affair of the process that dispatches; where that is gone, there is nobody to score for."""
    limit_threads()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), name="parent watch", daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process once its parent has (Windows does not tell; there it ends after being idle)."""
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


class _Cluster:
    ends_with_a_loss = False  # Dask gives the night to other workers, and after some deaths knows whose fault it was

    def __init__(self, client: Client, address: str) -> None:
        from distributed import KilledWorker

        self.lost: type[BaseException] = KilledWorker
        self._client = client
        self._address = address
        self._executor = client.get_executor(pure=False)
        self._counted_at = float("-inf")
        self._room = 0

    def room(self) -> int:
        if time.monotonic() - self._counted_at > _COUNT_EVERY_S:
            self._counted_at = time.monotonic()
            with suppress(OSError, TimeoutError):  # a lost scheduler is told by check
                self._room = max(2 * sum(self._client.ncores().values()), _AHEAD)
        return self._room

    def submit(self, job: Job, wanted: Wanted) -> Future[Line]:
        future: Future[Line] = self._executor.submit(score_night, job, wanted)
        return future

    def check(self) -> None:
        if self._client.status != "running":
            raise BatchError(
                f"The Dask scheduler at {self._address} was lost; what is done is kept, and the same command with"
                " --resume goes on from there."
            )

    def kill(self) -> None:
        self._executor.shutdown(wait=False)


@contextmanager
def cluster(address: str) -> Iterator[Pool]:
    """Give the workers of a Dask cluster, which must see the same folders under the same names.

    Raises BatchError where there is no scheduler at the address, it has no workers, or Dask is not installed.
    """
    with dask_client(address, BatchError) as client:
        yield _Cluster(client, address)


def usual_jobs() -> int:
    """Return how many processes fit this machine: one a core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
