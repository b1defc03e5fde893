"""The folder that a cross-validation leaves, read back: what was run, what each fold did, and every prediction.

Nothing in it is taken on trust: a subject that is tested twice, or tested and trained on, a night that is missing, and
logits that are no numbers are refused with a sentence.
"""

from __future__ import annotations

import json
import math
import tomllib
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import RunError
from sleepviewer.stages import EPOCH_S, N_STAGES, SCORED_STAGES, StageArray


class Protocol(StrEnum):
    """Which pass of a fold is kept: by κ on validation subjects, or by accuracy on the test fold as published."""

    HONEST = "honest"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Score:
    """Accuracy, macro-F1 and κ of one pass on one set of subjects; NaN where not defined."""

    accuracy: float
    macro_f1: float
    kappa: float


@dataclass(frozen=True, slots=True)
class PassRecord:
    """One pass over the training data: its number (from 1), mean loss, seconds, and how well the model then did."""

    number: int
    loss: float
    seconds: float
    validation: Score
    test: Score


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What one finished fold came to.

    ``picked`` is the pass that each protocol keeps; ``temperature`` was fitted on the fold's validation subjects;
    ``class_weights`` were used, ``class_weights_published`` is what counting the test fold's labels as well gives.
    """

    fold: int
    seconds: float
    passes: int
    temperature: float
    picked: Mapping[Protocol, int]
    class_weights: tuple[float, ...]
    class_weights_published: tuple[float, ...]
    curve: tuple[PassRecord, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Which subjects a fold tests, validates and trains on."""

    number: int
    test: tuple[str, ...]
    validation: tuple[str, ...]
    train: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunData:
    """The data set of a run: its name, its epochs in all and by stage, the folds, and the subject of every night.

    ``epoch_s`` is how many seconds of signal the model sees of an epoch, 30 where the run does not say.
    """

    name: str
    n_epochs: int
    stages: Mapping[str, int]
    folds: tuple[Fold, ...]
    nights: Mapping[str, str]
    epoch_s: float = EPOCH_S


@dataclass(frozen=True, slots=True)
class Run:
    """A cross-validation: ``results`` of its finished folds, ``unfinished`` the numbers of the others."""

    folder: Path
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    data: RunData
    results: tuple[FoldResult, ...]
    unfinished: tuple[int, ...]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def model(self) -> str:
        """The name of the family's member that was trained."""
        return str(self.config["model"])


@dataclass(frozen=True, slots=True, eq=False)
class NightPrediction:
    """A night as the model of the fold that tests it sees it.

    ``logits`` float32 ``[n, 5]``, uncalibrated; ``truth`` int8 ``[n]``; ``epochs`` int32 ``[n]``, the epochs' places in
    the recording.
    """

    night: str
    subject: str
    fold: int
    logits: NDArray[np.float32]
    truth: StageArray
    epochs: NDArray[np.int32]

    @property
    def predicted(self) -> StageArray:
        """The likeliest stages, ``int8 [n]``."""
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int8)


def read_run(folder: Path, *, allow_unfinished: bool = False) -> Run:
    """Read a run's folder, but not its predictions.

    Raises RunError where the folder is no run's, a file in it is damaged, a subject is tested twice or also trained on,
    no fold is finished, or (unless ``allow_unfinished``) any is not.
    """
    for name in ("config.toml", "data.json", "environment.json"):
        if not (folder / name).is_file():
            raise RunError(f"{folder} is not the folder of a cross-validation: it has no {name}.")
    with _read(folder / "config.toml") as text:
        config = tomllib.loads(text)
        if not isinstance(config["model"], str):
            raise TypeError("“model” is no text")
    environment = _read_json(folder / "environment.json")
    data = _read_data(folder / "data.json")
    finished = [fold.number for fold in data.folds if (_fold_folder(folder, fold.number) / "result.json").is_file()]
    unfinished = tuple(fold.number for fold in data.folds if fold.number not in finished)
    if not finished:
        raise RunError(f"No fold of {folder} is finished yet; run the cross-validation again, it goes on where it was.")
    if unfinished and not allow_unfinished:
        raise RunError(
            f"{folder} is not finished: {_numbers(unfinished)} of {len(data.folds)} not done. Let it finish, or ask for"
            " a report on what there is (--allow-unfinished)."
        )
    results = tuple(_read_fold(_fold_folder(folder, number), number) for number in finished)
    return Run(folder, config, environment, data, results, unfinished)


def load_predictions(run: Run, protocol: Protocol) -> tuple[NightPrediction, ...]:
    """Return every night of the finished folds, in order of their names.

    Raises RunError where a night is missing, belongs to another fold, or is damaged.
    """
    folds = {fold.number: fold for fold in run.data.folds}
    nights: list[NightPrediction] = []
    for result in run.results:
        tested = set(folds[result.fold].test)
        wanted = {night for night, subject in run.data.nights.items() if subject in tested}
        folder = _fold_folder(run.folder, result.fold) / "predictions" / protocol
        there = {path.stem for path in folder.glob("*.npz")}
        if wanted - there:
            raise RunError(
                f"{folder} lacks the predictions of {', '.join(sorted(wanted - there))}; run the fold again."
            )
        if there - wanted:
            raise RunError(
                f"{folder} holds {', '.join(sorted(there - wanted))}, which fold {result.fold} does not test; don't mix"
                " runs in one folder."
            )
        nights += [
            _read_night(folder / f"{night}.npz", run.data.nights[night], result.fold) for night in sorted(wanted)
        ]
    return tuple(sorted(nights, key=lambda night: night.night))


