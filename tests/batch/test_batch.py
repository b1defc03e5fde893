"""Batches of nights: plan, archives, manifest; nights that fail, processes that die, and what goes on from there."""

from __future__ import annotations

import gc
import json
import os
import shutil
import tracemalloc
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from helpers.night_files import MODEL, TRUTH, N, write_night, write_stages
from helpers.review_values import prediction_of
from helpers.scoring_fakes import make_fake
from sleepviewer.archive.archive import read_archive
from sleepviewer.batch import (
    MANIFEST,
    Control,
    Finished,
    Job,
    Line,
    Plan,
    Told,
    Wanted,
    plan,
    read_lines,
    run,
    score_night,
)
from sleepviewer.batch.night import share_to_review
from sleepviewer.batch.planning import truth_names
from sleepviewer.batch.running import expected_weights
from sleepviewer.errors import BatchError, OutputError
from sleepviewer.files import sha256_of
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_review
from sleepviewer.scoring.registry import EngineSpec
from sleepviewer.stages import Stage


@pytest.fixture
def nights(tmp_path: Path) -> Path:
    """Three nights in two folders, one of them with its expert's hypnogram beside it, which is no night."""
    folder = tmp_path / "nights"
    for name in ("one", "site/two", "site/three"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_night(folder / f"{name}.edf", seed=len(name))
    write_stages(folder / "one-Hypnogram.edf", TRUTH)
    return folder


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nights are scored in a thread of this process: for what has nothing to do with processes, it is quicker."""

    class Threads(ThreadPoolExecutor):
        lost = BrokenProcessPool
        ends_with_a_loss = True

        def room(self) -> int:
            return 3

        def submit(self, job: Job, wanted: Wanted) -> Future[Line]:  # type: ignore[override]
            return super().submit(score_night, job, wanted)

        def check(self) -> None: ...

    monkeypatch.setattr("sleepviewer.batch.running.processes", lambda jobs: Threads(1))


def planned(nights: Path | list[Any], out: Path, **wanted: Any) -> Plan:
    sources = nights if isinstance(nights, list) else [nights]
    return plan(sources, Wanted(out=out, make=make_fake, **wanted))


def lines_of(out: Path) -> dict[str, Line]:
    return {line["night"]: line for line in read_lines(out)}


def counts(finished: Finished) -> tuple[int, int, int]:
    return finished.scored, finished.kept, finished.failed


# -- planning


def test_archives_lie_as_the_recordings_do(nights: Path, tmp_path: Path) -> None:
    jobs = planned(nights, tmp_path / "out").jobs
    assert [(job.night, job.file) for job in jobs] == [
        ("one", "one.npz"),
        ("site/three", "site/three.npz"),
        ("site/two", "site/two.npz"),
    ]
    several = planned([nights / "one.edf", str(nights / "site" / "*.edf")], tmp_path / "out")
    assert {job.night for job in several.jobs} == {"one", "site/two", "site/three"}
    again = planned([nights, nights / "one.edf"], tmp_path / "out")
    assert len(again.jobs) == 3


def test_names_that_differ_in_the_ending_alone_stay_apart(nights: Path, tmp_path: Path) -> None:
    shutil.copy(nights / "one.edf", nights / "ONE.rec")
    files = {job.file for job in planned(nights, tmp_path / "out").jobs}
    assert {"one.edf.npz", "ONE.rec.npz"} < files


@pytest.mark.parametrize(
    ("sources", "words"),
    [(["absent"], "absent is not there"), (["*.edf"], "no recording"), (["."], "no recording")],
)
def test_a_batch_of_nothing_is_told(
    sources: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BatchError, match=words):
        planned(sources, tmp_path / "out")


def test_truth_patterns_are_filled_in(tmp_path: Path) -> None:
    names = truth_names(Path("x/SC4001E0-PSG.edf"), ("{stem}.xml", "{base}_h.csv", "../h/{stem:.6}*.edf", "{name}.txt"))
    assert names == ["SC4001E0-PSG.xml", "SC4001E0_h.csv", "../h/SC4001*.edf", "SC4001E0-PSG.edf.txt"]
    for wrong in ("{night}.edf", "{stem", "{0}.edf", "{stem.real}"):
        with pytest.raises(BatchError, match="can't be filled in"):
            planned([], tmp_path, truth_patterns=(wrong,))


# -- a batch from end to end


def test_a_batch_leaves_reviews_and_a_manifest(nights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told: list[Told] = []
    finished = run(planned(nights, out), jobs=2, tell=told.append)
    assert counts(finished) == (3, 0, 0)
    assert [word.done for word in told] == [1, 2, 3]
    assert told[-1].seconds_left == 0
    lines = lines_of(out)
    assert set(lines) == {"one", "site/two", "site/three"}
    for name, line in lines.items():
        recording = (out / line["path"]).resolve()
        assert recording == nights / f"{name}.edf"
        assert not Path(line["path"]).is_absolute()
        assert line["sha256"] == sha256_of(recording)
        assert (line["size"], line["mtime_ns"]) == (recording.stat().st_size, recording.stat().st_mtime_ns)
        assert (line["engine"], line["n_epochs"]) == ("ensemble", N)
        assert line["weights_sha256"] in expected_weights(EngineSpec())
        archive = read_archive(out / line["file"])
        assert len(archive) == N
        assert archive.meta["model"]["weights_sha256"] == line["weights_sha256"]
        night = open_night(recording, labels_path=out / line["file"])
        assert night.document.prediction is not None
        night.recording.close()
    assert lines["one"]["truth"] == "../nights/one-Hypnogram.edf"
    assert 0 < lines["one"]["agreement"]["accuracy"] < 1
    assert lines["site/two"]["agreement"] is None
    assert lines["one"]["tst_min"] == sum(lines["one"]["stages"][s] for s in ("N1", "N2", "N3", "REM")) / 2
    workers = {line["notes"][-1] for line in lines.values()}
    assert f"by {os.getpid()}" not in workers
    assert len(workers) <= 2
    assert not list(out.rglob("*.part"))


@pytest.mark.usefixtures("at_once")
def test_a_named_truth_counts_and_one_that_is_missing_is_a_note(nights: Path, tmp_path: Path) -> None:
    write_stages(nights / "site" / "truth of two.csv", MODEL)
    run(planned(nights, tmp_path / "out", truth_patterns=("truth of {stem}.csv",)), jobs=1)
    lines = lines_of(tmp_path / "out")
    assert lines["site/two"]["truth"] == "../nights/site/truth of two.csv"
    assert lines["one"]["agreement"] is None
    assert any("There is no truth of {stem}.csv of one.edf." in note for note in lines["one"]["notes"])


@pytest.mark.usefixtures("at_once")
def test_an_archive_without_signal_is_small_and_can_be_taken_up(nights: Path, tmp_path: Path) -> None:
    run(planned(nights / "one.edf", tmp_path / "out", signal=False), jobs=1)
    assert len(read_archive(tmp_path / "out" / "one.npz")) == 0
    night = open_night(nights / "one.edf", labels_path=tmp_path / "out" / "one.npz")
    assert night.document.prediction is not None
    night.recording.close()


def test_the_share_to_review_falls_with_certainty() -> None:
    stages = [0, 1, 2, 2, 3, 3, 4, 2] * 20
    sure = share_to_review(prediction_of(stages, [0.99] * len(stages)))
    unsure = share_to_review(prediction_of(stages, [0.5] * len(stages)))
    assert sure == 0
    assert unsure is not None
    assert 0.5 < unsure <= 1
    assert share_to_review(prediction_of([-1] * 4)) is None


# -- nights that fail


@pytest.mark.usefixtures("at_once")
def test_nights_that_fail_do_not_stop_the_others(nights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (nights / "damaged.edf").write_bytes(b"0       half a header")
    write_night(nights / "stumbles.edf")
    write_night(nights / "legs.edf", label="Leg")
    assert counts(run(planned(nights, out), jobs=2)) == (3, 0, 3)
    lines = lines_of(out)
    assert "damaged.edf" in lines["damaged"]["failed"]
    assert lines["stumbles"]["failed"] == (
        "stumbles.edf made SleepViewer stumble (ValueError: what a library raises); report it."
    )
    assert "No EEG channel of legs.edf was recognised; name one with --channel (Leg" in lines["legs"]["failed"]
    assert not (out / "legs.npz").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_night_whose_process_dies_is_tried_once_more_alone(jobs: int, nights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_night(nights / "deadly.edf")
    write_night(nights / "unlucky.edf")
    finished = run(planned(nights, out), jobs=jobs)
    assert counts(finished) == (4, 0, 1)
    lines = list(read_lines(out))
    assert len(lines) == 5
    (failed,) = [line for line in lines if "failed" in line]
    assert failed["night"] == "deadly"
    assert failed["failed"].startswith("The process that scored deadly.edf was ended from outside more than once;")
    assert len(read_archive(out / "unlucky.npz")) == N


@pytest.mark.usefixtures("at_once")
def test_corrections_are_never_written_over(nights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(planned(nights, out), jobs=1)
    night = open_night(nights / "one.edf", labels_path=out / "one.npz")
    night.document.set_stage([3], Stage.N3)
    save_review(night, out / "one.npz")
    night.recording.close()
    before = (out / "one.npz").read_bytes()
    assert counts(run(planned(nights, out, replace=True), jobs=1)) == (2, 0, 1)
    assert (out / "one.npz").read_bytes() == before
    assert "holds corrections and was not written over" in lines_of(out)["one"]["failed"]
    assert counts(run(planned(nights, out), jobs=1, resume=True)) == (0, 3, 0)  # it was scored, and is there


@pytest.mark.usefixtures("at_once")
def test_files_of_others_are_not_written_over(nights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "one.npz").write_bytes(b"somebody's")
    assert counts(run(planned(nights, out), jobs=1)) == (2, 0, 1)
    assert (out / "one.npz").read_bytes() == b"somebody's"
    assert counts(run(planned(nights, out, replace=True), jobs=1, resume=True)) == (1, 2, 0)


# -- going on


@pytest.mark.usefixtures("at_once")
def test_a_batch_goes_on_with_what_is_not_done(nights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(planned(nights, out), jobs=1)
    with pytest.raises(BatchError, match="holds a batch already; go on with --resume"):
        run(planned(nights, out), jobs=1)
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    write_night(nights / "new.edf")
    os.utime(nights / "one.edf")  # another stamp, the same content
    write_night(nights / "site" / "two.edf", seed=99)
    (out / "site" / "three.npz").unlink()
    assert counts(run(planned(nights, out), jobs=2, resume=True)) == (3, 1, 0)
    assert (out / "one.npz").stat().st_mtime_ns == stamps[out / "one.npz"]
    assert lines_of(out)["site/two"]["sha256"] == sha256_of(nights / "site" / "two.edf")
    assert len(list(read_lines(out))) == 6


@pytest.mark.usefixtures("at_once")
def test_another_engine_weights_or_wish_are_scored_anew(nights: Path, tmp_path: Path) -> None:
    out, weights = tmp_path / "out", tmp_path / "weights"
    weights.write_bytes(b"first")
    spec = EngineSpec("attnsleep", weights)
    run(planned(nights, out), jobs=1)
    for wanted in ({"spec": spec}, {"spec": spec, "signal": False}):
        assert counts(run(planned(nights, out, **wanted), jobs=1, resume=True)) == (3, 0, 0)
        assert counts(run(planned(nights, out, **wanted), jobs=1, resume=True)) == (0, 3, 0)
    weights.write_bytes(b"second")
    assert counts(run(planned(nights, out, spec=spec, signal=False), jobs=1, resume=True)) == (3, 0, 0)


@pytest.mark.usefixtures("at_once")
def test_a_line_that_was_cut_off_is_scored_again(nights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(planned(nights, out), jobs=1)
    manifest = out / MANIFEST
    text = manifest.read_bytes()
    manifest.write_bytes(text[:-40])
    assert counts(run(planned(nights, out), jobs=1, resume=True)) == (1, 2, 0)
    assert len(lines_of(out)) == 3
    assert len(manifest.read_bytes().splitlines()) == 4


@pytest.mark.usefixtures("at_once")
def test_a_batch_moves_with_its_folder(nights: Path, tmp_path: Path) -> None:
    run(planned(nights, tmp_path / "out"), jobs=1)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("nights", "out"):
        shutil.move(tmp_path / name, elsewhere / name)
    moved = planned(elsewhere / "nights", elsewhere / "out")
    assert counts(run(moved, jobs=1, resume=True)) == (0, 3, 0)


@pytest.mark.usefixtures("at_once")
def test_a_manifest_of_something_else_is_refused(nights: Path, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps({"night": "x", "file": "x.npz"}) + "\n")
    with pytest.raises(BatchError, match="is of something else than a batch of scorings"):
        run(planned(nights, tmp_path), jobs=1, resume=True)
    (tmp_path / "file").touch()
    with pytest.raises((BatchError, OutputError), match=r"can't be (read|written)"):
        run(planned(nights, tmp_path / "file"), jobs=1)


# -- from outside


def test_a_batch_is_cancelled_in_the_middle_of_a_night(nights: Path, tmp_path: Path) -> None:
    write_night(nights / "slow.edf")
    control = Control()

    def tell(told: Told) -> None:
        if told.done == 1:
            control.cancel()

    finished = run(planned([nights / "one.edf", nights / "slow.edf"], tmp_path / "out"), tell=tell, control=control)
    assert counts(finished) == (1, 0, 0)
    assert finished.cancelled
    assert finished.seconds < 30
    assert finished.summary.startswith("Stopped: 1 night scored, of 2, in ")


def test_memory_does_not_grow_with_what_was_done(tmp_path: Path) -> None:
    nights = tmp_path / "nights"
    nights.mkdir()
    for number in range(300):
        (nights / f"{number}{'x' * 200}.edf").touch()  # every line holds its name several times
    batch = planned(nights, tmp_path / "out")
    sizes: list[int] = []

    def tell(told: Told) -> None:
        if told.done in (50, 290):
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        finished = run(batch, jobs=1, tell=tell)
    finally:
        tracemalloc.stop()
    assert finished.failed == 300
    assert sizes[1] - sizes[0] < 40_000  # the lines in between are 200 kB


def test_nights_are_handed_out_as_others_come_back(nights: Path, tmp_path: Path, monkeypatch: Any) -> None:
    from sleepviewer.batch import running

    handed, most = [0], [0]

    def counted(*arguments: Any) -> Any:
        for job in todo(*arguments):
            handed[0] += 1
            yield job

    def tell(told: Told) -> None:
        most[0] = max(most[0], handed[0] - told.done)

    todo = running._todo
    monkeypatch.setattr(running, "_todo", counted)
    for number in range(20):
        (nights / f"{number}.edf").touch()
    run(planned(nights, tmp_path / "out"), jobs=2, tell=tell)
    assert handed == [23]
    assert most[0] <= 4


def test_a_night_is_scored_by_itself_as_in_a_batch(nights: Path, tmp_path: Path) -> None:
    batch = planned(nights / "one.edf", tmp_path / "out")
    line = score_night(batch.jobs[0], batch.wanted)
    assert "failed" not in line
    assert (tmp_path / "out" / "one.npz").is_file()


def test_of_nights_that_a_cluster_blames_together_only_the_deadly_one_fails(
    nights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    class Cluster(ThreadPoolExecutor):
        """Loses whatever is in hand together with “site/two”, as Dask does."""

        lost = BrokenProcessPool
        ends_with_a_loss = False

        def room(self) -> int:
            return 3

        def submit(self, job: Job, wanted: Wanted) -> Future[Line]:  # type: ignore[override]
            tries.append(job.night)
            future: Future[Line] = Future()
            if job.night == "site/two" or (job.night == "site/three" and tries.count(job.night) == 1):
                future.set_exception(BrokenProcessPool())
            else:
                future.set_result(score_night(job, wanted))
            return future

        def check(self) -> None: ...

    monkeypatch.setattr("sleepviewer.batch.running.cluster", lambda address: Cluster(1))
    out = tmp_path / "out"
    assert counts(run(planned(nights, out), dask="tcp://nowhere")) == (2, 0, 1)
    lines = lines_of(out)
    assert "was ended from outside more than once" in lines["site/two"]["failed"]
    assert "failed" not in lines["site/three"]
    assert sorted(tries) == ["one", "site/three", "site/three", "site/two", "site/two"]
