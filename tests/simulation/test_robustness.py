"""Disturbances of a recording are what they say, and the default engine holds up against them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from helpers.places import ROOT
from helpers.scoring_fakes import FakeChannel, FakeRecording, eeg
from sleepviewer.recording.base import Recording
from sleepviewer.scoring.base import CancelToken, ChannelChoice, Prediction, ProgressCallback, no_progress
from sleepviewer.scoring.registry import EngineSpec, make_engine
from sleepviewer.simulation import SimulatedNight, simulate_night
from sleepviewer.simulation.disturbances import (
    DISTURBANCES,
    RANGE_UV,
    Disturbance,
    Disturbed,
    DisturbedRecording,
    Kind,
    Signal,
    find_disturbances,
    robust_spread,
)
from sleepviewer.stages import EPOCH_S, N_STAGES, StageArray

N = 200
RATES = (100.0, 128.0, 256.0)
BENCHMARKS = ROOT / "benchmarks"

every_disturbance = pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda row: row.name)
every_rate = pytest.mark.parametrize("rate_hz", RATES)


def named(name: str) -> Disturbance:
    (row,) = find_disturbances((name,))
    return row


@cache
def night_at(rate_hz: float) -> Signal:
    """An EEG with an offset and a gap in epoch 30."""
    samples = eeg(N, rate_hz) + np.float32(40)
    samples[round(30.2 * EPOCH_S * rate_hz) : round(30.7 * EPOCH_S * rate_hz)] = np.nan
    samples.flags.writeable = False
    return samples


def by_epoch(samples: Signal) -> Signal:
    return samples.reshape(N, -1)


# The disturbances.


@every_rate
@every_disturbance
def test_the_same_seed_gives_the_same_samples_and_another_seed_others(disturbance: Disturbance, rate_hz: float) -> None:
    night = night_at(rate_hz)
    first, again, other = (disturbance.apply(night, rate_hz, seed) for seed in (1, 1, 2))
    assert first
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.samples, same.samples)
        np.testing.assert_array_equal(one.touched, same.touched)
    equal = all(
        np.array_equal(one.samples, another.samples, equal_nan=True) for one, another in zip(first, other, strict=True)
    )
    assert equal is not disturbance.random


@every_rate
@every_disturbance
def test_samples_keep_their_number_and_type(disturbance: Disturbance, rate_hz: float) -> None:
    night = night_at(rate_hz)
    for piece in disturbance.apply(night, rate_hz):
        assert piece.samples.dtype == night.dtype
        assert piece.rate_hz == (disturbance.rate_hz or rate_hz)
        assert len(piece.samples) == piece.n_epochs * EPOCH_S * piece.rate_hz
        assert piece.touched.dtype == bool
        if disturbance.piece_min is not None:
            assert piece.n_epochs * EPOCH_S == disturbance.piece_min * 60
        else:
            assert piece.n_epochs == N * disturbance.share


@every_disturbance
def test_double_precision_stays_double_precision(disturbance: Disturbance) -> None:
    for piece in disturbance.apply(night_at(100.0).astype(np.float64), 100.0):
        assert piece.samples.dtype == np.float64


@every_rate
@pytest.mark.parametrize(
    "disturbance", [row for row in DISTURBANCES if row.kind is Kind.ARTIFACT], ids=lambda r: r.name
)
def test_an_artifact_changes_the_epochs_that_it_reports_and_no_others(disturbance: Disturbance, rate_hz: float) -> None:
    night = night_at(rate_hz)
    (disturbed,) = disturbance.apply(night, rate_hz, 3)
    before, after = by_epoch(night), by_epoch(disturbed.samples)
    same = ((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=1)
    np.testing.assert_array_equal(~same, disturbed.touched)
    assert 0 < disturbed.touched.sum() <= N / 2 + 1


@every_disturbance
def test_a_gap_of_the_recording_stays_one(disturbance: Disturbance) -> None:
    for piece in disturbance.apply(night_at(128.0), 128.0):
        start = round((30.4 - piece.first_epoch) * EPOCH_S * piece.rate_hz)
        if start >= 0:
            assert np.isnan(piece.samples[start : start + 100]).all()
        finite = np.abs(piece.samples[np.isfinite(piece.samples)])
        assert (finite.max() <= RANGE_UV) or not disturbance.clips


@pytest.mark.parametrize("name", [row.name for row in DISTURBANCES if row.electrode_off])
def test_an_electrode_that_is_off_records_no_eeg_in_any_wholly_touched_epoch(name: str) -> None:
    (disturbed,) = named(name).apply(night_at(128.0), 128.0)
    spread = by_epoch(disturbed.samples)[disturbed.wholly_touched].std(axis=1)
    assert (spread < (2.2 if "2uv" in name else 0.33)).all()
    assert 1 <= disturbed.touched.sum() - disturbed.wholly_touched.sum() <= 2


@pytest.mark.parametrize(
    ("touched", "wholly"),
    [("..###..", "...#..."), ("##...##", "#.....#"), ("..#....", "......."), ("#######", "#######")],
)
def test_epochs_at_the_ends_of_a_run_are_not_wholly_touched(touched: str, wholly: str) -> None:
    disturbed = Disturbed(np.zeros(7 * 3000), 100.0, np.array([c == "#" for c in touched]))
    assert "".join(".#"[int(flag)] for flag in disturbed.wholly_touched) == wholly


@pytest.mark.parametrize("times", [0.5, 0.7, 1.0])
def test_noise_is_a_multiple_of_the_spread_that_artifacts_do_not_change(times: float) -> None:
    night = night_at(100.0)
    (pulled,) = named("pulled-last-2").apply(night, 100.0)
    assert robust_spread(pulled.samples) == pytest.approx(robust_spread(night), rel=0.02)
    (noisy,) = named(f"noise-{times}").apply(night, 100.0)
    added = noisy.samples - night
    assert np.nanstd(added) == pytest.approx(times * robust_spread(night), rel=0.01)


@pytest.mark.parametrize("rate_hz", [100.0, 128.0])
def test_resampling_keeps_the_time_of_a_slow_wave(rate_hz: float) -> None:
    n = round(20 * EPOCH_S * rate_hz)
    wave = np.sin(2 * np.pi * np.arange(n) / rate_hz)
    for row in DISTURBANCES:
        if row.kind is Kind.RATE:
            (resampled,) = row.apply(wave, rate_hz)
            expected = np.sin(2 * np.pi * np.arange(len(resampled.samples)) / resampled.rate_hz)
            np.testing.assert_allclose(resampled.samples[500:-500], expected[500:-500], atol=0.01)


def test_pieces_are_the_nights_own_samples_the_middle_ones_first() -> None:
    night = night_at(128.0)
    pieces = named("nap-10min").apply(night, 128.0)
    assert [piece.first_epoch for piece in pieces[:3]] == [80, 100, 60]
    assert len(pieces) == 10
    for piece in pieces:
        np.testing.assert_array_equal(piece.samples, night[piece.first_epoch * 3840 :][: 20 * 3840])
    assert named("nap-90min").apply(night[: 100 * 3840], 128.0) == ()


def test_a_short_recording_is_disturbed_over_half_of_it_at_most() -> None:
    night = eeg(8)
    for row in DISTURBANCES:
        for disturbed in row.apply(night, 100.0):
            assert disturbed.touched.sum() <= 5, row.name


def test_names_are_unique_and_an_unknown_one_is_refused() -> None:
    assert len({row.name for row in DISTURBANCES}) == len(DISTURBANCES)
    assert find_disturbances(()) == DISTURBANCES
    with pytest.raises(ValueError, match="unknown disturbance quake"):
        find_disturbances(("polarity", "quake"))


def test_the_module_imports_neither_torch_nor_scipy() -> None:
    program = (
        "import sys, sleepviewer.simulation.disturbances; "
        "sys.exit(', '.join({'torch', 'scipy', 'mne', 'yasa', 'PySide6'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stderr == "\n"


def test_a_disturbed_recording_reads_as_a_recording() -> None:
    source = FakeRecording({"EEG": FakeChannel(eeg(40, 128.0), 128.0), "EOG": FakeChannel(eeg(40))})
    samples = source.read("EEG", 10 * EPOCH_S, 40 * EPOCH_S)
    samples[100:200] = np.nan
    touched = np.arange(30) == 0
    recording = DisturbedRecording(source, "EEG", Disturbed(samples, 128.0, touched, first_epoch=10))
    assert [channel.label for channel in recording.channels] == ["EEG"]
    assert recording.n_epochs == 30
    assert recording.start == source.clock(300.0)
    assert recording.channel("EEG").is_voltage
    assert recording.channel("EEG").n_samples == 30 * 3840 - 100
    assert [(gap.start_s, gap.stop_s) for gap in recording.gaps] == [(100 / 128, 200 / 128)]
    np.testing.assert_array_equal(recording.read("EEG", 0, 900), samples)
    window = recording.read("EEG", -1, 901)
    assert np.isnan(window[:128]).all()
    assert np.isnan(window[-128:]).all()
    np.testing.assert_array_equal(window[128:-128], samples)
    assert np.isnan(recording.read("EEG", 1000, 1001)).all()


# The benchmark, with engines that need no weights.


@dataclass(frozen=True)
class Oracle:
    """Gives the true stages; ``collapses`` where a sample is beyond 2 mV, and leaves quiet epochs out if ``honest``."""

    night: SimulatedNight
    honest: bool = True
    collapses: bool = False
    breaks_at_hz: float = 0.0
    id: str = "oracle"
    title: str = "Oracle"

    def warm_up(self) -> None: ...

    def score(
        self,
        recording: Recording,
        channels: ChannelChoice,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Prediction:
        epochs = recording.read_epochs(channels.eeg)
        if recording.channel(channels.eeg).rate_hz == self.breaks_at_hz:
            raise ZeroDivisionError("of the engine")
        first = 0 if recording.start is None else round((recording.start.minute % 60) * 2) % 120
        stages = self.night.stages[first : first + len(epochs)].copy()
        if self.collapses and np.nanmax(np.abs(epochs)) > 2000:
            stages[:] = 0
        proba = np.full((len(epochs), N_STAGES), 0.05, dtype=np.float32)
        proba[np.arange(len(epochs)), stages] = 0.8
        proba[np.isnan(epochs).any(axis=1)] = np.nan
        if self.honest:
            proba[epochs.std(axis=1) < 3] = np.nan
        return Prediction(proba, self.id, "1", "ab" * 32, channels.labels, 0.0)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> SimulatedNight:
    return simulate_night(tmp_path_factory.mktemp("night"), seed=5, hours=1)


@pytest.fixture
def robustness(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("robustness", BENCHMARKS / "robustness.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "robustness", module)
    spec.loader.exec_module(module)
    return module


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(
    robustness: ModuleType,
    night: SimulatedNight,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs the benchmark with engines of one's own and a peer that finds three stages in four; gives the JSON."""

    def peer(samples: Signal, rate_hz: float) -> StageArray | None:
        n_epochs = round(len(samples) / rate_hz / EPOCH_S)
        stages = night.stages[:n_epochs].copy()
        stages[::4] = 2
        return None if rate_hz <= 80 else stages

    def run(*options: str, engines: dict[str, Oracle]) -> dict[str, Any]:
        monkeypatch.setattr(robustness, "make_engine", lambda spec: engines[spec.id])
        monkeypatch.setattr(robustness, "yasa_stages", peer)
        capsys.readouterr()
        robustness.main(
            [str(night.psg_path), str(night.hypnogram_path), "--seeds", "2", "--engines", *engines, *options]
        )
        printed = capsys.readouterr().out
        assert max(len(line) for line in printed.splitlines()[:-1]) <= 100
        return dict(json.loads(printed.splitlines()[-1]))

    return run


