"""Switches of the page of traces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """What the user has switched: filters, guide lines, EEG negative up."""

    filters_on: bool = True
    guides: bool = False
    negative_up: bool = False
