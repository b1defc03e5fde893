"""Epochs that look alike to a model: nearest neighbours in its features, within a night and across many, and a map.

An embedding is what the epoch model sees in each epoch (:mod:`sleepviewer.scoring.features`). Its columns are brought
to a mean of 0 and a spread of 1, and likeness is Euclidean distance. Is an error a kind or a stray? Look at what its
neighbours are labelled and predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import AlignmentError, AnalysisError
from sleepviewer.stages import Stage, StageArray

NEIGHBOURS: Final = 12
UMAP_PACKAGE: Final = "umap"


@dataclass(frozen=True, slots=True)
class LookAlike:
    """An epoch that looks like another, with its labels; ``distance`` is in standard deviations of the features."""

    night: str
    epoch: int
    distance: float
    truth: Stage
    predicted: Stage

    @property
    def is_error(self) -> bool:
        """Whether the two differ here too, both being scored."""
        return self.truth != self.predicted and Stage.UNKNOWN not in (self.truth, self.predicted)


@dataclass(frozen=True, eq=False)
class Embedding:
    """Epochs of one night or many as points, all ``[n]`` but ``points`` ``float32 [n, d]``, standardised.

    ``night`` is the place in ``nights``; ``epoch`` the place in the recording; ``truth`` and ``predicted`` stages.
    """

    points: NDArray[np.float32]
    nights: tuple[str, ...]
    night: NDArray[np.int32]
    epoch: NDArray[np.int32]
    truth: StageArray
    predicted: StageArray

    def __len__(self) -> int:
        return len(self.points)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which epochs both score, and differently."""
        scored = (self.truth != Stage.UNKNOWN) & (self.predicted != Stage.UNKNOWN)
        return np.asarray(scored & (self.truth != self.predicted))

    def find(self, night: str, epoch: int) -> int:
        """Return the point of an epoch. Raises AlignmentError where there is none."""
        if night in self.nights:
            place = np.flatnonzero((self.night == self.nights.index(night)) & (self.epoch == epoch))
            if place.size:
                return int(place[0])
        raise AlignmentError(f"Epoch {epoch + 1} of {night} has no features, so nothing looks like it.")

    def alike(
        self, night: str, epoch: int, *, count: int = NEIGHBOURS, within: str | None = None
    ) -> tuple[LookAlike, ...]:
        """Return the epochs that look most like one, nearest first, itself left out.

        ``within`` names the night to look in; None looks in all. Raises AlignmentError where the epoch has no
        features.
        """
        point = self.find(night, epoch)
        among = np.arange(len(self))
        if within is not None:
            among = among[self.night == self.nights.index(within)] if within in self.nights else among[:0]
        among = among[among != point]
        if not among.size:
            return ()
        # Every distance is computed: a hundred nights take a few hundredths of a second.
        distances = np.linalg.norm(self.points[among] - self.points[point], axis=1)
        nearest = np.argsort(distances, kind="stable")[:count]
        return tuple(self._alike(int(among[place]), float(distances[place])) for place in nearest)

    def _alike(self, point: int, distance: float) -> LookAlike:
        return LookAlike(
            self.nights[self.night[point]],
            int(self.epoch[point]),
            distance,
            Stage(int(self.truth[point])),
            Stage(int(self.predicted[point])),
        )

    def with_stages(self, night: str, truth: StageArray, predicted: StageArray) -> Embedding:
        """Return the same points with other stages of one night, ``int8 [n_epochs]``."""
        if night not in self.nights:
            return self
        there = self.night == self.nights.index(night)
        truths, predictions = self.truth.copy(), self.predicted.copy()
        truths[there] = truth[self.epoch[there]]
        predictions[there] = predicted[self.epoch[there]]
        return replace(self, truth=truths, predicted=predictions)

    def map(self, method: str = "pca") -> NDArray[np.float32]:
        """Return the points on a plane, ``float32 [n, 2]``: by ``pca``, or by ``umap`` where it is installed.

        PCA's axes are the two directions of most variance, each turned so that its largest loading is positive, so
        that the map is the same each time. Raises AnalysisError where the method is not there or points are too few.
        """
        if len(self) < 3:
            raise AnalysisError("A map needs three epochs with features or more; score a longer night.")
        if method == "pca":
            points = self.points.astype(np.float64) - self.points.mean(axis=0, dtype=np.float64)
            _, directions = np.linalg.eigh(points.T @ points)  # by rising variance
            axes = directions[:, -1:-3:-1]
            largest = np.abs(axes).argmax(axis=0)
            return np.asarray(points @ (axes * np.sign(axes[largest, np.arange(2)])), dtype=np.float32)
        if method == "umap":
            if not umap_is_there():
                raise AnalysisError("UMAP is not installed; install the package umap-learn, or take PCA.")
            import umap

            return np.asarray(umap.UMAP(n_components=2, random_state=0).fit_transform(self.points), dtype=np.float32)
        raise AnalysisError(f"There is no map by “{method}”; take pca or umap.")


