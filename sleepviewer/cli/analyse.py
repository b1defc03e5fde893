"""``sleepviewer analyse``: how well prediction and truth agree over any number of nights, and why they do not."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sleepviewer.cli.options import PATH, json_option, print_json
from sleepviewer.errors import OutputError

if TYPE_CHECKING:
    from sleepviewer.reports.analysis import Analysis, ModelPart, Unit

PAGE: Final = "index.html"
SUMMARY: Final = "analysis.json"


@click.command(short_help="Compare truth and prediction of many nights; say where and why they differ.")
@click.argument("paths", metavar="RUN_OR_FOLDER…", type=PATH, nargs=-1, required=True)
@click.option("--out", type=PATH, required=True, help="Folder for index.html, analysis.json and the tables (CSV).")
@click.option(
    "--trained",
    type=PATH,
    multiple=True,
    help="Folder of a training, or weights with their card: tells which nights the models learned from. May be given "
    "several times.",
)
@click.option("--recordings", type=PATH, help="Folder of the recordings, for the commands that open an epoch.")
@click.option(
    "--protocol",
    type=click.Choice(["honest", "published"]),
    default="honest",
    show_default=True,
    help="Which predictions of a cross-validation.",
)
@click.option("--draws", type=click.IntRange(min=1), default=2000, show_default=True, help="Draws for the intervals.")
@click.option(
    "--over",
    type=click.Choice(["subjects", "nights"]),
    default="subjects",
    show_default=True,
    help="What is drawn for the intervals.",
)
@click.option("--overwrite", is_flag=True, help="Write over an earlier analysis.")
@json_option
def analyse(
    paths: tuple[Path, ...],
    out: Path,
    trained: tuple[Path, ...],
    recordings: Path | None,
    protocol: str,
    draws: int,
    over: Unit,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Analyse nights that have an expert's hypnogram and a model's scoring, however many.

    Takes archives (npz) as “Save” and “score” write them, folders of them, and cross-validations (their folders).
    Writes one page to read, and tables of everything: each disagreement with what surrounds it, what errors have in
    common, shifted boundaries, flocks of errors, suspect labels, the statistics of every night for every scorer.
    """
    from sleepviewer.files import atomic_writer
    from sleepviewer.reports.analysis import TABLES, find_and_analyse
    from sleepviewer.reports.analysis_page import analysis_page

    there = [out / name for name in (PAGE, SUMMARY, *(f"{table}.csv" for table in TABLES)) if (out / name).exists()]
    if there and not overwrite:
        raise OutputError(f"{there[0]} is there already; choose another folder, or write over it with --overwrite.")

    def tell(done: int, night: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done} nights, {night:<40.40}", nl=False, err=True)

    found = find_and_analyse(
        paths, out, trainings=trained, recordings=recordings, protocol=protocol, draws=draws, over=over, tell=tell
    )
    if sys.stderr.isatty():
        click.echo(err=True)
    summary = summary_dict(found, draws, over) | {"out": str(out)}
    with atomic_writer(out / SUMMARY) as file:
        file.write((json.dumps(summary, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode())
    with atomic_writer(out / PAGE) as file:
        file.write(analysis_page(found, draws=draws, over=over).encode())
    for reason in found.left_out:
        click.echo(f"note: {reason}", err=True)
    if as_json:
        print_json(summary)
    else:
        click.echo(summary_text(found))
        click.echo(f"written to {out / PAGE}")


def summary_dict(found: Analysis, draws: int, over: Unit) -> dict[str, Any]:
    """Return an analysis's sums as JSON-ready values, None for NaN."""
    return {
        "nights": found.nights,
        "epochs": found.epochs,
        "left_out": list(found.left_out),
        "models": [_part_dict(part, draws, over) for part in found.parts.values()],
    }


def _part_dict(part: ModelPart, draws: int, over: Unit) -> dict[str, Any]:
    agreement = part.agreement
    return {
        "model": part.model,
        "nights": len(part.nights),
        "subjects": len(part.subjects),
        "agreement": None if agreement is None else agreement.as_full_dict(),
        "intervals_over": over,
        "intervals": {
            name: [_finite(interval.low), _finite(interval.high)]
            for name, interval in part.intervals(draws, over).items()
        },
        "errors": sum(night.errors for night in part.nights),
        "boundary_shifts": sum(night.shifts for night in part.nights),
        "clusters": part.cluster_count,
        "clusters_explained_by_signal": part.explained,
        "suspects": part.suspect_count,
        "labels_seen": {str(seen): count for seen, count in part.seen.items()},
    }


def summary_text(found: Analysis) -> str:
    """Return what a reader wants to know first."""
    nights, epochs = ("" if count == 1 else "s" for count in (found.nights, found.epochs))
    lines = [f"{found.nights} night{nights}, {found.epochs} epoch{epochs} that both score"]
    for part in found.parts.values():
        agreement = part.agreement
        lines.append(part.model)
        if agreement is None:
            lines.append("  no epoch that both score")
            continue
        errors, shifts = (sum(getattr(night, name) for night in part.nights) for name in ("errors", "shifts"))
        lines += [
            f"  accuracy {_three(agreement.accuracy)}, κ {_three(agreement.kappa)}, macro-F1 "
            f"{_three(agreement.macro_f1)}, balanced accuracy {_three(agreement.balanced_accuracy)}",
            f"  {errors} disagreements, {shifts} of them shifts of boundaries; {part.cluster_count} flocks, "
            f"{part.explained} explained by the signal; {part.suspect_count} suspect labels",
        ]
        lines += [f"  not ranked: {reason}" for reason in part.refusals[:5]]
    return "\n".join(lines)


def _three(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
