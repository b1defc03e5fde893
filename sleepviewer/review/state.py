"""All that a review is at one moment, as a value that can be written down and taken up again."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.archive.archive import NOT_CORRECTED
from sleepviewer.errors import ArchiveError
from sleepviewer.hypnogram.base import Hypnogram
from sleepviewer.review.blinding import NOT_BLINDED, Blinding
from sleepviewer.review.events import Event
from sleepviewer.review.history import read_history
from sleepviewer.review.lights import Lights
from sleepviewer.review.predictions import prediction_facts, prediction_of
from sleepviewer.review.undo import Undoable
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import N_STAGES, Stage, StageArray


class Base(StrEnum):
    """Whose label an epoch gets where the expert at the keyboard has given none."""

    TRUTH = "truth"
    MODEL = "model"
    NONE = "none"


NO_LIGHTS: Final = Lights()


@dataclass(frozen=True, slots=True, eq=False)
class ReviewState:
    """The layers of a review and the history that led to them.

    ``corrected`` is ``int8 [n_epochs]``, ``flagged`` ``bool [n_epochs]``; ``done`` are the commands in force, oldest
    first, ``undone`` those that redo would do again, the next one first.
    """

    corrected: StageArray
    flagged: NDArray[np.bool_]
    lights: Lights = NO_LIGHTS
    events: tuple[Event, ...] = ()
    done: tuple[Undoable, ...] = ()
    undone: tuple[Undoable, ...] = ()
    base: Base = Base.NONE
    base_is_chosen: bool = False
    truth: Hypnogram | None = None
    prediction: Prediction | None = None
    blinding: Blinding = NOT_BLINDED

    def says_the_same_as(self, other: ReviewState) -> bool:
        """Whether both have the same labels, marks, base and history in force; what redo holds does not count."""
        return (
            self.done == other.done
            and np.array_equal(self.corrected, other.corrected)
            and np.array_equal(self.flagged, other.flagged)
            and (self.lights, set(self.events), self.base) == (other.lights, set(other.events), other.base)
        )

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "corrected": self.corrected.tolist(),
            "flagged": np.flatnonzero(self.flagged).tolist(),
            "lights": self.lights.as_dict(),
            "events": [event.as_dict() for event in self.events],
            "done": [edit.as_dict() for edit in self.done],
            "undone": [edit.as_dict() for edit in self.undone],
            "base": str(self.base),
            "base_is_chosen": self.base_is_chosen,
            "truth": truth_as_dict(self.truth),
            "prediction": prediction_as_dict(self.prediction),
            "blinding": self.blinding.as_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], n_epochs: int) -> ReviewState:
        """Rebuild from :meth:`as_dict`. Raises ArchiveError where the values are no review of ``n_epochs`` epochs."""
        try:
            corrected = np.array(values["corrected"], dtype=np.int64)
            flags = np.array(values["flagged"], dtype=np.int64)
            base = Base(values["base"])
            events = tuple(Event.from_dict(event) for event in values["events"])
            done, undone = (tuple(read_history(values[key], n_epochs)) for key in ("done", "undone"))
            lights = Lights.from_dict(values["lights"], n_epochs)
            truth, prediction = values["truth"], values["prediction"]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ArchiveError(f"The review's state is damaged ({error!r}).") from error
        fits = (
            corrected.shape == (n_epochs,)
            and bool(((corrected >= NOT_CORRECTED) & (corrected <= int(Stage.REM))).all())
            and flags.ndim == 1
            and bool(((flags >= 0) & (flags < n_epochs)).all())
        )
        if not fits:
            raise ArchiveError("The review's state is of another night.")
        flagged = np.zeros(n_epochs, dtype=bool)
        flagged[flags] = True
        return cls(
            corrected.astype(np.int8),
            flagged,
            lights,
            events,
            done,
            undone,
            base,
            values.get("base_is_chosen") is True,
            truth_from_dict(truth, n_epochs),
            prediction_from_dict(prediction, n_epochs),
            Blinding.from_dict(values.get("blinding")),
        )


def truth_as_dict(truth: Hypnogram | None) -> dict[str, Any] | None:
    """Return an expert's hypnogram as JSON-ready values."""
    if truth is None:
        return None
    return {
        "stages": truth.stages.tolist(),
        "start": None if truth.start is None else truth.start.isoformat(),
        "source": truth.source,
        "scorer": truth.scorer,
        "notes": list(truth.notes),
    }


def truth_from_dict(values: Any, n_epochs: int) -> Hypnogram | None:
    """Rebuild from :func:`truth_as_dict`. Raises ArchiveError where the values are no hypnogram of this night."""
    if values is None:
        return None
    try:
        start = values["start"]
        truth = Hypnogram(
            np.array(values["stages"], dtype=np.int64),
            None if start is None else datetime.fromisoformat(start),
            str(values["source"]),
            str(values["scorer"]),
            tuple(str(note) for note in values["notes"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ArchiveError(f"The review's hypnogram of the expert is damaged ({error!r}).") from error
    if len(truth) != n_epochs:
        raise ArchiveError("The review's hypnogram of the expert is of another night.")
    return truth


def prediction_as_dict(prediction: Prediction | None) -> dict[str, Any] | None:
    """Return a scoring as JSON-ready values: its probabilities are the bytes of little-endian float32, in base64."""
    if prediction is None:
        return None
    proba = base64.b64encode(prediction.proba.astype("<f4").tobytes()).decode("ascii")
    return prediction_facts(prediction) | {"proba": proba}


def prediction_from_dict(values: Any, n_epochs: int) -> Prediction | None:
    """Rebuild from :func:`prediction_as_dict`. Raises ArchiveError where the values are no scoring of this night."""
    if values is None:
        return None
    try:
        raw = base64.b64decode(values["proba"], validate=True)
        proba = np.frombuffer(raw, dtype="<f4").reshape(n_epochs, N_STAGES)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ArchiveError(f"The review's scoring by a model is damaged ({error!r}).") from error
    return prediction_of(values, proba.astype(np.float32))


def same_prediction(a: Prediction | None, b: Prediction | None) -> bool:
    """Whether two scorings have the same probabilities of the same model."""
    if a is None or b is None:
        return a is b
    return a.identity == b.identity and np.array_equal(a.proba, b.proba, equal_nan=True)


def same_truth(a: Hypnogram | None, b: Hypnogram | None) -> bool:
    """Whether two experts' hypnograms have the same stages."""
    if a is None or b is None:
        return a is b
    return np.array_equal(a.stages, b.stages)


def common_beginning(a: Sequence[Undoable], b: Sequence[Undoable]) -> int:
    """Return with how many commands two histories begin alike."""
    differing = (place for place, (left, right) in enumerate(zip(a, b, strict=False)) if left != right)
    return next(differing, min(len(a), len(b)))
