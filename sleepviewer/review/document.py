"""The document being edited: one night's truth, prediction and corrections.

It is the one place where they change. Views read it and subscribe to :class:`Change`; they never change it behind its
back and never talk to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, StrEnum, auto
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import AlignmentError
from sleepviewer.hypnogram.base import Hypnogram
from sleepviewer.review.edits import NOT_CORRECTED, Edit, EditKind
from sleepviewer.review.events import Event, EventEdit, EventSet, Origin, changed
from sleepviewer.review.lights import Lights, LightsEdit
from sleepviewer.review.undo import Undoable, UndoStack
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import N_STAGES, Proba, Stage, StageArray


class Base(StrEnum):
    """Whose label an epoch gets where the expert at the keyboard has given none."""

    TRUTH = "truth"
    MODEL = "model"
    NONE = "none"


class Change(Enum):
    """What has changed in the document."""

    TRUTH = auto()
    PREDICTION = auto()
    PROVISIONAL = auto()
    EDITS = auto()
    BASE = auto()
    LIGHTS = auto()
    EVENTS = auto()
    SAVED = auto()


class Document:
    """Truth, prediction and edits of one night of ``n_epochs`` epochs."""

    def __init__(self, n_epochs: int, *, scorer: str = "") -> None:
        self.n_epochs = n_epochs
        self.scorer = scorer
        self._truth: Hypnogram | None = None
        self._prediction: Prediction | None = None
        self._provisional: NDArray[np.float32] | None = None
        self._base = Base.NONE
        self._settled_base = Base.NONE  # the one that was saved, or that nobody chose
        self._corrected = np.full(n_epochs, NOT_CORRECTED, dtype=np.int8)
        self._flagged = np.zeros(n_epochs, dtype=bool)
        self._lights = Lights()
        self._events = EventSet()
        self._stack = UndoStack()
        self._base_is_chosen = False
        self._saved_edits: tuple[Undoable, ...] = ()
        self._saved_layers: tuple[Hypnogram | None, Prediction | None] | None = None
        self._listeners: list[Callable[[Change], None]] = []

    # -- being listened to

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; return a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            listener(change)

    # -- the layers

    @property
    def truth(self) -> Hypnogram | None:
        """The expert's hypnogram that came with the night, aligned to its epochs."""
        return self._truth

    def set_truth(self, truth: Hypnogram | None) -> None:
        """Lay an expert's hypnogram under the night; it becomes the base unless one was chosen already.

        Raises AlignmentError where it has another number of epochs (align it first).
        """
        if truth is not None:
            self._check_length(len(truth), "The hypnogram")
        self._truth = truth
        self._tell(Change.TRUTH)
        if truth is not None and self._base is Base.NONE and not self._base_is_chosen:
            self._settle_base(Base.TRUTH)
        elif truth is None and self._base is Base.TRUTH:
            self._settle_base(Base.NONE)

    @property
    def prediction(self) -> Prediction | None:
        """The model's scoring."""
        return self._prediction

    def set_prediction(self, prediction: Prediction | None) -> None:
        """Lay a model's scoring under the night; it becomes the base where there is none yet.

        Raises AlignmentError where it has another number of epochs.
        """
        if prediction is not None:
            self._check_length(len(prediction), "The model's scoring")
        self._prediction = prediction
        self._provisional = None
        self._tell(Change.PREDICTION)
        if prediction is not None and self._base is Base.NONE and self._truth is None and not self._base_is_chosen:
            self._settle_base(Base.MODEL)

    @property
    def proba(self) -> Proba | None:
        """Probabilities to show, ``float32 [n_epochs, 5]``: those coming in while a model scores, else the model's."""
        if self._provisional is not None:
            return self._provisional
        return None if self._prediction is None else self._prediction.proba

    def add_provisional(self, first_epoch: int, proba: Proba) -> None:
        """Show some epochs' probabilities while scoring goes on; :meth:`set_prediction` replaces them."""
        if self._provisional is None:
            self._provisional = np.full((self.n_epochs, N_STAGES), np.nan, dtype=np.float32)
        self._provisional[first_epoch : first_epoch + len(proba)] = proba
        self._tell(Change.PROVISIONAL)

    def drop_provisional(self) -> None:
        """Forget the probabilities of a scoring that was cancelled or failed; the last whole one shows again."""
        if self._provisional is not None:
            self._provisional = None
            self._tell(Change.PROVISIONAL)

    @property
    def base(self) -> Base:
        """Whose label counts where there is no corrected one."""
        return self._base

    def set_base(self, base: Base) -> None:
        """Choose whose label counts where there is no corrected one."""
        self._base_is_chosen = True
        self._change_base(base)

    def _change_base(self, base: Base) -> None:
        if base is not self._base:
            self._base = base
            self._tell(Change.BASE)

    def _settle_base(self, base: Base) -> None:
        self._settled_base = base
        self._change_base(base)

    @property
    def base_is_chosen(self) -> bool:
        """Whether the base was chosen, and not only came with the first truth or scoring."""
        return self._base_is_chosen

    @property
    def corrected(self) -> StageArray:
        """The corrected layer, ``int8 [n_epochs]`` (read-only view), NOT_CORRECTED where nothing was said."""
        return _read_only(self._corrected)

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Epochs that the expert marked as uncertain, ``bool [n_epochs]`` (read-only view)."""
        return _read_only(self._flagged)

    @property
    def edited(self) -> NDArray[np.bool_]:
        """Epochs with a corrected label, ``bool [n_epochs]``."""
        return np.asarray(self._corrected != NOT_CORRECTED)

    @property
    def base_stages(self) -> StageArray:
        """The base's stages, ``int8 [n_epochs]``, UNKNOWN where it has none."""
        if self._base is Base.TRUTH and self._truth is not None:
            return self._truth.stages
        if self._base is Base.MODEL and self._prediction is not None:
            return self._prediction.stages
        return np.full(self.n_epochs, int(Stage.UNKNOWN), dtype=np.int8)

    @property
    def labels(self) -> StageArray:
        """What is exported, ``int8 [n_epochs]``: the corrected label where there is one, else the base's."""
        return np.where(self.edited, self._corrected, self.base_stages).astype(np.int8)

    # -- editing

    def set_stage(self, epochs: Sequence[int], stage: Stage) -> Edit | None:
        """Give the epochs a corrected stage; return the edit, or None where nothing changed."""
        return self._edit(EditKind.STAGE, epochs, [int(stage)] * len(epochs))

    def clear(self, epochs: Sequence[int]) -> Edit | None:
        """Take the corrected label of the epochs away; the base's counts again."""
        return self._edit(EditKind.STAGE, epochs, [NOT_CORRECTED] * len(epochs))

    def accept_model(self, epochs: Sequence[int]) -> Edit | None:
        """Make the model's stage the corrected one, on those of the epochs that the model has scored."""
        if self._prediction is None:
            return None
        stages = self._prediction.stages
        scored = [e for e in epochs if stages[e] != Stage.UNKNOWN]
        return self._edit(EditKind.STAGE, scored, [int(stages[e]) for e in scored])

    def toggle_flag(self, epochs: Sequence[int]) -> Edit | None:
        """Mark the epochs as uncertain, or take the mark away where all have it."""
        flag = not all(self._flagged[e] for e in epochs)
        return self._edit(EditKind.FLAG, epochs, [int(flag)] * len(epochs))

    def _edit(self, kind: EditKind, epochs: Sequence[int], after: Sequence[int]) -> Edit | None:
        layer = self._layer(kind)
        changes = [(e, int(layer[e]), a) for e, a in zip(epochs, after, strict=True) if int(layer[e]) != a]
        if not changes:
            return None
        changed, old, new = (tuple(column) for column in zip(*changes, strict=True))
        model = "" if self._prediction is None else self._prediction.identity
        edit = Edit(kind, changed, old, new, _now(), self.scorer, model)
        self._do(edit)
        return edit

    # -- lights

    @property
    def lights_off(self) -> int | None:
        """The epoch at whose beginning the lights went off, the night's first; None where it is not marked."""
        return self._lights.off

    @property
    def lights_on(self) -> int | None:
        """The epoch at whose beginning the lights went on, the first after the night; None where it is not marked."""
        return self._lights.on

    @property
    def lights(self) -> Lights:
        """Both marks."""
        return self._lights

    def set_lights(self, lights: Lights) -> LightsEdit | None:
        """Mark lights off and on; return the edit, or None where they stand so already.

        Raises AlignmentError where a mark is outside the night, or off does not come before on.
        """
        if not lights.fits(self.n_epochs):
            raise AlignmentError("Lights off must come before lights on, and both must be epochs of the night.")
        if lights == self._lights:
            return None
        edit = LightsEdit(self._lights, lights, _now(), self.scorer)
        self._do(edit)
        return edit

    # -- events

    @property
    def events(self) -> tuple[Event, ...]:
        """All events, the expert's and the suggested ones, by their start."""
        return self._events.ordered

    def events_within(self, start_s: float, stop_s: float) -> tuple[Event, ...]:
        """The events that touch an interval, by their start."""
        return self._events.within(start_s, stop_s)

    def event(self, event_id: str) -> Event | None:
        """Return an event by its id, or None where there is none."""
        return self._events.get(event_id)

    def add_event(self, kind: str, start_s: float, stop_s: float, channel: str | None = None, text: str = "") -> Event:
        """Add an event of the expert's, in seconds on the recording clock, and return it.

        Raises EventError where it has no length, begins before the recording, or its kind is no name.
        """
        now = _now()
        event = Event(self._events.new_id(), kind, start_s, stop_s, channel, Origin.EXPERT, text, now, self.scorer)
        self._do(EventEdit((), (event,), now, self.scorer))
        return event

    def change_event(self, event_id: str, **changes: Any) -> Event | None:
        """Give an event another kind, start_s, stop_s, channel or text; a suggestion becomes the expert's by that.

        Return it as it is now, or None where nothing changed. Raises EventError where it would be no event any more.
        """
        old = self._events.get(event_id)
        if old is None or (new := changed(old, changes, scorer=self.scorer)) == old:
            return None
        self._do(EventEdit((old,), (new,), _now(), self.scorer))
        return new

    def remove_events(self, event_ids: Iterable[str]) -> EventEdit | None:
        """Delete events, dismiss suggestions; return the edit, or None where none of them is there."""
        return self._swap(self._those(event_ids), ())

    def remove_event(self, event_id: str) -> EventEdit | None:
        """Delete an event, or dismiss a suggestion."""
        return self.remove_events([event_id])

    def accept_events(self, event_ids: Iterable[str]) -> EventEdit | None:
        """Make suggestions the expert's own; return the edit, or None where none of them is one."""
        old = tuple(event for event in self._those(event_ids) if event.suggested)
        new = (changed(event, {"origin": Origin.EXPERT, "scorer": self.scorer}, scorer=self.scorer) for event in old)
        return self._swap(old, tuple(new))

    def suggest_events(self, suggestions: Iterable[Event], instead_of: Iterable[str] = ()) -> EventEdit | None:
        """Lay a detector's suggestions under the night, in the place of earlier ones; one edit, undone as a whole.

        Ids and time are given here. Return the edit, or None where nothing is put and nothing taken away.
        """
        now = _now()
        new = tuple(
            replace(event, id=self._events.new_id(), origin=Origin.SUGGESTED, created=now) for event in suggestions
        )
        return self._swap(self._those(instead_of), new)

    def _those(self, event_ids: Iterable[str]) -> tuple[Event, ...]:
        return tuple(event for key in dict.fromkeys(event_ids) if (event := self._events.get(key)) is not None)

    def _swap(self, before: tuple[Event, ...], after: tuple[Event, ...]) -> EventEdit | None:
        if not before and not after:
            return None
        edit = EventEdit(before, after, _now(), self.scorer)
        self._do(edit)
        return edit

    # -- one history for all of it

    def _do(self, edit: Undoable) -> None:
        """Carry out a new command of the expert; whatever changes the night by hand goes through here."""
        self._stack.push(edit)
        self._tell(self._put(edit, forward=True))

    def undo(self) -> Undoable | None:
        """Take the newest command back and return it, or None where there is none."""
        edit = self._stack.undo()
        if edit is not None:
            self._tell(self._put(edit, forward=False))
        return edit

    def redo(self) -> Undoable | None:
        """Do what was undone last again and return it, or None where there is nothing."""
        edit = self._stack.redo()
        if edit is not None:
            self._tell(self._put(edit, forward=True))
        return edit

    def _put(self, edit: Undoable, *, forward: bool) -> Change:
        """Make the document what it is after a command, or what it was before it; return what has changed."""
        match edit:
            case Edit():
                self._apply(edit.kind, edit.epochs, edit.after if forward else edit.before)
                return Change.EDITS
            case LightsEdit():
                self._lights = edit.after if forward else edit.before
                return Change.LIGHTS
            case EventEdit():
                old, new = (edit.before, edit.after) if forward else (edit.after, edit.before)
                self._events.swap(old, new)
                return Change.EVENTS
        raise TypeError(f"no document knows what {type(edit).__name__} changes")

    def _layer(self, kind: EditKind) -> NDArray[Any]:
        return self._corrected if kind is EditKind.STAGE else self._flagged

    def _apply(self, kind: EditKind, epochs: Sequence[int], values: Sequence[int]) -> None:
        self._layer(kind)[list(epochs)] = values

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits of stages and flags that stand, oldest first."""
        return tuple(edit for edit in self._stack.standing if isinstance(edit, Edit))

    @property
    def history(self) -> tuple[Undoable, ...]:
        """All commands that stand, of every kind, oldest first."""
        return self._stack.standing

    @property
    def next_undo(self) -> Undoable | None:
        """What undo would take back, for the menu."""
        return self._stack.next_undo

    @property
    def next_redo(self) -> Undoable | None:
        """What redo would do again, for the menu."""
        return self._stack.next_redo

    # -- saving

    @property
    def unsaved(self) -> bool:
        """Whether saving would keep something that is not kept yet.

        Edits and a chosen base always count; a scoring and a truth do where a saved review holds others.
        """
        if self._stack.standing != self._saved_edits or self._base is not self._settled_base:
            return True
        return self._saved_layers is not None and self._saved_layers != (self._truth, self._prediction)

    def settle_layers(self) -> None:
        """Take truth and prediction as they are for what the saved review goes with: nobody changed them by hand."""
        if self._saved_layers is not None:
            self._saved_layers = (self._truth, self._prediction)

    def mark_saved(self) -> None:
        """Remember the standing edits and the base as saved."""
        self._saved_edits = self._stack.standing
        self._saved_layers = (self._truth, self._prediction)
        self._settled_base = self._base
        self._tell(Change.SAVED)

    def restore(
        self,
        corrected: StageArray,
        flagged: NDArray[np.bool_],
        edits: Iterable[Undoable],
        base: Base | None = None,
        *,
        base_is_chosen: bool = False,
        lights: Lights | None = None,
        events: Iterable[Event] = (),
    ) -> None:
        """Take a saved review over: layers, edits as undoable history, base, lights, events. It counts as saved.

        A base that somebody chose stays when a truth or a scoring comes; another gives way as in a new document.

        Raises AlignmentError where the layers have another number of epochs.
        """
        self._check_length(len(corrected), "The saved review")
        self._corrected = np.array(corrected, dtype=np.int8)
        self._flagged = np.array(flagged, dtype=bool)
        self._lights = Lights() if lights is None else lights
        self._events = EventSet(events)
        self._stack = UndoStack(edits)
        self._events.keep_clear_of(self._stack.standing)
        self._saved_edits = self._stack.standing
        self._saved_layers = (self._truth, self._prediction)
        self._base_is_chosen = base_is_chosen
        self._settle_base(self._base if base is None else base)
        self._tell(Change.EDITS)
        self._tell(Change.LIGHTS)
        self._tell(Change.EVENTS)

    def _check_length(self, length: int, what: str) -> None:
        if length != self.n_epochs:
            raise AlignmentError(f"{what} has {length} epochs, the recording {self.n_epochs}; align it by clock time.")


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
