"""Train one fold, and write down what the test subjects got from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sleepviewer.analysis.agreement import agreement_of
from sleepviewer.analysis.calibration import fit_temperature
from sleepviewer.errors import OutputError, TrainingError
from sleepviewer.files import atomic_writer
from sleepviewer.models.card import ModelCard
from sleepviewer.models.checkpoints import save_weights
from sleepviewer.models.family import MemberName, build_epoch_model
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.models.shape import InputShape
from sleepviewer.stages import N_STAGES
from sleepviewer.training.config import TrainingConfig
from sleepviewer.training.data import LabelledNight, TrainingSet, named_recordings, stage_counts
from sleepviewer.training.folds import Fold
from sleepviewer.training.loop import STATE_FILE, Batches, Pick, Schedule, Scores, fit
from sleepviewer.training.loss import class_weights

RESULT_FILE: Final = "result.json"
WEIGHTS_FILE: Final = "weights.safetensors"
PREDICTIONS: Final = "predictions"
PROTOCOLS: Final = {"honest": Pick("validation", "kappa"), "published": Pick("test", "accuracy")}
"""How each protocol picks its pass."""

ON_VALIDATION: Final = "validation"
"""Folder of the predictions of a training that tests nobody: the honest pick's, of the validation nights."""

_EVALUATION_BATCH: Final = 512
_GPU_SHARE: Final = 0.5
"""The data stay on the GPU where they take less than this share of its free memory."""


@dataclass(frozen=True, slots=True, eq=False)
class NightLogits:
    """What a model said of one night: ``logits`` ``float32 [n, 5]``."""

    night: LabelledNight
    logits: NDArray[np.float32]


def train_fold(data: TrainingSet, fold: Fold, config: TrainingConfig, folder: Path) -> dict[str, Any]:
    """Train the epoch model of one fold and write its result; return what ``result.json`` holds.

    A fold that is done is not done again; one that was broken goes on. Both protocols come from the one training:
    ``honest`` keeps the pass with the best κ on the validation subjects, ``published`` the one with the best accuracy
    on the test subjects; a fold that tests nobody has the former alone. Raises TrainingError, OutputError.
    """
    done = read_result(folder)
    if done is not None:
        return done
    make_folder(folder)
    torch.set_num_threads(config.threads)
    device = choose_device(config.device)
    check_length(config.model, data.shape)
    weights = weights_of_stages(data, fold, config)
    torch.manual_seed(config.seed)
    model = build_epoch_model(config.model, data.shape)
    initialise(model)
    model.to(device)
    train, held_out = data.of(fold.train), held_out_nights(data, fold)
    loss_weights = torch.tensor(weights["class_weights"], dtype=torch.float32, device=device)

    def evaluate(network: nn.Module) -> Scores:
        return {part: figures(predict(network, nights, device)) for part, nights in held_out.items()}

    progress = fit(
        model,
        epoch_batches(train, config.batch_size, device),
        lambda logits, labels: functional.cross_entropy(logits.float(), labels, weight=loss_weights),
        evaluate,
        protocols_of(fold),
        schedule_of(config),
        folder=folder,
        seed=config.seed * 1009 + fold.index,
        bf16=device.startswith("cuda"),
    )

    def logits_of(pick: str, nights: Sequence[LabelledNight]) -> list[NightLogits]:
        model.load_state_dict(progress.weights[pick])
        return predict(model.eval(), nights, device)

    result = finish_fold(folder, fold, progress.rows, progress.picked, logits_of, held_out, weights)
    card = ModelCard(
        name=name_of(MemberName.parse(config.model).base, fold),
        rate_hz=data.shape.rate_hz,
        epoch_samples=data.shape.n_samples,
        normalisation=Normalisation(config.normalisation),
        trained_on=f"{data.name}, subjects {', '.join(fold.train)}",
        trained_on_recordings=named_recordings(data, {"training": fold.train, "choice of the pass": fold.validation}),
        held_out_recordings=named_recordings(data, {"test": fold.test}),
        member=MemberName.parse(config.model).base,
        temperature=result["temperature"],
    )
    save_weights(folder / WEIGHTS_FILE, progress.weights["honest"], card)
    write_result(folder, result)
    (folder / STATE_FILE).unlink(missing_ok=True)
    return result


def finish_fold(
    folder: Path,
    fold: Fold,
    rows: Sequence[dict[str, Any]],
    picked: dict[str, int],
    logits_of: Callable[[str, Sequence[LabelledNight]], list[NightLogits]],
    held_out: Mapping[str, Sequence[LabelledNight]],
    weights: dict[str, Any],
) -> dict[str, Any]:
    """Write each protocol's predictions of the test nights, or else of the validation nights; return the result."""
    held = logits_of("honest", held_out["validation"])
    temperature = fit_temperature(
        np.concatenate([night.logits for night in held]), np.concatenate([night.night.y for night in held])
    )
    if fold.test:
        predicted = {protocol: logits_of(protocol, held_out["test"]) for protocol in PROTOCOLS}
    else:
        predicted = {ON_VALIDATION: held}
    for name, nights in predicted.items():
        for night in nights:
            write_predictions(folder / PREDICTIONS / name, night)
    return {
        "fold": fold.index,
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "passes": len(rows),
        "temperature": float(temperature),
        **{protocol: {"pass": picked[protocol]} for protocol in protocols_of(fold)},
        **weights,
    }


def name_of(member: str, fold: Fold) -> str:
    """Return what a fold's model is called on its card."""
    return f"{member}, fold {fold.index}" if fold.test else member


