"""Which process on which machine: how a lock tells its holder that lives from one that is gone."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any


@cache
def this_machine() -> str:
    """Return what no other machine says of itself, nor this one after a restart or in another container.

    Where the system does not tell that much, it is the host's name alone.
    """
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def start_of(pid: int) -> str | None:
    """Return when a process of this machine started, in the system's own words; None where there is none (any more).

    Empty where there is one and the system does not tell.
    """
    if platform.system() == "Windows":
        return _start_on_windows(pid)
    if platform.system() == "Linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except FileNotFoundError:
            return None
        except OSError:
            return _if_alive(pid)
        return None if fields[0] in "ZX" else fields[19]  # a zombie has died; nobody has asked how
    if _if_alive(pid) is None:
        return None
    try:
        told = subprocess.run(  # noqa: S603
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()


def _if_alive(pid: int) -> str | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return ""  # another user's
    return ""


def _start_on_windows(pid: int) -> str | None:
    import ctypes
    from ctypes import wintypes

    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined, unused-ignore]
    kernel.OpenProcess.restype = wintypes.HANDLE
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return "" if kernel.GetLastError() == 5 else None  # ERROR_ACCESS_DENIED: there is one, of another user
    try:
        code = wintypes.DWORD()
        if kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code)) and code.value != 259:
            return None  # anything but STILL_ACTIVE
        times = [wintypes.FILETIME() for _ in range(4)]
        if not kernel.GetProcessTimes(wintypes.HANDLE(handle), *map(ctypes.byref, times)):
            return ""
        return str(times[0].dwHighDateTime << 32 | times[0].dwLowDateTime)
    finally:
        kernel.CloseHandle(wintypes.HANDLE(handle))
