"""Collects Python's garbage in the window's thread alone.

Python collects cycles in whichever thread happens to allocate, and a widget or a timer in such a cycle would then be
destroyed beside the window's thread, which ends the process now and then. Here a timer does what the collector would.
"""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

from sleepviewer.memory import give_free_memory_back

_EVERY_MS: Final = 500
_TRIM_EVERY: Final = 60
"""So many looks between two at what memory can be given back."""


class WindowCollector(QObject):
    """Collects by the usual thresholds, between two events; as long as it lives nothing else does."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thresholds = gc.get_threshold()
        self._ticks = 0
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(_EVERY_MS)

    def close(self) -> None:
        """Leave the collecting to Python again."""
        self._timer.stop()
        gc.enable()

    def _collect(self) -> None:
        self._ticks += 1
        if self._ticks % _TRIM_EVERY == 0:
            give_free_memory_back()
        counts = gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > self._thresholds[generation]:
                gc.collect(generation)
                return
