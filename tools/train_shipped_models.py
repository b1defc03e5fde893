"""Train the weights that come with SleepViewer, from the folder of real recordings to ``resources/models``.

    python tools/train_shipped_models.py DATA_FOLDER OUT_FOLDER WORK_FOLDER [--members attnsleep …]

Each member's epoch model is trained on whole epochs joined from the real 5-s segments of Sleep-EDF-20, and on the real
wake and N3 epochs of nights of the St. Vincent's database (``--without-ucddb`` leaves them out); its context model on
the same in the real order of stages, disturbed as whole nights (``tools/shipped_contexts.py``). Subjects that are held
out choose the training epoch and the temperature. The night that figures are quoted for (ucddb018) is no part of it:
``tools/fit_ensemble.py`` and ``tools/measure_shipped_models.py`` go on from here.
What was tried, what helped and what did not: docs/experiments.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from shipped_contexts import NIGHT_STATISTICS, QUICK, train_context
from shipped_sources import (
    JOINING,
    NOISE_LEVELS,
    SHAPE,
    VALIDATION_SUBJECTS,
    Sources,
    load_sources,
    noisy_night,
    validation_nights,
)
from torch import Tensor, nn
from torch.nn import functional

from sleepviewer.analysis.provenance import SLEEP_EDF
from sleepviewer.files import sha256_of
from sleepviewer.models.card import ModelCard, NamedRecordings
from sleepviewer.models.checkpoints import load_weights, save_weights
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import CONTEXT_SUFFIX, MEMBERS, build_epoch_model
from sleepviewer.models.normalisation import Epochs, Normalisation
from sleepviewer.stages import Stage
from sleepviewer.training.augmentation import Augmentation
from sleepviewer.training.context_fold import save_member
from sleepviewer.training.data import LabelledNight
from sleepviewer.training.fold import NightLogits, figures, initialise, predict
from sleepviewer.training.loop import Batches, Pick, Schedule, Scores, fit
from sleepviewer.training.pseudo_epochs import SegmentedNight, draw_rows, join_epochs

STAGE_SHARE: Final = np.array([0.22, 0.14, 0.28, 0.17, 0.19])
_UCDDB_GAIN: Final = 0.2
"""Spread of the logarithm of a gain: these nights are scaled by their wake and N3 alone, others by all epochs."""
_BATCH: Final = 128


@dataclass(frozen=True, slots=True)
class Effort:
    """How much an epoch model's training does: joined and UCDDB inputs a pass, passes, and the learning rates."""

    passes: int
    inputs: int = 12_000
    ucddb_inputs: int = 2_000
    learning_rate: float = 1e-3
    late_learning_rate: float = 2e-4


_EFFORT: Final = {"attnsleep": Effort(7), "attnsleep-conformer": Effort(4), "attnsleep-msmp": Effort(5)}
"""The others begin with the parts that they share with AttnSleep, already trained."""
_TUNING: Final = Effort(3, inputs=5_000, ucddb_inputs=3_000, learning_rate=5e-4)
"""Of a member that was trained without UCDDB, on some of its nights: for the leave-nights-out check."""


# -- the epoch model


def pass_batches(sources: Sources, augmentation: Augmentation, effort: Effort) -> Batches:
    """Return a source of batches that joins and changes other epochs in every pass."""

    def batches(number: int) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng((7, number))
        x, y = _joined_inputs(sources.train, effort.inputs, rng)
        if sources.ucddb_train:
            x_ucddb, y_ucddb = _ucddb_inputs(sources.ucddb_train, effort.ucddb_inputs, rng)
            x, y = np.concatenate((x, x_ucddb)), np.concatenate((y, y_ucddb))
        order = rng.permutation(len(x))
        for first in range(0, len(order) - _BATCH + 1, _BATCH):
            rows = order[first : first + _BATCH]
            changed = augmentation.apply(x[rows], SHAPE.rate_hz, rng)
            yield torch.from_numpy(changed).unsqueeze(1), torch.from_numpy(y[rows])

    return batches


def _joined_inputs(
    nights: list[SegmentedNight], count: int, rng: np.random.Generator
) -> tuple[Epochs, NDArray[np.int64]]:
    x, y = [], []
    for i, rows in draw_rows(nights, count, STAGE_SHARE, rng):
        x.append(join_epochs(nights[i], rows, JOINING, rng))
        y.append(nights[i].night.y[rows].astype(np.int64))
    return np.concatenate(x), np.concatenate(y)


