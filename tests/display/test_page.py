"""What a page shows: filtered without delay or edges, thinned out without losing a spike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.edf_files import Signal, write_edf, write_edf_plus_d
from sleepviewer.display.bridging import continuation
from sleepviewer.display.filters import RAW, Band, apply_band, default_band
from sleepviewer.display.gain import STEPS, starting_half_height, step
from sleepviewer.display.montage import Derivation, Trace
from sleepviewer.display.page import read_page, thin
from sleepviewer.recording import open_recording
from sleepviewer.recording.base import Channel, Role

RATE = 100.0
EEG = Band(0.3, 35.0)


def sine(hz: float, seconds: float = 120.0, rate: float = RATE) -> np.ndarray:
    return (100 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def middle(samples: np.ndarray, rate: float = RATE) -> np.ndarray:
    edge = round(30 * rate)
    return samples[edge:-edge]


def channel(role: Role, rate: float, unit: str = "µV") -> Channel:
    return Channel("A", "A", rate, 1000, unit, unit, role)


# -- filters


def test_ten_hertz_passes_without_delay() -> None:
    np.testing.assert_allclose(middle(apply_band(sine(10), RATE, EEG)), middle(sine(10)), atol=2.0)


@pytest.mark.parametrize(("hz", "left"), [(0.05, 0.01), (60.0, 0.11)])
def test_drift_and_hum_are_removed(hz: float, left: float) -> None:
    rate = 256.0
    filtered = apply_band(sine(hz, rate=rate) + 500, rate, EEG)
    assert np.abs(middle(filtered, rate)).max() < 100 * left


@pytest.mark.parametrize("corner", [0.3, 35.0])
def test_the_named_corners_are_at_half_amplitude(corner: float) -> None:
    filtered = middle(apply_band(sine(corner, 300), RATE, EEG))
    assert np.sqrt(2 * np.mean(filtered**2)) == pytest.approx(50, rel=0.02)


@pytest.mark.parametrize(("hz", "least"), [(0.5, 0.98), (1, 0.99), (10, 0.99), (20, 0.98), (25, 0.93)])
def test_sleep_is_shown_at_its_true_size(hz: float, least: float) -> None:
    filtered = middle(apply_band(sine(hz, rate=256), 256, EEG), 256)
    assert least <= np.sqrt(2 * np.mean(filtered**2)) / 100 <= 1.001


def test_a_pulse_of_a_second_does_not_ring() -> None:
    """A high-pass undershoots on both sides of a pulse, by its nature; what swings back must not look like a wave."""
    pulse = np.zeros(60 * 256, dtype=np.float32)
    pulse[30 * 256 : 31 * 256] = 100
    filtered = apply_band(pulse, 256, EEG)
    assert filtered[: 29 * 256].max() < 10
    assert filtered[32 * 256 :].max() < 10
    assert np.abs(filtered[: 26 * 256]).max() < 3


@pytest.mark.parametrize("rate", [100.0, 256.0])
@pytest.mark.parametrize("hz", [0.5, 1.0, 4.0, 10.0, 20.0])
def test_a_wave_is_drawn_right_up_to_the_ends_and_to_a_gap(hz: float, rate: float) -> None:
    for phase_s in (0.0, 0.13 / hz, 0.29 / hz):
        times = np.arange(round(120 * rate)) / rate + phase_s
        truth = (100 * np.sin(2 * np.pi * hz * times)).astype(np.float32)
        samples = truth.copy()
        for first_s, stop_s in ((0, 20.5), (50, 53), (80, 80.2), (99.3, 120)):
            samples[round(first_s * rate) : round(stop_s * rate)] = np.nan
        filtered = apply_band(samples, rate, EEG)
        expected = apply_band(truth, rate, EEG)
        assert np.nanmax(np.abs(filtered - expected)) < 6


def test_the_last_samples_of_noise_are_drawn_nearer_than_after_a_constant() -> None:
    """What comes after is unknown, but not quite: a prediction beats the last sample going on for ever."""
    rate, rng = 100.0, np.random.default_rng(8)
    brown = np.cumsum(rng.standard_normal(20_000))
    slow = np.sin(2 * np.pi * np.arange(20_000) / rate) * 20
    truth = (brown - np.convolve(brown, np.ones(300) / 300, mode="same") + slow).astype(np.float32)
    expected = apply_band(truth, rate, EEG)
    predicted: list[float] = []
    constant: list[float] = []
    for cut in range(5000, 15_000, 250):
        window = truth[cut - 4000 : cut]
        ended = np.append(window, np.full(1000, np.nan, dtype=np.float32))
        held = np.append(window, np.full(1000, window[-1]))
        for samples, errors in ((ended, predicted), (held, constant)):
            errors.append(np.abs(apply_band(samples, rate, EEG)[3900:4000] - expected[cut - 100 : cut]).max())
    assert np.mean(predicted) < 0.75 * np.mean(constant)


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=300),
    st.integers(1, 3000),
    st.sampled_from([1.0, 10.0, 256.0]),
)
def test_a_continuation_never_leaves_the_neighbourhood_of_its_signal(samples: list[float], n: int, rate: float) -> None:
    signal = np.array(samples, dtype=np.float32)
    ahead = continuation(signal, n, rate)
    assert ahead.shape == (n,)
    assert np.abs(ahead).max() <= 4 * np.abs(signal).max() + 1e-6


def test_many_gaps_are_bridged_too() -> None:
    samples = sine(10)
    for first in range(500, 11_000, 300):
        samples[first : first + 50] = np.nan
    filtered = apply_band(samples, RATE, EEG)
    np.testing.assert_array_equal(np.isnan(filtered), np.isnan(samples))


def test_a_pulse_stays_symmetric() -> None:
    """Zero phase: what comes before a pulse mirrors what comes after it."""
    pulse = np.zeros(4001, dtype=np.float32)
    pulse[2000] = 100
    filtered = apply_band(pulse, RATE, EEG)
    assert filtered.argmax() == 2000
    np.testing.assert_allclose(filtered[1500:2000], filtered[2500:2000:-1], atol=1e-3)


def test_gaps_stay_gaps_and_do_not_spread() -> None:
    samples = sine(10)
    samples[5000:6000] = np.nan
    filtered = apply_band(samples, RATE, EEG)
    np.testing.assert_array_equal(np.isnan(filtered), np.isnan(samples))
    np.testing.assert_allclose(filtered[3100:4900], sine(10)[3100:4900], atol=12)


def test_a_channel_without_a_sample_is_left_as_it_is() -> None:
    nothing = np.full(500, np.nan, dtype=np.float32)
    assert np.isnan(apply_band(nothing, RATE, EEG)).all()
    assert apply_band(np.empty(0, dtype=np.float32), RATE, EEG).size == 0
    raw = sine(1)
    assert apply_band(raw, RATE, RAW) is raw


@given(st.integers(2, 3000), st.floats(1, 1000))
def test_any_length_and_rate_give_as_many_finite_samples(n: int, rate: float) -> None:
    filtered = apply_band(np.linspace(-1, 1, n, dtype=np.float32), rate, EEG)
    assert filtered.shape == (n,)
    assert filtered.dtype == np.float32
    assert np.isfinite(filtered).all()


@pytest.mark.parametrize(
    ("role", "rate", "text"),
    [
        (Role.EEG, 256, "0.3–35 Hz"),
        (Role.EOG, 100, "0.3–35 Hz"),
        (Role.EMG, 256, "10–100 Hz"),
        (Role.EMG, 100, "10–∞ Hz"),
        (Role.EEG, 50, "0.3–∞ Hz"),
        (Role.RESPIRATION, 1, "0.1–∞ Hz"),
        (Role.EMG, 1, "unfiltered"),
        (Role.OTHER, 256, "unfiltered"),
    ],
)
def test_the_band_follows_the_role_as_far_as_the_rate_allows(role: Role, rate: float, text: str) -> None:
    assert default_band(channel(role, rate)).text == text


# -- pages


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of noise with a slow drift on an offset."""
    rng = np.random.default_rng(5)
    n = round(600 * RATE)
    drift = 300 + 200 * np.sin(2 * np.pi * np.arange(n) / RATE / 240)
    samples = rng.standard_normal(n) * 30 + drift
    channels = [Signal("EEG C4", RATE, "uV", samples), Signal("Pressure", 10, "", np.full(6000, 7.0))]
    return write_edf(tmp_path_factory.mktemp("page") / "night.edf", channels, record_s=30)


