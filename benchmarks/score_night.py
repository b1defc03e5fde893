"""A night scored, against the time that its arithmetic alone takes, against YASA, and the memory that it takes.

Each engine scores in a fresh process, as ``sleepviewer score`` does; a member and the ensemble once more in the scoring
process of the window, where a scoring by the ensemble is cancelled as well. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import HERE, machine, median, peak_rss_mb, report

EPOCHS = 1000
MEMBERS = ("attnsleep", "attnsleep+context")
ENSEMBLE = "ensemble"
TARGET_FLOOR_RATIO = 2.2
TARGET_ENSEMBLE_S = 3.0
TARGET_CANCEL_S = 1.0
TARGET_MB = 350.0
_RATE_HZ = 100
_FAST_RATE_HZ = 256
_LABEL = "EEG Fpz-Cz"
_SHORT_EPOCHS = 20
_CANCELLED_AFTER_S = 0.7


def main() -> None:
    """Measure, print a table and the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="length of the night")
    parser.add_argument("--runs", type=int, default=7, help="scorings by each engine after one that is not counted")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of torch")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        night = folder / "night.edf"
        _write_night(night, options.epochs, _RATE_HZ)
        weights = {member: _weights(member, folder) for member in MEMBERS}
        print(f"{'engine':<20} {'first s':>8} {'median s':>9} {'min s':>7} {'floor s':>8} {'ratio':>6}")
        engines = {}
        for engine in (*MEMBERS, "yasa", ENSEMBLE):
            figures = _score(night, engine, weights.get(engine), options)
            engines[engine] = figures
            row = [figures.get(key, "–") for key in ("cold_s", "warm_s", "min_s", "floor_s", "floor_ratio")]
            print(f"{engine:<20} {row[0]:>8} {row[1]:>9} {row[2]:>7} {row[3]:>8} {row[4]:>6}")
        fast, short = folder / "fast.edf", folder / "short.edf"
        _write_night(fast, options.epochs, _FAST_RATE_HZ)
        _write_night(short, _SHORT_EPOCHS, _FAST_RATE_HZ)
        window = _in_window(fast, short, MEMBERS[-1], weights[MEMBERS[-1]])
        pooled = _in_window(fast, short, ENSEMBLE, None)
        cancel_s = _cancel(fast, short)
    first, last, yasa = (engines[engine] for engine in (*MEMBERS, "yasa"))
    report(
        {
            "benchmark": "score_night",
            "seconds": first["warm_s"],
            "floor_s": first["floor_s"],
            "floor_ratio": first["floor_ratio"],
            "floor_ratio_with_context": last["floor_ratio"],
            "yasa_warm_s": yasa["warm_s"],
            "yasa_cold_s": yasa["cold_s"],
            "yasa_warm_ratio": round(first["warm_s"] / yasa["warm_s"], 3),
            **window,
            "ensemble_warm_s": engines[ENSEMBLE]["warm_s"],
            "ensemble_in_window_s": pooled["in_window_s"],
            "ensemble_scoring_process_peak_mb": pooled["scoring_process_peak_mb"],
            "ensemble_cancel_s": cancel_s,
            "target_ensemble_s": TARGET_ENSEMBLE_S,
            "target_cancel_s": TARGET_CANCEL_S,
            "target_floor_ratio": TARGET_FLOOR_RATIO,
            "target_scoring_mb": TARGET_MB,
            "met": first["floor_ratio"] <= TARGET_FLOOR_RATIO
            and window["scoring_mb"] <= TARGET_MB
            and engines[ENSEMBLE]["warm_s"] <= TARGET_ENSEMBLE_S
            and cancel_s <= TARGET_CANCEL_S,
            "engines": engines,
            "epochs": options.epochs,
            "threads": options.threads,
            "runs": options.runs,
            "platform": machine("torch", "yasa"),
        },
        options.out,
    )


def _write_night(path: Path, epochs: int, rate_hz: int) -> None:
    """Write one EEG channel: noise whose amplitude falls with frequency, as an EEG's does."""
    import numpy as np
    from edfio import Edf, EdfSignal

    random = np.random.default_rng(0)
    n = epochs * 30 * rate_hz
    spectrum = np.fft.rfft(random.standard_normal(n))
    spectrum /= np.maximum(np.fft.rfftfreq(n, 1 / rate_hz), 0.5) ** 0.8
    samples = np.fft.irfft(spectrum, n)
    samples *= 20.0 / samples.std()
    limits = (-250.0, 250.0)
    signal = EdfSignal(np.clip(samples, *limits), rate_hz, label=_LABEL, physical_dimension="uV", physical_range=limits)
    Edf([signal]).write(path)


