"""The training loop with a model of a few weights: what it picks, when it stops, what it leaves on disk."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from helpers.tiny_training import left_behind, rows
from sleepviewer.errors import OutputError, TrainingError
from sleepviewer.training.loop import Pick, Progress, Schedule, fit

SCHEDULE = Schedule(passes=4, learning_rate=0.01, late_learning_rate=0.001, drop_after=2, weight_decay=0.001)
PICKS = {"honest": Pick("validation", "kappa"), "published": Pick("test", "accuracy")}


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 5))


def batches(_number: int) -> Iterator[tuple[Tensor, Tensor]]:
    for _ in range(3):
        yield torch.randn(16, 4), torch.randint(0, 5, (16,))


def scores(kappas: list[float | None], accuracies: list[float | None]) -> Callable[[nn.Module], Any]:
    """Return an evaluation that says these figures, one a pass."""
    told = iter(zip(kappas, accuracies, strict=True))

    def evaluate(network: nn.Module) -> Any:
        assert not network.training
        kappa, accuracy = next(told)
        return {"validation": {"kappa": kappa, "accuracy": 0.5}, "test": {"kappa": 0.5, "accuracy": accuracy}}

    return evaluate


def measured(network: nn.Module) -> Any:
    """Return figures that depend on all weights."""
    with torch.no_grad():
        value = float(network(torch.linspace(-1, 1, 20).reshape(5, 4)).sum())
    return {"validation": {"kappa": value}, "test": {"accuracy": -value}}


def run(folder: Path, evaluate: Callable[[nn.Module], Any] = measured, **others: Any) -> Progress:
    schedule = others.pop("schedule", SCHEDULE)
    loss = others.pop("loss", functional.cross_entropy)
    network = others.pop("network", None) or model()
    return fit(network, batches, loss, evaluate, PICKS, schedule, folder=folder, seed=5, **others)


def same(one: Progress, other: Progress) -> bool:
    def weights(progress: Progress) -> dict[str, Any]:
        return {pick: {name: t.tolist() for name, t in w.items()} for pick, w in progress.weights.items()}

    timeless = [[{k: v for k, v in row.items() if k != "seconds"} for row in p.rows] for p in (one, other)]
    return timeless[0] == timeless[1] and one.picked == other.picked and weights(one) == weights(other)


def test_each_protocol_keeps_the_earliest_of_its_best_passes(tmp_path: Path) -> None:
    progress = run(tmp_path, scores([0.1, 0.3, 0.3, 0.2], [None, 0.5, 0.4, 0.6]))
    assert progress.picked == {"honest": 2, "published": 4}
    assert [row["pass"] for row in rows(tmp_path)] == [1, 2, 3, 4]
    assert rows(tmp_path)[0]["test"] == {"kappa": 0.5, "accuracy": None}


def test_a_training_without_a_better_pass_stops_after_its_patience(tmp_path: Path) -> None:
    schedule = Schedule(10, 0.01, 0.001, 2, 0.0, patience=2)
    progress = run(tmp_path, scores([0.1, 0.3, *[0.2] * 8], [0.5] * 10), schedule=schedule)
    assert len(progress.rows) == 4
    assert len(run(tmp_path, scores([], []), schedule=schedule).rows) == 4


@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("broken_after", [1, 2, 3])
def test_a_broken_training_ends_as_an_unbroken_one(tmp_path: Path, average: float, broken_after: int) -> None:
    schedule = Schedule(4, 0.01, 0.001, 2, 0.001, weight_average=average)
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = run(tmp_path / "whole", schedule=schedule)

    def breaks(network: nn.Module) -> Any:
        if len(rows_there) == broken_after:
            raise KeyboardInterrupt
        rows_there.append(1)
        return measured(network)

    rows_there: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", breaks, schedule=schedule)
    assert len(rows(tmp_path / "broken")) == broken_after
    torch.manual_seed(999)
    assert same(run(tmp_path / "broken", schedule=schedule), whole)
    assert rows(tmp_path / "broken") == rows(tmp_path / "whole")


def test_metrics_that_a_kill_held_back_are_written_when_it_goes_on(tmp_path: Path) -> None:
    run(tmp_path)
    whole = rows(tmp_path)
    (tmp_path / "metrics.jsonl").unlink()
    run(tmp_path)
    assert rows(tmp_path) == whole


def test_the_running_mean_of_the_weights_is_what_is_looked_at_and_kept(tmp_path: Path) -> None:
    for name in ("plain", "mean"):
        (tmp_path / name).mkdir()
    plain = run(tmp_path / "plain", lambda _: scores([0.1], [0.1])(_), schedule=Schedule(1, 0.01, 0.01, 9, 0))
    mean = run(
        tmp_path / "mean", lambda _: scores([0.1], [0.1])(_), schedule=Schedule(1, 0.01, 0.01, 9, 0, weight_average=0.9)
    )
    assert plain.rows[0]["loss"] == mean.rows[0]["loss"]
    start = model().state_dict()["0.weight"]
    moved = [float((p.weights["honest"]["0.weight"] - start).abs().sum()) for p in (plain, mean)]
    assert 0 < moved[1] < moved[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_training_and_keeps_what_was_before(tmp_path: Path, value: float) -> None:
    calls = []

    def breaks(logits: Tensor, labels: Tensor) -> Tensor:
        calls.append(1)
        return functional.cross_entropy(logits, labels) * (value if len(calls) > 3 else 1)

    with pytest.raises(TrainingError, match=r"^The loss is no number in pass 2; lower the learning rate"):
        run(tmp_path, loss=breaks)
    assert [row["pass"] for row in rows(tmp_path)] == [1]
    assert len(run(tmp_path).rows) == 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"PK\x03\x04 and no more",
        pickle.dumps({"model": {}}),
        pickle.dumps(Path("a class that would have to be imported")),
        pickle.dumps([1, 2, 3], protocol=5),
    ],
)
def test_a_state_that_is_none_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(TrainingError, match=r"state.pt is .*; remove it to start anew\.$") as caught:
        run(tmp_path)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]
    assert (tmp_path / "state.pt").read_bytes() == content


def test_a_damaged_or_foreign_state_is_told(tmp_path: Path) -> None:
    run(tmp_path)
    state = tmp_path / "state.pt"
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match=r"state.pt is not the state of this training \(.*remove it to start anew"):
        run(tmp_path)
    state.write_bytes(whole)
    with pytest.raises(TrainingError, match=r"state.pt is not the state of this training \(.*remove it to start anew"):
        run(tmp_path, network=nn.Linear(4, 5))


def test_a_full_disk_is_told_and_the_last_whole_state_stays(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    run(tmp_path, schedule=Schedule(1, 0.01, 0.001, 2, 0.001))
    before = (tmp_path / "state.pt").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(OutputError, match=r"state.pt can't be written: File too large\. The old file, if any, is"):
            run(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "state.pt").read_bytes() == before
    assert left_behind(tmp_path) == ["state.pt"]
    assert len(run(tmp_path).rows) == 4


def test_a_gpu_with_too_little_memory_is_told(tmp_path: Path) -> None:
    def full(*_: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB")

    with pytest.raises(TrainingError, match=r"^The GPU has too little memory for this; lower “batch_size”, .*“cpu”\.$"):
        run(tmp_path, loss=full)
    assert list(tmp_path.iterdir()) == []


def test_a_training_without_a_batch_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"^There is no batch to train on\.$"):
        fit(model(), lambda _: (), functional.cross_entropy, measured, PICKS, SCHEDULE, folder=tmp_path, seed=0)


def test_the_mean_of_the_weights_keeps_the_directions_of_a_spectral_norm(tmp_path: Path) -> None:
    """The mean of unit vectors is none, and would scale the layer by another norm than its own."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(4, 8)), nn.Linear(8, 5))
    lengths: list[float] = []

    def evaluate(kept: nn.Module) -> Any:
        lengths.extend(float(b.norm()) for name, b in kept.named_buffers() if name.endswith(("_u", "_v")))
        return measured(kept)

    run(tmp_path, evaluate, network=network, schedule=Schedule(4, 0.3, 0.3, 4, 0.0, weight_average=0.9))
    assert lengths == pytest.approx([1.0] * 8, abs=1e-4)
