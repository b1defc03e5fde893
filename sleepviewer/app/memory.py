"""Give memory back: what a night took must not stay with the program once another night is open."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 1 << 19


def return_large_blocks() -> None:
    """Have glibc map every large array by itself, so that freeing it gives its memory back.

    Otherwise glibc raises its threshold with every large block that is freed, up to 32 MB, and keeps later ones in a
    heap that the small blocks between them hold open: with a day's zooming and opening of nights the program grows by
    some 35 MB that nothing uses. Other systems' allocators need no such word, and are left alone.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def give_free_memory_back() -> None:
    """Have glibc give back what is free between the blocks that are in use; some milliseconds, now and then.

    Threads that read pages come and go, each with a heap of its own: without it a day's work leaves some 60 MB behind.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
