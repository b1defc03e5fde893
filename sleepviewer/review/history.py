"""Read a history of edits back from an archive, each by its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sleepviewer.errors import ArchiveError
from sleepviewer.review.edits import Edit, EditKind
from sleepviewer.review.events import EVENTS_KIND, EventEdit
from sleepviewer.review.lights import LIGHTS_KIND, LightsEdit
from sleepviewer.review.undo import Undoable

Reader = Callable[[dict[str, Any], int], Undoable]

READERS: dict[str, Reader] = {
    EditKind.STAGE: Edit.from_dict,
    EditKind.FLAG: Edit.from_dict,
    LIGHTS_KIND: LightsEdit.from_dict,
    EVENTS_KIND: EventEdit.from_dict,
}
"""What reads an edit of each ``kind``, given its values and the night's number of epochs."""


def read_undoable(values: Any, n_epochs: int) -> Undoable:
    """Rebuild one command of the history. Raises ArchiveError where the values are no edit of this night."""
    kind = values.get("kind") if isinstance(values, dict) else None
    reader = READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise ArchiveError("The archive's list of edits is damaged; open it without its edits instead.")
    return reader(values, n_epochs)


def read_history(values: Sequence[Any], n_epochs: int) -> list[Undoable]:
    """Rebuild a whole history, oldest first. Raises ArchiveError as :func:`read_undoable` does."""
    return [read_undoable(edit, n_epochs) for edit in values]
