"""What the ruler says, on waves that were made to be measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.edf_files import Signal, write_edf, write_edf_plus_d
from sleepviewer.display.montage import Derivation
from sleepviewer.display.page import PageTrace, thin
from sleepviewer.display.ruler import Measurement, SlowWaves, find_slow_waves, measure, slow_waves
from sleepviewer.recording import open_recording

RATE = 128.0
EEG = Derivation("EEG C4")


def wave(hz: float, seconds: float, peak_to_peak: float, rate: float = RATE) -> np.ndarray:
    return (peak_to_peak / 2 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def seconds_of(samples: np.ndarray, rate: float = RATE) -> float:
    return sum(stop - start for start, stop in find_slow_waves(samples, rate))


# -- between two points


def test_a_wave_is_measured() -> None:
    page = thin(wave(1.0, 10, 120), RATE, 0.0, 10_000)
    measured = measure(page, "µV", (2.0, -60.0), (2.5, 25.0))
    assert measured.seconds == 0.5
    assert measured.frequency_hz == 2.0
    assert measured.difference == 85.0
    assert measured.peak_to_peak == pytest.approx(60, abs=0.5)
    assert measured.text == "0.50 s · 2 Hz · Δ +85 µV · peak to peak 60 µV"


def test_the_ruler_measures_backwards_too() -> None:
    page = thin(wave(1.0, 10, 120), RATE, 0.0, 10_000)
    measured = measure(page, "µV", (4.0, 10.0), (3.0, -10.5))
    assert measured.seconds == 1.0
    assert measured.difference == -20.5
    assert measured.peak_to_peak == pytest.approx(120, abs=0.5)
    assert "Δ −20.5 µV" in measured.text


def test_a_thinned_page_keeps_the_peaks() -> None:
    page = thin(wave(1.0, 60, 120, 512.0), 512.0, 0.0, 600)
    assert measure(page, "µV", (10.0, 0), (20.0, 0)).peak_to_peak == pytest.approx(120, abs=0.1)


def test_no_time_is_no_frequency_and_no_samples_are_no_peaks() -> None:
    assert Measurement(0.0, 5.0, None, "").text == "0.00 s · Δ +5"
    empty = PageTrace(np.empty(0, np.float32), np.empty(0, np.float32))
    assert measure(empty, "µV", (0, 0), (1, 1)).peak_to_peak is None


# -- slow waves


@pytest.mark.parametrize("hz", [0.55, 0.8, 1.0, 1.5, 1.9])
def test_slow_waves_that_are_high_enough_count_whole(hz: float) -> None:
    assert seconds_of(wave(hz, 40, 90)) == pytest.approx(40, abs=2 / hz)


@pytest.mark.parametrize(("hz", "peak_to_peak"), [(1.0, 74.0), (0.4, 200.0), (2.2, 200.0), (4.0, 200.0), (10.0, 200.0)])
def test_waves_that_are_too_low_too_slow_or_too_quick_do_not_count(hz: float, peak_to_peak: float) -> None:
    assert find_slow_waves(wave(hz, 40, peak_to_peak), RATE) == []


def test_a_single_wave_counts_once_wherever_it_turns_first() -> None:
    for sign in (1, -1):
        samples = sign * np.concatenate([-0.1 * np.ones(1000), wave(1.0, 1.0, 100), 0.1 * np.ones(1000)])
        (found,) = find_slow_waves(samples.astype(np.float32), RATE)
        assert found[0] == pytest.approx(1000 / RATE, abs=0.05)
        assert found[1] == pytest.approx(1000 / RATE + 1, abs=0.05)


def test_no_wave_goes_over_a_gap() -> None:
    samples = wave(1.0, 10, 100)
    samples[round(5.25 * RATE) : round(5.3 * RATE)] = np.nan
    for start, stop in find_slow_waves(samples, RATE):
        assert stop <= 5.3
        assert start >= 0
        break
    assert all(stop <= 5.26 or start >= 5.29 for start, stop in find_slow_waves(samples, RATE))


def epoch_with(folder: Path, seconds: float, peak_to_peak: float = 100.0, unit: str = "uV") -> SlowWaves | None:
    """The slow waves of the second of three epochs: a train of 1-Hz waves from its fifth second, spindles over it."""
    n = round(90 * RATE)
    samples = 8 * np.sin(2 * np.pi * 13 * np.arange(n) / RATE)
    first = round(35 * RATE)
    train = wave(1.0, seconds, peak_to_peak)
    samples[first : first + train.size] += train
    path = write_edf(folder / "epoch.edf", [Signal("EEG C4", RATE, unit, samples)])
    with open_recording(path) as recording:
        return slow_waves(recording, EEG, 1)


@pytest.mark.parametrize("seconds", [3.0, 6.0, 12.0, 20.0])
def test_the_seconds_of_slow_waves_in_an_epoch_are_those_that_were_put_there(tmp_path: Path, seconds: float) -> None:
    found = epoch_with(tmp_path, seconds)
    assert found is not None
    assert found.seconds == pytest.approx(seconds, abs=0.6)
    assert all(30 <= start < stop <= 60 for start, stop in found.intervals)


def test_a_train_of_low_waves_with_spindles_over_it_does_not_count(tmp_path: Path) -> None:
    found = epoch_with(tmp_path, 12.0, peak_to_peak=70.0)
    assert found is not None
    assert found.seconds == 0


def test_what_goes_over_the_epochs_border_counts_within_it(tmp_path: Path) -> None:
    found = epoch_with(tmp_path, 40.0)
    assert found is not None
    assert found.seconds == pytest.approx(25, abs=0.6)


def test_what_is_no_voltage_has_no_slow_waves(tmp_path: Path) -> None:
    assert epoch_with(tmp_path, 12.0, unit="%") is None


def test_an_epoch_in_a_gap_has_none(tmp_path: Path) -> None:
    samples = wave(1.0, 60, 100)
    path = write_edf_plus_d(tmp_path / "gap.edf", [*range(30), *range(60, 90)], [Signal("EEG C4", RATE, "uV", samples)])
    with open_recording(path) as recording:
        found = slow_waves(recording, EEG, 1)
    assert found is not None
    assert found.seconds == 0


def test_the_sentence_tells_the_share_and_the_rule() -> None:
    waves = SlowWaves(60.0, ((61.0, 64.0), (70.0, 74.5)))
    assert waves.seconds == 7.5
    assert waves.text == "Slow waves over 75 µV: 7.5 s of this epoch, 25 % (N3 from 20 %)"
