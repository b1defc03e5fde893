"""Measure the shipped engines on nights that they never saw, and write the figures into their cards.

    python tools/measure_shipped_models.py DATA_FOLDER MODELS_FOLDER [--write] [--variants] [--json FILE]

Every engine, YASA and the ensemble among them, scores the whole real night ucddb018, which chose nothing, as a user's
recording is scored; intervals are by a block bootstrap within that night. The members are measured on the held-out
subjects of Sleep-EDF-20 as well (joined epochs in their real order; they also chose training epoch, temperature and
weights, so their figures flatter). ``--variants`` adds other shares of the night's statistics and the transition
smoother.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from shipped_contexts import read_labelled
from shipped_sources import load_sources, validation_nights
from torch import Tensor
from train_shipped_models import STAGE_SHARE

from sleepviewer.analysis.agreement import agreement
from sleepviewer.analysis.calibration import expected_calibration_error
from sleepviewer.analysis.intervals import bootstrap
from sleepviewer.analysis.review_plan import expected_agreement
from sleepviewer.files import atomic_writer
from sleepviewer.hypnogram import align, read_track
from sleepviewer.models.checkpoints import LoadedWeights, load_weights
from sleepviewer.models.context import ContextModel, TransitionSmoother
from sleepviewer.models.family import all_names
from sleepviewer.models.filtering import band_pass
from sleepviewer.models.normalisation import Epochs, normalise
from sleepviewer.recording import open_recording
from sleepviewer.scoring.base import ChannelChoice, Engine
from sleepviewer.scoring.ensemble import EnsembleEngine
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.recipe import EnsembleRecipe
from sleepviewer.scoring.registry import ENSEMBLE, YASA
from sleepviewer.scoring.signals import read_signal
from sleepviewer.scoring.yasa_engine import YasaEngine
from sleepviewer.stages import N_STAGES, Proba, Stage, StageArray
from sleepviewer.training.data import LabelledNight

REAL_NIGHT: Final = "ucddb018"
HELD_OUT: Final = "held out"
BLOCK_EPOCHS: Final = 20
FIGURES: Final = ("kappa", "expected_kappa", "accuracy", "macro_f1", "f1_W", "f1_N1", "f1_N2", "f1_N3", "f1_REM", "ece")
NOTES: Final = (
    f"{REAL_NIGHT} is one whole real night of 822 epochs that no training and no choice saw; one night says little. "
    "Nine other nights of its hospital trained wake and N3, and three chose the training epoch. The held-out subjects' "
    "epochs are joined from segments of one stage and easier than real ones; they chose the training epoch and the "
    "temperature."
)
SHARE: Final = 0.5
SHARES: Final = {
    SHARE: "",
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


def probabilities(summaries: Tensor, context: ContextModel | None, temperature: float) -> Proba:
    """Return a night's probabilities from its summaries as the engine computes them."""
    logits = summaries[:, -N_STAGES:] if context is None else context.night(summaries)
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


