"""What runs came to: figures with intervals under both protocols, the bias between them, calibration, differences.

Everything here is a value; how it is shown is :mod:`sleepviewer.training.report`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.agreement import Agreement, agreement_of
from sleepviewer.analysis.calibration import (
    Reliability,
    RiskCoverage,
    brier_score,
    negative_log_likelihood,
    reliability,
    risk_coverage,
    softmax,
)
from sleepviewer.analysis.intervals import (
    DRAWS,
    Interval,
    ScoredNight,
    bootstrap,
    paired_differences,
    subject_confusions,
)
from sleepviewer.errors import AlignmentError, RunError
from sleepviewer.stages import EPOCH_S
from sleepviewer.training.published import PublishedDataset, published_dataset
from sleepviewer.training.runs import NightPrediction, Protocol, Run, load_predictions, read_run


@dataclass(frozen=True, slots=True, eq=False)
class ProtocolResult:
    """All tested epochs of a run under one protocol, pooled, with intervals by bootstrap over subjects."""

    protocol: Protocol
    agreement: Agreement
    intervals: Mapping[str, Interval]
    subjects: int
    nights: int


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationResult:
    """How far one set of probabilities can be believed; ``nll`` in nats, ``brier`` the sum over stages (0 to 2)."""

    reliability: Reliability
    brier: float
    nll: float
    risk: RiskCoverage

    @property
    def ece(self) -> float:
        """The expected calibration error, 0 to 1."""
        return self.reliability.expected_error


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """One run: both protocols, published - honest (``bias``), and calibration of the honest protocol.

    ``raw`` are the probabilities as trained, ``calibrated`` those at each fold's own temperature. ``published`` is the
    data set of the same name that others reported figures for, if there is one.
    """

    label: str
    run: Run
    protocols: Mapping[Protocol, ProtocolResult]
    bias: Mapping[str, Interval]
    raw: CalibrationResult
    calibrated: CalibrationResult
    published: PublishedDataset | None
    notes: tuple[str, ...]

    @property
    def seconds_per_fold(self) -> float:
        """Mean seconds that a finished fold took."""
        return float(np.mean([result.seconds for result in self.run.results]))

    @property
    def folds_with_other_weights(self) -> tuple[int, ...]:
        """The folds whose class weights by published counting differ from those used, in two places."""
        return tuple(
            result.fold
            for result in self.run.results
            if not np.array_equal(np.round(result.class_weights, 2), np.round(result.class_weights_published, 2))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Second minus first under one protocol, over the folds that both have finished."""

    first: str
    second: str
    protocol: Protocol
    intervals: Mapping[str, Interval]
    subjects: int
    folds: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Several runs side by side; ``not_compared`` says of each pair that could not be, why."""

    runs: tuple[RunResult, ...]
    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...]
    draws: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """A run with the nights of both protocols."""

    label: str
    run: Run
    nights: Mapping[Protocol, tuple[NightPrediction, ...]]


def collect_results(
    folders: Sequence[Path], *, draws: int = DRAWS, seed: int = 0, allow_unfinished: bool = False
) -> Results:
    """Read runs' folders and compute all figures.

    Raises RunError for a folder that can't be read or is given twice, and for an unfinished one unless
    ``allow_unfinished``.
    """
    if not folders:
        raise RunError("There is no run to report on; name the folder of a cross-validation.")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise RunError("A run is named twice; name each folder once.")
    runs = [read_run(folder, allow_unfinished=allow_unfinished) for folder in folders]
    loaded = [
        _Loaded(label, run, {protocol: load_predictions(run, protocol) for protocol in Protocol})
        for label, run in zip(_labels(runs), runs, strict=True)
    ]
    differences: list[Difference] = []
    reasons: list[str] = []
    for first, second in combinations(loaded, 2):
        try:
            differences += _differences(first, second, draws, seed)
        except AlignmentError as error:
            reasons.append(f"{first.label} and {second.label}: {error}")
    return Results(
        tuple(_run_result(one, draws, seed) for one in loaded), tuple(differences), tuple(reasons), draws, seed
    )


def _labels(runs: Sequence[Run]) -> list[str]:
    """Name each run by its model, batch size and folder; by its whole path where two folders have one name."""
    names = [run.name for run in runs]
    labels = []
    for run in runs:
        batch = f", batch {run.config['batch_size']}" if "batch_size" in run.config else ""
        labels.append(f"{run.model}{batch} ({run.name if names.count(run.name) == 1 else run.folder})")
    return labels


def _run_result(loaded: _Loaded, draws: int, seed: int) -> RunResult:
    run = loaded.run
    scored = {protocol: _scored(nights) for protocol, nights in loaded.nights.items()}
    protocols = {}
    for protocol, nights in scored.items():
        subjects, confusions = subject_confusions(nights)
        protocols[protocol] = ProtocolResult(
            protocol,
            agreement_of(confusions.sum(axis=0)),
            bootstrap(confusions, draws=draws, seed=seed),
            len(subjects),
            len(nights),
        )
    try:
        bias = paired_differences(scored[Protocol.HONEST], scored[Protocol.PUBLISHED], draws=draws, seed=seed)
    except AlignmentError as error:
        raise RunError(f"{run.folder}: the predictions of its two protocols do not match. {error}") from error
    raw, calibrated = _calibration(run, loaded.nights[Protocol.HONEST])
    published = published_dataset(run.data.name) if run.data.epoch_s == EPOCH_S else None
    epochs = protocols[Protocol.HONEST].agreement.epochs
    return RunResult(
        loaded.label, run, protocols, bias, raw, calibrated, published, tuple(_notes(run, published, epochs))
    )


def _scored(nights: Sequence[NightPrediction]) -> list[ScoredNight]:
    return [ScoredNight(n.night, n.subject, n.epochs, n.truth, n.predicted) for n in nights]


def _calibration(run: Run, nights: Sequence[NightPrediction]) -> tuple[CalibrationResult, CalibrationResult]:
    """Return the calibration before and after each fold's temperature, over all tested epochs."""
    temperatures = {result.fold: result.temperature for result in run.results}
    truth = np.concatenate([night.truth for night in nights])
    raw = np.concatenate([night.logits for night in nights])
    cooled = np.concatenate([night.logits / temperatures[night.fold] for night in nights])
    return _calibration_of(raw, truth), _calibration_of(cooled, truth)


