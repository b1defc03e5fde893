"""Cross-validation by subjects: every fold a task of its own, for the cores of this machine or a Dask cluster.

The folder of a run is its memory: a fold that is done is not done again, one that was broken goes on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from sleepviewer.errors import TrainingError
from sleepviewer.files import atomic_writer
from sleepviewer.models.family import MemberName
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.training.config import TrainingConfig
from sleepviewer.training.data import TrainingSet, load_training_set, named_counts, stage_counts
from sleepviewer.training.environment import environment
from sleepviewer.training.folds import Fold, make_folds

CONFIG_FILE: Final = "config.toml"
DATA_FILE: Final = "data.json"
ENVIRONMENT_FILE: Final = "environment.json"

_POLL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class FoldTask:
    """One fold, as it is handed to another process: small, and its data named, not carried."""

    data: Path
    config: TrainingConfig
    fold: Fold
    folder: Path
    epoch_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Where a run is: folds done and in all, and the last pass of each fold under way (``metrics.jsonl``'s row)."""

    done: int
    folds: int
    running: dict[int, dict[str, Any]]
    passes: int
    """Passes of all folds that are behind, and ``passes_in_all`` how many there will be at most."""
    passes_in_all: int


Tell = Callable[[RunStatus], None]


def fold_folder(run: Path, index: int) -> Path:
    """Return the folder of a fold."""
    return run / "folds" / f"fold_{index:02d}"


def cross_validate(
    data_path: Path,
    config: TrainingConfig,
    run: Path,
    *,
    jobs: int = 1,
    dask: str | None = None,
    base_run: Path | None = None,
    tell: Tell = lambda _: None,
) -> None:
    """Train and test every fold of a data set, or those that a broken run in this folder has left.

    Parameters
    ----------
    data_path: folder of archives, or file of segments.
    config: the training's choices; a broken run must have been started with the same.
    run: the run's folder; made where it is not there.
    jobs: folds at the same time on this machine; the results do not depend on it.
    dask: address of a Dask scheduler whose workers see the same folders, instead of this machine.
    base_run: for a member with context, a finished run of the same member without it, whose epoch models are taken.
    tell: is told where the run is, from another thread.

    Raises TrainingError for folders of another run and data that can't be cut, OutputError where they can't be written.
    """
    data = load_training_set(data_path, Normalisation(config.normalisation))
    folds = make_folds(
        data.subjects, config.folds, order=config.order, validation_share=config.validation_share, seed=config.seed
    )
    _begin(run, data, config, folds)
    if base_run is not None:
        _check_base(base_run, run, config)
    del data  # the processes that train load their own
    tasks = [
        FoldTask(
            data_path.resolve(),
            config,
            fold,
            fold_folder(run.resolve(), fold.index),
            None if base_run is None else fold_folder(base_run.resolve(), fold.index),
        )
        for fold in folds
    ]
    with _watched(tasks, tell):
        _run(tasks, jobs, dask)


def run_fold(task: FoldTask) -> None:
    """Train one fold; what a worker process runs."""
    from sleepviewer.training.context_fold import train_context_fold
    from sleepviewer.training.fold import read_result, train_fold

    if read_result(task.folder) is not None:
        return
    data = load_training_set(task.data, Normalisation(task.config.normalisation))
    if MemberName.parse(task.config.model).context:
        train_context_fold(data, task.fold, task.config, task.folder, task.epoch_folder)
    else:
        train_fold(data, task.fold, task.config, task.folder)


def _run(tasks: list[FoldTask], jobs: int, dask: str | None) -> None:
    import joblib

    if dask is None:
        joblib.Parallel(n_jobs=jobs)(joblib.delayed(run_fold)(task) for task in tasks)
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise TrainingError("Dask is not installed; install SleepViewer with its extra “cluster”.") from error
    try:
        client = Client(dask, timeout="10s")
    except (OSError, ValueError) as error:
        raise TrainingError(f"There is no Dask scheduler at {dask} ({error}).") from error
    with client, joblib.parallel_config(backend="dask", wait_for_workers_timeout=30):
        joblib.Parallel()(joblib.delayed(run_fold)(task) for task in tasks)


