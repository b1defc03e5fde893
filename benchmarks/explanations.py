"""Explain epochs spread over a night: time, completeness, agreement with occlusion.

python benchmarks/explanations.py NIGHT.edf [ENGINE]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

from sleepviewer.recording import open_recording, propose_scoring_channel
from sleepviewer.scoring.attribution import NightExplainer
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.registry import DEFAULT_ENGINE

N_EPOCHS = 40


def main(path: Path, name: str = DEFAULT_ENGINE) -> None:
    """Print medians and extremes over 40 epochs."""
    torch.set_num_threads(1)
    engine = FamilyEngine(name)
    engine.warm_up()
    with open_recording(path) as recording:
        channel = propose_scoring_channel(recording)
        assert channel is not None
        begun, cpu = time.perf_counter(), time.process_time()
        night = NightExplainer.prepare(engine, recording, channel)
        print(f"the night: {time.perf_counter() - begun:.2f} s, {time.process_time() - cpu:.2f} s of CPU")
        epochs = np.unique(np.linspace(0, recording.n_epochs - 1, N_EPOCHS).astype(int))
    night.explain(int(epochs[0]))  # captum is imported
    cpu = time.process_time()
    found = [night.explain(int(epoch)) for epoch in epochs]
    cpu_s = (time.process_time() - cpu) / len(found)
    rows = {
        "seconds an epoch": [one.seconds for one in found],
        "change of the log-odds": [abs(one.log_odds - one.baseline_log_odds) for one in found],
        "completeness error": [abs(one.completeness_error) for one in found],
        "rank correlation with occlusion": [one.agreement for one in found],
    }
    print(f"{name}, {len(found)} epochs, {cpu_s:.2f} s of CPU an epoch")
    for what, values in rows.items():
        print(f"{what}: median {np.median(values):.3f}, {min(values):.3f} to {max(values):.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
