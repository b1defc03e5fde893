"""Kills the program at random moments and counts the edits that were shown and do not come back. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
from common import HERE, environment, machine, report
from kill_loss_steps import SAVE, digest, next_step

from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import SleepViewerError
from sleepviewer.review.document import Document
from sleepviewer.review.journal_reading import read_journal
from sleepviewer.review.opening import open_night
from sleepviewer.review.recovery import find_journals, recoveries
from sleepviewer.review.state_folder import StateFolders

_NOBODY = 65534
_START_S = 60.0
_FULL_KB = 1024


@dataclass
class Tally:
    """What came of some kills; ``told`` are edits that the program itself said were not safe."""

    kills: int = 0
    edits: int = 0
    lost: int = 0
    corrupt: int = 0
    told_unsafe: int = 0
    saves: int = 0
    in_window: int = 0
    resumed: int = 0
    elsewhere: int = 0
    ms: list[float] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def as_dict(self) -> dict[str, object]:
        """Return the counts, and the milliseconds that an edit took with its journal."""
        counts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("ms", "troubles")}
        quantiles = np.quantile(self.ms, (0.5, 0.95)) if self.ms else ()
        times = dict(zip(("edit_ms_median", "edit_ms_p95"), (round(float(ms), 2) for ms in quantiles), strict=False))
        return counts | times | {"troubles": self.troubles[:5]}


@dataclass(frozen=True)
class Setup:
    """How one child is run: ``trouble`` is called between two parts of its life, with the folders that it uses."""

    rate: float = 20.0
    window: bool = False
    saves: bool = True
    user: int = 0
    trouble: Callable[[Path], None] | None = None
    relief: Callable[[Path], None] | None = None


def main() -> None:
    """Kill, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="kills at 20 edits a second")
    parser.add_argument("--window-share", type=float, default=0.2, help="share of them in the real window, offscreen")
    parser.add_argument("--more", type=int, default=30, help="kills of each of the harder parts")
    parser.add_argument("--workers", type=int, default=8, help="programs at the same time")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kill-loss-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        night = folder / "night.edf"
        _write_night(night)
        in_window = round(options.kills * options.window_share)
        setups = [Setup(window=place < in_window) for place in range(options.kills)]
        Random(0).shuffle(setups)
        main_part = _run(setups, night, folder / "main", options.workers)
        parts = {"fast": _run([Setup(rate=400.0)] * options.more, night, folder / "fast", options.workers).as_dict()}
        parts |= _full_disk(options.more, night, folder, options.workers)
        parts |= _read_only(options.more, night, folder, options.workers)
    harder = [part for part in parts.values() if isinstance(part, dict)]
    report(
        {
            "benchmark": "kill_loss",
            **main_part.as_dict(),
            "rate_per_s": 20,
            "parts": parts,
            "all_kills": main_part.kills + sum(part["kills"] for part in harder),
            "all_edits": main_part.edits + sum(part["edits"] for part in harder),
            "all_lost": main_part.lost + sum(part["lost"] for part in harder),
            "all_corrupt": main_part.corrupt + sum(part["corrupt"] for part in harder),
            "met": not (main_part.lost or main_part.corrupt) and not any(p["lost"] or p["corrupt"] for p in harder),
            "seconds": round(time.monotonic() - started),
            "platform": machine(),
            "kills": main_part.kills,
            "edits": main_part.edits,
            "lost": main_part.lost,
            "corrupt": main_part.corrupt,
        },
        options.out,
    )


def _write_night(path: Path) -> None:
    """Write 8 hours of one channel at 50 Hz."""
    from datetime import datetime

    from edfio import Edf, EdfSignal

    samples = 20 * np.random.default_rng(0).standard_normal(8 * 3600 * 50)
    signal_ = EdfSignal(
        np.clip(samples, -250, 250), 50, label="EEG C4", physical_dimension="uV", physical_range=(-250, 250)
    )
    Edf([signal_], starttime=datetime(2024, 1, 1, 22, 30).time()).write(path)


# -- one program after the other


