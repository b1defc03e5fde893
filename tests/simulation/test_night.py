"""Simulated nights on disk are Sleep-EDF pairs that say what they are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from sleepviewer.errors import OutputError
from sleepviewer.files import sha256_of
from sleepviewer.hypnogram import align, read_track
from sleepviewer.recording import open_recording
from sleepviewer.simulation import DEFAULT_START, SimulatedNight, simulate_night

SLEEP_EDF_RATES = {
    "EEG Fpz-Cz": 100,
    "EEG Pz-Oz": 100,
    "EOG horizontal": 100,
    "Resp oro-nasal": 1,
    "EMG submental": 1,
    "Temp rectal": 1,
    "Event marker": 1,
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> SimulatedNight:
    return simulate_night(tmp_path_factory.mktemp("night"), hours=0.5)


def test_the_same_seed_gives_the_same_bytes_on_any_day(night: SimulatedNight, tmp_path: Path) -> None:
    again = simulate_night(tmp_path, hours=0.5)
    assert sha256_of(again.psg_path) == sha256_of(night.psg_path)
    assert sha256_of(again.hypnogram_path) == sha256_of(night.hypnogram_path)
    other = simulate_night(tmp_path, seed=1, hours=0.5)
    assert sha256_of(other.psg_path) != sha256_of(night.psg_path)


def test_files_are_named_as_pairs_of_sleep_edf(night: SimulatedNight, tmp_path: Path) -> None:
    assert night.psg_path.name == "SM4001E0-PSG.edf"
    assert night.hypnogram_path.name == "SM4001EC-Hypnogram.edf"
    other = simulate_night(tmp_path, seed=17, hours=0.1)
    assert other.psg_path.name == "SM4171E0-PSG.edf"
    assert other.psg_path.name[:6] == other.hypnogram_path.name[:6]


def test_a_name_of_ones_own_is_taken_and_given_to_the_hypnogram_too(tmp_path: Path) -> None:
    night = simulate_night(tmp_path / "demo.edf", hours=0.1)
    assert (night.psg_path.name, night.hypnogram_path.name) == ("demo.edf", "demo-Hypnogram.edf")
    night = simulate_night(tmp_path / "SM4991E0-PSG.edf", hours=0.1)
    assert night.hypnogram_path.name == "SM4991EC-Hypnogram.edf"


def test_both_headers_say_simulated(night: SimulatedNight) -> None:
    for path in (night.psg_path, night.hypnogram_path):
        assert b"SIMULATED" in path.read_bytes()[8:168]
    with open_recording(night.psg_path) as recording:
        assert recording.simulated


def test_channels_rates_and_units_are_sleep_edfs(night: SimulatedNight) -> None:
    with open_recording(night.psg_path) as recording:
        assert {c.label: c.rate_hz for c in recording.channels} == SLEEP_EDF_RATES
        assert [c.is_voltage for c in recording.channels] == [True, True, True, False, True, False, False]
        assert recording.start == DEFAULT_START
        assert recording.n_epochs == 60
        assert recording.duration_s == 1800
        assert recording.gaps == ()
        samples = recording.read("EEG Fpz-Cz", 0, 1800)
    assert np.isfinite(samples).all()
    assert 5 < samples.std() < 60


def test_the_header_of_the_channels_is_that_of_a_real_recording(night: SimulatedNight, shared: Path) -> None:
    with (
        open_recording(night.psg_path) as simulated,
        open_recording(shared / "data" / "sleep_edf" / "SC4001E0_5min-PSG.edf") as real,
    ):
        assert [(c.label, c.rate_hz, c.unit, c.role) for c in simulated.channels] == [
            (c.label, c.rate_hz, c.unit, c.role) for c in real.channels
        ]


def test_the_hypnogram_file_holds_the_stages_epoch_by_epoch(night: SimulatedNight) -> None:
    with open_recording(night.psg_path) as recording:
        hypnogram = align(
            read_track(night.hypnogram_path), start=recording.start, n_epochs=recording.n_epochs, name=recording.name
        )
    np.testing.assert_array_equal(hypnogram.stages, night.stages)


@pytest.mark.parametrize(("hours", "n_epochs"), [(0.5, 60), (1 / 120, 1), (0.26, 31)])
def test_hours_become_whole_epochs(hours: float, n_epochs: int, tmp_path: Path) -> None:
    night = simulate_night(tmp_path, hours=hours)
    assert len(night.stages) == n_epochs
    with open_recording(night.psg_path) as recording:
        assert recording.n_epochs == n_epochs


def test_another_start_is_in_both_headers(tmp_path: Path) -> None:
    start = datetime(2020, 2, 29, 22, 15, 30)
    night = simulate_night(tmp_path, hours=0.1, start=start)
    with open_recording(night.psg_path) as recording:
        assert recording.start == start
    assert read_track(night.hypnogram_path).start == start


@pytest.mark.parametrize(("seed", "hours"), [(-1, 1.0), (0, 0.0), (0, -2.0)])
def test_a_night_that_cannot_be_is_refused(seed: int, hours: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one epoch"):
        simulate_night(tmp_path, seed=seed, hours=hours)
    assert list(tmp_path.iterdir()) == []


def test_trouble_with_the_disk_or_the_date_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"):
        simulate_night(tmp_path / "nowhere", hours=0.1)
    with pytest.raises(OutputError, match="EDF has no dates in 1970"):
        simulate_night(tmp_path, hours=0.1, start=datetime(1970, 1, 1))
