"""A model's card: what its file says about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sleepviewer.models.family import MemberName
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.models.shape import InputShape

_REQUIRED: Final = frozenset({"rate_hz", "normalisation"})
"""Guessing either would give wrong stages without a word."""

_KAPPA: Final = "kappa"
_HEAD_LENGTH_BYTES: Final = 8
_LONGEST_HEAD: Final = 100_000_000  # the format's own limit


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model's file says about it.

    Attributes
    ----------
    name: how the model is called where several of a member are there.
    rate_hz, epoch_samples: of the input.
    normalisation: how the input is scaled.
    trained_on: on which recordings.
    measured: the figures measured with it, name to value, each on nights that it never saw. A name says where, and
        which figure: ``ucddb018 kappa``.
    member: which of the family it is, for example ``attnsleep+context``.
    band_hz: the band to which the input is filtered before it is scaled, or None.
    temperature: what the logits are divided by to become calibrated (1: not calibrated).
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
    night_statistics: float = 0.0
    notes: str = ""
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
        """Return the card as JSON-ready values."""
        return asdict(self)


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
    lineage = content.get("lineage", {})
    if not isinstance(lineage, dict):
        raise TypeError("“lineage” is no JSON object")
    member = str(content.get("member", plain.member))
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
        night_statistics=share,
        notes=str(content.get("notes", "")),
        lineage=lineage,
    )


def _band(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = (float(edge) for edge in value)
    if not 0 < low < high:
        raise ValueError("its band is no rising pair of frequencies")
    return low, high
