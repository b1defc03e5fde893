"""Whether one corrected night makes the model better on nights to come, and whether the guard tells good from bad.

A cohort of simulated older sleepers with another recorder (``sleepviewer/simulation/cohort.py``) is scored before and
after a fine-tuning on one of its nights; so are nights like those that the simulation knows, and a real one. A second
tuning gets labels that were corrupted. Meanwhile pages are turned in a window. See README.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import HERE, NIGHTS, environment, machine, report, virtual_display
from page_turn import Viewer, _summary

from sleepviewer.analysis.agreement import agreement
from sleepviewer.models.card import ModelCard
from sleepviewer.models.checkpoints import LoadedWeights, load_weights
from sleepviewer.recording import open_recording
from sleepviewer.review.opening import open_night
from sleepviewer.scoring.family_engine import night_epochs
from sleepviewer.scoring.registry import DEFAULT_ENGINE
from sleepviewer.scoring.signals import read_signal
from sleepviewer.simulation import simulate_hypnogram, simulate_signals
from sleepviewer.simulation.cohort import OLDER_ELSEWHERE, SLEEP_EDF, Cohort
from sleepviewer.stages import N_STAGES
from sleepviewer.training.corrected import epochs_for
from sleepviewer.training.fine_tune import FineTuneRequest, FineTuneResult, TuningSettings, find_base
from sleepviewer.training.fine_tune_process import FineTuneProcess
from sleepviewer.training.measuring import stages_of

TARGETS = {"least_gain": 0.05, "most_lost": 0.01, "seconds": 300.0, "page_turn_p95_ms": 50.0}
_CORRECTED = 500
_COHORT = range(501, 506)
_BASE = range(510, 515)
"""Seeds of nights that nothing was chosen by, and that are not among those that are replayed or guard."""
_EPOCHS = 960
_CORRUPTED_SHARE = 0.7
_TURNS_AT_A_TIME = 10

Night = tuple[np.ndarray, np.ndarray]
"""Epochs as the model takes them, and true stages."""


def main() -> None:
    """Measure, print what was found, and the result."""
    options = _options()
    base = load_weights(find_base(options.base).path)
    cohort = [_night(seed, OLDER_ELSEWHERE, base.card) for seed in _COHORT]
    plain = [_night(seed, SLEEP_EDF, base.card) for seed in _BASE]
    real = _real(options.data, base.card)
    before = _kappas(base, cohort), _kappas(base, plain), _kappas(base, real)
    print(f"base: κ on the cohort {np.mean(before[0]):.3f}, on plain nights {np.mean(before[1]):.3f}", flush=True)
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        good, idle, meanwhile = _tuned(_corrected(folder, corrupted=False), options, folder)
        tuned = load_weights(good.candidate)
        after = _kappas(tuned, cohort), _kappas(tuned, plain), _kappas(tuned, real)
        print(f"tuned: κ on the cohort {np.mean(after[0]):.3f}, on plain nights {np.mean(after[1]):.3f}", flush=True)
        bad, _, _ = _tuned(_corrected(folder, corrupted=True), replace_turns(options), folder)
    gain = float(np.mean(after[0]) - np.mean(before[0]))
    lost = float(np.mean(before[1]) - np.mean(after[1]))
    result: dict[str, object] = {
        "benchmark": "fine_tune",
        "base": options.base,
        "cohort_kappa_before": _rounded(before[0]),
        "cohort_kappa_after": _rounded(after[0]),
        "cohort_gain": round(gain, 4),
        "plain_kappa_before": _rounded(before[1]),
        "plain_kappa_after": _rounded(after[1]),
        "plain_lost": round(lost, 4),
        "ucddb018_kappa_before": _rounded(before[2])[0] if real else None,
        "ucddb018_kappa_after": _rounded(after[2])[0] if real else None,
        "guard": good.verdict.as_dict(),
        "guard_of_corrupted_labels": bad.verdict.as_dict(),
        "corrupted_refused": not bad.verdict.offered,
        "seconds": good.seconds,
        "cpu_seconds": good.cpu_seconds,
        "page_turn_idle": _summary(idle) if idle else None,
        "page_turn_meanwhile": _summary(meanwhile) if meanwhile else None,
        "targets": TARGETS,
    }
    result["missed"] = [
        name
        for name, missed in {
            "least_gain": gain < TARGETS["least_gain"],
            "most_lost": lost > TARGETS["most_lost"],
            "seconds": good.seconds > TARGETS["seconds"],
            "page_turn_p95_ms": bool(meanwhile) and _summary(meanwhile)["p95_ms"] > TARGETS["page_turn_p95_ms"],
            "offered": not good.verdict.offered,
            "corrupted_refused": bad.verdict.offered,
        }.items()
        if missed
    ]
    report(result | {"platform": machine("torch")}, options.out)
    if result["missed"]:
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default=f"{DEFAULT_ENGINE}@shipped", help="model to begin with")
    parser.add_argument("--data", type=Path, help="folder with ucddb/ucddb018.edf, which is scored as well")
    parser.add_argument("--turns", type=int, default=100, help="page turns while the model is tuned; 0: none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    return parser.parse_args()


def replace_turns(options: argparse.Namespace) -> argparse.Namespace:
    """Return the options without page turns."""
    return argparse.Namespace(**(vars(options) | {"turns": 0}))


def _simulated(seed: int, cohort: Cohort) -> Night:
    """Simulate Fpz-Cz of a night, ``float32 [960, 3000]`` in µV at 100 Hz, and its stages."""
    y = simulate_hypnogram(_EPOCHS, seed)
    x = simulate_signals(y, seed, cohort)["EEG Fpz-Cz"].astype(np.float32).reshape(_EPOCHS, -1)
    return x, y


def _night(seed: int, cohort: Cohort, card: ModelCard) -> Night:
    x, y = _simulated(seed, cohort)
    return epochs_for(x, 100.0, card), y


def _real(data: Path | None, card: ModelCard) -> list[Night]:
    if data is None:
        return []
    path = data / "ucddb" / "ucddb018.edf"
    truth = open_night(path, truth_path=path.with_name("ucddb018-Hypnogram.edf")).document.truth
    assert truth is not None
    with open_recording(path) as recording:
        return [(night_epochs(read_signal(recording, recording.channels[0].label), card), truth.stages)]


def _kappas(weights: LoadedWeights, nights: Sequence[Night]) -> list[float]:
    found = stages_of(weights, [x for x, _ in nights])
    return [agreement(y, stages).kappa for (_, y), stages in zip(nights, found, strict=True)]


def _corrected(folder: Path, *, corrupted: bool) -> Path:
    """Write the cohort's corrected night as an archive; with corrupted labels most stages are others, at random."""
    x, y = _simulated(_CORRECTED, OLDER_ELSEWHERE)
    if corrupted:
        rng = np.random.default_rng(0)
        wrong = rng.random(_EPOCHS) < _CORRUPTED_SHARE
        y = np.where(wrong, (y + rng.integers(1, N_STAGES, _EPOCHS)) % N_STAGES, y)
    path = folder / f"{'corrupted' if corrupted else 'corrected'}.npz"
    np.savez(path, x=x[:, :, None], y=y.astype(np.int32), fs=100.0, ch_label="EEG Fpz-Cz")
    return path


