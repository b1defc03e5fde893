"""The child's side of a fine-tuning: ``python -m sleepviewer.training.fine_tune_child``.

The first line on standard input is the request as JSON; after it ``pause``, ``resume`` and ``cancel`` are understood.
Standard output has one JSON object a line: progress (``{"phase": …, "step": …, "of": …, "loss": …,
"kappa_corrected": …, "kappa_others": …, "seconds": …, "cpu_seconds": …}``), ``{"paused": true}`` and
``{"paused": false}`` when that has taken effect, and in the end ``{"done": …}``, ``{"failed": …}`` or
``{"cancelled": true}``. Where standard input is closed the parent is gone, and the child leaves at once; what was done
is on disk.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any, Final, TextIO

from sleepviewer import errors
from sleepviewer.errors import SleepViewerError, TrainingCancelled, TrainingError

_THREAD_LIMITS: Final = (
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
_NICENESS: Final = 10


def main() -> None:
    """Carry out the request that comes first on standard input."""
    _be_modest()
    out = sys.stdout
    sys.stdout = sys.stderr  # what a library prints is no line of ours
    _Child(sys.stdin, out).run()


def _be_modest() -> None:
    """Leave the cores to the window: one thread, low priority; Ctrl-C is the parent's affair.

    The limits must be there before numpy and torch are loaded.
    """
    os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(_NICENESS)


class _Child:
    """Tunes in the main thread while a second thread listens."""

    def __init__(self, commands: TextIO, out: TextIO) -> None:
        self._commands = commands
        self._out = out
        self._running = threading.Event()
        self._running.set()
        self._cancelled = threading.Event()
        self._writing = threading.Lock()

    def run(self) -> None:
        line = self._commands.readline()
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        try:
            from sleepviewer.training.fine_tune import FineTuneRequest
            from sleepviewer.training.tuner import fine_tune

            request = FineTuneRequest.from_json(line)
            result = fine_tune(request, lambda progress: self._write(progress.as_dict()), self._wait)
            self._write({"done": result.as_dict()})
        except TrainingCancelled:
            self._write({"cancelled": True})
        except SleepViewerError as error:
            kind = next(c.__name__ for c in type(error).__mro__ if hasattr(errors, c.__name__))
            self._write({"failed": {"kind": kind, "sentence": str(error), "details": traceback.format_exc()}})
        except Exception as error:  # whatever a library raises is told to the user
            last_line = traceback.format_exception_only(error)[-1].strip().splitlines()[0].rstrip(".")
            sentence = f"Fine-tuning failed: {last_line}."
            told = {"kind": TrainingError.__name__, "sentence": sentence, "details": traceback.format_exc()}
            self._write({"failed": told})

    def _wait(self) -> None:
        """Wait while paused. Raises TrainingCancelled."""
        if not self._running.is_set() and not self._cancelled.is_set():
            self._write({"paused": True})
            self._running.wait()
            self._write({"paused": False})
        if self._cancelled.is_set():
            raise TrainingCancelled("Fine-tuning was cancelled; the model is as it was.")

    def _listen(self) -> None:
        for line in self._commands:
            match line.strip():
                case "pause":
                    self._running.clear()
                case "resume":
                    self._running.set()
                case "cancel":
                    self._cancelled.set()
                    self._running.set()
        os._exit(0)

    def _write(self, values: dict[str, Any]) -> None:
        with self._writing:
            try:
                self._out.write(json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n")
                self._out.flush()
            except OSError:  # nobody reads any more
                os._exit(0)


if __name__ == "__main__":
    main()
