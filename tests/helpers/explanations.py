"""Explanations for the tests of the window."""

from __future__ import annotations

import numpy as np

from sleepviewer.scoring.explain import Explanation, ExplanationRequest


def explanation_of(request: ExplanationRequest, *, second: int = 12) -> Explanation:
    """An explanation whose one second speaks for the stage, and the one after it half as much against it."""
    shares = np.zeros(120, dtype=np.float32)
    shares[4 * second : 4 * second + 4] = 0.5
    shares[4 * second + 4 : 4 * second + 8] = -0.25
    proba = np.full(5, 0.1, dtype=np.float32)
    proba[int(request.pair.predicted)] = 0.6
    return Explanation(
        channel=request.channel,
        epoch=request.epoch,
        pair=request.pair,
        for_predicted=shares,
        difference=shares,
        occlusion=np.arange(30, dtype=np.float32),
        neighbours=np.array([np.nan, np.nan, 0.5, -0.25, 0, 0], dtype=np.float32),
        log_odds=1.5,
        log_odds_alone=0.5,
        baseline_log_odds=0.5,
        completeness_error=0.01,
        agreement=0.7,
        baseline="8 epochs spread evenly over the night",
        proba=proba,
        engine=request.spec.id,
        weights_sha256=request.weights_sha256,
        seconds=0.1,
    )