def _tuned(archive: Path, options: argparse.Namespace, folder: Path) -> tuple[FineTuneResult, list[float], list[float]]:
    """Tune on one night; return the result, and the page turns before and meanwhile, in ms."""
    request = FineTuneRequest(
        (archive,), options.base, settings=replace(TuningSettings(), seed=options.seed), work=folder / archive.stem
    )
    idle: list[float] = []
    meanwhile: list[float] = []
    with virtual_display() if options.turns else nullcontext() as display, FineTuneProcess() as process:
        viewer = None
        if options.turns:
            night = folder / "night.edf"
            NIGHTS["8h"](night)
            viewer = Viewer([str(HERE / "page_turn_child.py"), str(night)], environment(folder, display))
            for turned in ([], idle):
                viewer.forget()
                viewer.turn(max(options.turns // 2, _TURNS_AT_A_TIME))
                turned += viewer.times_ms
        started = time.perf_counter()
        process.start(request)
        learning = False
        while process.running:
            for told in process.poll():
                learning = told.phase == "tuning" and told.step > 0
                if told.kappa_corrected is not None:
                    print(f"{time.perf_counter() - started:6.1f} s {told.as_dict()}", flush=True)
            if viewer is not None and learning and len(meanwhile) < options.turns:
                viewer.forget()
                viewer.turn(_TURNS_AT_A_TIME)
                meanwhile += viewer.times_ms
            time.sleep(0.5)
        if viewer is not None:
            viewer.close()
        result = process.result()
    print(f"{archive.stem}: {result.verdict.reason}", flush=True)
    return result, idle, meanwhile


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 4) for value in values]


if __name__ == "__main__":
    main()
