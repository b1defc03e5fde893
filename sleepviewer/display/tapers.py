"""Slepian tapers (discrete prolate spheroidal sequences), by numpy alone and in a millisecond.

They are the eigenvectors of a symmetric tridiagonal matrix (Percival & Walden 1993, Spectral Analysis for Physical
Applications, section 8.3). Its entries are polynomials of the place that vanish at the ends, so it takes a polynomial
of degree d to one of degree d + 2, and the tapers, which are smooth, are found among the polynomials of low degree: a
matrix of 40 instead of a thousand or more. No scipy has to be imported for it, and no threads of a linear algebra
library start that would get into the way of a window that paints.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_DEGREES: Final = 40  # an expansion converges beyond about π NW degrees; at NW = 5 this leaves nothing but rounding


@lru_cache(maxsize=8)
def slepian_tapers(n: int, time_halfbandwidth: float, n_tapers: int) -> NDArray[np.float64]:
    """Return the ``n_tapers`` best concentrated tapers of unit energy, ``float64 [n_tapers, n]``, best first.

    ``time_halfbandwidth`` (at most 8) is NW, half the bandwidth times the length.
    """
    basis = _polynomials(n, min(n, _DEGREES))
    place = np.arange(n)
    diagonal = ((n - 1 - 2 * place) / 2) ** 2 * np.cos(2 * np.pi * time_halfbandwidth / n)
    beside = place[1:] * (n - place[1:]) / 2
    taken = basis * diagonal
    taken[:, :-1] += basis[:, 1:] * beside
    taken[:, 1:] += basis[:, :-1] * beside
    vectors = np.linalg.eigh(np.einsum("in,jn->ij", basis, taken))[1][:, ::-1][:, :n_tapers]
    tapers: NDArray[np.float64] = np.einsum("in,ik->kn", basis, vectors)
    tapers.flags.writeable = False
    return tapers


def _polynomials(n: int, degrees: int) -> NDArray[np.float64]:
    """Polynomials of rising degree that are orthonormal on n even places, ``float64 [degrees, n]`` (Gram's)."""
    place = np.arange(n) - (n - 1) / 2
    basis = np.empty((degrees, n))
    basis[0] = 1 / np.sqrt(n)
    before, weight = np.zeros(n), 0.0
    for degree in range(1, degrees):
        next_weight = degree / 2 * np.sqrt((n**2 - degree**2) / (4 * degree**2 - 1))
        basis[degree] = (place * basis[degree - 1] - weight * before) / next_weight
        before, weight = basis[degree - 1], next_weight
    return basis