def _run(setups: list[Setup], night: Path, folder: Path, workers: int) -> Tally:
    """Kill a program for each setup; every second one goes on with what the one before it left."""
    folder.mkdir()
    pairs = [setups[place : place + 2] for place in range(0, len(setups), 2)]

    def chain(numbered: tuple[int, list[Setup]]) -> Tally:
        number, those = numbered
        home = folder / str(number)
        home.mkdir()
        tally = Tally()
        state: Document | None = None
        for place, setup in enumerate(those):
            # The window asks before it takes edits up, so that it begins with a folder of its own.
            resume = place > 0 and not setup.window
            home_now = home if resume or place == 0 else Path(tempfile.mkdtemp(dir=home))
            one, state = _kill_once(setup, night, home_now, 1000 * number + place, state if resume else None)
            tally += one
        shutil.rmtree(home, ignore_errors=True)
        return tally

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(chain, enumerate(pairs)), Tally())


def _kill_once(
    setup: Setup, source: Path, home: Path, seed: int, before: Document | None
) -> tuple[Tally, Document | None]:
    random = Random(seed)
    night = home / "night.edf"
    if not night.exists():
        os.link(source, night)
    env = environment(home, None)
    env |= {"XDG_STATE_HOME": str(home / "xdg"), "TMPDIR": str(home)}
    folders = StateFolders(home / "xdg" / "SleepViewer", home / "temporary")
    for path in (folders.root, folders.fallback):
        path.mkdir(parents=True, exist_ok=True)
    if setup.user:
        for path in (home, *home.rglob("*")):
            if path != night:
                os.chown(path, setup.user, setup.user)
    options = {
        "night": str(night),
        "state": str(folders.root),
        "fallback": str(folders.fallback),
        "seed": seed,
        "rate": setup.rate,
        "window": setup.window,
        "saves": setup.saves,
        "user": setup.user,
        "resume": before is not None,
    }
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [sys.executable, str(HERE / "kill_loss_child.py"), json.dumps(options)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        said = _until_killed(child, setup, home, random)
        errors.seek(0)
        complaint = errors.read().decode(errors="replace").strip()
    if child.returncode != -signal.SIGKILL or not said:
        raise RuntimeError(f"the program ended by itself: {complaint[-2000:]}")
    if setup.user:  # nobody looks for journals in another user's folders
        for path in home.rglob("*"):
            os.chown(path, os.geteuid(), os.getegid())
    return _judge(setup, night, folders, seed, said, before)


def _until_killed(child: subprocess.Popen[bytes], setup: Setup, home: Path, random: Random) -> list[dict[str, object]]:
    """Let it live for a while after its first edit, and return all that it said in whole lines."""
    said: list[bytes] = []
    first = threading.Event()
    assert child.stdout is not None

    def listen() -> None:
        for line in child.stdout or ():
            said.append(line)
            if len(said) > 1:
                first.set()
        first.set()

    thread = threading.Thread(target=listen)
    thread.start()
    first.wait(_START_S)
    life_s = random.uniform(0.3, 2.7)
    if setup.trouble is not None:
        time.sleep(random.uniform(0.2, 0.8))
        setup.trouble(home)
    if setup.relief is not None:
        time.sleep(random.uniform(0.2, 0.8))
        setup.relief(home)
    time.sleep(life_s)
    child.kill()
    child.wait()
    thread.join()
    child.stdout.close()
    return [json.loads(line) for line in said if line.endswith(b"\n")]


def _judge(
    setup: Setup,
    night_path: Path,
    folders: StateFolders,
    seed: int,
    said: list[dict[str, object]],
    before: Document | None,
) -> tuple[Tally, Document | None]:
    """Compare what comes back with what was said to have been shown."""
    edits = said[1:]
    tally = Tally(kills=1, edits=len(edits), in_window=int(setup.window), resumed=int(before is not None))
    tally.saves = sum(line["what"] == SAVE for line in edits)
    tally.told_unsafe = sum(not line["safe"] for line in edits)
    tally.elsewhere = int(any(line["state"] == "ELSEWHERE" for line in edits))
    tally.ms = [float(str(line["ms"])) for line in edits if line["ms"]]
    try:
        if night_path.with_suffix(".npz").exists():
            read_archive(night_path.with_suffix(".npz"))
        damages = [read_journal(journal.path).damage for journal in find_journals(folders).journals]
        damages += find_journals(folders).unreadable
        night = open_night(night_path)
        for recovered in recoveries(night, folders, tidy=False)[:1]:
            night.document.take(recovered.document.state)
    except SleepViewerError as error:
        tally.corrupt, tally.lost = 1, len(edits)
        tally.troubles.append(f"seed {seed}: {error}")
        return tally, None
    if damage := [text for text in damages if text]:
        tally.corrupt = 1
        tally.troubles.append(f"seed {seed}: {damage[0]}")
    # What was safe when it was killed must be there; one step more may be, which was on its way to the screen.
    document = Document(night.recording.n_epochs)
    if before is not None:
        document.take(before.state)
    if digest(document) != said[0]["digest"]:
        tally.lost, tally.troubles = (
            len(edits),
            [f"seed {seed}: the program did not begin where the one before it ended"],
        )
        return tally, None
    last_safe = max((int(str(line["number"])) for line in edits if line["safe"]), default=0)
    random, states = Random(seed), [digest(document)]
    for _ in range(len(edits) + 1):
        next_step(document, random, saves=setup.saves)
        states.append(digest(document))
    now = digest(night.document)
    if now not in states[last_safe:]:
        reached = max((place for place, state in enumerate(states) if state == now), default=0)
        tally.lost += last_safe - reached
        tally.troubles.append(f"seed {seed}: {last_safe} steps were safe, {reached} came back")
        return tally, None
    return tally, night.document


# -- disks that fill up, folders that are closed


def _full_disk(kills: int, night: Path, folder: Path, workers: int) -> dict[str, object]:
    """Small disks that are filled under the program: with another place for the journal, with none, then emptied."""
    with _small_disks(folder, kills) as disks:
        if disks is None:
            return {"full_disk": "skipped: a small disk can't be mounted here"}
        free = iter(disks)

        def fill(home: Path) -> None:
            disk = (home / "xdg").resolve()
            block = b"\0" * 4096
            try:
                with (disk / "filler").open("wb", buffering=0) as file:
                    while True:
                        file.write(block)
            except OSError:
                pass

        def empty(home: Path) -> None:
            ((home / "xdg").resolve() / "filler").unlink()

        tallies: dict[str, object] = {}
        for part, relief, both in (
            ("full_disk", None, False),
            ("full_disk_nowhere_else", None, True),
            ("full_then_room", empty, True),
        ):
            root = folder / part
            root.mkdir()
            jobs = []
            for number in range(kills):
                home, disk = root / str(number), next(free)
                home.mkdir()
                (home / "xdg").symlink_to(disk)
                if both:
                    (disk / "temporary").mkdir()
                    (home / "temporary").symlink_to(disk / "temporary")
                os.link(night, home / "night.edf")
                jobs.append((Setup(rate=50.0, saves=False, trouble=fill, relief=relief), home, number))
            with ThreadPoolExecutor(workers) as pool:
                done = pool.map(lambda job: _kill_once(job[0], night, job[1], job[2], None)[0], jobs)
                tallies[part] = sum(done, Tally()).as_dict()
        return tallies


@contextmanager
def _small_disks(folder: Path, kills: int) -> Iterator[list[Path] | None]:
    disks: list[Path] = []
    try:
        for number in range(3 * kills):
            place = folder / "disks" / str(number)
            place.mkdir(parents=True)
            size = f"size={_FULL_KB}k"
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", size, "none", str(place)], capture_output=True, check=False
            )
            if done.returncode:
                yield None
                return
            disks.append(place)
        yield disks
    except FileNotFoundError:
        yield None
    finally:
        for place in disks:
            subprocess.run(["umount", str(place)], capture_output=True, check=False)


def _read_only(kills: int, night: Path, folder: Path, workers: int) -> dict[str, object]:
    """Folders that are made read-only under a program of another user; every save has it need a new file there."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {"read_only": "skipped: only root can run the program as another user"}

    def close(home: Path) -> None:
        for path in sorted((home / "xdg").rglob("*")):
            if path.is_dir():
                os.chown(path, 0, 0)
                path.chmod(0o555)
        (home / "xdg").chmod(0o555)

    setup = Setup(rate=100.0, user=_NOBODY, trouble=close)
    root = folder / "read_only"
    root.mkdir()
    jobs = []
    for number in range(kills):
        home = root / str(number)
        home.mkdir()
        shutil.copyfile(night, home / "night.edf")
        os.chown(home / "night.edf", _NOBODY, _NOBODY)
        jobs.append((home, number))
    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(lambda job: _kill_once(setup, night, job[0], job[1], None)[0], jobs)
        return {"read_only": sum(done, Tally()).as_dict()}


if __name__ == "__main__":
    main()
