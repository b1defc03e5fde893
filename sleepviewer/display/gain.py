"""How many units a lane shows: sensible at the start, stepped by the user."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sleepviewer.display.montage import Trace, shown_channel
from sleepviewer.display.page import read_page
from sleepviewer.recording.base import Recording, Role
from sleepviewer.stages import EPOCH_S

STEPS = tuple(float(m * 10**e) for e in range(-3, 6) for m in (1, 2, 5))
"""Half heights of a lane that the gain keys step through, in the channel's unit."""

# Half heights (µV) at which scorers are used to seeing each kind of signal; left only where the signal does not fit.
_USUAL = {Role.EEG: 100.0, Role.EOG: 200.0, Role.EMG: 50.0, Role.ECG: 1000.0}

_PROBES = 12
_EVERY_SAMPLE = 1 << 30
"""More columns than a page has samples, so that none is left out."""


def starting_half_height(recording: Recording, trace: Trace) -> float:
    """Return the half height for one lane; see :func:`starting_half_heights`."""
    return starting_half_heights(recording, [trace])[0]


def starting_half_heights(recording: Recording, traces: Sequence[Trace]) -> list[float]:
    """Return the half heights for lanes in their units: the usual ones for their roles, where the signals suit them.

    Looks at twelve epochs spread over the night: where the 99th percentile of |signal| fills less than a tenth or
    more than one and a half of the usual half height, or the role has no usual one, the next step above that
    percentile is taken.
    """
    return [
        _suiting(size, usual_half_height(recording, trace))
        for trace, size in zip(traces, _typical_sizes(recording, traces), strict=True)
    ]


def usual_half_height(recording: Recording, trace: Trace) -> float | None:
    """Return the half height (µV) at which scorers are used to seeing such a channel; None where there is none."""
    channel = shown_channel(recording, trace)
    return _USUAL.get(channel.role) if channel.is_voltage else None


def _suiting(size: float, usual: float | None) -> float:
    if usual is not None and (size == 0 or 0.1 * usual <= size <= 1.5 * usual):
        return usual
    return next((s for s in STEPS if s >= size), STEPS[-1]) if size > 0 else 1.0


def step(half_height: float, direction: int) -> float:
    """Return the next larger (1) or smaller (-1) half height; traces shrink or grow accordingly."""
    if direction > 0:
        return next((s for s in STEPS if s > half_height * 1.001), STEPS[-1])
    return next((s for s in reversed(STEPS) if s < half_height * 0.999), STEPS[0])


def _typical_sizes(recording: Recording, traces: Sequence[Trace]) -> list[float]:
    length = min(EPOCH_S, recording.duration_s)
    starts = np.linspace(0, max(recording.duration_s - length, 0), _PROBES).tolist()
    sizes: list[list[float]] = [[] for _ in traces]
    for start in starts:  # all lanes at each place: a file that keeps its channels together is read there once
        for trace, found in zip(traces, sizes, strict=True):
            page = read_page(recording, trace.derivation, start, start + length, trace.band, columns=_EVERY_SAMPLE)
            samples = page.y[np.isfinite(page.y)]
            if samples.size:
                found.append(_quantile(np.abs(samples - _quantile(samples, 0.5)), 0.99))
    return [_quantile(np.array(found), 0.5) if found else 0.0 for found in sizes]


def _quantile(values: NDArray[np.floating], share: float) -> float:
    """Return the value below which a share of the values (``[n]``) lie, without interpolating.

    np.median and np.percentile import all of numpy.ma when first called, and the first painted trace would wait for it.
    """
    place = round(share * (values.size - 1))
    return float(np.partition(values, place)[place])
