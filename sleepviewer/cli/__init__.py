"""The ``sleepviewer`` command: one module for nights, one for data sets, one for models and their training."""

from sleepviewer.cli.program import main

__all__ = ["main"]
