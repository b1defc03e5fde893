"""A small night of 40 epochs for tests of the window, and what a window has open."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt

from helpers import night_files
from sleepviewer.app.session import NightSession
from sleepviewer.app.window import MainWindow
from sleepviewer.review.edits import NOT_CORRECTED

N = 40
write_night = partial(night_files.write_night, n=N)
KEYPAD = Qt.KeyboardModifier.KeypadModifier


def session_of(window: MainWindow) -> NightSession:
    assert window.session is not None
    return window.session


def corrected_of(window: MainWindow) -> dict[int, int]:
    """The corrected epochs and their stages."""
    layer = session_of(window).document.corrected
    return {int(e): int(layer[e]) for e in np.flatnonzero(layer != NOT_CORRECTED)}
