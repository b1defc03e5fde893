"""Whether a model was trained on the labels that it is to judge.

A model that has learned a label agrees with it, right or wrong; only one that never saw it can say that it is
suspect. What is known comes from three places: the records of trainings (which nights and subjects a fold learned
from, and the SHA-256 of the weights that came of it), the model's card (recordings that it was trained on, and those
that it was measured on and never saw), and the archive (weights, recording, data set). Where none of them says
anything, the answer is “unknown”: never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Final

from sleepviewer.errors import SeenLabelsError
from sleepviewer.models.card import ModelCard


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
    or validated on, which both let the labels in; ``held_out_…`` are those that are known not to have been. Subjects
    count within ``dataset`` alone. ``source`` is where the record was found, ``use`` what the labels were used for, in
    words, where it says so.
    """

    weights_sha256: str
    source: str
    dataset: str = ""
    use: str = ""
    nights: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    recordings: frozenset[str] = frozenset()
    held_out_nights: frozenset[str] = frozenset()
    held_out_subjects: frozenset[str] = frozenset()
    held_out_recordings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NightIdentity:
    """By what a night is known: its name, its recording's SHA-256, and its subject in a data set."""

    night: str
    recording_sha256: str = ""
    dataset: str = ""
    subject: str = ""
    names: frozenset[str] = field(default=frozenset())
    """Further names: the recording's, without its ending."""


SLEEP_EDF: Final = "sleep-edf"
"""What archives call the data set Sleep-EDF."""

_CASSETTE_NIGHT: Final = re.compile(r"(?P<pair>SC4(?P<subject>\d\d)[12])[A-Z]\d")

OUT_OF_FOLD = Provenance(Seen.HELD_OUT, "Predicted by the fold of a cross-validation that holds its subject out.")


def identity_of(night: str, meta: Mapping[str, Any]) -> NightIdentity:
    """Return what an archive's ``meta`` says of the night that it holds.

    Where it names no data set, a recording that is named as those of Sleep-EDF are is taken for one of them, or for a
    part of one.
    """
    recording, dataset = _mapping(meta, "recording"), _mapping(meta, "dataset")
    names = {PurePath(str(recording["name"])).stem} if recording.get("name") else set()
    if dataset.get("night"):
        names.add(str(dataset["night"]))
    name, subject = str(dataset.get("name") or ""), str(dataset.get("subject") or "")
    for one in sorted(names):
        if cassette := _CASSETTE_NIGHT.match(one):
            names.add(cassette["pair"])
            if not name:
                name, subject = SLEEP_EDF, cassette["subject"]
    return NightIdentity(night, str(recording.get("sha256") or ""), name, subject, frozenset(names))


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
            where = ": ".join(filter(None, (record.source, record.use)))
            return Provenance(Seen.TRAINED, f"{engine or 'The model'} was trained on {why} ({where}).")
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
    if identity.recording_sha256 and identity.recording_sha256 in record.held_out_recordings:
        return "this recording"
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


def card_records(card: ModelCard, weights_sha256: str, source: str) -> tuple[TrainingRecord, ...]:
    """Return what a model's card says: the recordings that it names, and the places of its ``measured`` figures.

    Figures are of nights that the model never saw. The card's ``trained_on`` is prose and says nothing here.
    """
    places = {name.rpartition(" ")[0] for name in card.measured} - {""}
    learned = (
        TrainingRecord(
            weights_sha256,
            source,
            named.dataset,
            named.use,
            nights=frozenset(named.nights),
            subjects=frozenset(named.subjects),
            recordings=frozenset(named.sha256),
        )
        for named in card.trained_on_recordings
    )
    held_out = (
        TrainingRecord(
            weights_sha256,
            source,
            named.dataset,
            held_out_nights=frozenset(named.nights),
            held_out_subjects=frozenset(named.subjects),
            held_out_recordings=frozenset(named.sha256),
        )
        for named in card.held_out_recordings
    )
    measured = TrainingRecord(weights_sha256, source, held_out_nights=frozenset(places))
    return (*learned, *held_out, measured)
