"""Tells every window that models were kept, activated or deleted: they are the user's, not one window's."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, Signal

_NAME: Final = "model-shelf"


class ModelShelf(QObject):
    """The one of the program; who shows models listens to it, who changes them tells it."""

    changed = Signal()
    """Versions were made, activated or deleted."""
    chosen = Signal(str)
    """An engine's name: it is to be chosen in the tool bar."""

    def use(self, engine_id: str) -> None:
        """Say that models have changed, and that this one is to be chosen."""
        self.changed.emit()
        self.chosen.emit(engine_id)


def model_shelf() -> ModelShelf:
    """Return the program's one; it lives as long as the application."""
    app = QCoreApplication.instance()
    found = None if app is None else app.findChild(ModelShelf, _NAME)
    if not isinstance(found, ModelShelf):
        found = ModelShelf(app)
        found.setObjectName(_NAME)
    return found
