"""Whether a model's probabilities mean what they say, and what its doubt is good for.

A model is calibrated where, of all epochs that it is 70 % sure of, 70 % are right. Everywhere here ``logits`` and
``proba`` are floating ``[n_epochs, k]`` and finite, ``labels`` are integers ``[n_epochs]`` between 0 and k - 1, and an
epoch's confidence is its likeliest stage's probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ECE_BINS: Final = 15
"""Bins of the expected calibration error, as Guo et al. 2017 use them."""

COOLEST, HOTTEST = 0.25, 10.0
"""Bounds of a fitted temperature; a set that is all right or all wrong would send it to 0 or to infinity."""


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How sure and how right a model is, per bin of confidence; all ``[bins]``, NaN where a bin is empty.

    ``upper`` are the bins' upper edges (a bin holds its upper edge, not its lower), ``confidence`` and ``accuracy``
    means over the bin's epochs, ``counts`` their numbers.
    """

    upper: Floats
    confidence: Floats
    accuracy: Floats
    counts: NDArray[np.int64]

    @property
    def expected_error(self) -> float:
        """The expected calibration error, the mean over epochs of their bin's |accuracy - confidence|; 0 to 1."""
        filled = self.counts > 0
        if not filled.any():
            return math.nan
        gaps = np.abs(self.accuracy[filled] - self.confidence[filled])
        return float(np.average(gaps, weights=self.counts[filled]))


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """The error that is left when a model keeps the epochs that it is surest of.

    ``coverage`` ``[n]`` is the kept share, rising from 1/n to 1; ``error`` ``[n]`` the share of wrong ones among the
    kept; ``area`` the mean of ``error`` (0 is perfect; a model whose doubt says nothing has its overall error).
    """

    coverage: Floats
    error: Floats
    area: float

    def error_at(self, coverage: float) -> float:
        """Return the error among the surest ``coverage`` (0 to 1) of all epochs, of one epoch at least."""
        if not len(self.error):
            return math.nan
        return float(self.error[max(math.ceil(coverage * len(self.error) - 1e-9), 1) - 1])


def softmax(logits: NDArray[Any], temperature: float = 1.0) -> Floats:
    """Return the probabilities of logits divided by a temperature, ``float64 [n_epochs, k]``."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def negative_log_likelihood(logits: NDArray[Any], labels: NDArray[Any], temperature: float = 1.0) -> float:
    """Return the mean of -ln p(true stage) in nats; NaN without epochs."""
    logits, labels = _checked(logits, labels)
    if not len(labels):
        return math.nan
    scaled = logits / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(labels)), labels]))


def fit_temperature(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the temperature that makes the labels likeliest, between COOLEST and HOTTEST; 1 where there is none.

    Minimises the negative log-likelihood of softmax(logits / T) (Guo et al. 2017, On Calibration of Modern Neural
    Networks, ICML). It is convex in 1 / T, so it has one minimum, which is sought on ln T. Without epochs, or where
    the logits do not tell the stages apart, every temperature does alike and the answer is 1.
    """
    from scipy.optimize import minimize_scalar

    logits, labels = _checked(logits, labels)
    if not len(labels) or not np.ptp(logits, axis=1).any():
        return 1.0
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits, labels, math.exp(log_t)),
        bounds=(math.log(COOLEST), math.log(HOTTEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.clip(math.exp(found.x), COOLEST, HOTTEST))


def reliability(proba: NDArray[Any], labels: NDArray[Any], bins: int = ECE_BINS) -> Reliability:
    """Sort epochs into bins of equal width by confidence (DeGroot & Fienberg 1983; Guo et al. 2017)."""
    proba, labels = _checked(proba, labels)
    confidence, right = proba.max(axis=1, initial=0.0), proba.argmax(axis=1) == labels
    upper = np.linspace(0, 1, bins + 1)[1:]
    place = np.minimum(np.searchsorted(upper, confidence, side="left"), bins - 1)
    counts = np.bincount(place, minlength=bins)

    def mean(values: NDArray[Any]) -> Floats:
        means = np.full(bins, np.nan)
        np.divide(np.bincount(place, weights=values, minlength=bins), counts, out=means, where=counts > 0)
        return means

    return Reliability(upper, mean(confidence), mean(right.astype(np.float64)), counts.astype(np.int64))


def expected_calibration_error(proba: NDArray[Any], labels: NDArray[Any], bins: int = ECE_BINS) -> float:
    """Return the expected calibration error of the likeliest stage, 0 to 1; NaN without epochs.

    The sum over bins of n_b / n · |accuracy_b - mean confidence_b| (Naeini, Cooper & Hauskrecht 2015, AAAI), over
    bins of equal width.
    """
    return reliability(proba, labels, bins).expected_error


def brier_score(proba: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the mean over epochs of the *sum over stages* of (p - truth)², 0 (best) to 2; NaN without epochs.

    This is Brier's own definition (1950, Verification of forecasts expressed in terms of probability). scikit-learn's
    for two classes is half of it.
    """
    proba, labels = _checked(proba, labels)
    if not len(labels):
        return math.nan
    missed = proba.copy()
    missed[np.arange(len(labels)), labels] -= 1
    return float(np.mean((missed**2).sum(axis=1)))


def risk_coverage(proba: NDArray[Any], labels: NDArray[Any]) -> RiskCoverage:
    """Return the error among the surest epochs, for every share of them (Geifman & El-Yaniv 2017, NeurIPS).

    Epochs of the same confidence have no order among themselves, so each counts with the mean error of them all.
    """
    proba, labels = _checked(proba, labels)
    n = len(labels)
    if not n:
        return RiskCoverage(np.empty(0), np.empty(0), math.nan)
    wrong = (proba.argmax(axis=1) != labels).astype(np.float64)
    _, group = np.unique(-proba.max(axis=1), return_inverse=True)
    shared = np.bincount(group, weights=wrong) / np.bincount(group)
    kept = np.arange(1, n + 1)
    error = np.cumsum(shared[np.sort(group)]) / kept
    return RiskCoverage(kept / n, error, float(error.mean()))


def _checked(values: NDArray[Any], labels: NDArray[Any]) -> tuple[Floats, NDArray[np.int64]]:
    values, labels = np.asarray(values, dtype=np.float64), np.asarray(labels).astype(np.int64)
    if values.ndim != 2 or labels.shape != values.shape[:1]:
        raise ValueError(f"values of shape [n, k] and labels [n] are wanted, not {values.shape} and {labels.shape}")
    if not np.isfinite(values).all():
        raise ValueError("every value must be finite; leave unscored epochs out")
    if labels.size and not (labels.min() >= 0 and labels.max() < values.shape[1]):
        raise ValueError(f"labels lie between 0 and {values.shape[1] - 1}; leave unscored epochs out")
    return values, labels
