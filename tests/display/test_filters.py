"""The display filters against scipy's, and that no page shows where what was read for it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.edf_files import Signal, write_edf
from sleepviewer.display.filters import LOWEST_HZ, RAW, Band, apply_band, default_band, limited, margin_s, preset
from sleepviewer.display.montage import Derivation
from sleepviewer.display.page import read_page
from sleepviewer.recording import open_recording
from sleepviewer.recording.base import Channel, Role

RATE = 1000.0
BANDS = [preset(role) for role in Role if preset(role) != RAW]


def noise(seconds: float, rate: float = RATE) -> np.ndarray:
    return (50 * np.random.default_rng(4).standard_normal(round(seconds * rate))).astype(np.float32)


def by_scipy(band: Band, rate: float) -> Callable[[np.ndarray], np.ndarray]:
    """The filters that the docstring names: a Butterworth of fourth order and notches 2 Hz wide, there and back."""
    from scipy import signal

    stages = []
    if band.high_pass_hz is not None:
        stages.append(signal.butter(4, band.high_pass_hz, "highpass", fs=rate, output="sos"))
    if band.low_pass_hz is not None:
        stages.append(signal.butter(4, band.low_pass_hz, "lowpass", fs=rate, output="sos"))
    if band.notch_hz is not None:
        multiples = np.arange(band.notch_hz, rate / 2, band.notch_hz)
        stages.extend(signal.tf2sos(*signal.iirnotch(mains, mains / 2.0, fs=rate)) for mains in multiples)
    sos = np.concatenate(stages)
    return lambda samples: signal.sosfiltfilt(sos, samples.astype(float), padtype="even", padlen=samples.size // 3)


@pytest.mark.parametrize("notch", [None, 50.0, 60.0])
@pytest.mark.parametrize("band", BANDS, ids=lambda band: band.text)
def test_a_page_is_what_scipy_makes_of_it(band: Band, notch: float | None) -> None:
    """Sample by sample in the interior: the same gain at every frequency, and no phase at all.

    White noise holds all frequencies; what scipy's digital filters bend near half the rate stays below a hundredth.
    """
    band = Band(band.high_pass_hz, band.low_pass_hz, notch)
    samples = noise(4 * margin_s(band) + 10)
    ours, theirs = apply_band(samples, RATE, band), by_scipy(band, RATE)(samples)
    edge = round(1.5 * margin_s(band) * RATE)
    inside = slice(edge, -edge)
    assert np.std(ours[inside] - theirs[inside]) < 0.02 * np.std(theirs[inside])


@pytest.mark.parametrize("band", [*BANDS, Band(0.3, 35, 50), Band(10, 100, 60), Band(None, None, 50)])
def test_gain_and_phase_are_those_of_the_named_filter(band: Band) -> None:
    from scipy import signal

    n = round(200 * RATE)
    pulse = np.zeros(n, dtype=np.float32)
    pulse[n // 2] = 1000
    response = np.fft.rfft(np.roll(apply_band(pulse, RATE, band).astype(float), -(n // 2))) / 1000
    frequencies = np.fft.rfftfreq(n, 1 / RATE)
    assert np.abs(np.angle(response[np.abs(response) > 0.01])).max() < 1e-3
    expected = np.ones_like(frequencies)
    for corner, kind in ((band.high_pass_hz, "highpass"), (band.low_pass_hz, "lowpass")):
        if corner is not None:
            expected *= np.abs(signal.freqs_zpk(*_analog(4, corner, kind), worN=2 * np.pi * frequencies)[1]) ** 2
    if band.notch_hz is not None:
        for mains in np.arange(band.notch_hz, RATE / 2, band.notch_hz):
            b, a = signal.iirnotch(mains, mains / 2.0, fs=RATE)
            expected *= np.abs(signal.freqz(b, a, worN=frequencies, fs=RATE)[1]) ** 2
    np.testing.assert_allclose(np.abs(response)[1:], expected[1:], atol=0.02)


def _analog(order: int, corner: float, kind: str) -> tuple:
    from scipy import signal

    return signal.butter(order, 2 * np.pi * corner, kind, analog=True, output="zpk")


@pytest.mark.parametrize(("mains", "rate"), [(50.0, 256.0), (60.0, 256.0), (50.0, 200.0)])
def test_a_notch_takes_the_mains_and_their_multiples_and_nothing_else(mains: float, rate: float) -> None:
    times = np.arange(round(60 * rate)) / rate
    sleep = 40 * np.sin(2 * np.pi * 13 * times) + 60 * np.sin(2 * np.pi * 1.1 * times)
    hum = sum(30 / k * np.sin(2 * np.pi * k * mains * times) for k in (1, 2) if k * mains < rate / 2)
    filtered = apply_band((sleep + hum).astype(np.float32), rate, Band(None, None, mains))
    inside = slice(round(3 * rate), -round(3 * rate))
    assert np.abs(filtered[inside] - sleep[inside]).max() < 0.5


@pytest.mark.parametrize("off", [-0.2, 0.2])
def test_mains_that_wander_are_taken_too(off: float) -> None:
    times = np.arange(60 * 256) / 256
    hum = (100 * np.sin(2 * np.pi * (50 + off) * times)).astype(np.float32)
    assert np.abs(apply_band(hum, 256, Band(None, None, 50))[768:-768]).max() < 6


@pytest.mark.parametrize(
    "band",
    [*BANDS, Band(0.02, 5), Band(0.1, None), Band(None, 1.0), Band(0.3, 35, 50), Band(None, None, 50)],
    ids=lambda band: band.text,
)
@pytest.mark.parametrize("place", ["at the page", "in the margin", "at the end of what is read"])
def test_no_page_shows_where_its_reading_ends(tmp_path: Path, band: Band, place: str) -> None:
    """A page is the same stretch as that of the whole night, filtered at once, wherever a step of 1 mV is."""
    rate, start, margin = 250.0, 1200.0, margin_s(band)
    step_s = (
        start - {"at the page": 0.0, "in the margin": margin / 2, "at the end of what is read": margin - 0.5}[place]
    )
    samples = np.where(np.arange(round(2400 * rate)) / rate < step_s, -500.0, 500.0)
    path = write_edf(tmp_path / "step.edf", [Signal("EEG C4", rate, "uV", samples)], record_s=30)
    with open_recording(path) as recording:
        eeg = recording.channels[0]
        whole = apply_band(recording.read(eeg.label, 0, 2400), rate, band)
        page = read_page(recording, Derivation(eeg.label), start, start + 30, band, 1 << 20)
    expected = whole[round(start * rate) : round((start + 30) * rate)]
    if band.high_pass_hz is None:
        expected = expected - np.median(expected)
    assert np.abs(page.y - expected).max() < 1000 / 5000


def test_the_margin_follows_from_the_lowest_corner() -> None:
    assert margin_s(RAW) == 0
    assert margin_s(Band(0.3, 35)) == pytest.approx(10)
    assert margin_s(Band(0.1, 15, 50)) == pytest.approx(30)
    assert margin_s(Band(10, 100)) < 1
    assert margin_s(Band(10, 100, 50)) == pytest.approx(2)


@pytest.mark.parametrize(
    ("band", "rate", "left", "text"),
    [
        (Band(0.3, 35, 50), 256, Band(0.3, 35, 50), "0.3–35 Hz, notch 50 Hz"),
        (Band(10, 100, 60), 100, Band(10, None), "10–∞ Hz"),
        (Band(10, 100, 50), 128, Band(10, None, 50), "10–∞ Hz, notch 50 Hz"),
        (Band(None, 15), 256, Band(None, 15), "0–15 Hz"),
        (Band(None, None, 60), 256, Band(None, None, 60), "notch 60 Hz"),
        (Band(20, 100), 50, RAW, "unfiltered"),
        (Band(None, None, 50), 100, RAW, "unfiltered"),
    ],
)
def test_a_band_is_shown_as_what_the_rate_leaves_of_it(band: Band, rate: float, left: Band, text: str) -> None:
    assert limited(band, rate) == left
    assert left.text == text


@pytest.mark.parametrize("role", list(Role))
def test_presets_are_those_of_the_aasm(role: Role) -> None:
    expected = {
        Role.EEG: "0.3–35 Hz",
        Role.EOG: "0.3–35 Hz",
        Role.EMG: "10–100 Hz",
        Role.ECG: "0.3–70 Hz",
        Role.RESPIRATION: "0.1–15 Hz",
        Role.OTHER: "unfiltered",
    }
    assert preset(role).text == expected[role]
    assert default_band(Channel("A", "A", 512, 1, "µV", "uV", role)) == preset(role)


@pytest.mark.parametrize(
    ("band", "word"),
    [
        (Band(35, 0.3), "below the low-pass"),
        (Band(10, 10), "below the low-pass"),
        (Band(0, None), "begin at 0.01 Hz"),
        (Band(None, float("nan")), "begin at"),
        (Band(None, float("inf")), "begin at"),
        (Band(None, None, 55), "50 or 60"),
    ],
)
def test_a_band_that_can_not_be_says_why(band: Band, word: str) -> None:
    assert word in band.fault


corners = st.none() | st.floats(LOWEST_HZ, 500)


@settings(deadline=None)
@given(corners, corners, st.sampled_from([None, 50.0, 60.0]), st.floats(0.5, 1024))
def test_any_band_at_any_rate_leaves_finite_samples(
    high: float | None, low: float | None, notch: float | None, rate: float
) -> None:
    band = limited(Band(high, low, notch), rate)
    assert limited(band, rate) == band
    samples = noise(1, 2000)
    filtered = apply_band(samples, rate, band)
    assert filtered.shape == samples.shape
    assert np.isfinite(filtered).all()
    assert np.std(filtered) <= 1.01 * np.std(samples)
