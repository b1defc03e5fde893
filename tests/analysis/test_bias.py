"""Limits of agreement equal those counted out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sleepviewer.analysis.bias import BiasSums


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 600)), min_size=2, max_size=30))
def test_sums_equal_numpys(pairs: list[tuple[float, float]]) -> None:
    sums = BiasSums()
    for a, b in pairs:
        sums.add({"tst_min": a, "sol_min": None}, {"tst_min": b, "sol_min": 3.0})
    rows = sums.rows()
    assert list(rows) == ["tst_min"]
    first, second = np.array(pairs).T
    found = rows["tst_min"]
    assert (found.nights, found.first, found.second) == (
        len(pairs),
        pytest.approx(first.mean()),
        pytest.approx(second.mean()),
    )
    reach = 1.96 * (second - first).std(ddof=1)
    assert found.low == pytest.approx((second - first).mean() - reach, abs=1e-6)
    assert found.high == pytest.approx((second - first).mean() + reach, abs=1e-6)


def test_one_night_has_no_limits() -> None:
    sums = BiasSums()
    sums.add({"tst_min": 400}, {"tst_min": 390})
    found = sums.rows()["tst_min"]
    assert found.difference == -10
    assert math.isnan(found.low)
