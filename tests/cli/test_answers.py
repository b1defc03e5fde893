"""On the command line what is not certain is asked, and answered by --unit and --read-as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from helpers.edf_files import Signal, write_edf
from helpers.review_values import proba_of
from sleepviewer.archive.archive import read_archive
from sleepviewer.cli import main
from sleepviewer.recording.base import Recording
from sleepviewer.review.opening import open_night
from sleepviewer.scoring.base import ChannelChoice, Prediction
from sleepviewer.scoring.signals import read_signal

N, RATE = 20, 100
AMBIGUOUS = [5] * 4 + [1, 2, 2, 3, 4, 4, 4, 3, 2, 5, 5, 1, 2, 2, 5, 5]


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], prog_name="sleepviewer")


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """A night in millivolts whose file does not say so."""
    values = np.random.default_rng(0).normal(0, 0.03, N * 30 * RATE)
    return write_edf(tmp_path / "night.edf", [Signal("EEG C4", RATE, "", values, physical=(-1, 1))], record_s=30)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "expert.txt"
    path.write_text("\n".join(map(str, AMBIGUOUS)), encoding="utf-8")
    return path


class ReadingEngine:
    """Reads the channel as every engine does, and says how large it is."""

    id = "yasa"
    title = "Fake"

    def warm_up(self) -> None: ...

    def score(self, recording: Recording, channels: ChannelChoice, progress: Any, cancel: Any = None) -> Prediction:
        signal = read_signal(recording, channels.eeg)
        notes = (*signal.notes, f"spread {np.std(signal.samples):.0f}")
        return Prediction(proba_of([0] * N), "fake", "1", "ab" * 32, channels.labels, 0.25, notes=notes)


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sleepviewer.scoring.registry.make_engine", lambda spec: ReadingEngine())


def test_a_channel_without_a_unit_is_not_scored_until_it_is_told(night: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    asked = run("score", night, "--channel", "EEG C4", "--out", out)
    assert asked.exit_code == 1
    assert 'say which it is (--unit "EEG C4=mV"' in asked.stderr
    assert not out.exists()
    told = run("score", night, "--unit", "EEG C4=mV", "--out", out, "--json")
    assert told.exit_code == 0
    notes = json.loads(told.stdout)["notes"]
    assert "spread 30" in notes
    assert "“EEG C4” was taken as mV, as was said; the file gives no unit." in notes


def test_what_was_told_stands_in_the_review_and_holds_when_it_is_opened_again(night: Path, tmp_path: Path) -> None:
    out = tmp_path / "night.npz"
    assert run("score", night, "--unit", "EEG C4=mV", "--out", out).exit_code == 0
    archive = read_archive(out)
    assert archive.meta["told_units"] == {"EEG C4": "mV"}
    assert 20 < np.std(archive.x) < 40
    again = open_night(night, labels_path=out)
    assert again.recording.channel("EEG C4").is_voltage
    assert any("as was said" in note for note in again.notes)
    exported = run("export", night, "--labels", out, "--out", tmp_path / "train.npz")
    assert exported.exit_code == 0, exported.output
    np.testing.assert_allclose(read_archive(tmp_path / "train.npz").x, archive.x)


def test_what_is_told_now_counts_more_than_what_the_review_holds(night: Path, tmp_path: Path) -> None:
    out = tmp_path / "night.npz"
    run("score", night, "--unit", "EEG C4=mV", "--out", out)
    run("export", night, "--labels", out, "--out", tmp_path / "train.npz", "--unit", "EEG C4=µV")
    assert np.std(read_archive(tmp_path / "train.npz").x) < 1


def test_left_as_it_is_it_is_scored_with_a_note(night: Path, tmp_path: Path) -> None:
    done = run("score", night, "--channel", "EEG C4", "--unit", "EEG C4=as-is", "--out", tmp_path / "o.csv", "--json")
    assert done.exit_code == 0
    notes = " ".join(json.loads(done.stdout)["notes"])
    assert "left as it is, as was said" in notes
    assert "spread 0" in notes


def test_check_says_how_to_tell_and_is_content_when_it_is_told(night: Path) -> None:
    asked = run("check", night)
    assert 'None is assumed. Say which it is with --unit "EEG C4=mV"' in asked.stdout
    told = run("check", night, "--unit", "EEG C4=mV")
    assert told.exit_code == 3  # what was told instead of read stays odd
    assert "None is assumed" not in told.stdout
    assert "was taken as mV, as was said" in told.stdout


@pytest.mark.parametrize(
    ("told", "about"),
    [("EEG C4", "tells no unit"), ("EEG C4=MV", "tells no unit"), ("EEG O1=mV", "no channel “EEG O1”")],
)
def test_a_unit_that_can_not_be_told_is_a_sentence(night: Path, tmp_path: Path, told: str, about: str) -> None:
    done = run("score", night, "--unit", told, "--out", tmp_path / "o.csv")
    assert done.exit_code in (1, 2)
    assert about in " ".join(done.stderr.split())


def test_a_report_and_a_picture_take_the_unit(night: Path, tmp_path: Path, truth: Path) -> None:
    truth.rename(night.with_name("night-Hypnogram.txt"))
    page = tmp_path / "night.html"
    done = run("report", night, "--out", page, "--unit", "EEG C4=mV", "--read-as", "five-is-wake")
    assert done.exit_code == 0, done.output
    assert "was taken as mV, as was said" in page.read_text(encoding="utf-8")
    assert run("report", tmp_path, "--out", tmp_path, "--unit", "EEG C4=mV").exit_code == 2


# -- hypnograms


def test_a_hypnogram_that_can_be_read_in_two_ways_is_asked_about(night: Path, truth: Path, tmp_path: Path) -> None:
    told = ("--unit", "EEG C4=mV", "--out", tmp_path / "o.csv", "--json", "--overwrite")
    asked = run("score", night, "--truth", truth, *told)
    assert asked.exit_code == 1
    assert "--read-as r-and-k (0 W, 1 N1, 2 N2, 3 and 4 N3, 5 REM) or --read-as five-is-wake" in asked.stderr
    wake = json.loads(run("score", night, "--truth", truth, *told, "--read-as", "five-is-wake").stdout)
    rem = json.loads(run("score", night, "--truth", truth, *told, "--read-as", "r-and-k").stdout)
    assert wake["accuracy"] == pytest.approx(AMBIGUOUS.count(5) / N)
    assert rem["accuracy"] == 0


def test_compare_reads_each_as_it_is_told(truth: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(truth.read_text(encoding="utf-8"), encoding="utf-8")
    assert run("compare", truth, other, "--read-as", "r-and-k").exit_code == 1
    same = run("compare", truth, other, "--read-as", "r-and-k", "--read-b-as", "r-and-k", "--json")
    assert json.loads(same.stdout)["accuracy"] == 1
    apart = run("compare", truth, other, "--read-as", "r-and-k", "--read-b-as", "five-is-wake", "--json")
    assert json.loads(apart.stdout)["accuracy"] < 0.8


def test_a_reading_that_there_is_not_is_named_with_those_that_there_are(truth: Path) -> None:
    done = run("compare", truth, truth, "--read-as", "runes")
    assert done.exit_code == 2
    assert "“runes” is not one of" in done.stderr
    assert "five-is-wake" in done.stderr
