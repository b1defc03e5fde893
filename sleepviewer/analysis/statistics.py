"""The night in figures: how long, how deep, how broken the sleep was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from sleepviewer.analysis.cycles import sleep_cycles
from sleepviewer.analysis.order import transitions
from sleepviewer.stages import EPOCH_S, SCORED_STAGES, Stage, StageArray

EPOCH_MIN: Final = EPOCH_S / 60
"""Length of an epoch in minutes."""


@dataclass(frozen=True, slots=True)
class NightStatistics:
    """Sleep statistics as the AASM manual defines them, from lights off to lights on.

    Where these are not marked they are taken to be the recording's beginning and end.

    Times are in minutes, shares in percent; None where a figure is not defined, as the REM latency of a night without
    REM sleep. Source: Iber et al. 2007, The AASM Manual for the Scoring of Sleep and Associated Events, chapter II.

    Attributes
    ----------
    trt_min: total recording time, all epochs from lights off to lights on.
    tst_min: total sleep time, all epochs of N1, N2, N3 and REM.
    spt_min: sleep period time, from the first to the last epoch of sleep, wake and unscored epochs in it included.
    se_percent: sleep efficiency, TST / TRT.
    sol_min: sleep onset latency, from lights off to the first epoch of any sleep.
    rem_latency_min: from the first epoch of sleep to the first of REM.
    waso_min: wake after sleep onset, every epoch of W after the first epoch of sleep, to lights on.
    wake_in_spt_min: wake within the sleep period alone, what many programs call WASO: the wake after the final
        awakening is left out.
    stage_min: minutes of each stage by its label, W included.
    stage_percent: share of TST of each sleep stage by its label; None without sleep.
    unscored_min: epochs without a stage; they count in TRT and SPT and nowhere else.
    awakenings: how often sleep is broken by W within the sleep period (the final awakening is not counted).
    stage_shifts: changes of stage between neighbouring scored epochs within the sleep period.
    cycles: sleep cycles, the last of which may lack its REM sleep (see :mod:`sleepviewer.analysis.cycles`).
    arousals: how many arousals were marked between lights off and on; None where nobody marked any in the night.
    arousal_index: arousals an hour of sleep; None without arousals or sleep.
    """

    trt_min: float
    tst_min: float
    spt_min: float | None
    se_percent: float | None
    sol_min: float | None
    rem_latency_min: float | None
    waso_min: float | None
    wake_in_spt_min: float | None
    stage_min: Mapping[str, float]
    stage_percent: Mapping[str, float | None]
    unscored_min: float
    awakenings: int
    stage_shifts: int
    cycles: int = 0
    arousals: int | None = None
    arousal_index: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the statistics as JSON-ready values."""
        return asdict(self)


def night_statistics(
    stages: StageArray,
    *,
    lights_off: int | None = None,
    lights_on: int | None = None,
    arousals_s: Sequence[float] | None = None,
) -> NightStatistics:
    """Compute the statistics of a night, ``int8 [n_epochs]``; no night is too odd for it.

    ``lights_off`` is the first epoch that counts, ``lights_on`` the first one that does not any more; ``arousals_s``
    are the beginnings of the marked arousals, in seconds on the recording clock.
    """
    arousals = _between(arousals_s, lights_off, lights_on)
    stages = np.asarray(stages)[lights_off:lights_on]
    asleep = np.flatnonzero(stages > Stage.W)
    rem = np.flatnonzero(stages == Stage.REM)
    first, stop = (int(asleep[0]), int(asleep[-1]) + 1) if asleep.size else (0, 0)
    period = stages[first:stop]
    shifts = transitions(period)
    minutes = {stage.label: np.count_nonzero(stages == stage) * EPOCH_MIN for stage in SCORED_STAGES}
    tst = len(asleep) * EPOCH_MIN
    trt = len(stages) * EPOCH_MIN
    has_sleep = bool(asleep.size)
    return NightStatistics(
        trt_min=trt,
        tst_min=tst,
        spt_min=len(period) * EPOCH_MIN if has_sleep else None,
        se_percent=100 * tst / trt if trt else None,
        sol_min=first * EPOCH_MIN if has_sleep else None,
        rem_latency_min=(int(rem[0]) - first) * EPOCH_MIN if rem.size else None,
        waso_min=np.count_nonzero(stages[first:] == Stage.W) * EPOCH_MIN if has_sleep else None,
        wake_in_spt_min=np.count_nonzero(period == Stage.W) * EPOCH_MIN if has_sleep else None,
        stage_min=minutes,
        stage_percent={
            stage.label: 100 * minutes[stage.label] / tst if has_sleep else None
            for stage in SCORED_STAGES
            if stage is not Stage.W
        },
        unscored_min=np.count_nonzero(stages == Stage.UNKNOWN) * EPOCH_MIN,
        awakenings=int(np.count_nonzero(period[shifts] == Stage.W)),
        stage_shifts=len(shifts),
        cycles=len(sleep_cycles(stages)),
        arousals=arousals,
        arousal_index=None if arousals is None or not has_sleep else arousals / (tst / 60),
    )


def _between(onsets_s: Sequence[float] | None, lights_off: int | None, lights_on: int | None) -> int | None:
    """Count what begins between lights off and on; None where nothing was marked at all."""
    if not onsets_s:
        return None
    first_s = 0.0 if lights_off is None else lights_off * EPOCH_S
    stop_s = math.inf if lights_on is None else lights_on * EPOCH_S
    return sum(first_s <= onset < stop_s for onset in onsets_s)


STATISTIC_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "trt_min": "TRT, min",
        "tst_min": "TST, min",
        "spt_min": "SPT, min",
        "se_percent": "SE, %",
        "sol_min": "SOL, min",
        "rem_latency_min": "REM latency, min",
        "waso_min": "WASO, min",
        "wake_in_spt_min": "wake in SPT, min",
        **{f"{stage.label}_min": f"{stage.label}, min" for stage in SCORED_STAGES},
        **{f"{stage.label}_percent": f"{stage.label}, % of TST" for stage in SCORED_STAGES if stage is not Stage.W},
        "unscored_min": "unscored, min",
        "awakenings": "awakenings",
        "stage_shifts": "stage shifts",
        "cycles": "sleep cycles",
        "arousals": "arousals",
        "arousal_index": "arousals an hour of sleep",
    }
)
"""The rows of a table of statistics, in order: names as in :func:`flat_statistics`, and what they are called."""


def flat_statistics(statistics: NightStatistics) -> dict[str, float | int | None]:
    """Return the figures by the names of STATISTIC_TITLES, stages side by side with the others."""
    values = asdict(statistics)
    for kind in ("min", "percent"):
        values |= {f"{stage}_{kind}": value for stage, value in values.pop(f"stage_{kind}").items()}
    return {name: values[name] for name in STATISTIC_TITLES}


def side_by_side(
    scorers: Mapping[str, StageArray],
    *,
    lights_off: int | None = None,
    lights_on: int | None = None,
    arousals_s: Sequence[float] | None = None,
) -> dict[str, dict[str, float | int | None]]:
    """Return the statistics of every scorer by the names of STATISTIC_TITLES; None is to be shown as “–”."""
    return {
        name: flat_statistics(
            night_statistics(stages, lights_off=lights_off, lights_on=lights_on, arousals_s=arousals_s)
        )
        for name, stages in scorers.items()
    }
