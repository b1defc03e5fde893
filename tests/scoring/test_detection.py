"""Spindles and slow waves: those that are there are found, elsewhere nothing is, and what can't be judged is said."""

from __future__ import annotations

import csv
import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.scoring_fakes import CancelAfter, FakeChannel, FakeRecording, write_edf
from sleepviewer.cli import main
from sleepviewer.errors import ChannelError, EngineError, ScoringCancelled
from sleepviewer.recording import open_recording
from sleepviewer.recording.base import Samples
from sleepviewer.scoring.base import CancelToken, Progress
from sleepviewer.scoring.detection import Detection, DetectionRequest, Detector, detect, detectable, nothing_found
from sleepviewer.scoring.process import ScoringProcess
from sleepviewer.stages import Stage

RATE, N = 128, 12
SPINDLES = [35.0 + 20 * i for i in range(12)]
"""Where a second of 13.5 Hz begins."""
WAVES = [305.0 + 5 * i for i in range(10)]
"""Where a wave of 1 Hz, negative first, begins."""


def signal(*, spindles: bool = True, waves: bool = True) -> Samples:
    """Six minutes of quiet background in µV with spindles in the first five and slow waves at the end."""
    rng = np.random.default_rng(3)
    n = N * 30 * RATE
    t = np.arange(n) / RATE
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequencies = np.fft.rfftfreq(n, 1 / RATE)
    background = np.fft.irfft(spectrum / np.maximum(frequencies, 0.5), n)
    samples = background / background.std() * 8
    for start in SPINDLES if spindles else ():
        burst = (t >= start) & (t < start + 1)
        samples[burst] += 30 * np.sin(2 * np.pi * 13.5 * t[burst]) * np.hanning(burst.sum())
    for start in WAVES if waves else ():
        wave = (t >= start) & (t < start + 1)
        samples[wave] -= 65 * np.sin(2 * np.pi * (t[wave] - start))
    return samples.astype(np.float32)


def recording_of(samples: Samples, unit: str = "µV", label: str = "C4") -> FakeRecording:
    return FakeRecording({label: FakeChannel(samples, RATE, unit)})


def request(**values: object) -> DetectionRequest:
    return DetectionRequest(Path("fake.edf"), **{"channels": ("C4",), **values})  # type: ignore[arg-type]


def starts(detection: Detection, kind: Detector) -> list[float]:
    return [found.start_s for found in detection.found if found.kind == kind]


def near(found: list[float], there: list[float], tolerance_s: float) -> list[bool]:
    return [any(abs(a - b) <= tolerance_s for b in found) for a in there]


def test_what_is_there_is_found() -> None:
    told: list[Progress] = []
    detection = detect(recording_of(signal()), request(), told.append)
    assert sum(near(starts(detection, Detector.SPINDLES), SPINDLES, 0.4)) >= 10
    assert sum(near(starts(detection, Detector.SLOW_WAVES), WAVES, 0.3)) >= 8
    assert all(found.channel == "C4" and 0 <= found.start_s < found.stop_s <= N * 30 for found in detection.found)
    assert detection.searched == (("C4", "spindle"), ("C4", "slow wave"))
    assert detection.detector.startswith("yasa 0.")
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any("spindles in C4" in progress.message for progress in told)


def test_where_nothing_is_nothing_is_found_and_said() -> None:
    detection = detect(recording_of(signal(spindles=False, waves=False)), request(detectors=(Detector.SLOW_WAVES,)))
    assert detection.found == ()
    assert nothing_found(detection, restricted=False) == "YASA found no slow waves on C4."
    assert "labelled N2 or N3" in nothing_found(detection, restricted=True)


def test_only_n2_and_n3_are_searched_where_that_is_asked() -> None:
    stages = np.full(N, int(Stage.W), dtype=np.int8)
    stages[4:6] = (Stage.N2, Stage.N3)
    detection = detect(recording_of(signal()), request(stages=stages))
    assert detection.found
    assert all(119 <= found.start_s <= 180 for found in detection.found)


