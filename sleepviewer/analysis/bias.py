"""How far a model's night statistics are from the expert's: mean difference and limits of agreement, night by night."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sleepviewer.analysis.statistics import STATISTIC_TITLES

_LIMITS_SD: Final = 1.96

_Values = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Bias:
    """A statistic over ``nights`` that both have it in: means, their difference (second minus first), and its limits.

    ``low`` and ``high`` are the difference ± 1.96 standard deviations of it, between which 95 % of nights lie where the
    differences are normal (Bland & Altman 1986, doi 10.1016/S0140-6736(86)90837-8); NaN for fewer than two nights.
    """

    nights: int
    first: float
    second: float
    difference: float
    low: float
    high: float


@dataclass(slots=True)
class BiasSums:
    """Sums over nights of two scorers' statistics; they do not grow with the nights."""

    _sums: dict[str, list[float]] = field(default_factory=lambda: {name: [0.0] * 4 for name in STATISTIC_TITLES})

    def add(self, first: _Values, second: _Values) -> None:
        """Count a night in; a statistic that either lacks is passed over."""
        for name, sums in self._sums.items():
            a, b = first.get(name), second.get(name)
            if a is None or b is None:
                continue
            n, mean_a, mean_b, squares = sums
            before = mean_b - mean_a
            n, mean_a, mean_b = n + 1, mean_a + (a - mean_a) / (n + 1), mean_b + (b - mean_b) / (n + 1)
            # Welford 1962: exact also where the differences are small beside the values.
            squares += ((b - a) - before) * ((b - a) - (mean_b - mean_a))
            sums[:] = n, mean_a, mean_b, squares

    def rows(self) -> dict[str, Bias]:
        """Return the statistics that any night has in both, by the names of STATISTIC_TITLES."""
        return {name: _bias(*sums) for name, sums in self._sums.items() if sums[0]}


def _bias(n: float, first: float, second: float, squares: float) -> Bias:
    difference = second - first
    reach = _LIMITS_SD * math.sqrt(squares / (n - 1)) if n > 1 else math.nan
    return Bias(int(n), first, second, difference, difference - reach, difference + reach)
