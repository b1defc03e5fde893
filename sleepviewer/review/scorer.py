"""Who is scoring: the name that every edit, every review, every journal and every lock bears."""

from __future__ import annotations

import getpass
import hashlib
import re

from sleepviewer.hypnogram.words import one_line


def usual_scorer() -> str:
    """Return the name of whoever is logged in; ``scorer`` where the system does not tell it."""
    try:
        return one_line(getpass.getuser()) or "scorer"
    except (OSError, KeyError, ImportError):  # ImportError: Windows without a name in the environment
        return "scorer"


def name_in_files(scorer: str) -> str:
    """Return a scorer's name as it stands in names of files: what can be read of it, and what tells it from others."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", scorer)[:24].strip("_") or "scorer"
    return readable if readable == scorer else f"{readable}-{hashlib.sha256(scorer.encode()).hexdigest()[:6]}"
