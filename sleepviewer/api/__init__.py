"""The Python interface, for notebooks and scripts: ``import sleepviewer as sv`` has these names.

No Qt, and nothing is guessed in silence: what was assumed is in ``notes``, and what can't be done raises an error of
:mod:`sleepviewer.errors` with a sentence on what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from sleepviewer.analysis.agreement import agreement
from sleepviewer.analysis.errors import compare as compare_stages
from sleepviewer.analysis.statistics import night_statistics
from sleepviewer.api.laying import Scored, lay_both, scoring_from
from sleepviewer.api.values import Compared, Night, Review, Scoring, StatisticsTable, named_apart
from sleepviewer.archive import read_archive
from sleepviewer.errors import ChannelError, OutputError
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.recording import Recording, propose_scoring_channel
from sleepviewer.recording.units_told import parse_told
from sleepviewer.review.document import Base, Document
from sleepviewer.review.exporting import ExportOptions, Format, export_labels, format_of
from sleepviewer.review.night import Night as OpenNight
from sleepviewer.review.night import load_truth
from sleepviewer.review.opening import open_night
from sleepviewer.scoring.base import Progress
from sleepviewer.scoring.channels import choose_channels
from sleepviewer.scoring.registry import EngineInfo, EngineSpec, list_engines, make_engine
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import Stage

__all__ = [
    "Compared",
    "Night",
    "Review",
    "Scoring",
    "StatisticsTable",
    "compare",
    "engines",
    "export",
    "open",
    "read_hypnogram",
    "read_review",
    "score",
    "simulate",
    "statistics",
]

_Path = str | PathLike[str]


def open(  # noqa: A001  (sv.open says what it does)
    path: _Path,
    *,
    truth: _Path | None = None,
    units: Mapping[str, str] | None = None,
    read_as: str | None = None,
    look_beside: bool = True,
) -> Night:
    """Open a recording of any known format, with the expert's hypnogram; only its header is read.

    Parameters
    ----------
    path: a recording of any format in :data:`sleepviewer.recording.formats.FORMATS`.
    truth: the expert's hypnogram; otherwise one is looked for by its name, if ``look_beside``.
    units: units of channels for which the file gives none or a wrong one, like ``{"EEG C4": "mV"}``.
    read_as: how to read a hypnogram that can be read in two ways (``aasm``, ``r-and-k`` …).

    Trouble with a hypnogram that was only found is a note. Raises RecordingError, ChannelError for units that can't be,
    HypnogramError (AmbiguousHypnogramError asks for ``read_as``) and AlignmentError for a truth that was named.
    """
    told = [parse_told(f"{label}={unit}") for label, unit in (units or {}).items()]
    named = None if truth is None else Path(fspath(truth))
    opened = open_night(
        Path(fspath(path)), truth_path=named, look_beside=look_beside, reviews=False, units=told, reading=read_as
    )
    expert = None if opened.document.truth is None else Scoring(opened.document.truth)
    return Night(opened.recording, expert, opened.channel, opened.notes, opened.truth_path)


def score(
    night: Night | Recording | _Path,
    *,
    engine: str | None = None,
    channel: str | None = None,
    eog: str | None = None,
    emg: str | None = None,
    eeg_only: bool = False,
    score_unusable: bool = False,
    weights: _Path | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Scoring:
    """Have a model score a night; as ``sleepviewer score``, in this process.

    Parameters
    ----------
    night: what :func:`open` gave, a ``Recording``, or a path.
    engine: one of :func:`engines`; by default the model that ``weights`` holds, else the program's default.
    channel, eog, emg: labels of channels; those that are not given are proposed from the names, EOG and EMG where the
        engine uses them.
    eeg_only: use the EEG alone.
    score_unusable: score epochs with an unusable signal as well.
    weights: a file of weights (safetensors, or a checkpoint of the AttnSleep code).
    progress: called with the share done and a word on what is being done.

    Raises EngineError, ChannelError, CheckpointError, RecordingError.
    """
    if isinstance(night, (str, PathLike)):
        with open(night, look_beside=False) as opened:
            return score(
                opened,
                engine=engine,
                channel=channel,
                eog=eog,
                emg=emg,
                eeg_only=eeg_only,
                score_unusable=score_unusable,
                weights=weights,
                progress=progress,
            )
    recording = night.recording if isinstance(night, Night) else night
    eeg = channel or (night.channel if isinstance(night, Night) else propose_scoring_channel(recording))
    if eeg is None:
        there = ", ".join(c.label for c in recording.channels) or "none"
        raise ChannelError(f"No EEG channel of {recording.name} was recognised; name one with channel= ({there}).")

    def tell(done: Progress) -> None:
        if progress is not None:
            progress(done.fraction, done.message)

    spec = replace(_spec(engine, weights), score_unusable=score_unusable)
    channels = choose_channels(recording, spec, eeg, eog=eog, emg=emg, eeg_only=eeg_only)
    prediction = make_engine(spec).score(recording, channels, tell)
    return Scoring(Hypnogram(prediction.stages, recording.start, recording.name), prediction)


def compare(truth: Scored, other: Scored, *, read_as: str | None = None, read_other_as: str | None = None) -> Compared:
    """Compare two scorings of a night; ``truth`` is what counts as right where the two are not symmetric.

    Either is what :func:`score` or :func:`read_hypnogram` gave, a ``Hypnogram``, a ``Prediction``, an array of stages
    (numbers -1 to 4, or words), or a path to a hypnogram of any format or an archive. The second is laid on the first
    by clock time where both have one, otherwise they are taken to start together; ``notes`` say so. Probabilities come
    along where both lie on the same epochs.

    Raises AlignmentError where no epoch is scored by both, HypnogramError and ArchiveError for files.
    """
    first, second, notes = lay_both(truth, other, read_as, read_other_as)
    return Compared(
        first,
        second,
        agreement(first.stages, second.stages),
        compare_stages(
            first.stages, second.stages, proba=second.proba, night=first.hypnogram.source, start=first.start
        ),
        notes,
    )


def read_hypnogram(path: _Path, night: Night | Recording | None = None, *, read_as: str | None = None) -> Scoring:
    """Read a hypnogram of any format, or the labels of an archive; with a ``night``, laid on its epochs by clock time.

    Raises HypnogramError (AmbiguousHypnogramError asks for ``read_as``), ArchiveError, AlignmentError.
    """
    if night is None:
        return scoring_from(path, read_as)
    recording = night.recording if isinstance(night, Night) else night
    return Scoring(load_truth(recording, Path(fspath(path)), read_as))


def read_review(path: _Path) -> Review:
    """Read a saved review, or any other scoring archive (npz). Raises ArchiveError."""
    path = Path(fspath(path))
    return Review(read_archive(path), path)


def statistics(*scorings: Scored, lights_off: int | None = None, lights_on: int | None = None) -> StatisticsTable:
    """Return the night's figures (TST, SE, WASO, latencies, stages …) of one or more scorings, side by side.

    Each is anything that :func:`compare` takes. ``lights_off`` is the first epoch that counts, from 0, ``lights_on``
    the first one that does not any more. Raises HypnogramError and ArchiveError for files.
    """
    named = named_apart(scoring_from(value, name=f"scoring {place}") for place, value in enumerate(scorings, start=1))
    return StatisticsTable(
        {
            name: night_statistics(scoring.stages, lights_off=lights_off, lights_on=lights_on)
            for name, scoring in named.items()
        }
    )


def export(
    night: Night | Recording | _Path,
    labels: Scored,
    out: _Path,
    *,
    format: str | None = None,  # noqa: A002  (named as the command's option)
    channel: str | None = None,
    trim_wake_min: float | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write labels for training, with the night's signal, or as a hypnogram; return the file's line of a manifest.

    Parameters
    ----------
    night: the recording whose signal and clock are taken.
    labels: anything that :func:`compare` takes; laid on the night by clock time where it has one.
    out: its ending is that of a format that is written. Never the recording, the expert's hypnogram, or a review with
        corrections that would be lost.
    format: one of :func:`sleepviewer.review.exporting.export_formats` (``attnsleep``, ``archive``, ``edf`` …); by
        default what the name's ending says.
    channel: whose signal goes into an npz; proposed where it is not said.
    trim_wake_min: keep so many minutes of wake around sleep (npz only).
    overwrite: write over a file that is there.

    Raises OutputError, ChannelError, AlignmentError, RecordingError.
    """
    if isinstance(night, (str, PathLike)):
        with open(night) as opened:
            return export(
                opened,
                labels,
                out,
                format=format,
                channel=channel,
                trim_wake_min=trim_wake_min,
                overwrite=overwrite,
            )
    if isinstance(night, Recording):
        night = Night(night, channel=propose_scoring_channel(night))
    path = Path(fspath(out))
    if path.exists() and not overwrite:
        raise OutputError(f"{path} is there already and was not written over; choose another name, or overwrite=True.")
    options = ExportOptions(format_of(path) if format is None else _format(format), trim_wake_min=trim_wake_min)
    return export_labels(_with_labels(night, labels, channel), path, options=options, replace=overwrite)


