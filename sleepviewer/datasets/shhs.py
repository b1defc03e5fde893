"""The Sleep Heart Health Study (NSRR): how its files and channels are named, and which belong together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sleepviewer.datasets.sources import ChannelWish, NightSources, files_in
from sleepviewer.errors import DatasetError

RATE_HZ: Final = 125.0

# The files do not say their derivations: “EEG” is C4-A1; C3-A2 has several names.
_LABELS: Final = {
    "C4-A1": ("EEG", "C4-A1", "EEG C4-A1"),
    "C3-A2": ("EEG(sec)", "EEG2", "EEG 2", "EEG sec", "C3-A2", "EEG C3-A2"),
}
_RECORDING: Final = re.compile(r"shhs(?P<visit>[12])-(?P<subject>\d{6})\.edf", re.IGNORECASE)
_HYPNOGRAM: Final = re.compile(r"(?P<night>shhs[12]-\d{6})-profusion\.xml", re.IGNORECASE)


def find_nights(recordings: Path, hypnograms: Path, only: Path | None = None) -> tuple[NightSources, ...]:
    """Return the nights of a folder of recordings with their hypnograms from another, in order.

    ``only`` is a text file with the nights to take, one a line: ``shhs1-200001``, also with an ending.

    Raises DatasetError where there is none, or one that ``only`` names is not there.
    """
    truths = {
        match["night"].lower(): path for path in files_in(hypnograms) if (match := _HYPNOGRAM.fullmatch(path.name))
    }
    wanted = None if only is None else _names(only)
    nights: dict[str, NightSources] = {}
    for path in files_in(recordings):
        match = _RECORDING.fullmatch(path.name)
        night = path.stem.lower()
        if match is None or (wanted is not None and night not in wanted):
            continue
        truth = truths.get(night)
        trouble = "" if truth else f"{night}-profusion.xml is not in {hypnograms}."
        nights[night] = NightSources(night, match["subject"], int(match["visit"]), path, truth, trouble)
    if absent := sorted((wanted or set()) - nights.keys()):
        more = "" if len(absent) == 1 else f" and {len(absent) - 1} more that {only} names"
        raise DatasetError(f"{recordings} has no {absent[0]}.edf{more}; fetch it, or take it off the list.")
    if not nights:
        raise DatasetError(f"{recordings} holds no recording of SHHS (shhs1-200001.edf …); name the folder with them.")
    return tuple(nights[night] for night in sorted(nights))


def channel_wish(channel: str) -> ChannelWish:
    """Return what to look for in the files for a derivation (``C4-A1``, ``C3-A2``) or a label of theirs."""
    return ChannelWish("shhs", channel, _LABELS.get(channel.upper(), (channel,)), RATE_HZ, loosely=True)


def _names(only: Path) -> set[str]:
    try:
        words = only.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"The list {only} can't be read: {getattr(error, 'strerror', '') or error}.") from error
    if not words:
        raise DatasetError(f"The list {only} names no night.")
    return {word.lower().removesuffix(".edf").removesuffix(".npz") for word in words}
