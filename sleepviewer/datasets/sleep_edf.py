"""Sleep-EDF Expanded (PhysioNet): which hypnogram belongs to a recording, and how to fetch a night."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sleepviewer.errors import RecordingError

# SC4001E0-PSG.edf and SC4001EC-Hypnogram.edf: study, subject, night and recorder are shared; what follows tells the
# two files, or the hypnogram's scorer, apart.
_SLEEP_EDF_PSG: Final = re.compile(r"(?P<night>[A-Z]{2}\d{4})\w{2}-PSG\.\w+", re.IGNORECASE)
_PSG_ENDING: Final = re.compile(r"[-_]PSG$", re.IGNORECASE)
_HYPNOGRAM_ENDINGS: Final = frozenset({".edf", ".bdf", ".csv", ".tsv", ".txt"})

_LAST_SUBJECT: Final = 82


def find_truth(recording_path: Path) -> Path | None:
    """Return the hypnogram file that lies beside a recording, or None where there is none or more than one.

    Two conventions are known, without regard to case. Sleep-EDF: ``SC4001E0-PSG.edf`` and ``SC4001EC-Hypnogram.edf``
    share their first six letters. In general: ``NAME.edf`` or ``NAME-PSG.edf`` and ``NAME-Hypnogram.edf`` or
    ``NAME_hypnogram`` with any ending of a hypnogram file.
    """
    stem = recording_path.stem
    bases = {re.escape(stem), re.escape(_PSG_ENDING.sub("", stem))}
    if night := _SLEEP_EDF_PSG.fullmatch(recording_path.name):
        bases.add(night["night"] + r"\w{2}")
    wanted = re.compile(rf"(?:{'|'.join(sorted(bases))})[-_]hypnogram", re.IGNORECASE)
    try:
        beside = list(recording_path.parent.iterdir())
    except OSError:
        return None
    found = [path for path in beside if wanted.fullmatch(path.stem) and path.suffix.lower() in _HYPNOGRAM_ENDINGS]
    return found[0] if len(found) == 1 else None


def fetch_sleep_edf_night(subject: int = 0, night: int = 1, folder: Path | None = None) -> tuple[Path, Path]:
    """Return one night of Sleep-EDF-78 as recording and hypnogram, fetched from PhysioNet where it is not here yet.

    ``subject`` is 0 to 82, ``night`` 1 or 2; ``folder`` is where to look and to keep it (MNE's data folder by
    default). Raises RecordingError where there is no such night or it can't be fetched.
    """
    from mne.datasets.sleep_physionet.age import fetch_data

    if night not in (1, 2) or not 0 <= subject <= _LAST_SUBJECT:
        raise RecordingError(
            f"Sleep-EDF has subjects 0 to {_LAST_SUBJECT} and their nights 1 and 2, not night {night} of {subject}."
        )
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = None if folder is None else str(folder)
        pairs = fetch_data(subjects=[subject], recording=[night], path=path, on_missing="ignore", verbose="error")
    except Exception as error:  # the downloader raises what its network library raises, and changes libraries
        raise RecordingError(
            f"Night {night} of Sleep-EDF subject {subject} can't be fetched ({error}); check the network and try again."
        ) from error
    if not pairs:
        raise RecordingError(f"Sleep-EDF has no night {night} of subject {subject}; choose another subject or night.")
    psg, hypnogram = pairs[0]
    return Path(psg), Path(hypnogram)
