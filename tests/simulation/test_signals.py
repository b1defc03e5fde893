"""Simulated signals hold what a scorer looks for in each stage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from sleepviewer.simulation import simulate_hypnogram, simulate_signals
from sleepviewer.simulation.statistics import sleep_edf_statistics
from sleepviewer.stages import SCORED_STAGES, Stage, StageArray

Epochs = NDArray[np.float64]
STAGES = simulate_hypnogram(960, 1)


@pytest.fixture(scope="module")
def night() -> dict[str, Epochs]:
    """Seed 1, eight hours, cut into epochs: ``[960, samples]`` by channel."""
    return {name: samples.reshape(960, -1) for name, samples in simulate_signals(STAGES, 1).items()}


def inner(stages: StageArray) -> NDArray[np.bool_]:
    """Epochs whose neighbours are of the same stage: they hold nothing of another one."""
    inside = np.zeros(len(stages), dtype=bool)
    inside[1:-1] = (stages[1:-1] == stages[:-2]) & (stages[1:-1] == stages[2:])
    return inside


def of(epochs: Epochs, stage: Stage) -> Epochs:
    return epochs[(stage == STAGES) & inner(STAGES)]


def band_power(epochs: Epochs, low: float, high: float) -> NDArray[np.float64]:
    """Power in µV² in a band, one value per epoch."""
    freqs, power = signal.welch(epochs, 100, nperseg=400, axis=1)
    return np.asarray(power[:, (freqs >= low) & (freqs < high)].sum(axis=1) * freqs[1])


def slow_wave_share(epochs: Epochs) -> NDArray[np.float64]:
    """Share of each epoch's time in waves of 0.5 to 2 Hz of more than 75 µV from peak to peak (AASM)."""
    slow = signal.sosfiltfilt(signal.butter(2, (0.4, 3.0), "bandpass", fs=100, output="sos"), epochs, axis=1)
    shares = []
    for epoch in slow:
        rises = np.flatnonzero((epoch[1:] >= 0) & (epoch[:-1] < 0))
        seconds = 0.0
        for start, stop in pairwise(rises.tolist()):
            length = (stop - start) / 100
            if 0.5 <= length <= 2.0 and np.ptp(epoch[start:stop]) > 75:
                seconds += length
        shares.append(seconds / 30)
    return np.array(shares)


def steepest(epochs: Epochs) -> NDArray[np.float64]:
    """The steepest 50 ms of every second in µV, median of the four busiest seconds: rapid eye movements."""
    smooth = signal.sosfiltfilt(signal.butter(2, 12.0, fs=100, output="sos"), epochs, axis=1)
    jumps = np.abs(smooth[:, 5:] - smooth[:, :-5])[:, :2900].reshape(len(epochs), 29, 100).max(axis=2)
    return np.asarray(np.median(np.sort(jumps, axis=1)[:, -4:], axis=1))


def test_the_same_seed_gives_the_same_samples() -> None:
    stages = simulate_hypnogram(20, 5)
    first, second, other = simulate_signals(stages, 5), simulate_signals(stages, 5), simulate_signals(stages, 6)
    for channel in first:
        np.testing.assert_array_equal(first[channel], second[channel])
        assert (first[channel] != other[channel]).any()


@pytest.mark.parametrize("n_epochs", [1, 2, 7])
def test_a_very_short_night_is_finite_and_whole(n_epochs: int) -> None:
    signals = simulate_signals(simulate_hypnogram(n_epochs, 0), 0)
    lengths = [len(samples) for samples in signals.values()]
    assert lengths == [3000 * n_epochs] * 3 + [30 * n_epochs] * 4
    assert all(np.isfinite(samples).all() for samples in signals.values())


def test_wake_has_alpha_at_the_back_of_the_head(night: dict[str, Epochs]) -> None:
    alpha = {stage: np.median(band_power(of(night["EEG Pz-Oz"], stage), 8, 12)) for stage in SCORED_STAGES}
    assert alpha[Stage.W] > 3 * max(alpha[stage] for stage in SCORED_STAGES[1:])
    front = np.median(band_power(of(night["EEG Fpz-Cz"], Stage.W), 8, 12))
    assert alpha[Stage.W] > 1.5 * front


