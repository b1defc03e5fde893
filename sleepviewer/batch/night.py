"""One night of a batch, scored in the process that this runs in; the engine stays warm there for the nights to come."""

from __future__ import annotations

import glob
import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

import sleepviewer
from sleepviewer.analysis.agreement import agreement
from sleepviewer.analysis.review_plan import Evidence, Work, plan_review
from sleepviewer.analysis.statistics import flat_statistics, night_statistics
from sleepviewer.archive.archive import ScoringArchive, read_meta, write_archive
from sleepviewer.batch.manifest import Line
from sleepviewer.batch.planning import Job, Wanted, truth_names
from sleepviewer.errors import AlignmentError, ArchiveError, ChannelError, OutputError, SleepViewerError
from sleepviewer.memory import keep_freed_memory
from sleepviewer.recording.base import FileStamp
from sleepviewer.review.document import Base
from sleepviewer.review.night import Night, set_truth_from
from sleepviewer.review.opening import open_night
from sleepviewer.review.review_queue import DEFAULT_BUDGET
from sleepviewer.review.saving import check_not_source, make_archive
from sleepviewer.scoring.base import Engine, Prediction
from sleepviewer.scoring.channels import choose_channels
from sleepviewer.scoring.worker import limit_threads
from sleepviewer.stages import SCORED_STAGES

_STATISTICS: Final = ("trt_min", "tst_min", "se_percent", "sol_min", "rem_latency_min", "waso_min")

_ONE_AT_A_TIME: Final = threading.Lock()
"""A model fits itself to the night that it scores: threads of one process must take turns."""

_WARM: Final[dict[object, Engine]] = {}
"""The engine that this process scored with last, by what it was made of."""


def score_night(job: Job, wanted: Wanted) -> Line:
    """Score a night, write its archive, and return its line of the manifest; what a worker process runs.

    Nothing is raised: a night that can't be scored has ``failed``, a sentence, in its line. A line with ``kept`` says
    that the recording is the one that was scored before, under another stamp.
    """
    started = time.perf_counter()
    line: Line = {"night": job.night, "path": _relative(job.path, wanted.out)}
    with suppress(OSError):
        stamp = FileStamp.of(job.path)
        line |= {"size": stamp.size, "mtime_ns": stamp.mtime_ns}
    line |= {"engine": wanted.spec.id, "asked": wanted.asked}
    with _ONE_AT_A_TIME:
        try:
            line |= _scored(job, wanted)
        except SleepViewerError as error:
            line["failed"] = str(error)
        except Exception as error:  # whatever is wrong with one night must not cost the others
            line["failed"] = f"{job.path.name} made SleepViewer stumble ({type(error).__name__}: {error}); report it."
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return line | {
        "seconds": round(time.perf_counter() - started, 3),
        "finished": now,
        "software": f"SleepViewer {sleepviewer.__version__}",
    }


def lost_line(job: Job, wanted: Wanted) -> Line:
    """Return the line of a night whose process was ended from outside, also when it was alone."""
    sentence = (
        f"The process that scored {job.path.name} was ended from outside more than once; is there enough memory, and"
        " is the recording whole?"
    )
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {
        "night": job.night,
        "path": _relative(job.path, wanted.out),
        "engine": wanted.spec.id,
        "asked": wanted.asked,
        "failed": sentence,
        "finished": now,
    }


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()


def _scored(job: Job, wanted: Wanted) -> Line:
    night = open_night(job.path, look_beside=not wanted.truth_patterns, reviews=False)
    try:
        sha256 = night.sha256
        if job.known_sha256 and sha256 == job.known_sha256:
            return {"kept": True}
        target = wanted.out / job.file
        check_not_source(night, target)
        _check_free(target, sha256, may_replace=wanted.replace or job.listed)
        if wanted.truth_patterns:
            _use_named_truth(night, wanted.truth_patterns)
        prediction = _predict(night, wanted)
        _write(night, target, signal=wanted.signal)
        return _facts(night, prediction, wanted) | {"sha256": sha256, "file": job.file}
    finally:
        night.recording.close()


def _check_free(target: Path, sha256: str, *, may_replace: bool) -> None:
    """Raise OutputError where something lies there that is not to be lost: above all somebody's corrections."""
    if not (target.exists() or target.is_symlink()):
        return
    try:
        meta = read_meta(target) or {}
    except ArchiveError:
        meta = {}
    if meta.get("edits"):
        raise OutputError(f"{target} holds corrections and was not written over; move it away to score again.")
    recording = meta.get("recording")
    same = isinstance(recording, dict) and recording.get("sha256") == sha256
    if not (may_replace or same):
        raise OutputError(f"{target} is there already and is not of this batch; move it away, or use --overwrite.")


