"""``sleepviewer fine-tune``: a model learns from corrected nights."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sleepviewer.errors import OutputError

if TYPE_CHECKING:
    from sleepviewer.training.fine_tune import FineTuneRequest, FineTuneResult, TuningProgress
    from sleepviewer.training.guard import BeforeAfter

_path = click.Path(path_type=Path)


@click.command("fine-tune", short_help="Tune a model on corrected nights; a guard says whether it got better.")
@click.argument("archives", nargs=-1, required=True, type=_path)
@click.option("--base", help="Model to begin with: MEMBER, MEMBER@vN, MEMBER@shipped or a file (default: the default).")
@click.option("--out", metavar="MODEL", help="File of weights to write (default: the next version of the member).")
@click.option("--replay", type=_path, help="Folder of archives to replay and to guard by (default: simulated nights).")
@click.option("--whole-nights", is_flag=True, help="The nights were gone through: what was left as it was stands too.")
@click.option(
    "--steps", type=click.IntRange(min=1), help="Changes of the weights (default: 120, more for more nights)."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of everything random.")
@click.option("--activate", is_flag=True, help="Have the new version score where its member is asked for.")
@click.option("--keep-refused", is_flag=True, help="Write the model even where the guard refuses it (never activated).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
def fine_tune(
    archives: tuple[Path, ...],
    base: str | None,
    out: str | None,
    replay: Path | None,
    whole_nights: bool,
    steps: int | None,
    seed: int,
    activate: bool,
    keep_refused: bool,
    as_json: bool,
) -> None:
    """Tune a model on corrected nights (ARCHIVES, npz as “Save” writes them), and keep it where it got better.

    A quarter of the reviewed epochs is kept out of the tuning. The model is kept only where it does better on them and
    has not lost more than 0.01 κ on other subjects; else nothing is written, and the exit code is 1. A tuning that was
    stopped goes on when the same command is given again.
    """
    from sleepviewer.scoring.registry import DEFAULT_MEMBER
    from sleepviewer.training.fine_tune import FineTuneRequest, TuningSettings, discard, keep

    target = None if out is None else Path(out)
    _check(target, activate)
    request = FineTuneRequest(
        archives=archives,
        base=base or DEFAULT_MEMBER,
        replay=replay,
        whole_nights=whole_nights,
        settings=TuningSettings(steps=steps or 0, seed=seed),
    )
    result = _run(request)
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    kept = None
    if result.verdict.offered or keep_refused:
        kept = keep(result, out=target, refused_too=keep_refused)
        if activate and result.verdict.offered:
            from sleepviewer.models.versions import ModelVersions

            ModelVersions().activate(kept.stem)
    discard(request)
    if as_json:
        content = {**result.as_dict(), "out": None if kept is None else str(kept)}
        del content["candidate"]
        click.echo(json.dumps(content, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(_text(result, kept))
    if not result.verdict.offered:
        click.echo(f"sleepviewer: The tuned model is refused. {result.verdict.reason}", err=True)
        sys.exit(1)


def _check(out: Path | None, activate: bool) -> None:
    """Find out before the work that its result can't be written."""
    if out is None:
        return
    if activate:
        raise click.UsageError("--activate goes with a version, not with --out")
    if out.suffix != ".safetensors":
        raise OutputError(f"{out.name} can't be written: a file of weights must end in .safetensors.")
    if not out.resolve().parent.is_dir():
        raise OutputError(f"{out} can't be written: its folder does not exist.")


def _run(request: FineTuneRequest) -> FineTuneResult:
    """Tune in a child process and show how far it is."""
    from sleepviewer.training.fine_tune_process import FineTuneProcess

    with FineTuneProcess() as process, _Bar() as bar:
        process.start(request)
        for progress in process.progress():
            bar.tell(progress)
        return process.result()


class _Bar:
    """A progress bar on stderr; off a terminal it stays silent."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._kappa = ""

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def tell(self, progress: TuningProgress) -> None:
        """Show where the tuning is."""
        from tqdm import tqdm

        if not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = tqdm(total=progress.of, unit="step", file=sys.stderr)
        self._bar.n = progress.step
        self._bar.set_description(progress.phase, refresh=False)
        if progress.kappa_corrected is not None and progress.kappa_others is not None:
            self._kappa = f"κ {progress.kappa_corrected:.3f}, others {progress.kappa_others:.3f}"
        self._bar.set_postfix_str(self._kappa, refresh=False)
        self._bar.refresh()


def _text(result: FineTuneResult, kept: Path | None) -> str:
    """Return both tables and what became of the model."""
    verdict = result.verdict
    lines = [
        *_table("held-out epochs of the corrected nights", verdict.corrected),
        *_table("other subjects", verdict.others),
        f"{result.seconds:.0f} s, {result.cpu_seconds:.0f} s of one core",
    ]
    if verdict.offered:
        lines.append(verdict.reason)
    lines.append("Nothing was written." if kept is None else f"written to {kept}")
    if kept is not None and verdict.offered and "@" in kept.stem:
        lines.append(f"score with it: --engine {kept.stem}; by default: sleepviewer models activate {kept.stem}")
    return "\n".join(lines)


def _table(where: str, both: BeforeAfter) -> list[str]:
    def number(value: float) -> str:
        return f"{value:.3f}" if value == value else "–"

    lines = [f"{where}, {both.after.epochs} epochs"]
    stages = list(both.before.f1)
    lines.append(f"{'':>8}{'κ':>8}{'accuracy':>10}" + "".join(f"{f'F1 {stage}':>8}" for stage in stages))
    for name, table in (("before", both.before), ("after", both.after)):
        f1 = "".join(f"{number(table.f1[stage]):>8}" for stage in stages)
        lines.append(f"{name:>8}{number(table.kappa):>8}{number(table.accuracy):>10}{f1}")
    return lines