def engines() -> tuple[EngineInfo, ...]:
    """Return the models that can score, the default one first, each with its card."""
    return list_engines()


def simulate(path: _Path, *, hours: float = 8.0, seed: int = 0) -> Path:
    """Write a simulated night and its hypnogram beside it, to try things on; return the recording's path.

    ``path`` is a file name ending in ``.edf``, or a folder. Raises OutputError where it can't be written.
    """
    return simulate_night(Path(fspath(path)), hours=hours, seed=seed).psg_path


def _spec(engine: str | None, weights: _Path | None) -> EngineSpec:
    if weights is None:
        return EngineSpec() if engine is None else EngineSpec(engine)
    from sleepviewer.models.shipped import member_of

    path = Path(fspath(weights))
    return EngineSpec(member_of(path) if engine is None else engine, path)


def _format(name: str) -> Format:
    try:
        return Format(name)
    except ValueError as error:
        raise OutputError(f"{error}.") from error


def _with_labels(night: Night, labels: Scored, channel: str | None) -> OpenNight:
    """Return a night as the program opens it, whose labels that count are these."""
    recording = night.recording
    on_night, laid, notes = lay_both(_nothing_on(recording), labels)
    document = Document(len(on_night), scorer=laid.hypnogram.scorer)
    if laid.prediction is not None:
        if night.truth is not None:
            document.set_truth(night.truth.hypnogram)
        document.set_prediction(laid.prediction)
        document.set_base(Base.MODEL)
    else:
        document.set_truth(laid.hypnogram)
    eeg = night.channel if channel is None else recording.channel(channel).label
    sources = labels if isinstance(labels, (str, PathLike)) else night.truth_path
    return OpenNight(
        recording, document, eeg, truth_path=None if sources is None else Path(fspath(sources)), notes=notes
    )


def _nothing_on(recording: Recording) -> Hypnogram:
    """Return a hypnogram of a recording's epochs on which nothing is said."""
    unscored = np.full(recording.n_epochs, int(Stage.UNKNOWN), dtype=np.int8)
    return Hypnogram(unscored, recording.start, recording.name)
