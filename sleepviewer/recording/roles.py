"""What a channel records, guessed from its name, and which channels to propose for scoring.

The names are those of AASM montages and of the public sleep collections (Sleep-EDF, SHHS, MESA, MASS, CAP, HMC,
St. Vincent's). A guess only sorts and proposes; the user can choose any channel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sleepviewer.recording.base import Channel, Recording, Role
from sleepviewer.recording.units import parse_unit

MIN_SCORING_RATE_HZ: Final = 50.0
"""Channels below this rate are not proposed: spindles and the sigma band (up to 16 Hz) need more than twice as much,
and collections keep 1-Hz envelopes under the names of real EMG channels."""

_ELECTRODE: Final = r"(?:fp|af|ft|fc|tp|cp|po|[ftcpo])(?:z|10|[1-9])|fpz|iz"
_MASTOID: Final = r"[am][12]"
_REFERENCE: Final = rf"{_ELECTRODE}|{_MASTOID}|(?:{_MASTOID}){{2}}|ref|reference|le|avg?|cle|ler|lle|rle|nz|nose|x"
_DERIVATION: Final = re.compile(
    rf"(?P<first>{_ELECTRODE}|{_MASTOID})(?:[\s_:/\-]*\(?(?P<second>{_REFERENCE})\)?)?", re.IGNORECASE
)
_EEG_PREFIX: Final = re.compile(r"^\s*eeg[\s_:.\-]*", re.IGNORECASE)

# Tried in order on the lower-case name; (?<![a-z]) and (?![a-z]) are word ends that let digits and signs adjoin.
_RULES: Final[tuple[tuple[Role, re.Pattern[str]], ...]] = tuple(
    (role, re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])"))
    for role, pattern in (
        (
            Role.OTHER,
            r"spo2|sao2|o2\s?sat|sat|saturation|stat|pleth|plethysmogram|pulse|ppg|dhr|hr|h\.r\.|heart\s?rate|oxstat|"
            r"ox\s?stat|oxstatus|temp|temperature|event|marker|status|trig|trigger|pos|position|body\s?pos|body|light|"
            r"lights|battery|e[kc]g_off|[a-z0-9]*_off|dc\d+|co2|etco2|tcco2|capno|ph|audio|volume",
        ),
        (Role.ECG, r"e[ck]g[a-z]{0,3}"),
        (Role.EOG, r"[hvlr]?eog[lr]?|[lr]oc|e[12]|(?:left|right|l|r)[\s_\-]?eye|pg[12]"),
        (
            Role.EMG,
            r"[lr]?emg[lr]?|chin\w*|[lcr]\s?chin|(?:sub)?mental\w*|lat|rat|[lr]?[\s_\-]?legs?|tib|tibialis|plm[lrs]?|"
            r"masseter|[ds]x[12]|[lr]arm|arm",
        ),
        (
            Role.RESPIRATION,
            r"resp\w*|c?p?[\s_\-]?flow|air\s?flow|airflow|air|nasal\w*|oral|oro|oronasal|ptaf|pres|pressure|npt|"
            r"therm\w*|termistore|thor\w*|tho|chest|rib\s?cage|torace|abd\w*|addome|effort|rip\w*|x?sum|c?pap|"
            r"[cb]i?pap|snore|snoring|sound|mic",
        ),
        (Role.EEG, r"eeg[a-z]*"),
    )
)
_ELECTROPHYSIOLOGY: Final = frozenset({Role.EEG, Role.EOG, Role.EMG, Role.ECG})
_LEG: Final = re.compile(r"(?<![a-z])(?:lat|rat|[lr]?[\s_\-]?legs?|tib\w*|plm[lrs]?|[ds]x[12]|[lr]?arm)(?![a-z])")
_CHIN: Final = re.compile(r"chin|mental")


def guess_role(label: str, unit: str = "") -> Role:
    """Return what a channel of this name records; OTHER where the name says nothing known.

    ``unit`` (as the file or the channel has it) vetoes: what is measured in per cent or degrees is no EEG, EOG, EMG
    or ECG, whatever its name. An empty unit vetoes nothing.
    """
    role = _role_of_name(label)
    if role in _ELECTROPHYSIOLOGY and unit.strip() and not parse_unit(unit).is_voltage:
        return Role.OTHER
    return role


def _role_of_name(label: str) -> Role:
    if electrodes_of(label) is not None:
        return Role.EEG
    name = label.strip().lower().replace("_", " ") if not label.lower().endswith("_off") else label.strip().lower()
    # An "EEG " in front does not make an EEG of "EEG EKG1"; amplifiers put it before every input.
    rest = _EEG_PREFIX.sub("", name)
    for role, pattern in _RULES:
        if pattern.search(rest):
            return role
    return Role.EEG if rest != name else Role.OTHER


def electrodes_of(label: str) -> tuple[str, str] | None:
    """Return first and second electrode of a 10-20 derivation in lower case (the second may be empty), else None.

    ``EEG C3-Ref`` gives ``("c3", "ref")``, ``M2`` gives ``("m2", "")``.
    """
    match = _DERIVATION.fullmatch(_EEG_PREFIX.sub("", label).strip())
    return None if match is None else (match["first"].lower(), (match["second"] or "").lower())


def propose_scoring_channel(recording: Recording) -> str | None:
    """Return the label of the EEG channel to score, or None where no EEG channel suits.

    Fpz-Cz first (what Sleep-EDF models learned from), then central to mastoid (C4-M1, C3-M2, before the same side),
    other central, frontal, any. Only voltages at :data:`MIN_SCORING_RATE_HZ` or more.
    """
    return _best(recording, Role.EEG, _eeg_rank)


def propose_eog(recording: Recording) -> str | None:
    """Return the label of the eye channel to score with (the left eye first), or None."""
    return _best(recording, Role.EOG, _eog_rank)


def propose_emg(recording: Recording) -> str | None:
    """Return the label of the chin channel to score with, or None; a leg or an arm is never proposed."""
    return _best(recording, Role.EMG, _emg_rank)


def _best(recording: Recording, role: Role, rank: Callable[[str], int | None]) -> str | None:
    candidates: list[tuple[int, int, str]] = []
    for place, channel in enumerate(recording.channels):
        if channel.role is role and _fit_for_scoring(channel):
            value = rank(channel.file_label)
            if value is not None:
                candidates.append((value, place, channel.label))
    return min(candidates)[2] if candidates else None


def _fit_for_scoring(channel: Channel) -> bool:
    return channel.is_voltage and channel.rate_hz >= MIN_SCORING_RATE_HZ


def _eeg_rank(label: str) -> int:
    """Place of an EEG channel in the order of proposals; lower is better."""
    derivation = electrodes_of(label)
    if derivation is None:
        # SHHS calls C4-A1 "EEG" and C3-A2 "EEG(sec)".
        return 60 if label.strip().lower() == "eeg" else 70
    first, second = derivation
    if (first, second) == ("fpz", "cz"):
        return 0
    if first in ("c3", "c4", "cz") and second:
        opposite = {"c4": ("m1", "a1"), "c3": ("m2", "a2")}.get(first, ())
        if second in opposite:
            return 10 if first == "c4" else 11
        if re.fullmatch(_MASTOID, second):
            return 20
    if first in ("c3", "c4", "cz"):
        return 30
    if first.startswith("f") and first[1] not in "ct":
        return 40
    return 90 if re.fullmatch(_MASTOID, first) else 70


def _eog_rank(label: str) -> int:
    name = label.lower()
    if "horiz" in name and "right" not in name:
        return 0
    if re.search(r"(?<![a-z])(?:e1|loc|leog|eogl|l|left|pg1|eog\s?1)(?![a-z0-9])|lefteye", name):
        return 1
    return 2


def _emg_rank(label: str) -> int | None:
    name = label.lower()
    if _LEG.search(name):
        return None
    return 0 if _CHIN.search(name) else 1
