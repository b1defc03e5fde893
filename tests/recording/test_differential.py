"""Samples equal those of two other readers, mne and pyedflib, within one digital step, at each channel's own rate."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyedflib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.edf_files import Signal, write_edf
from sleepviewer.recording import Recording, open_recording

FACTORS = {"uV": 1.0, "mV": 1e3, "V": 1e6}
VALID_REAL = (
    "sleep_edf/SC4001E0_5min-PSG.edf",
    "ucddb/ucddb018.edf",
    "odd/subsecond_start.edf",
    "odd/subsecond_start.bdf",
    "odd/bdf_plus_c.bdf",
    "odd/duplicate_labels.edf",
)
"""Continuous files that all three open."""


def windows(night: Recording, data: st.DataObject) -> tuple[float, float]:
    start = data.draw(st.floats(0, max(night.duration_s - 1, 0)))
    return start, min(start + data.draw(st.floats(0.1, 20)), night.duration_s)


def agrees_with_pyedflib(path: Path, data: st.DataObject) -> None:
    with open_recording(path) as night, pyedflib.EdfReader(str(path)) as other:
        start_s, stop_s = windows(night, data)
        numbers = [n for n in range(other.signals_in_file) if "Annotations" not in other.getLabel(n)]
        assert len(numbers) == len(night.channels)
        for number, channel in zip(numbers, night.channels, strict=True):
            rate = other.getSampleFrequency(number)
            assert channel.rate_hz == pytest.approx(rate)
            first, last = round(start_s * channel.rate_hz), round(stop_s * channel.rate_hz)
            factor = FACTORS.get(other.getPhysicalDimension(number).strip(), 1.0)
            expected = other.readSignal(number, first, last - first) * factor
            got = night.read(channel.label, start_s, stop_s)
            np.testing.assert_allclose(got, expected, atol=_step(other, number) * factor, rtol=1e-6)


def _step(other: pyedflib.EdfReader, number: int) -> float:
    digital = other.getDigitalMaximum(number) - other.getDigitalMinimum(number)
    return abs((other.getPhysicalMaximum(number) - other.getPhysicalMinimum(number)) / digital)


def agrees_with_mne(path: Path, data: st.DataObject) -> None:
    """Where all channels have one rate; of several, mne would resample those of the lower ones."""
    import mne

    read = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    raw = read(path, preload=False, verbose="ERROR")
    with open_recording(path) as night:
        start_s, stop_s = windows(night, data)
        for number, channel in enumerate(night.channels):
            first, last = round(start_s * channel.rate_hz), round(stop_s * channel.rate_hz)
            expected = raw.get_data([number], first, last)[0] * (1e6 if channel.is_voltage else 1.0)
            got = night.read(channel.label, start_s, stop_s)
            np.testing.assert_allclose(got, expected, atol=1e-6 + abs(expected).max() * 1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", VALID_REAL)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_real_files_read_as_pyedflib_reads_them(shared: Path, name: str, data: st.DataObject) -> None:
    agrees_with_pyedflib(shared / "data" / name, data)


@pytest.mark.parametrize("name", [name for name in VALID_REAL if "SC4001" not in name])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_real_files_of_one_rate_read_as_mne_reads_them(shared: Path, name: str, data: st.DataObject) -> None:
    agrees_with_mne(shared / "data" / name, data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rates=st.lists(st.sampled_from([1, 10, 16, 100, 128, 200, 256, 500]), min_size=1, max_size=4),
    unit=st.sampled_from(["uV", "mV", "V", ""]),
    ranges=st.sampled_from([(-3276.8, 3276.7), (-100, 250), (0, 1), (250, -250)]),
    digital=st.sampled_from([(-32768, 32767), (-2048, 2047), (0, 4095)]),
    bdf=st.booleans(),
    plus=st.booleans(),
    data=st.data(),
)
def test_any_sound_file_reads_as_pyedflib_reads_it(
    tmp_path: Path,
    rates: list[int],
    unit: str,
    ranges: tuple[float, float],
    digital: tuple[int, int],
    bdf: bool,
    plus: bool,
    data: st.DataObject,
) -> None:
    low, high = sorted(ranges)
    random = np.random.default_rng(3)
    signals = [
        Signal(f"C{n}", rate, unit, random.uniform(low, high, rate * 12), ranges, digital)
        for n, rate in enumerate(rates)
    ]
    onsets = list(range(12)) if plus else None
    kind = ("BDF+C" if bdf else "EDF+C") if plus else ""
    path = write_edf(
        tmp_path / ("a.bdf" if bdf else "a.edf"),
        signals,
        bdf=bdf,
        onsets=onsets,
        kind=kind,
        start=datetime(2021, 3, 4, 22, 30, 15),
        recording="Startdate 04-MAR-2021 X X X",
    )
    agrees_with_pyedflib(path, data)
