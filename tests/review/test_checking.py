"""What ``sleepviewer check`` finds in a night, and how bad it says that is."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from helpers.edf_files import START, Signal, write_edf
from sleepviewer.cli import main
from sleepviewer.hypnogram import Hypnogram, write_hypnogram
from sleepviewer.recording import open_recording
from sleepviewer.recording.units import fitting_units
from sleepviewer.review.checking import Severity, check_recording

RATE, SECONDS = 100, 120


def eeg(scale: float = 20.0, seconds: int = SECONDS) -> np.ndarray:
    return np.random.default_rng(5).normal(0, scale, RATE * seconds).round(1)


def sentences(path: Path, truth: Path | None = None) -> list[tuple[str, str, str]]:
    with open_recording(path) as recording:
        found = check_recording(recording, truth)
    return [(finding.severity.word, finding.about, finding.sentence) for finding in found.findings]


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, args)])


def test_a_sound_night_has_nothing_odd(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "night.edf", [("EEG Fpz-Cz", RATE, "uV", eeg())])
    assert sentences(path) == []
    result = run(path)
    assert (result.exit_code, "nothing is odd" in result.output) == (0, True)


@pytest.mark.parametrize(
    ("signal", "about"),
    [
        (("EEG Fpz-Cz", RATE, "uV", eeg(0.2)), "implausibly small for µV"),
        (("EEG Fpz-Cz", RATE, "mV", eeg(20)), "implausibly large for µV"),
        (("EEG Fpz-Cz", RATE, "uV", np.full(RATE * SECONDS, 7.0)), "is one value from beginning to end"),
        (("EEG Fpz-Cz", RATE, "uV", eeg().clip(-15, 15)), "lies at the end of its range"),
        (("EEG Fpz-Cz", RATE, "uV", np.concatenate([eeg(seconds=90), np.zeros(30 * RATE)])), "is flat in 25% of its"),
        (("EEG Fpz-Cz", 10, "uV", eeg()[: 10 * SECONDS]), "too few to be scored"),
    ],
)
def test_what_is_odd_about_a_channel_is_told(tmp_path: Path, signal: tuple, about: str) -> None:
    good = ("EEG Pz-Oz", RATE, "uV", eeg())
    told = sentences(write_edf(tmp_path / "night.edf", [signal, good]))
    assert any(about in sentence for _, label, sentence in told if label == "EEG Fpz-Cz"), told
    assert all(label == "EEG Fpz-Cz" for _, label, _ in told)
    assert {severity for severity, _, _ in told} == {"odd"}


@pytest.mark.parametrize(
    ("scale", "guess"),
    [(20.0, "would fit µV"), (0.02, "would fit mV"), (0.02e-3, "would fit V"), (1e7, "fits no unit")],
)
def test_a_missing_unit_is_asked_for_with_what_the_amplitude_suggests(tmp_path: Path, scale: float, guess: str) -> None:
    values = np.random.default_rng(5).normal(0, scale, RATE * SECONDS)
    bound = 10.0 ** np.ceil(np.log10(np.abs(values).max()))  # short enough for the header's eight letters
    path = write_edf(tmp_path / "night.edf", [Signal("EEG Fpz-Cz", RATE, "", values, physical=(-bound, bound))])
    told = sentences(path)
    assert any(guess in sentence and "None is assumed." in sentence for _, _, sentence in told), told


def test_units_that_fit_an_amplitude() -> None:
    assert fitting_units(30) == ("µV",)
    assert fitting_units(0.03) == ("mV",)
    assert fitting_units(1500) == ("µV", "nV")
    assert fitting_units(0) == ()


def test_the_files_own_notes_and_gaps_are_findings(tmp_path: Path) -> None:
    onsets = [float(second + (100 if second >= 60 else 0)) for second in range(SECONDS)]
    path = write_edf(
        tmp_path / "n.edf", [("EEG Fpz-Cz", RATE, "uV", eeg())], onsets=onsets, kind="EDF+D", n_records=200
    )
    told = " ".join(sentence for _, about, sentence in sentences(path) if about == "recording")
    assert "the header says 200 records" in told
    assert "1 gap" in told


@pytest.mark.parametrize(
    ("signals", "sentence"),
    [
        ([("Thorax", RATE, "uV", eeg())], "No channel is recognised as an EEG"),
        ([("EEG Fpz-Cz", RATE, "uV", eeg(seconds=10))], "less than one epoch"),
    ],
)
def test_what_cannot_be_scored_is_said_and_is_the_exit_code(tmp_path: Path, signals: list, sentence: str) -> None:
    path = write_edf(tmp_path / "night.edf", signals)
    result = run(path)
    assert result.exit_code == Severity.UNUSABLE
    assert f"unusable: {sentence}" in result.output or sentence in result.output


def test_the_hypnogram_is_looked_at_too(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "night.edf", [("EEG Fpz-Cz", RATE, "uV", eeg())])
    short, other = tmp_path / "short.csv", tmp_path / "other.csv"
    write_hypnogram(Hypnogram(np.array([0, 2]), START, "t"), short)
    write_hypnogram(Hypnogram(np.array([0, 2]), datetime(1999, 1, 1), "t"), other)
    assert any("is shorter than night.edf" in sentence for _, _, sentence in sentences(path, short))
    assert any("no epoch in common" in sentence for _, _, sentence in sentences(path, other))


def test_as_json_it_is_one_object(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "night.edf", [("EEG Fpz-Cz", RATE, "uV", eeg(0.2))])
    result = run(path, "--json")
    values = json.loads(result.stdout)
    assert (result.exit_code, values["severity"]) == (3, "odd")
    assert values["findings"][0]["about"] == "EEG Fpz-Cz"
    assert values["amplitudes"]["EEG Fpz-Cz"]["missing"] == 0


def test_a_file_that_cannot_be_opened_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "night.edf").write_bytes(b"no recording")
    result = run(tmp_path / "night.edf")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_what_is_read_does_not_grow_with_the_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_edf(tmp_path / "night.edf", [("EEG Fpz-Cz", RATE, "uV", eeg(seconds=1500))])
    with open_recording(path) as recording:
        windows = []
        read = recording.read
        monkeypatch.setattr(recording, "read", lambda c, a, b: windows.append(b - a) or read(c, a, b))
        check_recording(recording)
    assert max(windows) <= 600
    assert sum(windows) == pytest.approx(2 * 1500)  # an EEG's once more, for its signal quality


def test_epochs_without_a_usable_signal_are_named(tmp_path: Path) -> None:
    samples = eeg(seconds=600)
    samples[150 * RATE : 300 * RATE] = np.random.default_rng(1).normal(0, 0.3, 150 * RATE).round(1)  # electrode off
    samples[-60 * RATE :] = np.random.default_rng(2).uniform(-3000, 3000, 60 * RATE).round(1)  # pulled
    path = write_edf(tmp_path / "night.edf", [("EEG Fpz-Cz", RATE, "uV", samples)])
    told = [sentence for _, _, sentence in sentences(path)]
    assert any("5 of 20 epochs: flat or near-flat (epochs 6–10)" in sentence for sentence in told), told
    assert any("2 of 20 epochs: extreme amplitude (epochs 19–20)" in sentence for sentence in told), told
    result = run(path, "--json")
    assert result.exit_code == 3
    named = [finding["epochs"] for finding in json.loads(result.stdout)["findings"] if "epochs" in finding]
    assert named == [[6, 7, 8, 9, 10], [19, 20]]
