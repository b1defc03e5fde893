"""``sleepviewer score`` on many nights: what it says, its exit codes, a Dask cluster, and being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from helpers.night_files import TRUTH, write_night, write_stages
from helpers.places import TESTS
from helpers.scoring_fakes import make_fake
from sleepviewer.batch import MANIFEST, Wanted, plan, read_lines, run
from sleepviewer.cli import main
from sleepviewer.cli.score_many import left_text
from sleepviewer.errors import BatchError


@pytest.fixture
def nights(tmp_path: Path) -> Path:
    folder = tmp_path / "nights"
    folder.mkdir()
    for name in ("a", "b"):
        write_night(folder / f"{name}.edf", seed=ord(name))
    write_stages(folder / "a-Hypnogram.edf", TRUTH)
    return folder


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command plans with fake engines."""
    monkeypatch.setattr("sleepviewer.batch.Wanted", lambda **wanted: Wanted(make=make_fake, **wanted))


def score(*words: object) -> Result:
    return CliRunner().invoke(main, ["score", *map(str, words)])


@pytest.mark.usefixtures("fakes")
def test_a_folder_is_scored_and_gone_on_with(nights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = score(nights, "--out", out, "--jobs", 1, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told.pop("seconds") > 0
    assert told == {
        "out": str(out),
        "manifest": str(out / MANIFEST),
        "nights": 2,
        "scored": 2,
        "kept": 0,
        "failed": 0,
        "first_failures": {},
    }
    result = score(nights, "--out", out)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"sleepviewer: {out} holds a batch already; go on with --resume")
    (nights / "c.edf").write_bytes(b"nothing")
    result = score(nights, "--out", out, "--resume", "--jobs", 1)
    assert result.exit_code == 3
    assert result.stdout.startswith("0 nights scored, 2 there already, 1 failed (see manifest.jsonl), of 3, in ")
    assert result.stderr.startswith("failed: c: c.edf ")


@pytest.mark.usefixtures("fakes")
def test_patterns_and_several_nights_are_many(nights: Path, tmp_path: Path) -> None:
    assert score(f"{nights}/*.edf", "--out", tmp_path / "pattern", "--jobs", 1, "--no-signal").exit_code == 0
    named = score(nights / "a.edf", nights / "b.edf", "--out", tmp_path / "named", "--jobs", 1)
    assert named.exit_code == 0
    assert named.stdout.startswith("2 nights scored, of 2, in ")
    assert (tmp_path / "pattern" / "a.npz").stat().st_size * 2 < (tmp_path / "named" / "a.npz").stat().st_size


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.edf", "--resume"], "--resume goes with a folder"),
        (["a.edf", "--truth-pattern", "{stem}.csv"], "--truth-pattern goes with a folder"),
        (["a.edf", "b.edf", "--truth", "t.csv"], "many nights take --truth-pattern"),
        (["a.edf", "b.edf", "--jobs", "2", "--dask", "tcp://x:1"], "--jobs is for this machine"),
        (["a.edf", "b.edf", "--jobs", "0"], "0 is not in the range"),
    ],
)
def test_wrong_use_is_told(words: list[str], said: str) -> None:
    result = score(*words, "--out", "x.npz")
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_time_left_is_said_in_words() -> None:
    said = [left_text(seconds) for seconds in (None, 20, 300, 11_100)]
    assert said == ["time left not known yet", "less than a minute left", "5 min left", "3 h 5 min left"]


KILLED = """
import sys
from pathlib import Path
from helpers.scoring_fakes import make_fake
from sleepviewer.batch import Wanted, plan, run
if __name__ == "__main__":
    nights, out = map(Path, sys.argv[1:])
    run(plan([nights], Wanted(out=out, make=make_fake)), jobs=2, tell=lambda told: print(told.done, flush=True))
"""


def test_a_batch_that_was_killed_goes_on(nights: Path, tmp_path: Path) -> None:
    write_night(nights / "slow.edf")
    out = tmp_path / "out"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    with subprocess.Popen(
        [sys.executable, str(script), str(nights), str(out)], env=environment, stdout=subprocess.PIPE, text=True
    ) as batch:
        assert batch.stdout is not None
        assert [batch.stdout.readline() for _ in range(2)] == ["1\n", "2\n"]
        batch.send_signal(signal.SIGKILL)
    assert {line["night"] for line in read_lines(out)} == {"a", "b"}
    (nights / "slow.edf").rename(nights / "quick.edf")
    finished = run(plan([nights], Wanted(out=out, make=make_fake)), jobs=1, resume=True)
    assert (finished.scored, finished.kept, finished.failed) == (1, 2, 0)


# -- a cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler and a worker, both processes of their own that can be killed."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as there:
        yield there


def test_a_cluster_scores_what_one_process_scores(cluster: Any, nights: Path, tmp_path: Path) -> None:
    (nights / "c.edf").write_bytes(b"nothing")
    write_night(nights / "deadly.edf")
    out = tmp_path / "out"
    finished = run(plan([nights], Wanted(out=out, make=make_fake)), dask=cluster.scheduler_address)
    assert (finished.scored, finished.failed) == (2, 2)
    lines = {line["night"]: line for line in read_lines(out)}
    assert "was ended from outside more than once" in lines["deadly"]["failed"]
    run(plan([nights / "a.edf"], Wanted(out=tmp_path / "here", make=make_fake)))
    (here,) = read_lines(tmp_path / "here")
    changing = {"seconds", "scoring_s", "finished", "notes"}
    assert {k: v for k, v in here.items() if k not in changing} == {
        k: v for k, v in lines["a"].items() if k not in changing
    }
    assert (tmp_path / "here" / "a.npz").stat().st_size == (out / "a.npz").stat().st_size


def test_a_cluster_that_is_not_there_is_told(nights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("sleepviewer.cluster.CONNECT_S", 0.3)
    with pytest.raises(BatchError, match=r"^There is no Dask scheduler at tcp://127.0.0.1:9; start one"):
        run(plan([nights], Wanted(out=tmp_path / "out")), dask="tcp://127.0.0.1:9")


def test_a_scheduler_that_is_lost_is_told_and_nothing_else_is(nights: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    write_night(nights / "slow.edf")
    where = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    script = "from distributed.cli.{0} import main; main()"
    common = ["--scheduler-file", str(where)]
    dask = [sys.executable, "-c", script.format("dask_scheduler"), "--host", "127.0.0.1", "--port", "0"]
    worker = [sys.executable, "-c", script.format("dask_worker"), "--nthreads", "1", "--no-nanny", *common]
    with (
        subprocess.Popen([*dask, "--dashboard-address", "127.0.0.1:0", *common], env=environment, **quiet) as scheduler,
        subprocess.Popen([*worker, "--no-dashboard"], env=environment, **quiet) as working,
    ):
        try:
            end = time.monotonic() + 30
            while not where.exists() and time.monotonic() < end:
                time.sleep(0.1)
            address = json.loads(where.read_text())["address"]
            with pytest.raises(BatchError, match=r"^The Dask scheduler at .* was lost; what is done is kept"):
                run(
                    plan([nights], Wanted(out=tmp_path / "out", make=make_fake)),
                    dask=address,
                    tell=lambda told: scheduler.kill() if told.done == 2 else None,
                )
        finally:
            working.kill()
            scheduler.kill()
    assert {line["night"] for line in read_lines(tmp_path / "out")} == {"a", "b"}
    (nights / "slow.edf").unlink()
    finished = run(plan([nights], Wanted(out=tmp_path / "out", make=make_fake)), resume=True)
    assert (finished.scored, finished.kept) == (0, 2)
