"""Signal quality of a night, epoch by epoch: what can be scored, and what estimates of the whole night may use.

Quality is measured on one channel as it was recorded, unfiltered, in seconds of the recording clock. A *second* is bad
if samples are missing, if it holds no EEG (flat, or line noise only), if the amplifier was saturated, or if its
amplitude is beyond any EEG. An *epoch* can't be scored if any of its samples is missing, or if more than half of its
seconds are bad: the AASM manual scores by its own rules an epoch in which movement and muscle artifact obscure the EEG
for more than half of it, and any other by what is left (Iber et al. 2007, Berry et al. 2020, rule on epochs with a
major body movement). The measures of a second are in :mod:`sleepviewer.recording.quality_measures`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.recording.base import Recording
from sleepviewer.recording.quality_measures import (
    LEAST_RATE_HZ,
    SECONDS,
    SecondMeasures,
    measure_epochs,
    measure_samples,
)
from sleepviewer.stages import EPOCH_S

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

UNUSABLE_SHARE: Final = 0.5
"""An epoch with more than this share of bad seconds can't be scored (AASM manual)."""

CLEAN_MADS: Final = 4.0
"""Scaled median absolute deviations from the night's median, in log spread and log peak, up to which an epoch is clean.
YASA's ``art_detect`` uses 3 standard deviations of log spread by stage; without stages, N3 has to fit, too."""

EEG_LEVELS_UV: Final = (2.0, 150.0)
"""In-band RMS in µV (1 to 20 Hz) of seconds that can be EEG of a scalp electrode in the right unit."""

LEAST_EEG: Final = 0.05
"""Share of a night's seconds at such a level from which on the night's own level is estimated from them."""

TRIM_SHARE: Final = 0.5
"""The night's own level is a median of the seconds above this share of itself, which amplifier noise is not."""

FLAT_UV: Final = 2.0
FLAT_SHARE: Final = 0.25
"""A second is flat if its in-band RMS and its neighbors' (median of 5 s) are below both: µV, share of the night's."""

WHITE_SHARE: Final = 0.4
WHITE_TILT: Final = 1.7
"""Up to this share, a second is flat as well if it is amplifier noise by its spectrum: over 11 s, its power from 1 to 5
Hz is less than so many times its power from 11 to 16 Hz, both by frequency."""

FLAT_SECOND_UV: Final = 0.5
FLAT_SECOND_SHARE: Final = 0.15
"""A second is flat whatever its neighbors are if its own in-band RMS is below both."""

FLAT_ANY_SHARE: Final = 0.05
"""A second below this share of the night's in-band RMS is flat in whatever unit."""

VARYING: Final = 2.5
"""A night without any second at an EEG's level is EEG in a wrong unit, not flat, if its level varies by this factor
between the 5th and the 95th percentile."""

LINE_UV: Final = 2.0
"""RMS in µV of the mains in a second without EEG from which on it is line noise, not flat."""

EXTREME_UV: Final = 500.0
EXTREME_TIMES: Final = 6.0
"""A second is extreme if its peak-to-peak amplitude is above both: µV, multiple of the night's median."""

EXTREME_ANY_TIMES: Final = 12.0
"""A second above this multiple of the night's median peak-to-peak amplitude is extreme in whatever unit."""

RAIL_RUN_S: Final = 0.1
"""A run of equal samples of this length at a second's extreme is saturation even if the recording goes further."""

RAIL_TIMES: Final = 2.0
"""Such a second spans at least this multiple of the night's median peak-to-peak amplitude."""

_SMOOTH: Final = 5
_TILT_OVER: Final = 11
_MAD_TO_SD: Final = 1.4826
_MOST_LISTED: Final = 12
_PIECE_EPOCHS: Final = 20


class QualityKind(IntEnum):
    """What a second or an epoch of a channel is like."""

    USABLE = 0
    GAP = 1
    FLAT = 2
    CLIPPED = 3
    EXTREME = 4
    LINE_NOISE = 5

    @property
    def label(self) -> str:
        """The kind in words."""
        return _LABELS[self]


_LABELS: Final = {
    QualityKind.USABLE: "usable",
    QualityKind.GAP: "gap",
    QualityKind.FLAT: "flat or near-flat",
    QualityKind.CLIPPED: "clipped",
    QualityKind.EXTREME: "extreme amplitude",
    QualityKind.LINE_NOISE: "line noise only",
}

BAD_KINDS: Final = tuple(kind for kind in QualityKind if kind is not QualityKind.USABLE)


