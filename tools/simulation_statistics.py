"""Aggregate what the simulator needs from Sleep-EDF: how real hypnograms move from stage to stage, and spectra.

Usage: ``python tools/simulation_statistics.py DATA resources/simulation/sleep_edf_statistics.json``, where DATA holds
``hypnograms/sleep_edf_78_annotations.csv``, ``hypnograms/sleep_edf_78_nights.csv``,
``sleep_edf/sleep_edf_20_first5s.npz`` and ``sleep_edf/sleep_edf_78_bandpower.npz``.

Only aggregates over many nights are written: counts of transitions, quantiles and medians. Cycles follow Feinberg &
Floyd 1979: REM epochs less than 15 min apart are one REM period, and a cycle ends with its REM period.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.stages import EPOCH_S, N_STAGES, Stage, StageArray, stage_from_word

SAME_REM_PERIOD_EPOCHS = 30  # REM epochs closer than 15 min belong to one REM period
SHORTEST_NREM_EPOCHS = 30  # a cycle holds at least 15 min before its REM period
N_PARTS = 3  # each NREM period is cut into thirds: descending, deep, ascending
N_CYCLES = 5  # cycle 5 and later are pooled
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
SPECTRUM_EDGES_HZ = (0.4, 0.8, 1.2, 1.6, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 25, 30, 35, 40, 48)
BANDS = ("delta", "theta", "alpha", "sigma", "beta")
CHANNELS = ("EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal")

CITATION = (
    "B Kemp, AH Zwinderman, B Tuk, HAC Kamphuisen, JJL Oberyé. Analysis of a sleep-dependent neuronal feedback loop: "
    "the slow-wave microcontinuity of the EEG. IEEE-BME 47(9):1185-1194 (2000)",
    "Goldberger A, et al. PhysioBank, PhysioToolkit, and PhysioNet: components of a new research resource for complex "
    "physiologic signals. Circulation 101(23):e215-e220 (2000)",
)


def read_nights(folder: Path) -> dict[str, StageArray]:
    """Read the stages of every night from lights off to lights on, ``int8 [n_epochs]`` by the night's name."""
    with (folder / "sleep_edf_78_nights.csv").open(newline="", encoding="utf-8") as file:
        clocks = {row["night"]: row for row in csv.DictReader(file)}
    bouts: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    with (folder / "sleep_edf_78_annotations.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            stage = stage_from_word(row["annotation"])
            if stage is not None:
                bouts[row["night"]].append((float(row["onset_s"]), float(row["duration_s"]), int(stage)))
    nights = {}
    for name, rows in bouts.items():
        start = datetime.fromisoformat(clocks[name]["first_annotation"])
        stages = np.full(round(max(onset + duration for onset, duration, _ in rows) / EPOCH_S), Stage.UNKNOWN, np.int8)
        for onset, duration, value in rows:
            stages[round(onset / EPOCH_S) : round((onset + duration) / EPOCH_S)] = value
        off, on = (_epoch_of(start, clocks[name][key]) for key in ("lights_off", "lights_on"))
        nights[name] = stages[off:on]
    return nights


def _epoch_of(start: datetime, clock: str) -> int:
    """Epoch of the first time after ``start`` at which the wall clock shows ``clock`` (HH:MM:SS)."""
    hours, minutes, seconds = (float(part) for part in clock.split(":"))
    at = start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
        hours=hours, minutes=minutes, seconds=seconds
    )
    return int(((at - start) % timedelta(days=1)).total_seconds() // EPOCH_S)


def cut_cycles(stages: StageArray) -> list[tuple[int, int, int]]:
    """Cut a night into cycles: (first epoch, first epoch of its REM period, epoch after its REM period)."""
    rem = np.flatnonzero(stages == Stage.REM)
    asleep = np.flatnonzero(stages > Stage.W)
    if not len(rem):
        return []
    breaks = np.flatnonzero(np.diff(rem) > SAME_REM_PERIOD_EPOCHS)
    firsts, lasts = rem[np.r_[0, breaks + 1]], rem[np.r_[breaks, len(rem) - 1]]
    cycles = []
    start = int(asleep[0])
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        if first - start >= SHORTEST_NREM_EPOCHS:
            cycles.append((start, first, last + 1))
        start = last + 1
    return cycles


def transition_counts(stages: StageArray, first: int, stop: int) -> NDArray[np.int64]:
    """Count the steps ``[from, to]`` into the epochs ``first`` ≤ e < ``stop``; unscored epochs are skipped."""
    counts = np.zeros((N_STAGES, N_STAGES), np.int64)
    sources, targets = stages[max(first, 1) - 1 : stop - 1], stages[max(first, 1) : stop]
    scored = (sources >= 0) & (targets >= 0)
    np.add.at(counts, (sources[scored], targets[scored]), 1)
    return counts


def hypnogram_statistics(nights: dict[str, StageArray]) -> dict[str, Any]:
    """Aggregate latencies, lengths of NREM and REM periods by cycle, and transition counts by cycle and part.

    Every night counts, from lights off to lights on.
    """
    latencies = []
    nrem_epochs: list[list[int]] = [[] for _ in range(N_CYCLES)]
    rem_epochs: list[list[int]] = [[] for _ in range(N_CYCLES)]
    nrem = np.zeros((N_CYCLES, N_PARTS, N_STAGES, N_STAGES), np.int64)
    rem = np.zeros((N_CYCLES, N_STAGES, N_STAGES), np.int64)
    shares = []
    for stages in nights.values():
        onset = int(np.flatnonzero(stages > Stage.W)[0])
        latencies.append(onset)
        asleep = stages[stages > Stage.W]
        shares.append([float((asleep == s).mean()) for s in range(1, N_STAGES)])
        for ordinal, (start, first_rem, stop) in enumerate(cut_cycles(stages)):
            cycle = min(ordinal, N_CYCLES - 1)
            nrem_epochs[cycle].append(first_rem - start)
            rem_epochs[cycle].append(stop - first_rem)
            edges = np.linspace(start, first_rem, N_PARTS + 1).round().astype(int)
            for part in range(N_PARTS):
                nrem[cycle, part] += transition_counts(stages, int(edges[part]), int(edges[part + 1]))
            rem[cycle] += transition_counts(stages, first_rem + 1, stop)
    return {
        "n_nights": len(nights),
        "selection": "all nights, from lights off to lights on",
        "quantiles": list(QUANTILES),
        "latency_epochs": _quantiles(latencies),
        "share_of_sleep_median": {
            Stage(s).label: round(float(share), 3) for s, share in enumerate(np.median(shares, axis=0), start=1)
        },
        "cycles": [
            {
                "n": len(nrem_epochs[cycle]),
                "nrem_epochs": _quantiles(nrem_epochs[cycle]),
                "rem_epochs": _quantiles(rem_epochs[cycle]),
                "nrem_transitions": nrem[cycle].tolist(),
                "rem_transitions": rem[cycle].tolist(),
            }
            for cycle in range(N_CYCLES)
        ],
    }


def _quantiles(values: list[int]) -> list[float]:
    return np.quantile(values, QUANTILES).round(1).tolist()


def spectra(path: Path) -> dict[str, Any]:
    """Median power density of Fpz-Cz by stage, µV²/Hz, from the first five seconds of every epoch of 39 nights."""
    data = np.load(path)
    keys = data["night_key"]
    night = np.searchsorted(keys, data["subject"] * 10 + data["night"])
    factor, offset = data["uv_per_count"][night], data["uv_offset"][night]
    x = data["x"] * factor[:, None] + offset[:, None]
    rate = float(data["fs"])
    window = np.hanning(x.shape[1])
    power = np.abs(np.fft.rfft((x - x.mean(axis=1, keepdims=True)) * window, axis=1)) ** 2
    power *= 2 / (rate * np.square(window).sum())
    freqs = np.fft.rfftfreq(x.shape[1], 1 / rate)
    bins = [(freqs >= lo - 1e-6) & (freqs < hi - 1e-6) for lo, hi in pairwise(SPECTRUM_EDGES_HZ)]
    return {
        "n_nights": len(keys),
        "freqs_hz": [round(float(freqs[b].mean()), 2) for b in bins],
        "uv2_per_hz": {
            Stage(s).label: [float(f"{np.median(power[data['y'] == s][:, b].mean(axis=1)):.4g}") for b in bins]
            for s in range(N_STAGES)
        },
    }


def band_powers(path: Path) -> dict[str, Any]:
    """Median log band power of three z-scored derivations by stage, from all nights."""
    data = np.load(path)
    y = data["y"]
    log_power = data["features"][..., : len(BANDS)].astype(np.float32)
    return {
        "bands": list(BANDS),
        "log_power": {
            channel: {
                Stage(s).label: np.nanmedian(log_power[y == s, c], axis=0).round(3).tolist() for s in range(N_STAGES)
            }
            for c, channel in enumerate(CHANNELS)
        },
    }


def main() -> None:
    """Read the data, write the statistics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    statistics = {
        "about": "Aggregates over the nights of Sleep-EDF Expanded 1.0.0 (Sleep Cassette), for the simulator.",
        "made_by": "tools/simulation_statistics.py",
        "origin": "https://physionet.org/content/sleep-edfx/1.0.0/",
        "license": "Open Data Commons Attribution License v1.0 (ODC-BY)",
        "cite": list(CITATION),
        "hypnograms": hypnogram_statistics(read_nights(arguments.data / "hypnograms")),
        "spectra": spectra(arguments.data / "sleep_edf" / "sleep_edf_20_first5s.npz"),
        "band_powers": band_powers(arguments.data / "sleep_edf" / "sleep_edf_78_bandpower.npz"),
    }
    arguments.output.write_text(json.dumps(statistics, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
