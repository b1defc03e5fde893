"""Train the weights that come with SleepViewer, from the folder of real recordings to ``resources/models``.

    python tools/train_shipped_models.py DATA_FOLDER OUT_FOLDER WORK_FOLDER [--members attnsleep …]

Each member's epoch model is trained on whole epochs joined from the real 5-s segments of Sleep-EDF-20, and on the real
wake and N3 epochs of nights of the St. Vincent's database; its context model on the same in the real order of stages.
Subjects that are held out choose the pass and the temperature. The night that figures are quoted for (ucddb018) is no
part of it: ``tools/measure_shipped_models.py`` writes its figures into the cards afterwards.
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
from scipy.signal import resample_poly
from torch import Tensor, nn
from torch.nn import functional

from sleepviewer.analysis.calibration import expected_calibration_error, fit_temperature
from sleepviewer.analysis.provenance import SLEEP_EDF
from sleepviewer.files import sha256_of
from sleepviewer.models.adaptation import blend_statistics
from sleepviewer.models.card import ModelCard, NamedRecordings
from sleepviewer.models.checkpoints import load_weights, save_weights
from sleepviewer.models.context import ContextModel
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import CONTEXT_SUFFIX, MEMBERS, build_epoch_model
from sleepviewer.models.filtering import band_pass
from sleepviewer.models.normalisation import Epochs, Normalisation, normalise
from sleepviewer.models.shape import InputShape
from sleepviewer.stages import N_STAGES, Stage, StageArray
from sleepviewer.training.augmentation import Augmentation
from sleepviewer.training.context_fold import save_member, summaries_of, window_batches, window_loss
from sleepviewer.training.data import LabelledNight, load_training_set
from sleepviewer.training.fold import NightLogits, figures, initialise, predict
from sleepviewer.training.loop import Batches, Pick, Schedule, Scores, fit
from sleepviewer.training.pseudo_epochs import Joining, SegmentedNight, draw_rows, join_epochs, prepare_night

JOINING: Final = Joining()
SHAPE: Final = InputShape.whole_epoch(100)
VALIDATION_SUBJECTS: Final = ("03", "08", "12", "17")
VALIDATION_UCDDB: Final = ("ucddb005", "ucddb009", "ucddb012")

NIGHT_STATISTICS: Final = 0.5
"""Chosen by the held-out subjects among 0, 0.5, 0.7 and 1."""

STAGE_SHARE: Final = np.array([0.22, 0.14, 0.28, 0.17, 0.19])
_INPUTS_A_PASS: Final = 12_000
_UCDDB_A_PASS: Final = 2_000
_UCDDB_GAIN: Final = 0.2
"""Spread of the logarithm of a gain: these nights are scaled by their wake and N3 alone, others by all epochs."""
_BATCH: Final = 128
_PASSES: Final = {"attnsleep": 7, "attnsleep-conformer": 4, "attnsleep-msmp": 6}
"""The others begin with the parts that they share with AttnSleep, already trained."""
_CONTEXT_VIEWS: Final = 3
_CONTEXT_PASSES: Final = 25


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Everything there is to train on and to choose by, read from ``folder``."""

    folder: Path
    train: list[SegmentedNight]
    validation: list[SegmentedNight]
    ucddb_train: list[LabelledNight]
    ucddb_validation: list[LabelledNight]
    hypnograms: list[StageArray]


def load_sources(folder: Path) -> Sources:
    """Read the recordings, and the hypnograms of the 153 nights of Sleep-EDF-78 but for the held-out subjects'."""
    nights = load_training_set(folder / "sleep_edf" / "sleep_edf_20_first5s.npz").nights
    prepared = [prepare_night(night, JOINING) for night in nights]
    held = [night.night.subject in VALIDATION_SUBJECTS for night in prepared]
    ucddb = [_read_ucddb(path) for path in sorted((folder / "ucddb").glob("*_wake_n3.npz"))]
    return Sources(
        folder=folder,
        train=[night for night, out in zip(prepared, held, strict=True) if not out],
        validation=[night for night, out in zip(prepared, held, strict=True) if out],
        ucddb_train=[night for night in ucddb if night.subject not in VALIDATION_UCDDB],
        ucddb_validation=[night for night in ucddb if night.subject in VALIDATION_UCDDB],
        hypnograms=_read_hypnograms(folder / "sleep_edf" / "sleep_edf_78_bandpower.npz"),
    )


