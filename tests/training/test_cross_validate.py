"""Cross-validation from end to end on tiny data: protocols, kills, processes, Dask, and what can go wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.places import TESTS
from helpers.tiny_training import (
    EPOCHS,
    TINY,
    left_behind,
    outcome,
    rows,
    tiny,
    write_data,
    write_night,
)
from sleepviewer.cli import main
from sleepviewer.errors import ArchiveError, OutputError, RunError, SleepViewerError, TrainingError
from sleepviewer.models.checkpoints import load_weights
from sleepviewer.training.cross_validate import RunStatus, cross_validate, fold_folder, status
from sleepviewer.training.runs import Protocol, load_predictions, read_run

CONTEXT = tiny(model="attnsleep+context")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def told() -> list[RunStatus]:
    """What the whole run told."""
    return []


@pytest.fixture(scope="module")
def whole(data: Path, told: list[RunStatus], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two folds, epoch model and context, that was never broken, in this process."""
    run = tmp_path_factory.mktemp("run") / "whole"
    cross_validate(data, CONTEXT, run, tell=told.append)
    return run


@pytest.fixture(scope="module")
def epoch_run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without context, whose disk was full at first."""
    resource = pytest.importorskip("resource")
    run = tmp_path_factory.mktemp("run") / "epochs"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OutputError, match=r"fold_00/state.pt can't be written: File too large\."):
            cross_validate(data, TINY, run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(outcome(run)) == []
    assert left_behind(run) == []
    cross_validate(data, TINY, run)
    return run


def test_a_run_leaves_what_the_report_reads_and_nothing_half(whole: Path) -> None:
    run = read_run(whole)
    assert (run.model, run.unfinished, run.data.name, run.data.n_epochs) == ("attnsleep+context", (), "tiny", 288)
    assert (run.config["passes"], run.data.epoch_s) == (2, 3.0)
    for fold in run.data.folds:
        assert len(fold.test) == 3
        folder = fold_folder(whole, fold.number)
        member = load_weights(folder / "weights.safetensors")
        assert (member.card.member, member.card.name) == ("attnsleep+context", f"attnsleep+context, fold {fold.number}")
        assert member.card.temperature == json.loads((folder / "result.json").read_text())["temperature"]
        assert member.build_context() is not None
        assert f"subjects {', '.join(fold.train)}" in member.card.trained_on
    for protocol in Protocol:
        nights = load_predictions(run, protocol)
        assert [night.night for night in nights] == [f"SC4{s:02d}{n}E0" for s in range(6) for n in (1, 2)]
        assert all(len(night.truth) == EPOCHS and night.epochs.tolist() == list(range(EPOCHS)) for night in nights)
    assert left_behind(whole) == []


def test_both_protocols_come_from_the_one_training(whole: Path, epoch_run: Path) -> None:
    for run in (whole, epoch_run):
        for result in read_run(run).results:
            curve = result.curve
            assert [record.number for record in curve] == [1, 2]
            kappas = [record.validation.kappa for record in curve]
            accuracies = [record.test.accuracy for record in curve]
            assert result.picked[Protocol.HONEST] == 1 + int(np.argmax(kappas))
            assert result.picked[Protocol.PUBLISHED] == 1 + int(np.argmax(accuracies))
    run = read_run(epoch_run)
    for protocol in Protocol:
        for result in run.results:
            nights = [night for night in load_predictions(run, protocol) if night.fold == result.fold]
            right = np.concatenate([night.predicted == night.truth for night in nights]).mean()
            kept = result.curve[result.picked[protocol] - 1]
            assert right == pytest.approx(kept.test.accuracy)


def test_the_report_reads_a_run_from_end_to_end(whole: Path, epoch_run: Path, tmp_path: Path) -> None:
    arguments = ["report", str(whole), str(epoch_run), "--out", str(tmp_path / "report"), "--draws", "20", "--json"]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "report.csv",
        "report.html",
        "report.md",
        "report.txt",
    ]
    assert json.loads(result.stdout)["out"] == str(tmp_path / "report")


def test_who_watches_is_told_how_far_the_run_is(whole: Path, told: list[RunStatus]) -> None:
    last = told[-1]
    assert (last.done, last.folds, last.running, last.passes, last.passes_in_all) == (2, 2, {}, 8, 8)
    assert all(one.passes <= two.passes for one, two in pairwise(told))
    assert all(one.passes_in_all == 8 for one in told)


KILLER = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from sleepviewer.training import loop
from helpers.tiny_training import TINY, tiny
from sleepviewer.training.cross_validate import cross_validate

whole, count, fatal = loop.atomic_writer, 0, int(sys.argv[3])

@contextmanager
def deadly(path):
    global count
    with whole(path) as file:
        count += path.name == "state.pt"
        if count == fatal:
            file.write(b"half a state")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        yield file

loop.atomic_writer = deadly
cross_validate(Path(sys.argv[1]), tiny(model="attnsleep+context"), Path(sys.argv[2]))
"""


