"""With what a training was run: versions, machine, revision."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import sleepviewer

_PACKAGES: Final = ("torch", "numpy", "scipy", "scikit-learn", "mne", "joblib", "distributed")


def environment(device: str) -> dict[str, Any]:
    """Return what a reader needs to repeat a run, as JSON-ready values."""
    import torch

    gpu = torch.cuda.get_device_name(0) if device in ("auto", "cuda") and torch.cuda.is_available() else None
    return {
        "sleepviewer": sleepviewer.__version__,
        "revision": _revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "gpu": gpu,
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """Return the git revision of the checkout that this runs from, with ``+changes`` where files differ."""
    folder = Path(sleepviewer.__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return None
    try:
        revision, changes = (
            subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603, S607
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return revision.strip() + ("+changes" if changes.strip() else "")