class Verdict(StrEnum):
    """What an epoch's look-alikes say of it."""

    KIND = "a kind of error"
    MIXED = "neither a kind nor a stray"
    STRAY = "a stray"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Kinship:
    """How an epoch's look-alikes were scored: of the ``judged`` (truth and prediction known) so many were ``wrong``.

    ``same`` of them are wrong in the epoch's own way, its stage taken for the same other one.
    """

    judged: int
    wrong: int
    same: int

    @property
    def share(self) -> float:
        """Share of the judged that are wrong, NaN where none was judged."""
        return self.wrong / self.judged if self.judged else float("nan")

    @property
    def verdict(self) -> Verdict:
        """A kind where half of the look-alikes or more are wrong, a stray where a sixth of them or fewer are."""
        if not self.judged:
            return Verdict.NOTHING
        if 2 * self.wrong >= self.judged:
            return Verdict.KIND
        return Verdict.STRAY if 6 * self.wrong <= self.judged else Verdict.MIXED


def kinship(alike: Sequence[LookAlike], truth: Stage, predicted: Stage) -> Kinship:
    """Count how the look-alikes of an epoch with these two stages were scored."""
    judged = [one for one in alike if Stage.UNKNOWN not in (one.truth, one.predicted)]
    wrong = [one for one in judged if one.is_error]
    same = sum(one.truth == truth and one.predicted == predicted for one in wrong)
    return Kinship(len(judged), len(wrong), same)


def umap_is_there() -> bool:
    """Whether the map by UMAP can be drawn."""
    return find_spec(UMAP_PACKAGE) is not None


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedNight:
    """A night to embed: ``features`` ``float32 [n_epochs, d]``, NaN where there are none; stages ``[n_epochs]``.

    ``weights_sha256`` tells whose features they are, where that is known.
    """

    name: str
    features: NDArray[np.float32]
    truth: StageArray
    predicted: StageArray
    weights_sha256: str = ""


def embed(nights: Sequence[EmbeddedNight]) -> Embedding:
    """Lay the epochs of nights in one space, columns standardised over all of them.

    Raises AlignmentError where a night's arrays, or two nights' features, do not fit each other.
    """
    widths = {night.features.shape[1] for night in nights}
    weights = {night.weights_sha256 for night in nights if night.weights_sha256}
    if len(widths) > 1 or len(weights) > 1:
        raise AlignmentError("The nights' features are of different models and can't be compared.")
    parts: list[tuple[Any, ...]] = []
    for place, night in enumerate(nights):
        n = len(night.features)
        if len(night.truth) != n or len(night.predicted) != n:
            raise AlignmentError(
                f"{night.name} has features of {n} epochs, but {len(night.truth)} and {len(night.predicted)} stages."
            )
        seen = np.flatnonzero(np.isfinite(night.features).all(axis=1))
        parts.append(
            (
                night.features[seen],
                np.full(len(seen), place, np.int32),
                seen.astype(np.int32),
                np.asarray(night.truth, np.int8)[seen],
                np.asarray(night.predicted, np.int8)[seen],
            )
        )
    if not parts:
        nothing = np.empty(0, np.int32)
        return Embedding(
            np.empty((0, 0), np.float32), (), nothing, nothing, nothing.astype(np.int8), nothing.astype(np.int8)
        )
    points, *others = (np.concatenate(column) for column in zip(*parts, strict=True))
    if len(points):
        spread = points.std(axis=0)
        points = (points - points.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return Embedding(points.astype(np.float32), tuple(night.name for night in nights), *others)