def test_n2_has_more_sigma_than_wake_n1_and_rem(night: dict[str, Epochs]) -> None:
    peak = {
        stage: np.median(
            band_power(of(night["EEG Fpz-Cz"], stage), 12, 14.5) / band_power(of(night["EEG Fpz-Cz"], stage), 16, 20)
        )
        for stage in (Stage.W, Stage.N1, Stage.N2, Stage.REM)
    }
    assert peak[Stage.N2] > 3 * max(peak[Stage.W], peak[Stage.N1], peak[Stage.REM])


def test_spindles_wax_and_wane_within_two_seconds(night: dict[str, Epochs]) -> None:
    band = signal.butter(4, (11, 15), "bandpass", fs=100, output="sos")
    envelope = np.abs(signal.hilbert(signal.sosfiltfilt(band, of(night["EEG Fpz-Cz"], Stage.N2), axis=1), axis=1))
    above = (envelope > 10).astype(int)
    edges = np.diff(np.pad(above, ((0, 0), (1, 1))), axis=1)
    starts, stops = np.nonzero(edges == 1), np.nonzero(edges == -1)
    lengths = (stops[1] - starts[1]) / 100
    spindles = lengths[lengths >= 0.4]
    assert len(spindles) / len(above) > 1.0
    assert np.mean(spindles <= 2.0) > 0.95


def test_n3_has_slow_waves_over_a_fifth_of_the_epoch_and_n2_has_not(night: dict[str, Epochs]) -> None:
    deep, light = (slow_wave_share(of(night["EEG Fpz-Cz"], stage)) for stage in (Stage.N3, Stage.N2))
    assert np.mean(deep > 0.2) > 0.8
    assert np.mean(deep > 0.5) > 0.1
    assert np.mean(light < 0.2) > 0.85


def test_rem_has_rapid_eye_movements_and_n2_has_none(night: dict[str, Epochs]) -> None:
    rem, n2 = (steepest(of(night["EOG horizontal"], stage)) for stage in (Stage.REM, Stage.N2))
    assert np.median(rem) > 3 * np.median(n2)


def test_n1_has_slow_eye_movements(night: dict[str, Epochs]) -> None:
    slow = {stage: np.median(band_power(of(night["EOG horizontal"], stage), 0.2, 0.6)) for stage in SCORED_STAGES}
    assert slow[Stage.N1] > 3 * max(slow[Stage.N2], slow[Stage.N3])


def test_chin_muscle_is_tight_in_wake_and_slack_in_rem(night: dict[str, Epochs]) -> None:
    tone = [float(np.median(of(night["EMG submental"], stage))) for stage in SCORED_STAGES]
    assert tone == sorted(tone, reverse=True)
    assert tone[Stage.REM] < 0.5 * tone[Stage.W]


def test_blinks_are_larger_at_the_forehead_than_behind(night: dict[str, Epochs]) -> None:
    front, back = (np.ptp(of(night[name], Stage.W), axis=1) for name in ("EEG Fpz-Cz", "EEG Pz-Oz"))
    assert np.mean(front > 100) > 0.5
    assert np.median(front) > 1.3 * np.median(back)


def test_temperature_and_breathing_are_those_of_a_sleeper(night: dict[str, Epochs]) -> None:
    temperature, breathing = night["Temp rectal"].ravel(), night["Resp oro-nasal"].ravel()
    assert 35.5 < temperature.min() < temperature.max() < 38
    assert temperature[:600].mean() > temperature[18000:18600].mean() + 0.3
    freqs, power = signal.welch(breathing, 1.0, nperseg=256)
    assert 0.2 < freqs[power.argmax()] < 0.32


def test_spectra_of_the_stages_are_near_the_real_ones(night: dict[str, Epochs]) -> None:
    real = sleep_edf_statistics()["spectra"]
    centres = np.array(real["freqs_hz"])
    freqs, power = signal.welch(night["EEG Fpz-Cz"], 100, nperseg=500, axis=1)
    # The alpha of this sleeper is stronger than that of the median one, and below 1 Hz five seconds are too short.
    compared = (centres > 1) & ~((centres > 8) & (centres < 12))
    for stage in SCORED_STAGES:
        median = np.median(power[(stage == STAGES) & inner(STAGES)], axis=0)
        ratio = np.interp(centres, freqs, median) / np.array(real["uv2_per_hz"][stage.label])
        assert np.abs(np.log(ratio[compared])).mean() < 0.5
