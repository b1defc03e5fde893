"""What glibc does with memory that was freed: a window gives it back, a process that scores night after night keeps it.

Other systems' allocators need no such word, and are left alone.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 1 << 19
_KEPT_BYTES: Final = 1 << 26
_MAPPED_FROM_BYTES: Final = 1 << 25


def return_large_blocks() -> None:
    """Have glibc map every large array by itself, so that freeing it gives its memory back.

    Otherwise glibc raises its threshold with every large block that is freed, up to 32 MB, and keeps later ones in a
    heap that the small blocks between them hold open: with a day's zooming and opening of nights the program grows by
    some 35 MB that nothing uses.
    """
    _set_thresholds(mapped_from_bytes=_LARGE_BYTES, kept_bytes=_LARGE_BYTES)


def keep_freed_memory() -> None:
    """Have glibc keep up to 64 MB of what was freed, instead of giving it back and asking for it again.

    Scoring frees and takes arrays of megabytes all the time. Dask starts its workers with ``MALLOC_TRIM_THRESHOLD_`` at
    64 KB, so that glibc gives back each of them, and clears each anew: a night then takes 1.1 s instead of 0.75 s.
    """
    _set_thresholds(mapped_from_bytes=_MAPPED_FROM_BYTES, kept_bytes=_KEPT_BYTES)


def give_free_memory_back() -> None:
    """Have glibc give back what is free between the blocks that are in use; some milliseconds, now and then.

    Threads that read pages come and go, each with a heap of its own: without it a day's work leaves some 60 MB behind.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # musl has none
            trim(0)


def _set_thresholds(*, mapped_from_bytes: int, kept_bytes: int) -> None:
    if sys.platform.startswith("linux"):
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:  # musl has none
            mallopt(_M_MMAP_THRESHOLD, mapped_from_bytes)
            mallopt(_M_TRIM_THRESHOLD, kept_bytes)
