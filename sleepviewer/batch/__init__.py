"""Many nights scored without anybody watching: planned, dispatched, written one by one, and taken up again."""

from sleepviewer.batch.manifest import MANIFEST, Line, read_lines
from sleepviewer.batch.night import score_night
from sleepviewer.batch.planning import Job, Plan, Wanted, plan
from sleepviewer.batch.running import Control, Finished, Told, run

__all__ = [
    "MANIFEST",
    "Control",
    "Finished",
    "Job",
    "Line",
    "Plan",
    "Told",
    "Wanted",
    "plan",
    "read_lines",
    "run",
    "score_night",
]
