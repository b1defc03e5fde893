"""Lay a hypnogram on a recording's epochs by clock time, and say aloud what did not fit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import AlignmentError, AmbiguousHypnogramError
from sleepviewer.hypnogram.base import Hypnogram, StageTrack
from sleepviewer.stages import EPOCH_S, N_STAGES, Stage, StageArray

_OFF_GRID_S: Final = 0.01
"""Deviations from the 30-second grid below this are rounding."""

_TIE_S: Final = 1e-6
"""Seconds by which two stages of an epoch may differ and still cover the same time; less than that is rounding."""

_DAY_S: Final = 86400.0

_OTHER_LENGTHS_S: Final = (20.0, 10.0, 5.0)
_CLEARLY_OFF: Final = 0.05
"""Share of a recording by which a hypnogram must be longer or shorter before another length of epochs is thought of."""

_NEGLIGIBLE: Final = 0.05
"""Parts of an epoch outside the recording below this (1.5 s) go with the note on the 30-second grid."""


def align(track: StageTrack, *, start: datetime | None, n_epochs: int, name: str) -> Hypnogram:
    """Lay a track on the ``n_epochs`` epochs of the recording ``name`` that begins at ``start``.

    Every epoch takes the stage that covers most of it (of several that cover as much, the one that comes first), and
    is UNKNOWN where stages cover less than half of it. A track with a time of day but no date is laid by that on the
    day on which it covers most of the recording, of several the nearest. Where the track or the recording has no clock
    at all, both are taken to start together. The notes tell by how much the two differ: earlier or later start and end,
    scored epochs outside the recording, epochs without a label, boundaries off the 30-second grid. UNKNOWN epochs
    outside the recording go without a word.

    Raises AlignmentError where no epoch of the recording is covered, or where the track's places are not known and it
    has more or fewer epochs than the recording; AmbiguousHypnogramError where the track does not say how long its
    stages last, and they fill the recording only with another length than 30 s.
    """
    if track.whole_only and track.duration_s != n_epochs * EPOCH_S:
        raise AlignmentError(
            f"{track.source} does not tell where in the night its {_epochs(track.duration_s / EPOCH_S)} lie, and "
            f"{name} has {n_epochs}; choose the hypnogram of the whole night."
        )
    _check_length(track, n_epochs, name)
    offset_s, notes = _offset(track, start, n_epochs, name)
    placed = _place(track, offset_s, n_epochs)
    if not placed.overlaps:
        raise AlignmentError(_no_overlap(track, start, n_epochs, name))
    notes += _extent_notes(placed, track.source, name)
    notes += _grid_notes(placed, track.source, name)
    return Hypnogram(placed.stages, start, track.source, track.scorer, (*track.notes, *notes))


def to_hypnogram(track: StageTrack) -> Hypnogram:
    """Lay a track on its own grid, which begins at its second 0; bouts before that are left out, with a note."""
    n_epochs = int((track.duration_s + EPOCH_S / 2) // EPOCH_S)
    placed = _place(track, 0.0, n_epochs)
    notes = list(track.notes)
    if placed.before > _NEGLIGIBLE:
        notes.append(f"{track.source}: {_epochs(placed.before, 'scored ')} before its own start left out.")
    notes += _grid_notes(placed, track.source, "its own start")
    return Hypnogram(placed.stages, track.start, track.source, track.scorer, tuple(notes))


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A track on a recording's grid; times are seconds on the recording clock, before and after count epochs.

    ``first_s`` and ``last_s`` bound all labels, ``scored_first_s`` and ``scored_last_s`` those but UNKNOWN.
    """

    stages: StageArray
    labelled: NDArray[np.bool_]
    first_s: float
    last_s: float
    scored_first_s: float
    scored_last_s: float
    before: float
    after: float
    off_grid_s: float
    overlaps: bool


def _offset(track: StageTrack, start: datetime | None, n_epochs: int, name: str) -> tuple[float, list[str]]:
    """Return the recording time of the track's second 0, and a note where not both have a date."""
    if start is not None and track.start is not None:
        return (track.start - start).total_seconds(), []
    if start is not None and track.start_time is not None:
        offset_s = _offset_by_day(track, (_of_day(track.start_time) - _of_day(start.time())).total_seconds(), n_epochs)
        side = "after" if offset_s > 0 else "before"
        place = f"{_span(abs(offset_s))} {side} its start" if offset_s else "at its start"
        note = f"{track.source} gives no date; it was laid on {name} by its time of day"
        return offset_s, [f"{note}, {_clock(track.start_time)}, {place}."]
    clockless = name if start is None else track.source
    return 0.0, [f"{clockless} gives no start time; {track.source} was taken to start with {name}."]


