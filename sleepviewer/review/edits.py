"""Edits of stages and flags, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sleepviewer.archive.archive import NOT_CORRECTED
from sleepviewer.errors import ArchiveError
from sleepviewer.stages import Stage

__all__ = ["NOT_CORRECTED", "Edit", "EditKind"]


class EditKind(StrEnum):
    """Which layer an edit changed."""

    STAGE = "stage"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Edit:
    """One command of the expert: what stood on which epochs before, and what stands there after.

    ``time`` is UTC in ISO 8601, ``scorer`` who did it, ``model`` the engine whose prediction was in view (or empty).
    For STAGE the values are stages or NOT_CORRECTED, for FLAG they are 0 and 1. ``name`` says what it was where that is
    more than its values tell (``revert``); ``blinded`` that others' scorings were hidden, ``agree`` which of the
    scorers that were being judged give the stages that it gives.
    """

    kind: EditKind
    epochs: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    time: str
    scorer: str = ""
    model: str = ""
    name: str = ""
    blinded: bool = False
    agree: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The edit in words, as the menu and the history show it: ``N2 → N3, epochs 412–415`` (counted from 1)."""
        return f"{self.name or self.change}, {epochs_text(self.epochs)}"

    @property
    def change(self) -> str:
        """From what to what: ``N2 → N3``."""
        if self.kind is EditKind.FLAG:
            return "flag" if any(self.after) else "unflag"
        befores, afters = {_value_text(v) for v in self.before}, {_value_text(v) for v in self.after}
        before = befores.pop() if len(befores) == 1 else "several"
        return f"{before} → {afters.pop() if len(afters) == 1 else 'several'}"

    def as_dict(self) -> dict[str, Any]:
        """Return the edit as JSON-ready values, the form that archives keep."""
        return {
            "kind": str(self.kind),
            "epochs": self.epochs,
            "before": self.before,
            "after": self.after,
            "time": self.time,
            "scorer": self.scorer,
            "model": self.model,
            "name": self.name,
            "blinded": self.blinded,
            "agree": self.agree,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], n_epochs: int) -> Edit:
        """Rebuild an edit from :meth:`as_dict`. Raises ArchiveError where the values are no edit of this night."""
        try:
            kind = EditKind(values["kind"])
            epochs, before, after = (tuple(int(v) for v in values[key]) for key in ("epochs", "before", "after"))
            time, scorer, model, name = (str(values.get(key, "")) for key in ("time", "scorer", "model", "name"))
            agree = tuple(str(rater) for rater in values.get("agree", ()))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise ArchiveError("The archive's list of edits is damaged; open it without its edits instead.") from error
        low, high = (NOT_CORRECTED, int(Stage.REM)) if kind is EditKind.STAGE else (0, 1)
        fits = (
            0 < len(epochs) == len(before) == len(after)
            and all(0 <= e < n_epochs for e in epochs)
            and all(low <= v <= high for v in before + after)
        )
        if not fits:
            raise ArchiveError("The archive's edits name epochs or stages that this night does not have.")
        return cls(kind, epochs, before, after, time, scorer, model, name, values.get("blinded") is True, agree)


def _value_text(value: int) -> str:
    return "unscored" if value == NOT_CORRECTED else Stage(value).label


def epochs_text(epochs: tuple[int, ...]) -> str:
    """Return epochs in words, counted from 1: ``epochs 412–415``; how many where they don't follow each other."""
    if len(epochs) == 1:
        return f"epoch {epochs[0] + 1}"
    if list(epochs) == list(range(epochs[0], epochs[-1] + 1)):
        return f"epochs {epochs[0] + 1}–{epochs[-1] + 1}"
    return f"{len(epochs)} epochs"
