"""The measured process of score_night.py: one engine scores one night several times, its arithmetic between them."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

_SIDE = 1024


def main() -> None:
    """Score, and print a line of JSON: seconds of the first scoring with its imports, of the others, of the floor."""
    night, label, name, weights, runs, threads = sys.argv[1:]
    started = time.perf_counter()
    from sleepviewer.models.family import all_names
    from sleepviewer.recording import open_recording
    from sleepviewer.scoring.base import ChannelChoice
    from sleepviewer.scoring.registry import YASA, EngineSpec, make_engine

    if name != YASA:
        import torch

        torch.set_num_threads(int(threads))
    engine = make_engine(EngineSpec(name, Path(weights) if weights else None))

    def score() -> int:
        with open_recording(Path(night)) as recording:
            return len(engine.score(recording, ChannelChoice(label)))

    n_epochs = score()
    cold = time.perf_counter() - started
    warm, floor = [], []
    for _ in range(int(runs)):
        started = time.perf_counter()
        score()
        warm.append(time.perf_counter() - started)
        if name in all_names():
            floor.append(_floor_s(name, n_epochs))
    print(json.dumps({"cold_s": cold, "warm_s": warm, "floor_s": floor}))


def _floor_s(member: str, n_epochs: int) -> float:
    """Seconds for as many multiplications with addition as the night has, as products of large float32 matrices."""
    import torch

    from sleepviewer.models.costs import costs_of
    from sleepviewer.models.shape import InputShape

    macs = costs_of(member, InputShape.whole_epoch(100)).macs * n_epochs
    a, b, out = (torch.ones(_SIDE, _SIDE) for _ in range(3))
    torch.mm(a, b, out=out)
    started = time.perf_counter()
    for _ in range(round(macs / _SIDE**3)):
        torch.mm(a, b, out=out)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