def protocols_of(fold: Fold) -> dict[str, Pick]:
    """Return how a fold's passes are picked: without anybody to test, by the validation subjects alone."""
    return PROTOCOLS if fold.test else {"honest": PROTOCOLS["honest"]}


def held_out_nights(data: TrainingSet, fold: Fold) -> dict[str, tuple[LabelledNight, ...]]:
    """Return the nights that every pass is looked at with: ``validation``, and ``test`` where there are any."""
    return {"validation": data.of(fold.validation)} | ({"test": data.of(fold.test)} if fold.test else {})


def make_folder(folder: Path) -> None:
    """Make a folder where it is not there, and take out of it what a process left that was killed while it wrote.

    Raises OutputError where it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in folder.rglob(".*.part"):
            part.unlink()
    except OSError as error:
        raise OutputError(f"The folder {folder} can't be made: {error.strerror or error}.") from error


@torch.no_grad()
def check_length(name: str, shape: InputShape) -> None:
    """Raise TrainingError where epochs are too short for a member."""
    try:
        build_epoch_model(name, shape).eval()(torch.zeros(1, 1, shape.n_samples))
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError) as error:
        raise TrainingError(
            f"“{name}” can't be built for {shape.n_samples} samples at {shape.rate_hz} Hz: such epochs are too short."
        ) from error


def weights_of_stages(data: TrainingSet, fold: Fold, config: TrainingConfig) -> dict[str, list[float]]:
    """Return the stages' weights in the loss, and what the published protocol's count of all subjects would give."""
    counted = {"class_weights": data.of(fold.train)} | ({"class_weights_published": data.nights} if fold.test else {})
    if not config.class_weights:
        return {name: [1.0] * N_STAGES for name in counted}
    return {name: class_weights(stage_counts(nights)).tolist() for name, nights in counted.items()}


def schedule_of(config: TrainingConfig) -> Schedule:
    """Return the epoch model's schedule."""
    return Schedule(
        passes=config.passes,
        learning_rate=config.learning_rate,
        late_learning_rate=config.late_learning_rate,
        drop_after=config.drop_after,
        weight_decay=config.weight_decay,
        weight_average=config.weight_average,
        patience=config.patience,
    )


def choose_device(wanted: str) -> str:
    """Return torch's name of the device: the wanted one, or for ``auto`` a GPU where there is one.

    Raises TrainingError where there is no such device.
    """
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        raise TrainingError(f"There is no device “{wanted}” here; take “cpu”, or “auto” for what there is.") from error
    return wanted


def initialise(model: nn.Module) -> None:
    """Draw the weights as published: convolutions N(0, .02), batch norms N(1, .02) with offset 0.

    Convolutions whose weights are normalised keep torch's own start: nothing after them would bring the signal up.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv1d) and not hasattr(module, "parametrizations"):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


def epoch_batches(nights: Sequence[LabelledNight], batch_size: int, device: str) -> Batches:
    """Return a source of shuffled batches ``[b, 1, samples]`` of all epochs; the last, smaller batch is left out.

    The data are brought to the GPU once where they fit.
    """
    x = torch.from_numpy(np.concatenate([night.x for night in nights])).unsqueeze(1)
    y = torch.from_numpy(np.concatenate([night.y for night in nights]).astype(np.int64))
    size = min(batch_size, len(x))
    if device.startswith("cuda") and x.numel() * x.element_size() < _GPU_SHARE * torch.cuda.mem_get_info()[0]:
        x, y = x.to(device), y.to(device)

    def batches(_number: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(x)).to(x.device)
        for first in range(0, len(order) - size + 1, size):
            rows = order[first : first + size]
            yield x[rows].to(device), y[rows].to(device)

    return batches


@torch.no_grad()
def predict(model: nn.Module, nights: Sequence[LabelledNight], device: str) -> list[NightLogits]:
    """Return the logits of every night, by a model in eval mode."""
    out = []
    for night in nights:
        parts = [
            model(torch.from_numpy(part).unsqueeze(1).to(device)).float().cpu().numpy()
            for part in (night.x[i : i + _EVALUATION_BATCH] for i in range(0, len(night.x), _EVALUATION_BATCH))
        ]
        out.append(NightLogits(night, np.concatenate(parts)))
    return out


def figures(nights: Sequence[NightLogits]) -> dict[str, float | None]:
    """Return accuracy, macro-F1 and κ over all epochs of some nights; None where undefined."""
    confusion = np.zeros((N_STAGES, N_STAGES), dtype=np.int64)
    for night in nights:
        np.add.at(confusion, (night.night.y.astype(int), night.logits.argmax(axis=1)), 1)
    values = agreement_of(confusion).as_dict()
    return {name: values[name] for name in ("accuracy", "macro_f1", "kappa")}


def write_predictions(folder: Path, night: NightLogits) -> None:
    """Write one night's logits and truth as npz, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_writer(folder / f"{night.night.name}.npz") as file:
        np.savez_compressed(
            file,
            logits=night.logits,
            y_true=night.night.y,
            epoch_index=night.night.epoch_index,
            subject=np.str_(night.night.subject),
        )


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return the result of a fold that is done, else None."""
    path = folder / RESULT_FILE
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} can't be read ({error}); remove it to have the fold done again.") from error
    return result


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write a fold's result, which marks it as done."""
    with atomic_writer(folder / RESULT_FILE) as file:
        file.write((json.dumps(result, indent=1) + "\n").encode())