def _calibration_of(logits: NDArray[np.float32], truth: NDArray[Any]) -> CalibrationResult:
    proba = softmax(logits)
    return CalibrationResult(
        reliability(proba, truth),
        brier_score(proba, truth),
        negative_log_likelihood(logits, truth),
        risk_coverage(proba, truth),
    )


def _notes(run: Run, published: PublishedDataset | None, epochs: int) -> list[str]:
    notes = []
    if run.unfinished:
        done = len(run.results)
        notes.append(
            f"only {done} of {len(run.data.folds)} folds are finished, so its figures are of {epochs} of"
            f" {run.data.n_epochs} epochs"
        )
    elif epochs != run.data.n_epochs:
        notes.append(f"its data set has {run.data.n_epochs} epochs, its test folds {epochs}")
    if run.data.epoch_s != EPOCH_S:
        notes.append(
            f"its model sees {run.data.epoch_s:g} s of each epoch; reported figures are of models that see"
            f" {EPOCH_S:g} s, so none stand beside it"
        )
    elif published is None:
        notes.append(f"no reported figures belong to the data set “{run.data.name}”, so none stand beside it")
    elif run.data.n_epochs != published.n_epochs:
        notes.append(
            f"its data set has {run.data.n_epochs} epochs, {published.name} as published {published.n_epochs}: the"
            " reported figures are of another selection"
        )
    return notes


def _differences(first: _Loaded, second: _Loaded, draws: int, seed: int) -> list[Difference]:
    """Raise AlignmentError where the two runs have no epochs, or not the same folds, in common."""
    if first.run.data.name != second.run.data.name:
        raise AlignmentError(f"They are of different data sets, {first.run.data.name} and {second.run.data.name}.")
    tests = [{fold.number: frozenset(fold.test) for fold in one.run.data.folds} for one in (first, second)]
    if tests[0] != tests[1]:
        raise AlignmentError("Their folds do not test the same subjects.")
    done = [{result.fold for result in one.run.results} for one in (first, second)]
    folds = tuple(sorted(done[0] & done[1]))
    if not folds:
        raise AlignmentError("They have no finished fold in common.")
    differences = []
    for protocol in Protocol:
        a, b = (_scored([night for night in one.nights[protocol] if night.fold in folds]) for one in (first, second))
        intervals = paired_differences(a, b, draws=draws, seed=seed)
        subjects = len({night.subject for night in a})
        differences.append(Difference(first.label, second.label, protocol, intervals, subjects, folds))
    return differences
