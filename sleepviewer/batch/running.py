"""A batch from its plan to its manifest: nights are handed out a few ahead, and written down as they come back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sleepviewer.batch.manifest import MANIFEST, Earlier, Line, Manifest, read_earlier
from sleepviewer.batch.night import lost_line
from sleepviewer.batch.planning import Job, Plan, Wanted
from sleepviewer.batch.pools import Pool, cluster, processes
from sleepviewer.errors import BatchError
from sleepviewer.files import sha256_of
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.recording.base import FileStamp
from sleepviewer.scoring.recipe import possible_identities
from sleepviewer.scoring.registry import ENSEMBLE, YASA, EngineSpec

_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """A word from a batch: the line of a night that is done, failed or was kept (``line["kept"]``), and how far it is.

    ``seconds_left`` is None before the first night is done.
    """

    line: Line
    scored: int
    kept: int
    failed: int
    total: int
    seconds_left: float | None

    @property
    def done(self) -> int:
        """Nights that are behind."""
        return self.scored + self.kept + self.failed


Tell = Callable[[Told], None]


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a batch: nights scored now, kept from before, and failed; of how many, in how many seconds."""

    scored: int
    kept: int
    failed: int
    total: int
    seconds: float
    cancelled: bool = False

    @property
    def summary(self) -> str:
        """A sentence for whoever waited."""
        said = [f"{self.scored} {'night' if self.scored == 1 else 'nights'} scored"]
        said += [f"{self.kept} there already"] if self.kept else []
        said += [f"{self.failed} failed (see {MANIFEST})"] if self.failed else []
        rate = 60 * self.scored / self.seconds if self.seconds > 0 else 0.0
        stopped = "Stopped: " if self.cancelled else ""
        pace = f" ({rate:.0f} a minute)" if self.scored > 1 else ""
        return f"{stopped}{', '.join(said)}, of {self.total}, in {self.seconds:.0f} s{pace}"


class Control:
    """Pauses and cancels a batch from another thread."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._paused = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether it is to end now."""
        return self._cancelled.is_set()

    @property
    def paused(self) -> bool:
        """Whether no further night is to begin."""
        return self._paused.is_set()

    def cancel(self) -> None:
        """End the batch; nights that are being scored are given up, those that are done are kept."""
        self._cancelled.set()

    def pause(self, on: bool) -> None:
        """Begin no further night, or go on."""
        if on:
            self._paused.set()
        else:
            self._paused.clear()


def run(
    planned: Plan,
    *,
    jobs: int = 1,
    dask: str | None = None,
    resume: bool = False,
    tell: Tell = lambda _: None,
    control: Control | None = None,
) -> Finished:
    """Score the nights of a plan, each in a process of its own kind, and write archives and manifest.

    Parameters
    ----------
    planned: the nights, and what is asked of them.
    jobs: processes of this machine that score at the same time.
    dask: address of a Dask scheduler whose workers see the same folders, instead of this machine.
    resume: keep what the manifest says is done, if recording, engine, weights and what was asked are the same.
    tell: hears of every night once its line is on the disk.
    control: pauses and cancels.

    Memory does not grow with what was done: nights are handed out as others come back, and a line is forgotten once it
    is written. A night that fails is a line with the reason. One whose process dies is tried once more by itself.

    Raises BatchError where the folder holds a batch and neither ``resume`` nor replacing was asked for, or the cluster
    is not there or was lost, OutputError where the manifest can't be written.
    """
    control = control or Control()
    wanted = planned.wanted
    earlier = read_earlier(wanted.out)
    if earlier and not (resume or wanted.replace):
        raise BatchError(
            f"{wanted.out} holds a batch already; go on with --resume, score it again with --overwrite, or choose"
            " another folder."
        )
    count = _Count(len(planned.jobs), tell)
    with Manifest(wanted.out) as manifest:
        todo = _todo(planned, earlier if resume else {}, set(earlier), count)
        opened = partial(processes, jobs) if dask is None else partial(cluster, dask)
        for line in _lines(todo, wanted, opened, control):
            if "kept" not in line:
                manifest.append(line)
            count.add(line)
    return count.finished(cancelled=control.cancelled)


# -- what is to do


def _todo(planned: Plan, earlier: dict[str, Earlier], listed: set[str], count: _Count) -> Iterator[Job]:
    """Yield the nights that are not done yet; those that are count as kept."""
    wanted = planned.wanted
    expected = expected_weights(wanted.spec) if earlier else frozenset()
    asked = json.dumps(wanted.asked, sort_keys=True)
    for job in planned.jobs:
        job = replace(job, listed=job.night in listed)
        before = earlier.get(job.night)
        if before is None or before.failed or not _same_scorer(before, wanted.spec, expected, asked):
            yield job
            continue
        try:
            now = FileStamp.of(job.path)
            there = (wanted.out / job.file).is_file() and before.file == job.file
        except OSError:
            there = False
        if there and now == before.stamp:
            count.add({"night": job.night, "kept": True})
        elif there and now.size == before.stamp.size:
            yield replace(job, known_sha256=before.sha256)
        else:
            yield job