def killed(data: Path, run: Path, state: int) -> None:
    """Train in a process that is killed in the middle of writing its ``state``-th state."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(TESTS), str(TESTS.parent)))}
    done = subprocess.run([sys.executable, "-c", KILLER, str(data), str(run), str(state)], env=env, check=False)
    assert done.returncode == -9


def test_a_run_that_is_killed_twice_ends_as_one_that_never_was(data: Path, whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fold = fold_folder(run, 0)
    killed(data, run, state=2)
    assert [row["pass"] for row in rows(fold / "epoch_model")] == [1]
    assert not (fold / "result.json").exists()
    with pytest.raises(RunError, match=r"^No fold of .* is finished yet; run the cross-validation again"):
        read_run(run)
    killed(data, run, state=3)
    assert [row["pass"] for row in rows(fold / "epoch_model")] == [1, 2]
    assert [row["pass"] for row in rows(fold)] == [1]
    assert len(left_behind(run)) == 2, "the state of the context, and the half that could not be swept away"
    cross_validate(data, CONTEXT, run)
    assert outcome(run) == outcome(whole)
    assert left_behind(run) == []


def test_two_processes_find_what_one_finds(data: Path, whole: Path, tmp_path: Path) -> None:
    cross_validate(data, CONTEXT, tmp_path / "run", jobs=2)
    assert outcome(tmp_path / "run") == outcome(whole)


@pytest.fixture
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as there:
        yield there.scheduler_address


def test_a_dask_cluster_finds_what_one_process_finds(cluster: str, data: Path, whole: Path, tmp_path: Path) -> None:
    cross_validate(data, CONTEXT, tmp_path / "run", dask=cluster)
    assert outcome(tmp_path / "run") == outcome(whole)


def test_a_scheduler_that_is_not_there_is_told(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("sleepviewer.cluster.CONNECT_S", 0.3)
    with pytest.raises(TrainingError, match=r"^There is no Dask scheduler at tcp://127.0.0.1:9; start one"):
        cross_validate(data, CONTEXT, tmp_path / "run", dask="tcp://127.0.0.1:9")


def test_a_cluster_without_workers_is_told(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("sleepviewer.cluster.WAIT_FOR_WORKERS_S", 0.3)
    with (
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
        ) as there,
        pytest.raises(TrainingError, match=r"^The Dask cluster at .* has no workers; start some with “dask worker”\.$"),
    ):
        cross_validate(data, CONTEXT, tmp_path / "run", dask=there.scheduler_address)


def test_a_process_that_is_ended_from_outside_is_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731  (a function would take this module along)
    monkeypatch.setattr("sleepviewer.training.cross_validate.run_fold", deadly)
    with pytest.raises(TrainingError, match=r"^A process that trained a fold was ended from outside"):
        cross_validate(data, CONTEXT, tmp_path / "run", jobs=2)


def test_a_finished_run_of_the_epoch_model_can_be_built_on(
    data: Path, whole: Path, epoch_run: Path, tmp_path: Path
) -> None:
    cross_validate(data, CONTEXT, tmp_path / "run", base_run=epoch_run)
    own = {name: found for name, found in outcome(whole).items() if "epoch_model" not in name}
    assert outcome(tmp_path / "run") == own
    with pytest.raises(TrainingError, match=r"^Only a model with context builds on another run"):
        cross_validate(data, TINY, tmp_path / "no_context", base_run=epoch_run)
    with pytest.raises(TrainingError, match=r"holds a run of “attnsleep”, on which “attnsleep-msmp\+context” can't"):
        cross_validate(data, tiny(model="attnsleep-msmp+context"), tmp_path / "other", base_run=epoch_run)
    with pytest.raises(TrainingError, match=r"holds a run on other data or folds than"):
        cross_validate(data, replace(CONTEXT, seed=9), tmp_path / "seed", base_run=epoch_run)
    with pytest.raises(TrainingError, match=r"gone is not the folder of a cross-validation\.$"):
        cross_validate(data, CONTEXT, tmp_path / "gone_base", base_run=tmp_path / "gone")


def test_a_finished_run_is_not_done_again(data: Path, whole: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*")}
    cross_validate(data, replace(CONTEXT, threads=2), whole)
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*")} == before


def test_a_folder_of_another_run_is_refused(data: Path, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"holds a run with another “passes”; give it the same settings, or choose"):
        cross_validate(data, replace(CONTEXT, passes=3), whole)
    other = write_data(tmp_path / "tiny")
    path = write_night(other, 0, 1)
    with np.load(path) as npz:
        y = npz["y"]
    write_night(other, 0, 1, y[::-1].copy())
    with pytest.raises(TrainingError, match=r"holds a run on other data than these; choose another folder\.$"):
        cross_validate(other, CONTEXT, whole)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").touch()
    with pytest.raises(TrainingError, match=r"holds other files; choose an empty folder for the run\.$"):
        cross_validate(data, CONTEXT, tmp_path / "letters")
    with pytest.raises(OutputError, match=r"^The folder .* can't be made: Not a directory\.$"):
        cross_validate(data, CONTEXT, tmp_path / "letters" / "letter.txt" / "run")


def test_a_run_that_was_killed_while_it_began_goes_on(data: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("sleepviewer.training.cross_validate._run", lambda *_: None)
    cross_validate(data, CONTEXT, tmp_path / "run")
    (tmp_path / "run" / "config.toml").unlink()
    (tmp_path / "run" / ".config.toml.x.part").touch()
    cross_validate(data, CONTEXT, tmp_path / "run")
    assert (tmp_path / "run" / "config.toml").read_text() == CONTEXT.to_toml()
    facts = json.loads((tmp_path / "run" / "data.json").read_text())
    del facts["sha256"]
    (tmp_path / "run" / "data.json").write_text(json.dumps(facts))
    cross_validate(data, CONTEXT, tmp_path / "run")
    (tmp_path / "run" / "data.json").write_text("{")
    with pytest.raises(TrainingError, match=r"data.json can't be read \(.*\); choose another folder for the run\.$"):
        cross_validate(data, CONTEXT, tmp_path / "run")


def test_a_damaged_archive_is_told_before_anything_is_written(tmp_path: Path) -> None:
    data = write_data(tmp_path / "damaged")
    path = data / "SC4031E0.npz"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ArchiveError, match=r"^SC4031E0.npz is no usable archive"):
        cross_validate(data, TINY, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_stage_that_a_fold_lacks_and_a_night_of_one_epoch_are_no_trouble(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for subject in range(4):
        for night in (1, 2):
            write_night(data, subject, night, np.resize([0, 2] if subject < 2 else [0, 2, 3, 4], EPOCHS))
    write_night(data, 3, 2, np.array([2]))
    config = tiny(model="attnsleep+context", passes=1, context_passes=1, order="sorted")
    cross_validate(data, config, tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert all(np.isfinite(result.class_weights).all() for result in run.results)
    assert [len(night.truth) for night in load_predictions(run, Protocol.HONEST)] == [EPOCHS] * 7 + [1]
    assert np.isfinite([night.logits.sum() for night in load_predictions(run, Protocol.PUBLISHED)]).all()


def test_epochs_too_short_for_the_model_are_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for subject in range(4):
        write_night(data, subject, 1, x=np.ones((EPOCHS, 3, 1), dtype=np.float32))
    with pytest.raises(SleepViewerError, match=r"^“attnsleep-msmp” can't be built for 3 samples at 100 Hz"):
        cross_validate(data, tiny(model="attnsleep-msmp"), tmp_path / "run")


def test_a_device_that_is_not_there_is_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"^There is no device “abacus” here; take “cpu”"):
        cross_validate(data, tiny(device="abacus"), tmp_path / "run")


def test_a_result_that_is_damaged_is_told(data: Path, whole: Path, tmp_path: Path) -> None:
    fold = fold_folder(tmp_path, 0)
    fold.mkdir(parents=True)
    (fold / "result.json").write_text("{")
    from sleepviewer.training.fold import read_result

    with pytest.raises(TrainingError, match=r"result.json can't be read \(.*\); remove it to have the fold done again"):
        read_result(fold)
    assert read_result(tmp_path) is None


def test_the_command_trains_every_fold(data: Path, whole: Path, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(CONTEXT.to_toml(), encoding="utf-8")
    out = tmp_path / "run"
    arguments = ["cross-validate", str(data), "--out", str(out), "--config", str(config), "--passes", "1"]
    result = CliRunner().invoke(main, [*arguments, "--set", "context_passes=1", "--model", "attnsleep-conformer"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{out} holds all 2 folds; “sleepviewer report {out}")
    assert read_run(out).model == "attnsleep-conformer"
    for wrong, sentence in (
        ("passes", "--set passes is not NAME=VALUE"),
        ("epochs=1", "“epochs”, which is no setting"),
    ):
        result = CliRunner().invoke(main, [*arguments, "--set", wrong])
        assert result.exit_code == 1
        assert sentence in result.stderr
        assert result.stderr.count("\n") == 1


def test_an_empty_run_has_a_status(data: Path, tmp_path: Path) -> None:
    from sleepviewer.training.cross_validate import FoldTask
    from sleepviewer.training.folds import Fold

    task = FoldTask(data, CONTEXT, Fold(0, (), (), ()), tmp_path)
    assert status([task]) == RunStatus(0, 1, {}, 0, 4)
    assert status([replace(task, epoch_folder=tmp_path)]) == RunStatus(0, 1, {}, 0, 2)
