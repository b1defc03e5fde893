"""What a display filter is given where nothing was recorded: a continuation of the signal beside the gap.

A filter needs something beyond the last sample. A constant there bends what is shown up to the edge, and so does a
mirror image: a point reflection even forces a high-passed trace through zero at the last sample. A linear prediction
goes on with the waves that are there, and fades to the signal's mean.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.recording.base import Samples

_FITTED_S: Final = 4.0
_ORDER: Final = 32
_FADE_S: Final = 8.0
"""Time constant with which a continuation fades at the least, so that no rounding error can grow in it."""
_UNEXPLAINED: Final = 1e-7
"""Share of the power that is left unexplained once a signal counts as predicted: more terms would fit rounding."""
_REACH: Final = 1.5
"""Largest excursion of a continuation from the mean, as a multiple of that of the samples it is fitted to."""
_MOST_GAPS: Final = 8
"""With more gaps than this on a page, straight lines bridge them: predicting each would hold up the page."""


def bridge(samples: Samples, missing: NDArray[np.bool_], rate_hz: float) -> Samples:
    """Return ``samples`` (``float32 [n]``) with something finite where they are ``missing`` (``bool [n]``, not all).

    Each gap is filled by the continuation of what is before it, faded over to that of what is after it, backwards in
    time; before the first and after the last sample there is one of the two.
    """
    edges = np.flatnonzero(np.diff(missing, prepend=False, append=False))
    gaps = edges.reshape(-1, 2).tolist()
    if len(gaps) > _MOST_GAPS:
        places = np.arange(samples.size)
        return np.interp(places, places[~missing], samples[~missing]).astype(np.float32)
    bridged = samples.copy()
    before = 0
    for (first, stop), after in zip(gaps, [*(gap[0] for gap in gaps[1:]), samples.size], strict=True):
        n = stop - first
        ahead = continuation(samples[before:first], n, rate_hz) if first > before else None
        back = continuation(samples[stop:after][::-1], n, rate_hz)[::-1] if after > stop else None
        if ahead is not None and back is not None:
            share = np.arange(1, n + 1) / (n + 1)
            bridged[first:stop] = ahead + share * (back - ahead)
        else:
            bridged[first:stop] = back if ahead is None else ahead
        before = stop
    return bridged


def continuation(samples: Samples, n: int, rate_hz: float) -> NDArray[np.float64]:
    """Return ``float64 [n]`` samples that go on after ``samples`` (``[≥ 1]``, finite), by linear prediction.

    The predictor is fitted to the last seconds by Burg's method (J. P. Burg, Maximum entropy spectral analysis, 1975).
    """
    fitted = samples[-max(round(_FITTED_S * rate_hz), 3 * _ORDER) :].astype(np.float64)
    mean = float(fitted.mean())
    fitted -= mean
    weights = _predictor(fitted, min(_ORDER, fitted.size // 3))
    order = weights.size
    if order == 0:
        return np.full(n, mean)
    weights *= np.exp(-np.arange(1, order + 1) / (_FADE_S * rate_hz))
    # As a matrix that takes `order` samples to the next `order`: a loop over samples would take ten times as long.
    steps = np.concatenate([np.eye(order), np.zeros((order, order))])
    for i in range(order):
        steps[order + i] = weights[::-1] @ steps[i : order + i]
    following = np.empty((-(-n // order), order))
    last = fitted[-order:]
    for i in range(len(following)):
        last = following[i] = steps[order:] @ last
    # A fit to very few samples may still swing up; what is shown beside it must not be drawn into that.
    reach = _REACH * np.abs(fitted).max()
    return np.clip(following.ravel()[:n], -reach, reach) + mean


def _predictor(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return the weights ``float64 [≤ order]`` that predict the next of ``x`` from its last samples, latest first."""
    weights = np.empty(0)
    forward, backward = x[1:], x[:-1]
    enough = 2 * _UNEXPLAINED * float(x @ x)
    for _ in range(order):
        power = float(forward @ forward + backward @ backward)
        if power <= enough:
            break
        reflection = 2.0 * float(forward @ backward) / power
        weights = np.append(weights - reflection * weights[::-1], reflection)
        forward, backward = (forward - reflection * backward)[1:], (backward - reflection * forward)[:-1]
    return weights
