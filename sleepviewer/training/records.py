"""What trainings have learned from, as a report on labels needs to know it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from sleepviewer.analysis.provenance import TrainingRecord, card_records
from sleepviewer.errors import CheckpointError, RunError, VersionError
from sleepviewer.files import sha256_of
from sleepviewer.models.shipped import peek_card
from sleepviewer.models.versions import ModelVersions

_DATA: Final = "data.json"
_WEIGHTS: Final = "weights.safetensors"


def is_training(folder: Path) -> bool:
    """Whether a folder holds a cross-validation or a training."""
    return (folder / _DATA).is_file() and (folder / "config.toml").is_file()


def training_records(folder: Path) -> tuple[TrainingRecord, ...]:
    """Return a record for each file of weights of a cross-validation's folds, or of one training.

    In place of a folder it may be a file of weights; then its card tells. Nights that train or validate let labels
    in; those that a fold tests are held out. Folds without weights yet have no record. Raises RunError where the folder
    is none of a training, its data.json can't be read, or weights have no card.
    """
    if folder.is_file():
        card = peek_card(folder)
        if card is None:
            raise RunError(f"{folder} is no file of weights with a card, so it does not tell what was trained on.")
        return card_records(card, sha256_of(folder), f"the card of {folder.name}")
    if not is_training(folder):
        raise RunError(f"{folder} is not the folder of a training: it has no {_DATA}.")
    try:
        facts = json.loads((folder / _DATA).read_text(encoding="utf-8"))
        nights = {str(night): str(subject) for night, subject in facts["nights"].items()}
        parts = [(folder / "folds" / f"fold_{int(fold['fold']):02d}", fold) for fold in facts.get("folds", ())]
        parts += [(folder, facts["split"])] if "split" in facts else []
        return tuple(
            _record(place / _WEIGHTS, part, nights, str(facts["name"]))
            for place, part in parts
            if (place / _WEIGHTS).is_file()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{folder / _DATA} does not tell what was trained on ({error}).") from error


def version_record(name: str, weights_sha256: str) -> TrainingRecord | None:
    """Return what a version of the user's has learned from, where its weights are these; else None.

    The labels of the corrected nights were let in, those of the held-out blocks among them: they chose whether the
    version is offered. Replayed nights taught it nothing but what its parent said.
    """
    try:
        version = ModelVersions().get(name)
        if not version.number or version.sha256() != weights_sha256:
            return None
        nights = [*version.card.lineage["nights"], *version.card.lineage.get("earlier_nights", ())]
        return TrainingRecord(
            weights_sha256=weights_sha256,
            source=f"the card of {version.name}",
            nights=frozenset(str(night["name"]) for night in nights if not night["recording_sha256"]),
            recordings=frozenset(str(night["recording_sha256"]) for night in nights) - {""},
        )
    except (VersionError, CheckpointError, LookupError, TypeError):
        return None


def _record(weights: Path, part: dict[str, Any], nights: dict[str, str], dataset: str) -> TrainingRecord:
    learned = {str(subject) for name in ("train", "validation") for subject in part[name]}
    tested = {str(subject) for subject in part["test"]}
    return TrainingRecord(
        weights_sha256=sha256_of(weights),
        source=str(weights),
        dataset=dataset,
        nights=frozenset(night for night, subject in nights.items() if subject in learned),
        subjects=frozenset(learned),
        held_out_nights=frozenset(night for night, subject in nights.items() if subject in tested),
        held_out_subjects=frozenset(tested),
    )