def _use_named_truth(night: Night, patterns: tuple[str, ...]) -> None:
    """Use the reference hypnogram that a pattern names; what is wrong with it is a note."""
    path = _named_truth(night, patterns)
    if path is None:
        return
    try:
        set_truth_from(night, path)
    except SleepViewerError as error:
        night.notes += (f"{path.name} was found but not compared with: {error}",)


def _named_truth(night: Night, patterns: tuple[str, ...]) -> Path | None:
    recording = night.recording.path
    for name in truth_names(recording, patterns):
        found = sorted(glob.glob(f"{glob.escape(str(recording.parent))}/{name}"))  # noqa: PTH207  (may lead elsewhere)
        if len(found) == 1:
            return Path(found[0])
        if found:
            night.notes += (f"{len(found)} files are called {name}, so none was compared with.",)
            return None
    night.notes += (f"There is no {' or '.join(patterns)} of {recording.name}.",)
    return None


def _predict(night: Night, wanted: Wanted) -> Prediction:
    eeg = wanted.channel or night.channel
    if eeg is None:
        there = ", ".join(channel.label for channel in night.recording.channels)
        raise ChannelError(
            f"No EEG channel of {night.recording.name} was recognised; name one with --channel ({there})."
        )
    night.channel = eeg
    engine = _engine(wanted)
    channels = choose_channels(
        night.recording, wanted.spec, eeg, eog=wanted.eog, emg=wanted.emg, eeg_only=wanted.eeg_only
    )
    prediction = engine.score(night.recording, channels)
    night.document.set_prediction(prediction)
    night.document.set_base(Base.MODEL)
    return prediction


def _engine(wanted: Wanted) -> Engine:
    """Return the engine of this process, made anew where another is asked for or its file of weights has changed."""
    limit_threads()
    keep_freed_memory()
    spec = wanted.spec
    stamp = None
    if spec.weights is not None:
        with suppress(OSError):
            stamp = FileStamp.of(spec.weights)
    key = (wanted.make, spec, stamp)
    if key not in _WARM:
        _WARM.clear()  # one model's memory at a time
        _WARM[key] = wanted.make(spec)
    return _WARM[key]


def _write(night: Night, target: Path, *, signal: bool) -> None:
    archive: ScoringArchive
    try:
        archive = make_archive(night, signal=signal)
    except ChannelError as error:
        night.notes += (f"The archive has no signal, which training needs: {error}",)
        archive = make_archive(night, signal=False)
    night.recording.check_unchanged()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {target.parent} can't be made: {error.strerror or error}.") from error
    write_archive(target, archive)


def _facts(night: Night, prediction: Prediction, wanted: Wanted) -> Line:
    stages = prediction.stages
    statistics = flat_statistics(night_statistics(stages))
    return {
        "engine": wanted.spec.id,
        "engine_version": prediction.engine_version,
        "weights_sha256": prediction.weights_sha256,
        "channels": list(prediction.channels),
        "device": prediction.device,
        "n_epochs": len(prediction),
        "stages": {stage.label: int(np.count_nonzero(stages == stage)) for stage in SCORED_STAGES},
        **{name: None if statistics[name] is None else round(float(statistics[name] or 0), 2) for name in _STATISTICS},
        "truth": None if night.truth_path is None else _relative(night.truth_path, wanted.out),
        "agreement": _agreement(night),
        "to_review": share_to_review(prediction),
        "scoring_s": round(prediction.seconds, 3),
        "notes": [*night.notes, *prediction.notes],
    }


def _agreement(night: Night) -> dict[str, Any] | None:
    truth, prediction = night.document.truth, night.document.prediction
    if truth is None or prediction is None:
        return None
    try:
        found = agreement(truth.stages, prediction.stages).as_dict()
    except AlignmentError as error:
        night.notes += (str(error),)
        return None
    return {name: found[name] for name in ("kappa", "accuracy", "macro_f1", "f1", "epochs")}


def share_to_review(prediction: Prediction) -> float | None:
    """Return the share of a night to review, most uncertain first, until κ is expected to be 0.90.

    None where nothing was scored, or no agreement can be expected because the night is unlike those that the engine was
    validated on. It rests on the model's probabilities alone (see :mod:`sleepviewer.analysis.review_plan`), so that
    nights compare.
    """
    if prediction.unvalidated:
        return None
    nobody = np.zeros(len(prediction), dtype=bool)
    found = plan_review(Evidence(prediction.proba), prediction.stages, nobody, DEFAULT_BUDGET, Work(1.0))
    return round(found.stop / found.total, 4) if found.total else None