def _read_ucddb(path: Path) -> LabelledNight:
    """Read the wake and N3 epochs of a night, at 100 Hz, filtered and scaled by their own spread."""
    with np.load(path, allow_pickle=False) as npz:
        raw = npz["x"].astype(np.float32) * npz["scale"]
        epoch, stages = npz["epoch"], npz["stages"]
    at_rate = resample_poly(raw, 25, 32, axis=1, padtype="line").astype(np.float32)
    x = normalise(band_pass(at_rate, SHAPE.rate_hz, JOINING.band_hz), Normalisation.ROBUST_NIGHT)
    name = path.name.removesuffix("_wake_n3.npz")
    return LabelledNight(name, name, x, stages[epoch].astype(np.int8), epoch)


def _read_hypnograms(path: Path) -> list[StageArray]:
    with np.load(path, allow_pickle=False) as npz:
        y, key, subject = npz["y"], 10 * npz["subject"].astype(int) + npz["night"], npz["subject"]
    held = {int(name) for name in VALIDATION_SUBJECTS}
    nights = [y[key == k] for k in np.unique(key[~np.isin(subject, list(held))])]
    return [night[night >= 0].astype(np.int8) for night in nights]


# -- the epoch model


def pass_batches(sources: Sources, augmentation: Augmentation) -> Batches:
    """Return a source of batches that joins and changes other epochs in every pass."""

    def batches(number: int) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng((7, number))
        x, y = _joined_inputs(sources.train, rng)
        x_ucddb, y_ucddb = _ucddb_inputs(sources.ucddb_train, rng)
        x, y = np.concatenate((x, x_ucddb)), np.concatenate((y, y_ucddb))
        order = rng.permutation(len(x))
        for first in range(0, len(order) - _BATCH + 1, _BATCH):
            rows = order[first : first + _BATCH]
            changed = augmentation.apply(x[rows], SHAPE.rate_hz, rng)
            yield torch.from_numpy(changed).unsqueeze(1), torch.from_numpy(y[rows])

    return batches


def _joined_inputs(nights: list[SegmentedNight], rng: np.random.Generator) -> tuple[Epochs, NDArray[np.int64]]:
    x, y = [], []
    for i, rows in draw_rows(nights, _INPUTS_A_PASS, STAGE_SHARE, rng):
        x.append(join_epochs(nights[i], rows, JOINING, rng))
        y.append(nights[i].night.y[rows].astype(np.int64))
    return np.concatenate(x), np.concatenate(y)


def _ucddb_inputs(nights: list[LabelledNight], rng: np.random.Generator) -> tuple[Epochs, NDArray[np.int64]]:
    """Draw as many epochs of wake as of N3, from all nights alike."""
    x, y = [], []
    each = _UCDDB_A_PASS // (2 * len(nights))
    for night in nights:
        for stage in (Stage.W, Stage.N3):
            rows = np.flatnonzero(night.y == stage)
            if len(rows):
                drawn = rng.choice(rows, each)
                x.append(night.x[drawn] * np.exp(rng.normal(0, _UCDDB_GAIN, (each, 1))).astype(np.float32))
                y.append(np.full(each, stage, dtype=np.int64))
    return np.concatenate(x), np.concatenate(y)


def train_epoch_model(member: str, sources: Sources, folder: Path, first: Path) -> EpochModel:
    """Train a member's epoch model, or go on; return the pass that the held-out subjects choose.

    ``first`` are AttnSleep's trained weights, with which the other members' equal parts begin.
    """
    torch.manual_seed(0)
    model = build_epoch_model(member, SHAPE)
    initialise(model)
    passes = _PASSES[member]
    if member != "attnsleep":
        own = model.state_dict()
        trained = load_weights(first).state
        model.load_state_dict(own | {k: v for k, v in trained.items() if k in own and own[k].shape == v.shape})
    joined = validation_nights(sources)

    def evaluate(network: nn.Module) -> Scores:
        edf = figures(predict(network, [_every(night, 4) for night in joined], "cpu"))
        recall = wake_n3_recall(predict(network, sources.ucddb_validation, "cpu"))
        choice = {"score": (edf["kappa"] or 0.0) + (recall["W"] + recall["N3"]) / 2}
        scores = {"validation": edf, "ucddb": recall, "choice": choice}
        print(member, json.dumps(scores), flush=True)
        return scores

    progress = fit(
        model,
        pass_batches(sources, Augmentation()),
        functional.cross_entropy,
        evaluate,
        {"choice": Pick("choice", "score")},
        Schedule(
            passes=passes,
            learning_rate=1e-3,
            late_learning_rate=2e-4,
            drop_after=passes * 6 // 10,
            weight_decay=1e-3,
            weight_average=0.99,
        ),
        folder=folder,
        seed=1,
    )
    model.load_state_dict(progress.weights["choice"])
    return model.eval()


