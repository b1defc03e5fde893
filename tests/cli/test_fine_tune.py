"""``sleepviewer fine-tune`` keeps what the guard offers; ``models`` goes to and fro between versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from helpers import tiny_tuning
from sleepviewer.cli import main
from sleepviewer.models.versions import ModelVersions
from sleepviewer.training.fine_tune import FineTuneRequest, FineTuneResult
from sleepviewer.training.guard import BeforeAfter, Table, judge

Run = Callable[..., Result]


def tables(before: float, after: float) -> BeforeAfter:
    f1 = dict.fromkeys(("W", "N1", "N2", "N3", "REM"), 0.5)
    return BeforeAfter(Table(before, 0.8, f1, 300), Table(after, 0.9, f1, 300))


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[FineTuneRequest]:
    """In the place of the child process: a tuning that comes to 0.8, from 0.7; returns the requests that it got."""
    requests: list[FineTuneRequest] = []

    def run(request: FineTuneRequest) -> FineTuneResult:
        requests.append(request)
        after = 0.6 if request.settings.seed == 13 else 0.8
        verdict = judge(tables(0.7, after), tables(0.8, 0.8))
        candidate = tiny_tuning.write_base(tmp_path)
        return FineTuneResult(verdict, candidate, "attnsleep", "attnsleep@shipped", 12.3, 10.1, notes=("left out",))

    monkeypatch.setattr("sleepviewer.cli.fine_tune._run", run)
    return requests


@pytest.fixture
def run(tmp_path: Path, tuned: list[FineTuneRequest]) -> Run:
    archive = tiny_tuning.write_corrected(tmp_path / "night.npz", 1)

    def run(*options: str) -> Result:
        return CliRunner().invoke(main, ["fine-tune", str(archive), "--base", "attnsleep", *options])

    return run


def test_what_is_offered_becomes_the_next_version(run: Run, tuned: list[FineTuneRequest]) -> None:
    done = run("--steps", "7", "--whole-nights")
    assert done.exit_code == 0, done.output
    assert (tuned[0].base, tuned[0].settings.steps, tuned[0].whole_nights) == ("attnsleep", 7, True)
    (version,) = ModelVersions().versions()
    assert version.name == "attnsleep@v1"
    assert not version.active
    assert "κ rose from 0.700 to 0.800" in done.stdout
    assert "sleepviewer models activate attnsleep@v1" in done.stdout
    assert "note: left out" in done.stderr


def test_what_is_refused_is_not_written_and_says_why(run: Run) -> None:
    done = run("--seed", "13")
    assert done.exit_code == 1
    assert "refused" in done.stderr
    assert "κ did not rise" in done.stderr
    assert "Nothing was written" in done.stdout
    assert ModelVersions().versions() == ()


def test_who_insists_gets_a_refused_model_but_not_as_the_active_one(run: Run) -> None:
    done = run("--seed", "13", "--keep-refused", "--activate")
    assert done.exit_code == 1
    assert [version.active for version in ModelVersions().versions()] == [False]


def test_a_file_can_be_named(run: Run, tmp_path: Path) -> None:
    done = run("--out", str(tmp_path / "mine.safetensors"), "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["out"] == str(tmp_path / "mine.safetensors")
    assert told["verdict"]["corrected"]["after"]["kappa"] == 0.8
    assert (tmp_path / "mine.safetensors").is_file()
    assert ModelVersions().versions() == ()


@pytest.mark.parametrize("out", ["mine.pt", "nowhere/mine.safetensors"])
def test_what_can_not_be_written_is_told_before_the_work(
    run: Run, tuned: list[FineTuneRequest], tmp_path: Path, out: str
) -> None:
    done = run("--out", str(tmp_path / out))
    assert done.exit_code == 1
    assert "can't be written" in done.stderr
    assert not tuned


def test_the_way_to_a_version_and_back(run: Run) -> None:
    def models(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["models", *arguments])

    run("--activate")
    run()
    listed = json.loads(models("list", "--json").stdout)
    assert [row["name"] for row in listed if row["active"]] == ["attnsleep"]
    assert {"attnsleep@v1", "attnsleep@v2", "attnsleep@shipped"} <= {row["name"] for row in listed}
    assert "now scores with attnsleep@v2" in models("activate", "attnsleep@v2").stdout
    compared = json.loads(models("compare", "attnsleep@v1", "attnsleep@v2", "--json").stdout)
    assert (compared["first"], compared["second"]) == ("attnsleep@v1", "attnsleep@v2")
    assert "attnsleep@shipped" in models("delete", "attnsleep@v2").stdout
    assert "now scores with" not in models("delete", "attnsleep@v1").stdout
    gone = models("activate", "attnsleep@v1")
    assert gone.exit_code == 1
    assert "There is no model “attnsleep@v1”" in gone.stderr


def test_versions_are_compared_on_the_same_nights(run: Run, tmp_path: Path) -> None:
    run()
    run()
    night = str(tmp_path / "night.npz")
    done = CliRunner().invoke(main, ["models", "compare", "attnsleep@v1", "attnsleep@v2", "--on", night, "--json"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)["figures"]
    assert figures["accuracy"]["first"] == figures["accuracy"]["second"] > 0
    assert figures["accuracy"]["change"] == 0
