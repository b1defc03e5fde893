"""The ``sleepviewer`` command: all that the window does, without a window.

Exit codes: 0 well, 2 wrong use, 1 trouble that has a name (one sentence on stderr), 70 an error of the program (one
sentence that names the log; ``--debug`` before the command shows the traceback as well). With ``--json`` stdout holds
one JSON object and nothing else; progress and notes go to stderr.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sleepviewer import __version__
from sleepviewer.errors import AlignmentError, ArchiveError, ChannelError, OutputError, RecordingError, SleepViewerError

if TYPE_CHECKING:
    from sleepviewer.review.night import Night
    from sleepviewer.scoring.base import ChannelChoice, Prediction
    from sleepviewer.scoring.registry import EngineSpec

_DEMO_EPOCH = 181


class _Program(click.Group):
    """Takes ``sleepviewer NIGHT`` for ``sleepviewer view NIGHT``, and turns the project's errors into sentences."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = [arg for arg in args[:1] if arg == "--debug"]
        rest = args[len(own) :]
        if (
            not rest
            or (rest[0] not in self.commands and not rest[0].startswith("-"))
            or rest[0].partition("=")[0] in _VIEW_OPTIONS
        ):
            rest = ["view", *rest]
        return super().parse_args(ctx, [*own, *rest])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SleepViewerError as error:
            click.echo(f"sleepviewer: {error}", err=True)
            ctx.exit(1)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from sleepviewer.cli.bugs import EXIT_OF_A_BUG, sentence_on

            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # who read our output has gone; click ends quietly
            click.echo(f"sleepviewer: {sentence_on(error, ctx)}", err=True)
            ctx.exit(EXIT_OF_A_BUG)


_VIEW_OPTIONS = ("--truth", "--labels", "--screenshot", "--epoch", "--size", "--theme")

