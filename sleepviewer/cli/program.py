"""The ``sleepviewer`` command: all that the window does, without a window.

Exit codes: 0 well, 2 wrong use, 1 trouble that has a name (one sentence on stderr), 70 an error of the program (one
sentence that names the log; ``--debug`` before the command shows the traceback as well). With ``--json`` stdout holds
one JSON object and nothing else; progress and notes go to stderr.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sleepviewer import __version__
from sleepviewer.cli.answers import notes_of, reading_option, sentence_of, unit_option
from sleepviewer.cli.options import PATH, check_out, json_option, overwrite_option, print_json, tell, truth_option
from sleepviewer.cli.score import agreement_of, run_engine, scoring_summary, scoring_text
from sleepviewer.errors import ChannelError, RecordingError, SleepViewerError

if TYPE_CHECKING:
    from sleepviewer.recording import ToldUnit

_DEMO_EPOCH = 181
_DEMO_PICTURE = Path("sleepviewer-demo.png")


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
            click.echo(f"sleepviewer: {sentence_of(error)}", err=True)
            ctx.exit(1)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from sleepviewer.cli.bugs import EXIT_OF_A_BUG, sentence_on

            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # who read our output has gone; click ends quietly
            click.echo(f"sleepviewer: {sentence_on(error, ctx)}", err=True)
            ctx.exit(EXIT_OF_A_BUG)


_VIEW_OPTIONS = ("--truth", "--labels", "--unit", "--read-as", "--screenshot", "--epoch", "--size", "--theme")


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sleepviewer")
@click.option("--debug", is_flag=True, help="Show the traceback of an error of the program (also SLEEPVIEWER_DEBUG=1).")
def main(debug: bool) -> None:
    """Score an overnight EEG, review it beside the expert's hypnogram, correct it, export it.

    \b
    Look at a night:
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
@click.argument("night", type=PATH, required=False)
@truth_option
@click.option("--labels", type=PATH, help="A saved review (npz) to take up again.")
@click.option("--epoch", type=click.IntRange(min=1), help="Epoch to show, counted from 1.")
@click.option(
    "--screenshot",
    type=PATH,
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
@click.option("--overwrite", is_flag=True, help="Write over a picture that is there.")
@unit_option
@reading_option
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
    overwrite: bool,
    units: tuple[ToldUnit, ...],
    reading: str | None,
) -> None:
    """Open a night in the window (the word “view” may be left out)."""
    if screenshot is not None:
        if night is None:
            raise click.UsageError("--screenshot needs a NIGHT")
        check_out(screenshot, night, truth, labels, endings=(".png", ".svg", ".pdf"), overwrite=overwrite)
        _use_offscreen()
        from sleepviewer.app.main import paint_window
        from sleepviewer.review.opening import open_night

        opened = open_night(night, truth_path=truth, labels_path=labels, units=units, reading=reading)
        tell(notes_of(opened))
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

    sys.exit(run_window(night, truth=truth, labels=labels, epoch=epoch, theme=theme, units=units, reading=reading))


@main.command(short_help="Say what is in a recording.")
@click.argument("night", type=PATH)
@json_option
def info(night: Path, as_json: bool) -> None:
    """Say what is in a recording: channels, rates, units, gaps, and which channel would be scored."""
    from sleepviewer.recording import open_recording
    from sleepviewer.recording.summary import summary, summary_text
    from sleepviewer.review.companions import find_references

    found = find_references(night)
    with open_recording(night) as recording:
        facts = summary(recording) | {"truth_beside": None if found.path is None else str(found.path)}
    tell([found.note] if found.note else [])
    if as_json:
        print_json(facts)
    else:
        click.echo(summary_text(facts))


@main.command(short_help="Score a simulated night and show it.")
@click.option("--real", is_flag=True, help="Fetch one real Sleep-EDF night (48 MB, needs a network) instead.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Which simulated night.")
@click.option(
    "--out",
    type=PATH,
    default=_DEMO_PICTURE,
    show_default=True,
    help="Picture (png) to write where there is no display.",
)
@overwrite_option
def demo(real: bool, seed: int, out: Path, overwrite: bool) -> None:
    """Open a simulated night, score it and show it; without a display, print the agreement and write the picture.

    Called again, it writes over its own picture of the default name; any other file needs --overwrite.
    """
    if real:
        from sleepviewer.datasets.sleep_edf import fetch_sleep_edf_night

        night, _ = fetch_sleep_edf_night()
    else:
        from sleepviewer.simulation.demo import demo_recording

        night = demo_recording(seed=seed)
    if _has_display():
        from sleepviewer.app.main import run_window

        sys.exit(run_window(night, score=True, epoch=_DEMO_EPOCH))
    _demo_without_display(night, out, overwrite=overwrite or (out == _DEMO_PICTURE and _is_own_picture(out)))


def _demo_without_display(path: Path, picture: Path, *, overwrite: bool) -> None:
    _use_offscreen()
    from sleepviewer.app.main import paint_window
    from sleepviewer.review.opening import open_night
    from sleepviewer.scoring.channels import choose_channels
    from sleepviewer.scoring.registry import EngineSpec

    check_out(picture, path, endings=(".png",), overwrite=overwrite)
    night = open_night(path)
    if night.channel is None:
        raise ChannelError(f"No EEG channel of {path.name} was recognised.")
    prediction = run_engine(night, EngineSpec(), choose_channels(night.recording, EngineSpec(), night.channel))
    night.document.set_prediction(prediction)
    kind = "simulated" if night.recording.simulated else "real"
    click.echo(f"A {kind} night: {path}")
    click.echo(scoring_text({**scoring_summary(night, prediction), "out": None, **agreement_of(night)}))
    paint_window(night, picture, epoch=_DEMO_EPOCH, size=(1366, 768), theme="light")
    click.echo(f"There is no display here, so the window was painted into {picture}.")


def _is_own_picture(path: Path) -> bool:
    """Whether a PNG says at its beginning that SleepViewer painted it."""
    try:
        with path.open("rb") as file:
            return b"tEXtSoftware\0SleepViewer" in file.read(1024)
    except OSError:
        return False


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _use_offscreen() -> None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
