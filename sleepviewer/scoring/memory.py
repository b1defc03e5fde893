"""Keep what a night's arrays took for those of the next, in a process that scores one after another."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 1 << 26
_MAPPED_FROM_BYTES: Final = 1 << 25


def keep_freed_memory() -> None:
    """Have glibc keep up to 64 MB of what was freed, instead of giving it back and asking for it again.

    Scoring frees and takes arrays of megabytes all the time. Dask starts its workers with ``MALLOC_TRIM_THRESHOLD_`` at
    64 KB, so that glibc gives back each of them, and clears each anew: a night then takes 1.1 s instead of 0.75 s.
    Other systems' allocators are left alone.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
