"""SleepViewer: score an overnight EEG, review the scoring, correct it, and export it for training.

In Python and in notebooks the names of :mod:`sleepviewer.api` are here as well, each loaded when it is first used::

    import sleepviewer as sv

    night = sv.open("night.edf")
    prediction = sv.score(night)
    sv.compare(night.truth, prediction).plot()
"""

from importlib import import_module as _import_module

try:
    from sleepviewer._version import __version__
except ModuleNotFoundError:  # nobody installed or built this checkout: what writes the file has never run
    __version__ = "0+unknown"

_API = (
    "compare",
    "engines",
    "export",
    "open",
    "read_hypnogram",
    "read_review",
    "score",
    "simulate",
    "statistics",
)


def __getattr__(name: str) -> object:
    """Load a name of the Python interface when it is first asked for: the window starts without any of it."""
    if name not in _API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module("sleepviewer.api"), name)


def __dir__() -> list[str]:
    return sorted((*globals(), *_API))
