"""Montages that make sense for a recording's channels, offered and never applied unasked.

Only channels that share one reference can be referenced to something else: those whose names end alike
(``C3-Ref`` and ``M2-Ref``, ``C3`` and ``A2``), at the same rate and in the same unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from sleepviewer.display.montage import Derivation, Montage, Trace, as_recorded
from sleepviewer.recording.base import Channel, Recording, Role
from sleepviewer.recording.roles import electrodes_of

OTHER_MASTOID: Final = "Other mastoid"
AVERAGE: Final = "Average reference"
LINKED: Final = "Linked mastoids"

_FEWEST_AVERAGED: Final = 4
"""An average over fewer electrodes is no quiet reference: it holds a third of each electrode's own waves or more."""
_LEFT, _RIGHT = ("m1", "a1"), ("m2", "a2")
_EYE: Final = re.compile(
    r"(?:eog[\s_:]*)?(?:e[12]|[lr]oc|[lr]eog|eog[\s_:]*(?:l|r|left|right))(?:[\s:/\-]+(?P<second>\w+))?"
)
_AVERAGED: Final = ("av", "avg")


def offers(recording: Recording) -> tuple[Montage, ...]:
    """Return the montages that can be offered, the recording as it is first."""
    recorded = as_recorded(recording)
    group = _common_reference(recording)
    if group is None:
        return (recorded,)
    offered = [recorded]
    if group.left and group.right:
        left, right = group.left, group.right
        offered.append(
            _referenced(
                OTHER_MASTOID, recorded, group, lambda electrode: _opposite(electrode, left, right), eyes=(right,)
            )
        )
    if len(group.scalp) >= _FEWEST_AVERAGED and group.second not in _AVERAGED:
        everyone = tuple(group.scalp)
        offered.append(_referenced(AVERAGE, recorded, group, lambda _: everyone, eyes=None))
    if group.left and group.right:
        both = (group.left, group.right)
        offered.append(_referenced(LINKED, recorded, group, lambda _: both, eyes=both))
    return tuple(offered)


@dataclass(slots=True)
class _Group:
    """Channels that share one reference: labels of the scalp's by electrode, of the mastoids, and of the eyes."""

    second: str
    scalp: dict[str, str] = field(default_factory=dict)
    left: str | None = None
    right: str | None = None
    eyes: list[str] = field(default_factory=list)


def _common_reference(recording: Recording) -> _Group | None:
    """Return the largest group of EEG channels with one reference, one rate and one unit; None without any."""
    groups: dict[tuple[str, float, str], _Group] = {}
    for channel in recording.channels:
        electrodes = electrodes_of(channel.file_label) if channel.role is Role.EEG else None
        if electrodes is None:
            continue
        first, second = electrodes
        group = groups.setdefault((second, channel.rate_hz, channel.unit), _Group(second))
        if first in _LEFT:
            group.left = group.left or channel.label
        elif first in _RIGHT:
            group.right = group.right or channel.label
        else:
            group.scalp.setdefault(channel.label, first)
    if not groups:
        return None
    kind, largest = max(groups.items(), key=lambda item: len(item[1].scalp))
    largest.eyes = [
        c.label for c in recording.channels if _is_eye(c, largest.second) and (c.rate_hz, c.unit) == kind[1:]
    ]
    return largest if largest.scalp else None


def _is_eye(channel: Channel, second: str) -> bool:
    match = _EYE.fullmatch(channel.file_label.strip().lower()) if channel.role is Role.EOG else None
    return match is not None and (match["second"] or "") == second


def _opposite(electrode: str, left: str, right: str) -> tuple[str, ...]:
    """Return the mastoid of the other side: odd electrodes are on the left; those in the middle get both."""
    if electrode.endswith("z"):
        return (left, right)
    return (left,) if int(electrode[-1]) % 2 == 0 else (right,)


def _referenced(
    name: str,
    recorded: Montage,
    group: _Group,
    reference: Callable[[str], tuple[str, ...]],
    *,
    eyes: tuple[str, ...] | None,
) -> Montage:
    """Return the montage with the group's scalp electrodes and eyes against a reference, the rest as recorded."""
    traces: list[Trace] = []
    for trace in recorded.traces:
        label = trace.derivation.plus
        if label in group.scalp:
            trace = replace(trace, derivation=Derivation(label, reference(group.scalp[label])))
        elif label in group.eyes and eyes is not None:
            trace = replace(trace, derivation=Derivation(label, eyes))
        elif label in (group.left, group.right):
            trace = replace(trace, visible=False)
        traces.append(trace)
    return Montage(name, tuple(traces))