def test_gaps_and_what_they_are_filled_with_are_not_searched() -> None:
    samples = signal()
    samples[60 * RATE : 75 * RATE] = np.nan
    detection = detect(recording_of(samples), request())
    assert starts(detection, Detector.SPINDLES)
    assert not [found for found in detection.found if found.start_s < 90 and found.stop_s > 60]
    assert any("gap (epoch 3)" in note for note in detection.notes)


@pytest.mark.parametrize(("unit", "words"), [("", "has no unit"), ("%", "no voltage")])
def test_what_is_not_in_microvolts_is_a_sentence(unit: str, words: str) -> None:
    recording = recording_of(signal(), unit)
    for call in (lambda: detectable(recording), lambda: detect(recording, request())):
        with pytest.raises(ChannelError, match=words) as caught:
            call()
        assert "“C4” of fake.edf" in str(caught.value)


def test_a_channel_that_can_not_be_searched_does_not_stop_another() -> None:
    recording = FakeRecording({"C3": FakeChannel(signal(), RATE, ""), "C4": FakeChannel(signal(), RATE)})
    assert [channel.label for channel in detectable(recording)] == ["C4"]
    detection = detect(recording, request(channels=("C3", "C4"), detectors=(Detector.SLOW_WAVES,)))
    assert {found.channel for found in detection.found} == {"C4"}
    assert any("“C3”" in note and "no unit" in note for note in detection.notes)


def test_a_night_without_eeg_or_with_slow_channels_is_a_sentence(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "legs.edf", {"Leg": (np.zeros(60 * 100, np.float32), 100.0)})
    with open_recording(path) as recording, pytest.raises(ChannelError, match=r"No channel of legs\.edf is an EEG"):
        detectable(recording)
    slow = FakeRecording({"C4": FakeChannel(np.ones(30 * 50, np.float32), 50.0)})
    with pytest.raises(ChannelError, match="50 samples a second"):
        detectable(slow)


def test_labels_without_n2_and_n3_are_a_sentence() -> None:
    with pytest.raises(ChannelError, match="no epoch whose label is N2 or N3"):
        detect(recording_of(signal()), request(stages=np.zeros(N, dtype=np.int8)))
    with pytest.raises(EngineError, match="12 epochs"):
        detect(recording_of(signal()), request(stages=np.zeros(3, dtype=np.int8)))


@pytest.mark.parametrize("looks", range(4))
def test_it_looks_at_the_token_often(looks: int) -> None:
    with pytest.raises(ScoringCancelled):
        detect(recording_of(signal()), request(), cancel=CancelAfter(looks))


# -- in the child


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_edf(tmp_path_factory.mktemp("detection") / "night.edf", {"EEG C4": (signal(), float(RATE))})


def test_the_child_finds_the_same_and_can_be_stopped(night: Path) -> None:
    with ScoringProcess() as process:
        wanted = DetectionRequest(night, ("EEG C4",))
        detection = process.detect(wanted)
        with open_recording(night) as recording:
            assert process.detect(wanted).found == detection.found == detect(recording, wanted).found
        with pytest.raises(ChannelError, match="Fpz"):
            process.detect(DetectionRequest(night, ("Fpz",)))
        token = CancelToken()
        threading.Timer(0.2, token.cancel).start()
        begun = time.monotonic()
        with pytest.raises(ScoringCancelled):
            process.detect(DetectionRequest(night, ("EEG C4",) * 400), cancel=token)
        assert time.monotonic() - begun < 5.0


def test_the_command_line_looks_for_them_too(night: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.csv"
    result = CliRunner().invoke(main, ["suggest-events", str(night), str(out), "--kind", "slow wave", "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["channels"] == ["EEG C4"]
    assert not answer["restricted"]
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == answer["kinds"]["slow wave"] >= 8
    assert {row["origin"] for row in rows} == {"suggested"}
    refused = CliRunner().invoke(main, ["suggest-events", str(night), str(night), "--overwrite"])
    assert refused.exit_code == 1
    missing = CliRunner().invoke(main, ["suggest-events", str(night), str(tmp_path / "b.csv"), "--channel", "Oz"])
    assert missing.exit_code == 1
    assert "Oz" in missing.stderr