@dataclass(frozen=True, slots=True, eq=False)
class SignalQuality:
    """Quality of a channel's epochs.

    Attributes
    ----------
    kinds: QualityKind of each epoch, ``int8 [n_epochs]``.
    seconds: QualityKind of each second, ``int8 [n_epochs, 30]``.
    log_spread: natural log of the RMS in µV of what is left of the epoch without offset and drift within seconds and
        without mains, ``float32 [n_epochs]``; NaN with a gap.
    log_peak: natural log of the largest peak-to-peak amplitude of a second in µV, without mains, ``float32
        [n_epochs]``; NaN with a gap.
    muscle: share of the power above 30 Hz (without mains) in all from 1 Hz on, ``float32 [n_epochs]``; NaN with a gap.
    """

    kinds: NDArray[np.int8]
    seconds: NDArray[np.int8]
    log_spread: Floats
    log_peak: Floats
    muscle: Floats

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def usable(self) -> Flags:
        """Which epochs can be scored, ``bool [n_epochs]``."""
        return np.asarray(self.kinds == QualityKind.USABLE)

    @property
    def clean(self) -> Flags:
        """Which epochs estimates of the whole night may use, ``bool [n_epochs]``.

        Usable, without a bad second, and neither log spread nor log peak further than CLEAN_MADS scaled median
        absolute deviations from the median of the usable epochs.
        """
        usable = self.usable
        whole = usable & (self.seconds == QualityKind.USABLE).all(axis=1)
        return np.asarray(whole & typical(self.log_spread, usable) & typical(self.log_peak, usable))

    def share(self, kind: QualityKind) -> Floats:
        """Return the share of each epoch's seconds that are of a kind, ``float32 [n_epochs]``."""
        return np.asarray((self.seconds == kind).mean(axis=1, dtype=np.float32))

    def epochs_of(self, kind: QualityKind) -> NDArray[np.intp]:
        """Return the epochs of a kind, from 0, ascending."""
        return np.flatnonzero(self.kinds == kind)

    def describe(self, epoch: int) -> str:
        """Return what is bad about an epoch's signal: its kind, or its bad seconds by kind; nothing where none is."""
        kind = QualityKind(int(self.kinds[epoch]))
        if kind is not QualityKind.USABLE:
            return kind.label
        seconds = self.seconds[epoch]
        return ", ".join(f"{int((seconds == k).sum())} s {k.label}" for k in BAD_KINDS if (seconds == k).any())

    def counts(self) -> dict[QualityKind, int]:
        """Return how many epochs are of each kind."""
        return {kind: int((self.kinds == kind).sum()) for kind in QualityKind}

    def notes(self, label: str, kinds: Collection[QualityKind] = BAD_KINDS) -> tuple[str, ...]:
        """Return a sentence for each of the ``kinds`` of epochs, not scored, ``label`` being the channel's."""
        return tuple(
            f"{len(epochs):,} of {len(self):,} epochs of “{label}” {'was' if len(epochs) == 1 else 'were'} not scored: "
            f"{kind.label} ({epoch_list(epochs)})."
            for kind in BAD_KINDS
            if kind in kinds and len(epochs := self.epochs_of(kind))
        )


def typical(values: Floats, among: Flags | None = None) -> Flags:
    """Return which of a night's values ``float32 [n]`` are within CLEAN_MADS scaled median absolute deviations.

    Median and deviation are those of the values ``among`` which one looks, all by default; NaN is not typical.
    """
    there = np.isfinite(values) if among is None else among & np.isfinite(values)
    if not there.any():
        return np.zeros(len(values), dtype=bool)
    middle = np.median(values[there])
    reach = CLEAN_MADS * _MAD_TO_SD * np.median(np.abs(values[there] - middle))
    return np.asarray(np.abs(np.nan_to_num(values, nan=np.inf) - middle) <= reach)


def epoch_list(epochs: NDArray[Any], most: int = _MOST_LISTED) -> str:
    """Return ascending epochs (from 0) as users read them: ``epochs 3, 5–9, …``; at most ``most`` ranges."""
    if not len(epochs):
        return "no epoch"
    runs = np.split(epochs, np.flatnonzero(np.diff(epochs) > 1) + 1)
    parts = [f"{run[0] + 1}" if len(run) == 1 else f"{run[0] + 1}–{run[-1] + 1}" for run in runs[:most]]
    more = ", …" if len(runs) > most else ""
    return f"epoch{'' if len(epochs) == 1 else 's'} {', '.join(parts)}{more}"


