"""Analyse many archives: seconds, and the most memory that it takes.

    python benchmarks/analyse_many.py [--archives 300] [--epochs 1000]

Writes simulated archives (noise with an EEG's spectrum, a hypnogram, a model that errs in a sixth of the epochs) into a
temporary folder, then runs ``sleepviewer analyse`` on them in a process of its own. The bound: 300 archives of 1,000
epochs in under 60 s and 500 MB on two cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import machine, report

from sleepviewer.archive.archive import FORMAT, NOT_CORRECTED, VERSION, ScoringArchive, write_archive
from sleepviewer.stages import N_STAGES, most_likely

RATE_HZ = 100
ERRORS = 1 / 6
MAX_S, MAX_MB = 60, 500


def archive(number: int, n: int, pool: np.ndarray) -> ScoringArchive:
    """A night of ``n`` epochs, cut from ready-made noise."""
    random = np.random.default_rng(number)
    truth = np.repeat(random.integers(0, N_STAGES, n), random.integers(1, 25, n))[:n].astype(np.int8)
    told = np.where(random.random(n) < ERRORS, random.integers(0, N_STAGES, n), truth)
    logits = random.normal(size=(n, N_STAGES))
    logits[np.arange(n), told] += 5
    proba = np.exp(logits)
    proba = (proba / proba.sum(axis=1, keepdims=True)).astype(np.float32)
    x = pool[random.integers(0, len(pool), n)][:, :, None]
    meta = {
        "format": FORMAT,
        "version": VERSION,
        "recording": {"name": f"night{number:04}.edf", "sha256": f"{number:064x}", "start": "2024-01-01T22:30:00"},
        "model": {"engine": "simulated", "version": "1", "weights_sha256": "ab" * 32},
        "base": "truth",
        "dataset": {"name": "simulated", "night": f"night{number:04}", "subject": f"{number // 2:03}"},
    }
    return ScoringArchive(
        x=x,
        y=truth.astype(np.int32),
        fs=float(RATE_HZ),
        ch_label="EEG",
        epoch_index=np.arange(n, dtype=np.int32),
        y_expert=truth,
        y_model=most_likely(proba),
        proba=proba,
        edited=np.zeros(n, dtype=bool),
        meta=meta,
        night_expert=truth,
        night_proba=proba,
        night_corrected=np.full(n, NOT_CORRECTED, dtype=np.int8),
        night_flagged=np.zeros(n, dtype=bool),
    )


def noise(n: int) -> np.ndarray:
    """Epochs whose power falls with frequency, ``float32 [n, 3000]`` in µV."""
    samples = 30 * RATE_HZ
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal((n, samples)), axis=1)
    spectrum /= np.maximum(np.fft.rfftfreq(samples, 1 / RATE_HZ), 0.5)
    x = np.fft.irfft(spectrum, samples, axis=1)
    return (20 * x / x.std()).astype(np.float32)


def main() -> None:
    """Write the archives, analyse them, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="Where to put the archives (4 GB) and the report; kept.")
    parser.add_argument("--out", type=Path, help="also write the result to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        nights = folder / "nights"
        nights.mkdir(parents=True, exist_ok=True)
        pool = noise(500)
        for number in range(options.archives):
            write_archive(nights / f"night{number:04}.npz", archive(number, options.epochs, pool))
        del pool
        command = [sys.executable, "-m", "sleepviewer", "analyse", str(nights), "--out", str(folder / "report")]
        begun = time.perf_counter()
        done = subprocess.run([*command, "--overwrite", "--json"], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    summary = json.loads(done.stdout)
    within = seconds < MAX_S and megabytes < MAX_MB
    print(
        f"{summary['nights']} archives, {summary['epochs']} epochs, {summary['models'][0]['errors']} disagreements: "
        f"{seconds:.1f} s, {megabytes:.0f} MB" + ("" if within else f" (bound: {MAX_S} s, {MAX_MB} MB)")
    )
    report(
        {
            "benchmark": "analyse_many",
            "archives": summary["nights"],
            "epochs": summary["epochs"],
            "disagreements": summary["models"][0]["errors"],
            "seconds": round(seconds, 1),
            "peak_rss_mb": round(megabytes),
            "target_s": MAX_S,
            "target_mb": MAX_MB,
            "met": within,
            "platform": machine(),
        },
        options.out,
    )
    sys.exit(not within)


if __name__ == "__main__":
    main()
