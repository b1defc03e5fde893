"""Which training was begun and not decided on: remembered so that it can be taken up after a kill."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from sleepviewer.app.shell.settings import Settings
from sleepviewer.errors import TrainingError
from sleepviewer.review.processes import start_of, this_machine

if TYPE_CHECKING:
    from sleepviewer.training.fine_tune import FineTuneRequest

_KEY: Final = "retraining/unfinished"


class UnfinishedTraining:
    """Keeps one request in the settings, with the process that is at it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def remember(self, request: FineTuneRequest) -> None:
        """Remember a training that this process begins."""
        holder = [this_machine(), os.getpid(), start_of(os.getpid()) or ""]
        self._settings.set_json(_KEY, {"request": request.to_json(), "holder": holder})

    def forget(self) -> None:
        """Forget it: it was decided on."""
        self._settings.set_json(_KEY, {})

    def found(self) -> FineTuneRequest | None:
        """Return a training that nobody is at any more and whose archives are there; None where there is none."""
        kept = self._settings.get_json(_KEY, {})
        if not kept or _at_work(kept.get("holder")):
            return None
        from sleepviewer.training.fine_tune import FineTuneRequest

        try:
            request = FineTuneRequest.from_json(str(kept.get("request", "")))
        except TrainingError:
            return None
        return request if all(path.is_file() for path in request.archives) else None


def _at_work(holder: object) -> bool:
    """Whether the process that is named lives; of another machine that can't be seen, and it is taken for alive."""
    match holder:
        case [str(machine), int(pid), str(start)]:
            return machine != this_machine() or start_of(pid) == start
    return False
