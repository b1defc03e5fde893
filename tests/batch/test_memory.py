"""What a process that scores night after night does with freed memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

_COUNT_FAULTS = """
import resource, sys
import numpy as np
from sleepviewer.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    np.ones(1_000_000)
before = faults()
for _ in range(20):
    np.ones(1_000_000)
print(faults() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone is told")
def test_arrays_are_made_of_memory_that_is_there_where_a_cluster_has_it_given_back() -> None:
    def faults(how: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", _COUNT_FAULTS, how],
            env={"MALLOC_TRIM_THRESHOLD_": "65536"},  # as Dask starts its workers
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return int(done.stdout)

    assert faults("keep") < faults("leave") / 10