_path = click.Path(path_type=Path)
_overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Write over a file that is there (never over the night's own)."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
_truth_option = click.option(
    "--truth", type=_path, help="The expert's hypnogram (found by its name where it lies beside)."
)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sleepviewer")
@click.option("--debug", is_flag=True, help="Show the traceback of an error of the program (also SLEEPVIEWER_DEBUG=1).")
def main(debug: bool) -> None:
    """Score an overnight EEG, review it beside the expert's hypnogram, correct it, export it.

    \b
    Look at a night (EDF, EDF+, BDF, BrainVision, FIF, EEGLAB, GDF):
        sleepviewer night.edf
    Score it without a window, and see how well that agrees with an expert:
        sleepviewer score night.edf --truth expert.edf --out scored.npz
    Go through what the model is unsure of (S scores, U goes to the next, W 1 2 3 R correct, ? shows all keys):
        sleepviewer night.edf --labels scored.npz
    Write a training set that AttnSleep's loader reads:
        sleepviewer export night.edf --labels scored.npz --out train.npz --trim-wake 30
    Nothing at hand? A simulated night:
        sleepviewer demo
    """  # noqa: D301  (\b is click's mark for text that must not be re-wrapped)


def _size(_: click.Context, __: click.Parameter, value: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in value.lower().split("x"))
    except ValueError as error:
        raise click.BadParameter(f"“{value}” is no size like 1366x768") from error
    if not (640 <= width <= 7680 and 480 <= height <= 4320):
        raise click.BadParameter("a size lies between 640x480 and 7680x4320")
    return width, height


def _timebase(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of a page, None for the whole night."""
    from sleepviewer.display.timebase import TIMEBASES, USUAL, text_of

    if value is None:
        return USUAL
    found = next((t for t in TIMEBASES if value.lower() in (text_of(t), "night" if t is None else f"{t:g}")), -1.0)
    if found == -1.0:
        known = ", ".join("night" if t is None else f"{t:g}" for t in TIMEBASES)
        raise click.BadParameter(f"“{value}” is not one of {known}")
    return found


@main.command(short_help="Open a night in the window (“view” may be left out).")
@click.argument("night", type=_path, required=False)
@_truth_option
@click.option("--labels", type=_path, help="A saved review (npz) to take up again.")
@click.option("--epoch", type=click.IntRange(min=1), help="Epoch to show, counted from 1.")
@click.option(
    "--screenshot",
    type=_path,
    help="Paint a picture (png, svg, pdf) instead of showing the window; needs no display.",
)
@click.option(
    "--what",
    type=click.Choice(["window", "page", "night", "both"]),
    default="window",
    show_default=True,
    help="What the picture shows.",
)
@click.option(
    "--dpi",
    type=click.IntRange(48, 1200),
    default=96,
    show_default=True,
    help="Dots an inch of a png: more pixels for the same picture.",
)
@click.option(
    "--timebase", callback=_timebase, help="Seconds of a page in the picture, or “night” for all of it (default: 60)."
)
@click.option("--size", default="1366x768", show_default=True, callback=_size, help="Size of the picture.")
@click.option("--theme", type=click.Choice(["light", "dark"]), help="Colours (default: the system's, or light).")
def view(
    night: Path | None,
    truth: Path | None,
    labels: Path | None,
    epoch: int | None,
    screenshot: Path | None,
    what: str,
    dpi: int,
    timebase: float | None,
    size: tuple[int, int],
    theme: str | None,
) -> None:
    """Open a night in the window (the word “view” may be left out)."""
    if screenshot is not None:
        if night is None:
            raise click.UsageError("--screenshot needs a NIGHT")
        _check_out(screenshot, night, truth, labels, endings=(".png", ".svg", ".pdf"))
        _use_offscreen()
        from sleepviewer.app.main import paint_window
        from sleepviewer.review.opening import open_night

        opened = open_night(night, truth_path=truth, labels_path=labels)
        _tell(opened.notes)
        paint_window(
            opened,
            screenshot,
            epoch=epoch or 1,
            size=size,
            theme=theme or "light",
            what=what,
            dpi=dpi,
            timebase=timebase,
        )
        return
    if not _has_display():
        raise RecordingError("There is no display to show a window on; use --screenshot, or the command “score”.")
    from sleepviewer.app.main import run_window

    sys.exit(run_window(night, truth=truth, labels=labels, epoch=epoch, theme=theme))


def _engine_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from sleepviewer.scoring.registry import engine_ids

    if value not in engine_ids():
        raise click.BadParameter(f"“{value}” is not one of {', '.join(engine_ids())}")
    return value


@main.command(short_help="Score a night without a window.")
@click.argument("night", type=_path)
@click.option(
    "--engine",
    callback=_engine_name,
    help="Who scores (“models” lists them; default: the model that --weights holds, else the first of the list).",
)
@click.option("--weights", type=_path, help="Weights of a model: safetensors, or a checkpoint of the AttnSleep code.")
@click.option("--channel", help="EEG channel to score (default: proposed from the names; “info” shows it).")
@click.option("--eog", help="EOG channel to give the engine as well.")
@click.option("--emg", help="EMG channel to give the engine as well.")
@_truth_option
@click.option("--out", type=_path, required=True, help="Where to write: npz (with all probabilities), edf, csv or txt.")
@_overwrite_option
@_json_option
def score(
    night: Path,
    engine: str | None,
    weights: Path | None,
    channel: str | None,
    eog: str | None,
    emg: str | None,
    truth: Path | None,
    out: Path,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Score a night and write the stages; with a truth, also say how well they agree."""
    from sleepviewer.review.document import Base
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.saving import check_export_path, export_labels, save_review
    from sleepviewer.scoring.base import ChannelChoice

    spec = _engine_spec(engine, weights)
    _check_out(out, night, truth, weights, endings=_LABEL_ENDINGS)
    opened = open_night(night, truth_path=truth, look_beside=False)
    if opened.document.truth is not None and (opened.document.truth.stages < 0).all():
        raise AlignmentError(f"{truth} scores no epoch of {night.name}, so there is nothing to compare with.")
    _find_truth(opened)
    check_export_path(opened, out, replace=overwrite)
    eeg = channel or opened.channel
    if eeg is None:
        there = ", ".join(c.label for c in opened.recording.channels)
        raise ChannelError(f"No EEG channel of {night.name} was recognised; name one with --channel ({there}).")
    opened.channel = eeg
    prediction = _score(opened, spec, ChannelChoice(eeg, eog, emg))
    opened.document.set_prediction(prediction)
    opened.document.set_base(Base.MODEL)
    check_export_path(opened, out, replace=overwrite)  # somebody may have saved there while the night was scored
    if out.suffix.lower() == ".npz":
        save_review(opened, out, replace=True)
    else:
        export_labels(opened, out, replace=overwrite)
    agreement = _agreement(opened)
    _tell((*opened.notes, *prediction.notes))
    result = {**_scoring_summary(opened, prediction), "out": str(out), **agreement}
    if as_json:
        _print_json(result)
    else:
        click.echo(_scoring_text(result))


@main.command(short_help="Compare two hypnograms of any format.")
@click.argument("a", type=_path)
@click.argument("b", type=_path)
@click.option("--diff", is_flag=True, help="Also write both line by line, what differs marked (and coloured).")
@_json_option
def compare(a: Path, b: Path, diff: bool, as_json: bool) -> None:
    """Compare two hypnograms of any format, laid over each other by clock time; A is taken as the truth."""
    from sleepviewer.analysis.agreement import agreement
    from sleepviewer.analysis.diff import diff_text
    from sleepviewer.analysis.errors import compare as lay_side_by_side
    from sleepviewer.archive.tracks import read_any_track
    from sleepviewer.hypnogram import align, to_hypnogram

    track_a, track_b = read_any_track(a), read_any_track(b)
    if track_a.whole_only:  # A does not know its place in the night, so it must fit B as a whole
        second = to_hypnogram(track_b)
        first = align(track_a, start=second.start, n_epochs=len(second), name=b.name)
    else:
        first = to_hypnogram(track_a)
        second = align(track_b, start=first.start, n_epochs=len(first), name=a.name)
    result = agreement(first.stages, second.stages)
    notes = (*first.notes, *second.notes)
    _tell(notes)
    if as_json:
        _print_json({"a": str(a), "b": str(b), **result.as_dict(), "notes": list(notes)})
    else:
        click.echo(_agreement_text(result.as_dict()))
        if diff:
            both = lay_side_by_side(first.stages, second.stages, start=first.start)
            # click takes the colours out again where the output is no terminal
            click.echo(diff_text(both, ansi=True, names=("A", "B")), nl=False)


@main.command(short_help="Write a night and its labels as npz for training, or as EDF+, CSV, text.")
@click.argument("night", type=_path)
@click.option("--labels", type=_path, required=True, help="Hypnogram of any format, or a saved review (npz).")
@click.option("--out", type=_path, required=True, help="Where to write: npz for training, or edf, csv, txt.")
@click.option(
    "--channel", help="Channel whose signal goes into the npz (default: the review's, else the proposed one)."
)
@click.option("--trim-wake", type=click.FloatRange(min=0), help="Keep so many minutes of wake around sleep (npz only).")
@_overwrite_option
def export(night: Path, labels: Path, out: Path, channel: str | None, trim_wake: float | None, overwrite: bool) -> None:
    """Write a night's signal and labels as an npz that AttnSleep's loader reads, or its labels in another format."""
    from sleepviewer.review.night import set_truth_from
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.saving import check_export_path, export_labels, is_review_of, restore_review

    if trim_wake is not None and out.suffix.lower() != ".npz":
        raise click.UsageError("--trim-wake needs an --out that ends in .npz")
    _check_out(out, night, labels, endings=_LABEL_ENDINGS)
    opened = open_night(night, look_beside=False)
    if is_review_of(opened, labels):
        restore_review(opened, labels)
        if opened.foreign_review:
            raise ArchiveError(opened.foreign_review)
    else:
        set_truth_from(opened, labels)
        if labels.suffix.lower() == ".npz":
            opened.notes += (f"{labels.name} is no review of {night.name}; its stages were taken as an expert's.",)
    check_export_path(opened, out, replace=overwrite)
    if channel is not None:
        opened.channel = opened.recording.channel(channel).label
    export_labels(opened, out, trim_wake_min=trim_wake, replace=overwrite)
    _tell(opened.notes)
    click.echo(f"{out} written", err=True)


@main.command(short_help="Say what is in a recording.")
@click.argument("night", type=_path)
@_json_option
def info(night: Path, as_json: bool) -> None:
    """Say what is in a recording: channels, rates, units, gaps, and which channel would be scored."""
    from sleepviewer.datasets.sleep_edf import find_truth
    from sleepviewer.recording import open_recording
    from sleepviewer.recording.summary import summary, summary_text

    with open_recording(night) as recording:
        facts = summary(recording) | {"truth_beside": None if (t := find_truth(night)) is None else str(t)}
    if as_json:
        _print_json(facts)
    else:
        click.echo(summary_text(facts))


@main.command(short_help="Score a simulated night and show it.")
@click.option("--real", is_flag=True, help="Fetch one real Sleep-EDF night (48 MB, needs a network) instead.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Which simulated night.")
@click.option(
    "--out", type=_path, default=Path("sleepviewer-demo.png"), show_default=True, help="Picture, without a display."
)
def demo(real: bool, seed: int, out: Path) -> None:
    """Open a simulated night, score it and show it; without a display, print the agreement and write the picture."""
    if real:
        from sleepviewer.datasets.sleep_edf import fetch_sleep_edf_night

        night, _ = fetch_sleep_edf_night()
    else:
        from sleepviewer.simulation.demo import demo_recording

        night = demo_recording(seed=seed)
    if _has_display():
        from sleepviewer.app.main import run_window

        sys.exit(run_window(night, score=True, epoch=_DEMO_EPOCH))
    _demo_without_display(night, out)


def _demo_without_display(path: Path, picture: Path) -> None:
    _use_offscreen()
    from sleepviewer.app.main import paint_window
    from sleepviewer.review.opening import open_night
    from sleepviewer.scoring.base import ChannelChoice
    from sleepviewer.scoring.registry import EngineSpec

    _check_out(picture, path, endings=(".png",))
    night = open_night(path)
    if night.channel is None:
        raise ChannelError(f"No EEG channel of {path.name} was recognised.")
    prediction = _score(night, EngineSpec(), ChannelChoice(night.channel))
    night.document.set_prediction(prediction)
    kind = "simulated" if night.recording.simulated else "real"
    click.echo(f"A {kind} night: {path}")
    click.echo(_scoring_text({**_scoring_summary(night, prediction), "out": None, **_agreement(night)}))
    paint_window(night, picture, epoch=_DEMO_EPOCH, size=(1366, 768), theme="light")
    click.echo(f"There is no display here, so the window was painted into {picture}.")


# -- parts


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


def _score(night: Night, spec: EngineSpec, channels: ChannelChoice) -> Prediction:
    from sleepviewer.scoring.base import Progress
    from sleepviewer.scoring.registry import make_engine

    def tell(progress: Progress) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{progress.fraction:4.0%} {progress.message:<30}", nl=progress.fraction >= 1, err=True)

    return make_engine(spec).score(night.recording, channels, tell)


def _find_truth(night: Night) -> None:
    """Use an expert's hypnogram that lies beside the recording, and say so."""
    from sleepviewer.datasets.sleep_edf import find_truth
    from sleepviewer.review.night import set_truth_from

    found = None if night.document.truth is not None else find_truth(night.recording.path)
    if found is None:
        return
    try:
        set_truth_from(night, found)
        night.notes += (f"Compared with {found.name}, found beside the recording.",)
    except SleepViewerError as error:
        night.notes += (f"{found.name} lies beside the recording but was not used: {error}",)


def _scoring_summary(night: Night, prediction: Prediction) -> dict[str, Any]:
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


def _agreement(night: Night) -> dict[str, Any]:
    from sleepviewer.analysis.agreement import agreement

    truth, prediction = night.document.truth, night.document.prediction
    if truth is None or prediction is None:
        return {}
    try:
        return agreement(truth.stages, prediction.stages).as_dict()
    except AlignmentError as error:
        night.notes += (str(error),)
        return {}


def _scoring_text(result: dict[str, Any]) -> str:
    stages = ", ".join(f"{stage} {count}" for stage, count in result["stages"].items() if count)
    lines = [
        f"{result['engine']} {result['engine_version']} on {', '.join(result['channels'])}: "
        f"{result['n_epochs']} epochs in {result['seconds']:.1f} s ({stages})"
    ]
    if "kappa" in result:
        lines.append(_agreement_text(result))
    if result["out"]:
        lines.append(f"written to {result['out']}")
    return "\n".join(lines)


def _agreement_text(result: dict[str, Any]) -> str:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    names = list(result["f1"])
    rows = [
        f"{name:>5} " + "".join(f"{n:6d}" for n in row) for name, row in zip(names, result["confusion"], strict=True)
    ]
    return "\n".join(
        (
            f"agreement over {result['epochs']} epochs: accuracy {number(result['accuracy'])}, "
            f"κ {number(result['kappa'])}, macro-F1 {number(result['macro_f1'])}",
            "F1: " + "  ".join(f"{name} {number(value)}" for name, value in result["f1"].items()),
            "rows: truth, columns: the other",
            "      " + "".join(f"{name:>6}" for name in names),
            *rows,
        )
    )


_LABEL_ENDINGS = (".npz", ".edf", ".csv", ".tsv", ".txt")


def _check_out(out: Path, *inputs: Path | None, endings: tuple[str, ...] = ()) -> None:
    """Find out before the work, not after it, that the result can't be written, or would replace what it is made of."""
    if out.is_dir() or not out.resolve().parent.is_dir():
        what = "is a folder" if out.is_dir() else f"lies in a folder that does not exist ({out.resolve().parent})"
        raise OutputError(f"{out} can't be written, since it {what}; name a file in a folder that exists.")
    if any(path is not None and path.exists() and out.exists() and out.samefile(path) for path in inputs):
        raise OutputError(f"{out} is one of the files to read and was not written over; choose another name.")
    if endings and out.suffix.lower() not in endings:
        *most, last = endings
        raise OutputError(f"{out} was not written: end its name in {', '.join(most) + ' or ' if most else ''}{last}.")


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _use_offscreen() -> None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"


def _tell(notes: tuple[str, ...]) -> None:
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _print_json(values: dict[str, Any]) -> None:
    click.echo(json.dumps(values, ensure_ascii=False, allow_nan=False))
