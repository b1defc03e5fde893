"""``sleepviewer score``: a night scored without a window, and how well that agrees with an expert."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sleepviewer.cli.answers import notes_of, reading_option, unit_option
from sleepviewer.cli.compare import agreement_text
from sleepviewer.cli.options import (
    PATH,
    TableOption,
    check_out,
    endings_text,
    json_option,
    label_endings,
    overwrite_option,
    print_json,
    tell,
    truth_option,
)
from sleepviewer.cli.score_many import Asked, are_many, batch_options, refuse_for_one, score_many
from sleepviewer.errors import AlignmentError, ChannelError

if TYPE_CHECKING:
    from sleepviewer.recording import ToldUnit
    from sleepviewer.review.night import Night
    from sleepviewer.scoring.base import ChannelChoice, Prediction
    from sleepviewer.scoring.registry import EngineSpec


def _engine_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from sleepviewer.scoring.registry import engine_ids

    if value not in engine_ids():
        raise click.BadParameter(f"“{value}” is not one of {', '.join(engine_ids())}")
    return value


@click.command(short_help="Score a night, or many, without a window.")
@click.argument("nights", metavar="NIGHT…", type=PATH, nargs=-1, required=True)
@click.option(
    "--engine",
    callback=_engine_name,
    help="Who scores (“models” lists them; default: the model that --weights holds, else the first of the list).",
)
@click.option("--weights", type=PATH, help="Weights of a model: safetensors, or a checkpoint of the AttnSleep code.")
@click.option("--channel", help="EEG channel to score (default: proposed from the names; “info” shows it).")
@click.option("--eog", help="EOG channel to give the engine as well (default: proposed, where the engine uses one).")
@click.option("--emg", help="EMG channel to give the engine as well (as --eog).")
@click.option("--eeg-only", is_flag=True, help="Give the engine the EEG alone.")
@click.option("--score-unusable", is_flag=True, help="Score epochs with an unusable signal as well.")
@truth_option
@unit_option
@reading_option
@click.option(
    "--out",
    type=PATH,
    required=True,
    cls=TableOption,
    help_text=lambda: (
        f"File to write: {endings_text(label_endings())} (npz with all probabilities); of many nights, a folder."
    ),
)
@batch_options
@overwrite_option
@json_option
def score(
    nights: tuple[Path, ...],
    engine: str | None,
    weights: Path | None,
    channel: str | None,
    eog: str | None,
    emg: str | None,
    eeg_only: bool,
    score_unusable: bool,
    truth: Path | None,
    units: tuple[ToldUnit, ...],
    reading: str | None,
    out: Path,
    overwrite: bool,
    as_json: bool,
    **of_batch: Any,
) -> None:
    """Score a night and write the stages; with a truth, also say how well they agree.

    \b
    One night:
        sleepviewer score night.edf --truth expert.edf --out scored.npz
    All nights of a folder and the folders in it, with a manifest:
        sleepviewer score recordings --out scored --jobs 4

    Of many nights (a folder, a pattern like "nights/*.edf", or several names), one that fails does not stop the others:
    it is a line of the manifest, and the exit code is 3.
    """  # noqa: D301  (\b is click's mark for text that must not be re-wrapped)
    if eeg_only and (eog or emg):
        raise click.UsageError("--eeg-only does not go with --eog or --emg")
    spec = replace(_engine_spec(engine, weights), score_unusable=score_unusable)
    wanted = Asked(nights, out, spec, channel, eog, emg, eeg_only, overwrite, as_json)
    if are_many(nights):
        if truth is not None:
            raise click.UsageError("--truth names one night's hypnogram; many nights take --truth-pattern")
        if units or reading:
            raise click.UsageError("--unit and --read-as go with one night; score such nights by themselves")
        score_many(wanted, **of_batch)
        return
    refuse_for_one(**of_batch)
    _score_one(wanted, truth, units, reading)


def _score_one(wanted: Asked, truth: Path | None, units: tuple[ToldUnit, ...], reading: str | None) -> None:
    from sleepviewer.review.document import Base
    from sleepviewer.review.exporting import check_export_path, export_labels
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.saving import save_review
    from sleepviewer.scoring.channels import choose_channels

    (night,), out, overwrite = wanted.nights, wanted.out, wanted.overwrite
    check_out(out, night, truth, wanted.spec.weights, endings=label_endings(), overwrite=overwrite)
    opened = open_night(night, truth_path=truth, reviews=False, units=units, reading=reading)
    opened.notes = notes_of(opened)
    if truth is None and opened.truth_path is not None:
        opened.notes += (f"Compared with {opened.truth_path.name}, found beside the recording.",)
    elif opened.document.truth is not None and (opened.document.truth.stages < 0).all():
        raise AlignmentError(f"{truth} scores no epoch of {night.name}, so there is nothing to compare with.")
    check_export_path(opened, out, replace=overwrite)
    eeg = wanted.channel or opened.channel
    if eeg is None:
        there = ", ".join(c.label for c in opened.recording.channels)
        raise ChannelError(f"No EEG channel of {night.name} was recognised; name one with --channel ({there}).")
    opened.channel = eeg
    channels = choose_channels(
        opened.recording, wanted.spec, eeg, eog=wanted.eog, emg=wanted.emg, eeg_only=wanted.eeg_only
    )
    prediction = run_engine(opened, wanted.spec, channels)
    opened.document.set_prediction(prediction)
    opened.document.set_base(Base.MODEL)
    check_out(out, overwrite=overwrite)  # somebody may have saved there while the night was scored
    check_export_path(opened, out, replace=overwrite)
    if out.suffix.lower() == ".npz":
        save_review(opened, out, replace=True)
    else:
        export_labels(opened, out, replace=overwrite)
    agreement = agreement_of(opened)
    tell((*opened.notes, *prediction.notes))
    result = {**scoring_summary(opened, prediction), "out": str(out), **agreement}
    if wanted.as_json:
        print_json(result)
    else:
        click.echo(scoring_text(result))


def _engine_spec(engine: str | None, weights: Path | None) -> EngineSpec:
    """Return the engine that is asked for: by name, by the model that the weights hold, or the default one."""
    from sleepviewer.models.shipped import member_of
    from sleepviewer.scoring.registry import EngineSpec, list_engines

    if weights is None:
        return EngineSpec() if engine is None else EngineSpec(engine)
    if engine is None:
        return EngineSpec(member_of(weights), weights)
    if not next(info for info in list_engines() if info.id == engine).takes_weights:
        raise click.UsageError(f"--weights does not go with --engine {engine}, which has its own")
    return EngineSpec(engine, weights)


def run_engine(night: Night, spec: EngineSpec, channels: ChannelChoice) -> Prediction:
    """Have a night scored, with the progress on stderr where that is a terminal."""
    from sleepviewer.scoring.base import Progress
    from sleepviewer.scoring.registry import make_engine

    def tell(progress: Progress) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{progress.fraction:4.0%} {progress.message:<30}", nl=progress.fraction >= 1, err=True)

    return make_engine(spec).score(night.recording, channels, tell)


def scoring_summary(night: Night, prediction: Prediction) -> dict[str, Any]:
    """Return who scored what and how many epochs of each stage there are, as JSON-ready values."""
    from sleepviewer.stages import Stage

    stages = prediction.stages
    return {
        "night": str(night.recording.path),
        "engine": prediction.engine,
        "engine_version": prediction.engine_version,
        "weights_sha256": prediction.weights_sha256,
        "channels": list(prediction.channels),
        "device": prediction.device,
        "seconds": round(prediction.seconds, 3),
        "n_epochs": len(prediction),
        "stages": {stage.label: int((stages == stage).sum()) for stage in Stage},
        "notes": [*night.notes, *prediction.notes],
    }


def agreement_of(night: Night) -> dict[str, Any]:
    """Return how well a night's scoring agrees with its truth; nothing where there is none, or a note on why not."""
    from sleepviewer.analysis.agreement import agreement

    truth, prediction = night.document.truth, night.document.prediction
    if truth is None or prediction is None:
        return {}
    try:
        return agreement(truth.stages, prediction.stages).as_dict()
    except AlignmentError as error:
        night.notes += (str(error),)
        return {}


def scoring_text(result: dict[str, Any]) -> str:
    """Return the summary, and the agreement where there is one, in lines to read."""
    stages = ", ".join(f"{stage} {count}" for stage, count in result["stages"].items() if count)
    lines = [
        f"{result['engine']} {result['engine_version']} on {', '.join(result['channels'])}: "
        f"{result['n_epochs']} epochs in {result['seconds']:.1f} s ({stages})"
    ]
    if "kappa" in result:
        lines.append(agreement_text(result))
    if result["out"]:
        lines.append(f"written to {result['out']}")
    return "\n".join(lines)