def validation_nights(sources: Sources) -> list[LabelledNight]:
    """Return the held-out nights of Sleep-EDF as whole epochs in their real order, the same every time."""
    rng = np.random.default_rng(99)
    return [_in_order(night, rng) for night in sources.validation]


def _in_order(source: SegmentedNight, rng: np.random.Generator) -> LabelledNight:
    night = source.night
    x = join_epochs(source, np.arange(len(night.y)), JOINING, rng)
    return LabelledNight(night.name, night.subject, x, night.y, night.epoch_index)


def _every(night: LabelledNight, step: int) -> LabelledNight:
    return LabelledNight(night.name, night.subject, night.x[::step], night.y[::step], night.epoch_index[::step])


def wake_n3_recall(nights: Sequence[NightLogits]) -> dict[str, float]:
    """Return the share of real wake and N3 epochs that get their stage among all five."""
    truth = np.concatenate([night.night.y for night in nights])
    found = np.concatenate([night.logits.argmax(axis=1) for night in nights])
    return {stage.label: float((found[truth == stage] == stage).mean()) for stage in (Stage.W, Stage.N3)}


# -- the context


def train_context(member: str, model: EpochModel, sources: Sources, folder: Path) -> tuple[dict[str, Tensor], float]:
    """Train the context of an epoch model; return its weights and its temperature.

    It reads the training nights in their real order, in several views that augmentation makes of each, and as many
    nights again that follow the hypnogram of one of the 153 nights with the features of a training subject.
    """
    held = [(night, summaries_of(model, night.x)) for night in validation_nights(sources)]
    torch.manual_seed(0)
    context = ContextModel()

    views: list[tuple[Tensor, Tensor]] = []

    def batches(number: int) -> Iterator[tuple[Tensor, Tensor]]:
        if not views:  # not where the training is done already
            views.extend(_views(model, sources, np.random.default_rng(5)))
        stitch_rng = np.random.default_rng((11, number))
        stitched = [_stitched(stages, views, stitch_rng) for stages in sources.hypnograms]
        return iter(window_batches(views + stitched, 100)(number))

    def logits_of(network: nn.Module) -> list[NightLogits]:
        assert isinstance(network, ContextModel)
        return [NightLogits(night, network.night(summaries).numpy()) for night, summaries in held]

    def evaluate(network: nn.Module) -> Scores:
        return {"validation": figures(logits_of(network))}

    progress = fit(
        context,
        batches,
        window_loss,
        evaluate,
        {"choice": Pick("validation", "kappa")},
        Schedule(
            passes=_CONTEXT_PASSES,
            learning_rate=2e-3,
            late_learning_rate=3e-4,
            drop_after=_CONTEXT_PASSES * 2 // 3,
            weight_decay=1e-4,
            weight_average=0.98,
        ),
        folder=folder,
        seed=2,
    )
    context.load_state_dict(progress.weights["choice"])
    return progress.weights["choice"], _temperature(member + CONTEXT_SUFFIX, model, context.eval(), sources)