def test_an_engine_that_holds_up_misses_no_limit(run: Run, night: SimulatedNight) -> None:
    result = run(engines={"oracle": Oracle(night)})
    assert (result["engine"], result["seeds"], result["failing"]) == ("oracle", 2, [])
    assert result["worst_drop"] == 0
    assert result["clean"]["kappa"] == 1
    assert result["night_too_short_for"] == ["nap-90min"]
    assert {"numpy", "torch", "yasa"} <= set(result["machine"])
    rows = {row["name"]: row for row in result["rows"]}
    assert set(rows) | {"nap-90min"} == {row.name for row in DISTURBANCES}
    assert {row["kind"] for row in rows.values()} == {kind.value for kind in Kind}
    assert all(row["kappa"] == row["kappa_worst"] == 1 for row in rows.values())
    assert rows["polarity"]["seeds"] == 1
    assert rows["noise-1.0"]["seeds"] == 2
    assert 0 < rows["noise-1.0"]["yasa_kappa"] < 1
    assert rows["noise-1.0"]["difference"] == pytest.approx(1 - rows["noise-1.0"]["yasa_kappa"])
    assert rows["rate-64"]["yasa_kappa"] is None
    assert rows["off-30min-2uv"]["off_unscored"] == 1
    assert rows["off-30min-2uv"]["rest_unscored"] == 0
    assert rows["gaps-20"]["touched_unscored"] == 1
    assert rows["noise-0.5"]["touched_unscored"] is None
    assert rows["pulled-last-2"]["touched_epochs"] == 2
    assert rows["polarity"]["confidence"] == pytest.approx(0.8)


