"""Feed every reader with damaged files: findings, and seconds.

    python benchmarks/fuzz.py [--inputs 200000] [--only edf hypnogram-csv …] [--seed 1] [--out results/fuzz.json]

Damages small sound files (those of the tests, and the odd recordings of SLEEPVIEWER_DATA for the EDF reader) at random,
one to six times each. A reader may give a right result or refuse in a sentence. A finding is anything else: another
exception, a wrong result, more than 5 seconds, more than 2 GB. Each target runs in a process of its own; two at once.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from common import machine, report  # noqa: E402

from helpers.fuzz_targets import Target, feed, mutated, targets, weights_target  # noqa: E402

LIMIT_S = 5
LIMIT_BYTES = 2 << 30
TOLD = 20
"""Findings of a target that are described; all are counted."""


def target_named(name: str, folder: Path) -> Target:
    """Make one target anew, in the process that feeds it."""
    if name == "weights":
        return weights_target(folder)
    target = next(target for target in targets(folder) if target.name == name)
    odd = Path(os.environ.get("SLEEPVIEWER_DATA", HERE.parents[1] / "shared" / "data")) / "odd"
    if name != "edf" or not odd.is_dir():
        return target
    more = tuple(path.read_bytes() for path in sorted(odd.iterdir()) if path.stat().st_size < 1 << 20)
    return Target(target.name, target.file_name, (*target.seeds, *more), target.read)


def too_slow(number: int, frame: FrameType | None) -> None:
    """Interrupt a reader that takes too long."""
    raise TimeoutError(f"more than {LIMIT_S} s")


def run(name: str, inputs: int, seed: int) -> dict[str, Any]:
    """Feed one target and return its counts."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, too_slow)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        place = Path(folder)
        target = target_named(name, place)
        # torch reserves far more address space than it uses
        if name != "weights":
            resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
        random = np.random.default_rng(seed)
        findings: list[str] = []
        count = 0
        start = time.perf_counter()
        for number in range(inputs):
            chosen = target.seeds[int(random.integers(0, len(target.seeds)))]
            raw = mutated(chosen, random, target.seeds)
            signal.alarm(LIMIT_S)
            try:
                feed(target, raw, place)
            except BaseException as error:
                count += 1
                if len(findings) < TOLD:
                    findings.append(f"input {number}: {type(error).__name__}: {str(error)[:200]}")
            finally:
                signal.alarm(0)
        seconds = time.perf_counter() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "target": name,
        "inputs": inputs,
        "findings": count,
        "seconds": round(seconds, 1),
        "peak_rss_mb": round(peak_mb),
        "told": findings,
    }


def main() -> None:
    """Run the targets and print one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names = [target.name for target in targets(Path(folder))] + ["weights"]
    names = [name for name in names if not args.only or name in args.only]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(args.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        results = list(pool.map(run, names, [args.inputs] * len(names), [args.seed] * len(names)))
    for result in results:
        print(json.dumps(result), file=sys.stderr)
    values = {
        "inputs": sum(result["inputs"] for result in results),
        "findings": sum(result["findings"] for result in results),
        "seconds": {result["target"]: result["seconds"] for result in results},
        "targets": results,
        "machine": machine(),
    }
    report(values, args.out)


if __name__ == "__main__":
    main()