def _views(model: EpochModel, sources: Sources, rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    """Return summaries and labels of every training night in its real order, several times, each changed otherwise."""
    augmentation = Augmentation()
    views = []
    for _ in range(_CONTEXT_VIEWS):
        for source in sources.train:
            night = _in_order(source, rng)
            changed = np.concatenate(
                [augmentation.apply(night.x[i : i + 256], SHAPE.rate_hz, rng) for i in range(0, len(night.x), 256)]
            )
            views.append((summaries_of(model, changed), torch.from_numpy(night.y.astype(np.int64))))
    return views


def _stitched(
    stages: StageArray, views: list[tuple[Tensor, Tensor]], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return a night that follows a hypnogram with one view's features, drawn stage by stage, in runs where it can."""
    summaries, labels = views[int(rng.integers(len(views)))]
    rows = np.empty(len(stages), dtype=np.int64)
    places = [np.flatnonzero(labels.numpy() == stage) for stage in range(N_STAGES)]
    previous = -2
    for i, stage in enumerate(stages):
        own = places[stage]
        if not len(own):  # the view's night has no such epoch: the hypnogram's epoch is not told
            rows[i] = previous = -1
            continue
        following = previous + 1
        if previous >= 0 and following < len(labels) and labels[following] == stage and rng.random() < 0.9:
            rows[i] = following
        else:
            rows[i] = rng.choice(own)
        previous = int(rows[i])
    told = rows >= 0
    return summaries[rows[told]], torch.from_numpy(stages[told].astype(np.int64))


def _temperature(name: str, model: EpochModel, context: ContextModel | None, sources: Sources) -> float:
    """Return what the logits of the held-out nights are divided by, each with its own statistics as in scoring."""
    nights = []
    for night in validation_nights(sources):
        summaries = summaries_of(blend_statistics(model, night.x, NIGHT_STATISTICS), night.x)
        found = summaries[:, -N_STAGES:] if context is None else context.night(summaries)
        nights.append(NightLogits(night, found.numpy()))
    logits = np.concatenate([night.logits for night in nights])
    truth = np.concatenate([night.night.y for night in nights])
    temperature = float(fit_temperature(logits, truth))
    proba = torch.from_numpy(logits / temperature).softmax(dim=1).numpy()
    print(
        name, "temperature", temperature, "ECE", expected_calibration_error(proba, truth), figures(nights), flush=True
    )
    return temperature


# -- all of it

_TRAINED_ON: Final = (
    "16 of the 20 subjects of Sleep-EDF-20 (Fpz-Cz; 30-s epochs joined from the real first 5 s of six epochs of one "
    "stage), wake and N3 epochs of 9 nights of the St. Vincent's University Hospital sleep apnea database (C3-A2 or "
    "C4-A1); 4 subjects and 3 nights of these chose the pass"
)


def trained_on_recordings(folder: Path, *, context: bool) -> tuple[NamedRecordings, ...]:
    """Return what a member's labels came from as its card names it; ``context`` for a member with one.

    SHA-256 are of the files in the folder that hold the recordings' epochs.
    """
    segments = folder / "sleep_edf" / "sleep_edf_20_first5s.npz"
    others = sorted({night.subject for night in load_training_set(segments).nights} - set(VALIDATION_SUBJECTS))
    ucddb = {path.name.removesuffix("_wake_n3.npz"): path for path in sorted((folder / "ucddb").glob("*_wake_n3.npz"))}
    named = []
    for use, subjects, nights in (
        ("training", tuple(others), tuple(night for night in ucddb if night not in VALIDATION_UCDDB)),
        ("choice of the pass", VALIDATION_SUBJECTS, VALIDATION_UCDDB),
    ):
        named.append(NamedRecordings(SLEEP_EDF, use, subjects=subjects))
        hashes = tuple(sha256_of(ucddb[night]) for night in nights)
        named.append(NamedRecordings("ucddb", use, nights=nights, sha256=hashes))
    if context:
        with np.load(folder / "sleep_edf" / "sleep_edf_78_bandpower.npz", allow_pickle=False) as npz:
            rest = {f"{subject:02d}" for subject in np.unique(npz["subject"])} - {*others, *VALIDATION_SUBJECTS}
        named.append(
            NamedRecordings(SLEEP_EDF, "training, the order of its stages alone", subjects=tuple(sorted(rest)))
        )
    return tuple(named)


def held_out_recordings(folder: Path) -> tuple[NamedRecordings, ...]:
    """Return the night that figures are quoted for as a card names it."""
    night = folder / "ucddb" / "ucddb018.edf"
    return (NamedRecordings("ucddb", "figures", nights=(night.stem,), sha256=(sha256_of(night),)),)


def ship(member: str, sources: Sources, out: Path, work: Path) -> None:
    """Train a member without and with context, and write both."""
    folders = [work / member, work / (member + CONTEXT_SUFFIX)]
    for folder in (*folders, out):
        folder.mkdir(parents=True, exist_ok=True)
    model = train_epoch_model(member, sources, folders[0], out / "attnsleep.safetensors")
    temperature = _temperature(member, model, None, sources)
    card = ModelCard(
        name=MEMBERS[member].title,
        rate_hz=SHAPE.rate_hz,
        epoch_samples=SHAPE.n_samples,
        normalisation=Normalisation.ROBUST_NIGHT,
        trained_on=_TRAINED_ON,
        member=member,
        band_hz=JOINING.band_hz,
        temperature=temperature,
        night_statistics=NIGHT_STATISTICS,
        trained_on_recordings=trained_on_recordings(sources.folder, context=False),
        held_out_recordings=held_out_recordings(sources.folder),
    )
    save_weights(out / f"{member}.safetensors", model.state_dict(), card)
    context, temperature = train_context(member, model, sources, folders[1])
    card = replace(card, trained_on_recordings=trained_on_recordings(sources.folder, context=True))
    save_member(out / f"{member}{CONTEXT_SUFFIX}.safetensors", model, context, card, temperature)


def main() -> None:
    """Train the named members one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("work", type=Path, help="folder for the state of the trainings: one that is broken goes on")
    parser.add_argument("--members", nargs="+", choices=list(MEMBERS), default=list(MEMBERS))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sources = load_sources(arguments.data)
    for member in arguments.members:
        ship(member, sources, arguments.out, arguments.work)


if __name__ == "__main__":
    sys.exit(main())
