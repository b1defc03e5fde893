"""Choose how much each engine counts in the ensemble, and its temperature, by held-out nights alone.

    python tools/fit_ensemble.py DATA_FOLDER MODELS_FOLDER [--without-ucddb] [--write]

The engines score the nights of the held-out subjects of Sleep-EDF-20, as they are, in white noise and with artifacts,
and the held-out nights of UCDDB (with ``--without-ucddb``, all twelve: then the models must not have seen any), as a
recording's are scored. YASA learned from two hundred times as many nights as the members and knows more recorders, but
joined epochs are unlike what it learned from: so of the weights on a grid that come within 0.002 of the best κ on the
undisturbed held-out nights, those are taken that give YASA most, and of these the best by the groups' mean κ.
The temperature makes the pooled probabilities calibrated. ucddb018 has no part in it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from shipped_contexts import CALIBRATION_MINUTES
from shipped_sources import SHAPE, VALIDATION_UCDDB, load_sources, validation_nights

from sleepviewer.analysis.agreement import agreement
from sleepviewer.analysis.calibration import expected_calibration_error
from sleepviewer.files import atomic_writer
from sleepviewer.models.card import Limit
from sleepviewer.scoring.ensemble import pooled
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.signals import NightSignal, prepare_signal
from sleepviewer.scoring.yasa_engine import OWN_RATE_HZ, score_signals
from sleepviewer.simulation.disturbances import find_disturbances
from sleepviewer.stages import Proba, Stage, StageArray

MEMBERS: Final = ("attnsleep+context", "attnsleep-msmp+context")
YASA: Final = "yasa"
_YASA_SHARES: Final = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 1.0)
_TOLERANCE: Final = 0.002
_TEAMS: Final = (
    {MEMBERS[0]: 1.0},
    {MEMBERS[1]: 1.0},
    {MEMBERS[0]: 0.5, MEMBERS[1]: 0.5},
    {MEMBERS[0]: 0.7, MEMBERS[1]: 0.3},
)
"""How the members share what YASA leaves."""
_USUAL_CHANGES, _MOST_CHANGES = 0.25, 0.45
"""Shares of a night: up to the first the context changed stages on undisturbed held-out nights (at most .25), from the
second on a member does not count. Members without UCDDB changed up to half of its nights, wrongly."""
_NOISE: Final = ("noise-0.5", "noise-0.7", "noise-1.0")
_ARTIFACTS: Final = ("movements-20", "pulled-last-2", "off-150min", "gaps-20", "movement-last-10", "spikes-30")
_CALIBRATED_ON: Final = ("clean", "artifacts", "other hospital")


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutNight:
    """A night that trained no engine: ``truth`` is ``int8 [n_epochs]``, UNKNOWN where nothing is known or touched."""

    name: str
    group: str
    signal: NightSignal
    truth: StageArray


def held_out_nights(data: Path, *, with_ucddb: bool) -> Iterator[HeldOutNight]:
    """Yield the nights, group by group."""
    sources = load_sources(data, with_ucddb=False)
    for i, (source, night) in enumerate(zip(sources.validation, validation_nights(sources), strict=True)):
        microvolts = (night.x * source.spread).astype(np.float32).reshape(-1)
        for group, names in (("clean", ()), ("noise", _NOISE), ("artifacts", _ARTIFACTS)):
            truth, samples = night.y.copy(), microvolts.copy()
            if names:
                (disturbance,) = find_disturbances((names[i % len(names)],))
                (disturbed,) = disturbance.apply(samples, SHAPE.rate_hz, seed=i)
                samples = np.array(disturbed.samples)
                truth[disturbed.touched] = Stage.UNKNOWN
            yield HeldOutNight(night.name, group, prepare_signal(samples, "EEG", SHAPE.rate_hz, len(truth)), truth)
    for path in sorted((data / "ucddb").glob("*_wake_n3.npz")):
        name = path.name.removesuffix("_wake_n3.npz")
        if not with_ucddb or name in VALIDATION_UCDDB:
            signal, truth = ucddb_night(path)
            yield HeldOutNight(name, "other hospital", signal, truth)


def ucddb_night(path: Path) -> tuple[NightSignal, StageArray]:
    """Return a UCDDB night with gaps for all but its wake and N3 epochs, and the stages of these."""
    with np.load(path, allow_pickle=False) as npz:
        raw, epoch, stages = npz["x"].astype(np.float32) * npz["scale"], npz["epoch"], npz["stages"]
    samples = np.full((len(stages), raw.shape[1]), np.nan, dtype=np.float32)
    truth = np.full(len(stages), Stage.UNKNOWN, dtype=np.int8)
    samples[epoch], truth[epoch] = raw, stages[epoch]
    return prepare_signal(samples.reshape(-1), "EEG", raw.shape[1] / 30, len(stages)), truth


def votes_of(night: HeldOutNight, engines: dict[str, FamilyEngine]) -> dict[str, Proba]:
    """Return what every engine makes of a night, ``float32 [n_epochs, 5]`` each."""
    votes = {name: engine.score_signal(night.signal).proba for name, engine in engines.items()}
    return votes | {YASA: score_signals({"EEG": night.signal}, night.signal.missing, at_most_hz=OWN_RATE_HZ).proba}


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A group's nights joined: ``truth`` ``int8 [n]`` of all epochs that every engine scored, and each one's rows."""

    truth: StageArray
    votes: dict[str, Proba]

    def pooled(self, weights: dict[str, float], temperature: float = 1.0) -> Proba:
        """Return the ensemble's probabilities ``float32 [n, 5]``."""
        return pooled([self.votes[name] for name in weights], list(weights.values()), temperature)

    def kappa(self, weights: dict[str, float]) -> float:
        """Return the ensemble's κ."""
        return agreement(self.truth, self.pooled(weights).argmax(axis=1).astype(np.int8)).kappa


