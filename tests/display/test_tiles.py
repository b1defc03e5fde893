"""Pages put together from tiles: the same as pages that were read whole, and read no more than is new."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.edf_files import Signal, write_edf_plus_d
from sleepviewer.display.filters import RAW, Band
from sleepviewer.display.montage import Derivation
from sleepviewer.display.page import PageCache, read_page
from sleepviewer.recording import open_recording
from sleepviewer.recording.base import Recording

RATE = 128.0
EEG = Derivation("EEG C4")
BAND = Band(0.3, 35.0)


@pytest.fixture
def night(tmp_path: Path) -> Recording:
    rng = np.random.default_rng(1)
    n = 560
    samples = np.round(20 * rng.standard_normal(round(n * RATE)) + 300, 1)
    slow = np.round(rng.standard_normal(n) * 10, 1)
    onsets = [*range(200), *range(240, n + 40)]
    signals = [Signal("EEG C4", RATE, "uV", samples), Signal("Resp", 1, "", slow)]
    return open_recording(write_edf_plus_d(tmp_path / "night.edf", onsets, signals))


@pytest.fixture
def reads(night: Recording, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lengths in seconds of all that is read from the recording."""
    lengths: list[float] = []
    read = night.read

    def counted(label: str, start_s: float, stop_s: float) -> np.ndarray:
        lengths.append(stop_s - start_s)
        return read(label, start_s, stop_s)

    monkeypatch.setattr(night, "read", counted)
    return lengths


@pytest.mark.parametrize("start", [-15.0, 45.0, 165.0, 195.0, 555.0])
@pytest.mark.parametrize("length", [30.0, 60.0, 120.0])
@pytest.mark.parametrize("columns", [300, 100_000])
def test_a_page_of_tiles_is_the_page_that_is_read_whole(
    night: Recording, start: float, length: float, columns: int
) -> None:
    tiled = PageCache(night).read(EEG, start, start + length, BAND, columns)
    whole = read_page(night, EEG, start, start + length, BAND, 100_000)
    if columns == 100_000:
        np.testing.assert_allclose(tiled.x, whole.x, atol=1e-4)
        np.testing.assert_allclose(tiled.y, whole.y, atol=0.6)
        return
    assert (np.diff(tiled.x) >= 0).all()
    places = np.round(tiled.x * RATE).astype(int)
    np.testing.assert_allclose(tiled.y, whole.y[places], atol=0.6)
    if np.isfinite(whole.y).any():
        assert np.nanmax(tiled.y) == pytest.approx(np.nanmax(whole.y), abs=0.6)
        assert np.nanmin(tiled.y) == pytest.approx(np.nanmin(whole.y), abs=0.6)


def test_the_next_page_reads_what_is_new_and_the_last_one_nothing(night: Recording, reads: list[float]) -> None:
    cache = PageCache(night)
    cache.read(EEG, 45.0, 105.0, BAND, 1000)
    assert reads == [pytest.approx(80.0)]
    cache.read(EEG, 75.0, 135.0, BAND, 1000)
    assert reads[1:] == [pytest.approx(50.0)]
    cache.read(EEG, 45.0, 105.0, BAND, 1000)
    assert len(reads) == 2


def test_reading_ahead_serves_the_page_after_the_next(night: Recording, reads: list[float]) -> None:
    cache = PageCache(night)
    cache.read(EEG, 75.0, 135.0, BAND, 1000, ahead=1)
    assert reads == [pytest.approx(110.0)]
    cache.read(EEG, 105.0, 165.0, BAND, 1000, ahead=1)
    assert len(reads) == 1
    cache.read(EEG, 45.0, 105.0, BAND, 1000, ahead=-1)
    cache.read(EEG, 15.0, 75.0, BAND, 1000, ahead=-1)
    assert len(reads) == 2


def test_what_is_drawn_around_its_median_or_slow_is_read_whole(night: Recording) -> None:
    cache = PageCache(night)
    page = cache.read(EEG, 45.0, 105.0, RAW, 100_000)
    assert np.nanmedian(page.y) == pytest.approx(0, abs=0.01)
    slow = cache.read(Derivation("Resp"), 45.5, 75.5, Band(0.1, None), 1000)
    assert slow.x[0] <= 0
    assert slow.x[-1] >= 30


def test_memory_is_bounded(night: Recording) -> None:
    cache = PageCache(night)
    for start in range(0, 300, 30):
        for columns in range(50_000, 50_020):
            cache.read(EEG, float(start), start + 60.0, BAND, columns)
    kept = sum(page.x.nbytes + page.y.nbytes for page in cache._kept.values())
    assert kept == cache._bytes
    assert kept <= 8 << 20
