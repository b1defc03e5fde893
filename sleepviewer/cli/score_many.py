"""``sleepviewer score`` on many nights: here in several processes, or on a cluster; with progress and the time left."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sleepviewer.cli.options import print_json

if TYPE_CHECKING:
    from sleepviewer.batch import Finished, Told
    from sleepviewer.scoring.registry import EngineSpec

SOME_FAILED: Final = 3
"""Exit code of a batch that came to its end, where some of the nights failed."""

_SAY_EVERY_S: Final = 60.0
_FAILURES_TOLD: Final = 20

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    nights: tuple[Path, ...]
    out: Path
    spec: EngineSpec
    channel: str | None
    eog: str | None
    emg: str | None
    eeg_only: bool
    overwrite: bool
    as_json: bool


def batch_options(command: _Command) -> _Command:
    """Add the options that go with many nights."""
    for option in (
        click.option(
            "--jobs", type=click.IntRange(min=1), help="Many nights: how many at a time (default: one a core)."
        ),
        click.option(
            "--dask", metavar="ADDRESS", help="Many nights: scheduler of a Dask cluster that sees the same folders."
        ),
        click.option(
            "--resume", is_flag=True, help="Many nights: keep what is done and unchanged, and go on from there."
        ),
        click.option(
            "--truth-pattern",
            "truth_patterns",
            multiple=True,
            metavar="PATTERN",
            help='Many nights: the expert\'s hypnograms, as "{stem}-Hypnogram.edf" (default: found by their names).',
        ),
        click.option("--no-signal", is_flag=True, help="Many nights: leave the signal out of the archives."),
    ):
        command = option(command)
    return command


def are_many(nights: Sequence[Path]) -> bool:
    """Whether what is named is not one file: a folder, a pattern, or several names."""
    one = nights[0]
    return len(nights) > 1 or one.is_dir() or (not one.exists() and re.search(r"[*?\[]", str(one)) is not None)


def refuse_for_one(**of_batch: Any) -> None:
    """Raise UsageError for an option that only goes with many nights."""
    for name, value in of_batch.items():
        if value:
            option = "truth-pattern" if name == "truth_patterns" else name.replace("_", "-")
            raise click.UsageError(f"--{option} goes with a folder, a pattern or several nights")


def score_many(
    asked: Asked,
    *,
    jobs: int | None,
    dask: str | None,
    resume: bool,
    truth_patterns: tuple[str, ...],
    no_signal: bool,
) -> None:
    """Score the nights into the folder, and end with exit code 3 where some failed."""
    from sleepviewer.batch import MANIFEST, Wanted, plan, run
    from sleepviewer.batch.pools import usual_jobs

    if jobs is not None and dask is not None:
        raise click.UsageError("--jobs is for this machine; a Dask cluster has the workers that it has")
    wanted = Wanted(
        out=asked.out.resolve(),
        spec=_absolute(asked.spec),
        channel=asked.channel,
        eog=asked.eog,
        emg=asked.emg,
        eeg_only=asked.eeg_only,
        signal=not no_signal,
        truth_patterns=truth_patterns,
        replace=asked.overwrite,
    )
    planned = plan(asked.nights, wanted)
    with _Bar(len(planned.jobs)) as bar:
        try:
            finished = run(planned, jobs=jobs or usual_jobs(), dask=dask, resume=resume, tell=bar.tell)
        except KeyboardInterrupt:
            bar.say(f"stopped; what is done is kept in {asked.out}, and the same command with --resume goes on")
            raise
    if asked.as_json:
        print_json({"out": str(asked.out), "manifest": str(asked.out / MANIFEST), **_as_dict(finished, bar)})
    else:
        click.echo(f"{finished.summary}; written to {asked.out}")
    if finished.failed:
        click.get_current_context().exit(SOME_FAILED)


def _absolute(spec: EngineSpec) -> EngineSpec:
    """Workers of a cluster have another current folder."""
    from dataclasses import replace

    return spec if spec.weights is None else replace(spec, weights=spec.weights.resolve())


def _as_dict(finished: Finished, bar: _Bar) -> dict[str, Any]:
    return {
        "nights": finished.total,
        "scored": finished.scored,
        "kept": finished.kept,
        "failed": finished.failed,
        "seconds": round(finished.seconds, 2),
        "first_failures": bar.failures,
    }


@dataclass
class _Bar:
    """Progress on stderr: a bar on a terminal, else a line a minute; every failure at once."""

    total: int
    failures: dict[str, str] = field(default_factory=dict)
    _bar: Any = None
    _said_at: float = field(default_factory=time.monotonic)

    def __enter__(self) -> _Bar:
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self.total, unit="night", file=sys.stderr)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def tell(self, told: Told) -> None:
        """Show where the batch is."""
        if "failed" in told.line:
            if len(self.failures) < _FAILURES_TOLD:
                self.failures[told.line["night"]] = told.line["failed"]
            self.say(f"failed: {told.line['night']}: {told.line['failed']}")
        if self._bar is not None:
            self._bar.n = told.done
            self._bar.set_postfix_str(f"{told.failed} failed" if told.failed else "", refresh=False)
            self._bar.refresh()
        elif time.monotonic() - self._said_at > _SAY_EVERY_S:
            self._said_at = time.monotonic()
            self.say(f"{told.done} of {told.total} nights, {left_text(told.seconds_left)}")

    def say(self, text: str) -> None:
        """Print a line on stderr, above the bar if there is one."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            click.echo(text, err=True)


def left_text(seconds: float | None) -> str:
    """Return ``12 min left``, ``3 h 5 min left``."""
    if seconds is None:
        return "time left not known yet"
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute left"
    return f"{minutes} min left" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min left"