def _read_data(path: Path) -> RunData:
    with _read(path) as text:
        values = json.loads(text)
        folds = tuple(
            Fold(int(fold["fold"]), *(tuple(map(str, fold[part])) for part in ("test", "validation", "train")))
            for fold in values["folds"]
        )
        data = RunData(
            name=str(values["name"]),
            n_epochs=int(values["n_epochs"]),
            stages={stage.label: int(values["stages"][stage.label]) for stage in SCORED_STAGES},
            folds=folds,
            nights={str(night): str(subject) for night, subject in values["nights"].items()},
            epoch_s=float(values.get("epoch_s", EPOCH_S)),
        )
    tested: dict[str, int] = {}
    for fold in data.folds:
        leaked = sorted(set(fold.test) & {*fold.validation, *fold.train})
        if leaked:
            raise RunError(f"{path}: fold {fold.number} tests subjects that it also learns from: {', '.join(leaked)}.")
        for subject in fold.test:
            if subject in tested:
                raise RunError(f"{path}: subject {subject} is tested in fold {tested[subject]} and in {fold.number}.")
            tested[subject] = fold.number
    return data


def _read_fold(folder: Path, number: int) -> FoldResult:
    values = _read_json(folder / "result.json")
    with _read(folder / "metrics.jsonl") as text:
        curve = tuple(_pass_record(json.loads(line)) for line in text.splitlines() if line.strip())
    with _damage(folder / "result.json"):
        if int(values["fold"]) != number:
            raise RunError(f"{folder / 'result.json'} is of fold {values['fold']}; don't mix folds.")
        temperature = float(values["temperature"])
        if not (math.isfinite(temperature) and temperature > 0):
            raise ValueError(f"a temperature of {temperature}")
        return FoldResult(
            fold=number,
            seconds=float(values["seconds"]),
            passes=int(values["passes"]),
            temperature=temperature,
            picked={protocol: int(values[protocol]["pass"]) for protocol in Protocol},
            class_weights=_weights(values["class_weights"]),
            class_weights_published=_weights(values["class_weights_published"]),
            curve=curve,
        )


def _pass_record(values: Mapping[str, Any]) -> PassRecord:
    return PassRecord(
        number=int(values["pass"]),
        loss=_or_nan(values["loss"]),
        seconds=float(values["seconds"]),
        validation=_score(values["validation"]),
        test=_score(values["test"]),
    )


def _score(values: Mapping[str, Any]) -> Score:
    return Score(*(_or_nan(values[name]) for name in ("accuracy", "macro_f1", "kappa")))


def _or_nan(value: Any) -> float:
    return math.nan if value is None else float(value)


def _weights(values: Sequence[Any]) -> tuple[float, ...]:
    if len(values) != N_STAGES:
        raise ValueError(f"{len(values)} class weights")
    return tuple(map(float, values))


def _read_night(path: Path, subject: str, fold: int) -> NightPrediction:
    with _damage(path), path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        logits, truth, epochs = (arrays[name] for name in ("logits", "y_true", "epoch_index"))
        written = str(arrays["subject"])
    n = len(truth) if truth.ndim == 1 else -1
    if logits.shape != (n, N_STAGES) or epochs.shape != (n,) or not n:
        raise RunError(f"{path} is damaged: its arrays do not fit each other; run the fold again.")
    if not np.isfinite(logits).all():
        raise RunError(f"{path} holds logits that are no numbers: the training of fold {fold} diverged.")
    if not np.isin(truth, SCORED_STAGES).all() or len(np.unique(epochs)) != n:
        raise RunError(f"{path} is damaged: it has labels that are no stages, or one epoch twice; run the fold again.")
    if written != subject:
        raise RunError(f"{path} is of subject {written}, but data.json says {subject}; don't mix runs in one folder.")
    return NightPrediction(
        path.stem, subject, fold, logits.astype(np.float32), truth.astype(np.int8), epochs.astype(np.int32)
    )


def _read_json(path: Path) -> dict[str, Any]:
    with _read(path) as text:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise TypeError("it is no object")
    return values


@contextmanager
def _read(path: Path) -> Iterator[str]:
    """Give a file's text; what goes wrong with it or with what is made of it becomes a sentence."""
    with _damage(path):
        yield path.read_text(encoding="utf-8")


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing, though its fold is finished; run the fold again.") from error
    except KeyError as error:
        raise RunError(f"{path} is damaged or was not written by a cross-validation: it has no {error}.") from error
    except (OSError, EOFError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"{path} can't be read: {error or type(error).__name__}.") from error


def _fold_folder(folder: Path, number: int) -> Path:
    return folder / "folds" / f"fold_{number:02d}"


def _numbers(folds: Sequence[int]) -> str:
    return ("fold " if len(folds) == 1 else "folds ") + ", ".join(map(str, folds))
