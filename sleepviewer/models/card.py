"""A model's card: what its file says about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sleepviewer.models.family import MemberName
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.models.shape import InputShape

_REQUIRED: Final = frozenset({"rate_hz", "normalisation"})
"""Guessing either would give wrong stages without a word."""

_RECORDING_LISTS: Final = ("trained_on_recordings", "held_out_recordings")
_KAPPA: Final = "kappa"


class Limit(StrEnum):
    """The names of a card's ``limits``."""

    CONTEXT_MINUTES = "context_minutes"
    """Shorter recordings are scored epoch by epoch, without context."""
    ADAPTATION_MINUTES = "adaptation_minutes"
    """Shorter recordings are scored with the training's own batch statistics."""
    CALIBRATION_MINUTES = "calibration_minutes"
    """Of shorter recordings nothing is said about calibration or expected agreement."""
    CONTEXT_CHANGES = "context_changes"
    """The largest share of a night on which the context gave another stage than the epoch model in validation."""
    USUAL_CHANGES = "usual_changes"
    """The largest such share on undisturbed nights; beyond it a member counts for less in the ensemble."""
    DISTANCE = "distance"
    """How far a night's features may lie from the training's (:meth:`ContextModel.distance`)."""
    UNUSABLE_SHARE = "unusable_share"
    """The largest share of a night that may be unusable."""


_HEAD_LENGTH_BYTES: Final = 8
_LONGEST_HEAD: Final = 100_000_000  # the format's own limit


@dataclass(frozen=True, slots=True)
class NamedRecordings:
    """Recordings that a card names so that a program can find them, all of one data set and one use.

    Attributes
    ----------
    dataset: the data set within which ``subjects`` count, named as archives name it (``sleep-edf``); may be empty.
    use: what for, in words: “training”, “choice of the pass”.
    subjects: subjects, all of whose nights are meant.
    nights: nights by name, as their files are called without an ending.
    sha256: SHA-256 of recordings' files.
    """

    dataset: str = ""
    use: str = ""
    subjects: tuple[str, ...] = ()
    nights: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what is not empty as JSON-ready values."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items() if v}


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model's file says about it.

    Attributes
    ----------
    name: how the model is called where several of a member are there.
    rate_hz, epoch_samples: of the input.
    normalisation: how the input is scaled.
    trained_on: on which recordings, in words.
    trained_on_recordings: the same for programs: all recordings whose labels went into the model, by training it or
        by choosing its pass or temperature. Empty where the card does not tell.
    held_out_recordings: recordings whose labels are known not to have.
    measured: the figures measured with it, name to value, each on nights that it never saw. A name says where, and
        which figure: ``ucddb018 kappa``.
    member: which of the family it is, for example ``attnsleep+context``.
    band_hz: the band to which the input is filtered before it is scaled, or None.
    temperature: what the logits are divided by to become calibrated (1: not calibrated).
    epoch_temperature: the same for the epoch model alone, of a member with context; 0 takes ``temperature``.
    limits: within which the figures hold, as far as they were validated (see :class:`Limit`); nothing is claimed of a
        recording beyond one.
    night_statistics: share of the night's own statistics in the batch normalisation, 0 to 1 (see
        :mod:`sleepviewer.models.adaptation`).
    notes: what else a user should know, for example how the figures were measured.
    lineage: of a model that was made from another one: its parent, the nights and settings, the figures before and
        after (see :class:`sleepviewer.models.versions.ModelVersion`); empty otherwise.
    """

    name: str
    rate_hz: int
    epoch_samples: int
    normalisation: Normalisation = Normalisation.NONE
    trained_on: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
    member: str = "attnsleep"
    band_hz: tuple[float, float] | None = None
    temperature: float = 1.0
    epoch_temperature: float = 0.0
    limits: Mapping[str, float] = field(default_factory=dict)
    night_statistics: float = 0.0
    notes: str = ""
    trained_on_recordings: tuple[NamedRecordings, ...] = ()
    held_out_recordings: tuple[NamedRecordings, ...] = ()
    lineage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> InputShape:
        """The shape of the model's input."""
        return InputShape(self.rate_hz, self.epoch_samples)

    @property
    def headline(self) -> str:
        """The measured κ as it is shown (“κ 0.81 on ucddb018”), or the first figure there is; else nothing."""
        names = sorted(self.measured, key=lambda name: name.split()[-1:] != [_KAPPA])
        if not names:
            return ""
        where, _, figure = names[0].rpartition(" ")
        shown = "κ" if figure == _KAPPA else figure.replace("_", " ")
        return f"{shown} {self.measured[names[0]]:.2f}" + (f" on {where}" if where else "")

    def as_dict(self) -> dict[str, Any]:
        """Return the card as JSON-ready values; lists of recordings only where there are any."""
        values = asdict(self)
        for name in _RECORDING_LISTS:
            values.pop(name)
            if named := getattr(self, name):
                values[name] = [recordings.as_dict() for recordings in named]
        return values


