"""What a killed program had done: a sequence of steps that its seed alone decides, and what a review amounts to."""

from __future__ import annotations

import hashlib
from random import Random

import numpy as np

from sleepviewer.review.document import Base, Document
from sleepviewer.review.lights import Lights
from sleepviewer.stages import SCORED_STAGES

SAVE = "save"
_SAVE_SHARE = 1 / 80


def next_step(document: Document, random: Random, *, saves: bool) -> str:
    """Take the next step on a document and return its name; SAVE asks the caller to save instead."""
    if saves and random.random() < _SAVE_SHARE:
        return SAVE
    first = random.randrange(document.n_epochs - 5)
    epochs = list(range(first, first + random.choice((1, 1, 1, 5))))
    what = random.choice(("stage",) * 6 + ("clear", "flag", "event", "lights", "base", "undo", "undo", "redo"))
    if what == "stage":
        document.set_stage(epochs, random.choice(SCORED_STAGES))
    elif what == "clear":
        document.clear(epochs)
    elif what == "flag":
        document.toggle_flag(epochs)
    elif what == "event":
        document.add_event("spindle", first * 30.0 + 1, first * 30.0 + 2.5, "EEG", "")
    elif what == "lights":
        document.set_lights(Lights(first))
    elif what == "base":
        document.set_base(random.choice(list(Base)))
    elif what == "undo":
        document.undo()
    else:
        document.redo()
    return what


def digest(document: Document) -> str:
    """Return a hash of everything that a review says, but for times and what redo holds."""
    parts = (
        np.asarray(document.corrected).tobytes(),
        np.asarray(document.flagged).tobytes(),
        repr(document.lights).encode(),
        repr(sorted((event.kind, event.start_s, event.stop_s) for event in document.events)).encode(),
        str(document.base).encode(),
        repr([edit.text for edit in document.history]).encode(),
    )
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:16]
