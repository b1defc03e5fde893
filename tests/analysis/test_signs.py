"""Band powers equal scipy's, and each sign of poor signal is the one that was planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from sleepviewer.analysis.signs import SIGNS, measure_signs
from sleepviewer.recording.spectra import BANDS_HZ

RATE = 100.0


def noise(n: int, seed: int = 0) -> np.ndarray:
    """EEG-like: power falls with frequency."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((n, 3000)), axis=1)
    spectrum /= np.maximum(np.fft.rfftfreq(3000, 1 / RATE), 0.5)
    x = np.fft.irfft(spectrum, 3000, axis=1)
    return (20 * x / x.std()).astype(np.float32)


def test_powers_equal_scipys_welch() -> None:
    x = noise(3)
    found = measure_signs(x, RATE, n=3)
    hz, density = welch(x, RATE, nperseg=400, detrend="constant")
    total = density[:, (hz >= 0.5) & (hz < 30)].sum(axis=1)
    for column, (low, high) in enumerate(BANDS_HZ.values()):
        theirs = density[:, (hz >= low) & (hz < high)].sum(axis=1) / total
        np.testing.assert_allclose(found.power[:, column], theirs, rtol=1e-3)
    np.testing.assert_allclose(found.power.sum(axis=1), 1, rtol=1e-5)


def test_good_signal_is_good() -> None:
    assert measure_signs(noise(20), RATE, n=20).words() == ["good"] * 20


def test_each_artifact_is_named() -> None:
    x = noise(20)
    x[3, :600] = 0.2
    x[5] = np.clip(x[5] * 30, -200, 200)
    x[7, 1000:1600] += 2000 * np.sin(np.arange(600) / 20)
    x[9] += 40 * np.diff(np.random.default_rng(1).standard_normal(3001))
    found = measure_signs(x, RATE, n=20)
    words = found.words()
    assert words[3] == "flat"
    assert "clipped" in words[5]
    assert "extreme amplitude" in words[7]
    assert "emg" in words[9]
    assert {i for i, word in enumerate(words) if word != "good"} == {3, 5, 7, 9}
    assert found.share("flat")[3] == pytest.approx(6 / 30)
    for word in ("good", *SIGNS, "unknown"):
        assert found.described_as(word).tolist() == [word in said.split("+") for said in words]
    assert found.quality.usable[[3, 7, 9]].all()  # muscle activity, and a few bad seconds, make no epoch unusable


def test_epochs_lie_at_their_places_and_others_are_unknown() -> None:
    x = noise(3)
    x[1, 5] = np.nan
    found = measure_signs(x, RATE, n=6, places=np.array([0, 2, 5]))
    assert found.measured.tolist() == [True, False, True, False, False, True]
    assert found.words() == ["good", "unknown", "gap", *["unknown"] * 2, "good"]


@pytest.mark.parametrize("x", [np.empty((0, 0), np.float32), np.zeros((2, 10), np.float32)])
def test_without_a_usable_signal_nothing_is_measured(x: np.ndarray) -> None:
    assert not measure_signs(x, RATE, n=2).measured.any()
    assert not measure_signs(x, 0.0, n=2).poor.any()
