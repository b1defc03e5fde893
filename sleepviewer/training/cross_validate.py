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

from sleepviewer.cluster import dask_client
from sleepviewer.errors import OutputError, TrainingError
from sleepviewer.files import atomic_writer
from sleepviewer.models.family import MemberName
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.training.config import TrainingConfig
from sleepviewer.training.data import TrainingSet, fingerprint, load_training_set, named_counts, stage_counts
from sleepviewer.training.environment import environment
from sleepviewer.training.folds import EPOCH_MODEL, Fold, make_folds

CONFIG_FILE: Final = "config.toml"
DATA_FILE: Final = "data.json"
ENVIRONMENT_FILE: Final = "environment.json"

_OWN_FILES: Final = frozenset({CONFIG_FILE, DATA_FILE, ENVIRONMENT_FILE})
_POLL_S: Final = 0.5

_ONE_AT_A_TIME: Final = threading.Lock()
"""Random numbers are torch's, of the whole process: threads of one worker must take turns."""


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
    begin(run, data, config, folds)
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
    with watched(tasks, tell):
        _run(tasks, jobs, dask)


def run_fold(task: FoldTask, data: TrainingSet | None = None) -> None:
    """Train one fold, on data that are loaded where they are not given; what a worker process runs."""
    from sleepviewer.training.context_fold import train_context_fold
    from sleepviewer.training.fold import read_result, train_fold

    if read_result(task.folder) is not None:
        return
    with _ONE_AT_A_TIME:
        if data is None:
            data = load_training_set(task.data, Normalisation(task.config.normalisation))
        if MemberName.parse(task.config.model).context:
            train_context_fold(data, task.fold, task.config, task.folder, task.epoch_folder)
        else:
            train_fold(data, task.fold, task.config, task.folder)


def _run(tasks: list[FoldTask], jobs: int, dask: str | None) -> None:
    import joblib
    from joblib.externals.loky.process_executor import BrokenProcessPool

    if dask is not None:
        _run_on_dask(tasks, dask)
        return
    try:
        joblib.Parallel(n_jobs=jobs)(joblib.delayed(run_fold)(task) for task in tasks)
    except BrokenProcessPool as error:
        raise TrainingError(
            "A process that trained a fold was ended from outside (is there enough memory?); what it had is kept, and"
            " the same command goes on from there, with fewer --jobs if need be."
        ) from error


def _run_on_dask(tasks: list[FoldTask], address: str) -> None:
    import joblib

    with dask_client(address, TrainingError) as client:
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        try:
            with joblib.parallel_config(backend="dask", client=client):
                joblib.Parallel()(joblib.delayed(run_fold)(task) for task in tasks)
        except (KilledWorker, CommClosedError, TimeoutError) as error:
            raise TrainingError(
                f"The Dask cluster at {address} lost its workers; what they had is kept, and the same command goes on"
                " from there."
            ) from error


def begin(run: Path, data: TrainingSet, config: TrainingConfig, folds: tuple[Fold, ...]) -> None:
    """Write what a run is into its folder, or check that a broken one there was the same.

    Raises TrainingError where it was not, OutputError where the folder can't be written.
    """
    split = [
        {"fold": fold.index} | {part: list(getattr(fold, part)) for part in ("test", "validation", "train")}
        for fold in folds
    ]
    facts = {
        "name": data.name,
        "epoch_s": data.shape.seconds,
        "rate_hz": data.shape.rate_hz,
        "n_epochs": data.n_epochs,
        "stages": named_counts(stage_counts(data.nights)),
        **({"folds": split} if any(fold.test for fold in folds) else {"split": split[0]}),
        "nights": {night.name: night.subject for night in data.nights},
        "sha256": fingerprint(data),
    }
    if (run / CONFIG_FILE).exists():
        before = TrainingConfig.read(run / CONFIG_FILE)
        if replace(before, threads=config.threads) != config:
            changed = [name for name, value in asdict(before).items() if value != getattr(config, name)]
            raise TrainingError(
                f"{run} holds a run with another “{changed[0]}”; give it the same settings, or choose another folder."
            )
        there = _facts(run)
        if ("folds" in there) != ("folds" in facts):
            raise TrainingError(
                f"{run} holds a training of another kind (a cross-validation, or a model alone); choose another folder."
            )
        if not _same_facts(there, facts):
            raise TrainingError(f"{run} holds a run on other data than these; choose another folder.")
        return
    try:
        run.mkdir(parents=True, exist_ok=True)
        if any(path.name not in _OWN_FILES and path.suffix != ".part" for path in run.iterdir()):
            raise TrainingError(f"{run} holds other files; choose an empty folder for the run.")
    except OSError as error:
        raise OutputError(f"The folder {run} can't be made: {error.strerror or error}.") from error
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
    here, there = _facts(run), _facts(base_run)
    if not _same_facts(there, here):
        raise TrainingError(f"{base_run} holds a run on other data or folds than {run}.")
    for fold in here["folds"]:
        if not (fold_folder(base_run, fold["fold"]) / "result.json").exists():
            raise TrainingError(f"Fold {fold['fold']} of {base_run} is not finished; finish that run first.")


def _facts(run: Path) -> dict[str, Any]:
    path = run / DATA_FILE
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} can't be read ({error}); choose another folder for the run.") from error
    if not isinstance(facts, dict):
        raise TrainingError(f"{path} is damaged; choose another folder for the run.")
    return facts


def _same_facts(there: dict[str, Any], here: dict[str, Any]) -> bool:
    """Compare the facts of two runs; those that do not tell the data's hash are compared by all else."""
    return {"sha256": here.get("sha256")} | there == {"sha256": there.get("sha256")} | here


@contextmanager
def watched(tasks: list[FoldTask], tell: Tell) -> Iterator[None]:
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
        for folder, most in _trainings(task):
            rows = _rows(folder / "metrics.jsonl")
            finished = (folder / "result.json").exists()
            in_all += len(rows) if finished else most
            passes += len(rows)
            if rows:
                running[task.fold.index] = rows[-1]
        if (task.folder / "result.json").exists():
            done += 1
            running.pop(task.fold.index, None)
    return RunStatus(done, len(tasks), running, passes, in_all)


def _trainings(task: FoldTask) -> list[tuple[Path, int]]:
    """Return the folder and the most passes of each training that a fold takes, in their order."""
    if not MemberName.parse(task.config.model).context:
        return [(task.folder, task.config.passes)]
    own = [(task.folder, task.config.context_passes)]
    return own if task.epoch_folder is not None else [(task.folder / EPOCH_MODEL, task.config.passes), *own]


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):  # not there yet, or a network folder that shows a file before its content
        return []