def _ucddb_inputs(
    nights: list[LabelledNight], count: int, rng: np.random.Generator
) -> tuple[Epochs, NDArray[np.int64]]:
    """Draw as many epochs of wake as of N3, from all nights alike."""
    x, y = [], []
    each = count // (2 * len(nights))
    for night in nights:
        for stage in (Stage.W, Stage.N3):
            rows = np.flatnonzero(night.y == stage)
            if len(rows):
                drawn = rng.choice(rows, each)
                x.append(night.x[drawn] * np.exp(rng.normal(0, _UCDDB_GAIN, (each, 1))).astype(np.float32))
                y.append(np.full(each, stage, dtype=np.int64))
    return np.concatenate(x), np.concatenate(y)


def train_epoch_model(member: str, sources: Sources, folder: Path, first: Path, begin: Path | None) -> EpochModel:
    """Train a member's epoch model, or go on; return the pass that the held-out nights choose.

    ``first`` are AttnSleep's trained weights, with which the other members' equal parts begin; with ``begin``, the
    member's own, they are only tuned.
    """
    torch.manual_seed(0)
    model = build_epoch_model(member, SHAPE)
    initialise(model)
    effort = _EFFORT[member] if begin is None else _TUNING
    if begin is not None:
        model.load_state_dict(load_weights(begin).state)
    elif member != "attnsleep":
        own = model.state_dict()
        trained = load_weights(first).state
        model.load_state_dict(own | {k: v for k, v in trained.items() if k in own and own[k].shape == v.shape})
    clean = [_every(night, 4) for night in validation_nights(sources)]
    noisy = [noisy_night(night, level) for level in NOISE_LEVELS for night in clean]

    def evaluate(network: nn.Module) -> Scores:
        scores: dict[str, dict[str, float | None]] = {
            "validation": figures(predict(network, clean, "cpu")),
            "noise": figures(predict(network, noisy, "cpu")),
        }
        score = sum((part["kappa"] or 0.0) for part in scores.values()) / 2
        if sources.ucddb_validation:
            recall = wake_n3_recall(predict(network, sources.ucddb_validation, "cpu"))
            scores["ucddb"] = dict(recall)
            score += (recall["W"] + recall["N3"]) / 2
        scores["choice"] = {"score": score}
        print(member, json.dumps(scores), flush=True)
        return scores

    progress = fit(
        model,
        pass_batches(sources, Augmentation(), effort),
        functional.cross_entropy,
        evaluate,
        {"choice": Pick("choice", "score")},
        Schedule(
            passes=effort.passes,
            learning_rate=effort.learning_rate,
            late_learning_rate=effort.late_learning_rate,
            drop_after=max(effort.passes * 6 // 10, 1),
            weight_decay=1e-3,
            weight_average=0.99,
        ),
        folder=folder,
        seed=1,
    )
    model.load_state_dict(progress.weights["choice"])
    return model.eval()


def _every(night: LabelledNight, step: int) -> LabelledNight:
    return LabelledNight(night.name, night.subject, night.x[::step], night.y[::step], night.epoch_index[::step])


def wake_n3_recall(nights: Sequence[NightLogits]) -> dict[str, float]:
    """Return the share of real wake and N3 epochs that get their stage among all five."""
    truth = np.concatenate([night.night.y for night in nights])
    found = np.concatenate([night.logits.argmax(axis=1) for night in nights])
    return {stage.label: float((found[truth == stage] == stage).mean()) for stage in (Stage.W, Stage.N3)}


# -- all of it

_SLEEP_EDF: Final = (
    "16 of the 20 subjects of Sleep-EDF-20 (Fpz-Cz; 30-s epochs joined from the real first 5 s of six epochs of one "
    "stage)"
)
_UCDDB: Final = (
    "wake and N3 epochs of 9 nights of the St. Vincent's University Hospital sleep apnea database (C3-A2 or C4-A1)"
)


def _trained_on(sources: Sources) -> str:
    if sources.ucddb_train:
        return f"{_SLEEP_EDF}, {_UCDDB}; 4 subjects and 3 nights of these chose the training epoch"
    return f"{_SLEEP_EDF}; 4 of its subjects chose the training epoch"


def trained_on_recordings(sources: Sources, *, context: bool) -> tuple[NamedRecordings, ...]:
    """Return what a member's labels came from as its card names it; ``context`` for a member with one.

    SHA-256 are of the files in the folder that hold the recordings' epochs.
    """
    others = tuple(sorted({night.night.subject for night in sources.train}))
    named = []
    for use, subjects, nights in (
        ("training", others, sources.ucddb_train),
        ("choice of the training epoch", VALIDATION_SUBJECTS, sources.ucddb_validation),
    ):
        named.append(NamedRecordings(SLEEP_EDF, use, subjects=subjects))
        if nights:
            names = tuple(night.subject for night in nights)
            hashes = tuple(sha256_of(sources.folder / "ucddb" / f"{name}_wake_n3.npz") for name in names)
            named.append(NamedRecordings("ucddb", use, nights=names, sha256=hashes))
    if context:
        with np.load(sources.folder / "sleep_edf" / "sleep_edf_78_bandpower.npz", allow_pickle=False) as npz:
            rest = {f"{subject:02d}" for subject in np.unique(npz["subject"])} - {*others, *VALIDATION_SUBJECTS}
        named.append(
            NamedRecordings(SLEEP_EDF, "training, the order of its stages alone", subjects=tuple(sorted(rest)))
        )
    return tuple(named)


def held_out_recordings(folder: Path) -> tuple[NamedRecordings, ...]:
    """Return the night that figures are quoted for as a card names it."""
    night = folder / "ucddb" / "ucddb018.edf"
    return (NamedRecordings("ucddb", "figures", nights=(night.stem,), sha256=(sha256_of(night),)),)


def ship(member: str, sources: Sources, out: Path, work: Path, begin: Path | None = None) -> None:
    """Train a member without and with context, and write both; with ``begin``, a folder, tune what lies there."""
    folders = [work / member, work / (member + CONTEXT_SUFFIX)]
    for folder in (*folders, out):
        folder.mkdir(parents=True, exist_ok=True)
    begun = None if begin is None else begin / f"{member}.safetensors"
    model = train_epoch_model(member, sources, folders[0], out / "attnsleep.safetensors", begun)
    trained = train_context(model, sources, folders[1], None if begin is None else QUICK)
    card = ModelCard(
        name=MEMBERS[member].title,
        rate_hz=SHAPE.rate_hz,
        epoch_samples=SHAPE.n_samples,
        normalisation=Normalisation.ROBUST_NIGHT,
        trained_on=_trained_on(sources),
        member=member,
        band_hz=JOINING.band_hz,
        temperature=trained.epoch_temperature,
        night_statistics=NIGHT_STATISTICS,
        trained_on_recordings=trained_on_recordings(sources, context=False),
        held_out_recordings=held_out_recordings(sources.folder),
    )
    save_weights(out / f"{member}.safetensors", model.state_dict(), card)
    named = trained_on_recordings(sources, context=True)
    card = replace(
        card, trained_on_recordings=named, epoch_temperature=trained.epoch_temperature, limits=trained.limits
    )
    save_member(out / f"{member}{CONTEXT_SUFFIX}.safetensors", model, trained.state, card, trained.temperature)


def main() -> None:
    """Train the named members one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("work", type=Path, help="folder for the state of the trainings: one that is broken goes on")
    parser.add_argument("--members", nargs="+", choices=list(MEMBERS), default=list(MEMBERS))
    parser.add_argument("--without-ucddb", action="store_true", help="leave every night of UCDDB out")
    parser.add_argument("--leave-out", nargs="+", default=(), metavar="NIGHT", help="nights of UCDDB to leave out")
    parser.add_argument(
        "--tune-from", type=Path, help="begin with the members in this folder, trained without UCDDB, and tune them"
    )
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sources = load_sources(
        arguments.data, with_ucddb=not arguments.without_ucddb, leave_out=frozenset(arguments.leave_out)
    )
    for member in arguments.members:
        ship(member, sources, arguments.out, arguments.work, arguments.tune_from)


if __name__ == "__main__":
    sys.exit(main())
