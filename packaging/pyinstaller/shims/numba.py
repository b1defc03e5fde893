"""Stands in the bundle for numba, whose compiler alone would take 160 MB: functions run as they are written.

YASA asks antropy for one figure of each epoch that numba would compile (the Higuchi fractal dimension). Interpreted it
comes out the same, after some seconds a night instead of some seconds of compiling. MNE finds no ``prange`` here and
goes its way without numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__version__ = "0"


def jit(*signature: Any, **options: Any) -> Any:
    """Return the function that is decorated, whether called with a signature, with options, or with neither."""
    if len(signature) == 1 and not options and callable(signature[0]) and not isinstance(signature[0], _Type):
        return signature[0]

    def unchanged(function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    return unchanged


njit = jit


class _Type:
    """A type in a signature, or a maker of types; says nothing here."""

    def __call__(self, *_: Any, **__: Any) -> _Type:
        return self


class _Types:
    def __getattr__(self, name: str) -> _Type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Type()


types = _Types()