def test_what_an_engine_does_wrong_is_told_by_name(run: Run, night: SimulatedNight, tmp_path: Path) -> None:
    engines = {
        "bad": Oracle(night, honest=False, collapses=True, breaks_at_hz=200.0, id="bad"),
        "good": Oracle(night, id="good"),
    }
    names = ["pulled-last-2", "movements-40-weak", "off-30min-2uv", "rate-100", "rate-200"]
    out = tmp_path / "figures.json"
    result = run("--only", *names, "--json", str(out), engines=engines)
    assert json.loads(out.read_text(encoding="utf-8")) == result
    assert result["engine"] == "bad"
    assert result["failing"] == ["pulled-last-2", "off-30min-2uv", "rate-200"]
    rows = {row["name"]: row for row in result["rows"]}
    assert list(rows) == names
    assert result["worst_drop"] == rows["pulled-last-2"]["drop_worst"] == 1
    assert rows["pulled-last-2"]["missed"] == ["drop"]
    assert rows["off-30min-2uv"]["missed"] == ["off"]
    assert rows["rate-200"]["missed"] == ["failed"]
    assert rows["rate-200"]["errors"] == ["ZeroDivisionError: of the engine"]
    (good,) = result["other_engines"]
    assert (good["engine"], good["failing"], good["worst_drop"]) == ("good", [], 0)


