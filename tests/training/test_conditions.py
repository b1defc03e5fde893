"""Nights that are disturbed as whole nights, for the training of contexts."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from sleepviewer.stages import Stage
from sleepviewer.training.conditions import NightConditions

RATE, BAND = 100.0, (0.4, 32.0)
N = 60
NOTHING = NightConditions(**{field.name: 0 for field in fields(NightConditions)})


def night() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((N, 3000)).astype(np.float32), np.resize([0, 1, 2, 3, 4], N).astype(np.int8)


def disturbed(seed: int = 0, **strength: float):
    given = {field.name: getattr(NOTHING, field.name) for field in fields(NightConditions)} | strength
    x, y = night()
    return NightConditions(**given).apply(x, y, RATE, BAND, np.random.default_rng(seed))


def test_without_conditions_a_night_is_only_scaled() -> None:
    x, y = night()
    found = disturbed()
    assert np.corrcoef(found.x.reshape(-1), x.reshape(-1))[0, 1] > 0.9999
    np.testing.assert_array_equal(found.y, y)
    assert found.clean.all()


def test_the_same_seed_gives_the_same_night_and_the_given_one_stays() -> None:
    x, y = night()
    first, again = (NightConditions().apply(x, y, RATE, BAND, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(x, night()[0])


@pytest.mark.parametrize("seed", range(20))
def test_every_night_is_scaled_by_what_is_clean_and_its_gaps_are_rows_of_nan(seed: int) -> None:
    x, y = night()
    found = NightConditions().apply(x, y, RATE, BAND, np.random.default_rng(seed))
    there = np.isfinite(found.x).all(axis=1)
    assert there.any()
    assert np.isnan(found.x[~there]).all()
    assert (found.y[~there] == Stage.UNKNOWN).all()
    assert not (found.clean & ~there).any()
    np.testing.assert_array_equal(found.y[there & (found.y >= 0)], y[found.rows][there & (found.y >= 0)])
    if found.clean.any():
        low, high = np.quantile(found.x[found.clean], (0.25, 0.75))
        assert high - low == pytest.approx(1.349, rel=1e-3)


def test_a_stage_that_never_comes_is_gone_and_a_short_recording_is_a_piece() -> None:
    lacking = [set(range(5)) - set(disturbed(seed, lacking=1.0).y.tolist()) for seed in range(10)]
    assert all(len(gone) == 1 for gone in lacking)
    assert len(set().union(*lacking)) > 2
    pieces = [disturbed(seed, short=1.0).rows for seed in range(10)]
    assert all((np.diff(rows) == 1).all() and 20 <= len(rows) <= N for rows in pieces)
    assert min(map(len, pieces)) < N / 2


def test_an_electrode_that_is_off_teaches_nothing() -> None:
    found = [disturbed(seed, off=1.0) for seed in range(20)]
    assert all((one.y == Stage.UNKNOWN).any() for one in found)
    seen = [one for one in found if np.isfinite(one.x).all()]
    assert 0 < len(seen) < len(found)  # noticed four times of five
    for one in seen:
        off = one.y == Stage.UNKNOWN
        assert one.x[off].std() < 0.1 < one.x[~off].std()
