"""What is replayed and what guards: simulated nights from a cache, or a folder's, parted by subject; fixed norms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import torch

from helpers import tiny_tuning
from sleepviewer.models.adaptation import blend_statistics
from sleepviewer.models.checkpoints import load_weights
from sleepviewer.models.versions import ModelVersions
from sleepviewer.simulation import simulate_hypnogram, simulate_signals
from sleepviewer.simulation.cohort import OLDER_ELSEWHERE, SLEEP_EDF, Cohort, Recorder, Sleepers
from sleepviewer.stages import Stage
from sleepviewer.training import replay
from sleepviewer.training.corrected import TuningNight, read_corrected
from sleepviewer.training.fine_tune import BaseModel
from sleepviewer.training.guard import BeforeAfter, Table, judge
from sleepviewer.training.norms import NightNorms
from sleepviewer.training.records import version_record
from sleepviewer.training.replay import load_replay, simulated_epochs
from sleepviewer.training.tuner import tuned_card


@pytest.fixture
def short_nights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_EPOCHS", 20)


@pytest.mark.usefixtures("short_nights")
def test_a_simulated_night_is_kept_and_a_damaged_one_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = simulated_epochs(7)
    assert (x.shape, x.dtype, y.shape) == ((20, 3000), np.float32, (20,))
    assert np.abs(x.reshape(-1) - simulate_signals(y, 7)["EEG Fpz-Cz"]).max() < 0.03
    (kept,) = platformdirs.user_cache_path("SleepViewer", appauthor=False).rglob("7.npz")
    monkeypatch.setattr(replay, "_simulate", lambda *_: pytest.fail("it is there already"))
    assert np.array_equal(simulated_epochs(7)[0], x)
    monkeypatch.undo()
    monkeypatch.setattr(replay, "_EPOCHS", 20)
    kept.write_bytes(kept.read_bytes()[:-100])
    assert np.array_equal(simulated_epochs(7)[0], x)


@pytest.mark.usefixtures("short_nights")
def test_what_guards_is_never_replayed() -> None:
    found = load_replay(None, replace(tiny_tuning.CARD, rate_hz=100, epoch_samples=3000), ())
    assert not {n.subject for n in found.replayed} & {n.subject for n in found.guards}
    assert all(n.x.shape == (20, 3000) and n.reviewed.all() for n in (*found.replayed, *found.guards))


def test_a_folder_is_parted_by_subject_and_without_the_corrected_nights_subject(tmp_path: Path) -> None:
    folder = tiny_tuning.write_others(tmp_path / "others", nights=6)
    corrected = read_corrected(tiny_tuning.write_corrected(tmp_path / "mine.npz", 100), tiny_tuning.CARD)
    (folder / "broken.npz").write_bytes(b"nothing")
    found = load_replay(folder, tiny_tuning.CARD, (corrected,))
    names = [{night.name for night in part} for part in (found.replayed, found.guards)]
    assert names[0] | names[1] == {f"other{i}" for i in range(1, 6)}, "other0 is the same recording"
    assert (len(names[0]), len(names[1])) == (3, 2)
    assert [note.split()[0] for note in found.notes] == ["broken.npz", "other0.npz"]


def test_norms_are_those_that_scoring_the_night_takes_and_come_back(tmp_path: Path) -> None:
    loaded = load_weights(tiny_tuning.write_base(tmp_path))
    model = loaded.build()
    norms = NightNorms(model, 0.5)
    x = np.random.default_rng(0).normal(3, 2, (40, 300)).astype(np.float32)
    batch = torch.from_numpy(x).unsqueeze(1)
    with torch.no_grad():
        plain, wanted = model(batch), blend_statistics(model, x, 0.5)(batch)
        norms.use(norms.of_night(x))
        assert torch.equal(model(batch), wanted)
        assert not torch.equal(wanted, plain)
        norms.restore()
        assert torch.equal(model(batch), plain)


# -- the cohort


def test_the_cohort_of_sleep_edf_is_the_simulation_as_it_was() -> None:
    y = simulate_hypnogram(40, 3)
    plain, named = simulate_signals(y, 3), simulate_signals(y, 3, SLEEP_EDF)
    assert all(np.array_equal(plain[channel], named[channel]) for channel in plain)
    other = simulate_signals(y, 3, OLDER_ELSEWHERE)
    assert not np.array_equal(plain["EEG Fpz-Cz"], other["EEG Fpz-Cz"])
    assert np.array_equal(other["EEG Fpz-Cz"], simulate_signals(y, 3, OLDER_ELSEWHERE)["EEG Fpz-Cz"])


def power(signal: np.ndarray, low: float, high: float) -> float:
    spectrum, frequency = np.abs(np.fft.rfft(signal)) ** 2, np.fft.rfftfreq(len(signal), 0.01)
    return float(spectrum[(frequency >= low) & (frequency < high)].sum())


def test_older_sleepers_have_lower_slow_waves_and_spindles() -> None:
    y = np.full(40, Stage.N3, dtype=np.int8)
    young = simulate_signals(y, 0)["EEG Fpz-Cz"]
    old = simulate_signals(y, 0, Cohort(Sleepers(slow_waves=0.5)))["EEG Fpz-Cz"]
    assert power(old, 0.5, 2) < 0.6 * power(young, 0.5, 2)
    assert power(old, 20, 30) == pytest.approx(power(young, 20, 30), rel=0.05)


def test_a_recorder_filters_scales_and_adds_noise() -> None:
    y = np.full(40, Stage.N3, dtype=np.int8)

    def recorded(**how: float) -> np.ndarray:
        return simulate_signals(y, 0, Cohort(recorder=Recorder(**how)))["EEG Fpz-Cz"]

    plain = simulate_signals(y, 0)["EEG Fpz-Cz"]
    assert np.allclose(recorded(gain=2.0), 2 * plain, atol=1e-3)
    assert (recorded(noise_uv=8.0) - plain).std() == pytest.approx(8.0, rel=0.01)
    passed = recorded(high_pass_hz=1.0)
    assert power(passed, 0.9, 1.1) == pytest.approx(power(plain, 0.9, 1.1) / 2, rel=0.1), "half the power at its corner"
    assert power(passed, 10, 20) == pytest.approx(power(plain, 10, 20), rel=0.02)


# -- what a version has learned


def test_a_version_of_a_version_remembers_all_nights(tmp_path: Path) -> None:
    table = Table(0.8, 0.9, {}, 300)
    verdict = judge(BeforeAfter(table, table), BeforeAfter(table, table))
    nights = [TuningNight(n, n, np.zeros((0, 0)), np.zeros(0, np.int8), np.zeros(0, np.int32), "a", n) for n in "pq"]
    versions = ModelVersions()
    parent = BaseModel("attnsleep@shipped", "attnsleep", tmp_path, "0" * 64)
    lineage = {"nights": [nights[1].as_dict()], "earlier_nights": [nights[0].as_dict()]}
    card = tuned_card(tiny_tuning.CARD, parent, verdict, lineage)
    path = versions.new_path("attnsleep")
    tiny_tuning.write_base(tmp_path, card=card).replace(path)
    (version,) = versions.versions()
    record = version_record(version.name, version.sha256())
    assert record is not None
    assert record.recordings == {"p", "q"}
    assert version_record(version.name, "1" * 64) is None, "other weights have another history"
    assert version_record("attnsleep@v9", version.sha256()) is None