def test_an_engine_that_scores_nothing_is_no_measurement(run: Run, night: SimulatedNight) -> None:
    with pytest.raises(SystemExit, match="error: oracle does not score"):
        run("--only", "polarity", engines={"oracle": Oracle(night, breaks_at_hz=100.0)})


def test_noise_is_compared_with_the_peer(robustness: ModuleType) -> None:
    figures = dict.fromkeys(robustness.Measure.__dataclass_fields__) | {"epochs": 10, "clean_kappa": 0.8}
    noise, polarity = named("noise-0.5"), named("polarity")

    def missed(row: Disturbance, *kappas: float, peer: float | None) -> list[str]:
        measures = [robustness.Measure(**figures | {"kappa": kappa, "peer_kappa": peer}) for kappa in kappas]
        return list(robustness._missed(row, measures))

    assert missed(noise, 0.59, peer=0.60) == []
    assert missed(noise, 0.57, peer=0.60) == ["below YASA"]
    assert missed(noise, 0.56, 0.61, peer=0.60) == []
    assert missed(noise, 0.10, peer=None) == []
    assert missed(polarity, 0.76, 0.74, peer=0.1) == ["drop"]
    assert missed(polarity, 0.76, 0.77, peer=0.9) == []


def test_an_unknown_engine_or_disturbance_ends_with_a_sentence(
    robustness: ModuleType, night: SimulatedNight, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(night.psg_path), str(night.hypnogram_path)]
    with pytest.raises(SystemExit, match="error: There is no engine"):
        robustness.main([*files, "--engines", "nobody"])
    with pytest.raises(SystemExit):
        robustness.main([*files, "--only", "quake"])
    assert "unknown disturbance quake" in capsys.readouterr().err


# The default engine.


def test_an_unusable_epoch_does_not_change_the_stages_of_the_others(robustness: ModuleType, tmp_path: Path) -> None:
    simulated = simulate_night(tmp_path, seed=5, hours=2)
    night = robustness.read_night(simulated.psg_path, simulated.hypnogram_path)
    rows = find_disturbances(("pulled-last-2", "movements-20", "off-30min-2uv"))
    (table,) = robustness.measure(night, [make_engine(EngineSpec())], rows, 1, peer=lambda *_: None)
    assert table.result()["clean"]["kappa"] > 0.6
    assert {row["name"]: row["missed"] for row in table.rows} == {row.name: [] for row in rows}
    assert all(row["drop_worst"] <= 0.05 and row["rest_unscored"] <= 0.02 for row in table.rows)
