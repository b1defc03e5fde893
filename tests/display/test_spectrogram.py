"""The night's spectrogram: right frequency, right power, gaps left blank; kept for the next time."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.edf_files import Signal, patch, write_edf, write_edf_plus_d
from sleepviewer.display.palettes import VIRIDIS
from sleepviewer.display.spectrogram import N_TAPERS, STEP_S, WINDOW_S, Cancelled, Spectrogram, compute_spectrogram
from sleepviewer.display.spectrogram_cache import keep_spectrogram, load_spectrogram
from sleepviewer.display.tapers import slepian_tapers
from sleepviewer.recording import Recording, open_recording

RATE = 128


def recording_of(path: Path, signal: np.ndarray, rate: float = RATE) -> Recording:
    return open_recording(write_edf(path, [Signal("EEG C4", rate, "uV", signal)]))


def noise(seconds: float, rate: float = RATE) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(round(seconds * rate)) * 20


@pytest.mark.parametrize("n", [80, 101, 1280, 1999])
@pytest.mark.parametrize("halfbandwidth", [3.0, 5.0])
def test_tapers_are_those_of_scipy(n: int, halfbandwidth: float) -> None:
    windows = pytest.importorskip("scipy.signal.windows")
    count = int(2 * halfbandwidth) - 1
    ours, theirs = slepian_tapers(n, halfbandwidth, count), windows.dpss(n, halfbandwidth, count)
    signs = np.sign(np.sum(ours * theirs, axis=1, keepdims=True))
    np.testing.assert_allclose(ours * signs, theirs, atol=1e-9)


@pytest.mark.parametrize("rate", [RATE, 200, 256, 500])
def test_power_is_that_of_a_plain_multitaper_estimate(tmp_path: Path, rate: int) -> None:
    windows, detrend = pytest.importorskip("scipy.signal.windows"), pytest.importorskip("scipy.signal").detrend
    recording = recording_of(tmp_path / "a.edf", noise(120, rate), rate)
    samples = recording.read("EEG C4", 0, 120).astype(float)
    spectrogram = compute_spectrogram(recording, "EEG C4")
    n = round(WINDOW_S * rate)
    tapers = windows.dpss(n, 5, N_TAPERS)
    for window in (1, 7, 22):
        begin = round(((window + 0.5) * STEP_S - WINDOW_S / 2) * rate)
        piece = detrend(samples[begin : begin + n])
        density = (np.abs(np.fft.rfft(piece * tapers, axis=1)) ** 2).mean(axis=0) * 2 / rate
        expected = 10 * np.log10(density[np.round(spectrogram.frequencies_hz * WINDOW_S).astype(int)])
        off = spectrogram.power_db[window] - expected
        # Where the rate was lowered, the tapers stand on other samples, a part of one beside those of the reference.
        assert np.abs(off).max() < (0.01 if rate == RATE else 1.0)
        assert np.sqrt(np.mean(off**2)) < 0.25
    total_db = 10 * np.log10(20**2 * 2 / rate)
    assert np.nanmean(spectrogram.power_db) == pytest.approx(total_db, abs=0.5)


@settings(max_examples=15, deadline=None)
@given(frequency=st.floats(1.0, 29.5), rate=st.sampled_from([100, 128, 200, 256, 512]))
def test_a_sine_stands_at_its_frequency(tmp_path_factory: pytest.TempPathFactory, frequency: float, rate: int) -> None:
    time_s = np.arange(60 * rate) / rate
    path = tmp_path_factory.mktemp("sine") / "a.edf"
    recording = recording_of(path, 50 * np.sin(2 * np.pi * frequency * time_s) + noise(60, rate) / 100, rate)
    spectrogram = compute_spectrogram(recording, "EEG C4")
    middle = 10 ** (spectrogram.power_db[3:9].mean(axis=0) / 10)
    found = np.sum(middle * spectrogram.frequencies_hz) / middle.sum()
    assert found == pytest.approx(frequency, abs=0.2)


def test_a_sine_stands_at_its_time(tmp_path: Path) -> None:
    signal = noise(300) / 10
    burst = slice(120 * RATE, 150 * RATE)
    signal[burst] += 50 * np.sin(2 * np.pi * 13 * np.arange(30 * RATE) / RATE)
    spectrogram = compute_spectrogram(recording_of(tmp_path / "a.edf", signal), "EEG C4")
    at_13 = np.array([spectrogram.at(second, 13.0) or np.nan for second in range(2, 300, 5)])
    loud = np.flatnonzero(at_13 > np.nanmedian(at_13) + 10) * 5
    assert 115 <= loud.min() <= 120
    assert 145 <= loud.max() <= 150


def test_gaps_and_ends_stay_blank(tmp_path: Path) -> None:
    onsets = [*map(float, range(60)), *map(float, range(100, 160))]
    path = write_edf_plus_d(tmp_path / "a.edf", onsets, [Signal("EEG C4", RATE, "uV", noise(120))])
    spectrogram = compute_spectrogram(open_recording(path), "EEG C4")
    blank = np.isnan(spectrogram.power_db).all(axis=1)
    middles = (np.arange(len(blank)) + 0.5) * STEP_S
    touches = (middles < 5) | (middles > 155) | ((middles > 55) & (middles < 105))
    np.testing.assert_array_equal(blank, touches)
    assert spectrogram.at(80, 10) is None
    assert spectrogram.at(30, 10) is not None
    assert spectrogram.at(-1, 10) is None
    assert spectrogram.at(1e6, 10) is None


def test_a_slow_channel_has_no_power_where_it_holds_none(tmp_path: Path) -> None:
    spectrogram = compute_spectrogram(recording_of(tmp_path / "a.edf", noise(60, 20), 20), "EEG C4")
    known = np.isfinite(spectrogram.power_db[3])
    assert known[spectrogram.frequencies_hz < 9].all()
    assert not known[spectrogram.frequencies_hz >= 10].any()
    one = compute_spectrogram(recording_of(tmp_path / "b.edf", noise(60, 1), 1), "EEG C4")
    assert np.isnan(one.power_db).all()
    assert one.limits_db == (0.0, 1.0)


def test_a_flat_line_is_blank_and_nothing_warns(tmp_path: Path) -> None:
    spectrogram = compute_spectrogram(recording_of(tmp_path / "a.edf", np.zeros(60 * RATE)), "EEG C4")
    assert np.isnan(spectrogram.power_db).all()
    assert np.isnan(spectrogram.columns(0, 60, 10)).all()


def test_limits_are_robust(tmp_path: Path) -> None:
    signal = noise(1200)
    signal[100 * RATE : 104 * RATE] *= 100
    low, high = compute_spectrogram(recording_of(tmp_path / "a.edf", signal), "EEG C4").limits_db
    quiet = 10 * np.log10(20**2 * 2 / RATE)
    assert quiet - 8 < low < high < quiet + 8


def test_columns_average_what_they_cover() -> None:
    power = np.arange(12, dtype=np.float32)[:, None] * np.ones((1, 2), np.float32)
    power[6:8] = np.nan
    spectrogram = Spectrogram("a", "µV", 5.0, np.array([1.0, 2.0]), power)
    np.testing.assert_allclose(spectrogram.columns(0, 60, 6)[:, 0], [0.5, 2.5, 4.5, np.nan, 8.5, 10.5])
    np.testing.assert_allclose(spectrogram.columns(0, 10, 4)[:, 0], [0, 0, 1, 1])
    beyond = spectrogram.columns(-20, 80, 10)[:, 0]
    np.testing.assert_allclose(beyond, [np.nan, np.nan, 0.5, 2.5, 4.5, np.nan, 8.5, 10.5, np.nan, np.nan])
    assert np.isnan(spectrogram.columns(60, 90, 5)).all()
    assert np.isnan(spectrogram.columns(-90, -1, 5)).all()


@settings(max_examples=100, deadline=None)
@given(first=st.floats(-50, 120), length=st.floats(1, 200), n_columns=st.integers(1, 60), blank=st.integers(0, 19))
def test_columns_are_what_counting_by_hand_gives(first: float, length: float, n_columns: int, blank: int) -> None:
    power = np.random.default_rng(blank).standard_normal((20, 2)).astype(np.float32)
    power[blank] = np.nan
    columns = Spectrogram("a", "µV", 5.0, np.array([1.0, 2.0]), power).columns(first, first + length, n_columns)
    edges = np.floor(np.linspace(first, first + length, n_columns + 1) / 5.0).astype(int)
    for column, (begin, end) in enumerate(itertools.pairwise(edges.tolist())):
        covered = [power[k] for k in range(begin, max(end, begin + 1)) if 0 <= k < 20 and k != blank]
        expected = np.mean(covered, axis=0) if covered else [np.nan, np.nan]
        np.testing.assert_allclose(columns[column], expected, atol=1e-5)


def test_what_is_not_wanted_any_more_ends(tmp_path: Path) -> None:
    recording = recording_of(tmp_path / "a.edf", noise(900))
    asked = []
    with pytest.raises(Cancelled):
        compute_spectrogram(recording, "EEG C4", cancelled=lambda: len(asked) > 1 or bool(asked.append(1)))
    assert len(asked) == 2


def test_a_kept_spectrogram_is_that_of_the_file_as_it_is(tmp_path: Path, user_folders: Path) -> None:
    path = tmp_path / "a.edf"
    recording = recording_of(path, noise(60))
    assert load_spectrogram(recording, "EEG C4") is None
    computed = compute_spectrogram(recording, "EEG C4")
    keep_spectrogram(recording, computed)
    kept = load_spectrogram(recording, "EEG C4")
    assert kept is not None
    np.testing.assert_allclose(kept.power_db, computed.power_db, atol=0.05)
    patch(path, 5000, b"\x01\x02")
    assert load_spectrogram(open_recording(path), "EEG C4") is None
    (file,) = (user_folders / "cache").rglob("*.npz")
    file.write_bytes(b"PK\x03\x04 no archive")
    assert load_spectrogram(recording, "EEG C4") is None


def test_the_cache_does_not_grow_for_ever(tmp_path: Path, user_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sleepviewer.display.spectrogram_cache._MOST_FILES", 3)
    for number in range(5):
        recording = recording_of(tmp_path / f"{number}.edf", noise(20))
        keep_spectrogram(recording, compute_spectrogram(recording, "EEG C4"))
    assert len(list((user_folders / "cache").rglob("*.npz"))) == 3
    assert load_spectrogram(recording, "EEG C4") is not None


def test_the_palette_brightens_evenly() -> None:
    linear = np.where(VIRIDIS / 255 <= 0.04045, VIRIDIS / 255 / 12.92, ((VIRIDIS / 255 + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(luminance) - 16
    steps = np.diff(lightness[::15])  # of one colour to the next, rounding to bytes would tell more than the palette
    assert (steps > 0).all()
    assert steps.max() < 1.5 * steps.min()
