"""A folder of nights scored: how fast, how well it keeps several cores busy, and what a kill costs.

    python benchmarks/batch.py [--nights 40] [--epochs 360] [--workers N] [--rounds 1] [--folder DIR]

Writes short simulated nights once (Sleep-EDF's channels; three hours each unless told otherwise), and scores them with
the default engine: with one worker, with one for each core, and on a Dask cluster of two workers on this machine. Then
it kills a worker, the whole batch, and the cluster's scheduler in the middle of a run each, and goes on. See README.md
beside this file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from common import machine, median, report

from sleepviewer.batch import Plan, Told, Wanted, plan, read_lines, run
from sleepviewer.errors import BatchError

LEAST_EFFICIENCY = 0.85
LEAST_DASK_RATIO = 0.90


def main() -> None:
    """Measure, print what each phase gave, and the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=360, help="length of a night; 960 are eight hours")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="default: one a core")
    parser.add_argument("--rounds", type=int, default=1, help="how often each rate is measured; medians are told")
    parser.add_argument("--folder", type=Path, help="where the nights are written once and found again")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        nights = (options.folder or Path(name) / "nights").resolve()
        write_nights(nights, options.nights, options.epochs)
        work = Path(name) / "work"
        loads = [os.getloadavg()[0]]
        rates: dict[str, list[tuple[float, float]]] = {}
        for _ in range(options.rounds):
            for phase, jobs in (("one", 1), ("all", options.workers), *((("two", 2),) if options.workers != 2 else ())):
                rates.setdefault(phase, []).append(rate(fresh(nights, work), jobs, jobs=jobs))
                loads.append(os.getloadavg()[0])
            with dask_cluster() as (address, _, _):
                rates.setdefault("dask", []).append(rate(fresh(nights, work), 2, dask=address))
            loads.append(os.getloadavg()[0])
        kills = {
            "worker": worker_killed(fresh(nights, work)),
            "batch": batch_killed(fresh(nights, work), nights),
            "scheduler": scheduler_killed(fresh(nights, work)),
        }
    steady = {phase: median([first for first, _ in told]) for phase, told in rates.items()}
    whole = {phase: median([second for _, second in told]) for phase, told in rates.items()}
    joblibs = "two" if "two" in steady else "all"
    efficiency = steady["all"] / (options.workers * steady["one"])
    ratio = steady["dask"] / steady[joblibs]
    report(
        {
            "benchmark": "batch",
            "nights_per_minute": round(steady["all"], 1),
            "efficiency": round(efficiency, 3),
            "one_worker_nights_per_minute": round(steady["one"], 1),
            "with_start": {phase: round(value, 1) for phase, value in whole.items()},
            "dask_nights_per_minute": round(steady["dask"], 1),
            "dask_ratio": round(ratio, 3),
            "kills": kills,
            "target_efficiency": LEAST_EFFICIENCY,
            "target_dask_ratio": LEAST_DASK_RATIO,
            "met": efficiency >= LEAST_EFFICIENCY
            and ratio >= LEAST_DASK_RATIO
            and all(kill["lost"] == 0 and kill["all_done"] for kill in kills.values()),
            "nights": options.nights,
            "epochs": options.epochs,
            "workers": options.workers,
            "load_average": [round(load, 2) for load in loads],
            "platform": machine("torch", "joblib", "distributed"),
        },
        options.out,
    )


def write_nights(folder: Path, count: int, epochs: int) -> None:
    """Write simulated nights with their hypnograms, unless they are there."""
    from sleepviewer.simulation import simulate_night

    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for seed in range(len(list(folder.glob("*-PSG.edf"))), count):
        simulate_night(folder, seed=seed, hours=epochs / 120)
    print(f"{count} nights of {epochs} epochs in {folder}, written in {time.monotonic() - started:.0f} s")


def fresh(nights: Path, out: Path) -> Plan:
    """Plan the nights into an empty folder."""
    shutil.rmtree(out, ignore_errors=True)
    return plan([nights], Wanted(out=out))


def rate(planned: Plan, workers: int, *, jobs: int = 1, dask: str | None = None) -> tuple[float, float]:
    """Score; return nights a minute once every worker has done its first, and over all, starting included."""
    started = time.time()
    finished = run(planned, jobs=jobs, dask=dask)
    if finished.failed:
        raise SystemExit(f"{finished.failed} nights failed: {next(read_lines(planned.wanted.out))}")
    ends = sorted(datetime.fromisoformat(line["finished"]).timestamp() for line in read_lines(planned.wanted.out))
    steady = 60 * (len(ends) - workers) / (ends[-1] - ends[workers - 1])
    whole = 60 * len(ends) / (ends[-1] - started)
    where = "dask" if dask else "processes"
    print(f"{where:<10} {workers} workers: {steady:6.1f} nights a minute, {whole:6.1f} with start", flush=True)
    return steady, whole