def _begin(run: Path, data: TrainingSet, config: TrainingConfig, folds: tuple[Fold, ...]) -> None:
    """Write what the run is, or check that a broken one was the same."""
    facts = {
        "name": data.name,
        "epoch_s": data.shape.seconds,
        "rate_hz": data.shape.rate_hz,
        "n_epochs": data.n_epochs,
        "stages": named_counts(stage_counts(data.nights)),
        "folds": [
            {"fold": fold.index} | {part: list(getattr(fold, part)) for part in ("test", "validation", "train")}
            for fold in folds
        ],
        "nights": {night.name: night.subject for night in data.nights},
    }
    if (run / CONFIG_FILE).exists():
        before = TrainingConfig.read(run / CONFIG_FILE)
        if replace(before, threads=config.threads) != config:
            changed = [name for name, value in asdict(before).items() if value != getattr(config, name)]
            raise TrainingError(
                f"{run} holds a run with another “{changed[0]}”; give it the same settings, or choose another folder."
            )
        if json.loads((run / DATA_FILE).read_text(encoding="utf-8")) != facts:
            raise TrainingError(f"{run} holds a run on other data than these; choose another folder.")
        return
    try:
        run.mkdir(parents=True, exist_ok=True)
        if any(run.iterdir()):
            raise TrainingError(f"{run} holds other files; choose an empty folder for the run.")
    except OSError as error:
        raise TrainingError(f"The folder {run} can't be made: {error.strerror or error}.") from error
    for name, text in (
        (ENVIRONMENT_FILE, json.dumps(environment(config.device), indent=1) + "\n"),
        (DATA_FILE, json.dumps(facts, indent=1) + "\n"),
        (CONFIG_FILE, config.to_toml()),
    ):
        with atomic_writer(run / name) as file:
            file.write(text.encode())


def _check_base(base_run: Path, run: Path, config: TrainingConfig) -> None:
    """Raise TrainingError where the base run is not of the same member, folds and data, or not finished."""
    name = MemberName.parse(config.model)
    if not name.context:
        raise TrainingError(f"Only a model with context builds on another run, and “{config.model}” is none.")
    if not (base_run / CONFIG_FILE).exists():
        raise TrainingError(f"{base_run} is not the folder of a cross-validation.")
    base = TrainingConfig.read(base_run / CONFIG_FILE)
    if base.model != name.base or base.normalisation != config.normalisation:
        raise TrainingError(f"{base_run} holds a run of “{base.model}”, on which “{config.model}” can't build.")
    here, there = (json.loads((folder / DATA_FILE).read_text(encoding="utf-8")) for folder in (run, base_run))
    if here != there:
        raise TrainingError(f"{base_run} holds a run on other data or folds than {run}.")
    for fold in here["folds"]:
        if not (fold_folder(base_run, fold["fold"]) / "result.json").exists():
            raise TrainingError(f"Fold {fold['fold']} of {base_run} is not finished; finish that run first.")


@contextmanager
def _watched(tasks: list[FoldTask], tell: Tell) -> Iterator[None]:
    """Tell where the run is, every half second, by the files that the folds write wherever they run."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(_POLL_S):
            tell(status(tasks))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    tell(status(tasks))


def status(tasks: list[FoldTask]) -> RunStatus:
    """Read where a run is from its folder."""
    done, passes, in_all, running = 0, 0, 0, {}
    for task in tasks:
        own = MemberName.parse(task.config.model).context
        most = task.config.context_passes if own else task.config.passes
        rows = _rows(task.folder / "metrics.jsonl")
        finished = (task.folder / "result.json").exists()
        in_all += len(rows) if finished else most
        passes += len(rows)
        done += finished
        if rows and not finished:
            running[task.fold.index] = rows[-1]
    return RunStatus(done, len(tasks), running, passes, in_all)


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):  # not there yet, or a network folder that shows a file before its content
        return []
