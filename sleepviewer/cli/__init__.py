"""The ``sleepviewer`` command: one module for nights, one for data sets, one for models and their training."""

from sleepviewer.cli.data import fetch, prepare
from sleepviewer.cli.program import main

main.add_command(fetch)
main.add_command(prepare)

__all__ = ["main"]
