"""Two scorers' stages, epoch by epoch, as hypothesis draws them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st


def pairs_from(lowest: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Up to sixty epochs, each with two stages of at least ``lowest`` (-1: unscored ones among them)."""
    stages = st.integers(lowest, 4)
    return st.lists(st.tuples(stages, stages), min_size=1, max_size=60)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """The two scorers' stages, ``int8 [n]`` each."""
    both = np.array(pairs, dtype=np.int8)
    return both[:, 0], both[:, 1]
