"""A recording on a drive that takes its time, or that is pulled out, for tests of the window."""

from __future__ import annotations

import time
from collections.abc import Callable

from sleepviewer.errors import RecordingError
from sleepviewer.recording.annotations import Annotations
from sleepviewer.recording.base import Recording, Samples


class SlowRecording(Recording):
    """Another recording, each of whose reads takes ``delay_s`` longer; ``gone`` makes reads fail."""

    def __init__(self, recording: Recording, delay_s: float) -> None:
        self._recording = recording
        self.delay_s = delay_s
        self.gone = False
        self.n_reads = 0
        for name in ("path", "format_name", "start", "duration_s", "channels", "gaps", "notes", "simulated", "stamp"):
            setattr(self, name, getattr(recording, name))

    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        self.n_reads += 1
        time.sleep(self.delay_s)
        if self.gone:
            raise RecordingError(f"{self.path} can't be read any more: No such file or directory.")
        return self._recording.read(label, start_s, stop_s)

    def annotations(self) -> Annotations:
        time.sleep(self.delay_s)
        return self._recording.annotations()

    def check_unchanged(self) -> None:
        self._recording.check_unchanged()


def longest_ms(work: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)