def score_groups(data: Path, models: Path, *, with_ucddb: bool) -> dict[str, Scored]:
    """Have all engines score all nights."""
    engines = {name: FamilyEngine(name, models / f"{name}.safetensors") for name in MEMBERS if _there(models, name)}
    parts: dict[str, list[tuple[StageArray, dict[str, Proba]]]] = {}
    for night in held_out_nights(data, with_ucddb=with_ucddb):
        votes = votes_of(night, engines)
        rows = np.logical_and.reduce([np.isfinite(proba).all(axis=1) for proba in votes.values()])
        rows &= night.truth != Stage.UNKNOWN
        parts.setdefault(night.group, []).append((night.truth[rows], {name: p[rows] for name, p in votes.items()}))
        own = {
            name: round(agreement(night.truth[rows], p[rows].argmax(1).astype(np.int8)).kappa, 3)
            for name, p in votes.items()
        }
        print(f"{night.group:15s} {night.name:10s} {int(rows.sum()):5d} epochs", own, flush=True)
    return {
        group: Scored(
            np.concatenate([truth for truth, _ in nights]),
            {name: np.concatenate([votes[name] for _, votes in nights]) for name in nights[0][1]},
        )
        for group, nights in parts.items()
    }


def _there(models: Path, name: str) -> bool:
    return (models / f"{name}.safetensors").exists()


def choose_weights(groups: dict[str, Scored]) -> dict[str, float]:
    """Return the weights, printing the grid."""
    rows: list[tuple[float, float, float, dict[str, float]]] = []
    for team in _TEAMS:
        for share in _YASA_SHARES:
            weights = {name: (1 - share) * part for name, part in team.items()} | {YASA: share}
            weights = {name: weight for name, weight in weights.items() if weight}
            found = {group: scored.kappa(weights) for group, scored in groups.items()}
            mean = float(np.mean(list(found.values())))
            parts = " + ".join(f"{part:.1f} {name}" for name, part in team.items())
            shown = "  ".join(f"{group} {value:.3f}" for group, value in found.items())
            print(f"YASA {share:.2f}  {parts:60s}  {shown}  mean {mean:.3f}")
            if len(team) > 1 and 0 < share < 1:
                rows.append((found["clean"], share, mean, weights))
    best = max(row[0] for row in rows)
    return max((row for row in rows if row[0] >= best - _TOLERANCE), key=lambda row: row[1:3])[3]


def fit_temperature(groups: dict[str, Scored], weights: dict[str, float]) -> float:
    """Return the temperature with the least negative log-likelihood, every group counting alike."""
    used = [scored for group, scored in groups.items() if group in _CALIBRATED_ON]

    def loss(log_temperature: float) -> float:
        total = 0.0
        for scored in used:
            proba = scored.pooled(weights, float(np.exp(log_temperature))).astype(np.float64)
            total -= float(np.log(np.maximum(proba[np.arange(len(proba)), scored.truth], 1e-12)).mean())
        return total

    return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded").x))


def recipe(groups: dict[str, Scored], weights: dict[str, float], temperature: float) -> dict[str, Any]:
    """Return the content of ``ensemble.json``."""
    clean = groups["clean"]
    proba = clean.pooled(weights, temperature)
    return {
        "weights": {name: round(weight, 4) for name, weight in weights.items()},
        "card": {
            "name": "Ensemble",
            "rate_hz": SHAPE.rate_hz,
            "normalisation": "robust_night",
            "temperature": round(temperature, 4),
            "measured": {
                "held-out subjects kappa": round(clean.kappa(weights), 3),
                "held-out subjects ece": round(expected_calibration_error(proba, clean.truth), 3),
            },
            "limits": {
                Limit.CALIBRATION_MINUTES: CALIBRATION_MINUTES,
                Limit.UNUSABLE_SHARE: 0.3,
                Limit.USUAL_CHANGES: _USUAL_CHANGES,
                Limit.CONTEXT_CHANGES: _MOST_CHANGES,
            },
            "trained_on": "what its members were trained on; held-out subjects and nights chose the weights",
            "notes": "The weighted geometric mean of its members' probabilities, over a temperature.",
        },
    }


def main() -> None:
    """Score, choose, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--without-ucddb", action="store_true", help="the models have seen no night of UCDDB")
    parser.add_argument("--write", action="store_true", help="write MODELS_FOLDER/ensemble.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    groups = score_groups(arguments.data, arguments.models, with_ucddb=not arguments.without_ucddb)
    weights = choose_weights(groups)
    temperature = fit_temperature(groups, weights)
    content = recipe(groups, weights, temperature)
    print(json.dumps(content, indent=1, ensure_ascii=False))
    for group, scored in groups.items():
        proba = scored.pooled(weights, temperature)
        print(f"{group:15s} κ {scored.kappa(weights):.3f} ECE {expected_calibration_error(proba, scored.truth):.3f}")
    if arguments.write:
        with atomic_writer(arguments.models / "ensemble.json") as file:
            file.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
