"""Long pages: what a pyramid shows is what a look at every sample shows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.edf_files import Signal, write_edf_plus_d
from sleepviewer.display.filters import RAW, Band
from sleepviewer.display.montage import Derivation
from sleepviewer.display.page import read_filtered
from sleepviewer.display.pyramid import Pyramid, empty_pyramid, extremes, fill_chunk, fill_preview
from sleepviewer.recording import open_recording
from sleepviewer.recording.base import Recording

RATE = 100.0
EEG = Derivation("EEG C4")
BAND = Band(0.3, 35.0)


def filled(samples: np.ndarray, rate: float = 10.0, base: int = 2) -> Pyramid:
    pyramid = Pyramid(rate, samples.size, base)
    for chunk in pyramid.missing_chunks():
        pyramid.put(chunk, samples[chunk * pyramid.chunk : (chunk + 1) * pyramid.chunk])
    return pyramid


def brute(samples: np.ndarray) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(np.nanmin(samples)), float(np.nanmax(samples))


values = st.one_of(st.floats(-1000, 1000, width=32), st.just(np.nan))


@given(st.lists(values, min_size=1, max_size=3000), st.integers(1, 50), st.data())
def test_every_stretch_of_a_page_has_the_extremes_of_its_samples(
    listed: list[float], columns: int, data: st.DataObject
) -> None:
    samples, rate = np.array(listed, dtype=np.float32), 10.0
    pyramid = filled(samples, rate)
    length = samples.size / rate
    start = data.draw(st.floats(-5, length))
    stop = data.draw(st.floats(start + 0.1, length + 5))
    page = pyramid.page(start, stop, columns)
    n = page.x.size // 2
    assert page.y.size == 2 * n
    # Stretches follow from the points: a quarter and three quarters into each.
    quarter = page.x[::2] + np.float32(start)
    size = round(2 * rate * float(page.x[1] - page.x[0])) if n else 0
    for i in range(n):
        first = round((float(quarter[i])) * rate - size / 4)
        low, high = brute(samples[first : first + size])
        np.testing.assert_array_equal((page.y[2 * i], page.y[2 * i + 1]), (np.float32(low), np.float32(high)))
    # No sample of the window is left out.
    inside = samples[max(int(start * rate), 0) : max(int(stop * rate), 0)]
    if np.isfinite(inside).any():
        assert np.nanmin(page.y) <= np.nanmin(inside)
        assert np.nanmax(page.y) >= np.nanmax(inside)
    else:
        assert n == 0 or np.isfinite(page.y).sum() <= 2 * n


@given(st.lists(values, min_size=1, max_size=400), st.integers(1, 70))
def test_extremes_are_those_of_each_part(listed: list[float], size: int) -> None:
    samples = np.array(listed, dtype=np.float32)
    lows, highs = extremes(samples, size)
    assert lows.size == highs.size == -(-samples.size // size)
    for i in range(lows.size):
        np.testing.assert_array_equal((lows[i], highs[i]), brute(samples[i * size : (i + 1) * size]))


def test_a_page_has_about_a_stretch_a_column_and_memory_is_bounded() -> None:
    day = Pyramid(256.0, 24 * 3600 * 256)
    assert day.nbytes < 3 << 20
    for span in (600, 1800, 3600, 8 * 3600, 24 * 3600):
        page = day.page(1000.0, 1000.0 + span, 1400)
        assert page.x.size // 2 <= 2 * 1400 + 2
    assert day.page(0, 24 * 3600, 1400).x.size // 2 >= 1400


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """An hour with a gap of five minutes, noise with slow waves and an offset."""
    rng = np.random.default_rng(3)
    n = 3300 * 100
    samples = 20 * rng.standard_normal(n) + 60 * np.sin(np.arange(n) / RATE * 2 * np.pi * 0.8) + 400
    onsets = [*range(1500), *range(1800, 3600)]
    path = tmp_path_factory.mktemp("pyramid") / "night.edf"
    return open_recording(write_edf_plus_d(path, onsets, [Signal("EEG C4", RATE, "uV", samples)]))


def build(night: Recording, band: Band) -> Pyramid:
    pyramid = empty_pyramid(night, EEG)
    for chunk in pyramid.missing_chunks():
        fill_chunk(pyramid, night, EEG, band, chunk)
    return pyramid


@pytest.mark.parametrize("band", [BAND, RAW])
def test_a_pyramid_of_a_night_is_the_filtered_night(night: Recording, band: Band) -> None:
    pyramid = build(night, band)
    whole = read_filtered(night, EEG, 0, night.duration_s, band)
    page = pyramid.page(0, night.duration_s, 500)
    size = round(2 * RATE * float(page.x[1] - page.x[0]))
    for i in range(page.x.size // 2):
        np.testing.assert_allclose(
            (page.y[2 * i], page.y[2 * i + 1]), brute(whole[i * size : (i + 1) * size]), atol=0.5
        )


def test_gaps_stay_gaps(night: Recording) -> None:
    page = build(night, BAND).page(0, night.duration_s, 500)
    in_gap = (page.x > 1510) & (page.x < 1790)
    assert in_gap.sum() > 50
    assert np.isnan(page.y[in_gap]).all()
    assert np.isfinite(page.y[(page.x < 1490) | (page.x > 1810)]).all()


def test_a_preview_stands_in_until_the_night_is_read(night: Recording) -> None:
    pyramid = empty_pyramid(night, EEG)
    assert not pyramid.has_preview
    assert np.isnan(pyramid.page(0, 3600, 500).y).all()
    fill_preview([(pyramid, EEG, BAND)], night, 0.0, night.duration_s)
    assert pyramid.has_preview
    assert not pyramid.is_filled(0, 3600)
    page = pyramid.page(0, 3600, 500)
    there = page.y[(page.x < 1450) | (page.x > 1850)]
    assert np.isfinite(there).all()
    # High-passed, it is shown around zero and not at the electrode's offset.
    assert np.abs(there).max() < 200
    fill_chunk(pyramid, night, EEG, BAND, 0)
    chunk_s = pyramid.chunk / RATE
    assert pyramid.is_filled(0, chunk_s - 1)
    assert not pyramid.is_filled(0, chunk_s + 1)
    np.testing.assert_array_equal(pyramid.page(0, chunk_s - 50, 500).y, build(night, BAND).page(0, chunk_s - 50, 500).y)