def card_json(path: Path) -> Any:
    """Return the parsed card beside a file of weights, else the one in a safetensors file's own head, else None.

    Raises OSError or ValueError where it can't be read.
    """
    beside = path.with_suffix(".json")
    if beside.is_file():
        return json.loads(beside.read_text(encoding="utf-8"))
    if path.suffix != ".safetensors":
        return None
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_HEAD_LENGTH_BYTES), "little")
        if length > _LONGEST_HEAD:
            raise ValueError("it is no safetensors file")
        head = json.loads(file.read(length))
    metadata = head.get("__metadata__") if isinstance(head, dict) else None
    text = metadata.get("card") if isinstance(metadata, dict) else None
    return None if text is None else json.loads(text)


def whole_safetensors(path: Path) -> bool:
    """Whether a safetensors file is as long as its head says. Raises OSError or ValueError where that can't be read."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_HEAD_LENGTH_BYTES), "little")
        if length > _LONGEST_HEAD:
            raise ValueError("it is no safetensors file")
        head = json.loads(file.read(length))
    try:
        ends = [entry["data_offsets"][1] for name, entry in head.items() if name != "__metadata__"]
        return path.stat().st_size == _HEAD_LENGTH_BYTES + length + max(ends, default=0)
    except (AttributeError, TypeError, LookupError) as error:
        raise ValueError("it is no safetensors file") from error


def with_lineage(content: bytes, more: Mapping[str, str]) -> bytes:
    """Return a safetensors file's content with ``more`` in its card's lineage; the weights are as they were.

    Raises ValueError where it is no safetensors file with a card.
    """
    if not more:
        return content
    stop = _HEAD_LENGTH_BYTES + int.from_bytes(content[:_HEAD_LENGTH_BYTES], "little")
    head = json.loads(content[_HEAD_LENGTH_BYTES:stop])
    try:
        card = json.loads(head["__metadata__"]["card"])
        card["lineage"] = {**card.get("lineage", {}), **more}
        head["__metadata__"]["card"] = json.dumps(card)
    except (TypeError, LookupError) as error:
        raise ValueError("it has no card") from error
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _HEAD_LENGTH_BYTES)  # the tensors begin at a multiple of eight bytes
    return len(text).to_bytes(_HEAD_LENGTH_BYTES, "little") + text + content[stop:]


def parse_card(content: Any, plain: ModelCard) -> ModelCard:
    """Return the card of parsed JSON; what it does not say is taken from ``plain``.

    Raises ValueError, TypeError, KeyError or CheckpointError where it is not one.
    """
    if not isinstance(content, dict):
        raise TypeError("it is no JSON object")
    if lacking := _REQUIRED - content.keys():
        raise ValueError(f"it lacks {' and '.join(sorted(lacking))}")
    measured = content.get("measured", {})
    if not isinstance(measured, dict):
        raise TypeError("“measured” is no JSON object")
    temperature = float(content.get("temperature", 1.0))
    if not 0 < temperature < float("inf"):
        raise ValueError("its temperature is no positive number")
    share = float(content.get("night_statistics", 0.0))
    if not 0 <= share <= 1:
        raise ValueError("its night_statistics is no share between 0 and 1")
    lineage, limits = content.get("lineage", {}), content.get("limits", {})
    for name, value in (("lineage", lineage), ("limits", limits)):
        if not isinstance(value, dict):
            raise TypeError(f"“{name}” is not a JSON object")
    member = str(content.get("member", plain.member))
    if member != plain.member:
        MemberName.parse(member)
    return replace(
        plain,
        name=str(content.get("name", plain.name)),
        rate_hz=int(content["rate_hz"]),
        epoch_samples=int(content.get("epoch_samples", plain.epoch_samples)),
        normalisation=Normalisation(content["normalisation"]),
        trained_on=str(content.get("trained_on", "")),
        measured={str(name): float(value) for name, value in measured.items()},
        member=member,
        band_hz=_band(content.get("band_hz")),
        temperature=temperature,
        epoch_temperature=float(content.get("epoch_temperature", 0.0)),
        limits={str(name): float(value) for name, value in limits.items()},
        night_statistics=share,
        notes=str(content.get("notes", "")),
        **{name: _recordings(name, content.get(name, ())) for name in _RECORDING_LISTS},
        lineage=lineage,
    )


def _recordings(name: str, value: Any) -> tuple[NamedRecordings, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, dict) for one in value):
        raise TypeError(f"“{name}” is no list of JSON objects")
    return tuple(
        NamedRecordings(
            str(one.get("dataset", "")),
            str(one.get("use", "")),
            *(_texts(f"{part} of “{name}”", one.get(part, ())) for part in ("subjects", "nights", "sha256")),
        )
        for one in value
    )


def _texts(what: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"the {what} are no list")
    return tuple(map(str, value))


def _band(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = (float(edge) for edge in value)
    if not 0 < low < high:
        raise ValueError("its band is no rising pair of frequencies")
    return low, high
