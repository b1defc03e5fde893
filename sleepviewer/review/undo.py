"""What can be undone, and the stack that undoes and redoes it: one for all that the expert does to a night."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Undoable(Protocol):
    """One command of the expert, as a frozen value that knows what stood before and what stands after.

    Stages and flags, lights and events each have a kind of their own; ``Document._put`` knows what each one changes,
    and :func:`sleepviewer.review.history.read_undoable` how each one is read from an archive.
    """

    @property
    def text(self) -> str:
        """The command in words, as the menu and the history show it."""

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs that it touches, where the window goes when it is undone; at least one."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values, the form that archives keep; ``kind`` says which class reads them."""


class UndoStack:
    """The commands that stand, and those that were undone and can be redone."""

    def __init__(self, edits: Iterable[Undoable] = (), undone: Iterable[Undoable] = ()) -> None:
        self._edits = list(edits)
        self._position = len(self._edits)
        self._edits += undone

    @property
    def position(self) -> int:
        """How many commands are in force."""
        return self._position

    @property
    def standing(self) -> tuple[Undoable, ...]:
        """The commands that are in force, oldest first."""
        return tuple(self._edits[: self._position])

    @property
    def undone(self) -> tuple[Undoable, ...]:
        """The commands that can be done again, the next one first."""
        return tuple(self._edits[self._position :])

    @property
    def next_undo(self) -> Undoable | None:
        """The command that :meth:`undo` would take back."""
        return self._edits[self._position - 1] if self._position else None

    @property
    def next_redo(self) -> Undoable | None:
        """The command that :meth:`redo` would do again."""
        return self._edits[self._position] if self._position < len(self._edits) else None

    def push(self, edit: Undoable) -> None:
        """Add a command; what was undone before it can't be redone any more."""
        del self._edits[self._position :]
        self._edits.append(edit)
        self._position += 1

    def undo(self) -> Undoable | None:
        """Step back over the newest standing command and return it, or None at the beginning."""
        edit = self.next_undo
        if edit is not None:
            self._position -= 1
        return edit

    def redo(self) -> Undoable | None:
        """Step forward over the next undone command and return it, or None at the end."""
        edit = self.next_redo
        if edit is not None:
            self._position += 1
        return edit