# -- kills


def worker_killed(planned: Plan) -> dict[str, object]:
    """Kill one of two workers in the middle; the batch itself goes on."""
    middle = len(planned.jobs) // 3

    def tell(told: Told) -> None:
        if told.done == middle:
            os.kill(workers_of(os.getpid())[0], signal.SIGKILL)

    finished = run(planned, jobs=2, tell=tell)
    lines = list(read_lines(planned.wanted.out))
    return outcome("worker", planned, before=set(), resumed=0, lost=len(planned.jobs) - len(lines)) | {
        "failed": finished.failed
    }


def batch_killed(planned: Plan, nights: Path) -> dict[str, object]:
    """Kill the process that hands out the nights in the middle, and go on."""
    out = planned.wanted.out
    command = [sys.executable, "-m", "sleepviewer", "score", str(nights), "--out", str(out), "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as batch:
        wait_until(lambda: sum(1 for _ in read_lines(out)) >= len(planned.jobs) // 3)
        batch.kill()
    return gone_on("batch", planned)


def scheduler_killed(planned: Plan) -> dict[str, object]:
    """Kill the cluster's scheduler in the middle, and go on without a cluster."""
    with dask_cluster() as (address, scheduler, _):

        def tell(told: Told) -> None:
            if told.done == len(planned.jobs) // 3:
                scheduler.kill()

        try:
            run(planned, dask=address, tell=tell)
        except BatchError as error:
            print(f"as it is told: {error}")
        else:
            raise SystemExit("a lost scheduler was not told")
    return gone_on("scheduler", planned)


def gone_on(what: str, planned: Plan) -> dict[str, object]:
    """Resume; return what was done before, and what of it was done again."""
    out = planned.wanted.out
    before = {line["night"]: (out / line["file"]).stat().st_mtime_ns for line in read_lines(out)}
    finished = run(planned, jobs=2, resume=True)
    lost = [n for n, at in before.items() if (out / f"{n}.npz").stat().st_mtime_ns != at]
    return outcome(what, planned, before=set(before), resumed=finished.scored, lost=len(lost))


def outcome(what: str, planned: Plan, *, before: set[str], resumed: int, lost: int) -> dict[str, object]:
    """Say what a kill cost."""
    done = {line["night"] for line in read_lines(planned.wanted.out) if "failed" not in line}
    all_done = done == {job.night for job in planned.jobs} and not list(planned.wanted.out.rglob("*.part"))
    print(f"{what} killed: {len(before)} nights were done, {lost} of them lost, {resumed} scored after; {all_done=}")
    return {"done_before": len(before), "lost": lost, "scored_after": resumed, "all_done": all_done}


def workers_of(pid: int) -> list[int]:
    """Processes of joblib that score for this one."""
    children = [int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in read(task / "children").split()]
    return [child for child in children if "popen_loky" in read(Path(f"/proc/{child}/cmdline"))]


def read(path: Path) -> str:
    """Text of a file of /proc; nothing where it is gone."""
    try:
        return path.read_text()
    except OSError:
        return ""


def wait_until(true: Callable[[], bool], seconds: float = 240) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit("what was waited for did not come; is the machine too busy?")
        time.sleep(0.05)


@contextmanager
def dask_cluster() -> Iterator[tuple[str, subprocess.Popen[bytes], list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers of one thread each, as processes that can be killed; gives the address and them."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "scheduler.json"
        common = ["--scheduler-file", str(file)]
        script = "from distributed.cli.{} import main; main()"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": name}

        def start(what: str, *words: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-c", script.format(what), *words, *common], **quiet)  # type: ignore[call-overload]

        root = str(Path(__file__).resolve().parent.parent)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        local = ("--host", "127.0.0.1")
        processes = [start("dask_scheduler", *local, "--port", "0", "--dashboard-address", "127.0.0.1:0")]
        processes += [start("dask_worker", *local, "--nthreads", "1", "--no-dashboard") for _ in range(2)]
        try:
            wait_until(file.exists)
            address = wait_for_address(file)
            wait_for_workers(address, 2)
            yield address, processes[0], processes[1:]
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def wait_for_address(file: Path) -> str:
    """Read the scheduler's address from the file that it writes."""
    import json

    return str(json.loads(file.read_text())["address"])


def wait_for_workers(address: str, count: int) -> None:
    """Wait until the cluster has its workers."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


if __name__ == "__main__":
    main()
