"""How many epochs have to be reviewed before κ is 0.90? The program's order against chance and plain confidence.

An oracle reviews: it gives every epoch that it is led to the expert's stage. The last line is one JSON object. See
README.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import machine, report
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import confusion_of, figures_of
from sleepviewer.analysis.order import review_order
from sleepviewer.review.document import Document
from sleepviewer.review.opening import open_night
from sleepviewer.review.review_queue import ReviewQueue
from sleepviewer.scoring.base import ChannelChoice, Prediction
from sleepviewer.scoring.registry import YASA, EngineSpec, make_engine
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import Stage, StageArray

TARGET_KAPPA = 0.9
TARGET_RATIO = 0.6
OURS, TOGETHER, WITH_YASA, CONFIDENCE, RANDOM = (
    "ours",
    "ours, neighbours together",
    "ours and YASA",
    "confidence",
    "random",
)
SHARES = np.round(np.arange(0, 0.401, 0.01), 2)
"""Of the epochs reviewed, at which the curves are kept."""

CHECKED = (0.0, 0.05, 0.1, 0.2)
"""Shares reviewed at which the expected κ is held against the true one."""

_DRAWS_SEED = 7


@dataclass(frozen=True, eq=False)
class Scored:
    """A night: the expert's stages and two engines' scorings."""

    name: str
    truth: StageArray
    ours: Prediction
    yasa: Prediction


@dataclass(frozen=True, eq=False)
class Review:
    """An oracle's review: true κ before and after each epoch, and what was expected (empty where nobody asked)."""

    kappa: NDArray[np.float64]
    expected: NDArray[np.float64]

    @property
    def share(self) -> float:
        """Share of the night's epochs until κ reaches the target."""
        return float(np.flatnonzero(self.kappa >= TARGET_KAPPA)[0]) / (len(self.kappa) - 1)

    def at(self, shares: Sequence[float] | NDArray[np.float64]) -> list[int]:
        """Numbers of epochs reviewed at some shares of the night."""
        return [round(float(share) * (len(self.kappa) - 1)) for share in shares]


def main() -> None:
    """Review each night in every order, print a table and the figures."""
    args = _arguments()
    started = time.perf_counter()
    nights = list(_nights(args))
    rows = [_measure(night, args.draws) for night in nights]
    simulated = rows[1:]
    result: dict[str, Any] = {
        "benchmark": "review_order",
        "machine": machine("torch", "yasa"),
        "engine": nights[0].ours.identity,
        "second_engine": nights[0].yasa.identity,
        "target_kappa": TARGET_KAPPA,
        "target_ratio": TARGET_RATIO,
        "draws": args.draws,
        "real": rows[0],
        "simulated": _mean(simulated),
        "simulated_nights": [{k: v for k, v in row.items() if k != "curves"} for row in simulated],
        "milliseconds_per_plan": round(_plan_ms(nights[0]), 2),
        "seconds": round(time.perf_counter() - started, 1),
    }
    result["missed"] = [row["night"] for row in rows if row["ratio_to_random"][OURS] > TARGET_RATIO]
    for row in rows:
        print(f"{row['night']:14s} κ {row['start_kappa']:.3f}", end="")
        for order, share in row["share_needed"].items():
            print(f"  {order} {100 * share:.1f} %", end="")
        print(f"  expected κ {row['expected_kappa'][0]:.3f}")
    report(result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path, help="a real night with its expert's hypnogram beside it")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(20, 30)), help="of the simulated nights")
    parser.add_argument("--draws", type=int, default=20, help="random orders for each night")
    parser.add_argument("--out", type=Path, help="write the figures here as well")
    return parser.parse_args()


