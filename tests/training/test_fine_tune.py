"""A model learns from a corrected night; killed, it goes on as if nothing had happened; nonsense is refused."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import tiny_training, tiny_tuning
from sleepviewer.archive.archive import NOT_CORRECTED
from sleepviewer.errors import ArchiveError, TrainingCancelled, TrainingError
from sleepviewer.models.checkpoints import load_weights
from sleepviewer.models.shipped import peek_card
from sleepviewer.models.versions import ModelVersions
from sleepviewer.training.fine_tune import (
    FineTuneRequest,
    FineTuneResult,
    TuningProgress,
    TuningSettings,
    discard,
    keep,
    work_folder,
)
from sleepviewer.training.fine_tune_process import FineTuneProcess, TuningState
from sleepviewer.training.tuner import STATE_FILE, fine_tune


class Told(list[TuningProgress]):
    """Progress as it comes; breaks off at a step, as a pause would."""

    def __init__(self, break_at: int | None = None) -> None:
        self._break_at = break_at

    def pause(self) -> None:
        if self and self._break_at is not None and self[-1].step >= self._break_at:
            raise TrainingCancelled("broken off")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tuning")


@pytest.fixture(scope="module")
def request_(folder: Path) -> FineTuneRequest:
    return tiny_tuning.request(folder, "attnsleep+context")


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def result(request_: FineTuneRequest, told: Told) -> FineTuneResult:
    """Of a tuning that nobody disturbed."""
    return fine_tune(request_, told.append)


def assert_same(one: FineTuneResult, other: FineTuneResult) -> None:
    a, b = (load_weights(each.candidate).state for each in (one, other))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert one.verdict.as_dict() == other.verdict.as_dict()
    assert [(row.step, row.loss, row.kappa_corrected, row.kappa_others) for row in one.rows] == [
        (row.step, row.loss, row.kappa_corrected, row.kappa_others) for row in other.rows
    ]


# -- what is learned


def test_what_the_night_teaches_holds_for_what_was_kept_out(result: FineTuneResult) -> None:
    assert result.verdict.offered
    assert result.verdict.corrected.before.kappa < 0.2
    assert result.verdict.corrected.after.kappa > 0.7


def test_the_progress_has_losses_and_both_kappas(told: Told, result: FineTuneResult) -> None:
    assert {row.phase for row in told} == {"reading", "tuning", "guard"}
    assert [row.step for row in result.rows] == [0, 20, 40, 60]
    assert result.rows[-1].loss < result.rows[1].loss  # type: ignore[operator]
    looked = [row.step for row in told if row.kappa_corrected is not None and row.kappa_others is not None]
    assert looked == [0, 40, 60]
    assert result.cpu_seconds > 0


def test_batch_statistics_of_the_training_stay_and_the_context_of_one_night_too(
    request_: FineTuneRequest, result: FineTuneResult
) -> None:
    before, after = load_weights(Path(request_.base)).state, load_weights(result.candidate).state
    fixed = [name for name in before if "running_" in name or name.startswith("context.")]
    assert fixed
    assert all(torch.equal(before[name], after[name]) for name in fixed)
    assert not torch.equal(before["fc.weight"], after["fc.weight"])


def test_three_nights_tune_the_context_as_well(tmp_path: Path) -> None:
    archives = tuple(tiny_tuning.write_corrected(tmp_path / f"night{i}.npz", i) for i in range(3))
    settings = replace(tiny_tuning.SETTINGS, steps=2, context_passes=1)
    request = tiny_tuning.request(tmp_path, "attnsleep+context", archives=archives, settings=settings)
    found = fine_tune(request, lambda _: None)
    before, after = load_weights(Path(request.base)).state, load_weights(found.candidate).state
    assert not torch.equal(before["context.head.bias"], after["context.head.bias"])
    assert torch.equal(before["context.norm.running_mean"], after["context.norm.running_mean"])


def test_corrupted_labels_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    archive = tiny_tuning.write_corrected(tmp_path / "bad.npz", 1, rng.integers(0, 5, tiny_tuning.EPOCHS))
    settings = replace(tiny_tuning.SETTINGS, steps=20)
    found = fine_tune(tiny_tuning.request(tmp_path, archives=(archive,), settings=settings), lambda _: None)
    assert not found.verdict.offered
    with pytest.raises(TrainingError, match="is not kept"):
        keep(found)
    assert not ModelVersions().versions()


def test_a_strong_pull_to_the_base_keeps_the_model_where_it_was(result: FineTuneResult, tmp_path: Path) -> None:
    true = tiny_training.stages(np.random.default_rng(1), tiny_tuning.EPOCHS)
    archive = tiny_tuning.write_corrected(tmp_path / "otherwise.npz", 1, (true + 1) % 5)
    request = tiny_tuning.request(tmp_path, archives=(archive,), base=str(result.candidate))

    def loss(pull: float) -> float:
        settings = replace(tiny_tuning.SETTINGS, steps=20, pull=pull)
        found = fine_tune(replace(request, settings=settings, work=tmp_path / str(pull)), lambda _: None)
        assert found.rows[-1].loss is not None
        return found.rows[-1].loss

    assert loss(50.0) > loss(0.0) + 0.5, "what it is told changes it less"


# -- broken off


def test_a_broken_tuning_ends_as_one_that_was_not(
    request_: FineTuneRequest, result: FineTuneResult, tmp_path: Path
) -> None:
    request = replace(request_, work=tmp_path / "again")
    broken = Told(break_at=25)
    with pytest.raises(TrainingCancelled):
        fine_tune(request, broken.append, broken.pause)
    assert (tmp_path / "again" / STATE_FILE).exists()
    later = Told()
    assert_same(fine_tune(request, later.append), result)
    done = [row for row in later if row.phase == "tuning" and row not in broken]  # the earlier ones are told once more
    assert min(row.step for row in done) > 20, "what was done was not done again"
    assert not (tmp_path / "again" / STATE_FILE).exists()


@pytest.mark.timeout(600)  # two children at low priority, which other work on the machine starves
def test_killed_with_signal_nine_it_goes_on(request_: FineTuneRequest, result: FineTuneResult, tmp_path: Path) -> None:
    request = replace(request_, work=tmp_path / "killed")
    with FineTuneProcess() as process:
        process.start(request)
        for progress in process.progress():
            if progress.step >= 25:
                assert process.pid is not None
                os.kill(process.pid, signal.SIGKILL)
        assert process.state is TuningState.FAILED
        with pytest.raises(TrainingError, match="signal 9"):
            process.result()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    with FineTuneProcess() as process:
        process.start(request)
        assert_same(process.result(), result)


def test_a_tuning_that_is_done_is_not_done_again(request_: FineTuneRequest, result: FineTuneResult) -> None:
    told = Told()
    assert fine_tune(request_, told.append).as_dict() == result.as_dict()
    assert not told


def test_the_state_of_another_tuning_is_not_taken_up(request_: FineTuneRequest, tmp_path: Path) -> None:
    request = replace(request_, work=tmp_path / "other")
    broken = Told(break_at=20)
    with pytest.raises(TrainingCancelled):
        fine_tune(request, broken.append, broken.pause)
    with pytest.raises(TrainingError, match="of another tuning"):
        fine_tune(replace(request, settings=replace(request.settings, seed=1)), lambda _: None)
    (tmp_path / "other" / STATE_FILE).write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match="damaged"):
        fine_tune(request, lambda _: None)


# -- the process


def until(process: FineTuneProcess, state: TuningState) -> None:
    deadline = time.monotonic() + 60
    while process.state is not state and time.monotonic() < deadline:
        process.poll()
        time.sleep(0.02)
    assert process.state is state


@pytest.mark.timeout(600)
def test_pause_stops_the_steps_resume_goes_on_and_cancel_leaves_nothing(
    request_: FineTuneRequest, tmp_path: Path
) -> None:
    request = replace(request_, work=tmp_path / "work", settings=replace(request_.settings, steps=400))
    with FineTuneProcess() as process:
        process.start(request)
        next(progress for progress in process.progress() if progress.step >= 5)
        process.pause()
        until(process, TuningState.PAUSED)
        time.sleep(0.3)
        assert process.poll() == []
        process.resume()
        until(process, TuningState.RUNNING)
        assert next(process.progress()).step > 5
        process.pause()
        until(process, TuningState.PAUSED)
        process.cancel()
        assert process.state is TuningState.CANCELLED
        assert not (tmp_path / "work").exists()
        with pytest.raises(TrainingCancelled):
            process.result()


def test_trouble_in_the_child_is_told_as_it_is(tmp_path: Path) -> None:
    with FineTuneProcess() as process:
        process.start(tiny_tuning.request(tmp_path, archives=(tmp_path / "nothing.npz",)))
        with pytest.raises(ArchiveError, match=r"nothing\.npz can't be read"):
            process.result()
        assert process.state is TuningState.FAILED


# -- what can be learned from


def test_only_what_was_reviewed_is_learned_from(tmp_path: Path) -> None:
    corrected = np.full(tiny_tuning.EPOCHS, NOT_CORRECTED, dtype=np.int8)
    archive = tiny_tuning.write_corrected(tmp_path / "model.npz", 1, base="model", corrected=corrected)
    request = tiny_tuning.request(tmp_path, archives=(archive,))
    with pytest.raises(TrainingError, match=r"No epoch of model\.npz was reviewed"):
        fine_tune(request, lambda _: None)
    settings = replace(request.settings, steps=1)
    vouched = fine_tune(replace(request, whole_nights=True, settings=settings), lambda _: None)
    assert vouched.verdict.corrected.after.epochs > 0


def test_a_night_named_twice_is_told(tmp_path: Path) -> None:
    archives = (tiny_tuning.write_corrected(tmp_path / "a.npz", 1), tiny_tuning.write_corrected(tmp_path / "b.npz", 1))
    with pytest.raises(TrainingError, match="a and b are of the same recording"):
        fine_tune(tiny_tuning.request(tmp_path, archives=archives), lambda _: None)


def test_the_corrected_night_is_not_replayed(tmp_path: Path) -> None:
    others = tiny_tuning.write_others(tmp_path / "mixed")
    tiny_tuning.write_corrected(others / "same.npz", 1)
    settings = replace(tiny_tuning.SETTINGS, steps=1)
    found = fine_tune(tiny_tuning.request(tmp_path, replay=others, settings=settings), lambda _: None)
    assert [note for note in found.notes if note.startswith("same.npz is not replayed")]


def test_one_other_subject_is_too_few(tmp_path: Path) -> None:
    others = tiny_tuning.write_others(tmp_path / "one", nights=1)
    with pytest.raises(TrainingError, match="takes two at least"):
        fine_tune(tiny_tuning.request(tmp_path, replay=others), lambda _: None)


@pytest.mark.parametrize("wrong", [{"steps": -1}, {"learning_rate": 0}, {"pull": -1}, {"batch": 0}])
def test_a_setting_that_can_not_be_is_told(wrong: dict[str, float]) -> None:
    with pytest.raises(TrainingError, match=next(iter(wrong))):
        TuningSettings(**wrong)  # type: ignore[arg-type]


def test_one_night_gets_fewer_steps_than_many() -> None:
    assert [TuningSettings().steps_for(n) for n in (1, 2, 3, 99)] == [120, 180, 240, 480]
    assert TuningSettings(steps=7).steps_for(5) == 7


# -- what is kept


def test_a_request_names_its_folder_by_what_it_holds(request_: FineTuneRequest) -> None:
    request = replace(request_, work=None)
    assert work_folder(request) == work_folder(FineTuneRequest.from_json(request.to_json()))
    assert work_folder(replace(request, settings=TuningSettings(seed=4))) != work_folder(request)
    discard(request)


def test_a_version_knows_where_it_comes_from(result: FineTuneResult, request_: FineTuneRequest) -> None:
    path = keep(result)
    (version,) = ModelVersions().versions()
    assert (version.path, version.name) == (path, "attnsleep+context@v1")
    assert not version.active, "a tuned model does not become active by itself"
    lineage = version.card.lineage
    base = load_weights(Path(request_.base))
    assert (lineage["parent"], lineage["parent_sha256"]) == (Path(request_.base).name, base.sha256)
    assert lineage["nights"][0]["recording_sha256"] == f"{1:064x}"
    assert len(lineage["nights"][0]["archive_sha256"]) == 64
    assert lineage["settings"]["steps"] == 60
    assert lineage["verdict"] == result.verdict.as_dict()
    assert version.card.headline.endswith("on held-out corrected epochs")


def test_a_model_can_be_written_where_the_user_says(result: FineTuneResult, tmp_path: Path) -> None:
    card = peek_card(keep(result, out=tmp_path / "mine.safetensors"))
    assert card is not None
    assert card.measured["other subjects kappa"] == pytest.approx(result.verdict.others.after.kappa)
    assert not ModelVersions().versions()