def _weights(member: str, folder: Path) -> Path:
    """Write weights of a member as they are before any training: how long they take does not depend on values."""
    import torch

    from sleepviewer.models.card import ModelCard
    from sleepviewer.models.checkpoints import CONTEXT_PREFIX, save_weights
    from sleepviewer.models.context import ContextModel
    from sleepviewer.models.family import MemberName, build_epoch_model
    from sleepviewer.models.normalisation import Normalisation

    torch.manual_seed(0)
    # Filtered, scaled and fitted to the night as the weights that ship are: all of it counts.
    card = ModelCard(
        member,
        _RATE_HZ,
        30 * _RATE_HZ,
        Normalisation.ROBUST_NIGHT,
        member=member,
        band_hz=(0.4, 32.0),
        night_statistics=0.5,
    )
    state = dict(build_epoch_model(member, card.shape).state_dict())
    if MemberName.parse(member).context:
        state |= {CONTEXT_PREFIX + name: tensor for name, tensor in ContextModel().state_dict().items()}
    path = folder / f"{member}.safetensors"
    save_weights(path, state, card)
    return path


def _score(night: Path, engine: str, weights: Path | None, options: argparse.Namespace) -> dict[str, float]:
    """Score in a fresh process as often as asked; return the seconds of the first and the median of the others."""
    command = [sys.executable, str(HERE / "score_night_child.py"), str(night), _LABEL, engine, str(weights or "")]
    child = subprocess.run(
        [*command, str(options.runs), str(options.threads)],
        env=os.environ | {"MPLBACKEND": "agg"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=900,
    )
    told = json.loads(child.stdout.splitlines()[-1])
    warm = told["warm_s"]
    figures = {"cold_s": round(told["cold_s"], 3), "warm_s": round(median(warm), 3), "min_s": round(min(warm), 3)}
    if floor := told["floor_s"]:
        figures |= {
            "floor_s": round(median(floor), 3),
            "floor_ratio": round(median(warm) / median(floor), 2),
            "floor_ratio_of_minima": round(min(warm) / min(floor), 2),
        }
    return figures


def _cancel(night: Path, short: Path) -> float:
    """Cancel the ensemble in the window's scoring process in the middle of a night; return how long that takes."""
    from sleepviewer.errors import ScoringCancelled
    from sleepviewer.scoring.base import CancelToken, ChannelChoice
    from sleepviewer.scoring.process import ScoringProcess, ScoringRequest
    from sleepviewer.scoring.registry import EngineSpec

    spec, channels, token = EngineSpec(ENSEMBLE), ChannelChoice(_LABEL), CancelToken()
    with ScoringProcess() as process:
        process.score(ScoringRequest(short, spec, channels))
        set_at: list[float] = []

        def cancel() -> None:
            set_at.append(time.perf_counter())
            token.cancel()

        timer = threading.Timer(_CANCELLED_AFTER_S, cancel)
        timer.start()
        try:
            process.score(ScoringRequest(night, spec, channels), cancel=token)
        except ScoringCancelled:
            return round(time.perf_counter() - set_at[0], 3)
        finally:
            timer.cancel()
    raise RuntimeError("the night was scored before it could be cancelled; ask for a longer one (--epochs)")


def _in_window(night: Path, short: Path, member: str, weights: Path | None) -> dict[str, float]:
    """Score in the window's scoring process, whose engines have one thread each, after it has scored a short night.

    Memory is that process's: the window itself holds the same before, while and after.
    """
    from sleepviewer.scoring.base import ChannelChoice
    from sleepviewer.scoring.process import ScoringProcess, ScoringRequest
    from sleepviewer.scoring.registry import EngineSpec

    spec, channels = EngineSpec(member, weights), ChannelChoice(_LABEL)
    with ScoringProcess() as process:
        process.score(ScoringRequest(short, spec, channels))
        status = Path(f"/proc/{process.pid}/status")
        idle = _forget_peak(process.pid) if status.exists() else 0.0
        started = time.perf_counter()
        process.score(ScoringRequest(night, spec, channels))
        seconds = time.perf_counter() - started
        peak = peak_rss_mb(process.pid) if status.exists() else 0.0
    return {
        "in_window_s": round(seconds, 3),
        "scoring_mb": round(peak - idle, 1),
        "scoring_process_idle_mb": round(idle, 1),
        "scoring_process_peak_mb": round(peak, 1),
    }


def _forget_peak(pid: int) -> float:
    """Make a process's greatest resident memory its present one, and return it in MB (Linux alone)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_rss_mb(pid)


if __name__ == "__main__":
    main()