def _nights(args: argparse.Namespace) -> list[Scored]:
    """Score the real night and the simulated ones."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    engines = [make_engine(EngineSpec()), make_engine(EngineSpec(YASA))]
    with tempfile.TemporaryDirectory() as folder:

        def scored(name: str, path: Path) -> Scored:
            night = open_night(path)
            truth = night.document.truth
            if truth is None or night.channel is None:
                raise SystemExit(f"{path} has no expert's hypnogram beside it, or no EEG channel.")
            ours, yasa = (engine.score(night.recording, ChannelChoice(night.channel)) for engine in engines)
            night.recording.close()
            return Scored(name, truth.stages, ours, yasa)

        nights = [scored(args.recording.stem, args.recording)]
        for seed in args.seeds:
            path = simulate_night(Path(folder) / f"{seed}.edf", seed=seed).psg_path
            nights.append(scored(f"simulated {seed}", path))
            path.unlink()
        return nights


def _measure(night: Scored, draws: int) -> dict[str, Any]:
    """Return a night's figures."""
    reviews = {
        OURS: _review(night, night.ours),
        TOGETHER: _review(night, night.ours, together=True),
        WITH_YASA: _review(night, night.ours, night.yasa),
        CONFIDENCE: _in_order(night, review_order(night.ours.proba)),
    }
    random = np.random.default_rng(_DRAWS_SEED)
    drawn = [_in_order(night, random.permutation(len(night.truth))) for _ in range(draws)]
    shares = {order: review.share for order, review in reviews.items()}
    shares[RANDOM] = statistics.fmean(review.share for review in drawn)
    ours = reviews[OURS]
    checked = ours.at(CHECKED)
    believed = np.flatnonzero(ours.expected >= TARGET_KAPPA)
    curves = {order: _rounded(review.kappa[review.at(SHARES)]) for order, review in reviews.items()}
    curves[RANDOM] = _rounded(np.mean([review.kappa[review.at(SHARES)] for review in drawn], axis=0))
    curves["expected"] = _rounded(ours.expected[ours.at(SHARES)])
    return {
        "night": night.name,
        "epochs": len(night.truth),
        "start_kappa": round(float(ours.kappa[0]), 4),
        "share_needed": {order: round(share, 4) for order, share in shares.items()},
        "ratio_to_random": {order: round(share / shares[RANDOM], 3) for order, share in shares.items()},
        "checked_at": list(CHECKED),
        "expected_kappa": _rounded(ours.expected[checked]),
        "true_kappa": _rounded(ours.kappa[checked]),
        "until_expected": {
            "share": round(float(believed[0]) / (len(ours.kappa) - 1), 4),
            "true_kappa": round(float(ours.kappa[believed[0]]), 4),
        },
        "curves": {"shares": SHARES.tolist(), **curves},
    }


def _review(
    night: Scored, prediction: Prediction, second: Prediction | None = None, *, together: bool = False
) -> Review:
    """Review the night as the window leads its user, with the program's own queue."""
    document = Document(len(night.truth))
    if second is not None:
        document.set_prediction(second)
    queue = ReviewQueue(document)
    document.subscribe(queue.on_change)
    document.set_prediction(prediction)
    queue.keep_together(together)
    kappa, expected = [], []

    def note() -> None:
        kappa.append(_kappa(night.truth, queue.labels))
        assert queue.plan is not None
        expected.append(float(queue.plan.expected_kappa[0]))

    note()
    while (epoch := queue.step(1)) is not None:
        document.set_stage([epoch], Stage(int(night.truth[epoch])))
        note()
    return Review(np.array(kappa), np.array(expected))


def _in_order(night: Scored, order: NDArray[np.intp]) -> Review:
    """Review the night in an order that is fixed beforehand."""
    labels = night.ours.stages.copy()
    kappa = [_kappa(night.truth, labels)]
    for epoch in order:
        labels[epoch] = night.truth[epoch]
        kappa.append(_kappa(night.truth, labels))
    return Review(np.array(kappa), np.empty(0))


def _kappa(truth: StageArray, labels: StageArray) -> float:
    return float(figures_of(confusion_of(truth, labels)).kappa)


def _mean(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the means over nights, and how far the expectation was off."""

    def mean(get: Callable[[dict[str, Any]], float]) -> float:
        return round(statistics.fmean(get(row) for row in rows), 4)

    errors = np.array([np.subtract(row["expected_kappa"], row["true_kappa"]) for row in rows])
    orders = rows[0]["share_needed"]
    share = {order: mean(lambda row, order=order: row["share_needed"][order]) for order in orders}
    return {
        "nights": len(rows),
        "start_kappa": mean(lambda row: row["start_kappa"]),
        "share_needed": share,
        "ratio_to_random": {order: round(value / share[RANDOM], 3) for order, value in share.items()},
        "worst_ratio": max(row["ratio_to_random"][OURS] for row in rows),
        "checked_at": list(CHECKED),
        "expected_less_true_kappa": _rounded(errors.mean(axis=0)),
        "absolute_error": _rounded(np.abs(errors).mean(axis=0)),
        "curves": {
            name: _rounded(np.mean([row["curves"][name] for row in rows], axis=0)) for name in rows[0]["curves"]
        },
    }


def _plan_ms(night: Scored) -> float:
    """Median time of a plan after an edit, in ms."""
    document = Document(len(night.truth))
    queue = ReviewQueue(document)
    document.subscribe(queue.on_change)
    document.set_prediction(night.ours)
    times = []
    for _ in range(200):
        epoch = queue.step(1)
        assert epoch is not None
        document.set_stage([epoch], Stage(int(night.truth[epoch])))
        started = time.perf_counter()
        assert queue.plan is not None
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 4) for value in values]


if __name__ == "__main__":
    main()
