"""Whether a model was trained on the labels that it is to judge.

A model that has learned a label agrees with it, right or wrong; only one that never saw it can say that it is
suspect. What is known comes from three places: the records of trainings (which nights and subjects a fold learned
from, and the SHA-256 of the weights that came of it), the model's card (nights that it was measured on and never saw),
and the archive (weights, recording, data set). Where none of them says anything, the answer is “unknown”: never a
guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from sleepviewer.errors import SeenLabelsError


class Seen(StrEnum):
    """What is known of a model and a night's labels."""

    TRAINED = "trained on"
    HELD_OUT = "held out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known, and a sentence that says from where."""

    seen: Seen
    reason: str


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What a model of known weights has learned from.

    ``weights_sha256`` is the file's; ``nights``, ``subjects`` and ``recordings`` (SHA-256 of their files) were trained
    or validated on, which both let the labels in; ``held_out`` are nights and subjects that are known not to have been.
    Subjects count within ``dataset`` alone. ``source`` is where the record was found.
    """

    weights_sha256: str
    source: str
    dataset: str = ""
    nights: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    recordings: frozenset[str] = frozenset()
    held_out_nights: frozenset[str] = frozenset()
    held_out_subjects: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NightIdentity:
    """By what a night is known: its name, its recording's SHA-256, and its subject in a data set."""

    night: str
    recording_sha256: str = ""
    dataset: str = ""
    subject: str = ""
    names: frozenset[str] = field(default=frozenset())
    """Further names: the recording's, without its ending."""


OUT_OF_FOLD = Provenance(Seen.HELD_OUT, "Predicted by the fold of a cross-validation that holds its subject out.")


def identity_of(night: str, meta: Mapping[str, Any]) -> NightIdentity:
    """Return what an archive's ``meta`` says of the night that it holds."""
    recording, dataset = _mapping(meta, "recording"), _mapping(meta, "dataset")
    names = {PurePath(str(recording["name"])).stem} if recording.get("name") else set()
    if dataset.get("night"):
        names.add(str(dataset["night"]))
    return NightIdentity(
        night,
        str(recording.get("sha256") or ""),
        str(dataset.get("name") or ""),
        str(dataset.get("subject") or ""),
        frozenset(names),
    )


def provenance(meta: Mapping[str, Any], night: str, records: Iterable[TrainingRecord]) -> Provenance:
    """Return what is known of the model that an archive's ``meta`` names and the night that it holds.

    That labels were learned from counts more than that they were held out, should two records contradict each other.
    """
    model = _mapping(meta, "model")
    weights, identity = str(model.get("weights_sha256") or ""), identity_of(night, meta)
    engine = str(model.get("engine") or "")
    if not weights:
        return Provenance(Seen.UNKNOWN, "The archive does not tell which weights scored it.")
    known = [record for record in records if record.weights_sha256 == weights]
    for record in known:
        if why := _learned(record, identity):
            return Provenance(Seen.TRAINED, f"{engine or 'The model'} was trained on {why} ({record.source}).")
    for record in known:
        if why := _held_out(record, identity):
            return Provenance(Seen.HELD_OUT, f"{engine or 'The model'} never saw {why} ({record.source}).")
    where = f"; {', '.join(dict.fromkeys(r.source for r in known))} does not name this night" if known else ""
    return Provenance(
        Seen.UNKNOWN,
        f"It is not known whether {engine or 'the model'} ({weights[:12]}) was trained on {night}{where}.",
    )


def check_may_judge(found: Provenance) -> None:
    """Raise SeenLabelsError where the model is known to have been trained on the labels."""
    if found.seen is Seen.TRAINED:
        raise SeenLabelsError(
            f"{found.reason} It agrees with labels that it has learned, so it can't tell which are suspect; rank with "
            "out-of-fold predictions of a cross-validation."
        )


def _learned(record: TrainingRecord, identity: NightIdentity) -> str:
    if identity.recording_sha256 and identity.recording_sha256 in record.recordings:
        return "this recording"
    if names := ({identity.night} | identity.names) & record.nights:
        return f"the night {min(names)}"
    if _same_dataset(record, identity) and identity.subject in record.subjects:
        return f"the subject {identity.subject} of {record.dataset}"
    return ""


def _held_out(record: TrainingRecord, identity: NightIdentity) -> str:
    if names := ({identity.night} | identity.names) & record.held_out_nights:
        return f"the night {min(names)}"
    if _same_dataset(record, identity) and identity.subject in record.held_out_subjects:
        return f"the subject {identity.subject} of {record.dataset}"
    return ""


def _same_dataset(record: TrainingRecord, identity: NightIdentity) -> bool:
    return bool(identity.subject and identity.dataset and identity.dataset == record.dataset)


def _mapping(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = meta.get(key)
    return value if isinstance(value, Mapping) else {}


def card_record(card: Mapping[str, Any] | Any, weights_sha256: str, source: str) -> TrainingRecord:
    """Return what a model's card says: the places of its ``measured`` figures, each of nights that it never saw.

    Its ``trained_on`` is prose and names no nights, so that nothing is known from it.
    """
    measured = card.get("measured", {}) if isinstance(card, Mapping) else getattr(card, "measured", {})
    places = {str(name).rpartition(" ")[0] for name in measured}
    return TrainingRecord(weights_sha256, source, held_out_nights=frozenset(place for place in places if place))
