"""The document being edited: one night's truth, prediction and corrections.

It is the one place where they change. Views read it and subscribe to :class:`Change`; they never change it behind its
back and never talk to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import ReadOnlyError
from sleepviewer.hypnogram.base import Hypnogram
from sleepviewer.review.blinding import NOT_BLINDED, Blinding
from sleepviewer.review.change import Change
from sleepviewer.review.edits import NOT_CORRECTED, Edit, EditKind
from sleepviewer.review.events import Event, EventEdit, EventSet
from sleepviewer.review.layers import Layers
from sleepviewer.review.lights import Lights, LightsEdit
from sleepviewer.review.marking import Marking, now
from sleepviewer.review.state import Base, ReviewState, same_prediction, same_truth
from sleepviewer.review.steps import (
    BaseChosen,
    Blinded,
    Done,
    PredictionLaid,
    Recorder,
    Redone,
    Saved,
    Step,
    TruthLaid,
    Unblinded,
    Undone,
)
from sleepviewer.review.undo import Undoable, UndoStack
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import Stage, StageArray

__all__ = ["Base", "Change", "Document"]


class Document(Layers, Marking):
    """Truth, prediction and edits of one night of ``n_epochs`` epochs."""

    def __init__(self, n_epochs: int, *, scorer: str = "") -> None:
        self.n_epochs = n_epochs
        self.scorer = scorer
        super().__init__()
        self._corrected = np.full(n_epochs, NOT_CORRECTED, dtype=np.int8)
        self._flagged = np.zeros(n_epochs, dtype=bool)
        self._lights = Lights()
        self._events = EventSet()
        self._stack = UndoStack()
        self._saved_corrected = self._corrected.copy()
        self._saved_blinding = NOT_BLINDED
        self._raters: Mapping[str, StageArray] = {}
        self._saved_edits: tuple[Undoable, ...] = ()
        self._saved_layers: tuple[Hypnogram | None, Prediction | None] | None = None
        self._listeners: list[Callable[[Change], None]] = []
        self._recorder: Recorder | None = None
        self._read_only = ""

    # -- being listened to

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; return a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            listener(change)

    # -- being kept

    def set_recorder(self, recorder: Recorder | None) -> None:
        """Have a recorder told every step that changes the review, before the listeners are told of the change."""
        self._recorder = recorder

    def _record(self, *steps: Step) -> None:
        if self._recorder is not None:
            self._recorder.record(*steps)

    @property
    def read_only(self) -> str:
        """Why nothing can be edited, as a sentence; empty where it can."""
        return self._read_only

    def set_read_only(self, why: str) -> None:
        """Refuse edits with this sentence from now on, or (empty) allow them again."""
        self._read_only = why
        self._tell(Change.SAVED)

    def _check_writable(self) -> None:
        if self._read_only:
            raise ReadOnlyError(self._read_only)

    # -- the corrected layer

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
        if self.prediction is None:
            return None
        stages = self.prediction.stages
        scored = [e for e in epochs if stages[e] != Stage.UNKNOWN]
        return self._edit(EditKind.STAGE, scored, [int(stages[e]) for e in scored])

    def toggle_flag(self, epochs: Sequence[int]) -> Edit | None:
        """Mark the epochs as uncertain, or take the mark away where all have it."""
        flag = not all(self._flagged[e] for e in epochs)
        return self._edit(EditKind.FLAG, epochs, [int(flag)] * len(epochs))

    def revert(self, epochs: Sequence[int], *, to_saved: bool = False) -> Edit | None:
        """Make the epochs what the base says, or (``to_saved``) what was saved last: a new edit, undone as any other.

        It is about stages; flags stay. Return the edit, or None where nothing changed.
        """
        if to_saved:
            return self._edit(
                EditKind.STAGE, epochs, [int(self._saved_corrected[e]) for e in epochs], "revert to what was saved"
            )
        return self._edit(EditKind.STAGE, epochs, [NOT_CORRECTED] * len(epochs), "revert")

    def judge(self, raters: Mapping[str, StageArray]) -> None:
        """Have each edit of stages say from now on which of these scorers, by name, give the stage that it gives."""
        self._raters = dict(raters)

    def take_stages(self, epochs: Sequence[int], stages: Sequence[int], name: str) -> Edit | None:
        """Give each of the epochs a stage of its own, as one edit of this name: ``consensus of A and B``."""
        return self._edit(EditKind.STAGE, epochs, stages, name)

    def _edit(self, kind: EditKind, epochs: Sequence[int], after: Sequence[int], name: str = "") -> Edit | None:
        layer = self._layer(kind)
        changes = [(e, int(layer[e]), a) for e, a in zip(epochs, after, strict=True) if int(layer[e]) != a]
        if not changes:
            return None
        changed, old, new = (tuple(column) for column in zip(*changes, strict=True))
        model = "" if self.prediction is None else self.prediction.identity
        agree = self._who_agrees(changed, new) if kind is EditKind.STAGE else ()
        edit = Edit(kind, changed, old, new, now(), self.scorer, model, name, self.blinded, agree)
        self._do(edit)
        return edit

    def _who_agrees(self, epochs: Sequence[int], after: Sequence[int]) -> tuple[str, ...]:
        return tuple(
            name for name, stages in self._raters.items() if np.array_equal(np.asarray(stages)[list(epochs)], after)
        )

    # -- one history for all of it

    def _do(self, edit: Undoable) -> None:
        """Carry out a new command of the expert; whatever changes the night by hand goes through here.

        Raises ReadOnlyError where nothing can be edited.
        """
        self._check_writable()
        self._record(Done(edit))
        self._stack.push(edit)
        self._tell(self._put(edit, forward=True))

    def undo(self) -> Undoable | None:
        """Take the newest command back and return it, or None where there is none."""
        if self._stack.next_undo is None:
            return None
        self._check_writable()
        self._record(Undone())
        edit = self._stack.undo()
        if edit is not None:
            self._tell(self._put(edit, forward=False))
        return edit

    def redo(self) -> Undoable | None:
        """Do what was undone last again and return it, or None where there is nothing."""
        if self._stack.next_redo is None:
            return None
        self._check_writable()
        self._record(Redone())
        edit = self._stack.redo()
        if edit is not None:
            self._tell(self._put(edit, forward=True))
        return edit

    def step_to(self, position: int) -> int:
        """Undo or redo until ``position`` commands are in force (0: none), and return how many steps that were.

        The recorder is told every one of them before, the listeners once of each kind of change after. Raises
        IndexError where the history is not so long, ReadOnlyError where nothing can be edited.
        """
        here, whole = self._n_edits, self._n_edits + len(self._stack.undone)
        if not 0 <= position <= whole:
            raise IndexError(f"the history has {whole} commands, not {position}")
        steps = abs(position - here)
        if not steps:
            return 0
        self._check_writable()
        forward = position > here
        self._record(*[Redone() if forward else Undone()] * steps)
        changes: dict[Change, None] = {}
        for _ in range(steps):
            edit = self._stack.redo() if forward else self._stack.undo()
            assert edit is not None
            changes[self._put(edit, forward=forward)] = None
        for change in changes:
            self._tell(change)
        return steps

    @property
    def _n_edits(self) -> int:
        return self._stack.position

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
    def undone(self) -> tuple[Undoable, ...]:
        """All commands that were taken back and can be done again, the next one first."""
        return self._stack.undone

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
        if self._blinding != self._saved_blinding and (self._blinding.until or self._blinding.seen_before):
            return True  # blinding alone, of a night in which nothing was seen or done, is nothing to lose
        return self._saved_layers is not None and self._saved_layers != (self._truth, self._prediction)

    def settle_layers(self) -> None:
        """Take truth and prediction as they are for what the saved review goes with: nobody changed them by hand."""
        if self._saved_layers is not None:
            self._saved_layers = (self._truth, self._prediction)

    def mark_saved(self, where: str = "") -> None:
        """Remember the standing edits and the base as saved to a file."""
        self._record(Saved(where))
        self._saved_edits = self._stack.standing
        self._saved_corrected, self._saved_blinding = self._corrected.copy(), self._blinding
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
        undone: Iterable[Undoable] = (),
        blinding: Blinding = NOT_BLINDED,
    ) -> None:
        """Take a saved review over: layers, edits as undoable history, base, lights, events, what redo holds, blinding.

        It counts as saved. A base that somebody chose stays when a truth or a scoring comes; another gives way as in a
        new document.

        Raises AlignmentError where the layers have another number of epochs.
        """
        self._check_length(len(corrected), "The saved review")
        self._corrected = np.array(corrected, dtype=np.int8)
        self._flagged = np.array(flagged, dtype=bool)
        self._lights = Lights() if lights is None else lights
        self._events = EventSet(events)
        self._stack = UndoStack(edits, undone)
        self._events.keep_clear_of((*self._stack.standing, *self._stack.undone))
        self._blinding = blinding
        self._saved_edits = self._stack.standing
        self._saved_corrected, self._saved_blinding = self._corrected.copy(), blinding
        self._saved_layers = (self._truth, self._prediction)
        self._base_is_chosen = base_is_chosen
        self._settle_base(self._base if base is None else base)
        self._tell(Change.EDITS)
        self._tell(Change.LIGHTS)
        self._tell(Change.EVENTS)

    # -- as a whole

    @property
    def state(self) -> ReviewState:
        """All that the review is at this moment."""
        return ReviewState(
            self._corrected.copy(),
            self._flagged.copy(),
            self._lights,
            self.events,
            self._stack.standing,
            self._stack.undone,
            self._base,
            self._base_is_chosen,
            self._truth,
            self._prediction,
            self._blinding,
        )

    def take(self, state: ReviewState) -> None:
        """Become what another document of this night was, in place of all that is here; what is saved stays so.

        A truth or a scoring that the state lacks stays as well. The recorder is not told. Raises AlignmentError where
        the state has another number of epochs, ReadOnlyError where nothing can be edited.
        """
        self._check_length(len(state.corrected), "The review")
        self._check_writable()
        self._corrected, self._flagged = state.corrected.copy(), state.flagged.copy()
        self._lights = state.lights
        self._events = EventSet(state.events)
        self._stack = UndoStack(state.done, state.undone)
        self._events.keep_clear_of((*state.done, *state.undone))
        if state.truth is not None and not same_truth(state.truth, self._truth):
            self._truth = state.truth
        if state.prediction is not None and not same_prediction(state.prediction, self._prediction):
            self._prediction = state.prediction
        self._base, self._base_is_chosen = state.base, state.base_is_chosen
        self._blinding = state.blinding
        for change in (
            Change.BLINDING,
            Change.TRUTH,
            Change.PREDICTION,
            Change.BASE,
            Change.EDITS,
            Change.LIGHTS,
            Change.EVENTS,
        ):
            self._tell(change)

    def repeat(self, step: Step) -> None:
        """Take a step that a recorder kept, as it was taken then."""
        match step:
            case Done(edit):
                self._do(edit)
                if isinstance(edit, EventEdit):
                    self._events.keep_clear_of((edit,))
            case Undone():
                self.undo()
            case Redone():
                self.redo()
            case BaseChosen(base):
                self.set_base(base)
            case TruthLaid(truth):
                self.set_truth(truth)
            case PredictionLaid(prediction):
                self.set_prediction(prediction)
            case Blinded(blinding) | Unblinded(blinding):
                self._set_blinding(blinding)
            case Saved(where):
                self.mark_saved(where)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