def assess(samples: Floats, rate_hz: float, n_epochs: int) -> SignalQuality:
    """Assess a night, ``samples`` ``float32 [n]`` in µV at ``rate_hz`` as they were recorded, NaN where there is a gap.

    Where ``n`` is less than a second short of ``n_epochs`` epochs, the end counts as its last sample; what is missing
    beyond that is a gap. Below 16 Hz, only gaps are found.
    """
    return _assessed(measure_samples(np.asarray(samples), rate_hz, n_epochs))


def assess_recording(recording: Recording, label: str) -> SignalQuality:
    """Assess a channel of a recording, in µV, read in pieces of ten minutes: memory does not grow with the night.

    Raises ChannelError where it is absent, RecordingError where the file can't be read.
    """
    rate_hz, n_epochs = recording.channel(label).rate_hz, recording.n_epochs
    pieces = []
    for first in range(0, n_epochs, _PIECE_EPOCHS):
        stop = min(first + _PIECE_EPOCHS, n_epochs)
        samples = recording.read(label, first * EPOCH_S, stop * EPOCH_S)
        pieces.append(measure_samples(np.asarray(samples), rate_hz, stop - first))
    if not pieces:
        return nothing_assessed(0)
    joined = {
        measure.name: np.concatenate([getattr(piece, measure.name) for piece in pieces])
        for measure in fields(SecondMeasures)
        if measure.name not in ("rate_hz", "run")
    }
    return _assessed(SecondMeasures(rate_hz, pieces[0].run, **joined))


def assess_epochs(
    epochs: Floats, rate_hz: float, *, n_epochs: int | None = None, places: NDArray[Any] | None = None
) -> SignalQuality:
    """Assess epochs ``float32 [m, samples]`` in µV at ``rate_hz`` and place them in a night of ``n_epochs``.

    ``places`` ``[m]`` are the epochs' places in the night (0 … m - 1 by default, and ``n_epochs`` then m); the night's
    other epochs are gaps.
    """
    n = len(epochs) if n_epochs is None else n_epochs
    found = _assessed(measure_epochs(np.asarray(epochs), rate_hz))
    if places is None and n == len(epochs):
        return found
    at = np.arange(len(epochs)) if places is None else np.asarray(places)
    night = nothing_assessed(n)
    for name in SignalQuality.__slots__:
        getattr(night, name)[at] = getattr(found, name)
    return night


def nothing_assessed(n_epochs: int) -> SignalQuality:
    """Return the quality of epochs without any signal: all of them are gaps."""
    nothing = (np.full(n_epochs, np.nan, dtype=np.float32) for _ in range(3))
    gap = int(QualityKind.GAP)
    return SignalQuality(np.full(n_epochs, gap, np.int8), np.full((n_epochs, SECONDS), gap, np.int8), *nothing)


def _assessed(found: SecondMeasures) -> SignalQuality:
    kinds = _kinds_of_seconds(found)
    seconds = kinds.reshape(-1, SECONDS)
    gap = (seconds == QualityKind.GAP).any(axis=1)
    counts = np.stack([(seconds == kind).sum(axis=1) for kind in BAD_KINDS], axis=1) if len(seconds) else None
    of_epochs = np.zeros(len(seconds), dtype=np.int8)
    if counts is not None:
        bad = counts.sum(axis=1) > UNUSABLE_SHARE * SECONDS
        of_epochs[bad] = 1 + counts.argmax(axis=1)[bad]
    of_epochs[gap] = QualityKind.GAP
    with np.errstate(invalid="ignore"):
        power, fast = (values.reshape(-1, SECONDS).mean(axis=1) for values in (found.power, found.fast))
        muscle = np.zeros(len(seconds), np.float32)
        np.divide(fast, power, out=muscle, where=power > 0)
        log_spread = 0.5 * np.log(np.maximum(power, 1e-12))
        log_peak = np.log(np.maximum(found.span.reshape(-1, SECONDS).max(axis=1, initial=0), 1e-6))
    for values in (log_spread, log_peak, muscle):
        values[gap] = np.nan
    return SignalQuality(
        of_epochs, seconds, log_spread.astype(np.float32), log_peak.astype(np.float32), muscle.astype(np.float32)
    )