def block_intervals(truth: StageArray, stages: StageArray) -> dict[str, list[float]]:
    """Return 95 % intervals of κ, accuracy, macro-F1 and the stages' F1 by a block bootstrap within the night.

    Blocks of ten minutes are drawn with replacement (Künsch 1989, doi 10.1214/aos/1176347265): neighboring epochs
    resemble each other, single ones would make the intervals too narrow.
    """
    n_blocks = -(-len(truth) // BLOCK_EPOCHS)
    confusions = np.zeros((n_blocks, N_STAGES, N_STAGES), dtype=np.int64)
    known = (truth >= 0) & (stages >= 0)
    np.add.at(confusions, (np.flatnonzero(known) // BLOCK_EPOCHS, truth[known], stages[known]), 1)
    found = bootstrap(confusions)
    return {
        name: [round(interval.low, 3), round(interval.high, 3)] for name, interval in found.items() if name != "mgm"
    }


def measure_engines(data: Path, models: Path) -> dict[str, Any]:
    """Return every engine's figures on the real night, with their intervals, as a user gets them."""
    truth = real_night(data)[2]
    table: dict[str, Any] = {}
    with open_recording(data / "ucddb" / f"{REAL_NIGHT}.edf") as recording:
        for name, engine in engines_of(models).items():
            prediction = engine.score(recording, ChannelChoice(recording.channels[0].label))
            stages = prediction.stages
            table[name] = figures([(truth, prediction.proba)]) | {
                "unscored": int((~prediction.scored).sum()),
                "intervals": block_intervals(truth, stages),
            }
    return table


def engines_of(models: Path) -> dict[str, Engine]:
    """Return the engines with the weights of a folder, the ensemble first."""
    recipe = EnsembleRecipe.read(models / f"{ENSEMBLE}.json")
    engines: dict[str, Engine] = {ENSEMBLE: EnsembleEngine(recipe, folder=models), YASA: YasaEngine()}
    for name in all_names():
        if (path := models / f"{name}.safetensors").exists():
            engines[name] = FamilyEngine(name, path)
    return engines


def measure_members(data: Path, models: Path, *, variants: bool) -> dict[str, Any]:
    """Return the figures of every member on the held-out subjects, and of its variants there and on the real night."""
    sources = load_sources(data)
    raw = real_night(data)
    held = validation_nights(sources)
    hypnograms = [stages[stages >= 0] for stages in sources.hypnograms]
    smoother = replace(TransitionSmoother.fit(hypnograms), share=STAGE_SHARE)
    table: dict[str, Any] = {}
    for name in all_names():
        path = models / f"{name}.safetensors"
        if not path.exists():
            continue
        weights = load_weights(path)
        model, context = weights.build(), weights.build_context()
        real = prepared(raw, weights)
        nights = {HELD_OUT: held, REAL_NIGHT: [LabelledNight(raw[0], raw[0], real, raw[2], np.arange(len(real)))]}
        for part, labelled in nights.items():
            for share, words in SHARES.items() if variants else [(SHARE, "")]:
                read = [read_labelled(model, night, share) for night in labelled]
                probas = [probabilities(night.summaries, context, weights.card.temperature) for night in read]
                truths = [night.y for night in read]
                table.setdefault(name + words, {})[part] = figures(list(zip(truths, probas, strict=True)))
                if context is None and variants and share == SHARE:
                    smooth = [smoother.smooth(proba) for proba in probas]
                    table.setdefault(name + ", smoother", {})[part] = figures(list(zip(truths, smooth, strict=True)))
    return table


def write_cards(models: Path, engines: dict[str, Any], members: dict[str, Any]) -> None:
    """Write each engine's card beside its weights, with the figures that it gets on the real night."""
    for name, found in engines.items():
        measured = {f"{REAL_NIGHT} {figure}": found[figure] for figure in FIGURES if found.get(figure) is not None}
        for figure, (low, high) in found["intervals"].items():
            measured |= {f"{REAL_NIGHT} {figure}_low": low, f"{REAL_NIGHT} {figure}_high": high}
        if name in members:
            held = members[name][HELD_OUT]
            measured |= {f"held-out subjects {figure}": held[figure] for figure in ("kappa", "ece")}
            card = replace(load_weights(models / f"{name}.safetensors").card, measured=measured, notes=NOTES)
            content: dict[str, Any] = card.as_dict()
            path = models / f"{name}.json"
        else:
            path = models / f"{name}.json"
            content = json.loads(path.read_text(encoding="utf-8"))
            card_of = content["card"] if name == ENSEMBLE else content
            kept = {key: value for key, value in card_of["measured"].items() if not key.startswith(REAL_NIGHT)}
            card_of["measured"] = measured | kept
        with atomic_writer(path) as file:
            file.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def main() -> None:
    """Measure, print a table, and write cards where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--write", action="store_true", help="write the cards")
    parser.add_argument("--variants", action="store_true", help="measure what does not ship as well")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    engines = measure_engines(arguments.data, arguments.models)
    members = measure_members(arguments.data, arguments.models, variants=arguments.variants)
    for name, values in engines.items():
        print(f"{name:30s} {REAL_NIGHT} " + "  ".join(f"{k} {v}" for k, v in values.items()))
    for name, parts in members.items():
        for part, values in parts.items():
            print(f"{name:60s} {part:10s} " + "  ".join(f"{k} {v}" for k, v in values.items()))
    if arguments.json:
        content = {"engines": engines, "members": members}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if arguments.write:
        write_cards(arguments.models, engines, members)


if __name__ == "__main__":
    sys.exit(main())
