"""The five AASM sleep stages, UNKNOWN, and the words that files use for them.

A sequence of stages is an ``int8`` array ``[n_epochs]`` with the values of :class:`Stage`; an epoch lasts
:data:`EPOCH_S` seconds.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

EPOCH_S: Final = 30.0
"""Length of a scoring epoch in seconds (AASM)."""

StageArray = NDArray[np.int8]
"""Stages of successive epochs, ``int8 [n_epochs]``, values of :class:`Stage`."""


Proba = NDArray[np.float32]
"""Stage probabilities, ``float32 [n_epochs, 5]`` in the order of SCORED_STAGES; a row of NaN is an unscored epoch."""


class Stage(IntEnum):
    """A sleep stage; the numbers are AttnSleep's, and the columns of every probability array."""

    UNKNOWN = -1
    W = 0
    N1 = 1
    N2 = 2
    N3 = 3
    REM = 4

    @property
    def label(self) -> str:
        """The stage as it is shown: ``W``, ``N1``, ``N2``, ``N3``, ``REM``, and ``?`` for UNKNOWN."""
        return "?" if self is Stage.UNKNOWN else self.name


SCORED_STAGES: Final = (Stage.W, Stage.N1, Stage.N2, Stage.N3, Stage.REM)
"""The five stages in the order of probability columns and confusion matrices."""

HYPNOGRAM_ORDER: Final = (Stage.W, Stage.REM, Stage.N1, Stage.N2, Stage.N3)
"""The five stages from the top of a hypnogram to its bottom."""

N_STAGES: Final = len(SCORED_STAGES)

# R&K (Rechtschaffen & Kales 1968) to AASM: stages 3 and 4 are one stage N3; movement time has no AASM counterpart.
_WORDS: Final[dict[str, Stage]] = {
    **dict.fromkeys(("w", "wake", "awake", "wach", "stage w", "sleep stage w", "wk"), Stage.W),
    **dict.fromkeys(("n1", "s1", "nrem1", "nrem 1", "stage 1", "stage n1"), Stage.N1),
    **dict.fromkeys(("n2", "s2", "nrem2", "nrem 2", "stage 2", "stage n2"), Stage.N2),
    **dict.fromkeys(("n3", "s3", "nrem3", "nrem 3", "stage 3", "stage n3"), Stage.N3),
    **dict.fromkeys(("n4", "s4", "nrem4", "nrem 4", "stage 4", "stage n4"), Stage.N3),
    **dict.fromkeys(("r", "rem", "stage r", "stage rem", "sleep stage r", "sleep stage rem"), Stage.REM),
    **dict.fromkeys(("sleep stage 1", "sleep stage n1"), Stage.N1),
    **dict.fromkeys(("sleep stage 2", "sleep stage n2"), Stage.N2),
    **dict.fromkeys(("sleep stage 3", "sleep stage n3"), Stage.N3),
    **dict.fromkeys(("sleep stage 4", "sleep stage n4"), Stage.N3),
    **dict.fromkeys(
        (
            "?",
            "sleep stage ?",
            "movement time",
            "movement",
            "mt",
            "m",
            "unknown",
            "uns",
            "unscored",
            "not scored",
            "art",
            "artefact",
            "artifact",
            "-1",
            "nan",
            "",
        ),
        Stage.UNKNOWN,
    ),
}


def stage_from_word(word: str) -> Stage | None:
    """Return the stage that a word of a file stands for, or None where the word is no stage.

    Case, surrounding blanks and underscores do not matter. Bare digits are *not* words: what 4 and 5 mean depends on
    the file (see :func:`stage_from_digit`).
    """
    return _WORDS.get(" ".join(word.replace("_", " ").lower().split()))


def stage_from_digit(digit: int, *, r_and_k: bool) -> Stage | None:
    """Return the stage of a number, or None where the number is no stage.

    Two conventions exist. ``r_and_k`` (Profusion, R&K exports): 0 W, 1, 2, 3 and 4 = N3, 5 REM. Otherwise (YASA,
    AttnSleep, AASM ISR): 0 W, 1 N1, 2 N2, 3 N3, 4 REM. In both, -1 is UNKNOWN.
    """
    if digit == -1:
        return Stage.UNKNOWN
    if r_and_k:
        return {0: Stage.W, 1: Stage.N1, 2: Stage.N2, 3: Stage.N3, 4: Stage.N3, 5: Stage.REM}.get(digit)
    return Stage(digit) if 0 <= digit < N_STAGES else None


def most_likely(proba: Proba) -> StageArray:
    """Return the likeliest stage per epoch, ``int8 [n_epochs]``; UNKNOWN where a row has NaN."""
    scored = np.asarray(np.isfinite(proba).all(axis=1))
    best = np.where(scored[:, None], proba, -1.0).argmax(axis=1)
    return np.where(scored, best, int(Stage.UNKNOWN)).astype(np.int8)


def stage_labels(stages: StageArray) -> list[str]:
    """Return the shown labels of a stage array, one string per epoch."""
    return [Stage(int(s)).label for s in stages]