def test_a_page_in_mid_recording_has_no_edges(night: Path) -> None:
    """It is the same stretch as that of the whole night, filtered at once."""
    with open_recording(night) as recording:
        eeg = recording.channels[0]
        whole = apply_band(recording.read(eeg.label, 0, 600), RATE, EEG)
        for start in (60.0, 285.0, 480.0):
            page = read_page(recording, Derivation(eeg.label), start, start + 60, EEG, 60 * 100)
            expected = whole[round(start * RATE) : round((start + 60) * RATE)]
            assert page.y.shape == expected.shape
            np.testing.assert_allclose(page.y, expected, atol=3.0)
            assert page.x[0] == 0
            assert page.x[-1] == pytest.approx(60 - 1 / RATE, abs=1e-3)


def test_a_page_beyond_the_ends_is_empty_there(night: Path) -> None:
    with open_recording(night) as recording:
        eeg = recording.channels[0]
        first = read_page(recording, Derivation(eeg.label), -15, 45, EEG, 6000)
        last = read_page(recording, Derivation(eeg.label), 585, 645, EEG, 6000)
    assert np.isnan(first.y[:1500]).all()
    assert np.isfinite(first.y[1500:]).all()
    assert np.isnan(last.y[1500:]).all()
    assert np.isfinite(last.y[:1500]).all()


