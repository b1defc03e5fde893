"""Measure the shipped weights on nights that they never saw, and write the figures into their cards.

    python tools/measure_shipped_models.py DATA_FOLDER MODELS_FOLDER [--write] [--json FILE]

The held-out subjects of Sleep-EDF-20 (joined epochs in their real order; they also chose pass, temperature and the
share of the night's statistics, so their figures flatter) and the whole real night ucddb018, which chose nothing.
Beside each member as it ships: other shares of the night's statistics, the transition smoother, an average of the
members, and YASA.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from train_shipped_models import STAGE_SHARE, load_sources, validation_nights

from sleepviewer.analysis.agreement import agreement
from sleepviewer.analysis.calibration import expected_calibration_error
from sleepviewer.analysis.review_plan import expected_agreement
from sleepviewer.files import atomic_writer
from sleepviewer.hypnogram import align, read_track
from sleepviewer.models.adaptation import blend_statistics
from sleepviewer.models.checkpoints import LoadedWeights, load_weights
from sleepviewer.models.context import ContextModel, TransitionSmoother
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import all_names
from sleepviewer.models.filtering import band_pass
from sleepviewer.models.normalisation import Epochs, normalise
from sleepviewer.recording import open_recording
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.registry import EngineSpec, make_engine
from sleepviewer.scoring.signals import read_signal
from sleepviewer.stages import Proba, Stage, StageArray
from sleepviewer.training.context_fold import summaries_of

REAL_NIGHT: Final = "ucddb018"
HELD_OUT: Final = "held out"
SHARES: Final = {
    0.5: "",
    0.0: ", statistics of the training alone",
    1.0: ", statistics of the night alone",
}
"""Shares of the night's statistics in the batch normalisation, the one that ships first, and the variants' names."""

Night = tuple[str, Epochs, StageArray]


def figures(nights: list[tuple[StageArray, Proba]]) -> dict[str, Any]:
    """Return κ, true and expected, accuracy, F1 by stage and ECE over all scored epochs of some nights."""
    truth = np.concatenate([stages for stages, _ in nights])
    proba = np.concatenate([rows for _, rows in nights])
    scored = (truth != Stage.UNKNOWN) & np.isfinite(proba).all(axis=1)
    truth, proba = truth[scored], proba[scored]
    stages = proba.argmax(axis=1).astype(np.int8)
    result = agreement(truth, stages)
    nothing = np.empty(0, dtype=np.intp)
    _, expected = expected_agreement(proba.astype(np.float64), stages, np.zeros(len(stages), dtype=bool), nothing)
    return {
        "kappa": round(result.kappa, 3),
        "expected_kappa": round(float(expected[0]), 3),
        "accuracy": round(result.accuracy, 3),
        "macro_f1": round(result.macro_f1, 3),
        **{f"f1_{stage}": None if value != value else round(value, 3) for stage, value in result.f1.items()},
        "ece": round(expected_calibration_error(proba, truth), 3),
    }


def probabilities(model: EpochModel, context: ContextModel | None, x: Epochs, temperature: float) -> Proba:
    """Return a night's probabilities as the engine computes them."""
    summaries = summaries_of(model, x)
    logits = summaries[:, -5:] if context is None else context.night(summaries)
    return np.asarray((logits / temperature).softmax(dim=1).numpy(), dtype=np.float32)


def real_night(folder: Path) -> Night:
    """Read the real night as the engine does; epochs without a truth keep UNKNOWN."""
    with open_recording(folder / "ucddb" / f"{REAL_NIGHT}.edf") as recording:
        signal = read_signal(recording, recording.channels[0].label)
        track = read_track(folder / "ucddb" / f"{REAL_NIGHT}-Hypnogram.edf")
        truth = align(track, start=recording.start, n_epochs=recording.n_epochs, name=REAL_NIGHT)
    return REAL_NIGHT, signal.at_rate(100).reshape(recording.n_epochs, -1), truth.stages


