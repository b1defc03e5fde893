"""The guard offers a model only where it got better on epochs that it never saw, and forgot nothing."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sleepviewer.training.guard import (
    BLOCK_EPOCHS,
    HELD_OUT_SHARE,
    LEAST_HELD_OUT,
    BeforeAfter,
    GuardVerdict,
    Table,
    hold_out,
    judge,
)


def table(kappa: float, epochs: int = 300, accuracy: float = 0.8) -> Table:
    return Table(kappa, accuracy, {"W": 0.9, "N1": math.nan, "N2": 0.8, "N3": 0.7, "REM": 0.6}, epochs)


def both(before: float, after: float, epochs: int = 300, accuracy: float = 0.8) -> BeforeAfter:
    return BeforeAfter(table(before, epochs, accuracy), table(after, epochs))


def test_better_on_the_corrected_and_no_worse_on_others_is_offered() -> None:
    verdict = judge(both(0.7, 0.8), both(0.85, 0.845))
    assert verdict.offered
    assert "from 0.700 to 0.800" in verdict.reason


@pytest.mark.parametrize(
    ("corrected", "others", "why"),
    [
        (both(0.7, 0.7), both(0.8, 0.9), "did not rise"),
        (both(0.7, 0.8), both(0.8, 0.789), "forgot too much"),
        (both(0.1, 0.39), both(0.8, 0.8), "belong to this signal"),
        (both(0.7, 0.8, LEAST_HELD_OUT - 1), both(0.8, 0.8), "review more"),
        (both(0.7, 0.8), both(0.8, 0.8, 199), "name more nights"),
        (both(0.0, 0.8, accuracy=0.05), both(0.8, 0.8), "accept the model's stage"),
        (both(math.nan, math.nan), both(0.8, 0.8), "one stage only"),
        (both(0.7, 0.8), both(math.nan, 0.8), "other nights"),
    ],
)
def test_anything_else_is_refused_and_says_why(corrected: BeforeAfter, others: BeforeAfter, why: str) -> None:
    verdict = judge(corrected, others)
    assert not verdict.offered
    assert why in verdict.reason


def test_a_loss_of_a_hundredth_is_still_offered() -> None:
    assert judge(both(0.7, 0.8), both(0.8, 0.7901)).offered


def test_a_verdict_survives_the_way_through_json() -> None:
    verdict = judge(both(0.7, 0.8), both(0.85, 0.845))
    again = GuardVerdict.from_dict(json.loads(json.dumps(verdict.as_dict(), allow_nan=False)))
    assert again.as_dict() == verdict.as_dict()
    assert math.isnan(again.corrected.after.f1["N1"])


nights = st.builds(
    lambda seed, n, reviewed: (seed, n, reviewed), st.integers(0, 99), st.integers(60, 400), st.floats(0.3, 1.0)
)


@given(nights)
def test_held_out_blocks_and_what_is_learned_from_never_touch(night: tuple[int, int, float]) -> None:
    seed, n, share = night
    rng = np.random.default_rng(seed)
    place = np.sort(rng.choice(3 * n, n, replace=False)).astype(np.int32)
    y = np.where(rng.random(n) < share, rng.integers(0, 5, n), -1).astype(np.int8)
    parts = hold_out(y, place, seed)
    assert not (parts.train & parts.test).any()
    assert (y[parts.train | parts.test] >= 0).all(), "only reviewed epochs count"
    held = np.unique(place[parts.test] // BLOCK_EPOCHS)
    assert not np.isin(place[parts.train] // BLOCK_EPOCHS, held).any(), "blocks stay whole"
    if parts.train.any() and parts.test.any():
        assert np.abs(np.subtract.outer(place[parts.train], place[parts.test])).min() > 1, "nor do neighbours touch"


def test_held_out_stages_have_the_nights_shares() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(rng.choice(5, 160, p=[0.1, 0.1, 0.45, 0.15, 0.2]), 6).astype(np.int8)
    parts = hold_out(y, np.arange(len(y), dtype=np.int32), 0)
    assert parts.test.mean() == pytest.approx(HELD_OUT_SHARE, abs=0.05)
    shares = [np.bincount(labels, minlength=5) / len(labels) for labels in (y, y[parts.test])]
    assert np.abs(shares[0] - shares[1]).max() < 0.05


def test_one_block_alone_is_never_held_out() -> None:
    parts = hold_out(np.zeros(BLOCK_EPOCHS, dtype=np.int8), np.arange(BLOCK_EPOCHS, dtype=np.int32), 0)
    assert not parts.test.any()
    assert parts.train.all()
