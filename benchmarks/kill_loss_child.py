"""The program that kill_loss.py kills: edits without an end, each told to the parent once the listeners know it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from kill_loss_steps import SAVE, digest, next_step

from sleepviewer.review.journal import Journal, Safety
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.review.recovery import recoveries, take_up
from sleepviewer.review.saving import save_review
from sleepviewer.review.state_folder import StateFolders

_RETRY_S = 0.2


def main() -> None:
    """Edit until killed."""
    options = json.loads(sys.argv[1])
    path, random = Path(options["night"]), Random(options["seed"])
    folders = StateFolders(Path(options["state"]), Path(options["fallback"]))
    if options["window"]:
        night, journal, show = _in_a_window(path)
    else:
        night, journal = _without_a_window(path, folders, resume=options["resume"])
        show = _nothing
    document = night.document
    if options["user"]:
        os.seteuid(options["user"])
    told: list[object] = []
    document.subscribe(told.append)
    _say(number=0, digest=digest(document), safe=True)
    number, retried = 0, time.monotonic()
    every, start = 1 / options["rate"], time.monotonic()
    while True:
        told.clear()
        began = time.perf_counter()
        what = next_step(document, random, saves=options["saves"])
        took = 1000 * (time.perf_counter() - began)
        if what == SAVE:
            save_review(night, path.with_suffix(".npz"), replace=True)
        elif time.monotonic() - retried > _RETRY_S:
            journal.retry()
            retried = time.monotonic()
        show()
        number += 1
        safety = journal.state.safety
        _say(number=number, what=what, safe=safety is not Safety.UNSAFE, state=safety.name, ms=took if told else 0.0)
        time.sleep(max(start + number * every - time.monotonic(), 0.0))


def _without_a_window(path: Path, folders: StateFolders, *, resume: bool) -> tuple[Night, Journal]:
    night = open_night(path)
    journal = Journal(night, folders)
    if resume:
        for recovered in recoveries(night, folders):
            take_up(night, recovered, journal, folders)
    night.document.set_recorder(journal)
    return night, journal


def _in_a_window(path: Path) -> tuple[Night, Journal, Callable[[], None]]:
    """Open the real window; its own part keeps the journal."""
    from PySide6.QtWidgets import QApplication

    from sleepviewer.app.files.safety_feature import SafetyPart
    from sleepviewer.app.main import _application
    from sleepviewer.app.window import MainWindow

    app = _application()
    window = MainWindow()
    window.show()
    window.open_path(path)
    part = next(part for part in window.parts if isinstance(part, SafetyPart))
    assert window.session is not None
    assert part.journal is not None
    _KEPT.append(window)
    app.processEvents()
    return window.session.night, part.journal, QApplication.processEvents


_KEPT: list[object] = []


def _nothing() -> None:
    """There is no screen."""


def _say(**values: object) -> None:
    os.write(1, (json.dumps(values) + "\n").encode())


if __name__ == "__main__":
    main()