def expected_weights(spec: EngineSpec) -> frozenset[str]:
    """Return the SHA-256 that the weights of an engine can have; none where it brings its own."""
    path = spec.weights or (None if spec.id == YASA else shipped_weights(spec.id))
    try:
        if spec.id == ENSEMBLE:
            return possible_identities()
        return frozenset() if path is None else frozenset({sha256_of(path)})
    except OSError:
        return frozenset()  # every night will report it


def _same_scorer(before: Earlier, spec: EngineSpec, weights: frozenset[str], asked: str) -> bool:
    if before.engine != spec.id or before.asked != asked:
        return False
    if spec.id != YASA:
        return not weights or before.weights_sha256 in weights
    from importlib.metadata import PackageNotFoundError, version

    try:
        return before.engine_version == version("yasa")
    except PackageNotFoundError:
        return True


# -- handing out


def _lines(
    todo: Iterator[Job], wanted: Wanted, opened: Callable[[], AbstractContextManager[Pool]], control: Control
) -> Iterator[Line]:
    """Yield the nights' lines as they come back, from as many pools as it takes."""
    again: list[Job] | None = []
    while again is not None:
        with opened() as pool:
            again = yield from _from_pool(pool, todo, wanted, control)
        for job in again or ():
            if control.cancelled:
                return
            yield _alone(job, wanted)


def _from_pool(
    pool: Pool, todo: Iterator[Job], wanted: Wanted, control: Control
) -> Generator[Line, None, list[Job] | None]:
    """Yield lines until there is nothing more to do (then return None) or the pool broke (then what was in hand)."""
    in_hand: dict[Future[Line], Job] = {}
    orphans: list[Job] = []
    suspects: list[Job] = []
    ended = False
    while not orphans:
        while not ended and not control.paused and len(in_hand) < pool.room():
            job = next(todo, None)
            if job is None:
                ended = True
                break
            try:
                in_hand[pool.submit(job, wanted)] = job
            except pool.lost:
                orphans.append(job)
                break
        if control.cancelled:
            pool.kill()
            return None
        if ended and not in_hand:
            yield from _one_by_one(pool, suspects, wanted, control)
            return None
        done, _ = wait(in_hand, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        if not in_hand:
            time.sleep(_POLL_S)  # paused
        pool.check()
        for future in done:
            job = in_hand.pop(future)
            try:
                line = future.result()
            except pool.lost:
                (orphans if pool.ends_with_a_loss else suspects).append(job)
            except CancelledError:
                pool.check()
                orphans.append(job)
            else:
                yield line
    for future, job in in_hand.items():  # all of them end with the pool
        try:
            yield future.result()
        except (pool.lost, CancelledError):
            orphans.append(job)
    return orphans


def _one_by_one(pool: Pool, suspects: list[Job], wanted: Wanted, control: Control) -> Iterator[Line]:
    """Score nights that were on workers which ended, each with the cluster to itself: only the one to blame fails now.

    Dask blames every night that waited on such a worker, whichever of them it was.
    """
    for job in suspects:
        future = pool.submit(job, wanted)
        while not wait([future], timeout=_POLL_S).done:
            pool.check()
            if control.cancelled:
                pool.kill()
                return
        try:
            yield future.result()
        except (pool.lost, CancelledError):
            pool.check()
            yield lost_line(job, wanted)


def _alone(job: Job, wanted: Wanted) -> Line:
    """Score a night in a process of its own, in which nobody else can be to blame."""
    with processes(1) as pool:
        try:
            return pool.submit(job, wanted).result()
        except pool.lost:
            return lost_line(job, wanted)


class _Count:
    """Counts nights and tells of them."""

    def __init__(self, total: int, tell: Tell) -> None:
        self._total = total
        self._tell = tell
        self._begun = time.monotonic()
        self._scored = self._kept = self._failed = 0

    def add(self, line: Line) -> None:
        """Count a night, and tell."""
        if "kept" in line:
            self._kept += 1
        elif "failed" in line:
            self._failed += 1
        else:
            self._scored += 1
        behind, worked = self._scored + self._kept + self._failed, self._scored + self._failed
        left = (time.monotonic() - self._begun) / worked * (self._total - behind) if worked else None
        self._tell(Told(line, self._scored, self._kept, self._failed, self._total, left))

    def finished(self, *, cancelled: bool) -> Finished:
        """Return what came of it."""
        seconds = time.monotonic() - self._begun
        return Finished(self._scored, self._kept, self._failed, self._total, seconds, cancelled)
