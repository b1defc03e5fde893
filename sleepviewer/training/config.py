"""How a model is trained: every choice in one frozen value, read from and written to TOML."""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

from sleepviewer.errors import TrainingError
from sleepviewer.models.family import MemberName
from sleepviewer.models.normalisation import Normalisation

_POSITIVE: Final = (
    "passes",
    "batch_size",
    "learning_rate",
    "late_learning_rate",
    "folds",
    "threads",
    "context_passes",
    "context_learning_rate",
    "context_window",
)
_NOT_NEGATIVE: Final = ("drop_after", "weight_decay", "patience", "seed")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """A training's choices; the defaults are the published ones where something was published.

    Attributes
    ----------
    model: member of the family.
    passes: passes over the training epochs.
    batch_size: epochs of signal in a batch.
    learning_rate, late_learning_rate, drop_after: Adam's rate in the first ``drop_after`` passes, and after them.
    weight_decay: of Adam with AMSGrad.
    class_weights: weigh the loss by stage as published; else all stages alike.
    normalisation: how the signal is scaled.
    weight_average: decay of the running mean of the weights that is evaluated in the weights' place; 0: none.
    patience: stop after so many passes without a better κ on the validation subjects; 0: never.
    validation_share: share of the training subjects that are held out for picking the pass, at least one.
    folds: parts that the subjects are cut into.
    order: which published order of the subjects is cut: ``sleep-edf-20``, ``sleep-edf-78``, ``shhs``, ``sorted``, or
        ``auto`` for the one of as many subjects.
    seed: of everything random.
    threads: of the processor, for each fold.
    device: ``auto`` takes a GPU where there is one.
    context_passes, context_learning_rate, context_window: passes, rate and length in epochs of the context's training.
    """

    model: str = "attnsleep"
    passes: int = 100
    batch_size: int = 128
    learning_rate: float = 1e-3
    late_learning_rate: float = 1e-4
    drop_after: int = 10
    weight_decay: float = 1e-3
    class_weights: bool = True
    normalisation: str = "none"
    weight_average: float = 0.0
    patience: int = 0
    validation_share: float = 0.2
    folds: int = 20
    order: str = "auto"
    seed: int = 0
    threads: int = 1
    device: str = "auto"
    context_passes: int = 15
    context_learning_rate: float = 2e-3
    context_window: int = 100

    def __post_init__(self) -> None:
        """Raise TrainingError for values that no training can have."""
        MemberName.parse(self.model)
        for names, least in ((_POSITIVE, "more than 0"), (_NOT_NEGATIVE, "0 or more")):
            for name in names:
                value = getattr(self, name)
                if not math.isfinite(value) or value < 0 or (names is _POSITIVE and value == 0):
                    raise TrainingError(f"“{name}” is {value}, but must be {least}.")
        if not 0 < self.validation_share < 1:
            raise TrainingError(f"“validation_share” is {self.validation_share}, but must lie between 0 and 1.")
        if not 0 <= self.weight_average < 1:
            raise TrainingError(f"“weight_average” is {self.weight_average}, but must lie from 0 to below 1.")
        if self.normalisation not in set(Normalisation):
            raise TrainingError(f"“normalisation” is “{self.normalisation}”, not one of {', '.join(Normalisation)}.")

    @classmethod
    def from_dict(cls, values: dict[str, Any], source: str) -> Self:
        """Return the configuration of parsed TOML. Raises TrainingError for unknown names and wrong types."""
        default = cls()
        known: dict[str, type] = {field.name: type(getattr(default, field.name)) for field in fields(cls)}
        if unknown := sorted(values.keys() - known.keys()):
            raise TrainingError(f"{source} holds “{unknown[0]}”, which is no setting; there are: {', '.join(known)}.")
        for name, value in values.items():
            kind = known[name]
            fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
            if not fits and not (kind is float and type(value) is int):
                raise TrainingError(f"“{name}” in {source} is {value!r}, but should be {_KINDS[kind]}.")
        return cls(**{name: known[name](value) for name, value in values.items()})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a TOML file. Raises TrainingError where it can't be read."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TrainingError(f"{path} can't be read: {error.strerror or error}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TrainingError(f"{path.name} is no TOML ({error}).") from error
        return cls.from_dict(values, path.name)

    def to_toml(self) -> str:
        """Return the configuration as TOML, every value of it."""
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in asdict(self).items())


_KINDS: Final[dict[type, str]] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