def _kinds_of_seconds(found: SecondMeasures) -> NDArray[np.int8]:
    """Return the QualityKind of every second, ``int8 [n_seconds]``."""
    there = np.isfinite(found.level)
    kinds = np.where(there, QualityKind.USABLE, QualityKind.GAP).astype(np.int8)
    if not there.any() or found.rate_hz < LEAST_RATE_HZ:
        return kinds
    level, span = (np.nan_to_num(values, nan=np.inf) for values in (found.level, found.span))
    constant = there & (found.high == found.low)
    own_level, own_span, all_flat = _of_the_night(level, span, there & ~constant)
    smooth = _smoothed(level)
    if all_flat:
        flat = there & (smooth < FLAT_UV) & (level < 2 * FLAT_UV)
    else:
        limit = min(FLAT_UV, FLAT_SHARE * own_level)
        white_limit = min(FLAT_UV, WHITE_SHARE * own_level)
        flat = (smooth < limit) & (level < 2 * limit)
        flat |= (smooth < white_limit) & (level < 2 * white_limit) & _white(found)
        flat |= level < max(min(FLAT_SECOND_UV, FLAT_SECOND_SHARE * own_level), FLAT_ANY_SHARE * own_level)
    flat = (flat & there) | constant
    extreme = (span > EXTREME_ANY_TIMES * own_span) | ((span > EXTREME_UV) & (span > EXTREME_TIMES * own_span))
    kinds[there & extreme & (own_span > 0)] = QualityKind.EXTREME
    kinds[_clipped(found, there & ~flat, own_span)] = QualityKind.CLIPPED
    kinds[flat] = QualityKind.FLAT
    kinds[flat & (found.line > LINE_UV)] = QualityKind.LINE_NOISE
    kinds[constant & _stuck(found, there & ~flat, own_span)] = QualityKind.CLIPPED
    return kinds


def _of_the_night(level: Floats, span: Floats, there: Flags) -> tuple[float, float, bool]:
    """Return the night's own in-band RMS and peak-to-peak amplitude of a second, and whether all of it is flat.

    Medians over the seconds that can be EEG, so that neither an electrode that is off for most of the night nor one
    that was pulled shifts them.
    """
    if not there.any():
        return 0.0, 0.0, True
    plausible = there & (level >= EEG_LEVELS_UV[0]) & (level <= EEG_LEVELS_UV[1])
    if plausible.sum() >= max(LEAST_EEG * there.sum(), 1):
        own = float(np.median(level[plausible]))
    else:
        low, own = (float(np.quantile(level[there], q)) for q in (0.05, 0.9))
        if own < EEG_LEVELS_UV[0] and own < VARYING * low:
            return own, float(np.median(span[there])), True
    for _ in range(20):
        among = there & (level >= TRIM_SHARE * own) & (level <= EXTREME_ANY_TIMES * own)
        last, own = own, float(np.median(level[among]))
        if own == last:
            break
    return own, float(np.median(span[among])), False


def _smoothed(level: Floats) -> Floats:
    """Return the median over each second and its neighbors, five in all, ``[n_seconds]``."""
    padded = np.pad(level, _SMOOTH // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, _SMOOTH), axis=1)


def _white(found: SecondMeasures) -> Flags:
    """Return which seconds have a white spectrum, with those around them."""
    sums = [np.convolve(np.nan_to_num(values), np.ones(_TILT_OVER), "same") for values in (found.lower, found.upper)]
    return np.asarray(sums[0] < WHITE_TILT * sums[1])


def _clipped(found: SecondMeasures, among: Flags, own_span: float) -> Flags:
    """Return which seconds have runs of samples at the recording's own extremes, or long ones at their own."""
    clipped = np.zeros(len(among), dtype=bool)
    if not among.any():
        return clipped
    long = max(RAIL_RUN_S * found.rate_hz, found.run)
    for extremes, runs, rail in (
        (found.high, found.run_high, found.high[among].max()),
        (found.low, found.run_low, found.low[among].min()),
    ):
        at = among & (extremes == rail) & (runs >= found.run)
        if at.sum() > 1 or (runs[at] >= long).any():
            clipped |= at
        clipped |= among & (runs >= long) & (found.high - found.low >= RAIL_TIMES * own_span)
    return clipped


def _stuck(found: SecondMeasures, among: Flags, own_span: float) -> Flags:
    """Return which seconds lie at the recording's extremes, where those are far from the rest."""
    if not among.any() or not own_span:
        return np.zeros(len(among), dtype=bool)
    middle = np.median((found.high[among] + found.low[among]) / 2)
    stuck = np.zeros(len(among), dtype=bool)
    for values, rail in ((found.high, np.nanmax(found.high)), (found.low, np.nanmin(found.low))):
        if abs(rail - middle) > RAIL_TIMES * own_span:
            stuck |= values == rail
    return stuck
