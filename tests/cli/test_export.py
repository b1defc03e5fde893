"""``sleepviewer export`` of saved reviews: what it writes, says and exits with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from helpers.night_files import MODEL, files, write_night, write_review
from sleepviewer.archive.archive import read_archive
from sleepviewer.cli import main
from sleepviewer.hypnogram import read_track, to_hypnogram
from sleepviewer.stages import Stage

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, ["export", *map(str, args)])


@pytest.fixture
def review(tmp_path: Path) -> Path:
    (tmp_path / "reviews").mkdir()
    return write_review(write_night(tmp_path / "reviews" / "night.edf"), edits={2: Stage.N1})


def test_a_folder_of_reviews(run: Run, review: Path, tmp_path: Path) -> None:
    write_review(write_night(review.with_name("b.edf"), seed=3))
    more = ["--format", "attnsleep", "--only-reviewed", "--trim-wake", "1", "--json"]
    done = run("reviews", "--out", "training", *more)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["exported"], list(result["left_out"]), result["failed"]) == (["night"], ["b"], {})
    assert result["nights"][0]["options"] == {
        "format": "attnsleep",
        "only_edited": False,
        "trim_wake_min": 1.0,
        "channel": None,
    }
    assert "left out: b: Nobody has corrected" in done.stderr
    assert read_archive(tmp_path / "training" / "night.npz").epoch_index.tolist() == list(range(17))
    again = run("reviews", "--out", "training", *more[:-1])
    assert again.exit_code == 0
    assert again.stdout.startswith("0 nights exported, 1 there already, 1 left out; ")


def test_a_night_that_fails_is_named_and_the_exit_code_is_1(run: Run, review: Path, tmp_path: Path) -> None:
    review.with_name("damaged.npz").write_bytes(b"PK\x03\x04 no more")
    done = run("reviews", "--out", "training")
    assert done.exit_code == 1
    assert "failed: damaged: damaged.npz is no usable archive" in done.stderr
    assert "1 nights were not exported" in done.stderr
    assert read_archive(tmp_path / "training" / "night.npz").night_corrected[2] == 1


def test_one_review_to_a_file(run: Run, review: Path, tmp_path: Path) -> None:
    done = run(review, "--out", "labels.csv", "--json")
    assert done.exit_code == 0, done.output
    assert (json.loads(done.stdout)["edited"], done.stderr) == (1, "labels.csv written\n")
    expected = [1 if epoch == 2 else stage for epoch, stage in enumerate(MODEL)]
    assert to_hypnogram(read_track(tmp_path / "labels.csv")).stages.tolist() == expected
    assert run(review, "--out", "only.npz", "--only-edited", "--format", "attnsleep").exit_code == 0
    assert read_archive(tmp_path / "only.npz").y.tolist() == [1]
    before = files(tmp_path)
    for args, code, words in (
        ([review, "--out", "labels.csv"], 1, "there already"),
        ([review, "--out", review], 1, "one of the files to read"),
        ([review, "--out", review.with_suffix(".edf"), "--overwrite"], 1, "the night's own files"),
        ([review, "--out", "x.npz", "--format", "csv"], 2, "unsupported extension; use .csv or .tsv"),
        ([review, "--out", "x.csv", "--trim-wake", "1"], 2, "needs npz"),
        (["reviews", "--out", "x", "--format", "csv", "--trim-wake", "1"], 2, "needs npz"),
        ([review.with_suffix(".edf"), review.with_suffix(".edf"), "--labels", review, "--out", "x"], 2, "alone"),
        ([review.with_suffix(".edf"), "--labels", review, "--out", "x.npz", "--only-reviewed"], 2, "saved reviews"),
        (["reviews", "--out", "reviews"], 1, "read from"),
    ):
        done = run(*args)
        assert (done.exit_code, done.stdout) == (code, ""), args
        assert words in done.stderr, args
        assert files(tmp_path) == before, args
    assert run(review, "--out", "labels.csv", "--overwrite").exit_code == 0


def test_only_reviewed_holds_for_one_review_too(run: Run, tmp_path: Path) -> None:
    write_review(write_night(tmp_path / "night.edf"))
    done = run("night.npz", "--out", "labels.csv", "--only-reviewed")
    assert done.exit_code == 1
    assert "Nobody has corrected a label in night.npz" in done.stderr


def test_a_recording_with_any_labels_takes_the_new_options(run: Run, review: Path, tmp_path: Path) -> None:
    night = review.with_suffix(".edf")
    done = run(night, "--labels", review, "--out", "a.npz", "--format", "attnsleep", "--only-edited", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["recording"]["name"] == "night.edf"
    assert read_archive(tmp_path / "a.npz").epoch_index.tolist() == [2]