def prepared(night: Night, weights: LoadedWeights) -> Epochs:
    """Filter and scale a raw night as the card says."""
    x = night[1]
    if weights.card.band_hz is not None:
        x = band_pass(x.reshape(-1), weights.card.rate_hz, weights.card.band_hz).reshape(x.shape)
    return normalise(x, weights.card.normalisation)


def measure(data: Path, models: Path) -> dict[str, Any]:
    """Return the figures of every member that is there, and of the variants that do not ship."""
    sources = load_sources(data)
    raw = real_night(data)
    held: list[Night] = [(night.name, night.x, night.y) for night in validation_nights(sources)]
    smoother = replace(TransitionSmoother.fit(sources.hypnograms), share=STAGE_SHARE)
    table: dict[str, Any] = {}
    together: dict[str, list[list[Proba]]] = {HELD_OUT: [], REAL_NIGHT: []}
    for name in all_names():
        path = models / f"{name}.safetensors"
        if not path.exists():
            continue
        weights = load_weights(path)
        model, context = weights.build(), weights.build_context()
        for part, nights in ((HELD_OUT, held), (REAL_NIGHT, [(raw[0], prepared(raw, weights), raw[2])])):
            variants = {}
            for share, words in SHARES.items():
                variants[name + words] = [
                    probabilities(blend_statistics(model, x, share), context, x, weights.card.temperature)
                    for _, x, _ in nights
                ]
            if context is None:
                variants[name + ", smoother"] = [smoother.smooth(proba) for proba in variants[name]]
            else:
                together[part].append(variants[name])
            for variant, probas in variants.items():
                truths = [stages for _, _, stages in nights]
                table.setdefault(variant, {})[part] = figures(list(zip(truths, probas, strict=True)))
    for part, members in together.items():
        if len(members) > 1:
            truths = [stages for _, _, stages in (held if part == HELD_OUT else [raw])]
            mean = [np.mean(night, axis=0) for night in zip(*members, strict=True)]
            table.setdefault("mean of the members with context", {})[part] = figures(
                list(zip(truths, mean, strict=True))
            )
    table["yasa"] = {REAL_NIGHT: engine_figures(data, EngineSpec("yasa"), raw[2])}
    return table


def engine_figures(data: Path, spec: EngineSpec, truth: StageArray) -> dict[str, Any]:
    """Return the figures of an engine on the real night, as a user gets them."""
    with open_recording(data / "ucddb" / f"{REAL_NIGHT}.edf") as recording:
        prediction = make_engine(spec).score(recording, ChannelChoice(recording.channels[0].label))
    return figures([(truth, prediction.proba)])


def write_cards(data: Path, models: Path, table: dict[str, Any]) -> None:
    """Write each member's card beside its weights, with the figures that the engine itself gets on the real night."""
    truth = real_night(data)[2]
    for name in all_names():
        path = models / f"{name}.safetensors"
        if not path.exists():
            continue
        real = engine_figures(data, EngineSpec(name, path), truth)
        held = table[name][HELD_OUT]
        measured = {f"{REAL_NIGHT} {figure}": value for figure, value in real.items() if value is not None}
        measured |= {f"held-out subjects {figure}": held[figure] for figure in ("kappa", "ece")}
        card = replace(
            load_weights(path).card,
            measured=measured,
            notes=(
                f"{REAL_NIGHT} is one whole real night of 822 epochs that no training and no choice saw; one night "
                "says little. The held-out subjects' epochs are joined from segments of one stage and easier than real "
                "ones; they chose the pass and the temperature."
            ),
        )
        with atomic_writer(path.with_suffix(".json")) as file:
            file.write((json.dumps(card.as_dict(), indent=1, ensure_ascii=False) + "\n").encode())


def main() -> None:
    """Measure, print a table, and write cards where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--write", action="store_true", help="write the cards")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    arguments = parser.parse_args()
    table = measure(arguments.data, arguments.models)
    for name, parts in table.items():
        for part, values in parts.items():
            print(f"{name:60s} {part:10s} " + "  ".join(f"{k} {v}" for k, v in values.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    if arguments.write:
        write_cards(arguments.data, arguments.models, table)


if __name__ == "__main__":
    sys.exit(main())
