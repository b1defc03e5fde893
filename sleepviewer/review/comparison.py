"""The document's layers as a comparison and as statistics: what the window's tabs and lists read after each edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.errors import Comparison, compare
from sleepviewer.analysis.provenance import Provenance, TrainingRecord, provenance
from sleepviewer.analysis.signs import EpochSigns, measure_signs, nothing_measured
from sleepviewer.analysis.statistics import side_by_side
from sleepviewer.errors import SleepViewerError
from sleepviewer.hypnogram.base import Hypnogram
from sleepviewer.recording.base import Recording
from sleepviewer.recording.units import usual_gain
from sleepviewer.review.document import Document
from sleepviewer.review.events import EventKind
from sleepviewer.review.night import Night
from sleepviewer.stages import StageArray


def document_comparison(
    document: Document, *, against: StageArray | None = None, signs: EpochSigns | None = None, night: str = ""
) -> Comparison | None:
    """Compare the model with the expert's hypnogram, or with ``against``; None where either is missing.

    ``against`` is any hypnogram of the night, as ``document.labels`` for what counts after the edits. ``signs`` are
    measured once in the background (:func:`recording_signs`): they do not change with edits.
    """
    truth = against if against is not None else None if document.truth is None else document.truth.stages
    if truth is None or document.prediction is None:
        return None
    start = None if document.truth is None else document.truth.start
    return compare(
        truth,
        document.prediction.stages,
        proba=document.prediction.proba,
        signs=signs,
        edited=document.edited,
        night=night,
        start=start,
        lights_off=document.lights_off,
    )


class Pairing(StrEnum):
    """Which two of a document's hypnograms are compared: the one that is judged, and the reference."""

    MODEL_EXPERT = "Model against expert"
    MODEL_LABELS = "Model against final labels"
    LABELS_EXPERT = "Final labels against expert"

    @property
    def reference(self) -> str:
        """Who stands for the truth, in a word or two."""
        return "final labels" if self is Pairing.MODEL_LABELS else "expert"

    @property
    def judged(self) -> str:
        """Who is compared with it."""
        return "final labels" if self is Pairing.LABELS_EXPERT else "model"


def paired(document: Document, pairing: Pairing) -> tuple[StageArray | None, StageArray | None]:
    """Return a pairing's two hypnograms, ``int8 [n_epochs]``, the reference first; None for one that is not there."""
    truth = None if document.truth is None else document.truth.stages
    model = None if document.prediction is None else document.prediction.stages
    match pairing:
        case Pairing.MODEL_EXPERT:
            return truth, model
        case Pairing.MODEL_LABELS:
            return document.labels, model
    return truth, document.labels


def paired_comparison(
    document: Document,
    pairing: Pairing,
    *,
    signs: EpochSigns | None = None,
    start: datetime | None = None,
    night: str = "",
) -> Comparison | None:
    """Compare the two of a pairing; None where either is missing or they have no scored epoch in common.

    Probabilities are the model's, and None where the model is not in the pairing. ``start`` is the recording's.
    """
    reference, judged = paired(document, pairing)
    if reference is None or judged is None or not ((reference >= 0) & (judged >= 0)).any():
        return None
    prediction = None if pairing is Pairing.LABELS_EXPERT else document.prediction
    return compare(
        reference,
        judged,
        proba=None if prediction is None else prediction.proba,
        signs=signs,
        edited=document.edited,
        night=night,
        start=start,
        lights_off=document.lights_off,
    )


def document_scorers(document: Document) -> dict[str, StageArray]:
    """Return the document's hypnograms by name: ``expert``, ``model``, and ``corrected`` where there are edits."""
    scorers: dict[str, StageArray] = {}
    if document.truth is not None:
        scorers["expert"] = document.truth.stages
    if document.prediction is not None:
        scorers["model"] = document.prediction.stages
    if document.edited.any() or not scorers:
        scorers["corrected"] = document.labels
    return scorers


def scorer_names(scorers: Sequence[Hypnogram]) -> list[str]:
    """Name each scorer, by what the file says or else by the file's name; equal names are numbered."""
    names: list[str] = []
    for scorer in scorers:
        base = name = " ".join(scorer.scorer.split()) or scorer.source.rpartition(".")[0] or scorer.source or "Scorer"
        number = 2
        while name in names:
            name, number = f"{base} ({number})", number + 1
        names.append(name)
    return names


def document_statistics(document: Document) -> dict[str, dict[str, float | int | None]]:
    """Return the night's statistics of every scorer, between the lights, with the expert's arousals."""
    return statistics_of(document, document_scorers(document))


def statistics_of(document: Document, scorers: Mapping[str, StageArray]) -> dict[str, dict[str, float | int | None]]:
    """Return the night's statistics of any scorers, ``int8 [n_epochs]``, as :func:`document_statistics` has them."""
    return side_by_side(
        scorers,
        lights_off=document.lights_off,
        lights_on=document.lights_on,
        arousals_s=arousals_of(document),
    )


def arousals_of(document: Document) -> tuple[float, ...]:
    """Return when the expert's arousals begin, in seconds; suggestions that nobody accepted do not count."""
    return tuple(e.start_s for e in document.events if e.kind == EventKind.AROUSAL and not e.suggested)


def recording_signs(recording: Recording, channel: str | None) -> EpochSigns:
    """Measure the signs of poor signal in a channel's epochs; it reads all of it, so call it in the background.

    A channel that can't be cut into epochs, or none at all, leaves everything unknown.
    """
    if channel is None:
        return nothing_measured(recording.n_epochs)
    try:
        epochs: NDArray[np.float32] = recording.read_epochs(channel)
    except SleepViewerError:
        return nothing_measured(recording.n_epochs)
    if not recording.channel(channel).is_voltage:
        epochs = epochs * usual_gain(epochs)
    return measure_signs(epochs, recording.channel(channel).rate_hz, n=recording.n_epochs)


def night_provenance(night: Night, records: tuple[TrainingRecord, ...] = ()) -> Provenance:
    """Return what is known of the model in view and this night's labels; reads the recording once for its hash."""
    prediction = night.document.prediction
    model = None if prediction is None else {
        "engine": prediction.engine,
        "weights_sha256": prediction.weights_sha256,
    }  # fmt: skip
    meta = {"model": model, "recording": {"name": night.recording.name, "sha256": night.sha256}}
    return provenance(meta, night.recording.path.stem, records)