def _check_length(track: StageTrack, n_epochs: int, name: str) -> None:
    n_stages, duration_s = track.lengths_unsaid, n_epochs * EPOCH_S
    if not n_stages or abs(n_stages * EPOCH_S - duration_s) <= _CLEARLY_OFF * duration_s:
        return
    fitting = [length for length in _OTHER_LENGTHS_S if abs(n_stages * length - duration_s) <= EPOCH_S]
    if fitting:
        raise AmbiguousHypnogramError(
            f"{track.source} lists {n_stages} stages and does not say how long each lasts; {name} is as long as they "
            f"are at {fitting[0]:g} s each. If so, write “# epoch: {fitting[0]:g} s” above them, else "
            f"“# epoch: {EPOCH_S:g} s”."
        )


def _of_day(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)


def _offset_by_day(track: StageTrack, offset_s: float, n_epochs: int) -> float:
    """Move an offset by whole days to where the track covers most of the recording, of several the smallest."""
    end_s = n_epochs * EPOCH_S
    onsets = np.array([b.onset_s for b in track.bouts if b.stage != Stage.UNKNOWN], dtype=np.float64)
    lengths = np.array([b.duration_s for b in track.bouts if b.stage != Stage.UNKNOWN], dtype=np.float64)

    def covered_s(offset: float) -> float:
        begins = onsets + offset
        return float(((begins + lengths).clip(0, end_s) - begins.clip(0, end_s)).sum())

    days = range(-int(track.duration_s // _DAY_S) - 2, int(end_s // _DAY_S) + 2)
    return max(
        (offset_s + day * _DAY_S for day in days), key=lambda offset: (round(covered_s(offset), 3), -abs(offset))
    )


def _place(track: StageTrack, offset_s: float, n_epochs: int) -> _Placed:
    onsets = np.array([b.onset_s for b in track.bouts], dtype=np.float64) + offset_s
    stops = onsets + np.array([b.duration_s for b in track.bouts], dtype=np.float64)
    labels = np.array([b.stage for b in track.bouts], dtype=np.int8)
    end_s = n_epochs * EPOCH_S
    cover, since = _cover(onsets.clip(0, end_s), stops.clip(0, end_s), labels, n_epochs)
    by_stage = cover[:, :N_STAGES]
    enough = by_stage.sum(axis=1) > EPOCH_S / 2 - _TIE_S
    longest = by_stage > by_stage.max(axis=1, keepdims=True) - _TIE_S
    winners = np.where(longest, since[:, :N_STAGES], np.inf).argmin(axis=1)
    stages = np.where(enough, winners, int(Stage.UNKNOWN)).astype(np.int8)
    scored = labels != Stage.UNKNOWN
    extent = scored if scored.any() else np.ones_like(scored)
    labelled = cover.sum(axis=1) > EPOCH_S / 2 - _TIE_S
    return _Placed(
        stages=stages,
        labelled=labelled,
        first_s=float(onsets.min(initial=np.inf)),
        last_s=float(stops.max(initial=-np.inf)),
        scored_first_s=float(onsets[scored].min(initial=np.inf)),
        scored_last_s=float(stops[scored].max(initial=-np.inf)),
        before=float(((stops.clip(max=0) - onsets.clip(max=0)) * scored).sum() / EPOCH_S),
        after=float(((stops.clip(min=end_s) - onsets.clip(min=end_s)) * scored).sum() / EPOCH_S),
        off_grid_s=_off_grid(onsets[extent & (onsets < end_s) & (stops > 0)]),
        overlaps=bool((enough if scored.any() else labelled).any()),
    )


def _cover(
    onsets: NDArray[np.float64], stops: NDArray[np.float64], labels: NDArray[np.int8], n_epochs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the seconds of each stage in each epoch, and when it first occurs there (infinity where it does not).

    Both are ``[n_epochs, 6]``; the last column, index -1, is UNKNOWN's.
    """
    cover = np.zeros((n_epochs, N_STAGES + 1))
    since = np.full((n_epochs, N_STAGES + 1), np.inf)
    begins = np.arange(n_epochs) * EPOCH_S
    for onset, stop, stage in zip(onsets, stops, labels, strict=True):
        if stop <= onset:
            continue
        first, last = int(onset // EPOCH_S), int(np.ceil(stop / EPOCH_S)) - 1
        cover[first : last + 1, stage] += EPOCH_S
        cover[first, stage] -= onset - first * EPOCH_S
        cover[last, stage] -= (last + 1) * EPOCH_S - stop
        there = since[first : last + 1, stage]
        np.minimum(there, begins[first : last + 1].clip(min=onset), out=there)
    return cover, since


def _off_grid(onsets: NDArray[np.float64]) -> float:
    """Return the largest distance of onsets to the 30-second grid, with its sign."""
    if not onsets.size:
        return 0.0
    distances = onsets - np.round(onsets / EPOCH_S) * EPOCH_S
    return float(distances[np.abs(distances).argmax()])


def _extent_notes(placed: _Placed, source: str, name: str) -> list[str]:
    notes: list[str] = []
    end_s = len(placed.stages) * EPOCH_S
    unlabelled = np.flatnonzero(~placed.labelled)
    centres = (unlabelled + 0.5) * EPOCH_S
    head, tail = int((centres < placed.first_s).sum()), int((centres > placed.last_s).sum())
    if placed.before > _NEGLIGIBLE:
        notes.append(
            f"{source} starts {_span(-placed.scored_first_s)} earlier than {name}; "
            f"{_epochs(placed.before, 'scored ')} before the recording left out."
        )
    elif placed.first_s > _OFF_GRID_S:
        notes.append(
            f"{source} starts {_span(placed.first_s)} later than {name}; {_epochs(head)} there without a label."
        )
    if placed.after > _NEGLIGIBLE:
        notes.append(
            f"{source} is longer than {name}: it ends {_span(placed.scored_last_s - end_s)} later; "
            f"{_epochs(placed.after, 'scored ')} after the recording's last whole epoch left out."
        )
    elif end_s - placed.last_s > _OFF_GRID_S:
        notes.append(
            f"{source} is shorter than {name}: it ends {_span(end_s - placed.last_s)} earlier; {_epochs(tail)} there "
            "without a label."
        )
    if holes := len(unlabelled) - head - tail:
        notes.append(f"{source} has no label for {_epochs(holes)} in between.")
    return notes


def _grid_notes(placed: _Placed, source: str, name: str) -> list[str]:
    if abs(placed.off_grid_s) < _OFF_GRID_S:
        return []
    return [
        f"{source} lies up to {abs(placed.off_grid_s):.4g} s off the 30-second grid of {name}; every epoch has the "
        "stage that covers most of it."
    ]


def _no_overlap(track: StageTrack, start: datetime | None, n_epochs: int, name: str) -> str:
    if not track.bouts or not n_epochs:
        empty = name if track.bouts else track.source
        return f"{track.source} and {name} have no epoch in common, because {empty} is empty."
    if start is not None and track.start is None and track.start_time is not None:
        return (
            f"{track.source} starts at {_clock(track.start_time)} of an unknown day and {name} at "
            f"{start:%Y-%m-%d %H:%M:%S}, and they have no epoch in common; choose the hypnogram of this night."
        )
    if track.start is None or start is None:
        return f"{track.source} has no stage within the {n_epochs} epochs of {name}; is it another night's?"
    return (
        f"{track.source} starts at {track.start:%Y-%m-%d %H:%M:%S} and {name} at {start:%Y-%m-%d %H:%M:%S}, and they "
        "have no epoch in common; choose the hypnogram of this night."
    )


def _epochs(count: float, kind: str = "") -> str:
    """Say how many epochs, with a decimal only where there is one."""
    number = f"{round(count, 1):g}"
    return f"{number} {kind}epoch" if number == "1" else f"{number} {kind}epochs"


def _clock(moment: time) -> str:
    return f"{moment:%H:%M:%S}"


def _span(seconds: float) -> str:
    """Say a length of time: ``12.5 s``, ``5 min``, ``1 h 2 min 30 s``."""
    if seconds < 60:
        return f"{seconds:.4g} s"
    whole = round(seconds)
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
