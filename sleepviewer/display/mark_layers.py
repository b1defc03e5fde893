"""The marks on the page of traces, brought together from all that have some: events, suggestions, annotations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sleepviewer.display.marks import Mark


class MarkBook:
    """Layers of marks by name, shown together; whoever owns a layer changes it without knowing of the others.

    Layers are drawn in the order in which they first came. Keys must be unique over all of them: begin each with its
    layer's name, ``annotation:12``.
    """

    def __init__(self, show: Callable[[Sequence[Mark]], None]) -> None:
        self._show = show
        self._layers: dict[str, tuple[Mark, ...]] = {}

    def set_layer(self, name: str, marks: Sequence[Mark]) -> None:
        """Show other marks in a layer; none takes the layer away."""
        marks = tuple(marks)
        if marks != self._layers.get(name, ()):
            self._layers[name] = marks
            self._show(self.marks)

    def layer(self, name: str) -> tuple[Mark, ...]:
        """The marks of one layer."""
        return self._layers.get(name, ())

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks of all layers."""
        return tuple(mark for layer in self._layers.values() for mark in layer)