def test_an_unfiltered_page_is_drawn_around_its_median(night: Path) -> None:
    with open_recording(night) as recording:
        eeg = recording.channels[0]
        page = read_page(recording, Derivation(eeg.label), 120, 150, RAW, 3000)
        raw = recording.read(eeg.label, 120, 150)
    assert np.median(page.y) == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(page.y - page.y[0], raw - raw[0], atol=1e-3)


def test_a_gap_in_the_recording_is_a_gap_on_the_page(tmp_path: Path) -> None:
    samples = np.round(np.random.default_rng(1).standard_normal(60 * 100) * 20, 1)
    onsets = [*range(30), *range(90, 120)]
    path = write_edf_plus_d(tmp_path / "gap.edf", onsets, [("EEG C4", 100, "uV", samples)])
    with open_recording(path) as recording:
        page = read_page(recording, Derivation(recording.channels[0].label), 0, 120, EEG, 12_000)
    assert np.isnan(page.y[3000:9000]).all()
    assert np.isfinite(page.y[:3000]).all()
    assert np.isfinite(page.y[9000:]).all()


# -- thinning out

values = st.floats(-1000, 1000, width=32)


@given(st.lists(values, min_size=1, max_size=400), st.integers(1, 40))
def test_thinning_keeps_extremes_and_order(samples: list[float], columns: int) -> None:
    y = np.array(samples, dtype=np.float32)
    page = thin(y, 10.0, 2.0, columns)
    assert page.x.shape == page.y.shape
    assert page.y.min() == y.min()
    assert page.y.max() == y.max()
    assert (np.diff(page.x) >= 0).all()
    places = np.round((page.x - 2.0) * 10).astype(int)
    np.testing.assert_array_equal(page.y, y[places])
    per_bin = len(y) // columns
    assert len(page.y) <= (len(y) if per_bin < 4 else 2 * (len(y) // per_bin) + per_bin)


def test_every_column_keeps_its_own_extremes() -> None:
    y = np.random.default_rng(2).standard_normal(30_000).astype(np.float32)
    page = thin(y, 1.0, 0.0, 300)
    for column in range(300):
        inside = (page.x >= column * 100) & (page.x < (column + 1) * 100)
        part = y[column * 100 : (column + 1) * 100]
        assert sorted(page.y[inside]) == sorted([part.min(), part.max()])


def test_a_column_that_is_partly_a_gap_is_drawn_from_the_rest() -> None:
    y = np.arange(1000, dtype=np.float32)
    y[100:150] = np.nan
    y[300:400] = np.nan
    page = thin(y, 1.0, 0.0, 10)
    in_column = [page.y[(page.x >= i * 100) & (page.x < (i + 1) * 100)] for i in range(10)]
    assert in_column[1].tolist() == [150, 199]
    assert np.isnan(in_column[3]).all()
    assert in_column[4].tolist() == [400, 499]


# -- gains


def test_gain_steps_go_up_and_down_and_end() -> None:
    assert [step(100, 1), step(100, -1), step(120, 1), step(120, -1)] == [200, 50, 200, 100]
    assert step(STEPS[-1], 1) == STEPS[-1]
    assert step(STEPS[0], -1) == STEPS[0]
    height = STEPS[0]
    for expected in STEPS[1:]:
        height = step(height, 1)
        assert height == expected


@pytest.mark.parametrize(
    ("label", "amplitude", "half_height"),
    [("EEG C4", 60, 100), ("EEG C4", 1000, 1000), ("EEG C4", 4, 5), ("EOG left", 60, 200), ("EMG chin", 30, 50)],
)
def test_a_lane_starts_at_the_usual_height_where_the_signal_suits_it(
    tmp_path: Path, label: str, amplitude: float, half_height: float
) -> None:
    samples = amplitude * np.sin(2 * np.pi * 20 * np.arange(60 * 256) / 256)
    path = write_edf(tmp_path / "a.edf", [(label, 256, "uV", samples)])
    with open_recording(path) as recording:
        lane = recording.channels[0]
        assert starting_half_height(recording, Trace(Derivation(lane.label), default_band(lane))) == half_height


def test_a_flat_lane_has_a_height_too(night: Path) -> None:
    with open_recording(night) as recording:
        flat = recording.channels[1]
        assert starting_half_height(recording, Trace(Derivation(flat.label), RAW)) == 1.0
