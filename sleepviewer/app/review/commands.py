"""What the review keys do to a session: stages, navigation, undo. No widgets here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sleepviewer.app.session import NightSession
from sleepviewer.review.navigation import disagreeing_epochs, next_in, transition_epochs, unscored_epochs
from sleepviewer.review.undo import Undoable
from sleepviewer.stages import Stage

Tell = Callable[[str], None]

_STAGE_COMMANDS = {"w": Stage.W, "n1": Stage.N1, "n2": Stage.N2, "n3": Stage.N3, "rem": Stage.REM}


class ReviewCommands:
    """The commands of the key table that need a night, by their names.

    ``tell`` shows a word in the status line; ``sure`` asks before the whole night is reverted (to what was saved, or
    not).
    """

    def __init__(self, session: NightSession, tell: Tell, sure: Callable[[bool], bool]) -> None:
        self._session = session
        self._sure = sure
        self._tell = tell
        self.advance = False

    def table(self) -> dict[str, Callable[[], object]]:
        """Commands of the key table and what calls them."""
        move = self._session_move
        commands: dict[str, Callable[[], object]] = {
            "undo": self._undo,
            "redo": self._redo,
            "clear": lambda: self._edit(self._session.document.clear(list(self._session.selected))),
            "flag": lambda: self._edit(self._session.document.toggle_flag(list(self._session.selected))),
            "revert": self._revert,
            "revert_saved": partial(self._revert, to_saved=True),
            "revert_all": self._revert_all,
            "revert_all_saved": partial(self._revert_all, to_saved=True),
            "accept": self._accept,
            "accept_range": self._accept_range,
            "next_epoch": lambda: move(1),
            "previous_epoch": lambda: move(-1),
            "forward_ten": lambda: move(10),
            "back_ten": lambda: move(-10),
            "extend_right": lambda: self._session.extend_to(self._session.epoch + 1),
            "extend_left": lambda: self._session.extend_to(self._session.epoch - 1),
            "first_epoch": lambda: self._session.go_to(0),
            "last_epoch": lambda: self._session.go_to(self._session.document.n_epochs - 1),
            "next_disagreement": lambda: self._disagreement(1),
            "previous_disagreement": lambda: self._disagreement(-1),
            "next_doubt": lambda: self._doubt(1),
            "previous_doubt": lambda: self._doubt(-1),
            "next_unscored": self._unscored,
            "next_transition": self._transition,
        }
        for name, stage in _STAGE_COMMANDS.items():
            commands[f"stage_{name}"] = partial(self._set, stage)
            commands[f"stage_{name}_next"] = partial(self._set, stage, go_on=True)
        return commands

    # -- taking back to what was

    def _revert(self, *, to_saved: bool = False) -> None:
        self._edit(self._session.document.revert(list(self._session.selected), to_saved=to_saved))

    def _revert_all(self, *, to_saved: bool = False) -> None:
        document = self._session.document
        if self._sure(to_saved):
            self._edit(document.revert(range(document.n_epochs), to_saved=to_saved))

    def _session_move(self, epochs: int) -> None:
        self._session.go_to(self._session.epoch + epochs)

    # -- editing

    def _set(self, stage: Stage, *, go_on: bool = False) -> None:
        selected = self._session.selected
        self._edit(self._session.document.set_stage(list(selected), stage))
        self._go_on(selected.stop, go_on=go_on)

    def _accept(self) -> None:
        epoch = self._session.epoch
        if self._accept_epochs([epoch]) or not self._session.in_order:
            self._go_on(epoch + 1)

    def _accept_range(self) -> None:
        if self._accept_epochs(list(self._session.selected)) and self._session.in_order:
            self._go_on(self._session.selected.stop)

    def _go_on(self, following: int, *, go_on: bool = False) -> None:
        """After an edit: to the next of the queue in the order of doubt, else on along the night where that is set."""
        if self._session.in_order:
            self._doubt(1, after=True)
        elif go_on or self.advance:
            self._session.go_to(following)

    def _accept_epochs(self, epochs: list[int]) -> bool:
        """Accept the model's stages; return whether there are any."""
        prediction = self._session.document.prediction
        if prediction is None:
            self._tell("There is no model's stage to accept yet: press S to score")
            return False
        if not prediction.scored[epochs].any():
            self._tell("The model did not score here (a gap, or no signal): set a stage yourself")
            return False
        self._edit(self._session.document.accept_model(epochs))
        return True

    def _edit(self, edit: Undoable | None) -> None:
        self._tell("Nothing to change: it stands so already" if edit is None else edit.text)

    def _undo(self) -> None:
        edit = self._session.document.undo()
        self._show_undone("Undone", edit)

    def _redo(self) -> None:
        edit = self._session.document.redo()
        self._show_undone("Done again", edit)

    def _show_undone(self, word: str, edit: Undoable | None) -> None:
        """Go where the edit was, so that she sees what came back."""
        if edit is None:
            self._tell("Nothing to undo" if word == "Undone" else "Nothing to do again")
            return
        if self._session.epoch not in edit.epochs:
            self._session.go_to(edit.epochs[0])
        self._tell(f"{word}: {edit.text}")

    # -- going places

    def _disagreement(self, direction: int) -> None:
        walk = self._session.walk
        if walk is not None:
            epoch = walk.step(self._session.epoch, direction)
            self._go(epoch, f"epoch of “{walk.name}”", direction)
            if epoch is not None and (place := walk.place(epoch)) is not None:
                self._tell(f"{place + 1} of {len(walk.epochs)} in “{walk.name}”")
            return
        epochs = disagreeing_epochs(self._session.document)
        if not len(epochs):
            self._tell("Expert and model do not disagree anywhere (both are needed)")
            return
        self._go(next_in(epochs, self._session.epoch, direction), "disagreement", direction)

    def _doubt(self, direction: int, *, after: bool = False) -> None:
        """Step through the queue; ``after`` an edit, whose words stay in the status line."""
        if self._session.document.prediction is None:
            self._tell("The model's doubt is known once the night is scored: press S")
            return
        queue = self._session.queue
        epoch = queue.resume() if after else queue.step(direction)
        if epoch is None and direction > 0:
            queue.restart()
            left = len(queue.order)
            self._tell(f"The end of the list; {left} epochs were passed over" + (": U begins anew" if left else ""))
        elif epoch is not None and after:
            self._session.go_to(epoch)
        else:
            self._go(epoch, "epoch to review", direction)

    def _unscored(self) -> None:
        self._go(next_in(unscored_epochs(self._session.document), self._session.epoch, 1), "unscored epoch", 1)

    def _transition(self) -> None:
        self._go(next_in(transition_epochs(self._session.document), self._session.epoch, 1), "transition", 1)

    def _go(self, epoch: int | None, what: str, direction: int) -> None:
        if epoch is None:
            self._tell(f"No {'further' if direction > 0 else 'earlier'} {what}")
        else:
            self._tell("")
            self._session.go_to(epoch)
