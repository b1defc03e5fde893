"""A night is continuous for the filter, and honest about what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers.scoring_fakes import FakeChannel, FakeRecording, eeg
from sleepviewer.errors import ChannelError, UnitError
from sleepviewer.recording import ToldUnit, with_told_units
from sleepviewer.scoring.signals import fill_gaps, read_signal


def read(channel: FakeChannel) -> object:
    return read_signal(FakeRecording({"EEG": channel}), "EEG")


@given(
    hnp.arrays(np.float32, st.integers(1, 80), elements=st.sampled_from([np.nan, -3.0, 0.0, 7.5, 40.0])),
)
def test_filling_keeps_every_sample_and_stays_within_their_range(samples: np.ndarray) -> None:
    filled = fill_gaps(samples)
    known = np.isfinite(samples)
    assert filled.dtype == np.float32
    assert np.isfinite(filled).all()
    assert np.array_equal(filled[known], samples[known])
    if known.any():
        assert filled.min() >= samples[known].min() - 1e-4
        assert filled.max() <= samples[known].max() + 1e-4


def test_a_fill_begins_and_ends_like_its_surroundings() -> None:
    samples = np.sin(np.arange(1000) / 15).astype(np.float32) + np.linspace(0, 5, 1000, dtype=np.float32)
    gapped = samples.copy()
    gapped[300:420] = np.nan
    steps = np.abs(np.diff(fill_gaps(gapped)))
    assert steps.max() < 2 * np.abs(np.diff(samples)).max()


def test_a_gap_makes_its_epochs_missing_and_is_told() -> None:
    samples = eeg(10)
    samples[3500:6100] = np.nan
    signal = read_signal(FakeRecording({"EEG": FakeChannel(samples)}), "EEG")
    assert np.flatnonzero(signal.missing).tolist() == [1, 2]
    assert any("2 of 10 epochs" in note and "gap" in note for note in signal.notes)
    assert np.isfinite(signal.samples).all()


def test_a_flat_epoch_is_missing_and_is_told() -> None:
    samples = eeg(10)
    samples[6000:9000] = 3.25
    signal = read_signal(FakeRecording({"EEG": FakeChannel(samples)}), "EEG")
    assert np.flatnonzero(signal.missing).tolist() == [2]
    assert any("1 of 10 epochs" in note and "flat" in note for note in signal.notes)


@pytest.mark.parametrize("value", [0.0, 12.0, np.nan])
def test_a_channel_without_any_signal_is_refused(value: float) -> None:
    with pytest.raises(ChannelError, match="no usable signal"):
        read(FakeChannel(np.full(30_000, value, dtype=np.float32)))


def test_a_recording_without_a_whole_epoch_is_refused() -> None:
    with pytest.raises(ChannelError, match="no usable signal"):
        read(FakeChannel(np.ones(500, dtype=np.float32)))


@pytest.mark.parametrize(("microvolts", "word"), [(2e-5, "small"), (20.0, None), (2e4, "large")])
def test_an_implausible_amplitude_is_told(microvolts: float, word: str | None) -> None:
    samples = eeg(10, microvolts=microvolts)
    samples *= np.linspace(0.2, 1.8, len(samples), dtype=np.float32)  # in any unit an EEG waxes and wanes
    signal = read_signal(FakeRecording({"EEG": FakeChannel(samples)}), "EEG")
    assert [note for note in signal.notes if "implausibly" in note] == [n for n in signal.notes if word and word in n]
    assert bool(signal.notes) == (word is not None)


def test_a_missing_unit_is_asked_for_and_another_unit_refused() -> None:
    unnamed = FakeRecording({"EEG": FakeChannel(eeg(10), unit="")})
    with pytest.raises(UnitError, match=r'gives no unit for “EEG”.*--unit "EEG=mV"'):
        read_signal(unnamed, "EEG")
    left = read_signal(with_told_units(unnamed, [ToldUnit("EEG", "as-is")]), "EEG")
    assert "as if they were µV" in left.notes[0]
    told = read_signal(with_told_units(unnamed, [ToldUnit("EEG", "mV")]), "EEG")
    np.testing.assert_allclose(told.samples, 1000 * left.samples, rtol=1e-6)
    with pytest.raises(ChannelError, match="°C"):
        read(FakeChannel(eeg(10), unit="°C"))


@pytest.mark.parametrize("rate_hz", [100.0, 128.0, 256.0, 199.8, 128.1, 500.0])
def test_resampling_keeps_the_length_and_a_slow_wave(rate_hz: float) -> None:
    n = round(12 * 30 * rate_hz)
    wave = (40 * np.sin(2 * np.pi * 2 * np.arange(n) / rate_hz) + 300).astype(np.float32)
    signal = read_signal(FakeRecording({"EEG": FakeChannel(wave, rate_hz)}), "EEG")
    assert len(signal.missing) == 12
    resampled = signal.at_rate(100)
    assert resampled.dtype == np.float32
    assert len(resampled) == 12 * 3000
    ideal = 40 * np.sin(2 * np.pi * 2 * np.arange(12 * 3000) / 100) + 300
    np.testing.assert_allclose(resampled[100:-100], ideal[100:-100], atol=1.0)
