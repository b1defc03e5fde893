"""Other people and other equipment than Sleep-EDF's: what a model meets when it comes to another laboratory.

A :class:`Cohort` has two halves. :class:`Sleepers` are parameters of the simulation itself: how high slow waves and
spindles are, how fast alpha is. :class:`Recorder` is what amplifier and reference do to the signal afterwards. The
stages, and what each looks like in principle, stay as they are: it is a shift of the input, not of the scoring rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.simulation.oscillations import RATE_HZ, Trace

_NOISE_SLOPE: Final = 0.5
"""The amplitude of the reference's noise falls as 1 / frequency to this power."""
_SLOWEST_NOISE_HZ: Final = 0.5


@dataclass(frozen=True, slots=True)
class Sleepers:
    """How a population's landmarks differ; the defaults are the young and middle-aged adults of Sleep-EDF.

    Attributes
    ----------
    slow_waves: height of slow waves and K-complexes, as a share.
    spindles: height of spindles, as a share.
    alpha_hz: how much faster (slower where negative) alpha is.
    fast_db: change of the background above 12 Hz, in dB.
    slow_db: change of the background below 4 Hz, in dB.
    """

    slow_waves: float = 1.0
    spindles: float = 1.0
    alpha_hz: float = 0.0
    fast_db: float = 0.0
    slow_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Recorder:
    """What is done to an EEG between the scalp and the file; the defaults do nothing.

    Attributes
    ----------
    gain: factor on the amplitude, a mistake of calibration.
    high_pass_hz: a further high-pass of first order at this frequency; 0: none.
    noise_uv: standard deviation of the noise that the reference brings in, in µV; its spectrum falls slowly.
    spread: standard deviation, from night to night, of the logarithms of gain and noise.
    """

    gain: float = 1.0
    high_pass_hz: float = 0.0
    noise_uv: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who slept, and with what it was recorded."""

    sleepers: Sleepers = field(default_factory=Sleepers)
    recorder: Recorder = field(default_factory=Recorder)


SLEEP_EDF: Final = Cohort()
"""As the simulation is without any change."""

OLDER_ELSEWHERE: Final = Cohort(
    Sleepers(slow_waves=0.6, spindles=0.65, alpha_hz=-0.8, fast_db=2.0, slow_db=-2.0),
    Recorder(gain=1.4, high_pass_hz=0.8, noise_uv=8.0, spread=0.15),
)
"""People of some seventy years in another laboratory.

With age slow waves lose about half their height, spindles a third, and alpha slows by nearly 1 Hz (Carrier et al. 2011,
doi 10.1111/j.1460-9568.2010.07543.x; Mander et al. 2017, doi 10.1016/j.neuron.2017.02.004). Of the recorder no
publication speaks: a time constant of 0.2 s and 8 µV of noise from the reference, half of what the EEG itself has over
a night, are a guess at a worn electrode and an older amplifier.
"""


def recorded(trace: Trace, recorder: Recorder, rng: np.random.Generator) -> Trace:
    """Return a night's EEG ``[n_samples]`` in µV at 100 Hz as a recorder would have written it."""
    spread = np.exp(recorder.spread * rng.standard_normal(2))
    frequency = np.fft.rfftfreq(len(trace), 1 / RATE_HZ)
    response = recorder.gain * spread[0] * _high_pass(frequency, recorder.high_pass_hz)
    noise = _noise(frequency, len(trace), recorder.noise_uv * spread[1], rng)
    return np.asarray(np.fft.irfft(np.fft.rfft(trace + noise) * response, len(trace)), dtype=np.float32)


def background_gain(bins_hz: NDArray[Any], sleepers: Sleepers) -> NDArray[np.float64]:
    """Return the factor on the background's power at some frequencies, ``float64 [n]``: as it is from 4 to 12 Hz."""
    slow = np.interp(bins_hz, (3.0, 5.0), (sleepers.slow_db, 0.0))
    fast = np.interp(bins_hz, (10.0, 14.0), (0.0, sleepers.fast_db))
    return np.asarray(10 ** ((slow + fast) / 10))


def _high_pass(frequency: NDArray[Any], corner_hz: float) -> NDArray[np.complex128]:
    """The response of a resistor and a capacitor, with the shift of phase that they bring."""
    if not corner_hz:
        return np.ones(len(frequency), dtype=np.complex128)
    ratio = frequency / corner_hz
    return np.asarray(1j * ratio / (1 + 1j * ratio))


def _noise(frequency: NDArray[Any], n: int, deviation: float, rng: np.random.Generator) -> Trace:
    """Gaussian noise ``float32 [n]`` of a standard deviation whose spectrum falls slowly."""
    if not deviation:
        return np.zeros(n, dtype=np.float32)
    spectrum = np.fft.rfft(rng.standard_normal(n, dtype=np.float32))
    noise = np.fft.irfft(spectrum * np.maximum(frequency, _SLOWEST_NOISE_HZ) ** -_NOISE_SLOPE, n)
    return np.asarray(noise * (deviation / noise.std()), dtype=np.float32)
