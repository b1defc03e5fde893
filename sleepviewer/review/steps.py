"""What a document tells its recorder: every step that changes a review, as a value, before anybody sees the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sleepviewer.errors import ArchiveError
from sleepviewer.hypnogram.base import Hypnogram
from sleepviewer.review.blinding import Blinding
from sleepviewer.review.history import read_undoable
from sleepviewer.review.state import (
    Base,
    prediction_as_dict,
    prediction_from_dict,
    truth_as_dict,
    truth_from_dict,
)
from sleepviewer.review.undo import Undoable
from sleepviewer.scoring.base import Prediction


@dataclass(frozen=True, slots=True)
class Done:
    """The expert did something new."""

    edit: Undoable


@dataclass(frozen=True, slots=True)
class Undone:
    """The newest command in force was taken back."""


@dataclass(frozen=True, slots=True)
class Redone:
    """What was taken back last was done again."""


@dataclass(frozen=True, slots=True)
class BaseChosen:
    """Another one's label counts where nothing was corrected."""

    base: Base


@dataclass(frozen=True, slots=True, eq=False)
class TruthLaid:
    """Another expert's hypnogram (or none) lies under the night."""

    truth: Hypnogram | None


@dataclass(frozen=True, slots=True, eq=False)
class PredictionLaid:
    """Another model's scoring (or none) lies under the night."""

    prediction: Prediction | None


@dataclass(frozen=True, slots=True)
class Saved:
    """All of it was saved to a file."""

    where: str


@dataclass(frozen=True, slots=True)
class Blinded:
    """Others' scorings are hidden from now on."""

    blinding: Blinding


@dataclass(frozen=True, slots=True)
class Unblinded:
    """Others' scorings are shown again, for good."""

    blinding: Blinding


Step = Done | Undone | Redone | BaseChosen | TruthLaid | PredictionLaid | Saved | Blinded | Unblinded


class Recorder(Protocol):
    """Is told every step before the document takes it, and so before anything on the screen can show it."""

    def record(self, *steps: Step) -> None:
        """Keep one step, or several that are taken together.

        It must not raise: what can't be kept is the recorder's to tell, and the edit is made anyway.
        """


def step_as_dict(step: Step) -> dict[str, Any]:
    """Return a step as JSON-ready values; ``op`` names what it is."""
    match step:
        case Done(edit):
            return {"op": "do", "edit": edit.as_dict()}
        case Undone():
            return {"op": "undo"}
        case Redone():
            return {"op": "redo"}
        case BaseChosen(base):
            return {"op": "base", "base": str(base)}
        case TruthLaid(truth):
            return {"op": "truth", "truth": truth_as_dict(truth)}
        case PredictionLaid(prediction):
            return {"op": "prediction", "prediction": prediction_as_dict(prediction)}
        case Saved(where):
            return {"op": "saved", "where": where}
        case Blinded(blinding):
            return {"op": "blind", "blinding": blinding.as_dict()}
        case Unblinded(blinding):
            return {"op": "unblind", "blinding": blinding.as_dict()}


def step_from_dict(values: dict[str, Any], n_epochs: int) -> Step:
    """Rebuild from :func:`step_as_dict`. Raises ArchiveError where the values are no step of a night so long."""
    try:
        match values["op"]:
            case "do":
                return Done(read_undoable(values["edit"], n_epochs))
            case "undo":
                return Undone()
            case "redo":
                return Redone()
            case "base":
                return BaseChosen(Base(values["base"]))
            case "truth":
                return TruthLaid(truth_from_dict(values["truth"], n_epochs))
            case "prediction":
                return PredictionLaid(prediction_from_dict(values["prediction"], n_epochs))
            case "saved":
                return Saved(str(values["where"]))
            case "blind":
                return Blinded(Blinding.from_dict(values["blinding"]))
            case "unblind":
                return Unblinded(Blinding.from_dict(values["blinding"]))
    except (KeyError, ValueError) as error:
        raise ArchiveError(f"A step of the review is damaged ({error!r}).") from error
    raise ArchiveError(f"Nobody knows what a step “{values['op']}” of a review is.")
